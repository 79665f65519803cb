//! The ledger's file: made whole or not at all, readable by its owner only, with one dispatcher at a time.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, params};

use crate::failpoint;
use crate::ledger::{CampaignState, LedgerError, Result};
use crate::model::CampaignTag;

use super::cells::Ms;
use super::fault::{Fault, Work, storage};
use super::{mark, schema};

const LOCK_TRIES: u32 = 5;
const LOCK_PAUSE: Duration = Duration::from_millis(40);

/// The right to dispatch from a ledger; freed when it is dropped, also by a kill.
#[derive(Debug)]
pub(super) struct DispatchLock {
    file: File,
    /// The mark in the file.
    highest: Mutex<u64>,
}

impl DispatchLock {
    /// Takes the lock; [`LedgerError::Busy`] when another process has it.
    pub(super) fn take(ledger: &Path) -> Result<Self> {
        let file = open_private(&beside(ledger, ".lock"), false).map_err(|e| storage(ledger, e.to_string()))?;
        for tries_left in (0..LOCK_TRIES).rev() {
            match file.try_lock() {
                Ok(()) => return Ok(Self { file, highest: Mutex::new(0) }),
                // Whoever only asks whether a dispatcher runs holds it for a moment.
                Err(TryLockError::WouldBlock) if tries_left > 0 => std::thread::sleep(LOCK_PAUSE),
                Err(TryLockError::WouldBlock) => break,
                Err(TryLockError::Error(error)) => return Err(storage(ledger, error.to_string())),
            }
        }
        Err(LedgerError::Busy(ledger.to_owned()))
    }

    /// Moves the mark up, never down: calls may come out of order.
    pub(super) fn raise(&self, tag: &CampaignTag, reached: u64) {
        let mut highest = self.highest.lock().unwrap_or_else(PoisonError::into_inner);
        if reached > *highest {
            *highest = reached;
            mark::write(&self.file, tag, reached);
        }
    }

    /// Puts the mark where the ledger is.
    pub(super) fn renew(&self, tag: &CampaignTag, reached: u64) {
        *self.highest.lock().unwrap_or_else(PoisonError::into_inner) = reached;
        mark::write(&self.file, tag, reached);
    }

    /// Whether a process has the lock now.
    pub(super) fn is_taken(ledger: &Path) -> bool {
        let lock = OpenOptions::new().read(true).open(beside(ledger, ".lock"));
        lock.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }
}

/// How far the ledger had come when it was last sent from, as its lock file has it.
pub(super) fn mark(ledger: &Path, tag: &CampaignTag) -> Option<u64> {
    mark::read(File::open(beside(ledger, ".lock")).ok()?, tag)
}

/// Makes a ledger under another name and renames it once it is whole. The caller holds the lock.
pub(super) fn create(ledger: &Path, name: &str, tag: &CampaignTag, now: Ms, busy_timeout: Duration) -> Result<()> {
    if ledger.try_exists().map_err(|e| storage(ledger, e.to_string()))? {
        return Err(LedgerError::Conflict(format!(
            "there is a ledger at {} already; it was left alone",
            ledger.display()
        )));
    }
    let draft = beside(ledger, ".new");
    for leftover in [draft.clone(), beside(&draft, "-wal"), beside(&draft, "-shm")] {
        match std::fs::remove_file(&leftover) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(storage(ledger, error.to_string())),
            _ => {}
        }
    }
    open_private(&draft, true).map_err(|e| storage(ledger, e.to_string()))?;
    fill(&draft, name, tag, now, busy_timeout).map_err(|fault| fault.at(ledger))?;
    failpoint::reached("create.filled");
    std::fs::rename(&draft, ledger).and_then(|()| sync_folder(ledger)).map_err(|e| storage(ledger, e.to_string()))?;
    failpoint::reached("create.renamed");
    Ok(())
}

fn fill(draft: &Path, name: &str, tag: &CampaignTag, now: Ms, busy_timeout: Duration) -> Work<()> {
    let mut db = Connection::open(draft)?;
    schema::set_up(&db, busy_timeout)?;
    let tx = db.transaction()?;
    schema::create(&tx)?;
    tx.execute(
        "INSERT INTO campaign (one, tag, name, created_at, state, reason, state_at) VALUES (1, ?1, ?2, ?3, ?4, '', ?3)",
        params![tag.as_str(), name, now, CampaignState::Planned],
    )?;
    tx.commit()?;
    // Kept in the file, for every connection to come.
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.close().map_err(|(_, error)| Fault::Database(error))
}

