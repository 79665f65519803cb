//! Who gets which message now: the desk's answers to the workers that ask.
//!
//! Must not wait, and must not claim: it deals out what is at hand.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::model::EmailAddress;
use crate::policy::jittered;

use super::{
    AHEAD_FOR_MAX, Admission, Asking, Binding, Carries, Chore, Desk, LEASED_FOR_MAX, Leased, MessageKind, Now, Order,
    Waiting,
};

/// Shorter waits are part of any pace, and no news.
const SHOWN_FROM: Duration = Duration::from_secs(60);

impl Desk {
    pub(super) fn wind_up(&mut self) {
        self.give_back_all();
        for worker in self.asking.drain(..) {
            let _ = worker.reply.send(Order::Leave); // a worker that stopped listening has left already
        }
    }

    pub(super) fn serve(&mut self, now: Now) {
        let mut unserved = VecDeque::new();
        while let Some(worker) = self.asking.pop_front() {
            if worker.reply.is_closed() {
                continue;
            }
            match self.order_for(worker.relay, worker.connected, now) {
                Some(order) => self.send(worker, order, now),
                None => unserved.push_back(worker),
            }
        }
        self.asking = unserved;
    }

    pub(super) fn send(&mut self, worker: Asking, order: Order, now: Now) {
        if let Order::HandOver(leased, _) = &order {
            self.given(worker.relay, leased.kind(), now);
        }
        let relay = &mut self.relays[worker.relay];
        match &order {
            Order::Connect => relay.connecting += 1,
            Order::HandOver(..) => relay.busy += 1,
            Order::Leave => {}
        }
        if let Err(order) = worker.reply.send(order) {
            match order {
                Order::Connect => relay.connecting -= 1,
                Order::HandOver(leased, _) => {
                    relay.busy -= 1;
                    self.buffer.push_front(*leased);
                }
                Order::Leave => {}
            }
        }
    }

    /// Deals out a message that will go a little later than now, if the pace bears that; never a reason to wait.
    pub(super) fn serve_ahead(&mut self, relay: usize, reply: oneshot::Sender<Order>, now: Now) {
        let bears = self.pace.slack().is_none_or(|slack| slack >= AHEAD_FOR_MAX);
        if self.leaving.is_some() || !bears || !self.relays[relay].may_go_ahead(now) {
            return;
        }
        let turn = self.turn_of(relay, now);
        let Some(leased) = self.pick(relay, turn, now) else { return };
        self.given(relay, leased.kind(), now);
        match reply.send(Order::HandOver(Box::new(leased), self.recall.deal())) {
            Ok(()) => self.relays[relay].ahead += 1,
            // The worker is gone, which its own event tells; what was counted of the pace stays counted.
            Err(Order::HandOver(leased, _)) => self.buffer.push_front(*leased),
            Err(Order::Connect | Order::Leave) => {}
        }
    }

    pub(super) fn order_for(&mut self, relay: usize, connected: bool, now: Now) -> Option<Order> {
        if let Some(wait) = self.relays[relay].wait(now) {
            self.wake_in(now, wait);
            return None;
        }
        let turn = self.turn_of(relay, now);
        if turn == Carries::NOTHING && self.bound == 0 {
            return None;
        }
        if !connected {
            let waiting = self.fitting(relay, turn, now).count();
            return (waiting > 0 && self.relays[relay].may_connect(waiting, now)).then_some(Order::Connect);
        }
        if self.fitting(relay, turn, now).next().is_none() || !self.relays[relay].may_hand_over(now) {
            return None;
        }
        self.pick(relay, turn, now).map(|leased| Order::HandOver(Box::new(leased), self.recall.deal()))
    }

    fn pick(&mut self, relay: usize, turn: Carries, now: Now) -> Option<Leased> {
        let mut passed = Vec::new();
        let picked = self.pick_passing(relay, turn, now, &mut passed);
        while let Some(leased) = passed.pop() {
            self.buffer.push_front(leased);
        }
        if !self.relays[relay].standing(now).is_usable() {
            self.sort_out(now);
        }
        picked
    }

