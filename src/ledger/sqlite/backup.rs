//! A copy of a ledger, made while others read it and write into it.
//!
//! It is made by `VACUUM INTO`: one statement, which sees the ledger as it is at one moment and holds up no writer. The
//! other way that `SQLite` has, page by page, begins anew whenever another process writes, so that beside a running
//! campaign it would not end; and it would copy what was erased and still lies in free pages.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::Connection;

use crate::ledger::{Counts, LedgerError, Result};

use super::cells::Ms;
use super::fault::{Fault, Work, storage};
use super::file::{self, DispatchLock, beside};
use super::{SqliteLedger, examine, read};

/// A copy that is whole and on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// Its size.
    pub bytes: u64,
    /// How many people it knows.
    pub people: u64,
    /// Its messages.
    pub counts: Counts,
}

impl SqliteLedger {
    /// Copies the ledger into a file that is its owner's alone; one that is there is replaced only where `replace` says
    /// so and it is a ledger.
    pub fn back_up(&self, to: &Path, replace: bool, now: Timestamp) -> Result<Copied> {
        must_be_free(&self.shared.path, to, replace)?;
        let draft = Draft::new(to)?;
        let from = file::connect(&self.shared.path, self.shared.busy_timeout)?;
        copy(&from, &draft.path).map_err(|fault| fault.at(to))?;
        drop(from);
        let (people, counts) = mark_and_check(&draft.path, to, now)?;
        let whole = File::open(&draft.path).and_then(|file| {
            file.sync_all()?;
            Ok(file.metadata()?.len())
        });
        let bytes = whole.map_err(|e| storage(to, e.to_string()))?;
        must_be_free(&self.shared.path, to, replace)?;
        put_in_place(&draft.path, to)?;
        Ok(Copied { bytes, people, counts })
    }
}

/// The copy under another name, until it is whole. Gone with this, unless it was renamed.
struct Draft {
    path: PathBuf,
    /// Locked as long as the copy is being made.
    _file: File,
}

impl Draft {
    /// An empty file that only its owner may read. One that a copy left which did not end is thrown away.
    fn new(to: &Path) -> Result<Self> {
        let path = beside(to, ".new");
        if File::open(&path).is_ok_and(|file| file.try_lock_shared().is_err()) {
            let text = format!("another copy is being made to {}; nothing was copied", to.display());
            return Err(LedgerError::Conflict(text));
        }
        remove(&path);
        let file = file::open_private(&path, true).and_then(|file| {
            file.lock()?;
            Ok(file)
        });
        Ok(Self { path, _file: file.map_err(|e| storage(to, e.to_string()))? })
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

fn remove(draft: &Path) {
    for leftover in [draft.to_owned(), beside(draft, "-journal"), beside(draft, "-wal"), beside(draft, "-shm")] {
        // What cannot be removed stops the next step, which tells why.
        let _ = std::fs::remove_file(leftover);
    }
}

fn must_be_free(ledger: &Path, to: &Path, replace: bool) -> Result<()> {
    let refuse = |why: &str| Err(LedgerError::Conflict(format!("{} {why}; nothing was copied", to.display())));
    let same = |path: &Path| matches!((path.canonicalize(), to.canonicalize()), (Ok(a), Ok(b)) if a == b);
    // The draft is thrown away at the end, so it must not be the ledger either.
    if matches!((ledger.canonicalize(), beside(to, ".new").canonicalize()), (Ok(a), Ok(b)) if a == b) {
        return refuse("would need the ledger's own name on the way");
    }
    if same(ledger) || ["-wal", "-shm", ".lock"].iter().any(|suffix| same(&beside(ledger, suffix))) {
        return refuse("is the ledger itself");
    }
    match std::fs::symlink_metadata(to) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            if beside(to, "-wal").exists() {
                return refuse("is not there, but the log of a database of that name is; use another name");
            }
            Ok(())
        }
        Err(error) => Err(storage(to, error.to_string())),
        Ok(found) if found.is_dir() => refuse("is a folder; name a file in it"),
        Ok(_) if !replace => refuse("is there already; use another name, or replace it with --force"),
        Ok(found) if !found.is_file() || !file::is_ledger(to) => refuse("is no ledger, so it is not replaced"),
        Ok(_) if DispatchLock::is_taken(to) => refuse("is being sent from"),
        Ok(_) => Ok(()),
    }
}

fn copy(from: &Connection, to: &Path) -> Work<()> {
    let to = to.to_str().ok_or_else(|| LedgerError::Conflict("the name of the copy is not UTF-8".into()))?;
    from.execute("VACUUM INTO ?1", [to])?;
    Ok(())
}

/// Notes in the copy that it is one, and makes sure that it is whole.
fn mark_and_check(draft: &Path, to: &Path, now: Timestamp) -> Result<(u64, Counts)> {
    let fault = |fault: Fault| fault.at(to);
    let work = || -> Work<_> {
        let db = Connection::open(draft)?;
        db.execute("UPDATE campaign SET copied_at = ?1", [Ms::from(now)])?;
        let problems = examine::damage(&db);
        let people = db.query_row("SELECT count(*) FROM person", [], |row| read::number(row, 0))?;
        let counts = read::counts(&db)?;
        // As the ledger itself: kept in the file, for whoever opens it.
        db.pragma_update(None, "journal_mode", "WAL")?;
        db.close().map_err(|(_, error)| Fault::Database(error))?;
        Ok((problems, people, counts))
    };
    let (problems, people, counts) = work().map_err(fault)?;
    match problems.first() {
        None => Ok((people, counts)),
        Some(problem) => Err(storage(
            to,
            format!("the copy is damaged ({problem}), so the ledger may be, too; the copy was thrown away"),
        )),
    }
}

fn put_in_place(draft: &Path, to: &Path) -> Result<()> {
    // The log of a copy that was there before must not be taken for this one's.
    for log in ["-wal", "-shm"] {
        match std::fs::remove_file(beside(to, log)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(storage(to, error.to_string())),
            _ => {}
        }
    }
    std::fs::rename(draft, to).and_then(|()| file::sync_folder(to)).map_err(|e| storage(to, e.to_string()))
}
