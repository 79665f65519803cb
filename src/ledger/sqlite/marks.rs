//! The marks that erased people leave, so that nothing is ever planned for them again or claimed of what was.
//! Must not erase anything.

use rusqlite::{Connection, OptionalExtension, params};

use crate::ledger::Result;
use crate::model::{Constituent, Erased, Mark, Marks, Salt};

use super::SqliteLedger;
use super::cells::{Ms, not_a};
use super::fault::Work;

impl SqliteLedger {
    /// All marks, to plan without those who left them.
    pub fn marks(&self) -> Result<Marks> {
        self.read(all)
    }
}

fn all(db: &Connection) -> Work<Marks> {
    let Some(salt) = salt(db)? else { return Ok(Marks::default()) };
    let mut rows = db.prepare("SELECT mark, why FROM erased")?;
    let marks = rows.query_map([], |row| Ok((Mark(row.get(0)?), why(row, 1)?)))?;
    Ok(Marks::new(salt, marks.collect::<std::result::Result<Vec<_>, _>>()?))
}

fn why(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Erased> {
    let word: String = row.get(column)?;
    Erased::parse(&word).ok_or_else(|| not_a("Erased").into())
}

fn salt(db: &Connection) -> Work<Option<Salt>> {
    Ok(db.prepare_cached("SELECT salt FROM campaign")?.query_row([], |row| row.get(0))?)
}

/// The salt of this ledger, drawn when the first mark is left.
pub(super) fn salt_or_new(db: &Connection) -> Work<Salt> {
    if let Some(salt) = salt(db)? {
        return Ok(salt);
    }
    let new: Salt = rand::random();
    db.execute("UPDATE campaign SET salt = ?1", [&new[..]])?;
    Ok(new)
}

/// Leaves a mark; gives whether it is new.
pub(super) fn leave(db: &Connection, mark: Mark, why: Erased, at: Ms) -> Work<bool> {
    let insert = "INSERT OR IGNORE INTO erased (mark, why, at) VALUES (?1, ?2, ?3)";
    Ok(db.prepare_cached(insert)?.execute(params![&mark.0[..], why.as_str(), at])? > 0)
}

/// What tells whether a constituent left a mark; made once for many of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Marked(Option<Salt>);

impl Marked {
    /// As of now.
    pub(super) fn read(db: &Connection) -> Work<Self> {
        Ok(Self(salt(db)?))
    }

    /// Whether nothing may be planned for them, or be sent of what was.
    pub(super) fn has(self, db: &Connection, who: &Constituent) -> Work<bool> {
        let Some(salt) = self.0 else { return Ok(false) };
        let mut known = db.prepare_cached("SELECT 1 FROM erased WHERE mark = ?1")?;
        for mark in Mark::of_constituent(&salt, who) {
            if known.query_row([&mark.0[..]], |_| Ok(())).optional()?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
