//! What becomes of a claimed message: given back, refused before the body, transmitted, closed; and what a
//! start makes of those that the last process left open.

use jiff::Timestamp;
use rusqlite::{Connection, ToSql, params};

use crate::failpoint;
use crate::ledger::{LedgerError, Recovered};
use crate::model::{
    Attempt, Class, Disposition, LossCause, MessageId, MessageKind, MessageState, Move, Outcome, Phase, Stamp,
};

use super::cells::Ms;
use super::claim::stamp;
use super::confirm::{self, Between};
use super::fault::Work;
use super::lanes;
use super::moves::{Standing, step, step_setting};

/// What a receipt says, without being one: the receipt itself stays with its caller until the commit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claimed {
    /// Which message.
    pub(super) id: MessageId,
    /// Under which token.
    pub(super) token: i64,
    /// In which lane.
    pub(super) lane: i64,
}

/// See [`crate::ledger::Ledger::give_back`].
pub(super) fn give_back(db: &Connection, leased: Claimed, lane_ready_at: Option<Ms>) -> Work<()> {
    step(db, leased.id, Standing::under(MessageState::Leased, leased.token), Move::GiveBack)?;
    lanes::vacate(db, leased.lane, leased.id)?;
    if let Some(ready_at) = lane_ready_at {
        lanes::wait_until(db, leased.lane, ready_at)?;
    }
    lanes::repair(db, leased.lane)
}

/// See [`crate::ledger::Ledger::postpone`].
pub(super) fn postpone(db: &Connection, leased: Claimed, due: Ms) -> Work<()> {
    step(db, leased.id, Standing::under(MessageState::Leased, leased.token), Move::GiveBack)?;
    db.prepare_cached("UPDATE message SET due_at = ?2 WHERE id = ?1")?.execute(params![leased.id, due])?;
    lanes::vacate(db, leased.lane, leased.id)?;
    lanes::repair(db, leased.lane)
}

/// See [`crate::ledger::Ledger::set_aside`].
pub(super) fn set_aside(db: &Connection, leased: Claimed, reason: &str, now: Ms) -> Work<()> {
    step(db, leased.id, Standing::under(MessageState::Leased, leased.token), Move::GiveBack)?;
    step(db, leased.id, Standing::at(MessageState::Queued), Move::Hold)?;
    db.prepare_cached("UPDATE message SET last_reply = ?2 WHERE id = ?1")?.execute(params![leased.id, reason])?;
    db.prepare_cached("INSERT INTO decision (at, text) VALUES (?1, ?2)")?
        .execute(params![now, format!("set aside: message {}: {reason}", leased.id)])?;
    lanes::vacate(db, leased.lane, leased.id)
}

/// See [`crate::ledger::Ledger::mark_transmitting`].
pub(super) fn mark_transmitting(
    db: &Connection,
    leased: Claimed,
    relay: &str,
    new: &Stamp,
    lane_ready_at: Option<Ms>,
) -> Work<()> {
    let (kind, fixed): (MessageKind, _) = db
        .prepare_cached("SELECT kind, message_id, date, body_hash FROM message WHERE id = ?1")?
        .query_row([leased.id], |row| Ok((row.get(0)?, stamp(row, 1)?)))?;
    if fixed.is_some_and(|fixed| !is_the_same(kind, &fixed, new)) {
        return Err(LedgerError::Conflict(format!(
            "message {} is not what was first handed over under its Message-ID; it was not sent",
            leased.id
        ))
        .into());
    }
    let from = Standing::under(MessageState::Leased, leased.token);
    let stamped = "relay = ?6, message_id = ?7, date = ?8, body_hash = ?9";
    let values: [&dyn ToSql; 4] = [&relay, &new.message_id, &Ms::from(new.date), &new.body_hash];
    step_setting(db, leased.id, from, Move::MarkTransmitting, stamped, &values)?;
    failpoint::reached("ledger.marking");
    match lane_ready_at {
        Some(ready_at) => lanes::wait_until(db, leased.lane, ready_at),
        None => Ok(()),
    }
}

/// A letter is the same to the byte. A confirmation keeps its Message-ID and Date, but tells the fates of its
/// letters as they are now, which staff may have changed since.
fn is_the_same(kind: MessageKind, fixed: &Stamp, new: &Stamp) -> bool {
    fixed.message_id == new.message_id
        && Ms::from(fixed.date) == Ms::from(new.date)
        && (kind == MessageKind::Confirmation || fixed.body_hash == new.body_hash)
}

/// Ends a lease (from `leased`) or a transmission (from `transmitting`) with what was decided of the attempt.
pub(super) fn end(db: &Connection, from: MessageState, claimed: Claimed, attempt: &Attempt, news_at: Ms) -> Work<()> {
    let by = match attempt.disposition {
        Disposition::Sent => Move::Accept,
        Disposition::Deferred { .. } => Move::Defer,
        Disposition::Bounced => Move::Bounce,
        Disposition::Expired => Move::Expire,
        Disposition::InDoubt => Move::LoseTrack,
    };
    let to = note(db, Standing::under(from, claimed.token), by, claimed.id, attempt)?;
    log(db, claimed.id, attempt)?;
    if attempt.class == Class::RecipientPermanent && attempt.enhanced().is_some_and(|e| e.class == 5 && e.subject == 1)
    {
        suppress_mailbox(db, claimed.lane, attempt)?;
        // Until the news is out the breaker may still show that the mailbox is not to blame.
        lanes::wait_until(db, claimed.lane, news_at)?;
    }
    lanes::vacate(db, claimed.lane, claimed.id)?;
    failpoint::reached("ledger.ending");
    if to.is_settled() {
        settled(db, claimed.id, news_at)?;
    }
    failpoint::reached("ledger.ended");
    Ok(())
}

