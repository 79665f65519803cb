//! The header line → what each column is. Every problem of the header line is found at once.
//! This file must not look at the rows below it.

use super::error::FileFault;
use super::records::Cells;
use super::settings::{ContactsSettings, MayLackKey};
use crate::model::{EmailAddress, RESERVED_FIELDS, Role, fold, printable, unprintable};

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

fn visible(header: &str) -> String {
    let is_invisible = |c: char| !c.is_whitespace() && unprintable(c.encode_utf8(&mut [0; 4])).is_some();
    let shown: String =
        header.chars().filter(|&c| !is_invisible(c)).map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
    shown.trim().to_owned()
}

/// What stands where in one file.
#[derive(Debug, Clone, Default)]
pub(super) struct Layout {
    /// The headers as they are shown; trailing columns without a header are not among them.
    pub(super) headers: Vec<String>,
    /// The columns we have no word for: where, and their keys.
    pub(super) extras: Vec<(usize, String)>,
    /// The column that joins, where there is one.
    pub(super) match_at: Option<usize>,
    /// Who may leave it empty.
    pub(super) may_lack_key: MayLackKey,
    /// Columns whose headers had invisible characters or no-break spaces.
    pub(super) cleaned: Vec<usize>,
    /// Columns that are not used, since another one was named for the same purpose, or they have no header.
    pub(super) unused: Vec<usize>,
    keys: Vec<String>,
    places: [Option<usize>; Column::ALL.len()],
    missing: usize,
}

impl Layout {
    /// Reads the header line of a file of that role; without one the file must tell roles apart by itself.
    pub(super) fn read(cells: Cells<'_>, settings: &ContactsSettings, role: Option<Role>) -> (Self, Vec<FileFault>) {
        let keys = cells.iter().map(header_key).collect();
        let mut layout = Self { keys, may_lack_key: settings.may_lack_key(role), ..Self::default() };
        layout.show(cells);
        let mut faults = Vec::new();
        if cells.iter().any(|c| EmailAddress::parse(c).is_ok()) {
            faults.push(FileFault::NoHeader);
            // An address in a cell of its own means that the cells are cut rightly: nothing else is to be tried.
            layout.missing = 1;
            return (layout, faults);
        }
        layout.find_twice(&mut faults);
        layout.place(settings);
        layout.name_extras(&mut faults);
        layout.require(settings, role, &mut faults);
        (layout, faults)
    }

    /// Where a column of ours stands.
    pub(super) fn at(&self, column: Column) -> Option<usize> {
        self.places[column as usize]
    }

    /// The header of a column as it is shown, or its number.
    pub(super) fn label(&self, index: usize) -> String {
        let header = self.headers.get(index).filter(|h| !h.is_empty());
        header.cloned().unwrap_or_else(|| format!("number {}", index + 1))
    }

    /// How many columns that must be there are not.
    pub(super) fn missing(&self) -> usize {
        self.missing
    }

    fn show(&mut self, cells: Cells<'_>) {
        self.headers = cells.iter().map(|c| printable(&visible(c), 80)).collect();
        let width = self.headers.iter().rposition(|h| !h.is_empty()).map_or(0, |last| last + 1);
        self.headers.truncate(width);
        let odd = |text: &str| {
            text.chars().any(|c| (c != ' ' && c.is_whitespace()) || unprintable(c.encode_utf8(&mut [0; 4])).is_some())
        };
        self.cleaned = cells.iter().take(width).enumerate().filter(|(_, c)| odd(c)).map(|(i, _)| i).collect();
    }

    fn find_twice(&self, faults: &mut Vec<FileFault>) {
        for (i, key) in self.keys.iter().enumerate() {
            if !key.is_empty() && self.keys[..i].contains(key) {
                let fault = FileFault::SameHeader(self.label(i));
                if !faults.contains(&fault) {
                    faults.push(fault);
                }
            }
        }
    }

