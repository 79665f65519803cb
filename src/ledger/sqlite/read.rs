//! Figures and lists for reports. Nothing here changes anything.
//!
//! Lists are read page by page: neither the memory nor the age of a read transaction grows with the campaign
//! (a reader that stays open would keep the write-ahead log from being reused).

use rusqlite::{Connection, Row, ToSql, params};

use crate::ledger::{AttemptRecord, Counts, HandOver, LogFilter, MessageRecord, OfficialFigures};
use crate::model::{MessageKind, MessageState, PersonKey};

use super::cells::Ms;
use super::fault::Work;

/// Rows of a page.
pub(super) const PAGE_ROWS: usize = 1000;

/// See [`crate::ledger::Ledger::counts`].
pub(super) fn counts(db: &Connection) -> Work<Counts> {
    let mut counts = Counts::zero();
    let mut sums = db.prepare_cached("SELECT kind, state, count(*) FROM message GROUP BY state, kind")?;
    let mut rows = sums.query([])?;
    while let Some(row) = rows.next()? {
        counts.0.insert((row.get(0)?, row.get(1)?), number(row, 2)?);
    }
    Ok(counts)
}

/// See [`crate::ledger::Ledger::knows`].
pub(super) fn knows(db: &Connection, key: PersonKey) -> Work<bool> {
    Ok(db
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM person WHERE key = ?1)")?
        .query_row(params![key], |row| row.get(0))?)
}

/// See [`crate::ledger::Ledger::officials`].
pub(super) fn officials(db: &Connection, limit: usize) -> Work<Vec<OfficialFigures>> {
    let mut sums = db.prepare_cached(
        "WITH tally AS (SELECT official, state, count(*) AS n FROM message WHERE kind = 'letter' GROUP BY 1, 2),
              busiest AS (SELECT official, sum(n) AS total FROM tally GROUP BY 1 ORDER BY total DESC, official LIMIT ?1)
         SELECT official, trim(title || ' ' || name), jurisdiction, state, n
           FROM busiest JOIN tally USING (official) JOIN person ON person.id = official
          ORDER BY total DESC, official",
    )?;
    let mut rows = sums.query([i64::try_from(limit).unwrap_or(i64::MAX)])?;
    let (mut figures, mut last) = (Vec::<OfficialFigures>::new(), None);
    while let Some(row) = rows.next()? {
        let official: i64 = row.get(0)?;
        if last.replace(official) != Some(official) {
            figures.push(OfficialFigures {
                official: row.get(1)?,
                jurisdiction: row.get(2)?,
                letters: std::collections::BTreeMap::new(),
            });
        }
        if let Some(figures) = figures.last_mut() {
            figures.letters.insert(row.get(3)?, number(row, 4)?);
        }
    }
    Ok(figures)
}

/// The attempts after the row `after`, each with its row, at most a page.
pub(super) fn attempts(db: &Connection, filter: &LogFilter, after: i64) -> Work<Vec<(i64, AttemptRecord)>> {
    let columns = "a.id, a.message, m.kind, ifnull(iif(m.kind = 'letter', o.mailbox, c.mailbox), '(erased)'), a.number, a.at, a.relay,
        a.phase, a.code, a.enhanced, a.text, a.class, a.disposition, a.queue_id, m.message_id,
        a.rule";
    page(db, filter, after, columns, "attempt a JOIN message m ON m.id = a.message", "a.id", |row| {
        Ok(AttemptRecord {
            message: row.get(1)?,
            kind: row.get(2)?,
            recipient: row.get(3)?,
            attempt: row.get(4)?,
            at: row.get::<_, Ms>(5)?.time(),
            relay: row.get(6)?,
            phase: row.get(7)?,
            code: row.get(8)?,
            enhanced: row.get(9)?,
            text: row.get(10)?,
            class: row.get(11)?,
            disposition: row.get(12)?,
            queue_id: row.get(13)?,
            message_id: row.get(14)?,
            rule: row.get(15)?,
        })
    })
}

/// The messages after the row `after`, each with its row, at most a page.
pub(super) fn messages(db: &Connection, filter: &LogFilter, after: i64) -> Work<Vec<(i64, MessageRecord)>> {
    let columns = "m.id, m.kind, m.state, c.name, trim(o.title || ' ' || o.name),
        iif(m.kind = 'letter', o.mailbox, c.mailbox), m.due_at, m.accepted_at, m.message_id, m.last_reply";
    page(db, filter, after, columns, "message m", "m.id", |row| {
        let (kind, state): (MessageKind, MessageState) = (row.get(1)?, row.get(2)?);
        let waits = matches!(state, MessageState::Queued | MessageState::Deferred);
        let official: Option<String> = row.get(4)?;
        Ok(MessageRecord {
            id: row.get(0)?,
            kind,
            state,
            constituent: row.get(3)?,
            official: official.filter(|_| kind == MessageKind::Letter),
            recipient: row.get(5)?,
            due_at: row.get::<_, Option<Ms>>(6)?.filter(|_| waits).map(Ms::time),
            accepted_at: row.get::<_, Option<Ms>>(7)?.map(Ms::time),
            message_id: row.get(8)?,
            last_reply: row.get(9)?,
        })
    })
}