/// The line in the retry log.
fn log(db: &Connection, message: MessageId, attempt: &Attempt) -> Work<()> {
    db.prepare_cached(
        "INSERT INTO attempt (message, number, at, relay, phase, code, enhanced, text, class, disposition, queue_id, rule)
         VALUES (?1, (SELECT ifnull(max(number), 0) + 1 FROM attempt WHERE message = ?1),
           ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?
    .execute(params![
        message,
        Ms::from(attempt.at),
        attempt.relay,
        attempt.phase(),
        attempt.code(),
        attempt.enhanced().map(|e| e.to_string()),
        attempt.text(),
        attempt.class.as_str(),
        attempt.disposition.as_str(),
        attempt.queue_id(),
        attempt.rule,
    ])?;
    Ok(())
}

/// The move, with what the message's own row keeps of the attempt.
fn note(db: &Connection, from: Standing, by: Move, message: MessageId, attempt: &Attempt) -> Work<MessageState> {
    let at = Ms::from(attempt.at);
    let (due, counted) = match attempt.disposition {
        Disposition::Deferred { due, counted } => (Some(Ms::from(due)), counted),
        _ => (None, true),
    };
    let accepted_at = (attempt.disposition == Disposition::Sent).then_some(at);
    // A try on the relay's clock neither counts nor starts the recipient's.
    let noted = "due_at = ifnull(?6, due_at), tries = tries + ?7,
           first_try_at = CASE WHEN ?7 THEN ifnull(first_try_at, ?8) ELSE first_try_at END,
           accepted_at = ?9, queue_id = ?10, relay = ?11, last_reply = ?12";
    let (queue_id, last_reply) = (attempt.queue_id(), attempt.outcome.to_string());
    let values: [&dyn ToSql; 7] = [&due, &counted, &at, &accepted_at, &queue_id, &attempt.relay, &last_reply];
    Ok(step_setting(db, message, from, by, noted, &values)?.state)
}

fn suppress_mailbox(db: &Connection, lane: i64, attempt: &Attempt) -> Work<()> {
    db.prepare_cached(
        "INSERT OR IGNORE INTO suppression (mailbox, reason, at) SELECT mailbox, ?2, ?3 FROM lane WHERE id = ?1",
    )?
    .execute(params![lane, attempt.outcome.to_string(), Ms::from(attempt.at)])?;
    Ok(())
}

fn settled(db: &Connection, message: MessageId, news_at: Ms) -> Work<()> {
    let (kind, constituent, official): (MessageKind, i64, Option<i64>) = db
        .prepare_cached("SELECT kind, constituent, official FROM message WHERE id = ?1")?
        .query_row([message], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    match (kind, official) {
        (MessageKind::Letter, Some(official)) => {
            confirm::letter_settled(db, Between { constituent, official }, news_at)
        }
        _ => Ok(()),
    }
}

/// See [`crate::ledger::Ledger::recover`].
pub(super) fn recover(db: &Connection, now: Timestamp, ready_at_max: Ms) -> Work<Recovered> {
    let mut found = Recovered::default();
    lanes::wait_at_most(db, ready_at_max)?;
    for (leased, _) in left_behind(db, MessageState::Leased)? {
        give_back(db, leased, None)?;
        found.given_back += 1;
    }
    failpoint::reached("ledger.recovering");
    for (open, relay) in left_behind(db, MessageState::Transmitting)? {
        let lost = Outcome::Lost { phase: Phase::Dot, cause: LossCause::ProcessEnded, detail: String::new() };
        let attempt = Attempt {
            at: now,
            relay,
            outcome: lost,
            class: Class::InDoubt,
            rule: "this program ended during transmission".into(),
            disposition: Disposition::InDoubt,
        };
        end(db, MessageState::Transmitting, open, &attempt, now.into())?;
        found.in_doubt += 1;
    }
    failpoint::reached("ledger.recovered");
    Ok(found)
}

/// The receipts, as it were, that a process took with it when it ended; each with its relay.
fn left_behind(db: &Connection, state: MessageState) -> Work<Vec<(Claimed, String)>> {
    let mut rows = db.prepare_cached(
        "SELECT id, token, lane, ifnull(relay, '') FROM message INDEXED BY message_state WHERE state = ?1",
    )?;
    let claimed =
        |row: &rusqlite::Row<'_>| Ok((Claimed { id: row.get(0)?, token: row.get(1)?, lane: row.get(2)? }, row.get(3)?));
    Ok(rows.query_map([state], claimed)?.collect::<Result<_, _>>()?)
}
