//! One contact file as a table: its header line understood, its rows still to come.
//! Both readings of a file go through here, so that they see the same. This file must not judge a row.

use std::sync::Arc;

use super::columns::Layout;
use super::error::{FileFault, FileProblem};
use super::problem::{Note, NoteKind};
use super::records::{Broken, COLUMNS_MAX, Cells, Flaw, Record, Records};
use super::settings::{ContactsFile, ContactsSettings};
use super::source::{Fingerprint, Source};
use crate::model::{Role, printable};

/// An open contact file.
pub(super) struct Table {
    /// The file as it was named.
    pub(super) name: Arc<str>,
    /// Whom it lists, when it has no role column.
    pub(super) role: Option<Role>,
    pub(super) layout: Layout,
    /// How long somebody's own words may be.
    pub(super) note_chars_max: usize,
    /// What is wrong with its header line; the rows are not worth reading then.
    pub(super) faults: Vec<FileProblem>,
    delimiter: u8,
    records: Records<Source>,
}

impl Table {
    /// Opens a file and reads its header line.
    pub(super) fn open(file: &ContactsFile, settings: &ContactsSettings) -> Result<Self, FileProblem> {
        let name: Arc<str> = printable(&file.path.display().to_string(), 200).into();
        let whole = |fault: FileFault| fault.at(&name, None);
        let mut source = Source::open(&file.path).map_err(whole)?;
        let needs_role = file.role.is_none();
        let delimiter = match source.delimiter {
            Some(delimiter) => delimiter,
            None => guess_delimiter(source.head().map_err(|e| whole(e.into()))?, settings, needs_role),
        };
        let line = source.line;
        let mut records = Records::new(source, delimiter, line);
        let mut header = Record::default();
        if !first_filled(&mut records, &mut header).map_err(|broken| named(broken, &name))? {
            return Err(whole(FileFault::Empty));
        }
        let here = |fault: FileFault| fault.at(&name, Some(header.line));
        let cells = header
            .cells()
            .map_err(|e| here(FileFault::NotUtf8 { column: format!("number {}", e.cell + 1), byte: e.byte }))?;
        let (layout, faults) = Layout::read(cells, settings, needs_role);
        let faults = header.flaws.iter().copied().map(header_fault).chain(faults).map(here).collect();
        let note_chars_max = settings.note_chars_max;
        Ok(Self { name, role: file.role, layout, note_chars_max, faults, delimiter, records })
    }

    /// Fills `record` with the next row; false at the end of the file.
    pub(super) fn read(&mut self, record: &mut Record) -> Result<bool, FileProblem> {
        self.records.read(record).map_err(|broken| named(broken, &self.name))
    }

    /// The cells of a row, which must be UTF-8.
    pub(super) fn cells<'r>(&self, record: &'r Record) -> Result<Cells<'r>, FileProblem> {
        record.cells().map_err(|e| {
            let fault = FileFault::NotUtf8 { column: self.layout.label(e.cell), byte: e.byte };
            fault.at(&self.name, Some(record.line))
        })
    }

    /// The fingerprint, once every row was read; `None` when the file changed meanwhile.
    pub(super) fn fingerprint(&self) -> Option<Fingerprint> {
        self.records.input().fingerprint()
    }

    /// What is worth telling about the form of the file.
    pub(super) fn notes(&self) -> Vec<Note> {
        let note = |kind| Note { file: Arc::clone(&self.name), kind, count: 1, lines: Vec::new() };
        let delimiter = (self.delimiter != b',').then(|| NoteKind::Delimiter(char::from(self.delimiter)));
        let cleaned = self.layout.cleaned.iter().map(|&i| NoteKind::HeaderCleaned(self.layout.label(i)));
        let unused = self.layout.unused.iter().map(|&i| NoteKind::UnusedColumn(self.layout.label(i)));
        delimiter.into_iter().chain(cleaned).chain(unused).map(note).collect()
    }
}

/// The delimiter with which the header line has the columns that must be there: a comma, unless another does better.
fn guess_delimiter(head: &[u8], settings: &ContactsSettings, needs_role: bool) -> u8 {
    let missing = |&delimiter: &u8| {
        let mut header = Record::default();
        let found = first_filled(&mut Records::new(head, delimiter, 1), &mut header);
        match (found, header.cells()) {
            (Ok(true), Ok(cells)) => Layout::read(cells, settings, needs_role).0.missing(),
            _ => usize::MAX,
        }
    };
    [b',', b';', b'\t'].into_iter().min_by_key(missing).unwrap_or(b',')
}

/// Reads past blank rows; false when there is nothing else.
fn first_filled<R: std::io::BufRead>(records: &mut Records<R>, record: &mut Record) -> Result<bool, Broken> {
    while records.read(record)? {
        if !record.cells().is_ok_and(Cells::is_blank) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn header_fault(flaw: Flaw) -> FileFault {
    let what = match flaw {
        Flaw::TooManyColumns => return FileFault::TooManyColumns { max: COLUMNS_MAX },
        Flaw::TextAfterQuote => "text follows a closing quotation mark",
        Flaw::CellTooLong => "a header is longer than 64 KiB",
        Flaw::RecordTooLong => "it is longer than 1 MiB",
    };
    FileFault::BadHeader(what.to_owned())
}

fn named(broken: Broken, file: &str) -> FileProblem {
    match broken {
        Broken::Input(error) => FileFault::from(error).at(file, None),
        Broken::UnterminatedQuote { line } => FileFault::UnterminatedQuote.at(file, Some(line)),
    }
}
