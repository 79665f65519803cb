//! The lanes: when each may give its next message.
//!
//! `next_at` follows from the rest of the row and from the messages that wait in it; whoever changes one of
//! these repairs the lane in the same transaction.

use rusqlite::{Connection, OptionalExtension, params};

use crate::model::{MessageId, MessageKind};

use super::cells::Ms;
use super::fault::Work;

/// When the earliest message of a lane that is ready at that time may be claimed.
fn first_at(ready_at: &str) -> String {
    format!(
        "SELECT max({ready_at}, m.due_at) FROM message m INDEXED BY message_queue
          WHERE m.lane = lane.id AND m.state = 'queued' ORDER BY m.due_at LIMIT 1"
    )
}

fn next_at() -> String {
    format!("CASE WHEN occupied_by IS NULL THEN ({}) END", first_at("lane.ready_at"))
}

/// Puts `next_at` of one lane right.
pub(super) fn repair(db: &Connection, lane: i64) -> Work<()> {
    db.prepare_cached(&format!("UPDATE lane SET next_at = {} WHERE id = ?1", next_at()))?.execute([lane])?;
    Ok(())
}

/// Puts `next_at` of many lanes right: those whose numbers the query gives.
pub(super) fn repair_those(db: &Connection, query: &str) -> Work<()> {
    db.execute(&format!("UPDATE lane SET next_at = {} WHERE id IN ({query})", next_at()), [])?;
    Ok(())
}

/// The lane of a mailbox for messages of that kind, made where there is none yet.
pub(super) fn of_mailbox(db: &Connection, mailbox_key: &str, kind: MessageKind) -> Work<i64> {
    let known = db
        .prepare_cached("SELECT id, kinds FROM lane WHERE mailbox = ?1")?
        .query_row([mailbox_key], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))
        .optional()?;
    let bit = bit(kind);
    match known {
        Some((lane, kinds)) if kinds & bit != 0 => Ok(lane),
        Some((lane, kinds)) => {
            db.prepare_cached("UPDATE lane SET kinds = ?2 WHERE id = ?1")?.execute([lane, kinds | bit])?;
            Ok(lane)
        }
        None => {
            let insert = "INSERT INTO lane (mailbox, kinds) VALUES (?1, ?2)";
            Ok(db.prepare_cached(insert)?.insert(params![mailbox_key, bit])?)
        }
    }
}

/// A kind's place in `lane.kinds`.
const fn bit(kind: MessageKind) -> i64 {
    match kind {
        MessageKind::Letter => 1,
        MessageKind::Confirmation => 2,
    }
}

/// The values of `lane.kinds` that include a kind, or anything.
fn kinds_with(kind: Option<MessageKind>) -> impl Iterator<Item = i64> {
    (1..=3).filter(move |kinds| kind.is_none_or(|kind| kinds & bit(kind) != 0))
}

/// The lanes that may give a message (of that kind) now: the longest-waiting first, among equals the least served.
pub(super) fn ready(db: &Connection, now: Ms, limit: usize, kind: Option<MessageKind>) -> Work<Vec<i64>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut lanes = db.prepare_cached(&ready_query(kind))?;
    Ok(lanes.query_map(params![now, limit], |row| row.get(0))?.collect::<Result<_, _>>()?)
}

/// Looks at no more lanes of each mixture of kinds than are wanted.
fn ready_query(kind: Option<MessageKind>) -> String {
    let of = |kinds| {
        format!(
            "SELECT * FROM (SELECT id, next_at, served FROM lane INDEXED BY lane_turn
              WHERE kinds = {kinds} AND next_at <= ?1 ORDER BY next_at, served, id LIMIT ?2)"
        )
    };
    let each: Vec<String> = kinds_with(kind).map(of).collect();
    format!("SELECT id FROM ({}) ORDER BY next_at, served, id LIMIT ?2", each.join(" UNION ALL "))
}

/// After a claim: the lane has had its turn, and waits for `occupied_by` where one is given.
pub(super) fn had_its_turn(
    db: &Connection,
    lane: i64,
    now: Ms,
    served: usize,
    occupied_by: Option<MessageId>,
) -> Work<()> {
    // `ready_at` moves up to now so that lanes that waited meanwhile come first.
    let ready_at = "max(lane.ready_at, ?2)";
    db.prepare_cached(&format!(
        "UPDATE lane SET ready_at = {ready_at}, served = served + ?3, occupied_by = ifnull(?4, occupied_by),
           next_at = CASE WHEN ifnull(?4, occupied_by) IS NULL THEN ({}) END WHERE id = ?1",
        first_at(ready_at)
    ))?
    .execute(params![lane, now, i64::try_from(served).unwrap_or(i64::MAX), occupied_by])?;
    Ok(())
}

