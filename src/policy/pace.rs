//! All limits on speed together: of the campaign, of each relay, of each recipient domain, of each mailbox.
//!
//! A hand-over needs the consent of all; nothing is taken from any limit unless all consent. Limits smooth, and are
//! `gate`s; quotas of a day and the warm-up only count, and are `tally`s.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::gate::{Answer, Gate, Moment, moment};
use super::groups::Groups;
use super::rate::Limit;
use super::tally::{Tally, day_begins, day_since};
use super::waiting_line::WaitingLine;
use super::warm_up::WarmUp;

/// The limits that do not depend on the relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaceSettings {
    /// Of the whole campaign.
    pub global: Limit,
    /// Of each recipient's mailbox.
    pub per_mailbox: Limit,
    /// Of each recipient's domain.
    pub per_domain: Limit,
    /// Domains that count as one.
    pub groups: Groups,
    /// Domains and groups with a limit of their own.
    pub domains: BTreeMap<String, Limit>,
    /// Mailboxes with a limit of their own, by [`crate::model::EmailAddress::key`].
    pub mailboxes: BTreeMap<String, Limit>,
    /// Of the whole campaign, on its first days.
    pub warm_up: WarmUp,
}

impl PaceSettings {
    /// As fast as it goes.
    pub fn unlimited() -> Self {
        Self {
            global: Limit::Unlimited,
            per_mailbox: Limit::Unlimited,
            per_domain: Limit::Unlimited,
            groups: Groups::default(),
            domains: BTreeMap::new(),
            mailboxes: BTreeMap::new(),
            warm_up: WarmUp::default(),
        }
    }
}

/// The limits of one relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RelayLimits {
    /// Smooth.
    pub rate: Limit,
    /// At most so many in any 24 hours, as fast as the rate lets them; whatever its unit.
    pub quota: Limit,
}

impl RelayLimits {
    /// As fast as it goes.
    pub const UNLIMITED: Self = Self { rate: Limit::Unlimited, quota: Limit::Unlimited };
}

/// Which limit made a message wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Binding {
    /// The campaign's.
    Global,
    /// The campaign's, while it is new.
    WarmUp,
    /// The relay's.
    Relay,
    /// The relay's of a day.
    Quota,
    /// The recipient domain's, or its group's.
    Domain,
    /// The recipient mailbox's.
    Mailbox,
}

/// Whether one message may be handed over now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Admission {
    /// Yes; it has been counted.
    Go,
    /// No; nothing was counted.
    Wait {
        /// Ask again at that time since the program's start.
        until: Duration,
        /// The limit that asks for the longest wait.
        by: Binding,
    },
}

/// All limits with what has been used of them.
///
/// Times are durations since the program's start, by a monotonic clock. The promise is strict: in no window of
/// a rate's unit are more hand-overs let through than the rate's number, whatever the demand; see `gate`.
#[derive(Debug)]
pub struct Pace {
    settings: PaceSettings,
    now: Moment,
    global: Gate<()>,
    relays: Vec<Relay>,
    domains: Gate<Box<str>>,
    mailboxes: Gate<i64>,
    /// The lanes of mailboxes with a limit of their own, as far as they were asked for.
    own_lanes: HashMap<i64, String>,
    waiting: WaitingLine,
    today: Tally,
    first_hand_over: Option<Moment>,
    /// The first hand-over was in an earlier run, so nothing undoes it.
    began_before: bool,
    prune_at: Moment,
}

#[derive(Debug, Default)]
struct Relay {
    limits: RelayLimits,
    factor: f64,
    gate: Gate<()>,
    today: Tally,
}

impl Default for RelayLimits {
    fn default() -> Self {
        Self::UNLIMITED
    }
}

const PRUNE_EVERY: Duration = Duration::from_secs(60);

impl Pace {
    /// These limits, unused, and no relay yet.
    pub fn new(settings: PaceSettings) -> Self {
        let mut pace = Self {
            now: 0,
            global: Gate::new(settings.global),
            relays: Vec::new(),
            domains: Gate::new(settings.per_domain),
            mailboxes: Gate::new(settings.per_mailbox),
            own_lanes: HashMap::new(),
            waiting: WaitingLine::default(),
            today: Tally::default(),
            first_hand_over: None,
            began_before: false,
            prune_at: 0,
            settings,
        };
        pace.set_own_domains();
        pace
    }

