//! Why a command could not do what it was asked for: words for the person, and the exit code for scripts.

use std::fmt;

use crate::compose::ComposeError;
use crate::config::{ConfigError, SecretError};
use crate::contacts::ContactsError;
use crate::ledger::LedgerError;
use crate::smtp::RelayError;

use super::Exit;

/// An error with the exit code that it means.
#[derive(Debug)]
pub struct Failure {
    /// How the program ends.
    pub exit: Exit,
    message: String,
}

impl Failure {
    pub(super) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into() }
    }

    /// A file of ours that could not be read or written.
    pub(super) fn file(path: &std::path::Path, error: &std::io::Error) -> Self {
        let advice = match error.kind() {
            std::io::ErrorKind::PermissionDenied => "; this user may not read or write it",
            std::io::ErrorKind::NotFound => "; is the folder right? Name it with --dir",
            std::io::ErrorKind::StorageFull => "; make room on the disk and try again",
            _ => "",
        };
        Self::new(Exit::Usage, format!("{}: {error}{advice}", path.display()))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::new(Exit::Usage, error.to_string())
    }
}

impl From<SecretError> for Failure {
    fn from(error: SecretError) -> Self {
        Self::new(Exit::Usage, error.to_string())
    }
}

impl From<RelayError> for Failure {
    fn from(error: RelayError) -> Self {
        Self::new(Exit::Usage, error.to_string())
    }
}

impl From<ContactsError> for Failure {
    fn from(error: ContactsError) -> Self {
        Self::new(Exit::Refused, error.to_string())
    }
}

impl From<ComposeError> for Failure {
    fn from(error: ComposeError) -> Self {
        Self::new(Exit::Refused, error.to_string())
    }
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        let exit = match &error {
            LedgerError::Busy(_) => Exit::Busy,
            LedgerError::Absent(_)
            | LedgerError::Foreign { .. }
            | LedgerError::Illegal(_)
            | LedgerError::Conflict(_) => Exit::Usage,
            LedgerError::Source(source) if source.is::<ContactsError>() => Exit::Refused,
            LedgerError::Source(_) | LedgerError::LostRow { .. } | LedgerError::Output(_) => Exit::Internal,
            LedgerError::Storage { .. } => Exit::Stopped,
        };
        Self::new(exit, error.to_string())
    }
}
