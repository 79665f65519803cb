//! What staff order: which messages, moved how, and a line about it. One transaction.

use rusqlite::{Connection, OptionalExtension, params};

use crate::failpoint;
use crate::ledger::{Decision, DecisionKind, LedgerError, Selection};
use crate::model::{MessageId, MessageState, Move, transition};

use super::cells::Ms;
use super::confirm::{self, Between};
use super::fault::Work;
use super::moves::{arrows, step_chosen};
use super::suppressions::TO_STAFF_S_LIST;
use super::{lanes, totals};

/// How many numbers of messages a decision's line repeats.
const IDS_SHOWN_MAX: usize = 20;

/// See [`crate::ledger::Ledger::decide`].
pub(super) fn decide(db: &Connection, decision: &Decision) -> Work<u64> {
    let at = Ms::from(decision.at);
    let by = move_of(decision.kind);
    db.execute("CREATE TEMP TABLE chosen (id INTEGER PRIMARY KEY, lane INTEGER)", [])?;
    match &decision.selection {
        Selection::All => choose(db, decision.kind, by, None)?,
        Selection::State(state) => choose(db, decision.kind, by, Some(*state))?,
        Selection::Ids(ids) => choose_these(db, decision.kind, by, ids)?,
        Selection::OfThese(ids) => choose_of_these(db, by, ids)?,
    }
    prepare(db, decision)?;
    let moved = step_chosen(db, by)?;
    failpoint::reached("decide.moved");
    lanes::repair_those(db, "SELECT DISTINCT lane FROM temp.chosen WHERE lane IS NOT NULL")?;
    if arrows(by).any(|(_, to)| to.is_settled()) {
        tell_constituents(db, at)?;
    }
    db.execute("DROP TABLE temp.chosen", [])?;
    db.execute("INSERT INTO decision (at, text) VALUES (?1, ?2)", params![at, line(decision, moved)])?;
    // What failed made room for others; when it comes back, its official must not get more than their total.
    if decision.kind == DecisionKind::Retry {
        totals::keep(db, at)?;
    }
    failpoint::reached("decide.written");
    Ok(moved)
}

fn move_of(kind: DecisionKind) -> Move {
    match kind {
        DecisionKind::Retry => Move::Retry,
        DecisionKind::Hold => Move::Hold,
        DecisionKind::Release => Move::Release,
        DecisionKind::Cancel => Move::Cancel,
        DecisionKind::Expire => Move::Expire,
        DecisionKind::ResolveSent => Move::ResolveSent,
        DecisionKind::ResolveResend | DecisionKind::ResendToSame => Move::ResolveResend,
    }
}

/// Messages of people who were erased. There is nothing left that they could be made from.
const OF_ERASED: &str = "(constituent IN (SELECT id FROM person WHERE erased_at IS NOT NULL))";

/// Whether a move lets a message be handed over that was not waiting to be.
fn sends_again(by: Move) -> bool {
    matches!(by, Move::Retry | Move::Release | Move::ResolveResend)
}

/// What staff cannot release: it waits for something else than staff.
const WAITS_ELSEWHERE: &str = "(lane IS NULL OR withheld)";

fn choose(db: &Connection, kind: DecisionKind, by: Move, only: Option<MessageState>) -> Work<()> {
    let exception = match kind {
        DecisionKind::Release => format!("AND NOT {WAITS_ELSEWHERE}"),
        // What became of letters that are out is still to be told.
        DecisionKind::Cancel => "AND kind = 'letter'".to_owned(),
        // Once a letter: one that was in doubt before has been sent again already.
        DecisionKind::ResendToSame => "AND (SELECT count(*) FROM attempt
                WHERE attempt.message = message.id AND disposition = 'in_doubt') < 2"
            .to_owned(),
        // What somebody holds a receipt for ends by that receipt.
        DecisionKind::Expire => "AND kind = 'letter' AND token IS NULL".to_owned(),
        // Only staff take back what staff said.
        DecisionKind::Retry => format!("AND NOT {TO_STAFF_S_LIST}"),
        _ => String::new(),
    };
    for (from, _) in arrows(by).filter(|(from, _)| only.is_none_or(|only| only == *from)) {
        let erased = if sends_again(by) { format!("AND NOT {OF_ERASED}") } else { String::new() };
        let sql = format!("INSERT INTO temp.chosen SELECT id, lane FROM message WHERE state = ?1 {exception} {erased}");
        db.execute(&sql, [from])?;
    }
    Ok(())
}

fn choose_of_these(db: &Connection, by: Move, ids: &[MessageId]) -> Work<()> {
    for &id in ids {
        let row: Option<(MessageState, Option<i64>, bool)> = db
            .prepare_cached(&format!("SELECT state, lane, {OF_ERASED} FROM message WHERE id = ?1"))?
            .query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        if let Some((state, lane, is_of_erased)) = row
            && transition(state, by).is_ok()
            && !(is_of_erased && sends_again(by))
        {
            db.prepare_cached("INSERT OR IGNORE INTO temp.chosen VALUES (?1, ?2)")?.execute(params![id, lane])?;
        }
    }
    Ok(())
}