    /// The first message that every limit lets go. A limit on its mailbox or domain sends it back to wait in its
    /// lane, so that no lane blocks another; a limit on everything lets all wait. What is another relay's, or left to one,
    /// is passed by.
    fn pick_passing(&mut self, relay: usize, turn: Carries, now: Now, passed: &mut Vec<Leased>) -> Option<Leased> {
        let (open, left) = (self.windows.at(now.clock), self.left_by(relay, now));
        while let Some(leased) = self.buffer.pop_front() {
            if !self.may_be_given(relay, turn, &leased) || left.includes(&leased, &self.buffer) {
                passed.push(leased);
                continue;
            }
            let over_limit = self.limit_is_reached() && leased.kind() == MessageKind::Letter;
            if over_limit || !open.lets(leased.kind()) {
                self.chores.push(Chore::GiveBack(Box::new(leased), None));
                continue;
            }
            if let Some(begins) = self.begins(&leased, now) {
                self.wait_in_its_lane(leased, begins, now);
                continue;
            }
            let mailbox = leased.content.recipient().map_or_else(String::new, EmailAddress::key);
            match self.pace.ask(now.since_start, relay, &mailbox, leased.lane()) {
                Admission::Go => {
                    if let (Some(left), MessageKind::Letter) = (&mut self.letters_left, leased.kind()) {
                        *left -= 1;
                    }
                    return Some(leased);
                }
                Admission::Wait { until, by: Binding::Mailbox } => {
                    // Its pace is slower than the others': this is its whole interval.
                    let wait = jittered(until.saturating_sub(now.since_start), self.chance.jitter());
                    self.wait_in_its_lane(leased, now.since_start + wait, now);
                }
                Admission::Wait { until, by: Binding::Domain } => self.wait_in_its_lane(leased, until, now),
                Admission::Wait { until, by } => {
                    self.buffer.push_front(leased);
                    match by {
                        Binding::Relay => self.relays[relay].is_full_until(until),
                        Binding::Quota => {
                            self.quota_is_used_up(relay, until, now);
                            return None;
                        }
                        _ => {}
                    }
                    self.all_wait(now, until.saturating_sub(now.since_start), by);
                    return None;
                }
            }
        }
        None
    }

    /// The relay is away until its quota lets go, so others of its order go on, or else its spares.
    fn quota_is_used_up(&mut self, relay: usize, until: Duration, now: Now) {
        let wait = until.saturating_sub(now.since_start);
        let record = self.relays[relay].is_used_up(wait, now);
        self.chores.push(Chore::NoteRelay(record));
        self.wake_in(now, wait);
    }

    /// From when that lane may give a letter, shortly after the hours opened.
    fn begins(&self, leased: &Leased, now: Now) -> Option<Duration> {
        let opening = self.hours.opening.filter(|_| leased.kind() == MessageKind::Letter)?;
        opening.begins(leased.lane(), now.since_start)
    }

    fn wait_in_its_lane(&mut self, leased: Leased, until: Duration, now: Now) {
        // The ledger counts milliseconds: rounded down, the message would be claimed again at once.
        let wait = until.saturating_sub(now.since_start) + Duration::from_millis(1);
        self.chores.push(Chore::GiveBack(Box::new(leased), now.wall.checked_add(wait).ok()));
    }

    /// What must wait for long waits in the ledger, where staff can hold or cancel it.
    pub(super) fn all_wait(&mut self, now: Now, wait: Duration, by: Binding) {
        self.wake_in(now, wait);
        let is_of_all = self.relays.len() == 1 || matches!(by, Binding::Global | Binding::WarmUp);
        if wait > LEASED_FOR_MAX && is_of_all {
            self.paced_until = now.wall.checked_add(wait).ok();
            self.give_back_all();
        }
        if wait > SHOWN_FROM && is_of_all {
            let reason = match by {
                Binding::WarmUp => "the warm-up's next messages",
                _ => "the pace of everything",
            };
            self.progress.waiting = Some(Waiting { until: self.paced_until, reason: reason.to_owned() });
            self.progress_is_new = true;
        }
    }

    pub(super) fn give_back_all(&mut self) {
        for leased in self.buffer.drain(..) {
            self.chores.push(Chore::GiveBack(Box::new(leased), None));
        }
    }
}