/// One page of a list that is ordered by `row_id`, the first of `columns`.
fn page<T>(
    db: &Connection,
    filter: &LogFilter,
    after: i64,
    columns: &str,
    tables: &str,
    row_id: &str,
    read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
) -> Work<Vec<(i64, T)>> {
    let mut wheres = vec![format!("{row_id} > ?1")];
    let mut values: Vec<&dyn ToSql> = vec![&after];
    if let Some(message) = &filter.message {
        values.push(message);
        wheres.push(format!("m.id = ?{}", values.len()));
    }
    if let Some(state) = &filter.state {
        values.push(state);
        wheres.push(format!("+m.state = ?{}", values.len())); // in the order of the list, not of the state
    }
    let sql = format!(
        "SELECT {columns} FROM {tables} JOIN person c ON c.id = m.constituent LEFT JOIN person o ON o.id = m.official
          WHERE {} ORDER BY {row_id} LIMIT {PAGE_ROWS}",
        wheres.join(" AND ")
    );
    let mut list = db.prepare_cached(&sql)?;
    let rows = list.query_map(&values[..], |row| Ok((row.get(0)?, read(row)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// See [`crate::ledger::Ledger::sent_since`].
pub(super) fn sent_since(db: &Connection, since: Ms) -> Work<u64> {
    Ok(db
        .prepare_cached(
            "SELECT count(*) FROM attempt INDEXED BY attempt_handed_over
              WHERE disposition IN ('sent', 'in_doubt') AND at >= ?1",
        )?
        .query_row([since], |row| number(row, 0))?)
}

/// See [`crate::ledger::Ledger::handed_over`].
pub(super) fn handed_over(db: &Connection, since: Ms, each: &mut dyn FnMut(HandOver)) -> Work<()> {
    let mut list = db.prepare_cached(
        "SELECT a.at, a.relay, lane.mailbox, lane.id FROM attempt a INDEXED BY attempt_handed_over
           JOIN message m ON m.id = a.message JOIN lane ON lane.id = m.lane
          WHERE a.disposition IN ('sent', 'in_doubt') AND a.at >= ?1 ORDER BY a.at",
    )?;
    let mut rows = list.query([since])?;
    while let Some(row) = rows.next()? {
        each(HandOver { at: row.get::<_, Ms>(0)?.time(), relay: row.get(1)?, mailbox: row.get(2)?, lane: row.get(3)? });
    }
    Ok(())
}

/// See [`crate::ledger::Ledger::handed_over_by_minute`].
pub(super) fn handed_over_by_minute(
    db: &Connection,
    since: Ms,
    each: &mut dyn FnMut(&str, jiff::Timestamp, u64),
) -> Work<()> {
    let mut sums = db.prepare_cached(
        "SELECT relay, max(at), count(*) FROM attempt INDEXED BY attempt_handed_over
          WHERE disposition IN ('sent', 'in_doubt') AND at >= ?1 GROUP BY relay, at / 60000",
    )?;
    let mut rows = sums.query([since])?;
    while let Some(row) = rows.next()? {
        let relay: String = row.get(0)?;
        each(&relay, row.get::<_, Ms>(1)?.time(), number(row, 2)?);
    }
    Ok(())
}

/// See [`crate::ledger::Ledger::first_handed_over`].
pub(super) fn first_handed_over(db: &Connection) -> Work<Option<jiff::Timestamp>> {
    let first: Option<Ms> = db
        .prepare_cached(
            "SELECT min(at) FROM attempt INDEXED BY attempt_handed_over WHERE disposition IN ('sent', 'in_doubt')",
        )?
        .query_row([], |row| row.get(0))?;
    Ok(first.map(Ms::time))
}

/// See [`crate::ledger::Ledger::decisions`].
pub(super) fn decisions(db: &Connection) -> Work<Vec<(jiff::Timestamp, String)>> {
    let mut lines = db.prepare_cached("SELECT at, text FROM decision ORDER BY id")?;
    let rows = lines.query_map([], |row| Ok((row.get::<_, Ms>(0)?.time(), row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A count, which is never negative.
pub(super) fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(i64::unsigned_abs)
}
