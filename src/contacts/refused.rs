//! Writes the rows that were refused, as CSV for staff to correct: complete and under its name, or not at all.
//! No cell of it is a formula. It holds personal data, so only its owner may read it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::columns::header_key;
use super::error::ContactsError;
use super::problem::Problem;
use super::rows::Row;
use super::settings::ContactsFile;
use super::survey::Survey;

/// Without it Excel takes the file for the system's own encoding and shows `Ã¼` for `ü`.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// A file of refused rows in the making. Dropped before [`RefusedWriter::finish`] it leaves nothing behind.
pub struct RefusedWriter {
    path: PathBuf,
    temporary: Temporary,
    csv: csv::Writer<File>,
    /// The names of the contact files, when there are several.
    files: Vec<String>,
    /// For each file of the survey, where its columns go in the columns of this one.
    columns: Vec<Vec<usize>>,
    width: usize,
    cells: Vec<String>,
    rows: u64,
}

/// The unfinished file; removed when it is dropped, unless it was renamed.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // After the rename there is nothing of that name, and no other error can be told from here.
        let _ = fs::remove_file(&self.0);
    }
}

impl RefusedWriter {
    /// Starts the file. What stands at `path` is replaced only by [`RefusedWriter::finish`].
    pub fn create(path: &Path, survey: &Survey) -> Result<Self, ContactsError> {
        let failed = |reason| ContactsError::Unwritable { path: path.to_owned(), reason };
        let same = |file: &ContactsFile| is_same_file(&file.path, path);
        if survey.settings.files.iter().any(same) {
            return Err(failed(io::Error::new(io::ErrorKind::InvalidInput, "it is one of the contact files")));
        }
        let (temporary, mut file) = create_beside(path).map_err(failed)?;
        file.write_all(BOM).map_err(failed)?;
        let files: Vec<String> = survey.files().filter(|_| survey.files.len() > 1).map(str::to_owned).collect();
        let (mut headers, columns) = union_of_headers(survey);
        let width = headers.len();
        let own = own_headers(&headers, !files.is_empty());
        headers.splice(0..0, own);
        let csv = csv::WriterBuilder::new().flexible(true).from_writer(file);
        let mut writer = Self { path: path.to_owned(), temporary, csv, files, columns, width, cells: headers, rows: 0 };
        writer.write_cells()?;
        Ok(writer)
    }

    /// Writes a row when it is one that staff must correct; gives whether it is.
    pub fn write(&mut self, row: &Row) -> Result<bool, ContactsError> {
        let Some((file, line, cells, problems)) = row.refusal() else { return Ok(false) };
        let list = |each: fn(&Problem) -> String| problems.iter().map(each).collect::<Vec<_>>().join(" | ");
        let what = |p: &Problem| match &p.column {
            Some(column) => format!("{column}: {}", p.kind),
            None => p.kind.to_string(),
        };
        self.cells.clear();
        self.cells.extend(self.files.get(file).cloned());
        self.cells.extend([line.to_string(), list(what), list(|p| p.advice.clone())]);
        let start = self.cells.len();
        self.cells.resize(start + self.width, String::new());
        for (i, cell) in cells.iter().enumerate() {
            match self.columns.get(file).and_then(|to| to.get(i)) {
                Some(to) => self.cells[start + to].clone_from(cell),
                None if cell.trim().is_empty() => {}
                None => self.cells.push(cell.clone()), // more cells than headers: at the end, so that none is lost
            }
        }
        self.write_cells()?;
        self.rows += 1;
        Ok(true)
    }

    /// Puts the file in its place, durably, and gives how many rows it has.
    pub fn finish(self) -> Result<u64, ContactsError> {
        let Self { path, temporary, csv, rows, .. } = self;
        let failed = |reason| ContactsError::Unwritable { path: path.clone(), reason };
        let file = csv.into_inner().map_err(|e| failed(e.into_error()))?;
        file.sync_all().map_err(failed)?;
        fs::rename(&temporary.0, &path).map_err(failed)?;
        sync_folder(&path).map_err(failed)?;
        Ok(rows)
    }

    fn write_cells(&mut self) -> Result<(), ContactsError> {
        let cells = self.cells.iter().map(|c| inert(c));
        self.csv
            .write_record(cells.map(String::into_bytes))
            .map_err(|e| ContactsError::Unwritable { path: self.path.clone(), reason: e.into() })
    }
}

impl std::fmt::Debug for RefusedWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RefusedWriter").field("path", &self.path).field("rows", &self.rows).finish_non_exhaustive()
    }
}

fn is_same_file(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// A cell that no spreadsheet takes for a formula.
fn inert(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell.to_owned() }
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

/// Our own headers, none of which is one of theirs.
fn own_headers(theirs: &[String], with_file: bool) -> Vec<String> {
    let taken: Vec<String> = theirs.iter().map(|h| header_key(h)).collect();
    let free = |name: &str| {
        let numbered = (2..).map(|n| format!("{name} {n}"));
        std::iter::once(name.to_owned()).chain(numbered).find(|n| !taken.contains(&header_key(n)))
    };
    let names: &[&str] =
        if with_file { &["file", "line", "problem", "advice"] } else { &["line", "problem", "advice"] };
    names.iter().filter_map(|n| free(n)).collect()
}

/// A new file beside `path`, for its owner only.
fn create_beside(path: &Path) -> io::Result<(Temporary, File)> {
    let name =
        path.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "it is not the name of a file"))?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut tries = 0;
    loop {
        let temporary = path.with_file_name(format!(".{}.{}-{tries}", name.to_string_lossy(), std::process::id()));
        match options.open(&temporary) {
            Ok(file) => return Ok((Temporary(temporary), file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && tries < 100 => tries += 1,
            Err(error) => return Err(error),
        }
    }
}

/// Makes the rename itself durable, where the system has a way.
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for (cell, written) in [
            ("=HYPERLINK(\"x\")", "'=HYPERLINK(\"x\")"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@a", "'@a"),
            ("\t=1", "'\t=1"),
            ("\r=1", "'\r=1"),
            ("a=1", "a=1"),
            ("", ""),
        ] {
            assert_eq!(inert(cell), written);
        }
    }

    #[test]
    fn our_own_headers_make_room_for_theirs() {
        let theirs = ["Line".to_owned(), "name".to_owned()];
        assert_eq!(own_headers(&theirs, false), ["line 2", "problem", "advice"]);
        assert_eq!(own_headers(&[], true), ["file", "line", "problem", "advice"]);
    }
}
