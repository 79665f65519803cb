//! What the desk knows of one relay: whether it may be used now, by how many sessions, and what it last said.

use std::time::Duration;

use jiff::Timestamp;

use crate::ledger::{RelayRecord, RelayState};
use crate::model::Outcome;
use crate::policy::{Limit, RelayClock, RelayEffect, Throttle};

use super::RelayPlan;
use super::clock::Now;

/// One relay.
#[derive(Debug)]
pub(super) struct RelayDesk {
    pub(super) name: String,
    connections: u32,
    has_rate: bool,
    /// Sessions that are open.
    pub(super) open: usize,
    /// Sessions that are being opened.
    pub(super) connecting: usize,
    /// Messages that are being handed over.
    pub(super) busy: usize,
    clock: RelayClock,
    rate: Throttle,
    sessions: Throttle,
    not_before: Option<Timestamp>,
    /// It has sessions enough for now: no further one before.
    connect_not_before: Option<Timestamp>,
    /// Lost since the last success: then one session at a time feels the way.
    is_shaky: bool,
    state: RelayState,
    /// What it last said when it could not be used.
    pub(super) trouble: String,
}

impl RelayDesk {
    pub(super) fn new(plan: &RelayPlan) -> Self {
        Self {
            name: plan.relay.name().to_owned(),
            connections: u32::try_from(plan.connections).unwrap_or(u32::MAX),
            has_rate: plan.rate != Limit::Unlimited,
            open: 0,
            connecting: 0,
            busy: 0,
            clock: RelayClock::new(),
            rate: Throttle::new(),
            sessions: Throttle::new(),
            not_before: None,
            connect_not_before: None,
            is_shaky: false,
            state: RelayState::Up,
            trouble: String::new(),
        }
    }

    /// It has this rate from now on.
    pub(super) fn has_rate(&mut self, rate: Limit) {
        self.has_rate = rate != Limit::Unlimited;
    }

    /// From when it may be used, where that is not now.
    pub(super) fn not_before(&self, now: Now) -> Option<Timestamp> {
        self.not_before.filter(|at| *at > now.wall)
    }

    /// How long until it may be used, where that is not now.
    pub(super) fn wait(&self, now: Now) -> Option<Duration> {
        Duration::try_from(self.not_before(now)?.duration_since(now.wall)).ok()
    }

    /// Whether one more session may be opened for `waiting` messages.
    pub(super) fn may_connect(&self, waiting: usize, now: Now) -> bool {
        let allowed = self.sessions.of(self.connections, now.since_start) as usize;
        let is_held_back = self.open > 0 && self.has_sessions_enough(now);
        !is_held_back
            && self.open + self.connecting < allowed
            && self.connecting < if self.is_shaky { 1 } else { waiting }
    }

    fn has_sessions_enough(&self, now: Now) -> bool {
        self.connect_not_before.is_some_and(|at| at > now.wall)
    }

    /// Whether one more message may be handed over beside those that are.
    pub(super) fn may_hand_over(&self, now: Now) -> bool {
        let allowed = if self.is_shaky { 1 } else { self.sessions.of(self.connections, now.since_start) };
        u32::try_from(self.busy).unwrap_or(u32::MAX) < allowed
    }

    /// How much of its full rate it may have now.
    pub(super) fn rate_factor(&self, now: Now) -> f64 {
        self.rate.factor(now.since_start)
    }

    /// A message was taken, or refused for its own reasons: the relay works. Gives a record when that is news.
    pub(super) fn works(&mut self, now: Now) -> Option<RelayRecord> {
        if self.not_before(now).is_some() {
            return None; // begun before the pause, so it says nothing about it
        }
        self.clock.succeeded();
        self.is_shaky = false;
        let is_slowed = self.rate_factor(now) < 1.0 || self.sessions.factor(now.since_start) < 1.0;
        let state = if is_slowed { RelayState::Slowed } else { RelayState::Up };
        (state != self.state).then(|| self.record(state, now, self.trouble.clone()))
    }

    /// Something is wrong with the connection or the relay. Gives a record when that is news.
    pub(super) fn suffers(
        &mut self,
        effect: RelayEffect,
        outcome: &Outcome,
        now: Now,
        jitter: f64,
    ) -> Option<RelayRecord> {
        let reason = outcome.to_string();
        match effect {
            RelayEffect::None => None,
            // The first loss after a success costs nothing; sessions that fall together count as one.
            RelayEffect::Reconnect if !self.is_shaky => {
                self.is_shaky = true;
                None
            }
            RelayEffect::Reconnect => self.unreachable(outcome, now, jitter),
            // Too many sessions: those that are open go on, and no other is opened for a while.
            RelayEffect::FewerConnections if self.open > 0 => {
                self.sessions.slow_down(now.since_start);
                if !self.has_sessions_enough(now) {
                    self.connect_not_before = Some(self.clock.failed(now.wall, jitter));
                }
                Some(self.record(RelayState::Slowed, now, reason))
            }
            RelayEffect::SlowDown | RelayEffect::FewerConnections => {
                // Without a rate of its own there is none to lower: then fewer sessions are the slower pace.
                let by_rate = effect == RelayEffect::SlowDown && self.has_rate;
                let throttle = if by_rate { &mut self.rate } else { &mut self.sessions };
                throttle.slow_down(now.since_start);
                if self.not_before(now).is_none() {
                    self.not_before = Some(self.clock.failed(now.wall, jitter));
                }
                Some(self.record(RelayState::Slowed, now, reason))
            }
            RelayEffect::Park { at_least } => {
                // Sessions that hear it together count once; a shorter pause does not count.
                if self.state != RelayState::Parked || self.not_before(now).is_none() {
                    let until = self.clock.parked(now.wall, at_least);
                    self.not_before = self.not_before(now).max(Some(until));
                }
                Some(self.record(RelayState::Parked, now, reason))
            }
            RelayEffect::Stop => Some(self.record(RelayState::Stopped, now, reason)),
        }
    }

    /// A connection could not be made, or was lost again.
    pub(super) fn unreachable(&mut self, outcome: &Outcome, now: Now, jitter: f64) -> Option<RelayRecord> {
        self.is_shaky = true;
        if self.not_before(now).is_some() {
            return None;
        }
        self.not_before = Some(self.clock.failed(now.wall, jitter));
        Some(self.record(RelayState::Parked, now, outcome.to_string()))
    }

    fn record(&mut self, state: RelayState, now: Now, reason: String) -> RelayRecord {
        self.state = state;
        self.trouble.clone_from(&reason);
        RelayRecord { name: self.name.clone(), state, since: now.wall, until: self.not_before, reason }
    }
}
