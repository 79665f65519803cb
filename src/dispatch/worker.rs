//! A worker *is* a session: it asks the desk for work, keeps one connection, and hands over one message at a time.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot, watch};

use crate::ledger::{Leased, Ledger, LedgerError, Selection};
use crate::model::MessageId;
use crate::smtp::{Relay, Session};

use super::events::{Event, Order, Report};
use super::heart::{Handed, hand_over};
use super::judge::Judge;
use super::patience::until_written;
use super::press::{Press, PressError};
use super::{Stop, asked, decide, resend};

pub(super) struct Worker<L> {
    pub(super) index: usize,
    pub(super) relay: Arc<Relay>,
    pub(super) ledger: L,
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
                Order::HandOver(leased) => self.hand_over(&mut session, *leased).await,
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

    async fn hand_over(&mut self, session: &mut Option<Session>, leased: Leased) {
        let (message, kind, lane) = (leased.id(), leased.kind(), leased.lane());
        let Some(talk) = session.as_mut() else {
            let given_back = until_written(leased, |leased| self.ledger.give_back(leased, None)).await;
            return self.tell(Event::returned(self.index, kind, given_back)).await;
        };
        let index = self.index;
        let is_first = leased.stamp.is_none();
        let report = |(outcome, verdict)| Report { relay: index, message, kind, lane, outcome, verdict };
        if let Some((attempt, verdict)) = self.judge.too_late(self.relay.name(), &leased) {
            let outcome = attempt.outcome.clone();
            let news_at = self.judge.news_at(&verdict);
            let refused = until_written(leased, |leased| self.ledger.refuse(leased, attempt.clone(), news_at)).await;
            let event = match refused {
                Ok(()) => Event::HandedOver(report((outcome, verdict))),
                Err(error) => Event::returned(self.index, kind, Err(error)),
            };
            return self.tell(event).await;
        }
        let made = match self.press.make(&self.ledger, &leased, Timestamp::now()) {
            Ok(made) => made,
            Err(error) => {
                let held = self.set_aside(leased, error).await;
                return self.tell(Event::returned(self.index, kind, held)).await;
            }
        };
        let (relay, judge) = (self.relay.name(), &self.judge);
        let handed = hand_over(&self.ledger, talk, relay, judge, leased, made, &mut self.stop).await;
        let event = match handed {
            Ok(Handed::Over(outcome, verdict)) => {
                if verdict.ends_session {
                    self.close(session).await;
                }
                // Once, and not for ever: a relay that takes a letter and dies would get it again and again.
                if is_first && self.judge.resends(&verdict) {
                    self.resend(message).await;
                }
                Event::HandedOver(report((outcome, verdict)))
            }
            Ok(Handed::Returned) => Event::Returned { relay: self.index, kind },
            Err(error) => Event::returned(self.index, kind, Err(error)),
        };
        self.tell(event).await;
    }

    /// A message that cannot be made waits for staff, with the reason on record; it is not lost and blocks nobody.
    async fn set_aside(&self, leased: Leased, error: PressError) -> Result<(), LedgerError> {
        if let PressError::Ledger(error) = error {
            return Err(error);
        }
        let (reason, now) = (error.to_string(), self.judge.now());
        until_written(leased, |leased| self.ledger.set_aside(leased, &reason, now)).await
    }

    async fn resend(&self, message: MessageId) {
        let order = resend(Selection::Ids(vec![message]), Timestamp::now());
        if let Err(error) = decide(&self.ledger, order).await {
            tracing::warn!(%message, %error, "stays in doubt");
        }
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