/// Opens a connection to a ledger that is there and is one of ours.
pub(super) fn connect(ledger: &Path, busy_timeout: Duration) -> Result<Connection> {
    must_be_there(ledger)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = Connection::open_with_flags(ledger, flags).map_err(|e| Fault::from(e).at(ledger))?;
    let identity = db.busy_timeout(busy_timeout).and_then(|()| identity(&db));
    match identity {
        Ok((schema::APPLICATION_ID, schema::VERSION)) => {}
        Ok((schema::APPLICATION_ID, 1..schema::VERSION)) => {
            schema::upgrade(&mut db).map_err(|e| Fault::from(e).at(ledger))?;
        }
        Ok((schema::APPLICATION_ID, version)) => {
            let known = schema::VERSION;
            return Err(foreign(
                ledger,
                format!("it is of version {version}, this program knows {known}; use the program that made it"),
            ));
        }
        Ok(_) => return Err(foreign(ledger, "it is another program's database")),
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::NotADatabase) => {
            return Err(foreign(ledger, "it is not a database"));
        }
        Err(error) => return Err(Fault::from(error).at(ledger)),
    }
    schema::set_up(&db, busy_timeout).map_err(|e| Fault::from(e).at(ledger))?;
    Ok(db)
}

/// Whether there is a file at all.
pub(super) fn must_be_there(ledger: &Path) -> Result<()> {
    match std::fs::metadata(ledger) {
        Err(error) if error.kind() == ErrorKind::NotFound => Err(LedgerError::Absent(ledger.to_owned())),
        Err(error) => Err(storage(ledger, error.to_string())),
        Ok(found) if !found.is_file() => Err(foreign(ledger, "it is not a file")),
        Ok(_) => Ok(()),
    }
}

/// Application and version, as the file says them.
pub(super) fn identity(db: &Connection) -> rusqlite::Result<(i32, i32)> {
    let application = db.pragma_query_value(None, "application_id", |row| row.get(0))?;
    Ok((application, schema::version(db)?))
}

/// Whether a file says of itself that it is a ledger. Nothing is made or changed by asking.
pub(super) fn is_ledger(path: &Path) -> bool {
    use std::io::Read;
    // The header of an `SQLite` file holds the number of its program at byte 68.
    let mut header = [0; 72];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut header));
    read.is_ok() && header.starts_with(b"SQLite format 3\0") && header[68..] == schema::APPLICATION_ID.to_be_bytes()
}

/// The error for a file that is not one of ours.
pub(super) fn foreign(ledger: &Path, why: impl Into<String>) -> LedgerError {
    LedgerError::Foreign { path: ledger.to_owned(), reason: why.into() }
}

/// The name of a file that stands beside another.
pub(super) fn beside(ledger: &Path, suffix: &str) -> PathBuf {
    let mut path = OsString::from(ledger);
    path.push(suffix);
    path.into()
}

/// Opens or makes a file that only its owner may read, from its first byte on. `SQLite` gives its side files
/// (`-wal`, `-shm`) the mode of the database.
pub(super) fn open_private(path: &Path, new: bool) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).create_new(new);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes a rename durable.
pub(super) fn sync_folder(file: &Path) -> std::io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_connection_commits_with_full_durability() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("campaign.ledger");
        let tag = CampaignTag::parse("k3m9x2").unwrap();
        create(&path, "Trees", &tag, Ms(0), Duration::ZERO).unwrap();
        let db = connect(&path, Duration::ZERO).unwrap();
        let setting = |name| db.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(setting("synchronous"), 2);
        assert_eq!(setting("foreign_keys"), 1);
        let mode: String = db.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
        assert_eq!(mode, "wal");
    }

    #[test]
    fn asking_whether_a_dispatcher_runs_does_not_keep_one_from_starting() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("campaign.ledger");
        assert!(!DispatchLock::is_taken(&path));
        let lock = DispatchLock::take(&path).unwrap();
        assert!(DispatchLock::is_taken(&path));
        assert!(matches!(DispatchLock::take(&path), Err(LedgerError::Busy(_))));
        drop(lock);
        assert!(!DispatchLock::is_taken(&path));
        // As if somebody were asking at this moment.
        let asking = File::open(beside(&path, ".lock")).unwrap();
        asking.try_lock_shared().unwrap();
        let answered = std::thread::spawn(move || {
            std::thread::sleep(LOCK_PAUSE);
            drop(asking);
        });
        assert!(DispatchLock::take(&path).is_ok());
        answered.join().unwrap();
    }
}
