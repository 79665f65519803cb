//! The desk decides who does what next: events in, orders and chores out, without ever waiting for anything.
//!
//! It holds the only copy of the pace, the breaker and the relays' clocks. It must not touch the ledger or a relay
//! itself; what it wants done it gives to the loop as a chore.

mod choosing;
mod refilling;
mod reports;
mod serving;
mod wishes;

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{oneshot, watch};

use crate::ledger::{Claim, HandOver, Leased, LedgerError, Pause};
use crate::model::{Class, Disposition, MessageKind, Outcome};
use crate::policy::{
    Admission, Binding, Breaker, Candidate, Carries, Limit, Open, Opening, Pace, RelayEffect, Standing, Verdict,
    Windows, refusal_in_common,
};

use super::HEARTBEAT;
use super::chance::Chance;
use super::clock::Now;
use super::events::{Chore, Claimed, Event, Order, Report};
use super::judge::LaneWait;
use super::progress::{Progress, Waiting};
use super::recall::Recall;
use super::relay_desk::{RelayDesk, share_out};
use super::{Ending, PaceRules, Settings, StopReason};

use wishes::{Hours, Totals};

#[derive(Debug)]
struct Asking {
    relay: usize,
    connected: bool,
    reply: oneshot::Sender<Order>,
}

/// So long after it was dealt out a message whose envelope travels ahead may still begin. Where a limit counts over so
/// short a time that this would matter, nothing travels ahead.
pub(super) const AHEAD_FOR_MAX: Duration = Duration::from_secs(30);
/// Messages kept ready beyond two for each session, of which the second travels with the first.
const BUFFER_SPARE: usize = 32;
/// A message that has to wait for longer goes back to the ledger meanwhile.
const LEASED_FOR_MAX: Duration = Duration::from_secs(1);

/// Whether something is being claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Claiming {
    No,
    Yes,
    /// It was asked for before staff suppressed a mailbox, and goes back.
    Stale,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Desk {
    pace: Pace,
    breaker: Option<Breaker>,
    relays: Vec<RelayDesk>,
    buffer: VecDeque<Leased>,
    /// How many messages at hand were for one relay alone, when last looked at.
    bound: usize,
    buffer_target: usize,
    /// What the sessions need at hand, whatever the pace.
    buffer_full: usize,
    asking: VecDeque<Asking>,
    claiming: Claiming,
    /// Goes up with everything that may have made a message ready, so that an empty claim can be told from a stale one.
    round: u64,
    /// Nothing was ready, and will not be before.
    dry_until: Option<Timestamp>,
    chores: Vec<Chore>,
    chores_open: usize,
    letters_left: Option<u64>,
    is_patient: bool,
    deadline: Option<Timestamp>,
    windows: Windows,
    official_total: Option<u64>,
    totals: Totals,
    /// Staff want nothing handed over.
    pause: Option<Pause>,
    hours: Hours,
    lane_wait: LaneWait,
    chance: Chance,
    recall: Recall,
    leaving: Option<Ending>,
    failure: Option<LedgerError>,
    /// The pace of everything lets nothing go before.
    paced_until: Option<Timestamp>,
    /// The refusal for which the breaker tripped.
    tripped: Option<String>,
    /// When the pace or a relay lets something happen, on the steady clock.
    wake: Option<Duration>,
    progress: Progress,
    progress_is_new: bool,
}

impl Desk {
    pub(super) fn new(settings: &Settings, chance: Chance) -> Self {
        let rules = settings.rules();
        let mut pace = Pace::new(rules.pace.clone());
        for (index, limits) in rules.relays.iter().enumerate() {
            pace.add_relay(index, *limits);
        }
        let lane_wait = LaneWait::default();
        lane_wait.set(pace.mailbox_interval());
        let mut relays: Vec<_> = settings.relays.iter().map(RelayDesk::new).collect();
        share_out(&mut relays);
        let connections = settings.relays.iter().map(|plan| plan.connections).sum::<usize>();
        let buffer_full = 2 * connections + BUFFER_SPARE;
        Self {
            pace,
            breaker: (!settings.accept_refusals).then(Breaker::default),
            relays,
            buffer: VecDeque::new(),
            bound: 0,
            buffer_target: buffer_full.min(a_second_s_worth(&rules)),
            buffer_full,
            asking: VecDeque::new(),
            claiming: Claiming::No,
            round: 0,
            dry_until: None,
            chores: Vec::new(),
            chores_open: 0,
            letters_left: settings.letters_max,
            is_patient: settings.is_patient,
            deadline: settings.deadline,
            windows: settings.windows.clone(),
            official_total: settings.official_total,
            totals: Totals::Kept,
            pause: None,
            hours: Hours::open(),
            lane_wait,
            chance,
            recall: Recall::default(),
            leaving: None,
            failure: None,
            paced_until: None,
            tripped: None,
            wake: None,
            progress: Progress::idle(),
            progress_is_new: false,
        }
    }

    /// Hand-overs of earlier runs count: a restart must not let more through than the limits allow.
    pub(super) fn remember(&mut self, before: &HandOver, now: Now) {
        self.pace.remember(steady(before.at, now), self.relay_named(&before.relay), &before.mailbox, before.lane);
    }

    /// The same for the quotas of a day: so many hand-overs of one minute.
    pub(super) fn remember_of_day(&mut self, at: Timestamp, relay: &str, hand_overs: u64, now: Now) {
        self.pace.remember_of_day(steady(at, now), self.relay_named(relay), hand_overs);
    }

