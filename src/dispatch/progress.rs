//! What can be seen of a dispatch while it runs. Figures of this run only; the ledger has the truth.

use jiff::Timestamp;

use crate::ledger::{Counts, Recovered};
use crate::model::{Disposition, MessageKind, MessageState};

/// Why nothing is being handed over just now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Until when, where that is known.
    pub until: Option<Timestamp>,
    /// For what, in words.
    pub reason: String,
}

/// A picture of a dispatch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// What the ledger held at the start.
    pub at_start: Counts,
    /// What the start had to put right.
    pub recovered: Recovered,
    /// Letters that left the queue in this run, whatever became of them.
    pub letters_settled: u64,
    /// Letters that the relay accepted in this run.
    pub letters_sent: u64,
    /// Confirmations that the relay accepted in this run.
    pub confirmations_sent: u64,
    /// Messages bounced or expired in this run.
    pub failed: u64,
    /// Refusals for now in this run.
    pub deferrals: u64,
    /// Messages in doubt from this run.
    pub in_doubt: u64,
    /// Why nothing moves, if nothing does.
    pub waiting: Option<Waiting>,
    /// Why the ledger cannot be written just now, if it cannot: nothing is sent meanwhile.
    pub ledger_trouble: Option<String>,
}

impl Progress {
    /// Before anything is known.
    pub fn idle() -> Self {
        Self::starting(Counts::zero(), Recovered::default())
    }

    pub(super) fn starting(at_start: Counts, recovered: Recovered) -> Self {
        Self {
            at_start,
            recovered,
            letters_settled: 0,
            letters_sent: 0,
            confirmations_sent: 0,
            failed: 0,
            deferrals: 0,
            in_doubt: 0,
            waiting: None,
            ledger_trouble: None,
        }
    }

    /// Letters that this run began with and that move by themselves.
    pub fn letters_to_do(&self) -> u64 {
        let moving = MessageState::ALL.into_iter().filter(|s| s.moves_by_itself());
        moving.map(|s| self.at_start.of(MessageKind::Letter, s)).sum()
    }

    pub(super) fn count(&mut self, kind: MessageKind, disposition: Disposition) {
        let settled = !matches!(disposition, Disposition::Deferred { .. });
        match (disposition, kind) {
            (Disposition::Sent, MessageKind::Letter) => self.letters_sent += 1,
            (Disposition::Sent, MessageKind::Confirmation) => self.confirmations_sent += 1,
            (Disposition::Deferred { .. }, _) => self.deferrals += 1,
            (Disposition::Bounced | Disposition::Expired, _) => self.failed += 1,
            (Disposition::InDoubt, _) => self.in_doubt += 1,
        }
        if settled && kind == MessageKind::Letter {
            self.letters_settled += 1;
        }
    }
}