    /// Other limits from now on. What was used stays used: nobody gains a burst by a change.
    pub fn change(&mut self, now: Duration, settings: PaceSettings) {
        self.now = self.now.max(moment(now));
        let before = std::mem::replace(&mut self.settings, settings);
        self.global.change(self.settings.global, 1.0, self.now);
        self.domains.change(self.settings.per_domain, 1.0, self.now);
        self.mailboxes.change(self.settings.per_mailbox, 1.0, self.now);
        for name in before.domains.keys().filter(|name| !self.settings.domains.contains_key(*name)) {
            self.domains.set_own(name.as_str().into(), None, self.now);
        }
        self.set_own_domains();
        for (lane, mailbox) in &self.own_lanes {
            self.mailboxes.set_own(*lane, self.settings.mailboxes.get(mailbox).copied(), self.now);
        }
        self.waiting = WaitingLine::default();
    }

    fn set_own_domains(&mut self) {
        for (name, limit) in &self.settings.domains {
            self.domains.set_own(name.as_str().into(), Some(*limit), self.now);
        }
    }

    /// Adds the relay of that number, or changes its limits.
    pub fn add_relay(&mut self, index: usize, limits: RelayLimits) {
        while self.relays.len() <= index {
            self.relays.push(Relay { factor: 1.0, ..Relay::default() });
        }
        self.update_relay(index, |relay| relay.limits = limits);
    }

    /// Gives a relay a part of its rate, 0 to 1, as [`super::Throttle::factor`] says. A relay without a limit has
    /// none that could be lowered.
    pub fn set_relay_factor(&mut self, index: usize, factor: f64) {
        self.update_relay(index, |relay| relay.factor = factor);
    }

    fn update_relay(&mut self, index: usize, update: impl FnOnce(&mut Relay)) {
        let Some(relay) = self.relays.get_mut(index) else { return };
        let before = (relay.limits.rate, relay.factor.to_bits());
        update(relay);
        if before != (relay.limits.rate, relay.factor.to_bits()) {
            relay.gate.change(relay.limits.rate, relay.factor, self.now);
        }
    }

    /// May a message to that lane's mailbox be handed to that relay now?
    ///
    /// `now` never goes back: an earlier one counts as the latest. A lane that has to wait for its domain gets a
    /// slot of its own, and the same one when it asks again.
    pub fn ask(&mut self, now: Duration, relay: usize, mailbox: &str, lane: i64) -> Admission {
        self.now = self.now.max(moment(now));
        self.prune_now_and_then();
        self.know(mailbox, lane);
        let now = self.now;
        let domain = self.settings.groups.of(domain_of(mailbox));
        let of_relay = self.relays.get(relay);
        let answers = [
            (Binding::Global, self.global.ask(&(), now)),
            (Binding::WarmUp, self.warm_up(now)),
            (Binding::Relay, of_relay.map_or(Answer::FREE, |relay| relay.gate.ask(&(), now))),
            (Binding::Quota, of_relay.map_or(Answer::FREE, |relay| relay.quota(now))),
            (Binding::Domain, self.domains.ask(domain, now)),
            (Binding::Mailbox, self.mailboxes.ask(&lane, now)),
        ];
        if answers.iter().any(|(_, answer)| matches!(answer, Answer::Wait(_))) {
            let domain = domain.to_owned();
            return self.refuse(&answers, &domain, lane);
        }
        let domain: Box<str> = domain.into();
        for (binding, answer) in answers {
            let Answer::Go(slot) = answer else { continue };
            match binding {
                Binding::Global => self.global.take((), slot),
                Binding::Relay => {
                    self.relays.get_mut(relay).into_iter().for_each(|relay| relay.gate.take((), slot));
                }
                Binding::Domain => self.domains.take(domain.clone(), slot),
                Binding::Mailbox => self.mailboxes.take(lane, slot),
                Binding::WarmUp | Binding::Quota => {}
            }
        }
        self.count(relay, now, 1);
        self.waiting.leave(lane);
        Admission::Go
    }

    /// A hand-over of an earlier run, the oldest first: it counts under today's limits, so that a restart lets no
    /// more through than they allow, also where they were wider when it went.
    pub fn remember(&mut self, at: Duration, relay: usize, mailbox: &str, lane: i64) {
        self.know(mailbox, lane);
        let at = moment(at);
        self.global.remember((), at);
        if let Some(relay) = self.relays.get_mut(relay) {
            relay.gate.remember((), at);
        }
        self.domains.remember(self.settings.groups.of(domain_of(mailbox)).into(), at);
        self.mailboxes.remember(lane, at);
    }

    /// So many hand-overs of an earlier run to that relay, for the quotas of a day. In any order.
    pub fn remember_of_day(&mut self, at: Duration, relay: usize, hand_overs: u64) {
        self.count(relay, moment(at), hand_overs);
    }

    /// When the first hand-over of all was: with it, the warm-up begins.
    pub fn remember_first(&mut self, at: Duration) {
        self.first_hand_over = Some(moment(at));
        self.began_before = true;
    }