    /// When the first hand-over of all was.
    pub(super) fn remember_first(&mut self, at: Timestamp, now: Now) {
        self.pace.remember_first(steady(at, now));
    }

    fn relay_named(&self, name: &str) -> usize {
        self.relays.iter().position(|relay| relay.name == name).unwrap_or(usize::MAX)
    }

    /// How long lanes wait, as staff last wanted it.
    pub(super) fn lane_wait(&self) -> LaneWait {
        self.lane_wait.clone()
    }

    /// When to look again though nothing happens.
    pub(super) fn wake(&self) -> Option<Duration> {
        self.wake
    }

    pub(super) fn chores_open(&self) -> usize {
        self.chores_open
    }

    /// How it ended, once every worker has left.
    pub(super) fn finish(self) -> Result<Ending, LedgerError> {
        match self.failure {
            Some(error) => Err(error),
            None => Ok(self.leaving.unwrap_or(Ending::Interrupted)),
        }
    }

    /// Takes in what happened; gives what is to be done.
    pub(super) fn handle(&mut self, event: Event, now: Now) -> Vec<Chore> {
        self.note(event, now);
        self.keep_the_deadline(now);
        self.watch_the_hours(now);
        self.watch_the_totals();
        self.wake = None;
        if self.leaving.is_none() {
            self.serve(now);
            self.refill(now);
        }
        // Serving may have found that it is time to leave.
        if self.leaving.is_some() {
            self.wind_up();
        }
        let chores = std::mem::take(&mut self.chores);
        self.chores_open += chores.len();
        chores
    }

    /// Shows progress to whoever looks, if there is any.
    pub(super) fn show(&mut self, to: &watch::Sender<Progress>) {
        if std::mem::take(&mut self.progress_is_new) {
            to.send_modify(|shown| {
                let (at_start, recovered) = (shown.at_start.clone(), shown.recovered);
                let ledger_trouble = shown.ledger_trouble.take();
                *shown = Progress { at_start, recovered, ledger_trouble, ..self.progress.clone() };
            });
        }
    }

    fn note(&mut self, event: Event, now: Now) {
        match event {
            Event::Ask { relay, connected, reply } => self.asking.push_back(Asking { relay, connected, reply }),
            Event::Connected { relay } => self.relays[relay].opened(now),
            Event::Closed { relay } => self.relays[relay].open -= 1,
            Event::ConnectGivenUp { relay } => self.relays[relay].connecting -= 1,
            Event::ConnectFailed { relay, outcome, effect } => self.connect_failed(relay, &outcome, effect, now),
            Event::HandedOver(report) => self.handed_over(&report, now),
            Event::AskAhead { relay, reply } => self.serve_ahead(relay, reply, now),
            Event::Returned { relay, kind, goes_on } => {
                self.relays[relay].is_done_with_one(goes_on, now);
                self.was_refused(relay, now);
                self.was_no_letter_out(kind);
                self.totals_may_be_off();
                self.stir();
            }
            Event::Claimed(claimed) => self.claimed(claimed, now),
            Event::ChoreDone => {
                self.chores_open -= 1;
                self.stir();
            }
            Event::ChoreFailed(error) => {
                self.chores_open -= 1;
                self.ledger_failed(error);
            }
            Event::LedgerFailed(error) => self.ledger_failed(error),
            Event::Left | Event::Tick => {}
            Event::StopAsked => self.leave(Ending::Interrupted),
            Event::Paused(pause) => self.paused(pause),
            Event::Revised(rules) => self.revised(*rules, now),
            Event::Suppressed => self.suppressed(),
        }
    }

    /// Once, as soon as it has passed: what waits has no time left, whether a relay is there or not.
    fn keep_the_deadline(&mut self, now: Now) {
        if self.deadline.is_some_and(|deadline| deadline < now.clock) {
            self.deadline = None;
            self.chores.push(Chore::Expire);
        }
    }

    /// If the ledger cannot be written, sending stops.
    fn ledger_failed(&mut self, error: LedgerError) {
        self.failure.get_or_insert(error);
        self.leave(Ending::Interrupted);
    }

    fn leave(&mut self, ending: Ending) {
        let stronger = matches!(ending, Ending::Stopped(_)) && !matches!(self.leaving, Some(Ending::Stopped(_)));
        if self.leaving.is_none() || stronger {
            self.leaving = Some(ending);
        }
    }
}

/// A moment of an earlier run on the steady clock; one that is yet to come counts as now.
fn steady(at: Timestamp, now: Now) -> Duration {
    let age = Duration::try_from(now.wall.duration_since(at)).unwrap_or_default();
    now.since_start.saturating_sub(age)
}

/// How many messages the pace of everything lets go in a second; no more need to be at hand.
fn a_second_s_worth(rules: &PaceRules) -> usize {
    let a_second = |limit: Limit| {
        limit.rate().map_or(usize::MAX, |rate| {
            let seconds = rate.unit().duration().as_secs().max(1);
            usize::try_from(u64::from(rate.count()).div_ceil(seconds)).unwrap_or(usize::MAX)
        })
    };
    let relays = rules.relays.iter().map(|relay| a_second(relay.rate)).fold(0, usize::saturating_add);
    a_second(rules.pace.global).min(relays).max(1)
}

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod week;
