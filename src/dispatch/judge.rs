//! What a worker needs to judge an outcome: the rules of policy, with the time and the randomness that policy must
//! not fetch itself.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::ledger::Leased;
use crate::model::{Attempt, Class, Disposition, LossCause, MessageId, MessageKind, Outcome, Phase};
use crate::policy::{BreakOffs, RelayEffect, Replies, RetrySchedule, Situation, Verdict, decide, jittered};

use super::OnDoubt;
use super::chance::Chance;
use super::clock::Clock;

/// Bad news waits so long: within it the breaker may show that it is not about this recipient at all.
const BAD_NEWS_DELAY: Duration = Duration::from_secs(30);

/// See the module. One for each relay.
#[derive(Debug)]
pub(super) struct Judge {
    pub(super) clock: Clock,
    pub(super) replies: Replies,
    pub(super) break_offs: Mutex<BreakOffs>,
    pub(super) retry: RetrySchedule,
    pub(super) deadline: Option<Timestamp>,
    pub(super) on_doubt: OnDoubt,
    pub(super) lane_wait: LaneWait,
    pub(super) chance: Mutex<Chance>,
}

/// How long a lane waits after a hand-over. Clones share it, because staff may change it while letters go.
#[derive(Debug, Clone, Default)]
pub(super) struct LaneWait(Arc<AtomicU64>);

impl LaneWait {
    /// From now on; nothing: no wait at all.
    pub(super) fn set(&self, interval: Option<Duration>) {
        let nanos = interval.unwrap_or_default().as_nanos();
        self.0.store(u64::try_from(nanos).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn get(&self) -> Option<Duration> {
        Some(Duration::from_nanos(self.0.load(Ordering::Relaxed))).filter(|interval| !interval.is_zero())
    }
}

/// What a lease remembers of earlier tries, kept while the lease itself is consumed.
#[derive(Debug, Clone, Copy)]
pub(super) struct History {
    /// None where no message was offered.
    message: Option<MessageId>,
    tries_counted: u32,
    first_attempt_at: Option<Timestamp>,
    is_letter: bool,
    is_first: bool,
}

impl History {
    pub(super) fn of(leased: &Leased) -> Self {
        Self {
            message: Some(leased.id()),
            tries_counted: leased.attempts,
            first_attempt_at: leased.first_attempt_at,
            is_letter: leased.kind() == MessageKind::Letter,
            is_first: leased.stamp.is_none(),
        }
    }
}

impl Judge {
    pub(super) fn attempt(&self, relay: &str, outcome: &Outcome, history: History) -> (Attempt, Verdict) {
        let is_suspect = history.message.is_some_and(|message| self.break_offs().is_suspect(message));
        let verdict = decide(
            outcome,
            &Situation {
                now: self.now(),
                tries_counted: history.tries_counted,
                first_attempt_at: history.first_attempt_at,
                // Letters have a deadline; what became of them is told also afterwards.
                deadline: self.deadline.filter(|_| history.is_letter),
                replies: &self.replies,
                is_suspect,
                retry: &self.retry,
                jitter: self.jitter(),
            },
        );
        // What was not offered, or not on a session, says nothing about the others that pass.
        if let Some(message) = history.message.filter(|_| outcome.phase() >= Phase::Mail) {
            let broke_off = verdict.class == Class::Connection || verdict.is_blamed();
            self.break_offs().observe(message, verdict.class, broke_off);
        }
        let attempt = Attempt {
            at: self.clock.now().clock,
            relay: relay.to_owned(),
            outcome: outcome.clone(),
            class: verdict.class,
            rule: verdict.rule.clone(),
            disposition: verdict.disposition,
        };
        (attempt, verdict)
    }

    /// Nothing is held across an await, and a half-done count would only be a count.
    fn break_offs(&self) -> std::sync::MutexGuard<'_, BreakOffs> {
        self.break_offs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn jitter(&self) -> f64 {
        self.chance.lock().unwrap_or_else(PoisonError::into_inner).jitter()
    }

    /// The time on the clock by which lanes and tries come due.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now().wall
    }

    /// A letter whose time is over is not offered any more: what is written down instead.
    pub(super) fn too_late(&self, relay: &str, leased: &Leased) -> Option<(Attempt, Verdict)> {
        let history = History::of(leased);
        self.is_over_for(history).then(|| {
            let (phase, cause) = (Phase::Connect, LossCause::DeadlinePassed);
            let outcome = Outcome::Lost { phase, cause, detail: String::new() };
            self.attempt(relay, &outcome, history)
        })
    }

    /// Whether the campaign's time is over for such a message. What became of letters is told also afterwards.
    pub(super) fn is_over_for(&self, history: History) -> bool {
        history.is_letter && self.deadline.is_some_and(|deadline| self.clock.now().clock > deadline)
    }

    /// What a failed connection does to its relay.
    pub(super) fn connection(&self, relay: &str, outcome: &Outcome) -> RelayEffect {
        let history =
            History { message: None, tries_counted: 0, first_attempt_at: None, is_letter: false, is_first: false };
        self.attempt(relay, outcome, history).1.effect
    }

    /// Whether a message in doubt is sent again without asking: once, at its first hand-over.
    pub(super) fn resends(&self, verdict: &Verdict, history: History) -> bool {
        self.on_doubt == OnDoubt::Resend && verdict.disposition == Disposition::InDoubt && history.is_first
    }

    /// From when the lane may give its next message, once this one is on the wire: not on the beat of a clock.
    pub(super) fn lane_ready_at(&self) -> Option<Timestamp> {
        let interval = jittered(self.lane_wait.get()?, self.jitter());
        self.now().checked_add(interval).ok()
    }

    /// When the constituent may be told, should this settle their last letter.
    pub(super) fn news_at(&self, verdict: &Verdict) -> Timestamp {
        let now = self.now();
        match verdict.disposition {
            Disposition::Bounced | Disposition::Expired => now.checked_add(BAD_NEWS_DELAY).unwrap_or(now),
            _ => now,
        }
    }
}
