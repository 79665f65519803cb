//! What a worker and the heart do, step by step, with a simulated relay at the other end: ask, connect, offer, mark,
//! transmit, hear, write down.

use std::time::Duration;

use rand::RngExt;

use crate::dispatch::events::{Event, Order, Report};
use crate::dispatch::judge::History;
use crate::dispatch::recall::Deal;
use crate::ledger::{DecisionKind, Leased, Ledger};
use crate::model::{Disposition, Stamp};
use crate::policy::RelayEffect;

use tokio::sync::oneshot;

use super::world::{Doing, Ended, Hand, Happening, World};

const IDLE_MAX: Duration = Duration::from_secs(30);

impl World {
    pub(super) fn asks(&mut self, n: usize) -> Event {
        let (reply, order) = oneshot::channel();
        let (now, run) = (self.now, self.run);
        let session = &mut self.sessions[n];
        (session.doing, session.asked) = (Doing::Asking(order), session.asked + 1);
        let (relay, connected, asked) = (session.relay, session.connected, session.asked);
        if connected {
            self.comes(now + IDLE_MAX, Happening::Idle(run, n, asked));
        }
        Event::Ask { relay, connected, reply }
    }

    /// Its connection is of no more use.
    pub(super) fn closes(&mut self, n: usize) -> Option<Event> {
        let session = &mut self.sessions[n];
        std::mem::take(&mut session.connected).then_some(Event::Closed { relay: session.relay })
    }

    pub(super) fn is_idle(&mut self, n: usize, asked: u64) -> Vec<Event> {
        let session = &self.sessions[n];
        if session.asked != asked || !matches!(session.doing, Doing::Asking(_)) {
            return Vec::new();
        }
        let closed = self.closes(n);
        closed.into_iter().chain([self.asks(n)]).collect()
    }

    fn busy_for(&mut self, n: usize, doing: Doing, millis: std::ops::Range<u64>) {
        self.sessions[n].doing = doing;
        let wait = Duration::from_millis(self.chance.random_range(millis));
        self.comes(self.now + wait, Happening::Session(self.run, n));
    }

    pub(super) fn obeys(&mut self, n: usize, order: Order) -> Vec<Event> {
        let relay = self.sessions[n].relay;
        if relay == 0 && !matches!(order, Order::Leave) {
            self.first_tried.push(self.now);
        }
        match order {
            Order::Connect => {
                self.busy_for(n, Doing::Connecting, 20..300);
                Vec::new()
            }
            Order::HandOver(leased, deal) => {
                let mailbox = leased.content.recipient().unwrap().key();
                let (message, kind, lane) = (leased.id(), leased.kind(), leased.lane());
                self.note(&format!("{message} {kind:?} dealt to {relay}"));
                let hand = Hand { at: self.now, relay, message, kind, lane, mailbox };
                self.busy_for(n, Doing::Offering(leased, deal, hand), 20..600);
                Vec::new()
            }
            Order::Leave => {
                let closed = self.closes(n);
                self.sessions[n].doing = Doing::Gone;
                closed.into_iter().chain([Event::Left]).collect()
            }
        }
    }