fn choose_these(db: &Connection, kind: DecisionKind, by: Move, ids: &[MessageId]) -> Work<()> {
    for &id in ids {
        let columns = format!("state, lane, {WAITS_ELSEWHERE}, {TO_STAFF_S_LIST}, {OF_ERASED}");
        let row: Option<(MessageState, Option<i64>, bool, bool, bool)> = db
            .prepare_cached(&format!("SELECT {columns} FROM message WHERE id = ?1"))?
            .query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))
            .optional()?;
        let Some((state, lane, waits_elsewhere, is_suppressed, is_of_erased)) = row else {
            return Err(LedgerError::Conflict(format!("there is no message {id}; nothing was changed")).into());
        };
        if transition(state, by).is_err() {
            let (is, kind) = (state.in_words(), kind.as_str());
            let text = format!("message {id} is {is}, for which there is no `{kind}`; nothing was changed");
            return Err(LedgerError::Conflict(text).into());
        }
        if is_of_erased && sends_again(by) {
            let text = format!(
                "message {id} is of somebody who was erased, so there is nothing left to send; nothing was changed. \
                 One that is in doubt can be settled with: undersigned resolve --as sent {id}"
            );
            return Err(LedgerError::Conflict(text).into());
        }
        if kind == DecisionKind::Release && waits_elsewhere {
            let why = "its official has no mailbox, or it is a confirmation whose letters are not settled";
            return Err(LedgerError::Conflict(format!("message {id} cannot be released: {why}")).into());
        }
        if kind == DecisionKind::Retry && is_suppressed {
            let why = "its mailbox is on your suppression list; take it off with: undersigned suppress remove";
            return Err(LedgerError::Conflict(format!("message {id} cannot be retried: {why}")).into());
        }
        db.prepare_cached("INSERT OR IGNORE INTO temp.chosen VALUES (?1, ?2)")?.execute(params![id, lane])?;
    }
    Ok(())
}

/// What a decision sets besides the state.
fn prepare(db: &Connection, decision: &Decision) -> Work<()> {
    match decision.kind {
        DecisionKind::Retry => {
            db.execute(
                "DELETE FROM suppression WHERE source = 'relay' AND mailbox IN
                   (SELECT mailbox FROM lane WHERE id IN (SELECT lane FROM temp.chosen))",
                [],
            )?;
            begin_anew(db)
        }
        DecisionKind::ResolveResend => {
            bind_to(db, "NULL")?;
            begin_anew(db)
        }
        DecisionKind::ResendToSame => {
            bind_to(db, "relay")?;
            begin_anew(db)
        }
        // Named one by one, staff mean it; a sweep must not loosen what they may not have seen.
        DecisionKind::Release if matches!(decision.selection, Selection::Ids(_)) => bind_to(db, "NULL"),
        DecisionKind::ResolveSent => {
            // When the relay took it is when the connection was lost, as well as anybody knows.
            db.execute(
                "UPDATE message SET accepted_at =
                   (SELECT at FROM attempt WHERE attempt.message = message.id ORDER BY number DESC LIMIT 1)
                  WHERE id IN (SELECT id FROM temp.chosen)",
                [],
            )?;
            Ok(())
        }
        DecisionKind::Hold | DecisionKind::Release | DecisionKind::Cancel | DecisionKind::Expire => Ok(()),
    }
}

/// Which relay alone may be given them: the one that was last, or whichever.
fn bind_to(db: &Connection, relay: &str) -> Work<()> {
    let sql = format!("UPDATE message SET only_relay = {relay} WHERE id IN (SELECT id FROM temp.chosen)");
    db.execute(&sql, [])?;
    Ok(())
}

/// Due at once, by whatever clock: the dispatcher's and staff's may differ.
fn begin_anew(db: &Connection) -> Work<()> {
    db.execute(
        "UPDATE message SET due_at = 0, tries = 0, first_try_at = NULL WHERE id IN (SELECT id FROM temp.chosen)",
        [],
    )?;
    Ok(())
}

/// Tells those whose letters are in `temp.chosen` and are settled now.
pub(super) fn tell_constituents(db: &Connection, at: Ms) -> Work<()> {
    let mut letters = db.prepare(
        "SELECT constituent, official FROM temp.chosen CROSS JOIN message USING (id)
          WHERE kind = 'letter' ORDER BY chosen.id",
    )?;
    let mut rows = letters.query([])?;
    while let Some(row) = rows.next()? {
        confirm::letter_settled(db, Between { constituent: row.get(0)?, official: row.get(1)? }, at)?;
    }
    Ok(())
}

/// The line that stays: what, about which, how many, and why.
fn line(decision: &Decision, moved: u64) -> String {
    let about = match &decision.selection {
        Selection::All => "all that can".to_owned(),
        Selection::State(state) => format!("all {}", state.in_words()),
        Selection::Ids(ids) | Selection::OfThese(ids) => {
            let shown: Vec<String> = ids.iter().take(IDS_SHOWN_MAX).map(ToString::to_string).collect();
            let more = ids.len().saturating_sub(IDS_SHOWN_MAX);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("messages {}{more}", shown.join(", "))
        }
    };
    let reason = if decision.reason.is_empty() { "no reason given" } else { &decision.reason };
    format!("{}: {about}; moved {moved}; {reason}", decision.kind.as_str())
}
