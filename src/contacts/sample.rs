//! The first rows of a file, and what its columns look like by them: evidence for a person who decides which
//! column is which. This file must not decide anything.

use std::collections::BTreeSet;

use super::columns::Column;
use super::error::FileProblem;
use super::known_headers::RoleWord;
use super::layout::Layout;
use super::records::Record;
use super::settings::{ContactsFile, ContactsSettings};
use super::table::Table;
use crate::model::{EmailAddress, PersonName, fold, printable};

/// How many rows are looked at.
const ROWS_MAX: usize = 300;
/// How many values of a column are shown, and how much of each.
const SHOWN_MAX: usize = 3;
const SHOWN_CHARS_MAX: usize = 18;
/// How much of a cell is kept: no address is longer.
const CELL_CHARS_MAX: usize = 300;

/// The first rows that are not blank. Personal data.
pub(super) struct Sample {
    pub(super) layout: Layout,
    pub(super) name: std::sync::Arc<str>,
    pub(super) rows: Vec<Vec<String>>,
}

impl Sample {
    /// Opens a file and reads so much of it.
    pub(super) fn read(file: &ContactsFile, settings: &ContactsSettings) -> Result<Self, FileProblem> {
        let mut table = Table::open(file, settings)?;
        let (mut rows, mut record) = (Vec::new(), Record::default());
        while rows.len() < ROWS_MAX && table.read(&mut record)? {
            let cells = table.cells(&record)?;
            if !cells.is_blank() {
                rows.push(cells.iter().map(|c| c.trim().chars().take(CELL_CHARS_MAX).collect()).collect());
            }
        }
        Ok(Self { layout: table.layout, name: table.name, rows })
    }

    /// The first different values of a column that is put together from these places, fit to be shown.
    pub(super) fn values(&self, places: &[usize]) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for text in self.texts(places).filter(|t| !t.is_empty()) {
            let shown = printable(&text, SHOWN_CHARS_MAX);
            if !found.contains(&shown) {
                found.push(shown);
            }
            if found.len() == SHOWN_MAX {
                break;
            }
        }
        found
    }

    /// In how many rows the cell is filled, and in how many of these it is what such a column holds.
    pub(super) fn evidence(
        &self,
        column: Column,
        places: &[usize],
        jurisdictions: &BTreeSet<String>,
    ) -> (usize, usize) {
        let fits = |text: &String| match column {
            Column::Email => EmailAddress::parse(text).is_ok(),
            Column::Name => looks_like_a_name(text),
            Column::Role => RoleWord::of(&fold(text)).is_some(),
            Column::Jurisdiction => jurisdictions.contains(&fold(text)),
            Column::Title | Column::Address | Column::Postcode | Column::SignedOn | Column::Note => true,
        };
        let filled: Vec<String> = self.texts(places).filter(|t| !t.is_empty()).collect();
        (filled.len(), filled.iter().filter(|t| fits(t)).count())
    }

    /// The folded values of a column.
    pub(super) fn folded(&self, places: &[usize]) -> BTreeSet<String> {
        self.texts(places).map(|t| fold(&t)).filter(|t| !t.is_empty()).collect()
    }

    fn texts(&self, places: &[usize]) -> impl Iterator<Item = String> {
        self.rows.iter().map(move |row| {
            let cells = places.iter().filter_map(|&at| row.get(at)).filter(|c| !c.is_empty());
            cells.map(String::as_str).collect::<Vec<_>>().join(" ")
        })
    }
}

/// Two to five words without digits, each as people write names.
fn looks_like_a_name(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    let is_capital = |w: &str| w.chars().find(|c| c.is_alphabetic()).is_some_and(|c| !c.is_lowercase());
    let is_sound = !text.contains(|c: char| c.is_numeric() || matches!(c, '@' | '/' | '!' | '?'));
    (2..=5).contains(&words.len()) && is_sound && words.iter().any(|w| is_capital(w)) && PersonName::parse(text).is_ok()
}
