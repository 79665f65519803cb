//! The heart: the one place in which a message leaves this machine.
//!
//! Four lines keep the promise. What fails before the second is provably not accepted; what happens after the
//! third is on disk or, at the next start, in doubt. Nothing else may be put between them.
//!
//! Where the next message is at hand, its envelope travels with the text of this one; its text waits for a receipt of
//! its own, which is written in one transaction with what became of this one (see `books`).

use std::future::Future;

use tokio::sync::watch;

use crate::compose::Parcel;
use crate::failpoint;
use crate::ledger::{Ended, Leased, Ledger, LedgerError, Marking, Unwritten};
use crate::model::Outcome;
use crate::policy::{RelayEffect, Verdict};
use crate::smtp::{Offer, Session};

use super::books::Books;
use super::events::{Begun, Report};
use super::judge::{History, Judge};
use super::press::Made;
use super::recall::Deal;
use super::{Stop, asked};

/// A message that is ready to be offered.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) leased: Leased,
    pub(super) made: Made,
    /// With what consent it was dealt out: where that holds no longer, it must ask again.
    pub(super) deal: Deal,
}

fn offer_of(parcel: &Parcel) -> Offer<'_> {
    Offer::new(&parcel.envelope, &parcel.bytes).with_smtputf8(parcel.needs_smtputf8)
}

/// How a hand-over ended. What became of the message is on disk, or in the books, which the next one closes.
pub(super) struct Handed {
    /// The message that comes after it, where one was at hand. Its envelope may be on its way.
    pub(super) next: Option<Ready>,
    /// Whether the connection is of no more use.
    pub(super) ends_session: bool,
}

impl Handed {
    fn alone(ends_session: bool) -> Self {
        Self { next: None, ends_session }
    }
}

/// Hands over one message. `fetch` is asked for the next once this one is sure to go.
pub(super) async fn hand_over<L: Ledger>(
    books: &mut Books<'_, L>,
    session: &mut Session,
    judge: &Judge,
    message: Ready,
    stop: &mut watch::Receiver<Stop>,
    fetch: impl Future<Output = Option<Ready>>,
) -> Result<Handed, LedgerError> {
    let Ready { leased, made: Made { parcel, stamp }, deal } = message;
    let (history, report) = (History::of(&leased), Report::begun(books.relay(), &leased));

    // MAIL, RCPT, DATA → 354: nothing can have been taken yet.
    let offer = offer_of(&parcel);
    let offering = async {
        tokio::select! {
            offered = session.offer(&offer) => Some(offered),
            () = asked(stop) => None,
        }
    };
    let accepted = match books.meanwhile(offering).await? {
        Some(Ok(accepted)) if deal.holds() && !judge.is_over_for(history) => accepted,
        Some(Err(outcome)) => return refused(books, judge, leased, outcome, report).await,
        Some(Ok(_)) | None => return returned(books, leased).await,
    };
    failpoint::reached("heart.offered");
    // The point of no return, durably on disk before the first byte of the body.
    let marking = Marking { leased, relay: books.relay_name(), stamp, lane_ready_at: judge.lane_ready_at() };
    let (marked, next) = tokio::join!(books.mark(marking), fetch);
    let open = match marked {
        Ok(open) => open,
        Err(unwritten) => return unmarked(books, *unwritten, next).await,
    };
    failpoint::reached("heart.marked");
    let next_offer = next.as_ref().map(|next| offer_of(&next.made.parcel));
    // Body … dot, and with them the envelope of the next. Never dropped once begun.
    let outcome = accepted.transmit(&open, &parcel.bytes, next_offer.as_ref()).await;
    failpoint::reached("heart.transmitted");
    // What became of it; in the same transaction the confirmation's row.
    let (attempt, verdict) = judge.attempt(books.relay_name(), &outcome, history);
    let ended = Ended { open, attempt, news_at: judge.news_at(&verdict) };
    let ends_session = ends_session(&verdict) || !session.is_usable();
    let resends = judge.resends(&verdict, history);
    let report = report.with(outcome, verdict, next.is_some());
    books.close(ended, report, resends, next.is_some() && !ends_session).await?;
    Ok(Handed { next, ends_session })
}

/// Also where only the next message would have to wait: a relay that asks for a pause is not given one more.
fn ends_session(verdict: &Verdict) -> bool {
    verdict.ends_session || verdict.effect != RelayEffect::None
}

/// Refused or lost before the body: the relay provably has nothing.
async fn refused<L: Ledger>(
    books: &mut Books<'_, L>,
    judge: &Judge,
    leased: Leased,
    outcome: Outcome,
    report: Begun,
) -> Result<Handed, LedgerError> {
    let (attempt, verdict) = judge.attempt(books.relay_name(), &outcome, History::of(&leased));
    let (news_at, ends_session) = (judge.news_at(&verdict), verdict.ends_session);
    books.refuse(leased, attempt, news_at, report.with(outcome, verdict, false)).await?;
    Ok(Handed::alone(ends_session))
}

/// Not offered its body: the session ends where it is, and the message goes back.
async fn returned<L: Ledger>(books: &mut Books<'_, L>, leased: Leased) -> Result<Handed, LedgerError> {
    books.give_back(leased).await?;
    Ok(Handed::alone(true))
}

/// Without the record there is no transmission.
async fn unmarked<L: Ledger>(
    books: &mut Books<'_, L>,
    unwritten: Unwritten<Leased>,
    next: Option<Ready>,
) -> Result<Handed, LedgerError> {
    let Unwritten { receipt, error } = unwritten;
    if let Some(next) = next {
        books.give_back_ahead(next.leased).await?;
    }
    match error {
        LedgerError::Storage { .. } => returned(books, receipt).await,
        error => Err(error),
    }
}
