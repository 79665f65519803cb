//! The names a template may use: the built-in ones, and the columns that the data has besides.
//!
//! It must not look at any value, only at names.

use std::collections::BTreeSet;

/// The names of columns that the data has besides the built-in ones, which are implied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields {
    /// Usable as `official.<column>`.
    pub official: BTreeSet<String>,
    /// Usable as `constituent.<column>`.
    pub constituent: BTreeSet<String>,
}

/// What a template is for, and with that what it can speak of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// One constituent's message to one official: `official`, `constituent`, `campaign`.
    Letter,
    /// The message to the constituent about all their letters: `constituent`, `campaign`, `letters`.
    Confirmation,
}

pub(super) const OFFICIAL: [&str; 4] = ["title", "name", "jurisdiction", "email"];
pub(super) const CONSTITUENT: [&str; 8] =
    ["title", "name", "email", "address", "postcode", "signed_on", "note", "jurisdiction"];
const CAMPAIGN: [&str; 1] = ["name"];
const LETTER: [&str; 5] = ["state", "accepted_at", "reply", "subject", "copy"];
const LOOP: [&str; 5] = ["index", "index0", "first", "last", "length"];
const ALIKE_MIN: f64 = 0.6;

/// A column's name as a template writes it: letters, digits and `_`; anything else becomes `_`.
///
/// `Ward number` is `ward_number`, `2nd line` is `_2nd_line`.
pub fn field_name(column: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    let name: String = column.trim().chars().map(plain).collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name }
}

/// What a path of names leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// A text, a number or a truth: something that can be shown.
    Value,
    /// Something with parts, of which one must be named.
    Parts,
    /// The list of letters.
    Letters,
    /// Nothing.
    Unknown,
}

/// All names in sight at some place of a template.
#[derive(Debug)]
pub(super) struct Scope<'a> {
    pub(super) fields: &'a Fields,
    pub(super) purpose: Purpose,
    /// The name that a loop gives to each letter, inside the loop.
    pub(super) letter: Option<&'a str>,
}

