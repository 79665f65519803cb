//! What can go wrong inside a piece of work on the database, and what that means for its caller.
//!
//! A refusal is about one piece of work: the others of its batch go on. A failing database is about all of them.

use std::path::Path;

use rusqlite::ErrorCode;

use crate::ledger::LedgerError;
use crate::model::IllegalMove;

/// Why a piece of work did not come about.
#[derive(Debug)]
pub(super) enum Fault {
    /// The contract says no.
    Refused(LedgerError),
    /// The database says no.
    Database(rusqlite::Error),
}

/// What a piece of work gives.
pub(super) type Work<T> = Result<T, Fault>;

impl Fault {
    /// The error for the caller.
    pub(super) fn at(self, path: &Path) -> LedgerError {
        match self {
            Self::Refused(error) => error,
            Self::Database(error) => storage(path, in_words(&error)),
        }
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

impl From<LedgerError> for Fault {
    fn from(error: LedgerError) -> Self {
        Self::Refused(error)
    }
}

impl From<IllegalMove> for Fault {
    fn from(error: IllegalMove) -> Self {
        Self::Refused(error.into())
    }
}

/// Whether an error is about the database, and so about every piece of work of the batch. A cell that does not
/// read as what it should be is only about the work that needed it.
pub(super) fn spoils_batch(error: &rusqlite::Error) -> bool {
    use rusqlite::Error as E;
    !matches!(
        error,
        E::FromSqlConversionFailure(..) | E::InvalidColumnType(..) | E::IntegralValueOutOfRange(..) | E::Utf8Error(..)
    )
}

/// A storage error at that file.
pub(super) fn storage(path: &Path, reason: impl Into<String>) -> LedgerError {
    LedgerError::Storage { path: path.to_owned(), reason: reason.into() }
}

/// What the database said, with what to do about it. `SQLite`'s messages name columns, never their values.
pub(super) fn in_words(error: &rusqlite::Error) -> String {
    let advice = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "make room on its disk; nothing was half done",
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "another program has held its lock for too long; see who has the file open"
        }
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            "give yourself the right to write to it and its folder"
        }
        Some(ErrorCode::SystemIoFailure) => "its disk failed to read or write; look at the system's log",
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => "it is damaged; take the newest backup",
        Some(ErrorCode::CannotOpen) => "look at the rights of the file and its folder",
        _ => return error.to_string(),
    };
    format!("{error}; {advice}")
}
