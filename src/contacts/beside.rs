//! Writes the rows of one contacts file back, in its order and with its columns, and cells of ours beside them.
//! No cell of it is a formula. This file must not know what the cells of ours say.

use std::path::Path;

use super::error::ContactsError;
use super::given_back::free_headers;
use super::refused::must_be_no_contact_file;
use super::safe_csv::SafeCsv;
use super::survey::Survey;

/// A file of rows and what became of them, in the making. Dropped before [`BesideWriter::finish`] it leaves nothing.
#[derive(Debug)]
pub struct BesideWriter {
    csv: SafeCsv,
    width: usize,
    rows: u64,
}

impl BesideWriter {
    /// Starts the file at `path` for the file `file` of the survey. Our headers are numbered where theirs have one of
    /// that name.
    pub fn create(path: &Path, survey: &Survey, file: usize, ours: &[&str]) -> Result<Self, ContactsError> {
        must_be_no_contact_file(path, survey)?;
        let (theirs, delimiter) =
            survey.files.get(file).map_or((&[][..], b','), |f| (f.header_cells.as_slice(), f.delimiter));
        let mut csv = SafeCsv::create_with(path, delimiter)?;
        let ours = free_headers(ours, theirs);
        csv.write(theirs.iter().chain(&ours))?;
        Ok(Self { csv, width: theirs.len(), rows: 0 })
    }

    /// Writes a row and our cells beside it; without any, the row alone.
    pub fn write(&mut self, theirs: &[String], ours: &[String]) -> Result<(), ContactsError> {
        self.rows += 1;
        if ours.is_empty() {
            return self.csv.write(theirs);
        }
        let (theirs, surplus) = theirs.split_at(theirs.len().min(self.width));
        let missing = std::iter::repeat_n("", self.width - theirs.len());
        // More cells than headers stand at the end, so that none is lost and ours are in one column.
        let surplus = if surplus.iter().all(|c| c.trim().is_empty()) { &[][..] } else { surplus };
        let shown = theirs.iter().map(String::as_str).chain(missing);
        self.csv.write(shown.chain(ours.iter().chain(surplus).map(String::as_str)))
    }

    /// Puts the file in its place, durably, and gives how many rows it has.
    pub fn finish(self) -> Result<u64, ContactsError> {
        self.csv.finish()?;
        Ok(self.rows)
    }
}
