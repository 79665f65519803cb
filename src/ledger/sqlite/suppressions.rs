//! The suppression list in the database. What waits for a mailbox is moved when the mailbox is put on the list; what
//! was claimed by then comes back and is moved aside by the next claim. A domain stands in the list after an `@`, and is
//! looked for as the rest of a mailbox from its `@` on.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::ledger::{LedgerError, Result, Suppressed, SuppressedBy, Suppression, Unsuppressed};
use crate::model::{Barred, Move};

use super::SqliteLedger;
use super::cells::Ms;
use super::fault::Work;
use super::moves::step_chosen;
use super::{decide, lanes};

/// Rows of a page of the list.
const PAGE_ROWS: i64 = 5000;

/// Whether an entry of the list is about a mailbox: SQL, found by the primary key.
macro_rules! about {
    ($mailbox:literal) => {
        concat!("suppression.mailbox IN (", $mailbox, ", substr(", $mailbox, ", instr(", $mailbox, ", '@')))")
    };
}
pub(super) use about;

impl SqliteLedger {
    /// The ledger under that name, where nobody is enrolled yet; under its own otherwise.
    pub fn named_while_empty(mut self, name: &str) -> Result<Self> {
        if self.name() == name {
            return Ok(self);
        }
        let new = name.to_owned();
        let renamed = self.write_blocking(move |db| {
            let rename = "UPDATE campaign SET name = ?1 WHERE NOT EXISTS (SELECT 1 FROM person)";
            Ok(db.execute(rename, [&new])? > 0)
        })?;
        if let (true, Some(shared)) = (renamed, std::sync::Arc::get_mut(&mut self.shared)) {
            name.clone_into(&mut shared.name);
        }
        Ok(self)
    }

    /// Puts mailboxes and domains on the list, all or none; what waits for them is suppressed.
    pub fn suppress(&self, entries: &[Barred], reason: &str, now: Timestamp) -> Result<Suppressed> {
        let (entries, reason) = (entries.to_vec(), reason.to_owned());
        self.write_blocking(move |db| suppress(db, &entries, &reason, now.into()))
    }

    /// Takes mailboxes and domains that staff put there off the list.
    pub fn unsuppress(&self, entries: &[Barred], reason: &str, now: Timestamp) -> Result<Unsuppressed> {
        let (entries, reason) = (entries.to_vec(), reason.to_owned());
        self.write_blocking(move |db| unsuppress(db, &entries, &reason, now.into()))
    }

    /// Hands the whole list to `each`, by mailbox.
    pub fn suppressions(&self, each: &mut dyn FnMut(Suppression) -> std::io::Result<()>) -> Result<()> {
        let mut after = String::new();
        loop {
            let page = self.read(|db| page(db, &after))?;
            let Some(last) = page.last() else { return Ok(()) };
            after.clone_from(&last.mailbox);
            for suppression in page {
                each(suppression).map_err(LedgerError::Output)?;
            }
        }
    }

    /// Copies another ledger's list into this one, as it is.
    pub fn adopt_suppressions(&self, of: &Self) -> Result<()> {
        let mut list = Vec::new();
        of.suppressions(&mut |suppression| {
            list.push(suppression);
            Ok(())
        })?;
        self.write_blocking(move |db| list.iter().try_for_each(|suppression| adopt(db, suppression)))
    }

    /// Whether nothing is sent to that mailbox (by [`crate::model::EmailAddress::key`]).
    pub fn is_suppressed(&self, mailbox: &str) -> Result<bool> {
        self.read(|db| {
            let mut found =
                db.prepare_cached(concat!("SELECT EXISTS (SELECT 1 FROM suppression WHERE ", about!("?1"), ")"))?;
            Ok(found.query_row([mailbox], |row| row.get(0))?)
        })
    }

