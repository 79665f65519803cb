//! What is said between the world and the desk: a closed list of events, orders and chores.

use jiff::Timestamp;
use tokio::sync::oneshot;

use crate::ledger::{Claim, Leased, LedgerError, Pause, RelayRecord};
use crate::model::{MessageId, MessageKind, Outcome};
use crate::policy::{RelayEffect, Verdict};

use super::PaceRules;

/// What the world tells the desk.
#[derive(Debug)]
pub(super) enum Event {
    /// A worker wants work.
    Ask {
        relay: usize,
        connected: bool,
        reply: oneshot::Sender<Order>,
    },
    /// A session is open.
    Connected {
        relay: usize,
    },
    /// A session is closed.
    Closed {
        relay: usize,
    },
    /// A session could not be opened.
    ConnectFailed {
        relay: usize,
        outcome: Outcome,
        effect: RelayEffect,
    },
    /// A session was not opened because staff want to end.
    ConnectGivenUp {
        relay: usize,
    },
    /// A message was handed over or refused, and that is on disk.
    HandedOver(Report),
    /// A message was not offered after all.
    Returned {
        relay: usize,
        kind: MessageKind,
    },
    /// Messages out of the ledger.
    Claimed(Claimed),
    ChoreDone,
    /// The ledger failed a chore.
    ChoreFailed(LedgerError),
    /// The ledger failed a worker.
    LedgerFailed(LedgerError),
    /// A worker is gone.
    Left,
    /// Staff want to end.
    StopAsked,
    /// Staff want a pause, or its end.
    Paused(Option<Pause>),
    /// Staff want another pace.
    Revised(Box<PaceRules>),
    Tick,
}

impl Event {
    pub(super) fn returned(relay: usize, kind: MessageKind, result: Result<(), LedgerError>) -> Self {
        match result {
            Ok(()) | Err(LedgerError::LostRow { .. }) => Self::Returned { relay, kind },
            Err(error) => Self::LedgerFailed(error),
        }
    }
}

/// What the desk tells a worker.
#[derive(Debug)]
pub(super) enum Order {
    Connect,
    HandOver(Box<Leased>),
    Leave,
}

/// What the desk wants done while it goes on.
#[derive(Debug)]
pub(super) enum Chore {
    /// In which round it is asked for tells an empty claim from a stale one.
    Claim(Claim, u64),
    GiveBack(Box<Leased>, Option<Timestamp>),
    NoteRelay(RelayRecord),
    /// The deadline has passed: letters that wait expire.
    Expire,
    /// The pace is faster: no lane waits for longer than until then.
    PullLanesIn(Timestamp),
    /// Another total for each official.
    KeepTotals(Option<u64>),
    /// Bounced messages return to the queue: the breaker says that the refusals were not about them.
    Reinstate(Vec<MessageId>, String),
}

/// How one hand-over went.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) relay: usize,
    pub(super) message: MessageId,
    pub(super) kind: MessageKind,
    pub(super) lane: i64,
    pub(super) outcome: Outcome,
    pub(super) verdict: Verdict,
}

/// What a claim brought.
#[derive(Debug)]
pub(super) struct Claimed {
    pub(super) leased: Vec<Leased>,
    /// When nothing was ready: when something will be.
    pub(super) next_wake: Option<Timestamp>,
    /// In which round it was asked for.
    pub(super) round: u64,
}
