//! What a relay's own log is asked about, and what it settled.

use jiff::Timestamp;

use crate::model::{MessageId, MessageKind, MessageState};

/// A message that a log may tell about.
#[derive(Clone)]
pub struct Doubtful {
    /// Its number.
    pub message: MessageId,
    /// Letter or confirmation.
    pub kind: MessageKind,
    /// Where it stands.
    pub state: MessageState,
    /// Its Message-ID, once fixed, without angle brackets.
    pub message_id: Option<String>,
    /// Its recipient, by [`crate::model::EmailAddress::key`]; nothing where the official has no mailbox.
    pub mailbox: Option<String>,
    /// The relay it was last handed to; empty where it was not.
    pub relay: String,
    /// When it was last tried: not before this moment; nothing where it never was.
    pub since: Option<Timestamp>,
    /// When that try ended, or was found open.
    pub at: Option<Timestamp>,
}

/// Without the mailbox, because debug output ends in logs.
impl std::fmt::Debug for Doubtful {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Doubtful").field("message", &self.message).field("state", &self.state).finish_non_exhaustive()
    }
}

/// A relay's log says that it took a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogProof {
    /// Which message.
    pub message: MessageId,
    /// Under which name of the relay's.
    pub queue_id: String,
    /// When, where the log says.
    pub at: Option<Timestamp>,
}

/// What a log settled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SettledByLog {
    /// Messages that were in doubt and are sent.
    pub in_doubt: u64,
    /// Messages that waited here and are sent: the ledger is older than the log.
    pub waiting: u64,
    /// Confirmations of the latter that are out already.
    pub confirmations: u64,
    /// Messages of this campaign that the relay has, and of which the ledger knows nothing.
    pub unknown: u64,
    /// Messages that a dispatcher or staff moved meanwhile; left alone.
    pub moved_meanwhile: u64,
}