    /// A message that was let go was refused, so the relay has not got it: it counts towards no quota of a day.
    pub fn was_refused(&mut self, relay: usize) {
        self.today.take_back(self.now);
        if self.today.is_empty() && !self.began_before {
            self.first_hand_over = None;
        }
        if let Some(relay) = self.relays.get_mut(relay) {
            relay.today.take_back(self.now);
        }
    }

    fn count(&mut self, relay: usize, at: Moment, hand_overs: u64) {
        self.first_hand_over.get_or_insert(at);
        self.today.note(at, hand_overs);
        if let Some(relay) = self.relays.get_mut(relay) {
            relay.today.note(at, hand_overs);
        }
    }

    /// Notes the lane of a mailbox that has a limit of its own.
    fn know(&mut self, mailbox: &str, lane: i64) {
        let Some(own) = self.settings.mailboxes.get(mailbox) else { return };
        self.own_lanes.entry(lane).or_insert_with(|| mailbox.to_owned());
        self.mailboxes.set_own(lane, Some(*own), self.now);
    }

    fn warm_up(&self, now: Moment) -> Answer {
        let day = self.first_hand_over.map_or(0, |first| day_since(first, now));
        let quota = self.settings.warm_up.on_day(day);
        let Some(free_at) = quota.and_then(|quota| self.today.free_at(u64::from(quota), now)) else {
            return Answer::FREE;
        };
        let next_day = self.first_hand_over.map_or(free_at, |first| day_begins(first, day + 1));
        Answer::Wait(free_at.min(next_day))
    }

    /// The longest wait that any limit asks for.
    fn refuse(&mut self, answers: &[(Binding, Answer)], domain: &str, lane: i64) -> Admission {
        let mut longest = (0, Binding::Global);
        for (by, answer) in answers {
            let Answer::Wait(earliest) = *answer else { continue };
            let until =
                if *by == Binding::Domain { self.waiting.slot(domain, lane, earliest, self.now) } else { earliest };
            if until > longest.0 {
                longest = (until, *by);
            }
        }
        let (until, by) = longest;
        if by == Binding::Domain {
            self.waiting.join(domain, lane, until, self.domains.interval_of(domain).unwrap_or_default());
        }
        Admission::Wait { until: Duration::from_nanos(until), by }
    }

    /// How long a lane waits after a hand-over, at least; `None` where mailboxes have no limit. A mailbox with a
    /// slower limit of its own is told so when it asks.
    pub fn mailbox_interval(&self) -> Option<Duration> {
        let own = self.settings.mailboxes.values().map(|limit| super::gate::steady_interval(*limit));
        let all = own.chain([self.mailboxes.interval()]);
        let is_limited = all.clone().any(|interval| interval.is_some());
        is_limited.then(|| all.map(Option::unwrap_or_default).min().unwrap_or_default())
    }

    /// How many hand-overs of the last 24 hours count towards that relay's quota.
    pub fn of_day(&self, relay: usize) -> u64 {
        self.relays.get(relay).map_or(0, |relay| relay.today.count(self.now))
    }

    /// How late a message may reach the wire after it was let go without any limit being exceeded (see `gate`); `None`
    /// where nothing is limited.
    pub fn slack(&self) -> Option<Duration> {
        let PaceSettings { global, per_mailbox, per_domain, domains, mailboxes, .. } = &self.settings;
        let of_all = [global, per_mailbox, per_domain].into_iter().chain(domains.values()).chain(mailboxes.values());
        let limits = of_all.copied().chain(self.relays.iter().map(|relay| relay.limits.rate));
        limits.filter_map(Limit::rate).map(|rate| rate.unit().duration() / 101).min()
    }

    /// How many domains, mailboxes and waiting lanes are remembered; only those of the last moments are.
    pub fn remembered(&self) -> usize {
        self.domains.len() + self.mailboxes.len() + self.waiting.len()
    }

    fn prune_now_and_then(&mut self) {
        if self.now >= self.prune_at {
            self.prune_at = self.now.saturating_add(moment(PRUNE_EVERY));
            self.domains.prune(self.now);
            self.mailboxes.prune(self.now);
            self.waiting.prune(self.now);
            self.today.forget_before(self.now);
            self.relays.iter_mut().for_each(|relay| relay.today.forget_before(self.now));
        }
    }
}

impl Relay {
    fn quota(&self, now: Moment) -> Answer {
        let free_at = self.limits.quota.rate().and_then(|quota| self.today.free_at(u64::from(quota.count()), now));
        free_at.map_or(Answer::FREE, Answer::Wait)
    }
}

/// A domain alone stands for itself.
fn domain_of(mailbox: &str) -> &str {
    mailbox.rsplit_once('@').map_or(mailbox, |(_, domain)| domain)
}

#[cfg(test)]
mod tests;
