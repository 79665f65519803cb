//! Frozen templates: what a letter is made from does not change by an edit of a file.

use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};

use crate::ledger::{LedgerError, Result};
use crate::model::TemplateId;

use super::SqliteLedger;
use super::cells::Ms;
use super::fault::Work;

/// A stamp is the trace of a hand-over; a lease may be about to become one.
const ADOPTABLE: &str = "message_id IS NULL AND state NOT IN ('leased', 'transmitting', 'cancelled')";

/// See [`crate::ledger::Ledger::freeze_template`].
pub(super) fn freeze(db: &Connection, name: &str, source: &str, now: Ms) -> Work<TemplateId> {
    let hash = Sha256::digest(source.as_bytes());
    db.execute(
        "INSERT INTO template (name, sha256, source, frozen_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (name, sha256) DO UPDATE SET source = ?3 WHERE source = ''", // a text that was purged
        params![name, &hash[..], source, now],
    )?;
    let id =
        db.query_row("SELECT id FROM template WHERE name = ?1 AND sha256 = ?2", params![name, &hash[..]], |row| {
            row.get(0)
        })?;
    Ok(TemplateId(id))
}

/// See [`crate::ledger::Ledger::template`].
pub(super) fn source(db: &Connection, id: TemplateId) -> Work<String> {
    let source = db
        .prepare_cached("SELECT source FROM template WHERE id = ?1")?
        .query_row([id.0], |row| row.get(0))
        .optional()?;
    source.ok_or_else(|| unknown(id).into())
}

/// Erases the texts that nothing is made from any more; their hashes stay. Gives how many there were.
pub(super) fn purge(db: &Connection) -> Work<u64> {
    let purged = db.execute(
        "UPDATE template SET source = '' WHERE source <> '' AND id NOT IN
           (SELECT m.template FROM message m JOIN person c ON c.id = m.constituent WHERE c.erased_at IS NULL
            UNION SELECT confirmation FROM campaign WHERE confirmation IS NOT NULL AND EXISTS
              (SELECT 1 FROM person WHERE role = 'constituent' AND erased_at IS NULL))",
        [],
    )?;
    Ok(purged as u64)
}

/// See [`super::SqliteLedger::froze_last`].
pub(super) fn is_newest(db: &Connection, name: &str, source: &str) -> Work<bool> {
    let hash = Sha256::digest(source.as_bytes());
    Ok(db
        .query_row(
            "SELECT sha256 = ?2 FROM template WHERE name = ?1 ORDER BY id DESC LIMIT 1",
            params![name, &hash[..]],
            |row| row.get(0),
        )
        .optional()?
        .unwrap_or(false))
}

/// See [`crate::ledger::Ledger::newest_template`].
pub(super) fn newest(db: &Connection, name: &str) -> Work<Option<(TemplateId, String)>> {
    Ok(db
        .query_row("SELECT id, source FROM template WHERE name = ?1 ORDER BY id DESC LIMIT 1", [name], |row| {
            Ok((TemplateId(row.get(0)?), row.get(1)?))
        })
        .optional()?)
}

/// See [`crate::ledger::Ledger::adopt_template`].
pub(super) fn adopt(db: &Connection, from_name: &str, to: TemplateId, now: Ms) -> Work<u64> {
    source(db, to)?;
    let moved = db.execute(
        &format!(
            "UPDATE message SET template = ?2
              WHERE {ADOPTABLE} AND template IN (SELECT id FROM template WHERE name = ?1 AND id <> ?2)"
        ),
        params![from_name, to.0],
    )?;
    db.execute(
        "UPDATE campaign SET confirmation = ?2 WHERE confirmation IN (SELECT id FROM template WHERE name = ?1)",
        params![from_name, to.0],
    )?;
    let text = format!("adopt a changed template: {from_name}; moved {moved}");
    db.execute("INSERT INTO decision (at, text) VALUES (?1, ?2)", params![now, text])?;
    Ok(moved as u64)
}

impl SqliteLedger {
    /// The frozen texts of that name with which messages wait that were not offered to a relay yet. With one that was
    /// purged nothing waits: only people who were erased had it.
    pub fn texts_in_wait(&self, name: &str) -> Result<Vec<String>> {
        self.read(|db| {
            let mut texts = db.prepare_cached(&format!(
                "SELECT source FROM template WHERE name = ?1 AND source <> ''
                    AND EXISTS (SELECT 1 FROM message WHERE template = template.id AND {ADOPTABLE})"
            ))?;
            Ok(texts.query_map([name], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
        })
    }
}

fn unknown(id: TemplateId) -> LedgerError {
    LedgerError::Conflict(format!("template {} is not in this ledger", id.0))
}
