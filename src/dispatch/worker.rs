//! A worker *is* a session: it asks the desk for work, keeps one connection, and hands over one message at a time.
//! Must not touch what became of one: that is the heart's and the books'.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot, watch};

use crate::ledger::{Leased, Ledger, LedgerError};
use crate::smtp::{Relay, Session};

use super::books::Books;
use super::desk::AHEAD_FOR_MAX;
use super::events::{Event, Order, Report};
use super::heart::{Ready, hand_over};
use super::judge::Judge;
use super::patience::Patience;
use super::press::{Press, PressError};
use super::recall::Deal;
use super::{Stop, asked};

pub(super) struct Worker<L> {
    pub(super) index: usize,
    pub(super) relay: Arc<Relay>,
    pub(super) ledger: L,
    pub(super) patience: Patience,
    pub(super) press: Arc<Press>,
    pub(super) judge: Arc<Judge>,
    pub(super) events: mpsc::Sender<Event>,
    pub(super) stop: watch::Receiver<Stop>,
}

impl<L: Ledger> Worker<L> {
    pub(super) async fn run(mut self) {
        let mut session = None;
        loop {
            if session.as_ref().is_some_and(|s: &Session| !s.is_usable()) {
                self.close(&mut session).await;
            }
            match self.next_order(&mut session).await {
                Order::Connect => self.connect(&mut session).await,
                Order::HandOver(leased, deal) => self.hand_over(&mut session, *leased, deal).await,
                Order::Leave => break,
            }
        }
        self.close(&mut session).await;
        self.tell(Event::Left).await;
    }

    /// Waits for work; a session that waits too long is closed, as relays close idle ones in their own way.
    async fn next_order(&self, session: &mut Option<Session>) -> Order {
        loop {
            let (reply, mut order) = oneshot::channel();
            self.tell(Event::Ask { relay: self.index, connected: session.is_some(), reply }).await;
            let idle = session.as_ref().map_or(Duration::MAX, Session::idle_limit);
            tokio::select! {
                order = &mut order => return order.unwrap_or(Order::Leave),
                () = tokio::time::sleep(idle), if session.is_some() => {}
            }
            // An order that arrived at the last moment must not be lost with the question.
            order.close();
            let late = order.try_recv();
            self.close(session).await;
            if let Ok(order) = late {
                return order;
            }
        }
    }

    async fn connect(&mut self, session: &mut Option<Session>) {
        let relay = self.relay.clone();
        let event = tokio::select! {
            connected = relay.connect() => match connected {
                Ok(new) => {
                    *session = Some(new);
                    Event::Connected { relay: self.index }
                }
                Err(outcome) => {
                    let effect = self.judge.connection(relay.name(), &outcome);
                    Event::ConnectFailed { relay: self.index, outcome, effect }
                }
            },
            () = asked(&mut self.stop) => Event::ConnectGivenUp { relay: self.index },
        };
        self.tell(event).await;
    }

    /// Hands over one message after another, as long as the next is at hand.
    async fn hand_over(&mut self, session: &mut Option<Session>, leased: Leased, deal: Deal) {
        let kind = leased.kind();
        let Some(talk) = session.as_mut() else {
            let given_back = self.patience.until_written(leased, |leased| self.ledger.give_back(leased, None)).await;
            return self.tell(Event::returned(self.index, kind, given_back)).await;
        };
        let Some(first) = self.ready_or_set_aside(leased, deal).await else { return };
        match self.hand_over_in_a_row(talk, first).await {
            Ok(false) => {}
            Ok(true) => self.close(session).await,
            Err(error) => {
                self.tell(Event::returned(self.index, kind, Err(error))).await;
                self.close(session).await;
            }
        }
    }

    /// Gives whether the session is of no more use.
    async fn hand_over_in_a_row(&self, session: &mut Session, first: Ready) -> Result<bool, LedgerError> {
        let mut books = Books::new(&self.ledger, &self.patience, self.index, self.relay.name(), &self.events);
        let mut stop = self.stop.clone();
        let mut message = first;
        loop {
            let goes_on = session.may_carry_another();
            let mut spoilt = None;
            let fetch = async { if goes_on { self.fetch_ahead(&mut spoilt).await } else { None } };
            let handed = hand_over(&mut books, session, &self.judge, message, &mut stop, fetch).await?;
            if let Some((leased, error)) = spoilt {
                let kind = leased.kind();
                let event = Event::returned(self.index, kind, self.set_aside(leased, error).await);
                self.tell(event.going_on()).await;
            }
            match handed.next {
                None => return Ok(handed.ends_session),
                Some(next) if handed.ends_session => {
                    books.give_back(next.leased).await?;
                    return Ok(true);
                }
                Some(next) => message = next,
            }
        }
    }

    /// The message after this one, where one may go. One that cannot be made is `spoilt`.
    async fn fetch_ahead(&self, spoilt: &mut Option<(Leased, PressError)>) -> Option<Ready> {
        let (reply, order) = oneshot::channel();
        self.tell(Event::AskAhead { relay: self.index, reply }).await;
        let Ok(Order::HandOver(leased, deal)) = order.await else { return None };
        let deal = deal.for_at_most(AHEAD_FOR_MAX);
        match self.press.make(&self.ledger, &leased, Timestamp::now()) {
            Ok(made) => Some(Ready { leased: *leased, made, deal }),
            Err(error) => {
                *spoilt = Some((*leased, error));
                None
            }
        }
    }

    /// What a lease is made into; nothing where it is too late for it, or it cannot be made: that is written down.
    async fn ready_or_set_aside(&self, leased: Leased, deal: Deal) -> Option<Ready> {
        let (kind, begun) = (leased.kind(), Report::begun(self.index, &leased));
        if let Some((attempt, verdict)) = self.judge.too_late(self.relay.name(), &leased) {
            let outcome = attempt.outcome.clone();
            let news_at = self.judge.news_at(&verdict);
            let refused = self
                .patience
                .until_written(leased, |leased| self.ledger.refuse(leased, attempt.clone(), news_at))
                .await;
            let event = match refused {
                Ok(()) => Event::HandedOver(begun.with(outcome, verdict, false)),
                Err(error) => Event::returned(self.index, kind, Err(error)),
            };
            self.tell(event).await;
            return None;
        }
        match self.press.make(&self.ledger, &leased, Timestamp::now()) {
            Ok(made) => Some(Ready { leased, made, deal }),
            Err(error) => {
                let held = self.set_aside(leased, error).await;
                self.tell(Event::returned(self.index, kind, held)).await;
                None
            }
        }
    }

    /// A message that cannot be made waits for staff, with the reason on record; it is not lost and blocks nobody.
    async fn set_aside(&self, leased: Leased, error: PressError) -> Result<(), LedgerError> {
        if let PressError::Ledger(error) = error {
            return Err(error);
        }
        let (reason, now) = (error.to_string(), self.judge.now());
        self.patience.until_written(leased, |leased| self.ledger.set_aside(leased, &reason, now)).await
    }

    async fn close(&self, session: &mut Option<Session>) {
        if let Some(session) = session.take() {
            session.quit().await;
            self.tell(Event::Closed { relay: self.index }).await;
        }
    }

    async fn tell(&self, event: Event) {
        let _ = self.events.send(event).await; // a loop that is gone has failed already, and says so itself
    }
}
