//! What the user can say about contact files. Other modules fill this in; it must not read anything itself.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::model::Role;

/// Where the contacts are and how to read them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactsSettings {
    /// The files, in the order in which they are read.
    pub files: Vec<ContactsFile>,
    /// Our name of a column → the header that the files give it. Headers are compared without case, spaces and
    /// punctuation. A file that lacks the mapped header may use our name instead.
    pub columns: BTreeMap<String, String>,
    /// The column that joins constituents to officials.
    pub match_key: String,
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
        Self { files, columns: BTreeMap::new(), match_key: "jurisdiction".to_owned() }
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