    /// How many messages wait for staff to take their mailbox off the list.
    pub fn suppressed_by_staff(&self) -> Result<u64> {
        self.read(|db| {
            let query = format!("SELECT count(*) FROM message WHERE state = 'suppressed' AND {TO_STAFF_S_LIST}");
            Ok(db.query_row(&query, [], |row| super::read::number(row, 0))?)
        })
    }
}

/// Whether a message goes to a mailbox that staff put on the list.
pub(super) const TO_STAFF_S_LIST: &str = concat!(
    "EXISTS (SELECT 1 FROM lane JOIN suppression ON ",
    about!("lane.mailbox"),
    " WHERE lane.id = message.lane AND suppression.source = 'staff')"
);

fn suppress(db: &Connection, entries: &[Barred], reason: &str, now: Ms) -> Work<Suppressed> {
    // Later than any before: that is how a dispatcher notices that there is something new.
    let at = latest(db)?.map_or(now, |latest| now.max(Ms(latest.0.saturating_add(1))));
    let mut done = Suppressed::default();
    for entry in entries {
        let new = db
            .prepare_cached(
                "INSERT INTO suppression (mailbox, reason, at, source) VALUES (?1, ?2, ?3, 'staff')
                 ON CONFLICT (mailbox) DO UPDATE SET reason = ?2, at = ?3, source = 'staff' WHERE source <> 'staff'",
            )?
            .execute(params![entry.key(), reason, at])?;
        *(if new > 0 { &mut done.new } else { &mut done.known }) += 1;
    }
    if done.new > 0 {
        done.messages = suppress_waiting(db, at, now)?;
        let Suppressed { new, known, messages } = done;
        note(db, now, &format!("suppress: {new} mailboxes, {known} there already; moved {messages}"), reason)?;
    }
    Ok(done)
}

/// What waits for those that were put on the list at that time.
fn suppress_waiting(db: &Connection, at: Ms, now: Ms) -> Work<u64> {
    db.execute("CREATE TEMP TABLE chosen (id INTEGER PRIMARY KEY, lane INTEGER)", [])?;
    // A mailbox may be there itself and by its domain.
    let waiting = concat!(
        "INSERT OR IGNORE INTO temp.chosen
         SELECT message.id, lane FROM message JOIN lane ON lane.id = message.lane JOIN suppression ON ",
        about!("lane.mailbox"),
        " WHERE message.state IN ('queued', 'deferred') AND suppression.source = 'staff' AND suppression.at = ?1"
    );
    db.execute(waiting, [at])?;
    let moved = step_chosen(db, Move::Suppress)?;
    lanes::repair_those(db, "SELECT DISTINCT lane FROM temp.chosen")?;
    decide::tell_constituents(db, now)?;
    db.execute("DROP TABLE temp.chosen", [])?;
    Ok(moved)
}

fn unsuppress(db: &Connection, entries: &[Barred], reason: &str, now: Ms) -> Work<Unsuppressed> {
    let mut done = Unsuppressed::default();
    db.execute("CREATE TEMP TABLE lifted (mailbox TEXT PRIMARY KEY) WITHOUT ROWID", [])?;
    for entry in entries {
        let key = entry.key();
        let by: Option<SuppressedBy> = db
            .prepare_cached("SELECT source FROM suppression WHERE mailbox = ?1")?
            .query_row([key], |row| row.get(0))
            .optional()?;
        match by {
            None => done.absent += 1,
            Some(SuppressedBy::Relay) => done.by_relay += 1,
            Some(SuppressedBy::Staff) => {
                db.prepare_cached("DELETE FROM suppression WHERE mailbox = ?1")?.execute([key])?;
                db.prepare_cached("INSERT INTO temp.lifted VALUES (?1)")?.execute([key])?;
                done.lifted += 1;
            }
        }
    }
    done.by_domain = still_by_domain(db, entries)?;
    let still = format!(
        "SELECT count(*) FROM message JOIN lane ON lane.id = message.lane
          WHERE state = 'suppressed' AND NOT {TO_STAFF_S_LIST}
            AND (mailbox IN (SELECT mailbox FROM temp.lifted)
                 OR substr(mailbox, instr(mailbox, '@')) IN (SELECT mailbox FROM temp.lifted))"
    );
    done.messages = db.query_row(&still, [], |row| super::read::number(row, 0))?;
    db.execute("DROP TABLE temp.lifted", [])?;
    if done.lifted > 0 {
        note(db, now, &format!("suppress: {} mailboxes taken off the list", done.lifted), reason)?;
    }
    Ok(done)
}

