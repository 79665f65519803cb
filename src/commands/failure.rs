//! Why a command could not do what it was asked for: words for the person, and the exit code for scripts.

use std::fmt;

use crate::compose::ComposeError;
use crate::config::{ConfigError, DkimKeyError, SecretError};
use crate::contacts::ContactsError;
use crate::ledger::LedgerError;
use crate::report::paragraph;
use crate::smtp::RelayError;

use super::Exit;

/// An error with the exit code that it means.
#[derive(Debug)]
pub struct Failure {
    /// How the program ends.
    pub exit: Exit,
    message: String,
    /// Each reason by itself, where there are several.
    pub(super) reasons: Vec<Reason>,
}

/// One reason among several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reason {
    /// The file, or the part of the settings.
    pub(super) file: String,
    pub(super) line: Option<u64>,
    pub(super) what: String,
}

impl Reason {
    pub(super) fn new(file: &str, line: Option<u64>, what: &impl ToString) -> Self {
        Self { file: file.to_owned(), line, what: what.to_string() }
    }
}

impl Failure {
    pub(super) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), reasons: Vec::new() }
    }

    /// The same of a long message: broken into lines that fit a terminal, behind the name of the program.
    pub(super) fn long(exit: Exit, message: &str) -> Self {
        const NAME: &str = "undersigned: ";
        let lines = paragraph(&format!("{NAME}{message}"));
        Self::new(exit, lines.trim_start_matches(NAME))
    }

    /// Several reasons at once, each a line.
    pub(super) fn listing(exit: Exit, reasons: &[String]) -> Self {
        Self::new(exit, reasons.join("\n")).because(reasons.iter().map(|what| Reason::new("", None, what)).collect())
    }

    /// The same, with each of its reasons.
    pub(super) fn because(self, reasons: Vec<Reason>) -> Self {
        Self { reasons, ..self }
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

impl Failure {
    /// For programs: the same as an object.
    pub(super) fn json(&self) -> serde_json::Value {
        let one = |reason: &Reason| {
            let file = Some(&reason.file).filter(|file| !file.is_empty());
            serde_json::json!({ "file": file, "line": reason.line, "problem": reason.what })
        };
        let problems: Vec<_> = self.reasons.iter().map(one).collect();
        serde_json::json!({ "error": { "exit": self.exit as u8, "message": self.message, "problems": problems } })
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
        let reason = |problem: &crate::config::Problem| Reason::new(problem.place(), None, &problem.what());
        Self::new(Exit::Usage, error.to_string()).because(error.problems.iter().map(reason).collect())
    }
}

impl From<SecretError> for Failure {
    fn from(error: SecretError) -> Self {
        Self::new(Exit::Usage, error.to_string())
    }
}

impl From<DkimKeyError> for Failure {
    fn from(error: DkimKeyError) -> Self {
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
        let reasons = match &error {
            ContactsError::Refused(problems) => {
                problems.iter().map(|p| Reason::new(&p.file, p.line, &p.fault)).collect()
            }
            ContactsError::Changed { .. } | ContactsError::Unwritable { .. } => Vec::new(),
        };
        Self::new(Exit::Refused, error.to_string()).because(reasons)
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