/// The lane's next message is not to be claimed before that time.
pub(super) fn wait_until(db: &Connection, lane: i64, ready_at: Ms) -> Work<()> {
    let later = "max(lane.ready_at, ?2)";
    db.prepare_cached(&format!(
        "UPDATE lane SET ready_at = {later}, next_at = CASE WHEN occupied_by IS NULL THEN ({}) END
          WHERE id = ?1 AND ready_at < ?2",
        first_at(later)
    ))?
    .execute(params![lane, ready_at])?;
    Ok(())
}

/// No lane waits for longer than until then.
pub(super) fn wait_at_most(db: &Connection, ready_at_max: Ms) -> Work<()> {
    db.execute("CREATE TEMP TABLE late AS SELECT id FROM lane WHERE ready_at > ?1", [ready_at_max])?;
    db.execute("UPDATE lane SET ready_at = ?1 WHERE id IN (SELECT id FROM temp.late)", [ready_at_max])?;
    repair_those(db, "SELECT id FROM temp.late")?;
    db.execute("DROP TABLE temp.late", [])?;
    Ok(())
}

/// The same after staff made the pace faster. What is to be suppressed waits for the news all the same.
pub(super) fn pull_in(db: &Connection, ready_at_max: Ms) -> Work<()> {
    db.execute(
        "CREATE TEMP TABLE late AS SELECT id FROM lane
          WHERE ready_at > ?1 AND mailbox NOT IN (SELECT mailbox FROM suppression)",
        [ready_at_max],
    )?;
    db.execute("UPDATE lane SET ready_at = ?1 WHERE id IN (SELECT id FROM temp.late)", [ready_at_max])?;
    repair_those(db, "SELECT id FROM temp.late")?;
    db.execute("DROP TABLE temp.late", [])?;
    Ok(())
}

/// A message of the lane is in nobody's hands any more. Where it did not hold up the lane, nothing is to be put right.
pub(super) fn vacate(db: &Connection, lane: i64, message: MessageId) -> Work<()> {
    db.prepare_cached(&format!(
        "UPDATE lane SET occupied_by = NULL, next_at = ({}) WHERE id = ?1 AND occupied_by = ?2",
        first_at("lane.ready_at")
    ))?
    .execute(params![lane, message])?;
    Ok(())
}

/// A message that is new, or has come back, waits in the lane from then on.
pub(super) fn joined_by(db: &Connection, lane: i64, due: Ms) -> Work<()> {
    db.prepare_cached(
        "UPDATE lane SET next_at = min(ifnull(next_at, max(ready_at, ?2)), max(ready_at, ?2))
          WHERE id = ?1 AND occupied_by IS NULL",
    )?
    .execute(params![lane, due])?;
    Ok(())
}

/// When the next lane or deferred message comes due.
pub(super) fn next_wake(db: &Connection) -> Work<Option<Ms>> {
    let mut lane: Option<Ms> = None;
    for kinds in kinds_with(None) {
        let query = "SELECT min(next_at) FROM lane INDEXED BY lane_turn WHERE kinds = ?1 AND next_at IS NOT NULL";
        let next: Option<Ms> = db.prepare_cached(query)?.query_row([kinds], |row| row.get(0))?;
        lane = lane.into_iter().chain(next).min();
    }
    let deferred: Option<Ms> = db
        .prepare_cached("SELECT min(due_at) FROM message INDEXED BY message_wait WHERE state = 'deferred'")?
        .query_row([], |row| row.get(0))?;
    Ok(lane.into_iter().chain(deferred).min())
}

#[cfg(test)]
mod tests {
    use super::super::schema;
    use super::*;

    #[test]
    fn what_is_ready_is_found_by_the_index_whatever_waits() {
        let db = Connection::open_in_memory().unwrap();
        schema::create(&db).unwrap();
        for kind in [None, Some(MessageKind::Letter), Some(MessageKind::Confirmation)] {
            let query = format!("EXPLAIN QUERY PLAN {}", ready_query(kind));
            let mut plan = db.prepare(&query).unwrap();
            let steps = plan.query_map(params![Ms(0), 1], |row| row.get::<_, String>(3)).unwrap();
            let steps: Vec<String> = steps.map(Result::unwrap).collect();
            let searches = steps.iter().filter(|step| step.contains("INDEX lane_turn (kinds=? AND next_at<?)")).count();
            assert_eq!(searches, kinds_with(kind).count(), "{steps:?}");
            assert!(!steps.iter().any(|step| step.contains("SCAN lane") || step.contains("message")), "{steps:?}");
        }
    }
}
