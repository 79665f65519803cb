//! What a session writes down of its messages, and that the desk hears of it only once it is on disk.
//!
//! What became of a message may wait for the point of no return of the next one, to share its transaction; never
//! for longer than a moment, and never for a relay. This file decides nothing.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::failpoint;
use crate::ledger::{Ended, Kept, Leased, Ledger, LedgerError, Marking, Open, Selection, Unwritten};
use crate::model::{Attempt, MessageId};

use super::events::{Event, Report};
use super::patience::Patience;
use super::{decide, resend};

/// The answers to an envelope that travelled ahead usually come together with the answer to the text before it. Where
/// they do not, what became of that text is written down without waiting for them.
const TOGETHER: Duration = Duration::from_millis(1);

/// A message whose fate is known and not yet written down.
#[derive(Debug)]
struct Unrecorded {
    ended: Ended,
    report: Report,
    resends: bool,
}

/// The books of one session.
#[derive(Debug)]
pub(super) struct Books<'a, L> {
    ledger: &'a L,
    patience: &'a Patience,
    relay: usize,
    relay_name: &'a str,
    events: &'a mpsc::Sender<Event>,
    before: Option<Unrecorded>,
}

impl<'a, L: Ledger> Books<'a, L> {
    pub(super) fn new(
        ledger: &'a L,
        patience: &'a Patience,
        relay: usize,
        relay_name: &'a str,
        events: &'a mpsc::Sender<Event>,
    ) -> Self {
        Self { ledger, patience, relay, relay_name, events, before: None }
    }

    pub(super) fn relay(&self) -> usize {
        self.relay
    }

    pub(super) fn relay_name(&self) -> &'a str {
        self.relay_name
    }

    /// Waits for the answers to an envelope. What became of the message before waits with them for a moment only.
    pub(super) async fn meanwhile<T>(&mut self, offering: impl Future<Output = T>) -> Result<T, LedgerError> {
        let mut offering = pin!(offering);
        if self.before.is_none() {
            return Ok(offering.await);
        }
        if let Ok(offered) = timeout(TOGETHER, &mut offering).await {
            return Ok(offered);
        }
        let (offered, recorded) = tokio::join!(offering, self.record());
        recorded.map(|()| offered)
    }

    /// The point of no return, together with what became of the message before.
    pub(super) async fn mark(&mut self, marking: Marking<'_>) -> Kept<Open, Leased> {
        let Some(before) = self.before.take() else { return self.mark_alone(marking).await };
        let Unrecorded { ended, report, resends } = before;
        let (relay, stamp, lane_ready_at) = (marking.relay, marking.stamp.clone(), marking.lane_ready_at);
        match self.ledger.close_and_mark(ended, marking).await {
            Ok(open) => {
                failpoint::reached("books.closed_and_marked");
                self.tell(Event::HandedOver(report)).await;
                Ok(open)
            }
            Err(unwritten) => {
                let Unwritten { receipt: (ended, leased), .. } = *unwritten;
                self.before = Some(Unrecorded { ended, report, resends });
                if let Err(error) = self.record().await {
                    return Err(Box::new(Unwritten { receipt: leased, error }));
                }
                self.mark_alone(Marking { leased, relay, stamp, lane_ready_at }).await
            }
        }
    }

    async fn mark_alone(&self, marking: Marking<'_>) -> Kept<Open, Leased> {
        let Marking { leased, relay, stamp, lane_ready_at } = marking;
        self.ledger.mark_transmitting(leased, relay, stamp, lane_ready_at).await
    }

    /// What became of a message: written down now, or with the next one's point of no return.
    pub(super) async fn close(
        &mut self,
        ended: Ended,
        report: Report,
        resends: bool,
        goes_on: bool,
    ) -> Result<(), LedgerError> {
        self.before = Some(Unrecorded { ended, report, resends });
        if goes_on { Ok(()) } else { self.record().await }
    }

    /// Writes down what still waits for it.
    pub(super) async fn record(&mut self) -> Result<(), LedgerError> {
        let Some(Unrecorded { ended: Ended { open, attempt, news_at }, report, resends }) = self.before.take() else {
            return Ok(());
        };
        self.patience.until_written(open, |open| self.ledger.close(open, attempt.clone(), news_at)).await?;
        failpoint::reached("books.closed");
        if resends {
            self.resend(report.message).await;
        }
        self.tell(Event::HandedOver(report)).await;
        Ok(())
    }

    pub(super) async fn refuse(
        &mut self,
        leased: Leased,
        attempt: Attempt,
        news_at: Timestamp,
        report: Report,
    ) -> Result<(), LedgerError> {
        self.record().await?;
        self.patience.until_written(leased, |leased| self.ledger.refuse(leased, attempt.clone(), news_at)).await?;
        failpoint::reached("books.refused");
        self.tell(Event::HandedOver(report)).await;
        Ok(())
    }

    /// The session's message goes back to the queue.
    pub(super) async fn give_back(&mut self, leased: Leased) -> Result<(), LedgerError> {
        self.record().await?;
        self.hand_back(leased, false).await
    }

    /// The message that was to come after it goes back, too.
    pub(super) async fn give_back_ahead(&mut self, leased: Leased) -> Result<(), LedgerError> {
        self.hand_back(leased, true).await
    }

    async fn hand_back(&self, leased: Leased, goes_on: bool) -> Result<(), LedgerError> {
        let kind = leased.kind();
        self.patience.until_written(leased, |leased| self.ledger.give_back(leased, None)).await?;
        failpoint::reached("books.given_back");
        self.tell(Event::Returned { relay: self.relay, kind, goes_on }).await;
        Ok(())
    }

    /// Once, and not for ever: a relay that takes a letter and dies would get it again and again.
    async fn resend(&self, message: MessageId) {
        let order = resend(Selection::Ids(vec![message]), Timestamp::now());
        if let Err(error) = self.patience.until_done(|| decide(self.ledger, order.clone())).await {
            tracing::warn!(%message, %error, "stays in doubt");
        }
    }

    async fn tell(&self, event: Event) {
        let _ = self.events.send(event).await; // a loop that is gone has failed already, and says so itself
    }
}
