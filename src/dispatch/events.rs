//! What is said between the world and the desk: a closed list of events, orders and chores.

use jiff::Timestamp;
use tokio::sync::oneshot;

use crate::ledger::{Claim, Leased, LedgerError, Pause, RelayRecord};
use crate::model::{MessageId, MessageKind, Outcome};
use crate::policy::{RelayEffect, Verdict};

use super::PaceRules;
use super::recall::Deal;

/// What the world tells the desk.
#[derive(Debug)]
pub(super) enum Event {
    /// A worker wants work.
    Ask {
        relay: usize,
        connected: bool,
        reply: oneshot::Sender<Order>,
    },
    /// A worker that is handing over wants the message after that, if one may go now. Answered at once: with an order,
    /// or with nothing.
    AskAhead {
        relay: usize,
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
        /// Whether the worker has its next message in hand.
        goes_on: bool,
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
    /// Staff put a mailbox on the suppression list; the ledger knows which.
    Suppressed,
    Tick,
}

impl Event {
    pub(super) fn returned(relay: usize, kind: MessageKind, result: Result<(), LedgerError>) -> Self {
        match result {
            Ok(()) | Err(LedgerError::LostRow { .. }) => Self::Returned { relay, kind, goes_on: false },
            Err(error) => Self::LedgerFailed(error),
        }
    }
}

impl Event {
    /// The same of a message that was to come after the one in hand.
    pub(super) fn going_on(self) -> Self {
        match self {
            Self::Returned { relay, kind, .. } => Self::Returned { relay, kind, goes_on: true },
            other => other,
        }
    }
}

/// What the desk tells a worker.
#[derive(Debug)]
pub(super) enum Order {
    Connect,
    HandOver(Box<Leased>, Deal),
    Leave,
}

/// What the desk wants done while it goes on.
#[derive(Debug)]
pub(super) enum Chore {
    /// In which round it is asked for tells an empty claim from a stale one.
    Claim(Claim, u64),
    GiveBack(Box<Leased>, Option<Timestamp>),
    /// Not to be claimed again before that time.
    Postpone(Box<Leased>, Timestamp),
    /// Waits for staff, with the reason.
    SetAside(Box<Leased>, String),
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
    /// Whether the worker has its next message in hand.
    pub(super) goes_on: bool,
}

impl Report {
    /// Of a hand-over whose end is not known yet.
    pub(super) fn begun(relay: usize, leased: &Leased) -> Begun {
        Begun { relay, message: leased.id(), kind: leased.kind(), lane: leased.lane() }
    }
}

/// The beginning of a report.
#[derive(Debug, Clone, Copy)]
pub(super) struct Begun {
    relay: usize,
    message: MessageId,
    kind: MessageKind,
    lane: i64,
}

impl Begun {
    pub(super) fn with(self, outcome: Outcome, verdict: Verdict, goes_on: bool) -> Report {
        let Self { relay, message, kind, lane } = self;
        Report { relay, message, kind, lane, outcome, verdict, goes_on }
    }
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
