//! Officials and constituents, and the rules that make a cell a person's name.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use sha2::{Digest, Sha256};
use unicase::UniCase;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark, is_nfc};

use super::EmailAddress;

/// Columns that the program has no word for, by their folded header: usable in templates, never in a header.
pub type Extra = BTreeMap<String, String>;

/// Names that a template already gives a meaning; a column of that name would hide it.
pub const RESERVED_FIELDS: &[&str] =
    &["official", "constituent", "campaign", "letter", "letters", "loop", "self", "this", "true", "false", "none"];

const NAME_CHARS_MAX: usize = 200;
const MARKS_PER_LETTER_MAX: usize = 8;

/// Which side of a letter a person stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Receives letters.
    Official,
    /// Signs letters.
    Constituent,
}

/// A person's name in NFC, safe in a header once encoded: no control, invisible or direction-changing characters.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PersonName(Box<str>);

/// Why a text is not a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing there.
    #[error("there is no name; fill it in")]
    Empty,
    /// Line breaks and the like, which could forge a header.
    #[error("it has a line break or control character; keep the name on one line")]
    Control,
    /// Zero-width or direction-changing characters.
    #[error("it has invisible characters; type it again by hand")]
    Invisible,
    /// Letters buried under marks.
    #[error("it has more than 8 marks on one letter; type it again by hand")]
    Marks,
    /// Longer than 200 characters.
    #[error("it is longer than 200 characters; is it in the right column?")]
    TooLong,
}

impl PersonName {
    /// Parses a cell: trims, makes runs of spaces one, normalises to NFC, refuses what could mislead a reader or a mail
    /// program.
    pub fn parse(input: &str) -> Result<Self, NameError> {
        let input = input.trim();
        if input.is_empty() {
            return Err(NameError::Empty);
        }
        if input.chars().any(char::is_control) {
            return Err(NameError::Control);
        }
        if input.chars().any(is_unprintable) {
            return Err(NameError::Invisible);
        }
        if has_too_many_marks(input) {
            return Err(NameError::Marks);
        }
        // Two spaces in a row are a slip of the pen, and mail programs show one.
        let words: Vec<&str> = input.split(' ').filter(|word| !word.is_empty()).collect();
        let name = words.join(" ");
        let name = if name.is_ascii() { name } else { name.nfc().collect() };
        if name.chars().count() > NAME_CHARS_MAX {
            return Err(NameError::TooLong);
        }
        Ok(Self(name.into_boxed_str()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn has_too_many_marks(name: &str) -> bool {
    let mut marks = 0;
    !name.is_ascii()
        && name.nfd().any(|c| {
            marks = if is_combining_mark(c) { marks + 1 } else { 0 };
            marks > MARKS_PER_LETTER_MAX
        })
}

impl fmt::Display for PersonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Masked, because debug output ends in logs.
impl fmt::Debug for PersonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}***", self.0.chars().next().unwrap_or('*'))
    }
}

/// Who a letter is addressed to.
#[derive(Clone, PartialEq, Eq)]
pub struct Official {
    /// `Mayor`, `Councillor`, …; may be empty.
    pub title: String,
    /// Their name.
    pub name: PersonName,
    /// Where letters go; without one their letters wait as `held`.
    pub mailbox: Option<EmailAddress>,
    /// The key that joins constituents to them, as written in the file.
    pub jurisdiction: String,
    /// Unknown columns.
    pub extra: Extra,
}

/// Who signed.
#[derive(Clone, PartialEq, Eq)]
pub struct Constituent {
    /// `Ms`, `Dr`, …; may be empty.
    pub title: String,
    /// Their name.
    pub name: PersonName,
    /// Where answers and the confirmation go.
    pub mailbox: EmailAddress,
    /// The key that joins them to officials, as written in the file.
    pub jurisdiction: String,
    /// Postal address: the proof of constituency.
    pub address: String,
    /// Postcode, as text: leading zeros count.
    pub postcode: String,
    /// Date of signing, as written in the file.
    pub signed_on: String,
    /// The constituent's own words.
    pub note: String,
    /// Unknown columns.
    pub extra: Extra,
}

/// What makes two rows the same person: mailbox and name together (a couple may share one mailbox).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PersonKey(pub [u8; 16]);

impl PersonKey {
    fn of(parts: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        let mut key = [0; 16];
        key.copy_from_slice(&hash.finalize()[..16]);
        Self(key)
    }
}

impl Official {
    /// Jurisdiction, name and mailbox: an official of two jurisdictions is two rows, and gets letters for both.
    pub fn key(&self) -> PersonKey {
        let mailbox = self.mailbox.as_ref().map(EmailAddress::key).unwrap_or_default();
        PersonKey::of(&["official", &mailbox, &fold(self.name.as_str()), &fold(&self.jurisdiction), &fold(&self.title)])
    }