/// Those mailboxes to which nothing is sent all the same, because their whole domain is on the list.
fn still_by_domain(db: &Connection, entries: &[Barred]) -> Work<u64> {
    let mut listed =
        db.prepare_cached("SELECT count(*) FROM suppression WHERE mailbox = substr(?1, instr(?1, '@'))")?;
    let mailboxes = entries.iter().filter(|entry| !entry.is_domain());
    let mut still = 0;
    for entry in mailboxes {
        still += listed.query_row([entry.key()], |row| super::read::number(row, 0))?;
    }
    Ok(still)
}

fn note(db: &Connection, now: Ms, what: &str, reason: &str) -> Work<()> {
    let reason = if reason.is_empty() { "no reason given" } else { reason };
    db.execute("INSERT INTO decision (at, text) VALUES (?1, ?2)", params![now, format!("{what}; {reason}")])?;
    Ok(())
}

fn page(db: &Connection, after: &str) -> Work<Vec<Suppression>> {
    let mut list = db.prepare_cached(
        "SELECT mailbox, source, at, reason FROM suppression WHERE mailbox > ?1 ORDER BY mailbox LIMIT ?2",
    )?;
    let suppression = |row: &Row<'_>| {
        let at: Ms = row.get(2)?;
        Ok(Suppression { mailbox: row.get(0)?, by: row.get(1)?, at: at.time(), reason: row.get(3)? })
    };
    Ok(list.query_map(params![after, PAGE_ROWS], suppression)?.collect::<std::result::Result<_, _>>()?)
}

fn adopt(db: &Connection, suppression: &Suppression) -> Work<()> {
    let Suppression { mailbox, by, at, reason } = suppression;
    db.prepare_cached("INSERT OR REPLACE INTO suppression (mailbox, reason, at, source) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![mailbox, reason, Ms::from(*at), by])?;
    Ok(())
}

/// When staff last put a mailbox on the list. Found through an index: asked for twice a second.
pub(super) fn latest(db: &Connection) -> Work<Option<Ms>> {
    let query = "SELECT max(at) FROM suppression WHERE source = 'staff'";
    Ok(db.prepare_cached(query)?.query_row([], |row| row.get(0))?)
}

#[cfg(test)]
mod tests {
    use super::super::schema;
    use super::*;

    #[test]
    fn what_is_asked_for_all_the_time_is_found_by_an_index_however_long_the_list() {
        let db = Connection::open_in_memory().unwrap();
        schema::create(&db).unwrap();
        for (query, index) in [
            ("SELECT max(at) FROM suppression WHERE source = 'staff'", "INDEX suppression_by_staff"),
            (super::super::claim::IS_SUPPRESSED, "PRIMARY KEY (mailbox=?)"),
            (concat!("SELECT EXISTS (SELECT 1 FROM suppression WHERE ", about!("?1"), ")"), "PRIMARY KEY (mailbox=?)"),
            (&format!("SELECT id FROM message WHERE {TO_STAFF_S_LIST}"), "PRIMARY KEY (mailbox=?)"),
        ] {
            let mut plan = db.prepare(&format!("EXPLAIN QUERY PLAN {query}")).unwrap();
            let count = plan.parameter_count();
            let steps =
                plan.query_map(rusqlite::params_from_iter(vec![1; count]), |row| row.get::<_, String>(3)).unwrap();
            let steps: Vec<String> = steps.map(std::result::Result::unwrap).collect();
            assert!(steps.iter().any(|step| step.contains(index)), "{query}: {steps:?}");
        }
    }
}
