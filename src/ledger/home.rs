//! Where a ledger is at home: the machine and the file that it was last sent from, and how far it had come.
//!
//! A ledger that was restored or cloned does not know what went out after the copy was made. Sending from it may send
//! letters twice, so whoever sends asks first. This file has the words only; a backend says which of them are true.

use std::fmt;

use jiff::Timestamp;

/// A machine, by whatever name tells it from every other. The name is kept as a salted hash alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Machine(String);

impl Machine {
    /// The machine of that name.
    pub fn named(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Machine")
    }
}

/// A sign that a ledger is not the one that was last sent from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restored {
    /// The file says that it is a copy.
    Copied {
        /// When it was made.
        at: Timestamp,
    },
    /// It was last sent from another machine.
    OtherMachine,
    /// It was last sent from another file of this machine.
    OtherFile,
    /// More was sent from it than it knows of.
    Older {
        /// So many tries are not in it; the last of them was a hand-over, the others may have been refusals.
        missing: u64,
    },
}

impl Restored {
    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Copied { .. } => "copied",
            Self::OtherMachine => "other_machine",
            Self::OtherFile => "other_file",
            Self::Older { .. } => "older",
        }
    }
}
