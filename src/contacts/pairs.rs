//! A small file beside the contacts: two columns, a pair in each line. Any form that a contact file may have.
//! Every bad line is told. This file must not know what the pairs are for.

use std::path::Path;
use std::sync::Arc;

use super::error::{FileFault, FileProblem};
use super::layout::Layout;
use super::problem::Note;
use super::records::{Flaw, Record};
use super::safe_csv::armed;
use super::settings::{ContactsFile, ContactsSettings};
use super::table::Table;
use crate::model::{Role, printable, unprintable};

const CELL_CHARS_MAX: usize = 200;

/// One line.
pub(super) struct Pair {
    pub(super) line: u64,
    pub(super) left: String,
    pub(super) right: String,
}

/// What such a file holds, as far as it is in order.
pub(super) struct Pairs {
    /// The file as it was named.
    pub(super) name: Arc<str>,
    pub(super) listed: Vec<Pair>,
    pub(super) faults: Vec<FileProblem>,
    pub(super) notes: Vec<Note>,
    pub(super) form: Form,
}

/// How its lines are written, for adding more.
#[derive(Clone, Copy)]
pub(super) struct Form {
    pub(super) delimiter: u8,
    pub(super) width: usize,
    pub(super) left: usize,
    pub(super) right: usize,
}

/// A column to look for: what it is called, and how it is told from others.
pub(super) struct Wanted<'a> {
    pub(super) name: &'static str,
    pub(super) find: &'a dyn Fn(&Layout) -> Option<usize>,
    pub(super) may_be_empty: bool,
}

/// Reads such a file. Lines that begin with `#` are staff's own notes.
pub(super) fn read(path: &Path, wanted: &[Wanted<'_>; 2]) -> Result<Pairs, FileProblem> {
    let plain = ContactsSettings::new(Vec::new());
    let mut table = Table::open(&ContactsFile::of(Role::Constituent, path), &plain)?;
    // It lists nobody, so the columns of people are not missed.
    let about_form = |fault: &FileFault| {
        matches!(fault, FileFault::BadHeader(_) | FileFault::TooManyColumns { .. } | FileFault::SameHeader(_))
    };
    let faults: Vec<FileProblem> = table.faults.drain(..).filter(|p| about_form(&p.fault)).collect();
    let [left, right] = wanted.each_ref().map(|column| (column.find)(&table.layout));
    let (Some(left), Some(right)) = (left, right) else {
        let fault = FileFault::PairColumns {
            left: wanted[0].name,
            right: wanted[1].name,
            headers: table.layout.headers.join(", "),
        };
        return Err(fault.at(&table.name, None));
    };
    let form = Form { delimiter: table.delimiter, width: table.layout.headers.len(), left, right };
    let mut pairs = Pairs { name: Arc::clone(&table.name), listed: Vec::new(), faults, notes: table.notes(), form };
    let mut record = Record::default();
    while table.read(&mut record)? {
        let cells = table.cells(&record)?;
        if cells.is_blank() || cells.get(0).trim_start().starts_with('#') {
            continue;
        }
        let (left, right) = (armed(cells.get(left).trim()), armed(cells.get(right).trim()));
        let labels = [table.layout.label(form.left), table.layout.label(form.right)];
        let may_be_empty = wanted.each_ref().map(|column| column.may_be_empty);
        match fault_of(&record.flaws, [left, right], may_be_empty, labels) {
            Some(fault) => pairs.faults.push(fault.at(&table.name, Some(record.line))),
            None => pairs.listed.push(Pair { line: record.line, left: left.to_owned(), right: right.to_owned() }),
        }
    }
    Ok(pairs)
}

fn fault_of(flaws: &[Flaw], cells: [&str; 2], may_be_empty: [bool; 2], labels: [String; 2]) -> Option<FileFault> {
    if !flaws.is_empty() {
        return Some(FileFault::BadPair("its quotation marks or its length".to_owned()));
    }
    cells.into_iter().zip(may_be_empty).zip(labels).find_map(|((cell, may_be_empty), label)| {
        if cell.is_empty() {
            return (!may_be_empty).then_some(FileFault::HalfPair { column: label });
        }
        let is_odd = cell.contains(['\n', '\r', '\t']) || unprintable(cell).is_some();
        let is_long = cell.len() > CELL_CHARS_MAX && cell.chars().count() > CELL_CHARS_MAX;
        (is_odd || is_long).then(|| FileFault::BadPair(format!("{label} “{}”", printable(cell, 40))))
    })
}
