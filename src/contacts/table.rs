//! One contact file as a table: its header line understood, its rows still to come.
//! Both readings of a file go through here, so that they see the same. This file must not judge a row.

use std::sync::Arc;

use super::columns::Column;
use super::delimiter::{self, first_filled};
use super::error::{FileFault, FileProblem};
use super::given_back::columns_of_ours;
use super::layout::{Doubt, Layout};
use super::problem::{Note, NoteKind};
use super::records::{Broken, COLUMNS_MAX, Cells, Flaw, Record, Records};
use super::settings::{ContactsFile, ContactsSettings};
use super::source::{Fingerprint, Source};
use super::swallowed::swallows_rows;
use crate::model::{Role, printable};

/// An open contact file.
pub(super) struct Table {
    /// The file as it was named.
    pub(super) name: Arc<str>,
    /// Whom it lists, when it has no role column.
    pub(super) role: Option<Role>,
    pub(super) layout: Layout,
    /// The header line as it is written.
    pub(super) header_cells: Vec<String>,
    /// How long somebody's own words may be.
    pub(super) note_chars_max: usize,
    /// What is wrong with its header line; the rows are not worth reading then.
    pub(super) faults: Vec<FileProblem>,
    /// Where the columns without a word of ours stand that a letter uses.
    pub(super) used: Vec<usize>,
    /// The line of the headers.
    pub(super) header_line: u64,
    pub(super) delimiter: u8,
    /// How many columns at the start are ours, when it is a file of refused rows that staff give back.
    columns_of_ours: usize,
    records: Records<Source>,
}

impl Table {
    /// Opens a file and reads its header line.
    pub(super) fn open(file: &ContactsFile, settings: &ContactsSettings) -> Result<Self, FileProblem> {
        let name: Arc<str> = printable(&file.path.display().to_string(), 200).into();
        let whole = |fault: FileFault| fault.at(&name, None);
        let mut source = Source::open(&file.path, &settings.reading).map_err(whole)?;
        let is_sheet = source.sheet.is_some();
        let delimiter = match (named_delimiter(settings).map_err(whole)?, source.delimiter) {
            (Some(named), _) if !is_sheet => named,
            (_, Some(in_file)) => in_file,
            _ => delimiter::guess(source.head().map_err(|e| whole(e.into()))?, settings, file.role),
        };
        let line = source.line;
        let records = Records::new(source, delimiter, line);
        let mut records = if is_sheet { records.counting_rows() } else { records };
        let mut header = Record::default();
        if !first_filled(&mut records, &mut header).map_err(|broken| named(broken, &name))? {
            return Err(whole(FileFault::Empty));
        }
        let header_line = header.line;
        let here = |fault: FileFault| fault.at(&name, Some(header_line));
        let cells =
            header.cells().map_err(|e| here(not_text(records.input(), format!("number {}", e.cell + 1), e.byte)))?;
        let columns_of_ours = columns_of_ours(cells);
        let cells = cells.given_back(columns_of_ours);
        let (mut layout, mut faults) = Layout::read(cells, settings, file.role);
        if let Some(title) = only_filled(cells).filter(|_| layout.is_unknown() && faults.is_empty()) {
            // To look for columns in it would only hide what is wrong.
            layout.doubts.clear();
            faults.push(FileFault::OneHeader(printable(title, 40)));
        }
        let is_used = |(_, key): &&(usize, String)| settings.used.contains(key);
        let used = layout.extras.iter().filter(is_used).map(|(at, _)| *at).collect();
        let faults = header.flaws.iter().copied().map(header_fault).chain(faults).map(here).collect();
        let header_cells = cells.to_vec();
        Ok(Self {
            name,
            role: file.role,
            layout,
            header_cells,
            note_chars_max: settings.note_chars_max,
            faults,
            used,
            header_line,
            delimiter,
            columns_of_ours,
            records,
        })
    }

    /// Fills `record` with the next row; false at the end of the file.
    pub(super) fn read(&mut self, record: &mut Record) -> Result<bool, FileProblem> {
        self.records.read(record).map_err(|broken| named(broken, &self.name))
    }

