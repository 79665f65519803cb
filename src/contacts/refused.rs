//! Writes the rows that were refused, for staff to correct and to give back. It must not judge a row itself.

use std::io;
use std::path::{Path, PathBuf};

use super::columns::{Column, header_key};
use super::error::ContactsError;
use super::given_back::own_headers;
use super::problem::Problem;
use super::rows::Row;
use super::safe_csv::SafeCsv;
use super::settings::ContactsFile;
use super::survey::Survey;
use crate::model::Role;

/// A file of refused rows in the making. Dropped before [`RefusedWriter::finish`] it leaves nothing behind.
pub struct RefusedWriter {
    path: PathBuf,
    csv: SafeCsv,
    /// The names of the contact files, when there are several.
    files: Vec<String>,
    /// For each file of the survey, where its columns go in the columns of this one.
    columns: Vec<Vec<usize>>,
    width: usize,
    /// Where the role goes, and the role of each file that lists one role only: here they are told apart.
    roles: Option<(usize, Vec<Option<&'static str>>)>,
    cells: Vec<String>,
    rows: u64,
}

impl RefusedWriter {
    /// Starts the file. What stands at `path` is replaced only by [`RefusedWriter::finish`].
    pub fn create(path: &Path, survey: &Survey) -> Result<Self, ContactsError> {
        must_be_no_contact_file(path, survey)?;
        let files: Vec<String> = survey.files().filter(|_| survey.files.len() > 1).map(str::to_owned).collect();
        let (mut headers, columns) = union_of_headers(survey);
        let roles = roles(survey, &mut headers);
        let width = headers.len();
        let own = own_headers(&headers, !files.is_empty());
        headers.splice(0..0, own);
        let mut csv = SafeCsv::create_with(path, survey.delimiter())?;
        csv.write(&headers)?;
        Ok(Self { path: path.to_owned(), csv, files, columns, width, roles, cells: headers, rows: 0 })
    }

    /// Writes a row when it is one that staff must correct; gives whether it is.
    pub fn write(&mut self, row: &Row) -> Result<bool, ContactsError> {
        let Some((file, line, cells, problems)) = row.refusal() else { return Ok(false) };
        self.write_row(file, line, cells, &what_is_wrong(problems), &what_to_do(problems))?;
        Ok(true)
    }

    /// Writes a row with what is wrong with it and what to do.
    pub fn write_row(
        &mut self,
        file: usize,
        line: u64,
        cells: &[String],
        problem: &str,
        advice: &str,
    ) -> Result<(), ContactsError> {
        self.cells.clear();
        self.cells.extend(self.files.get(file).cloned());
        self.cells.extend([line.to_string(), problem.to_owned(), advice.to_owned()]);
        let start = self.cells.len();
        self.cells.resize(start + self.width, String::new());
        for (i, cell) in cells.iter().enumerate() {
            match self.columns.get(file).and_then(|to| to.get(i)) {
                Some(to) => self.cells[start + to].clone_from(cell),
                None if cell.trim().is_empty() => {}
                None => self.cells.push(cell.clone()), // more cells than headers: at the end, so that none is lost
            }
        }
        if let Some((at, roles)) = &self.roles {
            let cell = &mut self.cells[start + at];
            if let Some(Some(role)) = roles.get(file).filter(|_| cell.trim().is_empty()) {
                (*role).clone_into(cell);
            }
        }
        self.csv.write(&self.cells)?;
        self.rows += 1;
        Ok(())
    }

    /// Puts the file in its place, durably, and gives how many rows it has, and where a file of that name is now that
    /// said something else: staff may have mended rows in it.
    pub fn finish(self) -> Result<(u64, Option<PathBuf>), ContactsError> {
        let kept = self.csv.finish_keeping_old()?;
        Ok((self.rows, kept))
    }
}

impl std::fmt::Debug for RefusedWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RefusedWriter").field("path", &self.path).field("rows", &self.rows).finish_non_exhaustive()
    }
}

/// Refuses to write over one of the files that are read.
pub(super) fn must_be_no_contact_file(path: &Path, survey: &Survey) -> Result<(), ContactsError> {
    let same = |file: &ContactsFile| is_same_file(&file.path, path);
    if survey.settings.files.iter().any(same) {
        let reason =
            io::Error::new(io::ErrorKind::InvalidInput, "it is one of the contact files; give that another name first");
        return Err(ContactsError::Unwritable { path: path.to_owned(), reason });
    }
    Ok(())
}

fn is_same_file(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// The columns of all files, each once, and where those of each file go among them.
fn union_of_headers(survey: &Survey) -> (Vec<String>, Vec<Vec<usize>>) {
    let (mut headers, mut keys): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    let mut columns = Vec::new();
    for file in &survey.files {
        let mut places = Vec::new();
        for header in &file.headers {
            let key = header_key(header);
            let known = keys.iter().position(|k| *k == key && !key.is_empty()).filter(|at| !places.contains(at));
            places.push(known.unwrap_or(headers.len()));
            if known.is_none() {
                headers.push(header.clone());
                keys.push(key);
            }
        }
        columns.push(places);
    }
    (headers, columns)
}

/// The column for roles, added where no file has one, and the role of each file that needs it.
fn roles(survey: &Survey, headers: &mut Vec<String>) -> Option<(usize, Vec<Option<&'static str>>)> {
    let word = |role: Role| match role {
        Role::Official => "official",
        Role::Constituent => "constituent",
    };
    let roles: Vec<_> = survey.settings.files.iter().map(|file| file.role.map(word)).collect();
    roles.iter().flatten().next()?;
    let role = Column::Role.as_str();
    let at = headers.iter().position(|h| header_key(h) == role).unwrap_or(headers.len());
    if at == headers.len() {
        headers.push(role.to_owned());
    }
    Some((at, roles))
}

/// Everything that is wrong with a row, in one cell.
pub(super) fn what_is_wrong(problems: &[Problem]) -> String {
    let what = |p: &Problem| match &p.column {
        Some(column) => format!("{column}: {}", p.kind),
        None => p.kind.to_string(),
    };
    problems.iter().map(what).collect::<Vec<_>>().join(" | ")
}

/// What to do about it, in the same order.
pub(super) fn what_to_do(problems: &[Problem]) -> String {
    problems.iter().map(|p| p.advice.clone()).collect::<Vec<_>>().join(" | ")
}
