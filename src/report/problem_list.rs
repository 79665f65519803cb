//! The whole list of problems as a file for a spreadsheet: written while they are found, gone when there are none.
//! Holds personal data, so only its owner may read it. What cannot be written is told and stops nothing.

use std::io;
use std::path::{Path, PathBuf};

use crate::contacts::{ContactsError, Problem, Row, SafeCsv};
use crate::plan::{LetterProblem, Seen};

const HEADERS: [&str; 6] = ["file", "line", "column", "value", "problem", "advice"];
const EMPTY_CELL: (&str, &str) = (
    "the letter uses it and the cell is empty",
    "fill it in, or let the letter do without it: {% if … %} around its sentence",
);

/// The list in the making. Dropped before [`ProblemList::finish`] it changes nothing.
#[derive(Debug)]
pub struct ProblemList {
    path: PathBuf,
    files: Vec<String>,
    delimiter: u8,
    csv: Option<SafeCsv>,
    failed: Option<ContactsError>,
}

/// What became of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WrittenList {
    /// There was nothing to write.
    Nothing,
    /// It is there.
    At(PathBuf),
    /// It could not be written, for this reason.
    Not(String),
}

impl ProblemList {
    /// A list that will stand at `path`; `files` are the names of the contact files, by their numbers.
    pub fn new(path: PathBuf, files: Vec<String>, delimiter: u8) -> Self {
        Self { path, files, delimiter, csv: None, failed: None }
    }

    /// Writes whatever is wrong with what was come upon.
    pub fn note(&mut self, seen: Seen<'_>) {
        match seen {
            Seen::Row(Row::Duplicate { problem, .. }) => self.add(problem),
            Seen::Row(row) => row.refusal().into_iter().for_each(|(.., problems)| self.add_all(problems)),
            Seen::Letter(problem) => self.add_letter(problem),
            Seen::EmptyCell { file, line, field } => {
                let (problem, advice) = EMPTY_CELL;
                self.write(file, &line.to_string(), field, "", problem, advice);
            }
        }
    }

    /// Writes these problems.
    pub fn add_all(&mut self, problems: &[Problem]) {
        for problem in problems {
            self.add(problem);
        }
    }

    /// Writes something that is wrong with a whole file, as a line of its own.
    pub fn add_of_file(&mut self, file: &str, line: Option<u64>, what: &str) {
        let line = line.map(|line| line.to_string()).unwrap_or_default();
        self.row([file, &line, "", "", what, ""]);
    }

    fn add(&mut self, problem: &Problem) {
        let column = problem.column.as_deref().unwrap_or_default();
        let (line, kind) = (problem.line.to_string(), problem.kind.to_string());
        self.row([&problem.file, &line, column, &problem.value, &kind, &problem.advice]);
    }

    fn add_letter(&mut self, problem: &LetterProblem) {
        let (what, advice) = problem.what.rsplit_once("; ").unwrap_or((&problem.what, "correct the row or the letter"));
        self.write(problem.file, &problem.line.to_string(), "", "", what, advice);
    }

    fn write(&mut self, file: usize, line: &str, column: &str, value: &str, problem: &str, advice: &str) {
        let file = self.files.get(file).cloned().unwrap_or_default();
        self.row([&file, line, column, value, problem, advice]);
    }

    fn row(&mut self, cells: [&str; 6]) {
        if self.failed.is_none() {
            self.failed = self.try_row(cells).err();
        }
    }

    fn try_row(&mut self, cells: [&str; 6]) -> Result<(), ContactsError> {
        let csv = if let Some(csv) = &mut self.csv {
            csv
        } else {
            let mut csv = SafeCsv::create_with(&self.path, self.delimiter)?;
            csv.write(HEADERS)?;
            self.csv.insert(csv)
        };
        csv.write(cells)
    }

    /// Puts the list in its place. Where there is nothing to list, a list of an earlier run is taken away.
    pub fn finish(self) -> WrittenList {
        let Self { path, csv, failed, .. } = self;
        let done = match (failed, csv) {
            (Some(error), _) => Err(error.to_string()),
            (None, Some(csv)) => csv.finish().map(|()| WrittenList::At(path)).map_err(|e| e.to_string()),
            (None, None) => gone(&path)
                .map(|()| WrittenList::Nothing)
                .map_err(|e| format!("{} is of an earlier run and cannot be taken away: {e}", path.display())),
        };
        done.unwrap_or_else(WrittenList::Not)
    }
}

fn gone(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
