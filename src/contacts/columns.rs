//! The columns that the program has a word for, and how headers are compared.
//! This file must not know of files.

use crate::model::{fold, unprintable};

/// The columns that the program has a word for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Column {
    /// `official` or `constituent`.
    Role,
    /// `Mayor`, `Dr`, …
    Title,
    /// The person's name.
    Name,
    /// Their address.
    Email,
    /// What joins constituents to officials.
    Jurisdiction,
    /// Postal address.
    Address,
    /// Postcode.
    Postcode,
    /// Date of signing.
    SignedOn,
    /// The person's own words.
    Note,
}

impl Column {
    /// All of them, in the order of the sample file.
    pub const ALL: [Self; 9] = [
        Self::Role,
        Self::Title,
        Self::Name,
        Self::Email,
        Self::Jurisdiction,
        Self::Address,
        Self::Postcode,
        Self::SignedOn,
        Self::Note,
    ];

    /// Its header, and its name in templates.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Role => "role",
            Self::Title => "title",
            Self::Name => "name",
            Self::Email => "email",
            Self::Jurisdiction => "jurisdiction",
            Self::Address => "address",
            Self::Postcode => "postcode",
            Self::SignedOn => "signed_on",
            Self::Note => "note",
        }
    }

    /// What it holds, for a sentence.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Role => "who is an official and who a constituent",
            Self::Title => "the title",
            Self::Name => "the name",
            Self::Email => "the e-mail address",
            Self::Jurisdiction => "the town, ward or district",
            Self::Address => "the postal address",
            Self::Postcode => "the postcode",
            Self::SignedOn => "the date of signing",
            Self::Note => "the person's own words",
        }
    }

    /// Whether it stands in one column of a file only: what is put together is no address, and no role.
    pub fn is_undivided(self) -> bool {
        matches!(self, Self::Email | Self::Role)
    }

    /// What stands between the parts of a cell that is put together from several.
    pub(super) fn separator(self) -> &'static str {
        if self == Self::Address { ", " } else { " " }
    }

    /// The column of that name; case, spaces and punctuation do not count.
    pub fn parse(name: &str) -> Option<Self> {
        let key = header_key(name);
        Self::ALL.into_iter().find(|c| c.as_str() == key)
    }
}

/// A header as a template can name it: folded, invisible characters dropped, everything else that is neither
/// letter nor digit an underscore. Two headers of one key are the same header.
pub(super) fn header_key(header: &str) -> String {
    let mut key = String::new();
    for c in fold(&visible(header)).chars() {
        if c.is_alphanumeric() {
            key.push(c);
        } else if !key.is_empty() && !key.ends_with('_') {
            key.push('_');
        }
    }
    key.truncate(key.trim_end_matches('_').len());
    if key.starts_with(char::is_numeric) {
        key.insert(0, '_');
    }
    key
}

/// A header without invisible characters, and without white space around it.
pub(super) fn visible(header: &str) -> String {
    let is_invisible = |c: char| !c.is_whitespace() && unprintable(c.encode_utf8(&mut [0; 4])).is_some();
    let shown: String =
        header.chars().filter(|&c| !is_invisible(c)).map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
    shown.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_become_names_that_templates_can_use() {
        for (header, key) in [
            (" Signed  On ", "signed_on"),
            ("\u{feff}EMAIL\u{a0}", "email"),
            ("E-mail", "e_mail"),
            ("Ward (No.)", "ward_no"),
            ("2nd choice", "_2nd_choice"),
            ("Stra\u{df}e", "strasse"),
            ("Pre\u{301}nom", "pr\u{e9}nom"),
            ("???", ""),
        ] {
            assert_eq!(header_key(header), key, "{header}");
        }
    }

    #[test]
    fn every_column_of_ours_is_found_by_its_name() {
        for column in Column::ALL {
            assert_eq!(Column::parse(column.as_str()), Some(column));
            assert_eq!(Column::ALL[column as usize], column, "places are kept in this order");
        }
        assert_eq!(Column::parse("ward"), None);
    }
}
