//! What the desk knows of one relay: whether it may be used now, by how many sessions, and what it last said.

use std::time::Duration;

use jiff::Timestamp;

use crate::ledger::{RelayRecord, RelayState};
use crate::model::{MessageKind, Outcome, Phase};
use crate::policy::{Candidate, Carries, Limit, RelayClock, RelayEffect, Standing, Throttle};

use super::RelayPlan;
use super::clock::Now;

/// A relay that asked us to slow down and pauses for less is no reason for a spare.
const RESTING_MAX: Duration = Duration::from_secs(60);
/// A relay with all its sessions busy, of which nothing is heard for so long, holds up no other.
const SILENT_MAX: Duration = Duration::from_secs(2);

/// Why a relay is left alone that has nothing wrong.
const USED_UP: &str = "its quota of a day is used up";

/// Whether a refusal of our account may be about a token that has expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    /// No: there is none.
    None,
    /// Yes: each connection shows one of its own.
    MayExpire,
    /// The last one was refused, and a fresh one not yet.
    Refused,
}

/// Where one relay of an order has a weight, those without one count as 1.
pub(super) fn share_out(relays: &mut [RelayDesk]) {
    let weighted: Vec<u32> = relays.iter().filter(|r| r.weight.is_some()).map(|r| r.order).collect();
    for relay in relays.iter_mut().filter(|r| weighted.contains(&r.order)) {
        relay.weight = relay.weight.or(Some(1));
    }
}

/// One relay.
#[derive(Debug)]
pub(super) struct RelayDesk {
    pub(super) name: String,
    /// What it may carry.
    pub(super) carries: Carries,
    order: u32,
    weight: Option<u32>,
    /// Messages given to it, letters and confirmations, for the shares.
    given: [u64; 2],
    connections: u32,
    full_rate: Limit,
    /// Sessions that are open.
    pub(super) open: usize,
    /// Sessions that are being opened.
    pub(super) connecting: usize,
    /// Sessions that are handing over.
    pub(super) busy: usize,
    /// Messages whose envelope travels with the text before theirs; beside those that are being handed over.
    pub(super) ahead: usize,
    clock: RelayClock,
    rate: Throttle,
    sessions: Throttle,
    not_before: Option<Timestamp>,
    /// It has sessions enough for now: no further one before.
    connect_not_before: Option<Timestamp>,
    /// Lost since the last success: then one session at a time feels the way.
    is_shaky: bool,
    /// Our account is right, or there is none: before that is known, one session alone tries.
    is_known: bool,
    token: Token,
    /// When a session last told of it, on the steady clock.
    heard_at: Duration,
    /// Its own rate lets nothing go before.
    full_until: Duration,
    state: RelayState,
    /// How far it is slowed, as last noted.
    slowed_to: Option<String>,
    /// What it last said when it could not be used.
    pub(super) trouble: String,
}

impl RelayDesk {
    pub(super) fn new(plan: &RelayPlan) -> Self {
        Self {
            name: plan.relay.name().to_owned(),
            carries: plan.carries,
            order: plan.order,
            weight: plan.weight,
            given: [0; 2],
            connections: u32::try_from(plan.connections).unwrap_or(u32::MAX),
            full_rate: plan.rate,
            open: 0,
            connecting: 0,
            busy: 0,
            ahead: 0,
            clock: RelayClock::new(),
            rate: Throttle::new(),
            sessions: Throttle::new(),
            not_before: None,
            connect_not_before: None,
            is_shaky: false,
            is_known: !plan.relay.logs_in(),
            token: if plan.relay.renews_its_secret() { Token::MayExpire } else { Token::None },
            heard_at: Duration::ZERO,
            full_until: Duration::ZERO,
            state: RelayState::Up,
            slowed_to: None,
            trouble: String::new(),
        }
    }

    /// It has this rate from now on.
    pub(super) fn has_rate(&mut self, rate: Limit) {
        self.full_rate = rate;
    }

