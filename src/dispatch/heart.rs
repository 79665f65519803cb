//! The heart: the one place in which a message leaves this machine.
//!
//! Four lines keep the promise. What fails before the second is provably not accepted; what happens after the
//! third is on disk or, at the next start, in doubt. Nothing else may be put between them.

use tokio::sync::watch;

use crate::ledger::{Leased, Ledger, LedgerError, Unwritten};
use crate::model::Outcome;
use crate::policy::Verdict;
use crate::smtp::{Offer, Session};

use super::judge::{History, Judge};
use super::patience::until_written;
use super::press::Made;
use super::{Stop, asked};

/// How a hand-over ended.
pub(super) enum Handed {
    /// The relay answered, or was lost; that is on disk.
    Over(Outcome, Verdict),
    /// It was not offered its body, and is back in the queue.
    Returned,
}

/// Hands over one message; gives what happened and what was decided from it.
pub(super) async fn hand_over<L: Ledger>(
    ledger: &L,
    session: &mut Session,
    relay: &str,
    judge: &Judge,
    leased: Leased,
    made: Made,
    stop: &mut watch::Receiver<Stop>,
) -> Result<Handed, LedgerError> {
    let Made { parcel, stamp } = made;
    let history = History::of(&leased);
    let offer = Offer::new(&parcel.envelope, &parcel.bytes).with_smtputf8(parcel.needs_smtputf8);

    // MAIL, RCPT, DATA → 354: nothing can have been taken yet.
    let accepted = tokio::select! {
        offered = session.offer(&offer) => match offered {
            Ok(accepted) => accepted,
            Err(outcome) => return refused(ledger, relay, judge, leased, outcome).await,
        },
        () = asked(stop) => return returned(ledger, leased).await,
    };
    // The point of no return, durably on disk before the first byte of the body.
    let open = match ledger.mark_transmitting(leased, relay, stamp, judge.lane_ready_at()).await {
        Ok(open) => open,
        Err(unwritten) => return unmarked(ledger, *unwritten).await,
    };
    // Body … dot. Never dropped once begun.
    let outcome = accepted.transmit(&open, &parcel.bytes, None).await;
    // What became of it; in the same transaction the confirmation's row.
    let (attempt, verdict) = judge.attempt(relay, &outcome, history);
    until_written(open, |open| ledger.close(open, attempt.clone(), judge.news_at(&verdict))).await?;
    Ok(Handed::Over(outcome, verdict))
}

/// Refused or lost before the body: the relay provably has nothing.
async fn refused<L: Ledger>(
    ledger: &L,
    relay: &str,
    judge: &Judge,
    leased: Leased,
    outcome: Outcome,
) -> Result<Handed, LedgerError> {
    let (attempt, verdict) = judge.attempt(relay, &outcome, History::of(&leased));
    until_written(leased, |leased| ledger.refuse(leased, attempt.clone(), judge.news_at(&verdict))).await?;
    Ok(Handed::Over(outcome, verdict))
}

async fn returned<L: Ledger>(ledger: &L, leased: Leased) -> Result<Handed, LedgerError> {
    until_written(leased, |leased| ledger.give_back(leased, None)).await?;
    Ok(Handed::Returned)
}

/// Without the record there is no transmission: the session ends where it is, and the message goes back.
async fn unmarked<L: Ledger>(ledger: &L, unwritten: Unwritten<Leased>) -> Result<Handed, LedgerError> {
    let Unwritten { receipt, error } = unwritten;
    match error {
        LedgerError::Storage { .. } => returned(ledger, receipt).await,
        error => Err(error),
    }
}
