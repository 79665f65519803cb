//! Officials and constituents as rows: frozen when they are first enrolled, read back for every message.

use rusqlite::{Connection, OptionalExtension, Row, params};
use sha2::{Digest, Sha256};

use crate::model::{Constituent, EmailAddress, Extra, MessageKind, Official, PersonKey};

use super::cells::not_a;
use super::fault::Work;

/// A row that is there now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frozen {
    /// Its number.
    pub(super) id: i64,
    /// Whether it was made now.
    pub(super) new: bool,
    /// Whether it was there before and says something else.
    pub(super) differs: bool,
}

/// The columns of a person, whichever role.
struct Columns<'a> {
    role: &'static str,
    key: PersonKey,
    title: &'a str,
    name: &'a str,
    mailbox: Option<&'a EmailAddress>,
    jurisdiction: &'a str,
    address: &'a str,
    postcode: &'a str,
    signed_on: &'a str,
    note: &'a str,
    extra: &'a Extra,
}

/// Freezes an official; one of the same key who is there already stays as they are.
pub(super) fn freeze_official(db: &Connection, official: &Official) -> Work<Frozen> {
    freeze(
        db,
        &Columns {
            role: "official",
            key: official.key(),
            title: &official.title,
            name: official.name.as_str(),
            mailbox: official.mailbox.as_ref(),
            jurisdiction: &official.jurisdiction,
            address: "",
            postcode: "",
            signed_on: "",
            note: "",
            extra: &official.extra,
        },
    )
}

/// Gives a mailbox to an official who was enrolled without one; their number, if there is such an official.
pub(super) fn house(db: &Connection, official: &Official) -> Work<Option<i64>> {
    let Some(mailbox) = &official.mailbox else { return Ok(None) };
    let homeless: Option<i64> = db
        .prepare_cached(
            "SELECT id FROM person WHERE name = ?1 AND jurisdiction = ?2 AND title = ?3
                AND role = 'official' AND mailbox IS NULL",
        )?
        .query_row(params![official.name.as_str(), official.jurisdiction, official.title], |row| row.get(0))
        .optional()?;
    if let Some(id) = homeless {
        db.prepare_cached("UPDATE person SET key = ?2, mailbox = ?3, lane_key = ?4 WHERE id = ?1")?
            .execute(params![id, official.key(), mailbox.as_str(), mailbox.key()])?;
    }
    Ok(homeless)
}

/// Gives an official whose mailbox was purged theirs again, now that somebody new writes to them; gives whether it was.
pub(super) fn restore_mailbox(db: &Connection, official: &Official) -> Work<bool> {
    let Some(mailbox) = &official.mailbox else { return Ok(false) };
    let restored = db
        .prepare_cached(
            "UPDATE person SET mailbox = ?2, lane_key = ?3, erased_at = NULL WHERE key = ?1 AND erased_at IS NOT NULL",
        )?
        .execute(params![official.key(), mailbox.as_str(), mailbox.key()])?;
    if restored > 0 {
        super::lanes::of_mailbox(db, &mailbox.key(), MessageKind::Letter)?;
    }
    Ok(restored > 0)
}

/// Freezes a constituent; one of the same key who is there already stays as they are.
pub(super) fn freeze_constituent(db: &Connection, constituent: &Constituent) -> Work<Frozen> {
    freeze(
        db,
        &Columns {
            role: "constituent",
            key: constituent.key(),
            title: &constituent.title,
            name: constituent.name.as_str(),
            mailbox: Some(&constituent.mailbox),
            jurisdiction: &constituent.jurisdiction,
            address: &constituent.address,
            postcode: &constituent.postcode,
            signed_on: &constituent.signed_on,
            note: &constituent.note,
            extra: &constituent.extra,
        },
    )
}

fn freeze(db: &Connection, person: &Columns<'_>) -> Work<Frozen> {
    let extra = serde_json::to_string(person.extra).unwrap_or_default();
    let mailbox = person.mailbox.map(EmailAddress::as_str);
    let hash = person.hash(mailbox.unwrap_or_default(), &extra);
    let known: Option<(i64, Vec<u8>)> = db
        .prepare_cached("SELECT id, row_hash FROM person WHERE key = ?1")?
        .query_row(params![person.key], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if let Some((id, frozen)) = known {
        return Ok(Frozen { id, new: false, differs: frozen != hash });
    }
    let id = db
        .prepare_cached(
            "INSERT INTO person (role, key, row_hash, title, name, mailbox, lane_key, jurisdiction, address,
               postcode, signed_on, note, extra) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        )?
        .insert(params![
            person.role,
            person.key,
            &hash[..],
            person.title,
            person.name,
            mailbox,
            person.mailbox.map(EmailAddress::key),
            person.jurisdiction,
            person.address,
            person.postcode,
            person.signed_on,
            person.note,
            extra,
        ])?;
    Ok(Frozen { id, new: true, differs: false })
}

impl Columns<'_> {
    fn hash(&self, mailbox: &str, extra: &str) -> [u8; 16] {
        let mut hash = Sha256::new();
        for cell in [
            self.title,
            self.name,
            mailbox,
            self.jurisdiction,
            self.address,
            self.postcode,
            self.signed_on,
            self.note,
            extra,
        ] {
            hash.update((cell.len() as u64).to_le_bytes());
            hash.update(cell.as_bytes());
        }
        let mut short = [0; 16];
        short.copy_from_slice(&hash.finalize()[..16]);
        short
    }
}

/// Whether nothing is left of a person but their number.
pub(super) fn is_erased(db: &Connection, id: i64) -> Work<bool> {
    let erased = "SELECT erased_at IS NOT NULL FROM person WHERE id = ?1";
    Ok(db.prepare_cached(erased)?.query_row([id], |row| row.get(0)).optional()?.unwrap_or(false))
}

/// Reads a frozen official.
pub(super) fn official(db: &Connection, id: i64) -> Work<Official> {
    Ok(db.prepare_cached("SELECT title, name, mailbox, jurisdiction, extra FROM person WHERE id = ?1")?.query_row(
        [id],
        |row| {
            Ok(Official {
                title: row.get(0)?,
                name: row.get(1)?,
                mailbox: row.get(2)?,
                jurisdiction: row.get(3)?,
                extra: extra(row, 4)?,
            })
        },
    )?)
}

/// Reads a frozen constituent.
pub(super) fn constituent(db: &Connection, id: i64) -> Work<Constituent> {
    Ok(db
        .prepare_cached(
            "SELECT title, name, mailbox, jurisdiction, address, postcode, signed_on, note, extra
               FROM person WHERE id = ?1",
        )?
        .query_row([id], |row| {
            Ok(Constituent {
                title: row.get(0)?,
                name: row.get(1)?,
                mailbox: row.get(2)?,
                jurisdiction: row.get(3)?,
                address: row.get(4)?,
                postcode: row.get(5)?,
                signed_on: row.get(6)?,
                note: row.get(7)?,
                extra: extra(row, 8)?,
            })
        })?)
}

fn extra(row: &Row<'_>, column: usize) -> rusqlite::Result<Extra> {
    let json: String = row.get(column)?;
    serde_json::from_str(&json).map_err(|_| not_a("Extra").into())
}
