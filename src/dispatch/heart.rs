//! The heart: the one place in which a message leaves this machine.
//!
//! Four lines keep the promise. What fails before the second is provably not accepted; what happens after the
//! third is on disk or, at the next start, in doubt. Nothing else may be put between them.

use jiff::Timestamp;

use crate::compose::Parcel;
use crate::ledger::{Leased, Ledger, LedgerError};
use crate::model::{Outcome, Stamp};
use crate::policy::Verdict;
use crate::smtp::Session;

use super::worker::Judge;

/// Hands over one message; gives what happened and what was decided from it.
pub(super) async fn hand_over<L: Ledger>(
    ledger: &L,
    session: &mut Session,
    relay: &str,
    judge: &Judge,
    leased: Leased,
    stamp: Stamp,
    parcel: &Parcel,
) -> Result<(Outcome, Verdict), LedgerError> {
    let history = judge.history(&leased);
    let lane_ready_at = judge.lane_ready_at(Timestamp::now());

    // MAIL, RCPT, DATA → 354: nothing can have been taken yet.
    let accepted = match session.offer(&parcel.envelope, parcel.bytes.len()).await {
        Ok(accepted) => accepted,
        Err(outcome) => {
            let (attempt, verdict) = judge.attempt(relay, &outcome, &history);
            ledger.refuse(leased, attempt, judge.news_at(&verdict)).await?;
            return Ok((outcome, verdict));
        }
    };
    // The point of no return, durably on disk before the first byte of the body.
    let open = ledger.mark_transmitting(leased, relay, stamp, lane_ready_at).await?;
    // Body … dot. Never dropped once begun.
    let outcome = accepted.transmit(&open, &parcel.bytes).await;
    // What became of it; in the same transaction the confirmation's row.
    let (attempt, verdict) = judge.attempt(relay, &outcome, &history);
    ledger.close(open, attempt, judge.news_at(&verdict)).await?;
    Ok((outcome, verdict))
}
