//! How the program ends. The numbers are an interface: scripts depend on them.

use std::process::{ExitCode, Termination};

/// The exit codes, as documented in `--help` and in the README.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// What was asked for is done.
    Done = 0,
    /// The program failed in a way that it does not know.
    Internal = 1,
    /// The command line or `config.toml` cannot be used.
    Usage = 2,
    /// Contacts or letter stand in the way of sending, or `doctor` found something that does.
    Refused = 3,
    /// The campaign stopped itself (relay account, breaker, ledger), or did not begin: its ledger was restored or copied, or
    /// its start missed.
    Stopped = 4,
    /// Nothing can move any more, and some messages failed.
    FinishedWithFailures = 5,
    /// Another dispatcher holds this ledger.
    Busy = 6,
    /// Nothing is left but messages in doubt or held.
    WaitingForStaff = 7,
    /// Staff interrupted twice.
    Interrupted = 130,
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(self as u8)
    }
}
