//! A CSV file for staff to open in a spreadsheet: complete and under its name, or not at all.
//! No cell of it is a formula. It may hold personal data, so only its owner may read it.
//!
//! Every CSV that the program writes is written here. This file must not know what is in the cells.

use std::borrow::Cow;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::error::ContactsError;

/// Without it Excel takes the file for the system's own encoding and shows `Ã¼` for `ü`.
pub(super) const BOM: &[u8] = b"\xef\xbb\xbf";

/// A CSV file in the making. Dropped before [`SafeCsv::finish`] it leaves nothing behind.
pub struct SafeCsv {
    path: PathBuf,
    temporary: Temporary,
    csv: csv::Writer<File>,
}

/// The unfinished file; removed when it is dropped, unless it was renamed.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // After the rename there is nothing of that name, and no other error can be told from here.
        let _ = fs::remove_file(&self.0);
    }
}

impl SafeCsv {
    /// Starts the file. What stands at `path` is replaced only by [`SafeCsv::finish`].
    pub fn create(path: &Path) -> Result<Self, ContactsError> {
        Self::create_with(path, b',')
    }

    /// The same with another character between its cells.
    pub fn create_with(path: &Path, delimiter: u8) -> Result<Self, ContactsError> {
        let failed = |reason| unwritable(path, reason);
        let (temporary, mut file) = create_beside(path).map_err(failed)?;
        file.write_all(BOM).map_err(failed)?;
        let csv = csv::WriterBuilder::new().flexible(true).delimiter(delimiter).from_writer(file);
        Ok(Self { path: path.to_owned(), temporary, csv })
    }

    /// Writes one row. Rows need not be of one length.
    pub fn write<C: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = C>) -> Result<(), ContactsError> {
        let failed = |error: csv::Error| unwritable(&self.path, error.into());
        for cell in cells {
            self.csv.write_field(disarmed(cell.as_ref()).as_bytes()).map_err(failed)?;
        }
        self.csv.write_record(None::<&[u8]>).map_err(failed)
    }

    /// Puts the file in its place, durably.
    pub fn finish(self) -> Result<(), ContactsError> {
        self.put_in_place(|_, _| Ok(None)).map(drop)
    }

    /// The same; a file of that name that says something else stays under the name that is given back.
    pub fn finish_keeping_old(self) -> Result<Option<PathBuf>, ContactsError> {
        self.put_in_place(keep_aside)
    }

    fn put_in_place(
        self,
        before: impl FnOnce(&Path, &Path) -> io::Result<Option<PathBuf>>,
    ) -> Result<Option<PathBuf>, ContactsError> {
        let Self { path, temporary, csv } = self;
        let failed = |reason| unwritable(&path, reason);
        let file = csv.into_inner().map_err(|e| failed(e.into_error()))?;
        file.sync_all().map_err(failed)?;
        let kept = before(&path, &temporary.0).map_err(failed)?;
        fs::rename(&temporary.0, &path).map_err(failed)?;
        sync_folder(&path).map_err(failed)?;
        Ok(kept)
    }
}

/// Gives a file that says something else than the new one a name beside it; what staff mended in it is not lost.
fn keep_aside(path: &Path, new: &Path) -> io::Result<Option<PathBuf>> {
    let Ok(old) = fs::read(path) else { return Ok(None) };
    if old == fs::read(new)? {
        return Ok(None);
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let ending = path.extension().map_or_else(String::new, |e| format!(".{}", e.to_string_lossy()));
    for number in 2.. {
        let kept = path.with_file_name(format!("{stem}-{number}{ending}"));
        match fs::hard_link(path, &kept) {
            Ok(()) => return Ok(Some(kept)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            // A file system without links.
            Err(_) if !kept.exists() => return fs::rename(path, &kept).map(|()| Some(kept)),
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

impl std::fmt::Debug for SafeCsv {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SafeCsv").field("path", &self.path).finish_non_exhaustive()
    }
}

/// One line of cells, none of which is a formula.
pub(super) fn csv_line(cells: &[&str], delimiter: u8) -> Vec<u8> {
    let mut csv = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
    let cells: Vec<Cow<'_, str>> = cells.iter().map(|cell| disarmed(cell)).collect();
    // A list in memory takes whatever it is given.
    let _ = csv.write_record(cells.iter().map(|c| c.as_bytes()));
    csv.into_inner().unwrap_or_default()
}

/// Puts these bytes in the place of a file, durably: all of them or none.
pub(super) fn replace_file(path: &Path, bytes: &[u8]) -> Result<(), ContactsError> {
    let failed = |reason| unwritable(path, reason);
    let (temporary, mut file) = create_beside(path).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    fs::rename(&temporary.0, path).map_err(failed)?;
    sync_folder(path).map_err(failed)
}

/// The same, and the file keeps its mode. A link stays one: what it leads to is replaced.
pub(super) fn replace_file_keeping_mode(path: &Path, bytes: &[u8]) -> Result<(), ContactsError> {
    let failed = |reason| unwritable(path, reason);
    let real = path.canonicalize().map_err(failed)?;
    let (temporary, mut file) = create_beside(&real).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.set_permissions(fs::metadata(&real).map_err(failed)?.permissions()).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    fs::rename(&temporary.0, &real).map_err(failed)?;
    sync_folder(&real).map_err(failed)
}

fn unwritable(path: &Path, reason: io::Error) -> ContactsError {
    ContactsError::Unwritable { path: path.to_owned(), reason }
}

/// A cell that no spreadsheet takes for a formula. [`armed`] gives it back as it was.
pub(super) fn disarmed(cell: &str) -> Cow<'_, str> {
    if is_formula(cell.trim_start_matches('\'')) { Cow::Owned(format!("'{cell}")) } else { Cow::Borrowed(cell) }
}

/// What a disarmed cell was before.
pub(super) fn armed(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(before) if is_formula(cell.trim_start_matches('\'')) => before,
        _ => cell,
    }
}

/// Whether some spreadsheet may take a cell for a formula: also behind white space, also as wide letters.
fn is_formula(cell: &str) -> bool {
    cell.starts_with(['\t', '\r', '\n']) || cell.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
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
    use proptest::prelude::*;

    #[test]
    fn no_cell_is_a_formula() {
        for (cell, written) in [
            ("=HYPERLINK(\"x\")", "'=HYPERLINK(\"x\")"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@a", "'@a"),
            ("\t=1", "'\t=1"),
            ("\r=1", "'\r=1"),
            ("\n=1", "'\n=1"),
            (" =1", "' =1"),
            ("＝1", "'＝1"),
            ("'=1", "''=1"),
            ("'tis", "'tis"),
            ("a=1", "a=1"),
            ("", ""),
        ] {
            assert_eq!(disarmed(cell), written);
        }
    }

    #[test]
    fn a_file_is_there_when_it_is_complete_and_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list.csv");
        let mut file = SafeCsv::create(&path).unwrap();
        file.write(["name", "note"]).unwrap();
        file.write(["Zoë", "=1", "a,\"b\""]).unwrap();
        assert!(!path.exists());
        file.finish().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "\u{feff}name,note\nZoë,'=1,\"a,\"\"b\"\"\"\n");
        #[cfg(unix)]
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions()) & 0o777, 0o600);
        drop(SafeCsv::create(&path).unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "an unfinished one leaves nothing");
    }

    proptest! {
        #[test]
        fn a_disarmed_cell_can_be_armed_again(cell in "['=@+ \ta＝-]{0,5}") {
            let written = disarmed(&cell);
            prop_assert_eq!(armed(&written), cell.as_str());
            prop_assert!(!is_formula(&written));
        }
    }
}
