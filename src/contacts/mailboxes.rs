//! A file that lists mailboxes alone: an address or a domain a line, or a table with a column of addresses. It is read as
//! contact files are (encodings, delimiters, spreadsheets, headers); lines that begin with `#` are comments, and nothing
//! else in it counts.

use std::path::Path;
use std::sync::Arc;

use super::columns::Column;
use super::delimiter;
use super::error::{ContactsError, FileFault, FileProblem};
use super::layout::Layout;
use super::records::{Broken, Cells, Record, Records};
use super::settings::{ContactsFile, ContactsSettings};
use super::source::Source;
use crate::model::{AddressError, Barred, printable};

/// What a file lists.
#[derive(Debug, Default)]
pub struct Mailboxes {
    /// The addresses and domains, in the order of the file.
    pub good: Vec<Barred>,
    /// What is neither.
    pub bad: Vec<NoMailbox>,
    /// Lines that were passed by as comments although there is an address in one of their cells.
    pub comments_with_address: Vec<u64>,
}

/// A cell that is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoMailbox {
    /// Its line; of a spreadsheet, the row.
    pub line: u64,
    /// Its column; the first is 1.
    pub column: usize,
    /// Why not.
    pub why: AddressError,
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
        None => delimiter::guess(&without_comments(source.head().map_err(|e| whole(e.into()))?), &settings, None),
    };
    let line = source.line;
    let records = Records::new(source, delimiter, line);
    let mut records = if is_sheet { records.counting_rows() } else { records };
    let (mut record, mut found) = (Record::default(), Mailboxes::default());
    let broken = |broken| match broken {
        Broken::Input(error) => FileFault::from(error).at(&name, None),
        Broken::UnterminatedQuote { line } => FileFault::UnterminatedQuote.at(&name, Some(line)),
    };
    let mut place = None;
    while records.read(&mut record).map_err(broken)? {
        let (cells, line) = (cells(&record, &name)?, record.line);
        if cells.is_blank() || found.is_comment(cells, line) {
            continue;
        }
        if let Some(place) = place {
            found.take(cells, place, line);
            continue;
        }
        let known = self::place(cells, &settings).map_err(|fault| fault.at(&name, Some(line)))?;
        if let Place::Everywhere = known {
            found.take(cells, known, line);
        }
        place = Some(known);
    }
    if place.is_none() {
        return Err(whole(FileFault::Empty));
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

/// What a delimiter is guessed from.
fn without_comments(head: &[u8]) -> Vec<u8> {
    let lines = head.split_inclusive(|b| matches!(b, b'\n' | b'\r'));
    lines.filter(|line| !line.trim_ascii_start().starts_with(b"#")).flatten().copied().collect()
}

/// By the first line: a header that is known to mean addresses, or no headers at all.
fn place(first: Cells<'_>, settings: &ContactsSettings) -> Result<Place, FileFault> {
    let (layout, _) = Layout::read(first, settings, None);
    if let Some(at) = layout.at(Column::Email) {
        return Ok(Place::In(at));
    }
    let has_address = first.iter().any(|cell| Barred::parse(cell).is_ok());
    let filled = first.iter().filter(|cell| !cell.trim().is_empty()).count();
    if has_address || (filled == 1 && first.iter().any(|cell| cell.contains('@'))) {
        return Ok(Place::Everywhere);
    }
    Err(FileFault::NoAddresses)
}

impl Mailboxes {
    fn is_comment(&mut self, cells: Cells<'_>, line: u64) -> bool {
        let is_comment = cells.get(0).trim_start().starts_with('#');
        let names = |cell: &str| Barred::parse(cell.trim_start().trim_start_matches('#')).is_ok();
        if is_comment && cells.iter().any(names) {
            self.comments_with_address.push(line);
        }
        is_comment
    }

    fn take(&mut self, cells: Cells<'_>, place: Place, line: u64) {
        match place {
            Place::In(at) => self.take_one(cells.get(at), line, at + 1),
            Place::Everywhere => {
                let filled = cells.iter().zip(1..).filter(|(cell, _)| !cell.trim().is_empty());
                filled.for_each(|(cell, column)| self.take_one(cell, line, column));
            }
        }
    }

    fn take_one(&mut self, cell: &str, line: u64, column: usize) {
        match Barred::parse(cell) {
            Ok(entry) => self.good.push(entry),
            Err(why) => self.bad.push(NoMailbox { line, column, why }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_from(text: &[u8]) -> Result<Mailboxes, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list.csv");
        std::fs::write(&path, text).unwrap();
        mailboxes(&path).map_err(|e| e.to_string())
    }

    fn keys(found: &Mailboxes) -> Vec<&str> {
        found.good.iter().map(Barred::key).collect()
    }

    #[test]
    fn addresses_are_found_in_lines_and_in_a_column_whatever_else_is_there() {
        for (text, good, bad) in [
            (&b"ana@a.example\nben@b.example\n"[..], &["ana@a.example", "ben@b.example"][..], &[][..]),
            (b"\xEF\xBB\xBFana@a.example\r\n\r\n  ben@b.example\r\n", &["ana@a.example", "ben@b.example"], &[]),
            (b"ana@a.example; ben@b.example\n", &["ana@a.example", "ben@b.example"], &[]),
            (b"ana@a@example\nben@b.example\nnobody\n", &["ben@b.example"], &[(1, 1), (3, 1)]),
            (b"Name;E-Mail\nAna;ana@a.example\nBen;\nCy;cy@c.example\n", &["ana@a.example", "cy@c.example"], &[(3, 2)]),
            (b"ana@a.example;none;ben@b.example\n", &["ana@a.example", "ben@b.example"], &[(1, 2)]),
            (
                b"# by hand, in May; of all\n\n  # and\nAna@A.example\n@B.Example\n",
                &["ana@a.example", "@b.example"],
                &[],
            ),
            (
                b"# from: the forum, old, new\nName;E-Mail\n# the rest: asked, twice\nAna;ana@a.example\n;@b.example\n",
                &["ana@a.example", "@b.example"],
                &[],
            ),
            (b"email\nana@a.example\n", &["ana@a.example"], &[]),
            (b"Name,E-Mail\nM\xFCller M\xE4der,mueller@a.example\n", &["mueller@a.example"], &[]),
        ] {
            let found = read_from(text).unwrap();
            let cells: Vec<_> = found.bad.iter().map(|bad| (bad.line, bad.column)).collect();
            assert_eq!((keys(&found).as_slice(), cells.as_slice()), (good, bad), "{}", text.escape_ascii());
        }
    }

    #[test]
    fn a_comment_that_holds_an_address_is_passed_by_and_told() {
        let found = read_from(b"Number;E-Mail\n#7;ana@a.example\n# x;\n8;ben@b.example\n").unwrap();
        assert_eq!(
            (keys(&found), found.bad.len(), &*found.comments_with_address),
            (vec!["ben@b.example"], 0, &[2][..])
        );
        assert_eq!(read_from(b"ben@b.example\n#ana@a.example\n# asked\n").unwrap().comments_with_address, [2]);
    }

    #[test]
    fn a_table_without_a_column_of_addresses_is_refused_in_words() {
        assert!(read_from(b"Name,Town\nAna,Lisbon\n").unwrap_err().contains("column"));
        assert!(read_from(b"").is_err());
        assert!(read_from(b"# nobody yet\n\n").is_err());
    }
}
