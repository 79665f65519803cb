//! A first look at a contact file that nobody has described yet: what its columns are taken for, what is not
//! certain, and whom it seems to list. It reads the first rows only and must not refuse for what is missing.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use super::columns::Column;
use super::doubts;
use super::error::ContactsError;
use super::known_headers::RoleWord;
use super::question::Question;
use super::sample::Sample;
use super::settings::{ContactsFile, ContactsSettings, Reading};
use crate::model::{Role, fold};

/// What a first look shows.
#[derive(Debug)]
pub struct Glance {
    /// Every column that has a header, in the order of the file.
    pub columns: Vec<Seen>,
    /// Whether a column tells officials and constituents apart.
    pub has_role_column: bool,
    /// The roles in that column, among the first rows.
    pub roles: Vec<Role>,
    /// Whom the file seems to list, when it has no such column, and why; for a person to confirm.
    pub guessed: Option<(Role, String)>,
    /// What is not certain. Without a role column it depends on whom the file lists: see [`glance_as`].
    pub questions: Vec<Question>,
}

/// One column.
pub struct Seen {
    /// As a template's name for it is made of.
    pub key: String,
    /// The first different values, cut. Personal data.
    pub values: Vec<String>,
    /// What it is taken for.
    pub column: Option<Column>,
}

/// Without values, because debug output ends in logs.
impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seen").field("column", &self.column).finish_non_exhaustive()
    }
}

/// Looks at a file alone: by its role column where it has one, otherwise as what it seems to list.
pub fn glance(path: &Path, reading: &Reading) -> Result<Glance, ContactsError> {
    let settings = |role| {
        let file = ContactsFile { path: path.to_owned(), role };
        ContactsSettings { reading: reading.clone(), ..ContactsSettings::new(vec![file]) }
    };
    let open = settings(None);
    let sample = read(&open.files[0], &open)?;
    if sample.layout.at(Column::Role).is_some() {
        return Ok(look(&sample, &BTreeSet::new()));
    }
    let guessed = guess(&sample);
    let known = settings(guessed.as_ref().map(|(role, _)| *role));
    Ok(Glance { guessed, has_role_column: false, roles: Vec::new(), ..glance_as(&known.files[0], &known)? })
}

/// Looks at a file as one of those that the settings name, so that what was answered already counts and the
/// officials' jurisdictions help to find the constituents'.
pub fn glance_as(file: &ContactsFile, settings: &ContactsSettings) -> Result<Glance, ContactsError> {
    let jurisdictions = doubts::jurisdictions(settings);
    Ok(look(&read(file, settings)?, &jurisdictions))
}

fn read(file: &ContactsFile, settings: &ContactsSettings) -> Result<Sample, ContactsError> {
    Sample::read(file, settings).map_err(|problem| ContactsError::Refused(vec![problem]))
}

fn look(sample: &Sample, jurisdictions: &BTreeSet<String>) -> Glance {
    let layout = &sample.layout;
    let taken_for = |at: usize| Column::ALL.into_iter().find(|&c| layout.places(c).contains(&at));
    let seen = |at: usize| Seen { key: layout.keys[at].clone(), values: sample.values(&[at]), column: taken_for(at) };
    let filled = (0..layout.headers.len()).filter(|&at| !layout.headers[at].is_empty());
    let words = sample.folded(layout.places(Column::Role));
    let role = |role| words.iter().filter_map(|w| RoleWord::of(w)).any(|w| w.role == role);
    Glance {
        columns: filled.map(seen).collect(),
        has_role_column: layout.at(Column::Role).is_some(),
        roles: [Role::Official, Role::Constituent].into_iter().filter(|r| role(*r)).collect(),
        guessed: None,
        questions: layout.doubts.iter().filter_map(|d| Question::about(d, sample, jurisdictions)).collect(),
    }
}

/// Officials are few to a place and have offices; constituents sign on a day and live at an address.
fn guess(sample: &Sample) -> Option<(Role, String)> {
    let layout = &sample.layout;
    let offices = |at: &usize| {
        let words = sample.folded(&[*at]);
        let is_office = |w: &&String| RoleWord::of(w).is_some_and(|w| w.is_title);
        words.iter().find(is_office).cloned()
    };
    let office = (0..layout.headers.len()).find_map(|at| Some((layout.label(at), offices(&at)?)));
    if let Some((header, office)) = office {
        return Some((Role::Official, format!("the column “{header}” has “{office}”")));
    }
    let word = |at: usize| {
        ["mayor", "official", "councillor", "council_member"].iter().find(|w| layout.keys[at].starts_with(**w))
    };
    if let Some(at) = (0..layout.headers.len()).find(|&at| word(at).is_some()) {
        return Some((Role::Official, format!("there is a column “{}”", layout.label(at))));
    }
    for column in [Column::SignedOn, Column::Note, Column::Postcode, Column::Address] {
        if let Some(at) = layout.at(column) {
            return Some((Role::Constituent, format!("there is a column “{}”", layout.label(at))));
        }
    }
    let places = layout.places(Column::Jurisdiction);
    let (rows, different) = (sample.evidence(Column::Note, places, &BTreeSet::new()).0, sample.folded(places).len());
    if rows >= 3 && different * 2 < rows {
        return Some((Role::Constituent, "many people share a jurisdiction".to_owned()));
    }
    let all_alike = (0..layout.headers.len()).find(|&at| fold(&layout.headers[at]).contains("sign"));
    all_alike.map(|at| (Role::Constituent, format!("there is a column “{}”", layout.label(at))))
}
