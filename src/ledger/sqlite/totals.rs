//! At most so many letters to one official in all: those beyond it are held, and let go again when there is room.
//!
//! What counts is what went out and what still may: sent, in doubt, in transmission, waiting. A letter that failed or
//! was withdrawn makes room. A letter that staff release is theirs: it does not count, and is not held for this again.

use rusqlite::{Connection, params};

use crate::ledger::KeptTotals;
use crate::model::Move;

use super::cells::Ms;
use super::fault::Work;
use super::lanes;
use super::moves::step_chosen;

const COUNTS: &str = "kind = 'letter' AND state IN ('queued', 'leased', 'deferred', 'transmitting', 'sent', 'in_doubt')
    AND id NOT IN (SELECT message FROM beyond_total)";
/// The reason that a held letter shows.
pub(super) const REASON: &str = "beyond pace.per_official_total";

/// Notes the total and keeps to it.
pub(super) fn set(db: &Connection, total: Option<u64>, now: Ms) -> Work<KeptTotals> {
    let total = total.map(|total| i64::try_from(total).unwrap_or(i64::MAX));
    db.execute("UPDATE campaign SET official_total = ?1", [total])?;
    keep(db, now)
}

/// Holds what is beyond the total that was noted, releases what was held for it and is not beyond it any more.
pub(super) fn keep(db: &Connection, now: Ms) -> Work<KeptTotals> {
    let total: Option<i64> = db.query_row("SELECT official_total FROM campaign", [], |row| row.get(0))?;
    let was_kept: bool = db.query_row("SELECT EXISTS (SELECT 1 FROM beyond_total)", [], |row| row.get(0))?;
    if total.is_none() && !was_kept {
        return Ok(KeptTotals::default());
    }
    db.execute("CREATE TEMP TABLE chosen (id INTEGER PRIMARY KEY, lane INTEGER)", [])?;
    let held = hold(db, total.unwrap_or(i64::MAX))?;
    db.execute("DELETE FROM temp.chosen", [])?;
    let released = release(db, total.unwrap_or(i64::MAX))?;
    db.execute("DROP TABLE temp.chosen", [])?;
    for (moved, what) in [(held, "hold: letters"), (released, "release: letters no longer")] {
        if moved > 0 {
            let of = total.map_or_else(|| "unlimited".to_owned(), |total| total.to_string());
            let text = format!("{what} {REASON} ({of}); moved {moved}; by the program");
            db.execute("INSERT INTO decision (at, text) VALUES (?1, ?2)", params![now, text])?;
        }
    }
    Ok(KeptTotals { held, released })
}

fn hold(db: &Connection, total: i64) -> Work<u64> {
    // What was tried before keeps its place, then what was enrolled first.
    db.execute(
        &format!(
            "INSERT INTO temp.chosen SELECT id, lane FROM (
               SELECT id, lane, state, row_number() OVER
                   (PARTITION BY official ORDER BY CASE state WHEN 'queued' THEN 2 WHEN 'deferred' THEN 1 ELSE 0 END, id)
                   AS place
                 FROM message WHERE {COUNTS} AND official IN
                   (SELECT official FROM message WHERE {COUNTS} GROUP BY official HAVING count(*) > ?1))
              WHERE place > ?1 AND state IN ('queued', 'deferred')"
        ),
        [total],
    )?;
    let held = step_chosen(db, Move::Hold)?;
    db.execute("UPDATE message SET last_reply = ?1 WHERE id IN (SELECT id FROM temp.chosen)", [REASON])?;
    db.execute("INSERT INTO beyond_total SELECT id FROM temp.chosen", [])?;
    lanes::repair_those(db, "SELECT DISTINCT lane FROM temp.chosen")?;
    Ok(held)
}

fn release(db: &Connection, total: i64) -> Work<u64> {
    db.execute(
        &format!(
            "WITH counted AS (SELECT official, count(*) AS n FROM message WHERE {COUNTS} GROUP BY official),
                  held AS (SELECT m.id, m.lane, m.official,
                             row_number() OVER (PARTITION BY m.official ORDER BY m.id) AS place
                           FROM beyond_total JOIN message m ON m.id = beyond_total.message WHERE m.state = 'held')
             INSERT INTO temp.chosen SELECT held.id, held.lane FROM held LEFT JOIN counted USING (official)
              WHERE place <= ?1 - ifnull(n, 0)"
        ),
        [total],
    )?;
    let released = step_chosen(db, Move::Release)?;
    db.execute("UPDATE message SET last_reply = NULL WHERE id IN (SELECT id FROM temp.chosen)", [])?;
    db.execute("DELETE FROM beyond_total WHERE message IN (SELECT id FROM temp.chosen)", [])?;
    lanes::repair_those(db, "SELECT DISTINCT lane FROM temp.chosen")?;
    Ok(released)
}
