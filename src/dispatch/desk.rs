//! The desk decides who does what next: events in, orders and chores out, without ever waiting for anything.
//!
//! It holds the only copy of the pace, the breaker and the relays' clocks. It must not touch the ledger or a relay
//! itself; what it wants done it gives to the loop as a chore.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{oneshot, watch};

use crate::ledger::{Claim, HandOver, Leased, LedgerError};
use crate::model::{Class, Disposition, MessageKind, Outcome};
use crate::policy::{Admission, Binding, Breaker, Limit, Open, Pace, RelayEffect, Verdict, Windows, refusal_in_common};

use super::clock::Now;
use super::events::{Chore, Claimed, Event, Order, Report};
use super::progress::{Progress, Waiting};
use super::relay_desk::RelayDesk;
use super::{Ending, Settings, StopReason};

#[derive(Debug)]
struct Asking {
    relay: usize,
    connected: bool,
    reply: oneshot::Sender<Order>,
}

/// Messages kept ready beyond one for each session.
const BUFFER_SPARE: usize = 32;
/// A message that has to wait for longer goes back to the ledger meanwhile.
const LEASED_FOR_MAX: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Debug)]
pub(super) struct Desk {
    pace: Pace,
    breaker: Option<Breaker>,
    relays: Vec<RelayDesk>,
    buffer: VecDeque<Leased>,
    buffer_target: usize,
    asking: VecDeque<Asking>,
    claiming: bool,
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
    pub(super) fn new(settings: &Settings) -> Self {
        let mut pace = Pace::new(settings.pace);
        let mut relays = Vec::new();
        for (index, plan) in settings.relays.iter().enumerate() {
            pace.add_relay(index, plan.rate);
            relays.push(RelayDesk::new(plan));
        }
        let connections: usize = settings.relays.iter().map(|plan| plan.connections).sum();
        Self {
            pace,
            breaker: (!settings.accept_refusals).then(Breaker::default),
            relays,
            buffer: VecDeque::new(),
            buffer_target: (connections + BUFFER_SPARE).min(a_second_s_worth(settings)),
            asking: VecDeque::new(),
            claiming: false,
            round: 0,
            dry_until: None,
            chores: Vec::new(),
            chores_open: 0,
            letters_left: settings.letters_max,
            is_patient: settings.is_patient,
            deadline: settings.deadline,
            windows: settings.windows.clone(),
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
        let age = Duration::try_from(now.wall.duration_since(before.at)).unwrap_or_default();
        let relay = self.relays.iter().position(|relay| relay.name == before.relay).unwrap_or(usize::MAX);
        let at = now.since_start.saturating_sub(age);
        let _ = self.pace.ask(at, relay, &before.domain, before.lane); // over a limit that was set since: used up anyway
    }

    pub(super) fn mailbox_interval(&self) -> Option<Duration> {
        self.pace.mailbox_interval()
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
                *shown = Progress { at_start, recovered, ..self.progress.clone() };
            });
        }
    }

    fn note(&mut self, event: Event, now: Now) {
        match event {
            Event::Ask { relay, connected, reply } => self.asking.push_back(Asking { relay, connected, reply }),
            Event::Connected { relay } => {
                self.relays[relay].connecting -= 1;
                self.relays[relay].open += 1;
            }
            Event::Closed { relay } => self.relays[relay].open -= 1,
            Event::ConnectGivenUp { relay } => self.relays[relay].connecting -= 1,
            Event::ConnectFailed { relay, outcome, effect } => self.connect_failed(relay, &outcome, effect, now),
            Event::HandedOver(report) => self.handed_over(&report, now),
            Event::Returned { relay, kind } => {
                self.relays[relay].busy -= 1;
                self.was_no_letter_out(kind);
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
        }
    }

    /// Once, as soon as it has passed: what waits has no time left, whether a relay is there or not.
    fn keep_the_deadline(&mut self, now: Now) {
        if self.deadline.is_some_and(|deadline| deadline < now.clock) {
            self.deadline = None;
            self.chores.push(Chore::Expire);
        }
    }

    fn connect_failed(&mut self, relay: usize, outcome: &Outcome, effect: RelayEffect, now: Now) {
        let desk = &mut self.relays[relay];
        desk.connecting -= 1;
        let record = match effect {
            RelayEffect::None | RelayEffect::Reconnect => desk.unreachable(outcome, now, jitter()),
            effect => desk.suffers(effect, outcome, now, jitter()),
        };
        self.chores.extend(record.map(Chore::NoteRelay));
        if effect == RelayEffect::Stop {
            self.stop_for_account(relay, outcome);
        }
    }

    fn handed_over(&mut self, report: &Report, now: Now) {
        let desk = &mut self.relays[report.relay];
        desk.busy -= 1;
        let Verdict { class, disposition, effect, .. } = report.verdict;
        let record = match effect {
            RelayEffect::None => desk.works(now),
            effect => desk.suffers(effect, &report.outcome, now, jitter()),
        };
        let factor = desk.rate_factor(now);
        self.pace.set_relay_factor(report.relay, factor);
        self.chores.extend(record.map(Chore::NoteRelay));
        self.progress.count(report.kind, disposition);
        if matches!(disposition, Disposition::Deferred { .. }) {
            self.was_no_letter_out(report.kind);
        }
        self.progress.waiting = None;
        self.progress_is_new = true;
        self.stir();
        if effect == RelayEffect::Stop {
            self.stop_for_account(report.relay, &report.outcome);
        }
        self.watch_breaker(report, class);
    }

    /// The breaker says that a refusal is not about its recipient: those that got it return to the queue, also the
    /// ones that were in other sessions' hands when it tripped.
    fn watch_breaker(&mut self, report: &Report, class: Class) {
        let is_permanent = matches!(class, Class::RecipientPermanent | Class::MessagePermanent);
        if let Some(text) = self.tripped.as_deref().filter(|_| is_permanent) {
            if refusal_in_common(&report.outcome) == text {
                self.chores.push(Chore::Reinstate(vec![report.message], "the breaker had tripped".to_owned()));
            }
            return;
        }
        let tripped =
            self.breaker.as_mut().and_then(|b| b.observe(report.message, report.lane, &report.outcome, class));
        if let Some(tripped) = tripped {
            self.tripped = Some(tripped.text.clone());
            let reason = StopReason::Breaker { messages: tripped.messages.len(), text: tripped.text };
            self.chores.push(Chore::Reinstate(tripped.messages, reason.to_string()));
            self.leave(Ending::Stopped(reason));
        }
    }

    fn stop_for_account(&mut self, relay: usize, outcome: &Outcome) {
        let reason = StopReason::Account { relay: self.relays[relay].name.clone(), reply: outcome.to_string() };
        self.leave(Ending::Stopped(reason));
    }

    fn claimed(&mut self, claimed: Claimed, now: Now) {
        self.claiming = false;
        self.chores_open -= 1;
        if claimed.leased.is_empty() && claimed.round == self.round {
            // Looks again after a heartbeat at the latest: staff may have released something.
            let soon = now.wall.checked_add(super::HEARTBEAT).unwrap_or(now.wall);
            let opens_at = self.windows.at(now.clock).changes_at();
            let next = claimed.next_wake.filter(|_| !self.limit_is_reached() && opens_at.is_none());
            self.dry_until = Some(next.map_or(soon, |at| at.min(soon)));
            match claimed.next_wake {
                _ if self.is_quiet() && self.limit_is_reached() => self.leave(Ending::LimitReached),
                Some(until) if self.is_quiet() => match opens_at {
                    Some(opens_at) => self.wait_for(until.max(opens_at), "the hours in which they may go".to_owned()),
                    None => self.wait_for(until, "the next messages come due".to_owned()),
                },
                None if self.is_quiet() => self.leave(Ending::Settled),
                _ => {}
            }
        }
        self.buffer.extend(claimed.leased);
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

    /// Something may have become ready: an empty claim from before no longer counts.
    fn stir(&mut self) {
        self.round += 1;
        self.dry_until = None;
    }

    fn is_quiet(&self) -> bool {
        self.buffer.is_empty() && self.chores_open == 0 && self.relays.iter().all(|r| r.busy == 0)
    }

    /// A limit counts letters that are out, not tries.
    fn was_no_letter_out(&mut self, kind: MessageKind) {
        if let (Some(left), MessageKind::Letter) = (&mut self.letters_left, kind) {
            *left += 1;
        }
    }

    /// Whether as many letters as were asked for are out; what is left of the run is their confirmations.
    fn limit_is_reached(&self) -> bool {
        self.letters_left == Some(0)
    }

    fn wind_up(&mut self) {
        self.give_back_all();
        for worker in self.asking.drain(..) {
            let _ = worker.reply.send(Order::Leave); // a worker that stopped listening has left already
        }
    }

    fn serve(&mut self, now: Now) {
        let mut unserved = VecDeque::new();
        while let Some(worker) = self.asking.pop_front() {
            if worker.reply.is_closed() {
                continue;
            }
            match self.order_for(worker.relay, worker.connected, now) {
                Some(order) => self.send(worker, order),
                None => unserved.push_back(worker),
            }
        }
        self.asking = unserved;
    }

    fn send(&mut self, worker: Asking, order: Order) {
        let relay = &mut self.relays[worker.relay];
        match &order {
            Order::Connect => relay.connecting += 1,
            Order::HandOver(_) => relay.busy += 1,
            Order::Leave => {}
        }
        if let Err(order) = worker.reply.send(order) {
            match order {
                Order::Connect => relay.connecting -= 1,
                Order::HandOver(leased) => {
                    relay.busy -= 1;
                    self.buffer.push_front(*leased);
                }
                Order::Leave => {}
            }
        }
    }

    fn order_for(&mut self, relay: usize, connected: bool, now: Now) -> Option<Order> {
        let desk = &mut self.relays[relay];
        if let Some(wait) = desk.wait(now) {
            self.wake_in(now, wait);
            return None;
        }
        if self.buffer.is_empty() {
            return None;
        }
        if !connected {
            return desk.may_connect(self.buffer.len(), now).then_some(Order::Connect);
        }
        if !desk.may_hand_over(now) {
            return None;
        }
        self.pick(relay, now).map(|leased| Order::HandOver(Box::new(leased)))
    }

    /// The first message that every limit lets go. A limit on its mailbox or domain sends it back to wait in its
    /// lane, so that no lane blocks another; a limit on everything lets all wait.
    fn pick(&mut self, relay: usize, now: Now) -> Option<Leased> {
        let open = self.windows.at(now.clock);
        while let Some(leased) = self.buffer.pop_front() {
            let over_limit = self.limit_is_reached() && leased.kind() == MessageKind::Letter;
            if over_limit || !open.lets(leased.kind()) {
                self.chores.push(Chore::GiveBack(Box::new(leased), None));
                continue;
            }
            let domain = leased.content.recipient().map_or("", |mailbox| mailbox.domain());
            match self.pace.ask(now.since_start, relay, domain, leased.lane()) {
                Admission::Go => {
                    if let (Some(left), MessageKind::Letter) = (&mut self.letters_left, leased.kind()) {
                        *left -= 1;
                    }
                    return Some(leased);
                }
                Admission::Wait { until, by: Binding::Global | Binding::Relay } => {
                    self.buffer.push_front(leased);
                    self.all_wait(now, until.saturating_sub(now.since_start));
                    return None;
                }
                Admission::Wait { until, by: Binding::Domain | Binding::Mailbox } => {
                    let ready_at = now.wall.checked_add(until.saturating_sub(now.since_start)).ok();
                    self.chores.push(Chore::GiveBack(Box::new(leased), ready_at));
                }
            }
        }
        None
    }

    /// What must wait for long waits in the ledger, where staff can hold or cancel it.
    fn all_wait(&mut self, now: Now, wait: Duration) {
        self.wake_in(now, wait);
        if wait > LEASED_FOR_MAX && self.relays.len() == 1 {
            self.paced_until = now.wall.checked_add(wait).ok();
            self.give_back_all();
        }
    }

    fn give_back_all(&mut self) {
        for leased in self.buffer.drain(..) {
            self.chores.push(Chore::GiveBack(Box::new(leased), None));
        }
    }

    fn wake_in(&mut self, now: Now, wait: Duration) {
        let at = now.since_start + wait;
        self.wake = Some(self.wake.map_or(at, |earlier| earlier.min(at)));
    }

    fn refill(&mut self, now: Now) {
        let some_relay_works = self.relays.iter().any(|r| r.not_before(now).is_none());
        if !some_relay_works {
            self.give_back_all();
            let next = self.relays.iter().filter_map(|r| Some((r.not_before(now)?, r))).min_by_key(|(at, _)| *at);
            if let Some((until, relay)) = next {
                let reason = format!("relay `{}` cannot be used: {}", relay.name, relay.trouble);
                self.wait_for(until, reason);
                self.wake_in(now, Duration::try_from(until.duration_since(now.wall)).unwrap_or_default());
            }
            return;
        }
        let later = self.dry_until.max(self.paced_until).filter(|until| *until > now.wall);
        if !self.claiming && later.is_none() && self.buffer.len() * 2 < self.buffer_target {
            self.claiming = true;
            self.chores.push(Chore::Claim(self.wanted(now), self.round));
        }
        if let Some(until) = later {
            self.wake_in(now, Duration::try_from(until.duration_since(now.wall)).unwrap_or_default());
        }
    }

    /// What to claim now. Where nothing may go, a claim of nothing still tells whether anything waits.
    fn wanted(&self, now: Now) -> Claim {
        let (limit, kind) = match self.windows.at(now.clock) {
            Open::All => (self.buffer_target, self.limit_is_reached().then_some(MessageKind::Confirmation)),
            Open::Only { kind: MessageKind::Letter, .. } if self.limit_is_reached() => (0, None),
            Open::Only { kind, .. } => (self.buffer_target, Some(kind)),
            Open::Nothing { .. } => (0, None),
        };
        Claim { now: now.wall, limit, one_per_lane: self.pace.mailbox_interval().is_some(), kind }
    }

    fn wait_for(&mut self, until: Timestamp, reason: String) {
        if !self.is_patient {
            self.leave(Ending::Stopped(StopReason::Impatient { reason }));
            return;
        }
        let waiting = Some(Waiting { until, reason });
        if self.progress.waiting != waiting {
            self.progress.waiting = waiting;
            self.progress_is_new = true;
        }
    }
}

/// From 0 to 1, for policy.
fn jitter() -> f64 {
    rand::random_range(0.0..1.0)
}

/// How many messages the pace of everything lets go in a second; no more need to be at hand.
fn a_second_s_worth(settings: &Settings) -> usize {
    let a_second = |limit: Limit| {
        limit.rate().map_or(usize::MAX, |rate| {
            let seconds = rate.unit().duration().as_secs().max(1);
            usize::try_from(u64::from(rate.count()).div_ceil(seconds)).unwrap_or(usize::MAX)
        })
    };
    let relays = settings.relays.iter().map(|plan| a_second(plan.rate)).fold(0, usize::saturating_add);
    a_second(settings.pace.global).min(relays).max(1)
}
