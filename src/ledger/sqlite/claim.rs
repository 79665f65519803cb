//! Claiming: what has come due is promoted, then the lanes that are ready give their earliest messages.

use std::sync::LazyLock;

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::ledger::{Claim, Leased};
use crate::model::{Content, LetterFate, MessageId, MessageKind, MessageState, Move, Stamp, TemplateId};

use super::cells::Ms;
use super::confirm::{self, Between};
use super::fault::Work;
use super::marks::Marked;
use super::moves::{Standing, step};
use super::suppressions::about;
use super::{lanes, people};

/// Promotions in one claim; the rest comes with the next.
const PROMOTED_MAX: i64 = 1000;
/// Messages of one lane that one claim moves aside (suppressed, withheld); the rest comes with the next.
const SET_ASIDE_MAX: usize = 256;

/// See [`crate::ledger::Ledger::claim`].
pub(super) fn claim(db: &Connection, claim: Claim) -> Work<Vec<Leased>> {
    let now = Ms::from(claim.now);
    promote(db, now)?;
    let lanes = lanes::ready(db, now, claim.limit, claim.kind)?;
    let share = if claim.one_per_lane { 1 } else { claim.limit.div_ceil(lanes.len().max(1)) };
    let mut taken_in_all = 0;
    let mut by_lane = Vec::new();
    for lane in lanes {
        let room = share.min(claim.limit - taken_in_all);
        if room == 0 {
            break;
        }
        let taken = take_from(db, lane, now, room, claim.kind)?;
        let occupied_by = taken.first().map(Leased::id).filter(|_| claim.one_per_lane);
        lanes::had_its_turn(db, lane, now, taken.len(), occupied_by)?;
        taken_in_all += taken.len();
        by_lane.push(taken.into_iter());
    }
    Ok(take_turns(by_lane))
}

/// One of each lane, then the next of each: a lane whose messages come to nothing must not make the others wait.
fn take_turns(mut by_lane: Vec<std::vec::IntoIter<Leased>>) -> Vec<Leased> {
    let mut leased = Vec::new();
    while !by_lane.is_empty() {
        by_lane.retain_mut(|lane| match lane.next() {
            Some(message) => {
                leased.push(message);
                true
            }
            None => false,
        });
    }
    leased
}

