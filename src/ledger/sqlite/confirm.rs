//! When a constituent is told what became of their letters: in the transaction that settles the last of them.
//!
//! A confirmation that has come about and is then overtaken, because staff have one of its letters tried again,
//! is withheld when its turn comes (see `claim`) and let go here once the letters are settled again. One that
//! was sent stays sent: a constituent is told once.

use rusqlite::{Connection, OptionalExtension, params};

use crate::failpoint;
use crate::ledger::Confirming;
use crate::model::{MessageId, MessageKind, MessageState, Move};

use super::cells::Ms;
use super::fault::Work;
use super::moves::{Standing, step};
use super::{lanes, people};

/// A letter, by the people that it is between.
#[derive(Debug, Clone, Copy)]
pub(super) struct Between {
    /// Who signed it.
    pub(super) constituent: i64,
    /// Who it goes to.
    pub(super) official: i64,
}

/// To be called for every letter that has just been settled.
pub(super) fn letter_settled(db: &Connection, letter: Between, due: Ms) -> Work<()> {
    if people::is_erased(db, letter.constituent)? {
        return Ok(()); // there is nobody to tell
    }
    let terms = db
        .prepare_cached("SELECT confirming, confirmation FROM campaign WHERE confirming IS NOT NULL")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (official, template): (Option<i64>, i64) = match terms {
        None | Some((Confirming::Never, _)) => return Ok(()),
        Some((Confirming::PerConstituent, template)) => (None, template),
        Some((Confirming::PerLetter, template)) => (Some(letter.official), template),
    };
    if official.is_none() {
        let_go_of_late_one(db, letter, due)?;
    }
    let states = letter_states(db, letter.constituent, official)?;
    if !states.iter().all(|state| state.is_settled()) {
        return Ok(());
    }
    let news = are_news(&states);
    match existing(db, letter.constituent, official)? {
        Some(told) if told.withheld => let_go(db, &told, news, due),
        Some(told) if official.is_none() && told.state.is_settled() => {
            tell_of_late_one(db, letter, &told, template, due)
        }
        None if news => add(db, letter.constituent, official, template, due),
        Some(_) | None => Ok(()),
    }
}

/// What staff withdrew is theirs to explain; everything else is news.
fn are_news(states: &[MessageState]) -> bool {
    states.iter().any(|state| *state != MessageState::Cancelled)
}

/// The confirmation of one late letter was withheld while that was tried again.
fn let_go_of_late_one(db: &Connection, letter: Between, due: Ms) -> Work<()> {
    match existing(db, letter.constituent, Some(letter.official))? {
        Some(told) if told.withheld => {
            let news = are_news(&letter_states(db, letter.constituent, Some(letter.official))?);
            let_go(db, &told, news, due)
        }
        _ => Ok(()),
    }
}

/// A letter that was enrolled after its constituent had been told of the others gets a confirmation of its own.
fn tell_of_late_one(db: &Connection, letter: Between, told: &Told, template: i64, due: Ms) -> Work<()> {
    let id: MessageId = db
        .prepare_cached("SELECT id FROM message WHERE constituent = ?1 AND kind = 'letter' AND official = ?2")?
        .query_row(params![letter.constituent, letter.official], |row| row.get(0))?;
    let is_known = existing(db, letter.constituent, Some(letter.official))?.is_some();
    if id < told.id || is_known {
        return Ok(());
    }
    add(db, letter.constituent, Some(letter.official), template, due)
}

/// The states of the letters that a confirmation is about: one official's, or all.
pub(super) fn letter_states(db: &Connection, constituent: i64, official: Option<i64>) -> Work<Vec<MessageState>> {
    let mut states = db.prepare_cached(
        "SELECT state FROM message WHERE constituent = ?1 AND kind = 'letter' AND (?2 IS NULL OR official = ?2)",
    )?;
    Ok(states.query_map(params![constituent, official], |row| row.get(0))?.collect::<Result<_, _>>()?)
}

/// Moves a confirmation, whose letters are not all settled, out of the queue until they are.
pub(super) fn withhold(db: &Connection, confirmation: MessageId) -> Work<()> {
    step(db, confirmation, Standing::at(MessageState::Queued), Move::Hold)?;
    db.prepare_cached("UPDATE message SET withheld = 1 WHERE id = ?1")?.execute([confirmation])?;
    Ok(())
}

/// A confirmation that is there already.
struct Told {
    id: MessageId,
    lane: i64,
    state: MessageState,
    withheld: bool,
}

fn existing(db: &Connection, constituent: i64, official: Option<i64>) -> Work<Option<Told>> {
    Ok(db
        .prepare_cached(
            "SELECT id, lane, state, withheld AND state = 'held' FROM message
              WHERE constituent = ?1 AND kind = 'confirmation' AND ifnull(official, 0) = ifnull(?2, 0)",
        )?
        .query_row(params![constituent, official], |row| {
            Ok(Told { id: row.get(0)?, lane: row.get(1)?, state: row.get(2)?, withheld: row.get(3)? })
        })
        .optional()?)
}

fn let_go(db: &Connection, told: &Told, news: bool, due: Ms) -> Work<()> {
    step(db, told.id, Standing::at(MessageState::Held), if news { Move::Release } else { Move::Cancel })?;
    db.prepare_cached("UPDATE message SET withheld = 0, due_at = ?2 WHERE id = ?1")?.execute(params![told.id, due])?;
    lanes::repair(db, told.lane)
}

fn add(db: &Connection, constituent: i64, official: Option<i64>, template: i64, due: Ms) -> Work<()> {
    let mailbox: String =
        db.prepare_cached("SELECT lane_key FROM person WHERE id = ?1")?.query_row([constituent], |row| row.get(0))?;
    let lane = lanes::of_mailbox(db, &mailbox, MessageKind::Confirmation)?;
    db.prepare_cached(
        "INSERT INTO message (kind, constituent, official, lane, template, state, due_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        MessageKind::Confirmation,
        constituent,
        official,
        lane,
        template,
        MessageState::Queued,
        due
    ])?;
    lanes::joined_by(db, lane, due)?;
    failpoint::reached("ledger.confirming");
    Ok(())
}
