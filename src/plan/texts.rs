//! The texts of a campaign, and which letter each constituent sends to each official.
//!
//! One column chooses: the language of a constituent, or the title of an official. Whoever has a value that no
//! letter is for gets the usual letter; how many have which value is told, so that a slip is seen.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::model::{Constituent, EmailAddress, Official, Role, fold};
use crate::template::{CampaignFields, RenderError, Rendered, Template, field_name};

/// So many different values are counted each for itself.
const VALUES_MAX: usize = 1_000;
/// So many are shown.
const SHOWN: usize = 30;
const VALUE_CHARS_SHOWN: usize = 28;

/// The texts of a campaign, ready to be filled in.
#[derive(Debug)]
pub struct Texts {
    /// The usual letter: number 0.
    pub letter: Template,
    /// The others, from number 1 on.
    pub others: Vec<Template>,
    /// Which letter it is, where there are several.
    pub choice: Option<Choice>,
    /// What constituents get.
    pub confirmation: Template,
    /// What all of them know of the campaign.
    pub campaign: CampaignFields,
}

/// What chooses between several letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    role: Role,
    /// The column by the key that the data has for it.
    field: String,
    /// The value, folded → the number of its letter.
    letters: BTreeMap<String, usize>,
}

/// The column that should choose is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{by}` chooses the letter, but no column gives it{}", nearest.as_ref().map(|n| format!("; did you mean `{n}`?")).unwrap_or_default())]
pub struct NoSuchColumn {
    by: String,
    nearest: Option<String>,
}

impl Choice {
    /// Finds the column among those that the data has; `letters` gives for each value the number of its letter.
    pub fn new(
        role: Role,
        column: &str,
        known: &BTreeSet<String>,
        letters: impl IntoIterator<Item = (String, usize)>,
    ) -> Result<Self, NoSuchColumn> {
        let wanted = field_name(column);
        let letters = letters.into_iter().map(|(value, letter)| (fold(&value), letter)).collect();
        if let Some(field) = known.iter().find(|field| field_name(field) == wanted) {
            return Ok(Self { role, field: field.clone(), letters });
        }
        let alike = |field: &&String| strsim::normalized_damerau_levenshtein(&field_name(field), &wanted);
        let nearest = known.iter().max_by(|a, b| alike(a).total_cmp(&alike(b))).filter(|field| alike(field) > 0.5);
        let full = |field: &str| format!("{}.{}", space(role), field_name(field));
        Err(NoSuchColumn { by: full(column), nearest: nearest.map(|field| full(field)) })
    }

    /// As a template would write the column.
    pub fn by(&self) -> String {
        format!("{}.{}", space(self.role), field_name(&self.field))
    }

    fn value<'a>(&self, official: &'a Official, constituent: &'a Constituent) -> &'a str {
        let value = match self.role {
            Role::Official => official_field(official, &self.field),
            Role::Constituent => constituent_field(constituent, &self.field),
        };
        value.unwrap_or_default()
    }
}

impl Texts {
    /// Every letter with its number.
    pub fn letters(&self) -> impl Iterator<Item = (usize, &Template)> {
        std::iter::once(&self.letter).chain(&self.others).enumerate()
    }

    /// The letter of a number; the usual one where there is none of it.
    pub fn numbered(&self, number: usize) -> &Template {
        number.checked_sub(1).and_then(|n| self.others.get(n)).unwrap_or(&self.letter)
    }

    /// The number of the letter that this constituent sends to this official.
    pub fn number_for(&self, official: &Official, constituent: &Constituent) -> usize {
        let chosen = self.choice.as_ref().and_then(|choice| {
            let value = fold(choice.value(official, constituent));
            choice.letters.get(&value).copied()
        });
        chosen.unwrap_or(0)
    }

    /// The letter that this constituent sends to this official.
    pub fn letter_for(&self, official: &Official, constituent: &Constituent) -> &Template {
        self.numbered(self.number_for(official, constituent))
    }

    /// The letter from this constituent to this official, filled in.
    pub fn render_letter(&self, official: &Official, constituent: &Constituent) -> Result<Rendered, RenderError> {
        self.letter_for(official, constituent).render_letter(&self.campaign, official, constituent)
    }