    /// Its quota of a day is used up for so long: as good as away.
    pub(super) fn is_used_up(&mut self, wait: Duration, now: Now) -> RelayRecord {
        self.not_before = now.wall.checked_add(wait).ok();
        self.record(RelayState::Parked, now, USED_UP.to_owned())
    }

    /// Its quota may have room again. Gives a record when that is news.
    pub(super) fn may_have_room(&mut self, now: Now) -> Option<RelayRecord> {
        let is_used_up = self.state == RelayState::Parked && self.trouble == USED_UP;
        is_used_up.then(|| {
            self.not_before = None;
            self.record(RelayState::Up, now, String::new())
        })
    }

    /// From when it may be used, where that is not now.
    pub(super) fn not_before(&self, now: Now) -> Option<Timestamp> {
        self.not_before.filter(|at| *at > now.wall)
    }

    /// How long until it may be used, where that is not now.
    pub(super) fn wait(&self, now: Now) -> Option<Duration> {
        Duration::try_from(self.not_before(now)?.duration_since(now.wall)).ok()
    }

    /// How it stands among the relays.
    pub(super) fn standing(&self, now: Now) -> Standing {
        match (self.state, self.wait(now)) {
            (RelayState::Stopped, _) => Standing::Stopped,
            (RelayState::Slowed, Some(wait)) if wait < RESTING_MAX => Standing::Resting,
            (_, Some(_)) => Standing::Away,
            (RelayState::Parked, None) => Standing::Trying,
            (RelayState::Up | RelayState::Slowed, None) => Standing::Well,
        }
    }

    /// As the choice among relays sees it, for messages of that kind.
    pub(super) fn candidate(&self, kind: MessageKind, now: Now) -> Candidate {
        let standing = self.standing(now);
        let moves = self.busy < self.open || now.since_start.saturating_sub(self.heard_at) < SILENT_MAX;
        let is_full = self.full_until > now.since_start;
        Candidate {
            order: self.order,
            weight: self.weight,
            standing,
            takes_part: standing == Standing::Well && self.open > 0 && moves && !is_full,
            given: self.given[kind as usize],
            wants_a_try: standing == Standing::Trying && self.busy == 0 && !is_full,
        }
    }

    /// It is given one more message of that kind.
    pub(super) fn given(&mut self, kind: MessageKind, now: Now) {
        self.given[kind as usize] += 1;
        self.heard_at = now.since_start;
    }

    /// So many messages of that kind count as given to it.
    pub(super) fn level(&mut self, kind: MessageKind, given: u64) {
        self.given[kind as usize] = given;
    }

    /// A session is open.
    pub(super) fn opened(&mut self, now: Now) {
        self.connecting -= 1;
        self.open += 1;
        self.is_known = true;
        if self.token == Token::Refused {
            self.token = Token::MayExpire;
        }
        self.heard_at = now.since_start;
    }

    /// Its own rate lets nothing go before.
    pub(super) fn is_full_until(&mut self, until: Duration) {
        self.full_until = until;
    }

    /// Whether our account is refused for a token that may have expired: then a fresh one is tried once, after a pause.
    /// Sessions that are refused together count as one.
    pub(super) fn token_may_be_stale(&mut self, outcome: &Outcome, effect: RelayEffect, now: Now) -> bool {
        let is_about_token = outcome.reply().is_some_and(|reply| reply.phase == Phase::Auth);
        let is_first = match self.token {
            Token::None => false,
            Token::MayExpire => true,
            Token::Refused => self.not_before(now).is_some(),
        };
        let may_be = effect == RelayEffect::Stop && is_about_token && is_first;
        if may_be {
            self.token = Token::Refused;
        }
        may_be
    }

