//! Erases whose letters were settled long ago: who they were and what was written goes, what became of it stays. Their
//! marks see to it that the same lists plan nothing for them again. Must not touch anybody of whom anything is open.

use std::collections::HashSet;

use jiff::Timestamp;
use rusqlite::{Connection, params};

use crate::ledger::Result;
use crate::model::{EmailAddress, Erased, Mark, PersonKey, mask_mailboxes};

use super::cells::Ms;
use super::erase::{change_replies, change_words, empty_mailboxes, erase_people, note, overwrite_what_goes};
use super::fault::Work;
use super::read::number;
use super::{SqliteLedger, finish, marks, templates};

/// Whom a purge would erase, and whom it leaves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Purgeable {
    /// Constituents all of whose messages were settled before that time.
    pub people: u64,
    /// Constituents of whom something is open, or was settled since.
    pub left: u64,
    /// Of these, who have a message in doubt.
    pub in_doubt: u64,
}

/// What a purge did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Purged {
    /// The mailboxes of the constituents who were erased, to look for them afterwards.
    pub mailboxes: Vec<EmailAddress>,
    /// How many constituents that were.
    pub people: u64,
    /// Officials whose mailbox was erased.
    pub officials: u64,
    /// Frozen texts that were erased.
    pub texts: u64,
}

impl SqliteLedger {
    /// Whom a purge of what was settled before then would erase. Changes nothing.
    pub fn purgeable(&self, before: Timestamp) -> Result<Purgeable> {
        self.read(|db| purgeable(db, before.into()))
    }

    /// Whether that text is the one that was frozen last under that name, also where it was purged since.
    pub fn froze_last(&self, name: &str, source: &str) -> Result<bool> {
        self.read(|db| templates::is_newest(db, name, source))
    }

    /// Erases everybody all of whose messages were settled before then, in one transaction. The ledger must have been
    /// opened to dispatch: what a dispatcher that is gone left open is recovered first.
    pub fn purge(&self, before: Timestamp, now: Timestamp) -> Result<Purged> {
        self.write_blocking(move |db| purge(db, before.into(), now))
    }
}

/// A constituent nothing of whose messages is open, and the last of them was settled before `?1`. Staff's decisions are
/// not kept by the message, so the last that could have been about one counts.
const SETTLED: &str = "p.role = 'constituent' AND p.erased_at IS NULL AND NOT EXISTS (
    SELECT 1 FROM message m WHERE m.constituent = p.id AND (
      m.state NOT IN ('sent', 'bounced', 'expired', 'suppressed', 'cancelled')
      OR m.due_at >= ?1 OR m.accepted_at >= ?1
      OR EXISTS (SELECT 1 FROM attempt a WHERE a.message = m.id AND a.at >= ?1)
      OR (m.state IN ('expired', 'suppressed', 'cancelled') AND EXISTS (SELECT 1 FROM decision d WHERE d.at >= ?1
            AND (d.text LIKE 'cancel%' OR d.text LIKE 'expire%' OR d.text LIKE 'suppress%')))))";

fn purgeable(db: &Connection, before: Ms) -> Work<Purgeable> {
    let people: u64 =
        db.query_row(&format!("SELECT count(*) FROM person p WHERE {SETTLED}"), [before], |row| number(row, 0))?;
    let all = "SELECT count(*) FROM person WHERE role = 'constituent' AND erased_at IS NULL";
    let in_doubt = "SELECT count(DISTINCT m.constituent) FROM message m JOIN person c ON c.id = m.constituent
                     WHERE m.state IN ('in_doubt', 'transmitting') AND c.erased_at IS NULL";
    Ok(Purgeable {
        people,
        left: db.query_row(all, [], |row| number(row, 0))?.saturating_sub(people),
        in_doubt: db.query_row(in_doubt, [], |row| number(row, 0))?,
    })
}

fn purge(db: &Connection, before: Ms, now: Timestamp) -> Work<Purged> {
    overwrite_what_goes(db)?;
    finish::recover(db, now, Ms(i64::MAX))?;
    let at = Ms::from(now);
    db.execute_batch("CREATE TEMP TABLE gone (id INTEGER PRIMARY KEY)")?;
    db.execute(&format!("INSERT INTO temp.gone SELECT id FROM person p WHERE {SETTLED}"), [before])?;
    let mut purged = Purged { mailboxes: leave_marks(db, at)?, ..Purged::default() };
    purged.people = erase_people(db, Erased::Purged, at)?;
    db.execute_batch("DROP TABLE temp.gone")?;
    let mut shared = db.prepare("SELECT DISTINCT lane_key FROM person WHERE lane_key IS NOT NULL")?;
    let shared: HashSet<String> = shared.query_map([], |row| row.get(0))?.collect::<std::result::Result<_, _>>()?;
    purged.mailboxes.retain(|mailbox| !shared.contains(&mailbox.key()));
    let masked = |text: &str| Some(mask_mailboxes(text)).filter(|masked| masked != text);
    change_words(db, &masked)?;
    change_replies(db, &masked)?;
    purged.officials = erase_mailboxes_of_officials(db, at)?;
    purged.texts = templates::purge(db)?;
    if purged.people > 0 {
        note(db, &format!("purge: erased {}", purged.people), at)?;
    }
    Ok(purged)
}

/// A mark for each of the people in `temp.gone`; gives their mailboxes.
fn leave_marks(db: &Connection, at: Ms) -> Work<Vec<EmailAddress>> {
    let salt = marks::salt_or_new(db)?;
    let mut people = db.prepare("SELECT key, mailbox FROM person WHERE id IN (SELECT id FROM temp.gone)")?;
    let mut rows = people.query([])?;
    let mut mailboxes = Vec::new();
    while let Some(row) = rows.next()? {
        marks::leave(db, Mark::of_person(&salt, PersonKey(row.get(0)?)), Erased::Purged, at)?;
        mailboxes.extend(row.get::<_, Option<EmailAddress>>(1)?);
    }
    Ok(mailboxes)
}

/// Officials to whom there is no letter any more but of people who were erased. Who they are stays: that they were
/// written to is what a campaign has to show, and their office is public. So does their key, by which the same row of a
/// list gives them their mailbox again when somebody new writes to them.
fn erase_mailboxes_of_officials(db: &Connection, at: Ms) -> Work<u64> {
    db.execute_batch(
        "CREATE TEMP TABLE idle AS SELECT o.id, o.lane_key AS mailbox FROM person o
          WHERE o.role = 'official' AND o.mailbox IS NOT NULL
            AND o.id IN (SELECT official FROM message)
            AND o.id NOT IN (SELECT m.official FROM message m JOIN person c ON c.id = m.constituent
                              WHERE m.official IS NOT NULL AND (c.erased_at IS NULL OR m.state = 'in_doubt'));
         CREATE TEMP TABLE gone_mailbox AS SELECT DISTINCT mailbox FROM temp.idle",
    )?;
    let erased = db.execute(
        "UPDATE person SET mailbox = NULL, lane_key = NULL, erased_at = ?1 WHERE id IN (SELECT id FROM temp.idle)",
        params![at],
    )?;
    // That a mailbox was refused for good is still true when somebody new writes to it.
    db.execute_batch("DELETE FROM temp.gone_mailbox WHERE mailbox IN (SELECT mailbox FROM suppression)")?;
    empty_mailboxes(db)?;
    db.execute_batch("DROP TABLE temp.gone_mailbox; DROP TABLE temp.idle")?;
    Ok(erased as u64)
}