    /// What comes after what a session was doing.
    pub(super) async fn goes_on(&mut self, n: usize) -> Vec<Event> {
        self.at();
        match std::mem::replace(&mut self.sessions[n].doing, Doing::Gone) {
            Doing::Connecting => self.has_connected(n),
            Doing::Offering(leased, deal, hand) => self.has_offered(n, *leased, &deal, hand).await,
            Doing::Transmitting(open, history, begun, hand) => {
                let (relay, message) = (hand.relay, hand.message);
                let outcome = self.plan.relays[relay].takes(self.now, message, &mut self.chance);
                self.busy_for(n, Doing::Hearing(open, history, begun, hand, outcome), 20..400);
                Vec::new()
            }
            Doing::Hearing(open, history, begun, hand, outcome) => {
                let (attempt, verdict) = self.judges[hand.relay].attempt(self.name(hand.relay), &outcome, history);
                let news_at = self.judges[hand.relay].news_at(&verdict);
                self.note(&format!("{} {:?}", hand.message, verdict.disposition));
                let ends = verdict.ends_session || verdict.effect != RelayEffect::None;
                let (message, resends) = (hand.message, self.judges[hand.relay].resends(&verdict, history));
                self.has_ended(hand, &verdict.disposition);
                self.ledger.close(open, attempt, news_at).await.unwrap();
                if resends {
                    self.decide(message, DecisionKind::ResendToSame);
                }
                let report = Event::HandedOver(begun.with(outcome, verdict, false));
                let closed = if ends { self.closes(n) } else { None };
                [report].into_iter().chain(closed).chain([self.asks(n)]).collect()
            }
            Doing::Asking(_) | Doing::Gone => panic!("nothing was going on in session {n}"),
        }
    }

    pub(super) fn name(&self, relay: usize) -> &str {
        self.settings.relays[relay].relay.name()
    }

    fn has_ended(&mut self, hand: Hand, disposition: &Disposition) {
        let may_have_reached = matches!(disposition, Disposition::Sent | Disposition::InDoubt);
        self.ended.push(Ended { hand, at: self.now, disposition: Some(*disposition), may_have_reached });
    }

    fn has_connected(&mut self, n: usize) -> Vec<Event> {
        let relay = self.sessions[n].relay;
        let event = match self.plan.relays[relay].connects(self.now) {
            Ok(()) => {
                self.sessions[n].connected = true;
                Event::Connected { relay }
            }
            Err(outcome) => {
                let effect = self.judges[relay].connection(self.name(relay), &outcome);
                self.note(&format!("{relay} cannot be reached"));
                Event::ConnectFailed { relay, outcome, effect }
            }
        };
        vec![event, self.asks(n)]
    }

    /// The relay has answered MAIL, RCPT and DATA: the point of no return, or a refusal.
    async fn has_offered(&mut self, n: usize, leased: Leased, deal: &Deal, hand: Hand) -> Vec<Event> {
        let relay = hand.relay;
        let (history, begun, kind) = (History::of(&leased), Report::begun(relay, &leased), leased.kind());
        match self.plan.relays[relay].is_offered(self.now, &hand, &mut self.chance) {
            Ok(()) if deal.holds() => {
                let message_id = format!("{}@campaign.example", leased.id());
                let new = Stamp { message_id, date: self.now, body_hash: [7; 32] };
                let (stamp, ready) = (leased.stamp.clone().unwrap_or(new), self.judges[relay].lane_ready_at());
                let name = self.name(relay).to_owned();
                let open = self.ledger.mark_transmitting(leased, &name, stamp, ready).await.unwrap();
                let millis = if self.chance.random_bool(0.02) { 5_000..60_000 } else { 50..2_000 };
                self.busy_for(n, Doing::Transmitting(open, history, begun, hand), millis);
                Vec::new()
            }
            Ok(()) => {
                self.note(&format!("{} called back", hand.message));
                self.ledger.give_back(leased, None).await.unwrap();
                let returned = Event::returned(relay, kind, Ok(()));
                [returned].into_iter().chain(self.closes(n)).chain([self.asks(n)]).collect()
            }
            Err(outcome) => {
                let (attempt, verdict) = self.judges[relay].attempt(self.name(relay), &outcome, history);
                let news_at = self.judges[relay].news_at(&verdict);
                self.note(&format!("{} refused: {:?}", hand.message, verdict.disposition));
                let ends = verdict.ends_session;
                self.has_ended(hand, &verdict.disposition);
                self.ledger.refuse(leased, attempt, news_at).await.unwrap();
                let report = Event::HandedOver(begun.with(outcome, verdict, false));
                let closed = if ends { self.closes(n) } else { None };
                [report].into_iter().chain(closed).chain([self.asks(n)]).collect()
            }
        }
    }
}