    /// The numbers of all letters that an official may get.
    pub(super) fn may_get(&self, official: &Official) -> Vec<usize> {
        match &self.choice {
            Some(Choice { role: Role::Official, field, letters }) => {
                let value = fold(official_field(official, field).unwrap_or_default());
                vec![letters.get(&value).copied().unwrap_or(0)]
            }
            _ => (0..=self.others.len()).collect(),
        }
    }

    /// The fields of these letters that leave a hole when they are empty.
    pub(super) fn fields_used(&self, letters: impl IntoIterator<Item = usize>) -> BTreeSet<&(String, String)> {
        letters.into_iter().flat_map(|number| self.numbered(number).fields_used()).collect()
    }
}

/// How many letters there are for each value of the column that chooses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choices {
    /// The column, as a template would write it; empty where there is one letter only.
    pub by: String,
    /// By the folded value.
    pub values: BTreeMap<String, ChosenFor>,
    /// Letters of values beyond the first thousand.
    pub others: u64,
}

/// What those get who have one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChosenFor {
    /// The value as it was first written.
    pub written: String,
    /// The file of the letter.
    pub letter: String,
    /// Whether that is a letter for this value, and not the usual one.
    pub is_own: bool,
    /// How many letters.
    pub letters: u64,
}

impl Choices {
    /// All values that have a letter of their own, none counted yet.
    pub(super) fn of(texts: &Texts) -> Self {
        let Some(choice) = &texts.choice else { return Self::default() };
        let value = |(value, number): (&String, &usize)| {
            let letter = file_name(texts.numbered(*number));
            (value.clone(), ChosenFor { written: value.clone(), letter, is_own: true, letters: 0 })
        };
        Self { by: choice.by(), values: choice.letters.iter().map(value).collect(), others: 0 }
    }

    pub(super) fn count(&mut self, texts: &Texts, official: &Official, constituent: &Constituent) {
        let Some(choice) = &texts.choice else { return };
        let written = choice.value(official, constituent);
        let value = fold(written);
        if let Some(chosen) = self.values.get_mut(&value) {
            chosen.letters += 1;
        } else if self.values.len() < VALUES_MAX {
            let letter = file_name(&texts.letter);
            self.values.insert(value, ChosenFor { written: written.to_owned(), letter, is_own: false, letters: 1 });
        } else {
            self.others += 1;
        }
    }
}

/// A table for staff; nothing where there is one letter only.
impl fmt::Display for Choices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.by.is_empty() {
            return Ok(());
        }
        writeln!(f, "Which letter it is, by `{}`", self.by)?;
        let mut values: Vec<&ChosenFor> = self.values.values().collect();
        values.sort_by_key(|chosen| (!chosen.is_own, std::cmp::Reverse(chosen.letters)));
        for chosen in values.iter().take(SHOWN) {
            let written: String = match chosen.written.as_str() {
                "" => "(empty)".to_owned(),
                written => written.chars().take(VALUE_CHARS_SHOWN).collect(),
            };
            let usual = if chosen.is_own { "" } else { " (the usual one)" };
            writeln!(f, "  {written:<28} {:>9}  {}{usual}", chosen.letters, chosen.letter)?;
        }
        if values.len() > SHOWN || self.others > 0 {
            let more: u64 = values.iter().skip(SHOWN).map(|chosen| chosen.letters).sum();
            writeln!(f, "  {:<28} {:>9}", "… and others", more + self.others)?;
        }
        writeln!(f)
    }
}

/// The name of a letter's file without the folders, which are the same for all.
fn file_name(letter: &Template) -> String {
    let name = letter.name();
    name.rsplit(['/', '\\']).next().unwrap_or(name).to_owned()
}

fn space(role: Role) -> &'static str {
    match role {
        Role::Official => "official",
        Role::Constituent => "constituent",
    }
}

/// A field of an official; `None` for one that they do not have.
pub(super) fn official_field<'a>(official: &'a Official, field: &str) -> Option<&'a str> {
    Some(match field {
        "title" => &official.title,
        "name" => official.name.as_str(),
        "email" => official.mailbox.as_ref().map_or("", EmailAddress::as_str),
        "jurisdiction" => &official.jurisdiction,
        other => official.extra.get(other)?,
    })
}

