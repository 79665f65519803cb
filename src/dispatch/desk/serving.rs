//! Who gets which message now: the desk's answers to the workers that ask.
//!
//! Must not wait, and must not claim: it deals out what is at hand.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::oneshot;

use super::{AHEAD_FOR_MAX, Admission, Asking, Binding, Chore, Desk, LEASED_FOR_MAX, Leased, MessageKind, Now, Order};

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
                Some(order) => self.send(worker, order),
                None => unserved.push_back(worker),
            }
        }
        self.asking = unserved;
    }

    pub(super) fn send(&mut self, worker: Asking, order: Order) {
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

    /// Deals out a message that will go a little later than now, if the pace bears that; never a reason to wait.
    pub(super) fn serve_ahead(&mut self, relay: usize, reply: oneshot::Sender<Order>, now: Now) {
        let bears = self.pace.slack().is_none_or(|slack| slack >= AHEAD_FOR_MAX);
        if self.leaving.is_some() || !bears || !self.relays[relay].may_go_ahead(now) {
            return;
        }
        let Some(leased) = self.pick(relay, now) else { return };
        match reply.send(Order::HandOver(Box::new(leased))) {
            Ok(()) => self.relays[relay].ahead += 1,
            // The worker is gone, which its own event tells; what was counted of the pace stays counted.
            Err(Order::HandOver(leased)) => self.buffer.push_front(*leased),
            Err(Order::Connect | Order::Leave) => {}
        }
    }

    pub(super) fn order_for(&mut self, relay: usize, connected: bool, now: Now) -> Option<Order> {
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
    pub(super) fn pick(&mut self, relay: usize, now: Now) -> Option<Leased> {
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
    pub(super) fn all_wait(&mut self, now: Now, wait: Duration) {
        self.wake_in(now, wait);
        if wait > LEASED_FOR_MAX && self.relays.len() == 1 {
            self.paced_until = now.wall.checked_add(wait).ok();
            self.give_back_all();
        }
    }

    pub(super) fn give_back_all(&mut self) {
        for leased in self.buffer.drain(..) {
            self.chores.push(Chore::GiveBack(Box::new(leased), None));
        }
    }
}