    /// The cells of a row, which must be UTF-8.
    pub(super) fn cells<'r>(&self, record: &'r Record) -> Result<Cells<'r>, FileProblem> {
        let cells = record.cells().map_err(|e| {
            let column = self.layout.label(e.cell.saturating_sub(self.columns_of_ours));
            not_text(self.records.input(), column, e.byte).at(&self.name, Some(record.line))
        })?;
        let email = self.layout.at(Column::Email).map(|at| at + self.columns_of_ours);
        let may_swallow = record.has_breaks && self.records.input().sheet.is_none();
        if may_swallow && email.is_some_and(|at| swallows_rows(cells, self.delimiter, at)) {
            return Err(FileFault::UnterminatedQuote.at(&self.name, Some(record.line)));
        }
        Ok(cells.given_back(self.columns_of_ours))
    }

    /// The fingerprint, once every row was read; `None` when the file changed meanwhile.
    pub(super) fn fingerprint(&self) -> Option<Fingerprint> {
        self.records.input().fingerprint()
    }

    /// What separates the cells of a file like this one: theirs, and a comma for a sheet, which has none.
    pub(super) fn delimiter(&self) -> u8 {
        if self.records.input().sheet.is_some() { b',' } else { self.delimiter }
    }

    /// What is worth telling about the form of the file.
    pub(super) fn notes(&self) -> Vec<Note> {
        let note = |kind| Note { file: Arc::clone(&self.name), kind, count: 1, lines: Vec::new() };
        let known = &self.records.input().encoding;
        let encoding = (known.encoding != encoding_rs::UTF_8)
            .then(|| NoteKind::Encoding { name: known.encoding.name(), samples: known.samples.clone() });
        let delimiter = (self.delimiter != b',').then(|| NoteKind::Delimiter(char::from(self.delimiter)));
        let cleaned = self.layout.cleaned.iter().map(|&i| NoteKind::HeaderCleaned(self.layout.label(i)));
        let unused = self.layout.unused.iter().map(|&i| NoteKind::UnusedColumn(self.layout.label(i)));
        let recognised = self.layout.recognised();
        let recognised = (!recognised.is_empty()).then_some(NoteKind::Recognised(recognised));
        let doubts = self.layout.doubts.iter().filter(|d| !d.is_required).map(|d| self.undecided(d));
        let headers = recognised.into_iter().chain(doubts).chain(cleaned).chain(unused);
        let of_sheet = self.records.input().sheet.clone().unwrap_or_default();
        let chosen = of_sheet.chosen_among.map(NoteKind::Sheet);
        let mut notes: Vec<Note> =
            encoding.into_iter().chain(delimiter).chain(chosen).chain(headers).map(note).collect();
        notes.extend(of_sheet.hidden.note(&self.name, NoteKind::HiddenRows));
        notes.extend(of_sheet.plain.note(&self.name, NoteKind::PlainCells));
        notes
    }

    fn undecided(&self, doubt: &Doubt) -> NoteKind {
        let quoted = |places: &Vec<usize>| format!("“{}”", self.layout.labels(places));
        NoteKind::Undecided {
            column: doubt.wanted.clone(),
            headers: doubt.candidates.iter().map(quoted).collect::<Vec<_>>().join(" or "),
        }
    }
}

/// The text of the only cell that is filled.
fn only_filled(cells: Cells<'_>) -> Option<&str> {
    let mut filled = cells.iter().map(str::trim).filter(|cell| !cell.is_empty());
    filled.next().filter(|_| filled.next().is_none())
}

/// The delimiter that the settings name.
fn named_delimiter(settings: &ContactsSettings) -> Result<Option<u8>, FileFault> {
    let Some(named) = settings.reading.delimiter else { return Ok(None) };
    let usable = u8::try_from(named).ok().filter(|b| b.is_ascii() && !matches!(b, b'"' | b'\r' | b'\n' | 0));
    usable.map(Some).ok_or(FileFault::BadDelimiter)
}

/// What is wrong with text that is not in the encoding that it should be in.
fn not_text(source: &Source, column: String, byte: u8) -> FileFault {
    if source.encoding.encoding == encoding_rs::UTF_8 {
        FileFault::NotUtf8 { column, byte }
    } else {
        FileFault::NotInEncoding { encoding: source.encoding.encoding.name(), column }
    }
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
