//! What the user can say about contact files. Other modules fill this in; it must not read anything itself.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::model::{Marks, Role};

/// About a page.
pub const NOTE_CHARS_MAX: usize = 2_000;

/// Where the contacts are and how to read them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactsSettings {
    /// The files, in the order in which they are read.
    pub files: Vec<ContactsFile>,
    /// Our name of a column → the header that the files give it; several headers are put together with a space,
    /// as first and last name. Headers are compared without case, spaces and punctuation. A file that lacks the
    /// mapped header may use our name instead.
    pub columns: BTreeMap<String, Vec<String>>,
    /// Whom constituents write to.
    pub joining: Joining,
    /// A file of two columns, `written` and `means`: jurisdictions as constituents write them, and as officials
    /// do. It need not be there.
    pub aliases: Option<PathBuf>,
    /// A file of two columns, `postcode` and `jurisdiction`.
    pub postcodes: Option<PathBuf>,
    /// How to read the files, where staff say so.
    pub reading: Reading,
    /// How long somebody's own words may be.
    pub note_chars_max: usize,
    /// Columns without a word of ours that a letter uses, by their keys: a formula's error in one of them is no
    /// value.
    pub used: BTreeSet<String>,
    /// People who were erased: nothing comes of their rows.
    pub left_out: Marks,
}

/// Whom constituents write to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Joining {
    /// Those officials who have the same in this column.
    Equal(String),
    /// Every official.
    All,
}

/// What staff say about the form of files; what they do not say is found out, file by file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// The label of an encoding, as in `windows-1252`.
    pub encoding: Option<String>,
    /// What separates cells.
    pub delimiter: Option<char>,
    /// The sheet of a spreadsheet; otherwise its first.
    pub sheet: Option<String>,
}

/// Who may leave the cell that joins empty.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum MayLackKey {
    #[default]
    Nobody,
    /// Their postcode joins them.
    ConstituentsWithPostcode,
    Everybody,
}

/// One contact file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactsFile {
    /// Where it is.
    pub path: PathBuf,
    /// Whom it lists, when it has no `role` column of its own.
    pub role: Option<Role>,
}

impl ContactsSettings {
    /// The usual settings for these files: no mapped columns, joined by jurisdiction.
    pub fn new(files: Vec<ContactsFile>) -> Self {
        Self {
            files,
            columns: BTreeMap::new(),
            joining: Joining::Equal("jurisdiction".to_owned()),
            aliases: None,
            postcodes: None,
            reading: Reading::default(),
            note_chars_max: NOTE_CHARS_MAX,
            used: BTreeSet::new(),
            left_out: Marks::default(),
        }
    }
}

impl ContactsSettings {
    /// The column that joins constituents to officials.
    pub(super) fn match_key(&self) -> &str {
        match &self.joining {
            Joining::Equal(column) => column,
            Joining::All => "jurisdiction",
        }
    }

    /// Who, in a file of people of that role, may leave the cell that joins empty.
    pub(super) fn may_lack_key(&self, role: Option<Role>) -> MayLackKey {
        match (&self.joining, role) {
            (Joining::All, _) => MayLackKey::Everybody,
            (Joining::Equal(_), None | Some(Role::Constituent)) if self.postcodes.is_some() => {
                MayLackKey::ConstituentsWithPostcode
            }
            _ => MayLackKey::Nobody,
        }
    }
}

impl ContactsFile {
    /// A file whose `role` column tells officials and constituents apart.
    pub fn with_role_column(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), role: None }
    }

    /// A file that lists people of one role only.
    pub fn of(role: Role, path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), role: Some(role) }
    }
}
