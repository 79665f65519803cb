//! What staff want just now: read twice a second by a dispatcher, written by any terminal.

use rusqlite::{Connection, OptionalExtension, params};

use crate::ledger::{LiveSetting, Pause, Wish, Wishes};

use super::cells::Ms;
use super::fault::Work;
use super::suppressions;

/// See [`crate::ledger::Ledger::wish`].
pub(super) fn wish(db: &Connection, wish: &Wish, reason: &str, at: Ms) -> Work<bool> {
    let changed = match wish {
        Wish::Pause => {
            db.execute("INSERT OR IGNORE INTO pause (one, since, reason) VALUES (1, ?1, ?2)", params![at, reason])?
        }
        Wish::Resume => db.execute("DELETE FROM pause", [])?,
        Wish::Set { key, value, instead_of } => db.execute(
            "INSERT OR REPLACE INTO live_setting (key, value, instead_of, at, reason) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![key, value, instead_of, at, reason],
        )?,
        Wish::Unset { key } => db.execute("DELETE FROM live_setting WHERE key = ?1", [key])?,
    };
    if changed > 0 {
        db.execute("INSERT INTO decision (at, text) VALUES (?1, ?2)", params![at, wish.line(reason)])?;
    }
    Ok(changed > 0)
}

/// See [`crate::ledger::Ledger::wishes`].
pub(super) fn wishes(db: &Connection) -> Work<Wishes> {
    let pause = db
        .prepare_cached("SELECT since, reason FROM pause")?
        .query_row([], |row| Ok(Pause { since: row.get::<_, Ms>(0)?.time(), reason: row.get(1)? }))
        .optional()?;
    let mut settings = db.prepare_cached("SELECT key, value, instead_of, at, reason FROM live_setting ORDER BY key")?;
    let settings = settings.query_map([], |row| {
        Ok(LiveSetting {
            key: row.get(0)?,
            value: row.get(1)?,
            instead_of: row.get(2)?,
            at: row.get::<_, Ms>(3)?.time(),
            reason: row.get(4)?,
        })
    })?;
    let suppressed_at = suppressions::latest(db)?.map(Ms::time);
    Ok(Wishes { pause, settings: settings.collect::<Result<_, _>>()?, suppressed_at })
}