/// Puts deferred messages whose time has come back into their lanes.
fn promote(db: &Connection, now: Ms) -> Work<()> {
    let due: Vec<(MessageId, i64)> = db
        .prepare_cached(
            "SELECT id, lane FROM message INDEXED BY message_wait
              WHERE state = 'deferred' AND due_at <= ?1 ORDER BY due_at LIMIT ?2",
        )?
        .query_map(params![now, PROMOTED_MAX], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (message, lane) in due {
        step(db, message, Standing::at(MessageState::Deferred), Move::ComeDue)?;
        lanes::repair(db, lane)?;
    }
    Ok(())
}

/// A message that waits, as its row tells it.
struct Waiting {
    id: MessageId,
    kind: MessageKind,
    constituent: i64,
    official: Option<i64>,
    template: TemplateId,
    stamp: Option<Stamp>,
    tries: u32,
    first_try_at: Option<Ms>,
    only_relay: Option<Box<str>>,
}

/// Leases up to `room` messages of one lane. What must not go out is moved aside on the way.
fn take_from(db: &Connection, lane: i64, now: Ms, room: usize, kind: Option<MessageKind>) -> Work<Vec<Leased>> {
    let suppressed = is_suppressed(db, lane)?;
    let marked = Marked::read(db)?;
    let (mut taken, mut set_aside) = (Vec::new(), 0);
    while taken.len() < room && set_aside < SET_ASIDE_MAX {
        let Some(waiting) = earliest(db, lane, now, kind)? else { break };
        if suppressed {
            suppress(db, &waiting, now)?;
        } else if let Some(content) = content(db, &waiting)? {
            // Whoever asked to be forgotten while this campaign runs: see `erase`.
            if marked.has(db, content.constituent())? {
                step(db, waiting.id, Standing::at(MessageState::Queued), Move::Cancel)?;
                set_aside += 1;
                continue;
            }
            taken.push(lease(db, waiting, lane, content)?);
            continue;
        } else {
            confirm::withhold(db, waiting.id)?;
        }
        set_aside += 1;
    }
    Ok(taken)
}

/// Whether nothing goes to the mailbox of a lane.
pub(super) const IS_SUPPRESSED: &str =
    concat!("SELECT EXISTS (SELECT 1 FROM lane JOIN suppression ON ", about!("lane.mailbox"), " WHERE lane.id = ?1)");

fn is_suppressed(db: &Connection, lane: i64) -> Work<bool> {
    Ok(db.prepare_cached(IS_SUPPRESSED)?.query_row([lane], |row| row.get(0))?)
}

/// First what was refused and has come due, then what was never tried; within each, what has been due for longest.
///
/// Postfix lets new and deferred mail in by turns, lest a backlog keep out what is new. A lane is different: all its
/// letters are for one mailbox, those never tried have time, and of those that were refused it runs out from their first
/// try on. Nor can they keep the others out: each waits longer after every refusal and is given up in the end. What was
/// lost with its connection counts no try and goes behind, so that others pass and show whether the letter is to blame.
fn earliest(db: &Connection, lane: i64, now: Ms, kind: Option<MessageKind>) -> Work<Option<Waiting>> {
    for query in [&AGAIN, &IN_TURN] {
        let found = db.prepare_cached(query)?.query_row(params![lane, now, kind], waiting).optional()?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

static AGAIN: LazyLock<String> = LazyLock::new(|| earliest_query("message_again", "AND tries > 0"));
static IN_TURN: LazyLock<String> = LazyLock::new(|| earliest_query("message_queue", ""));

fn earliest_query(index: &str, narrowed: &str) -> String {
    format!(
        "SELECT id, kind, constituent, official, template, tries, first_try_at, message_id, date, body_hash, only_relay
           FROM message INDEXED BY {index}
          WHERE lane = ?1 AND state = 'queued' {narrowed} AND due_at <= ?2 AND (?3 IS NULL OR kind = ?3)
          ORDER BY due_at, id LIMIT 1"
    )
}

fn waiting(row: &Row<'_>) -> rusqlite::Result<Waiting> {
    Ok(Waiting {
        id: row.get(0)?,
        kind: row.get(1)?,
        constituent: row.get(2)?,
        official: row.get(3)?,
        template: TemplateId(row.get(4)?),
        tries: row.get(5)?,
        first_try_at: row.get(6)?,
        stamp: stamp(row, 7)?,
        only_relay: row.get(10)?,
    })
}

/// Reads the three columns of a stamp, the first of which is at `column`.
pub(super) fn stamp(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Stamp>> {
    let Some(message_id) = row.get(column)? else { return Ok(None) };
    let date: Ms = row.get(column + 1)?;
    Ok(Some(Stamp { message_id, date: date.time(), body_hash: row.get(column + 2)? }))
}

fn suppress(db: &Connection, waiting: &Waiting, now: Ms) -> Work<()> {
    step(db, waiting.id, Standing::at(MessageState::Queued), Move::Suppress)?;
    match (waiting.kind, waiting.official) {
        (MessageKind::Letter, Some(official)) => {
            confirm::letter_settled(db, Between { constituent: waiting.constituent, official }, now)
        }
        _ => Ok(()),
    }
}

fn lease(db: &Connection, waiting: Waiting, lane: i64, content: Content) -> Work<Leased> {
    let standing = step(db, waiting.id, Standing::at(MessageState::Queued), Move::Claim)?;
    Ok(Leased {
        id: waiting.id,
        token: standing.token.unwrap_or_default(),
        lane,
        content,
        template: waiting.template,
        stamp: waiting.stamp,
        attempts: waiting.tries,
        first_attempt_at: waiting.first_try_at.map(Ms::time),
        only_relay: waiting.only_relay,
    })
}

/// What the message is made from; `None` for a confirmation that has been overtaken by its letters.
fn content(db: &Connection, waiting: &Waiting) -> Work<Option<Content>> {
    let constituent = people::constituent(db, waiting.constituent)?;
    if let (MessageKind::Letter, Some(official)) = (waiting.kind, waiting.official) {
        return Ok(Some(Content::Letter { official: people::official(db, official)?, constituent }));
    }
    let letters = fates(db, waiting.constituent, waiting.official)?;
    let settled = letters.iter().all(|letter| letter.state.is_settled());
    Ok(settled.then_some(Content::Confirmation { constituent, letters }))
}

fn fates(db: &Connection, constituent: i64, official: Option<i64>) -> Work<Vec<LetterFate>> {
    let mut letters = db.prepare_cached(
        "SELECT id, official, template, state, accepted_at, last_reply FROM message
          WHERE constituent = ?1 AND kind = 'letter' AND (?2 IS NULL OR official = ?2) ORDER BY id",
    )?;
    let mut rows = letters.query(params![constituent, official])?;
    let mut fates = Vec::new();
    while let Some(row) = rows.next()? {
        fates.push(LetterFate {
            id: row.get(0)?,
            official: people::official(db, row.get(1)?)?,
            template: TemplateId(row.get(2)?),
            state: row.get(3)?,
            accepted_at: row.get::<_, Option<Ms>>(4)?.map(Ms::time),
            reply: row.get(5)?,
        });
    }
    Ok(fates)
}

#[cfg(test)]
mod tests {
    use super::super::schema;
    use super::*;

    #[test]
    fn the_next_of_a_lane_is_found_by_an_index_and_nothing_is_sorted() {
        let db = Connection::open_in_memory().unwrap();
        schema::create(&db).unwrap();
        for (query, index) in [(&AGAIN, "message_again"), (&IN_TURN, "message_queue")] {
            let mut plan = db.prepare(&format!("EXPLAIN QUERY PLAN {}", **query)).unwrap();
            let values = params![1, Ms(0), Option::<MessageKind>::None];
            let steps = plan.query_map(values, |row| row.get::<_, String>(3)).unwrap();
            let steps: Vec<String> = steps.map(Result::unwrap).collect();
            assert_eq!(steps, [format!("SEARCH message USING INDEX {index} (lane=? AND due_at<?)")]);
        }
    }
}