/// A field of a constituent; `None` for one that they do not have.
pub(super) fn constituent_field<'a>(constituent: &'a Constituent, field: &str) -> Option<&'a str> {
    Some(match field {
        "title" => &constituent.title,
        "name" => constituent.name.as_str(),
        "email" => constituent.mailbox.as_str(),
        "jurisdiction" => &constituent.jurisdiction,
        "address" => &constituent.address,
        "postcode" => &constituent.postcode,
        "signed_on" => &constituent.signed_on,
        "note" => &constituent.note,
        other => constituent.extra.get(other)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Extra, sample};
    use crate::template::{Fields, Purpose};

    fn official(title: &str) -> Official {
        Official { title: title.into(), ..sample::official("Ada", "ada@x.example") }
    }

    fn constituent(language: &str) -> Constituent {
        let extra = Extra::from([("first language".into(), language.into())]);
        Constituent { extra, ..sample::constituent("Jane", "jane@x.example") }
    }

    fn texts(role: Role, column: &str, values: &[&str]) -> Texts {
        let parse =
            |name: &str, source: &str, purpose| Template::parse(name, source, purpose, &Fields::default()).unwrap();
        let known: BTreeSet<String> = ["title", "first language"].map(str::to_owned).into();
        let letters = values.iter().enumerate().map(|(n, value)| ((*value).to_owned(), n + 1));
        let other = |value: &&str| parse(value, "Subject: s\n\n{{ constituent.address }}", Purpose::Letter);
        Texts {
            letter: parse("usual", "Subject: s\n\n{{ constituent.note }}", Purpose::Letter),
            others: values.iter().map(other).collect(),
            choice: Some(Choice::new(role, column, &known, letters).unwrap()),
            confirmation: parse("confirmation", "Subject: s\n\nx", Purpose::Confirmation),
            campaign: CampaignFields { name: "C".into(), time_zone: jiff::tz::TimeZone::UTC },
        }
    }

    #[test]
    fn a_value_chooses_whatever_its_case_and_spaces_and_any_other_gets_the_usual_letter() {
        let by_language = texts(Role::Constituent, "First language", &["es", "Haitian Creole"]);
        for (value, letter) in [
            ("es", "es"),
            (" ES ", "es"),
            ("haitian  creole", "Haitian Creole"),
            ("", "usual"),
            ("espa\u{f1}ol", "usual"),
        ] {
            assert_eq!(by_language.letter_for(&official(""), &constituent(value)).name(), letter, "{value}");
        }
        let by_title = texts(Role::Official, "title", &["Mayor"]);
        assert_eq!(by_title.letter_for(&official("MAYOR"), &constituent("")).name(), "Mayor");
        assert_eq!(by_title.letter_for(&official("Mayor pro tem"), &constituent("")).name(), "usual");
        assert_eq!(by_title.may_get(&official("mayor")), [1]);
        assert_eq!(by_language.may_get(&official("mayor")), [0, 1, 2]);
    }

    #[test]
    fn a_column_that_is_not_there_is_refused_with_the_nearest() {
        let known: BTreeSet<String> = ["title", "first language"].map(str::to_owned).into();
        for (column, nearest) in [("first_langauge", Some("constituent.first_language")), ("zzz", None)] {
            let refused = Choice::new(Role::Constituent, column, &known, []).unwrap_err();
            assert_eq!(refused.nearest.as_deref(), nearest);
        }
    }

    #[test]
    fn values_are_counted_and_those_that_nobody_has_are_shown_too() {
        let texts = texts(Role::Constituent, "first_language", &["es", "fr"]);
        let mut choices = Choices::of(&texts);
        for value in ["es", "ES", "Spanish", "spanish ", ""] {
            choices.count(&texts, &official(""), &constituent(value));
        }
        let shown: Vec<String> =
            choices.to_string().lines().map(|l| l.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(
            shown,
            [
                "Which letter it is, by `constituent.first_language`",
                "es 2 es",
                "fr 0 fr",
                "Spanish 2 usual (the usual one)",
                "(empty) 1 usual (the usual one)",
                "",
            ]
        );
        for n in 0..2 * VALUES_MAX {
            choices.count(&texts, &official(""), &constituent(&format!("value {n}")));
        }
        assert_eq!(choices.values.len(), VALUES_MAX);
        assert!(choices.to_string().lines().count() < SHOWN + 5);
    }
}