    /// Title and name, as people say it.
    pub fn salutation(&self) -> String {
        if self.title.is_empty() { self.name.to_string() } else { format!("{} {}", self.title, self.name) }
    }
}

impl Constituent {
    /// Mailbox and name.
    pub fn key(&self) -> PersonKey {
        PersonKey::of(&["constituent", &self.mailbox.key(), &fold(self.name.as_str())])
    }
}

impl fmt::Debug for Official {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Official").field("name", &self.name).field("mailbox", &self.mailbox).finish_non_exhaustive()
    }
}

impl fmt::Debug for Constituent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Constituent").field("name", &self.name).field("mailbox", &self.mailbox).finish_non_exhaustive()
    }
}

/// Trims, folds case by Unicode's full rules, composes (NFC) and makes runs of white space one space.
///
/// Two texts with the same fold are the same word to a person; nothing that only resembles folds together.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return words(text).to_ascii_lowercase(); // composed as it is
    }
    let composed: String = text.nfc().collect();
    words(&UniCase::unicode(composed).to_folded_case()).nfc().collect()
}

/// The words of a text with one space between them.
fn words(text: &str) -> String {
    let mut words = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(word);
    }
    words
}

/// The text in Unicode's composed form (NFC); borrowed when it is in that form already.
pub fn compose(text: &str) -> Cow<'_, str> {
    if is_nfc(text) { Cow::Borrowed(text) } else { Cow::Owned(text.nfc().collect()) }
}

/// The first character that a reader cannot see or that changes what they see, if there is one.
/// Line breaks and tabs are for the caller to judge.
pub fn unprintable(text: &str) -> Option<char> {
    text.chars().find(|&c| !matches!(c, '\n' | '\r' | '\t') && is_unprintable(c))
}

/// Control characters, zero-width characters, byte-order marks, bidi overrides and isolates, line separators,
/// and the Unicode tags. ZWJ and ZWNJ are allowed through only by scripts that need them, which names in a
/// header do not.
pub(super) fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_people_have_are_accepted_unchanged() {
        let long = "x".repeat(200);
        for name in [
            "Doe, Jane",
            "Smith (Jr.)",
            "\"Bob\"",
            "O'Neil",
            "Cher",
            &long,
            "Zoë 🎈",
            "محمد",
            "{{ config }}",
            "<script>",
        ] {
            assert_eq!(PersonName::parse(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn decomposed_names_are_composed_and_runs_of_spaces_become_one() {
        assert_eq!(PersonName::parse("Zoe\u{308}").unwrap().as_str(), "Zo\u{eb}");
        assert_eq!(PersonName::parse(" Ana   Lee ").unwrap().as_str(), "Ana Lee");
    }

    #[test]
    fn text_is_copied_only_when_it_must_be_composed() {
        assert!(matches!(compose("Zo\u{eb}"), Cow::Borrowed("Zo\u{eb}")));
        assert_eq!(compose("Zoe\u{308}"), "Zo\u{eb}");
    }

    #[test]
    fn names_that_could_mislead_are_refused() {
        let zalgo = format!("a{}", "\u{301}".repeat(9));
        for name in [
            "",
            " ",
            "A\r\nBcc: x@evil.example",
            "A\0B",
            "a\u{202e}b",
            "a\u{200b}b",
            "\u{2066}x",
            &zalgo,
            &"x".repeat(201),
        ] {
            assert!(PersonName::parse(name).is_err(), "{name:?} was accepted");
        }
    }

    #[test]
    fn folding_ignores_case_form_and_spaces_and_nothing_else() {
        assert_eq!(fold("  St.  CHARLES "), fold("st. charles"));
        assert_eq!(fold("Köln"), fold("KO\u{308}LN"));
        assert_eq!(fold("Weiß"), fold("WEISS"));
        assert_ne!(fold("St. Charles"), fold("Saint Charles"));
        assert_ne!(fold("La Grange"), fold("LaGrange"));
        assert_ne!(fold("O'Fallon"), fold("O\u{2019}Fallon"));
    }

    #[test]
    fn a_couple_with_one_mailbox_is_two_people() {
        let person = |name| crate::model::sample::constituent(name, "both@x.example");
        assert_ne!(person("Ana").key(), person("Ben").key());
        assert_eq!(person("Ana").key(), person(" ANA ").key());
    }
}