impl Scope<'_> {
    /// What the path leads to.
    pub(super) fn target(&self, path: &[&str]) -> Target {
        let full = path.join(".");
        if full == "letters" && self.purpose == Purpose::Confirmation {
            return Target::Letters;
        }
        let names = self.names();
        if names.contains(&full) {
            return Target::Value;
        }
        let prefix = format!("{full}.");
        if names.iter().any(|name| name.starts_with(&prefix)) { Target::Parts } else { Target::Unknown }
    }

    /// The real name nearest to a path, where one is near enough to be meant.
    pub(super) fn nearest(&self, path: &[&str]) -> Option<String> {
        let full = path.join(".").to_lowercase();
        let last = path.last().map(|word| word.to_lowercase()).unwrap_or_default();
        let likeness = |name: &str| {
            let own_last = name.rsplit('.').next().unwrap_or(name);
            let by_last = strsim::normalized_damerau_levenshtein(own_last, &last);
            let by_full = strsim::normalized_damerau_levenshtein(name, &full);
            if name.split('.').next() == full.split('.').next() {
                return by_last + by_full / 100.0; // only what comes after is misspelled
            }
            let is_campaign = name.starts_with("campaign."); // a bare `name` is a person's
            let by_full = if is_campaign && path.len() == 1 { 0.0 } else { by_full };
            // Same last word in another namespace is what people forget; the whole path decides between several.
            by_last.max(by_full) + by_full / 100.0
        };
        let names = self.names();
        let scored = names.iter().map(|name| (likeness(name), name));
        let best = scored.max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))?;
        (best.0 >= ALIKE_MIN).then(|| best.1.clone())
    }

    /// The fields that there are, where none is near: those beside it, or one of each kind.
    pub(super) fn offer(&self, path: &[&str]) -> String {
        let beside = path.first().map(|root| format!("{root}.")).unwrap_or_default();
        let names = self.names();
        let listed: Vec<&str> = names.iter().filter_map(|name| name.strip_prefix(&beside)).collect();
        if listed.is_empty() { String::new() } else { format!("; `{beside}` has {}", listed.join(", ")) }
    }

    /// Every complete name.
    fn names(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        let mut add =
            |prefix: &str, parts: &[String]| names.extend(parts.iter().map(|part| format!("{prefix}.{part}")));
        let official = with_columns(&OFFICIAL, &self.fields.official);
        add("campaign", &owned(&CAMPAIGN));
        add("constituent", &with_columns(&CONSTITUENT, &self.fields.constituent));
        if self.purpose == Purpose::Letter {
            add("official", &official);
        }
        if let Some(letter) = self.letter {
            add(letter, &owned(&LETTER));
            add(&format!("{letter}.official"), &official);
            add("loop", &owned(&LOOP));
        }
        names
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

/// The built-in names and those of the columns.
pub(super) fn with_columns(names: &[&str], columns: &BTreeSet<String>) -> Vec<String> {
    let mut all = owned(names);
    all.extend(columns.iter().map(|column| field_name(column)));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields() -> Fields {
        Fields { official: ["Party".to_owned()].into(), constituent: ["Ward number".to_owned()].into() }
    }

    #[test]
    fn built_in_names_and_columns_are_known_in_their_purpose() {
        let fields = fields();
        let letter = Scope { fields: &fields, purpose: Purpose::Letter, letter: None };
        let confirmation = Scope { fields: &fields, purpose: Purpose::Confirmation, letter: Some("l") };
        for (scope, path, target) in [
            (&letter, &["official", "name"][..], Target::Value),
            (&letter, &["official", "party"], Target::Value),
            (&letter, &["constituent", "ward_number"], Target::Value),
            (&letter, &["official"], Target::Parts),
            (&letter, &["official", "nmae"], Target::Unknown),
            (&letter, &["official", "name", "first"], Target::Unknown),
            (&letter, &["letters"], Target::Unknown),
            (&letter, &["name"], Target::Unknown),
            (&confirmation, &["letters"], Target::Letters),
            (&confirmation, &["l"], Target::Parts),
            (&confirmation, &["l", "official", "party"], Target::Value),
            (&confirmation, &["loop", "index"], Target::Value),
            (&confirmation, &["official", "name"], Target::Unknown),
        ] {
            assert_eq!(scope.target(path), target, "{path:?}");
        }
    }

    #[test]
    fn the_nearest_name_is_offered_only_when_it_is_near() {
        let fields = fields();
        let scope = Scope { fields: &fields, purpose: Purpose::Letter, letter: None };
        for (path, nearest) in [
            (&["official", "nmae"][..], Some("official.name")),
            (&["offical", "title"], Some("official.title")),
            (&["address"], Some("constituent.address")),
            (&["name"], Some("official.name")),
            (&["constituent", "wrad"], None),
            (&["constituent", "signed"], Some("constituent.signed_on")),
            (&["constituent", "zzzzzzzzzzzzzzzz"], None),
            (&["qqq"], None),
        ] {
            assert_eq!(scope.nearest(path).as_deref(), nearest, "{path:?}");
        }
    }

    #[test]
    fn where_no_name_is_near_all_are_offered() {
        let fields = fields();
        let scope = Scope { fields: &fields, purpose: Purpose::Letter, letter: None };
        assert_eq!(scope.offer(&["official", "zz"]), "; `official.` has email, jurisdiction, name, party, title");
        assert_eq!(scope.offer(&["zz"]), "");
    }

    #[test]
    fn columns_become_names_that_a_template_can_write() {
        for (column, name) in [("Ward number", "ward_number"), ("2nd line", "_2nd_line"), ("größe", "gr__e"), ("", "")]
        {
            assert_eq!(field_name(column), name);
        }
    }
}