    /// Gives every column of ours its place: first those that the settings name, then the rest by their own names.
    fn place(&mut self, settings: &ContactsSettings) {
        for column in Column::ALL {
            let wanted = mapped(settings, column).map(header_key).filter(|k| !k.is_empty());
            self.places[column as usize] = wanted.and_then(|w| self.keys.iter().position(|k| *k == w));
        }
        for column in Column::ALL {
            let own = self.keys.iter().position(|k| k == column.as_str());
            let free = own.filter(|at| !self.places.contains(&Some(*at)));
            let place = &mut self.places[column as usize];
            *place = place.or(free);
        }
    }

    fn name_extras(&mut self, faults: &mut Vec<FileFault>) {
        for (i, key) in self.keys.iter().enumerate().take(self.headers.len()) {
            if self.places.contains(&Some(i)) {
                continue;
            }
            if key.is_empty() || Column::parse(key).is_some() {
                self.unused.push(i);
            } else if RESERVED_FIELDS.contains(&key.as_str()) {
                faults.push(FileFault::ReservedHeader(self.label(i)));
            } else {
                self.extras.push((i, key.clone()));
            }
        }
    }

    fn require(&mut self, settings: &ContactsSettings, role: Option<Role>, faults: &mut Vec<FileFault>) {
        let wanted = |column: Column| mapped(settings, column).unwrap_or(column.as_str()).to_owned();
        let needed = [(Column::Role, role.is_none()), (Column::Name, true), (Column::Email, true)];
        let absent = needed.into_iter().filter(|&(column, needed)| needed && self.at(column).is_none());
        let mut missing: Vec<String> = absent.map(|(column, _)| wanted(column)).collect();
        let joins = Column::parse(settings.match_key());
        self.match_at = match joins {
            Some(column) => self.at(column),
            None => self.keys.iter().position(|k| *k == header_key(settings.match_key())),
        };
        // Where a postcode may do, it is enough in a file without officials.
        let is_enough = match self.may_lack_key {
            MayLackKey::Nobody => false,
            MayLackKey::ConstituentsWithPostcode => role.is_some() && self.at(Column::Postcode).is_some(),
            MayLackKey::Everybody => true,
        };
        if self.match_at.is_none() && !is_enough {
            missing.push(joins.map_or_else(|| settings.match_key().to_owned(), wanted));
        }
        self.missing = missing.len();
        let headers = self.headers.join(", ");
        faults.extend(missing.into_iter().map(|column| FileFault::MissingColumn { column, headers: headers.clone() }));
    }
}

/// The header that the settings name for a column.
fn mapped(settings: &ContactsSettings, column: Column) -> Option<&str> {
    settings
        .columns
        .iter()
        .find(|(ours, _)| Column::parse(ours) == Some(column))
        .and_then(|(_, theirs)| theirs.first())
        .map(String::as_str)
}

/// What is wrong with the settings themselves, and with headers that no file has.
pub(super) fn check_settings(settings: &ContactsSettings, layouts: &[Layout]) -> Vec<FileFault> {
    let mut faults = Vec::new();
    let mut taken: Vec<String> = Vec::new();
    let pairs = settings.columns.iter().flat_map(|(ours, theirs)| theirs.iter().map(move |header| (ours, header)));
    for (ours, theirs) in pairs {
        let wanted = header_key(theirs);
        match Column::parse(ours) {
            None => faults.push(FileFault::UnknownColumn { name: printable(ours, 80), nearest: nearest(ours) }),
            Some(column) => {
                let there = |l: &Layout| l.keys.contains(&wanted);
                if !layouts.is_empty() && !layouts.iter().any(there) {
                    faults.push(FileFault::MappedAbsent { column: column.as_str(), header: printable(theirs, 80) });
                }
            }
        }
        if taken.contains(&wanted) {
            faults.push(FileFault::MappedTwice(printable(theirs, 80)));
        }
        taken.push(wanted);
    }
    let key = header_key(settings.match_key());
    if key.is_empty() || ["role", "name", "email"].contains(&key.as_str()) {
        faults.push(FileFault::BadMatchKey(printable(settings.match_key(), 80)));
    }
    faults
}

fn nearest(name: &str) -> Option<&'static str> {
    let key = header_key(name);
    let near = Column::ALL.map(|c| (strsim::osa_distance(&key, c.as_str()), c.as_str()));
    near.into_iter().min().filter(|&(distance, _)| distance <= 2).map(|(_, name)| name)
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