    /// Whether one more session may be opened for `waiting` messages.
    pub(super) fn may_connect(&self, waiting: usize, now: Now) -> bool {
        let allowed = self.sessions.of(self.connections, now.since_start) as usize;
        let is_held_back = self.open > 0 && self.has_sessions_enough(now);
        !is_held_back
            && self.open + self.connecting < allowed
            && self.connecting < if self.is_shaky || !self.is_known { 1 } else { waiting }
    }

    fn has_sessions_enough(&self, now: Now) -> bool {
        self.connect_not_before.is_some_and(|at| at > now.wall)
    }

    /// Whether one more message may be handed over beside those that are.
    pub(super) fn may_hand_over(&self, now: Now) -> bool {
        let allowed = if self.is_shaky { 1 } else { self.sessions.of(self.connections, now.since_start) };
        u32::try_from(self.busy).unwrap_or(u32::MAX) < allowed
    }

    /// Whether a session that is handing over may have its next message already. Not where the way is being felt.
    pub(super) fn may_go_ahead(&self, now: Now) -> bool {
        let allowed = self.sessions.of(self.connections, now.since_start) as usize;
        !self.is_shaky && self.not_before(now).is_none() && self.busy <= allowed
    }

    /// A message of it is in nobody's hands any more; its session may have the next one already.
    pub(super) fn is_done_with_one(&mut self, goes_on: bool, now: Now) {
        let count = if goes_on { &mut self.ahead } else { &mut self.busy };
        *count -= 1;
        self.heard_at = now.since_start;
    }

    /// How much of its full rate it may have now.
    pub(super) fn rate_factor(&self, now: Now) -> f64 {
        self.rate.factor(now.since_start)
    }

    /// A message was taken, or refused for its own reasons: the relay works. Gives a record when that is news.
    pub(super) fn works(&mut self, now: Now) -> Option<RelayRecord> {
        if self.not_before(now).is_some() || self.state == RelayState::Stopped {
            return None; // begun before that, so it says nothing about it
        }
        self.clock.succeeded();
        self.is_shaky = false;
        let slowed_to = self.slowed_to(now);
        let state = if slowed_to.is_some() { RelayState::Slowed } else { RelayState::Up };
        // It recovers by steps, and each is news.
        (state != self.state || slowed_to != self.slowed_to).then(|| self.record(state, now, self.trouble.clone()))
    }

    /// How far it is slowed now, in words.
    fn slowed_to(&self, now: Now) -> Option<String> {
        let rate = self.full_rate.rate().filter(|_| self.rate_factor(now) < 1.0);
        let rate = rate.map(|full| self.rate.of_rate(full, now.since_start).to_string());
        let given = self.sessions.of(self.connections, now.since_start);
        let sessions = (given < self.connections).then(|| format!("{given} of {} connections", self.connections));
        let both: Vec<String> = rate.into_iter().chain(sessions).collect();
        (!both.is_empty()).then(|| both.join(", "))
    }

    /// Something is wrong with the connection or the relay. Gives a record when that is news.
    pub(super) fn suffers(
        &mut self,
        effect: RelayEffect,
        outcome: &Outcome,
        now: Now,
        jitter: f64,
    ) -> Option<RelayRecord> {
        let reason = outcome.masked();
        match effect {
            RelayEffect::None => None,
            _ if self.state == RelayState::Stopped => None,
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
                let by_rate = effect == RelayEffect::SlowDown && self.full_rate != Limit::Unlimited;
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
        if self.not_before(now).is_some() || self.state == RelayState::Stopped {
            return None;
        }
        self.not_before = Some(self.clock.failed(now.wall, jitter));
        Some(self.record(RelayState::Parked, now, outcome.masked()))
    }

    fn record(&mut self, state: RelayState, now: Now, reason: String) -> RelayRecord {
        self.state = state;
        self.trouble.clone_from(&reason);
        self.slowed_to = self.slowed_to(now);
        RelayRecord {
            name: self.name.clone(),
            state,
            since: now.wall,
            until: self.not_before(now),
            slowed_to: self.slowed_to.clone(),
            reason,
        }
    }
}
