//! A file that lists mailboxes alone: an address a line, or a table with a column of addresses. It is read as contact
//! files are (encodings, delimiters, spreadsheets, headers); nothing else in it counts.

use std::path::Path;
use std::sync::Arc;

use super::columns::Column;
use super::delimiter::{self, first_filled};
use super::error::{ContactsError, FileFault, FileProblem};
use super::layout::Layout;
use super::records::{Broken, Cells, Record, Records};
use super::settings::{ContactsFile, ContactsSettings};
use super::source::Source;
use crate::model::{AddressError, EmailAddress, printable};

/// What a file lists.
#[derive(Debug, Default)]
pub struct Mailboxes {
    /// The addresses, in the order of the file.
    pub good: Vec<EmailAddress>,
    /// What is not an address: the line (of a spreadsheet, the row), and why.
    pub bad: Vec<(u64, AddressError)>,
}

/// Where the addresses stand.
#[derive(Clone, Copy)]
enum Place {
    /// In every cell that is filled; there are no headers.
    Everywhere,
    In(usize),
}

/// Reads a list of mailboxes.
pub fn mailboxes(path: &Path) -> Result<Mailboxes, ContactsError> {
    read(path).map_err(|problem| ContactsError::Refused(vec![problem]))
}

fn read(path: &Path) -> Result<Mailboxes, FileProblem> {
    let name: Arc<str> = printable(&path.display().to_string(), 200).into();
    let whole = |fault: FileFault| fault.at(&name, None);
    let settings = ContactsSettings::new(vec![ContactsFile::with_role_column(path)]);
    let mut source = Source::open(path, &settings.reading).map_err(whole)?;
    let is_sheet = source.sheet.is_some();
    let delimiter = match source.delimiter {
        Some(delimiter) => delimiter,
        None => delimiter::guess(source.head().map_err(|e| whole(e.into()))?, &settings, None),
    };
    let line = source.line;
    let records = Records::new(source, delimiter, line);
    let mut records = if is_sheet { records.counting_rows() } else { records };
    let (mut record, mut found) = (Record::default(), Mailboxes::default());
    let broken = |broken| match broken {
        Broken::Input(error) => FileFault::from(error).at(&name, None),
        Broken::UnterminatedQuote { line } => FileFault::UnterminatedQuote.at(&name, Some(line)),
    };
    if !first_filled(&mut records, &mut record).map_err(broken)? {
        return Err(whole(FileFault::Empty));
    }
    let place = match place(cells(&record, &name)?, &settings).map_err(|fault| fault.at(&name, Some(record.line)))? {
        Place::Everywhere => {
            found.take(cells(&record, &name)?, Place::Everywhere, record.line);
            Place::Everywhere
        }
        in_column @ Place::In(_) => in_column,
    };
    while records.read(&mut record).map_err(broken)? {
        found.take(cells(&record, &name)?, place, record.line);
    }
    if records.input().fingerprint().is_none() {
        return Err(whole(FileFault::Changed));
    }
    Ok(found)
}

fn cells<'r>(record: &'r Record, file: &str) -> Result<Cells<'r>, FileProblem> {
    record.cells().map_err(|error| {
        let column = format!("number {}", error.cell + 1);
        FileFault::NotUtf8 { column, byte: error.byte }.at(file, Some(record.line))
    })
}

/// By the first line: a header that is known to mean addresses, or no headers at all.
fn place(first: Cells<'_>, settings: &ContactsSettings) -> Result<Place, FileFault> {
    let (layout, _) = Layout::read(first, settings, None);
    if let Some(at) = layout.at(Column::Email) {
        return Ok(Place::In(at));
    }
    let has_address = first.iter().any(|cell| EmailAddress::parse(cell).is_ok());
    let filled = first.iter().filter(|cell| !cell.trim().is_empty()).count();
    if has_address || (filled == 1 && first.iter().any(|cell| cell.contains('@'))) {
        return Ok(Place::Everywhere);
    }
    Err(FileFault::NoAddresses)
}

impl Mailboxes {
    fn take(&mut self, cells: Cells<'_>, place: Place, line: u64) {
        if cells.is_blank() {
            return;
        }
        match place {
            Place::In(at) => self.take_one(cells.get(at), line),
            Place::Everywhere => {
                cells.iter().filter(|cell| !cell.trim().is_empty()).for_each(|cell| self.take_one(cell, line));
            }
        }
    }

    fn take_one(&mut self, cell: &str, line: u64) {
        match EmailAddress::parse(cell) {
            Ok(address) => self.good.push(address),
            Err(error) => self.bad.push((line, error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &[u8]) -> Result<(Vec<String>, Vec<u64>), String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list.csv");
        std::fs::write(&path, text).unwrap();
        let found = mailboxes(&path).map_err(|e| e.to_string())?;
        let lines = found.bad.iter().map(|(line, _)| *line).collect();
        Ok((found.good.iter().map(|a| a.as_str().to_owned()).collect(), lines))
    }

    #[test]
    fn addresses_are_found_in_lines_and_in_a_column_whatever_else_is_there() {
        for (text, good, bad) in [
            (&b"ana@a.example\nben@b.example\n"[..], &["ana@a.example", "ben@b.example"][..], &[][..]),
            (b"\xEF\xBB\xBFana@a.example\r\n\r\n  ben@b.example\r\n", &["ana@a.example", "ben@b.example"], &[]),
            (b"ana@a.example; ben@b.example\n", &["ana@a.example", "ben@b.example"], &[]),
            (b"ana@a@example\nben@b.example\nnobody\n", &["ben@b.example"], &[1, 3]),
            (b"Name;E-Mail\nAna;ana@a.example\nBen;\nCy;cy@c.example\n", &["ana@a.example", "cy@c.example"], &[3]),
            (b"email\nana@a.example\n", &["ana@a.example"], &[]),
            (b"Name,E-Mail\nM\xFCller M\xE4der,mueller@a.example\n", &["mueller@a.example"], &[]),
        ] {
            let (found, lines) = list(text).unwrap();
            assert_eq!(
                (found.as_slice(), lines.as_slice()),
                (good.map_strs().as_slice(), bad),
                "{}",
                text.escape_ascii()
            );
        }
    }

    trait Strs {
        fn map_strs(&self) -> Vec<String>;
    }

    impl Strs for [&str] {
        fn map_strs(&self) -> Vec<String> {
            self.iter().map(|s| (*s).to_owned()).collect()
        }
    }

    #[test]
    fn a_table_without_a_column_of_addresses_is_refused_in_words() {
        assert!(list(b"Name,Town\nAna,Lisbon\n").unwrap_err().contains("column"));
        assert!(list(b"").is_err());
    }
}
