//! A worker *is* a session: it asks the desk for work, keeps one connection, and hands over one message at a time.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot, watch};

use crate::ledger::{Decision, DecisionKind, Leased, Ledger, LedgerError, Selection};
use crate::model::{Attempt, Disposition, Outcome};
use crate::policy::{RetrySchedule, Situation, Verdict, decide};
use crate::smtp::{Relay, Session};

use super::desk::{Event, Order, Report};
use super::press::{Press, PressError};
use super::{OnDoubt, Stop, heart};

/// Bad news waits so long: within it the breaker may show that it is not about this recipient at all.
const BAD_NEWS_DELAY: Duration = Duration::from_secs(30);

/// What policy needs to know, with the randomness and the time it must not fetch itself.
#[derive(Debug)]
pub(super) struct Judge {
    retry: RetrySchedule,
    deadline: Option<Timestamp>,
    on_doubt: OnDoubt,
    mailbox_interval: Option<Duration>,
}

/// What a lease remembers of earlier tries, kept while the lease itself is consumed.
#[derive(Debug, Clone, Copy)]
pub(super) struct History {
    tries_counted: u32,
    first_attempt_at: Option<Timestamp>,
}

impl Judge {
    pub(super) fn new(
        retry: RetrySchedule,
        deadline: Option<Timestamp>,
        on_doubt: OnDoubt,
        mailbox_interval: Option<Duration>,
    ) -> Self {
        Self { retry, deadline, on_doubt, mailbox_interval }
    }

    pub(super) fn history(&self, leased: &Leased) -> History {
        History { tries_counted: leased.attempts, first_attempt_at: leased.first_attempt_at }
    }

    pub(super) fn attempt(&self, relay: &str, outcome: &Outcome, history: &History) -> (Attempt, Verdict) {
        let now = Timestamp::now();
        let verdict = decide(
            outcome,
            &Situation {
                now,
                tries_counted: history.tries_counted,
                first_attempt_at: history.first_attempt_at,
                deadline: self.deadline,
                retry: &self.retry,
                jitter: rand::random_range(0.0..1.0),
            },
        );
        let attempt = Attempt {
            at: now,
            relay: relay.to_owned(),
            outcome: outcome.clone(),
            class: verdict.class,
            disposition: verdict.disposition,
        };
        (attempt, verdict)
    }

    /// From when the lane may give its next message, once this one is on the wire.
    pub(super) fn lane_ready_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.mailbox_interval.and_then(|interval| now.checked_add(interval).ok())
    }

    /// When the constituent may be told, should this settle their last letter.
    pub(super) fn news_at(&self, verdict: &Verdict) -> Timestamp {
        let now = Timestamp::now();
        match verdict.disposition {
            Disposition::Bounced | Disposition::Expired => now.checked_add(BAD_NEWS_DELAY).unwrap_or(now),
            _ => now,
        }
    }
}

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
                close(&mut session).await;
            }
            match self.next_order(&mut session).await {
                Order::Connect => self.connect(&mut session).await,
                Order::HandOver(leased) => self.hand_over(&mut session, *leased).await,
                Order::Leave => break,
            }
        }
        close(&mut session).await;
        self.tell(Event::Left).await;
    }

    /// Waits for work; a session that waits too long is closed, as relays close idle ones in their own way.
    async fn next_order(&self, session: &mut Option<Session>) -> Order {
        loop {
            let (reply, order) = oneshot::channel();
            self.tell(Event::Ask { relay: self.index, connected: session.is_some(), reply }).await;
            let idle = session.as_ref().map_or(Duration::MAX, Session::idle_limit);
            tokio::select! {
                order = order => return order.unwrap_or(Order::Leave),
                () = tokio::time::sleep(idle), if session.is_some() => close(session).await,
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
                Err(outcome) => Event::ConnectFailed { relay: self.index, outcome },
            },
            _ = self.stop.wait_for(|stop| *stop != Stop::No) => Event::ConnectGivenUp { relay: self.index },
        };
        self.tell(event).await;
    }

    async fn hand_over(&self, session: &mut Option<Session>, leased: Leased) {
        let Some(open_session) = session.as_mut() else {
            let given_back = self.ledger.give_back(leased, None).await;
            return self.tell(Event::returned(self.index, given_back)).await;
        };
        let (message, kind, lane) = (leased.id(), leased.kind(), leased.lane());
        let (parcel, stamp) = match self.press.make(&self.ledger, &leased, Timestamp::now()) {
            Ok(made) => made,
            Err(error) => {
                let held = self.hold(leased, error).await;
                return self.tell(Event::returned(self.index, held)).await;
            }
        };
        let handed =
            heart::hand_over(&self.ledger, open_session, self.relay.name(), &self.judge, leased, stamp, &parcel).await;
        let event = match handed {
            Ok((outcome, verdict)) => {
                if self.judge.on_doubt == OnDoubt::Resend && verdict.disposition == Disposition::InDoubt {
                    self.resend(message).await;
                }
                Event::HandedOver(Report { relay: self.index, message, kind, lane, outcome, verdict })
            }
            Err(LedgerError::LostRow { .. }) => Event::Returned { relay: self.index },
            Err(error) => Event::LedgerFailed(error),
        };
        self.tell(event).await;
    }

    /// A message that cannot be made waits for staff, with the reason on record; it is not lost and blocks nobody.
    async fn hold(&self, leased: Leased, error: PressError) -> Result<(), LedgerError> {
        if let PressError::Ledger(error) = error {
            return Err(error);
        }
        let id = leased.id();
        self.ledger.give_back(leased, None).await?;
        self.order(DecisionKind::Hold, id, error.to_string()).await
    }

    async fn resend(&self, message: crate::model::MessageId) {
        let reason = "campaign.on_doubt is \"resend\"".to_owned();
        if let Err(error) = self.order(DecisionKind::ResolveResend, message, reason).await {
            tracing::warn!(%message, %error, "stays in doubt");
        }
    }

    async fn order(&self, kind: DecisionKind, id: crate::model::MessageId, reason: String) -> Result<(), LedgerError> {
        let ledger = self.ledger.clone();
        let decision = Decision { kind, selection: Selection::Ids(vec![id]), reason, at: Timestamp::now() };
        tokio::task::spawn_blocking(move || ledger.decide(&decision).map(|_| ())).await.unwrap_or(Ok(()))
    }

    async fn tell(&self, event: Event) {
        let _ = self.events.send(event).await; // a loop that is gone has failed already, and says so itself
    }
}

async fn close(session: &mut Option<Session>) {
    if let Some(session) = session.take() {
        session.quit().await;
    }
}
