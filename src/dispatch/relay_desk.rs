//! What the desk knows of one relay: whether it may be used now, by how many sessions, and what it last said.

use std::time::Duration;

use jiff::Timestamp;

use crate::ledger::{RelayRecord, RelayState};
use crate::model::Outcome;
use crate::policy::{RelayClock, RelayEffect, Throttle};

use super::desk::Now;

/// One relay.
#[derive(Debug)]
pub(super) struct RelayDesk {
    pub(super) name: String,
    connections: usize,
    /// Sessions that are being opened.
    pub(super) connecting: usize,
    /// Messages that are being handed over.
    pub(super) busy: usize,
    clock: RelayClock,
    throttle: Throttle,
    not_before: Option<Timestamp>,
    /// Lost since the last success: then one session at a time feels the way.
    shaky: bool,
    state: RelayState,
    /// What it last said when it could not be used.
    pub(super) trouble: String,
}

impl RelayDesk {
    pub(super) fn new(name: &str, connections: usize) -> Self {
        Self {
            name: name.to_owned(),
            connections,
            connecting: 0,
            busy: 0,
            clock: RelayClock::default(),
            throttle: Throttle::default(),
            not_before: None,
            shaky: false,
            state: RelayState::Up,
            trouble: String::new(),
        }
    }

    /// From when it may be used.
    pub(super) fn not_before(&self, now: Timestamp) -> Option<Timestamp> {
        self.not_before.filter(|at| *at > now)
    }

    /// Whether one more session may be opened for `waiting` messages.
    pub(super) fn may_connect(&self, waiting: usize) -> bool {
        self.connecting < if self.shaky { 1 } else { waiting }
    }

    /// Whether one more message may be handed over at the same time as those that are.
    pub(super) fn may_hand_over(&mut self, now: Now) -> bool {
        let share = self.throttle.connections_factor(now.wall);
        #[expect(clippy::cast_precision_loss, reason = "a count of connections, at most a few hundred")]
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and `connections`")]
        let allowed = ((self.connections as f64 * share).floor() as usize).max(1);
        self.busy < if self.shaky { 1 } else { allowed }
    }

    /// How much of its full rate it may have now.
    pub(super) fn rate_factor(&mut self, now: Timestamp) -> f64 {
        self.throttle.rate_factor(now)
    }

    /// A message was taken or refused for its own reasons: the relay works. Gives a record when that is news.
    pub(super) fn works(&mut self, now: Timestamp) -> Option<RelayRecord> {
        self.clock.succeeded();
        self.shaky = false;
        self.not_before = None;
        let state = if self.throttle.rate_factor(now) < 1.0 { RelayState::Slowed } else { RelayState::Up };
        (state != self.state).then(|| self.record(state, now, String::new()))
    }

    /// Something is wrong with the connection or the relay. Gives a record when that is news.
    pub(super) fn suffers(&mut self, effect: RelayEffect, outcome: &Outcome, now: Timestamp, jitter: f64) -> Option<RelayRecord> {
        let reason = outcome.to_string();
        match effect {
            RelayEffect::None => None,
            RelayEffect::Reconnect => {
                let first = !self.shaky;
                self.shaky = true;
                // The first loss after a success costs nothing; sessions that fall together count as one.
                if first || self.not_before(now).is_some() {
                    return None;
                }
                self.not_before = Some(self.clock.failed(now, jitter));
                Some(self.record(RelayState::Parked, now, reason))
            }
            RelayEffect::SlowDown | RelayEffect::FewerConnections => {
                if self.not_before(now).is_none() {
                    match effect {
                        RelayEffect::FewerConnections => self.throttle.fewer_connections(now),
                        _ => self.throttle.slow_down(now),
                    }
                    self.not_before = Some(self.clock.failed(now, jitter));
                }
                Some(self.record(RelayState::Slowed, now, reason))
            }
            RelayEffect::Park { at_least } => {
                let least = now.checked_add(at_least).unwrap_or(now);
                self.not_before = Some(self.clock.parked(now).max(least));
                Some(self.record(RelayState::Parked, now, reason))
            }
            RelayEffect::Stop => Some(self.record(RelayState::Stopped, now, reason)),
        }
    }

    /// A connection could not be made.
    pub(super) fn unreachable(&mut self, outcome: &Outcome, now: Timestamp, jitter: f64) -> Option<RelayRecord> {
        self.shaky = true;
        if self.not_before(now).is_some() {
            return None;
        }
        self.not_before = Some(self.clock.failed(now, jitter));
        Some(self.record(RelayState::Parked, now, outcome.to_string()))
    }

    fn record(&mut self, state: RelayState, since: Timestamp, reason: String) -> RelayRecord {
        self.state = state;
        self.trouble.clone_from(&reason);
        RelayRecord { name: self.name.clone(), state, since, until: self.not_before, reason }
    }

    /// How long until it may be used.
    pub(super) fn wait(&self, now: Timestamp) -> Option<Duration> {
        let at = self.not_before(now)?;
        Duration::try_from(at.duration_since(now)).ok()
    }
}
