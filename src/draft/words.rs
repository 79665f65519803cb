//! What the words on a blank or beside it mean: `Printed name` is a name, `ZIP` a postcode. It knows words, no places.

use super::fields::Field;
use super::vocabulary::{CONSTITUENTS, FIRST_OF_TWO, LABELS, NOISE};
pub(super) use super::vocabulary::{Meaning, OFFICIALS};
use Meaning::{
    Address, Area, Campaign, Date, Email, FirstName, Jurisdiction, LastName, Locality, Name, NoField, Note, Postcode,
    Title,
};

/// Whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    Official,
    Constituent,
}

/// A label that was understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Label {
    pub(super) meaning: Meaning,
    pub(super) owner: Option<Owner>,
}

/// The words of a label: small, without punctuation, `FirstName` as two.
pub(super) fn tokens(text: &str) -> Vec<String> {
    let mut spaced = String::with_capacity(text.len() + 4);
    let mut before = ' ';
    for c in text.chars() {
        if before.is_lowercase() && c.is_uppercase() {
            spaced.push(' ');
        }
        match c {
            '\'' | '’' => {}
            c if c.is_alphanumeric() => spaced.extend(c.to_lowercase()),
            _ => spaced.push(' '),
        }
        before = c;
    }
    spaced.split_whitespace().map(str::to_owned).collect()
}

/// Understands a label, or does not.
pub(super) fn label(text: &str) -> Option<Label> {
    if text.len() > 120 {
        return None;
    }
    let all = tokens(text);
    if all.is_empty() || all.len() > 8 {
        return None;
    }
    let mut owner = None;
    let mut rest: Vec<&str> = Vec::new();
    for word in &all {
        let word = word.as_str();
        if OFFICIALS.contains(&word) || word == "council" {
            owner = Some(Owner::Official);
        } else if CONSTITUENTS.contains(&word) || (word == "your" && owner.is_none()) {
            owner = Some(Owner::Constituent);
        } else if !NOISE.contains(&word) {
            rest.push(word);
        }
    }
    let is_order = rest.len() == 1 && all.len() > 1 && matches!(rest[0], "first" | "last"); // `in the last ____ years`
    let rest = if is_order { String::new() } else { rest.join(" ") };
    let whole = all.join(" ");
    let find = |words: &str| LABELS.iter().find(|(_, names)| names.contains(&words)).map(|(meaning, _)| *meaning);
    if let Some(meaning) = find(&whole).or_else(|| find(&rest)) {
        return Some(Label { meaning, owner });
    }
    (rest.is_empty() && owner == Some(Owner::Official)).then_some(Label { meaning: Name, owner })
}

/// The field that a label means for this person.
pub(super) fn field(meaning: Meaning, owner: Owner) -> Option<Field> {
    let path = match (owner, meaning) {
        (_, Campaign) => "campaign.name",
        (Owner::Official, Name | FirstName | LastName) => "official.name",
        (Owner::Official, Jurisdiction | Area | Locality) => "official.jurisdiction",
        (Owner::Official, Email) => "official.email",
        (Owner::Official, Title) => "official.title",
        (_, NoField) | (Owner::Official, Address | Postcode | Note) => return None,
        (_, Date) => "constituent.signed_on",
        (Owner::Constituent, Name | FirstName | LastName) => "constituent.name",
        (Owner::Constituent, Jurisdiction | Area) => "constituent.jurisdiction",
        (Owner::Constituent, Locality) => "constituent.jurisdiction constituent.postcode",
        (Owner::Constituent, Email) => "constituent.email",
        (Owner::Constituent, Title) => "constituent.title",
        (Owner::Constituent, Address) => "constituent.address",
        (Owner::Constituent, Postcode) => "constituent.postcode",
        (Owner::Constituent, Note) => "constituent.note",
    };
    Some(Field::of(path))
}

/// Whose it is when nothing says so: officials have no postcode, and do not sign.
pub(super) fn owner_by_meaning(meaning: Meaning) -> Option<Owner> {
    match meaning {
        Email | Address | Postcode | Locality | Date | Note => Some(Owner::Constituent),
        _ => None,
    }
}

/// The title that a text ends with, as in `Dear Mayor`: where it begins. A title of two words is taken whole, and so
/// are `Senator/Representative` and `Alcalde(sa)`.
pub(super) fn title_at_end(text: &str) -> Option<usize> {
    let trimmed = text.trim_end();
    let trimmed = ["(a)", "(sa)", "/a", "/sa"].iter().find_map(|end| trimmed.strip_suffix(end)).unwrap_or(trimmed);
    let last = start_of_last_word(trimmed.trim_end_matches('.'));
    let word = trimmed[last..].trim_end_matches('.').to_lowercase();
    let first = start_of_last_word(trimmed[..last].trim_end());
    let before = trimmed[first..last].trim_end().to_lowercase();
    let is_long = FIRST_OF_TWO.contains(&before.as_str());
    let names_a_person = ["recipient", "addressee", "target", "official", "officials"].contains(&word.as_str());
    let is_title = OFFICIALS.contains(&word.as_str()) && !names_a_person;
    let start = match (is_title, is_long) {
        (true, true) => first,
        (true, false) => last,
        (false, true) if word == "member" => first,
        (false, _) => return None,
    };
    match trimmed[..start].strip_suffix('/') {
        Some(before) => title_at_end(before).or(Some(start)),
        None => Some(start),
    }
}

fn start_of_last_word(text: &str) -> usize {
    let before = text.trim_end_matches(char::is_alphanumeric);
    before.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_understood() {
        for (text, meaning, owner) in [
            ("name", Name, None),
            ("Printed Name:", Name, None),
            ("Your Name Here", Name, Some(Owner::Constituent)),
            ("FNAME", FirstName, None),
            ("FirstName", FirstName, None),
            ("Mayor's name", Name, Some(Owner::Official)),
            ("Recipient", Name, Some(Owner::Official)),
            ("ZIP", Postcode, None),
            ("City, State, ZIP", Locality, None),
            ("insert date", Date, None),
            ("Today’s date", Date, None),
            ("name of your city", Jurisdiction, Some(Owner::Constituent)),
            ("correo electrónico", Email, None),
            ("My name is", Name, Some(Owner::Constituent)),
        ] {
            assert_eq!(label(text), Some(Label { meaning, owner }), "{text}");
        }
        for text in ["", "sic", "1", "the name we gave it", "emphasis added", "x"] {
            assert_eq!(label(text), None, "{text}");
        }
    }

    #[test]
    fn a_title_before_a_blank_is_found_whole() {
        for (text, title) in [
            ("Dear Mayor ", Some("Mayor")),
            ("Dear Village President ", Some("Village President")),
            ("To Council Member", Some("Council Member")),
            ("é Alcaldesa ", Some("Alcaldesa")),
            ("Sen. ", Some("Sen.")),
            ("Dear Senator/Representative ", Some("Senator/Representative")),
            ("Estimado(a) Alcalde(sa) ", Some("Alcalde(sa)")),
            ("Dear ", None),
            ("family member ", None),
        ] {
            assert_eq!(title_at_end(text).map(|at| text[at..].trim()), title, "{text}");
        }
    }
}
