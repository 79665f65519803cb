//! Erases people: what was not sent is withdrawn, what tells who they are goes, and a mark stays. What became of their
//! letters stays as well: states, times, codes, hashes, queue ids. Must not touch a message that somebody has a receipt
//! for, and nothing outside the database.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use crate::ledger::Result;
use crate::model::{ERASED, EmailAddress, Erased, Mark, Mention, Move, mask_mailboxes};

use super::SqliteLedger;
use super::cells::Ms;
use super::fault::Work;
use super::moves::step_chosen;
use super::{finish, lanes, marks};

/// What a ledger holds of a mailbox.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Known {
    /// How many constituents have it.
    pub people: u64,
    /// How many of their messages can still be withdrawn.
    pub waiting: u64,
    /// How many are with a relay, or may be.
    pub in_doubt: u64,
    /// Whether it is an official's.
    pub is_officials: bool,
    /// Whether whoever has it was forgotten before.
    pub is_marked: bool,
}

/// What was done in a ledger.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// How many people were erased.
    pub people: u64,
    /// How many messages were withdrawn.
    pub withdrawn: u64,
}

impl SqliteLedger {
    /// What there is of a mailbox. Changes nothing.
    pub fn known(&self, mailbox: &EmailAddress) -> Result<Known> {
        self.read(|db| known(db, mailbox))
    }

    /// Withdraws what was not handed over of whoever has that mailbox, and leaves the mark; also while another process
    /// sends. Gives how many messages were withdrawn.
    pub fn withdraw(&self, mailbox: &EmailAddress, now: Timestamp) -> Result<u64> {
        let mailbox = mailbox.clone();
        self.write_blocking(move |db| {
            leave_mark(db, &mailbox, now.into())?;
            choose_people(db, &mailbox)?;
            let withdrawn = withdraw(db)?;
            note(db, &format!("forget: withdrawn before the erasure; moved {withdrawn}"), now.into())?;
            db.execute_batch("DROP TABLE temp.gone")?;
            Ok(withdrawn)
        })
    }

    /// Withdraws, leaves the mark and erases, in one transaction. The ledger must have been opened to dispatch: what a
    /// dispatcher that is gone left open is recovered first. What is suppressed of an official's mailbox stays so.
    pub fn forget(&self, mailbox: &EmailAddress, is_officials: bool, now: Timestamp) -> Result<Forgotten> {
        let mailbox = mailbox.clone();
        self.write_blocking(move |db| forget(db, &mailbox, is_officials, now))
    }
}

fn known(db: &Connection, mailbox: &EmailAddress) -> Work<Known> {
    let key = mailbox.key();
    let of_role = |role| {
        db.query_row("SELECT count(*) FROM person WHERE role = ?1 AND lane_key = ?2", params![role, key], |row| {
            super::read::number(row, 0)
        })
    };
    let messages = |states: &str| {
        let sql = format!(
            "SELECT count(*) FROM message WHERE state IN ({states})
                AND constituent IN (SELECT id FROM person WHERE role = 'constituent' AND lane_key = ?1)"
        );
        db.query_row(&sql, [&key], |row| super::read::number(row, 0))
    };
    Ok(Known {
        people: of_role("constituent")?,
        waiting: messages("'queued', 'deferred', 'held'")?,
        in_doubt: messages("'leased', 'transmitting', 'in_doubt'")?,
        is_officials: of_role("official")? > 0,
        is_marked: is_marked(db, mailbox)?,
    })
}

fn is_marked(db: &Connection, mailbox: &EmailAddress) -> Work<bool> {
    let salt: Option<[u8; 32]> = db.query_row("SELECT salt FROM campaign", [], |row| row.get(0))?;
    let Some(salt) = salt else { return Ok(false) };
    let mark = Mark::of_mailbox(&salt, mailbox);
    let known = "SELECT EXISTS (SELECT 1 FROM erased WHERE mark = ?1)";
    Ok(db.query_row(known, [&mark.0[..]], |row| row.get(0))?)
}

fn leave_mark(db: &Connection, mailbox: &EmailAddress, at: Ms) -> Work<()> {
    let mark = Mark::of_mailbox(&marks::salt_or_new(db)?, mailbox);
    marks::leave(db, mark, Erased::Forgotten, at)?;
    // Somebody purged before is forgotten now, too.
    db.execute("UPDATE erased SET why = 'forgotten' WHERE mark = ?1", [&mark.0[..]])?;
    Ok(())
}

/// The constituents who have that mailbox, as the table `temp.gone`.
fn choose_people(db: &Connection, mailbox: &EmailAddress) -> Work<()> {
    db.execute_batch("CREATE TEMP TABLE gone (id INTEGER PRIMARY KEY)")?;
    db.execute(
        "INSERT INTO temp.gone SELECT id FROM person WHERE role = 'constituent' AND lane_key = ?1",
        [mailbox.key()],
    )?;
    Ok(())
}

fn forget(db: &Connection, mailbox: &EmailAddress, is_officials: bool, now: Timestamp) -> Work<Forgotten> {
    overwrite_what_goes(db)?;
    finish::recover(db, now, Ms(i64::MAX))?;
    let at = Ms::from(now);
    leave_mark(db, mailbox, at)?;
    choose_people(db, mailbox)?;
    let withdrawn = withdraw(db)?;
    let people = erase_people(db, Erased::Forgotten, at)?;
    // Whoever was never enrolled may be on the list, too.
    db.execute_batch("CREATE TEMP TABLE gone_mailbox (mailbox TEXT)")?;
    if !is_officials {
        db.execute("INSERT INTO temp.gone_mailbox VALUES (?1)", [mailbox.key()])?;
    }
    empty_mailboxes(db)?;
    db.execute_batch("DROP TABLE temp.gone_mailbox")?;
    let mention = Mention::of(mailbox, None);
    forget_words(db, &mention)?;
    change_replies(db, &|text| if mention.is_in(text) { mention.taken_out_of(text) } else { None })?;
    if people > 0 {
        note(db, &format!("forget: withdrew {withdrawn}; erased {people}"), at)?;
    }
    db.execute_batch("DROP TABLE temp.gone")?;
    Ok(Forgotten { people, withdrawn })
}

/// From now on this connection writes zeros over what it deletes.
pub(super) fn overwrite_what_goes(db: &Connection) -> Work<()> {
    Ok(db.pragma_update(None, "secure_delete", true)?)
}

/// A line about what staff ordered, which says nothing of whom.
pub(super) fn note(db: &Connection, text: &str, at: Ms) -> Work<()> {
    db.execute("INSERT INTO decision (at, text) VALUES (?1, ?2)", params![at, text])?;
    Ok(())
}

/// Cancels every message of the people in `temp.gone` that waits and that nobody has a receipt for.
pub(super) fn withdraw(db: &Connection) -> Work<u64> {
    db.execute_batch(
        "CREATE TEMP TABLE chosen AS SELECT id, lane FROM message
          WHERE constituent IN (SELECT id FROM temp.gone) AND state IN ('queued', 'deferred', 'held')",
    )?;
    let withdrawn = step_chosen(db, Move::Cancel)?;
    db.execute_batch(
        "UPDATE message SET withheld = 0 WHERE id IN (SELECT id FROM temp.chosen);
         DELETE FROM beyond_total WHERE message IN (SELECT id FROM temp.chosen)",
    )?;
    lanes::repair_those(db, "SELECT DISTINCT lane FROM temp.chosen WHERE lane IS NOT NULL")?;
    db.execute_batch("DROP TABLE temp.chosen")?;
    Ok(withdrawn)
}

/// Erases the people in `temp.gone`; gives how many there were.
pub(super) fn erase_people(db: &Connection, why: Erased, at: Ms) -> Work<u64> {
    let mut people = db.prepare("SELECT id, name, mailbox FROM person WHERE id IN (SELECT id FROM temp.gone)")?;
    let mut rows = people.query([])?;
    let mut erased = 0;
    while let Some(row) = rows.next()? {
        let (id, name): (i64, String) = (row.get(0)?, row.get(1)?);
        let mailbox: Option<EmailAddress> = row.get(2)?;
        if let Some(mailbox) = &mailbox {
            erase_replies(db, id, &Mention::of(mailbox, Some(&name)), why)?;
        }
        if why == Erased::Forgotten && name.contains(' ') {
            forget_name(db, &name, mailbox.as_ref())?;
        }
        erased += 1;
    }
    drop(rows);
    drop(people);
    db.execute_batch(
        "CREATE TEMP TABLE gone_mailbox AS SELECT DISTINCT lane_key AS mailbox FROM person
          WHERE id IN (SELECT id FROM temp.gone) AND lane_key IS NOT NULL",
    )?;
    // An unsalted hash of a name and a mailbox could be guessed.
    db.execute(
        "UPDATE person SET key = randomblob(16), row_hash = randomblob(16), title = '', name = '', mailbox = NULL,
           lane_key = NULL, jurisdiction = '', address = '', postcode = '', signed_on = '', note = '', extra = '{}',
           erased_at = ?1 WHERE id IN (SELECT id FROM temp.gone)",
        [at],
    )?;
    empty_mailboxes(db)?;
    db.execute_batch("DROP TABLE temp.gone_mailbox")?;
    Ok(erased)
}

/// Takes the mailboxes of `temp.gone_mailbox` that nobody has any more off their lanes and suppressions.
pub(super) fn empty_mailboxes(db: &Connection) -> Work<()> {
    db.execute_batch(
        "DELETE FROM temp.gone_mailbox WHERE mailbox IN (SELECT lane_key FROM person WHERE lane_key IS NOT NULL);
         UPDATE lane SET mailbox = lower(hex(randomblob(16))) || '@erased.invalid'
          WHERE mailbox IN (SELECT mailbox FROM temp.gone_mailbox);
         DELETE FROM suppression WHERE mailbox IN (SELECT mailbox FROM temp.gone_mailbox)",
    )?;
    Ok(())
}

/// What relays said of a person's messages, without who it was about.
fn erase_replies(db: &Connection, person: i64, mention: &Mention, why: Erased) -> Work<()> {
    for (table, column) in REPLIES {
        let message = if table == "message" { "id" } else { "message" };
        let select = format!(
            "SELECT t.id, m.kind, t.{column} FROM message m JOIN {table} t ON t.{message} = m.id
              WHERE m.constituent = ?1 AND t.{column} <> ''"
        );
        let texts: Vec<(i64, String, String)> = db
            .prepare_cached(&select)?
            .query_map([person], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<std::result::Result<_, _>>()?;
        let update = format!("UPDATE {table} SET {column} = ?2 WHERE id = ?1");
        for (id, kind, text) in texts {
            let left = match (why, kind.as_str()) {
                // The conversation was about nobody but them. Its queue id is evidence.
                (Erased::Forgotten, "confirmation") if column != "queue_id" => ERASED.to_owned(),
                _ => mask_mailboxes(&mention.taken_out_of(&text).unwrap_or_else(|| text.clone())),
            };
            if left != text {
                db.prepare_cached(&update)?.execute(params![id, left])?;
            }
        }
    }
    Ok(())
}

/// What relays said, as table and column. What is taken for a queue id may be an address that a relay repeats.
const REPLIES: [(&str, &str); 4] =
    [("attempt", "text"), ("message", "last_reply"), ("attempt", "queue_id"), ("message", "queue_id")];

/// Texts that are about the campaign and may name somebody all the same: table and column.
pub(super) const WORDS: [(&str, &str); 6] = [
    ("campaign", "reason"),
    ("relay", "reason"),
    ("decision", "text"),
    ("suppression", "reason"),
    ("live_setting", "reason"),
    ("pause", "reason"),
];

fn forget_words(db: &Connection, mention: &Mention) -> Work<()> {
    change_words(db, &|text| mention.taken_out_of(text))
}

/// A name in a reason that staff wrote. One word alone is no name that could be told from other words.
fn forget_name(db: &Connection, name: &str, mailbox: Option<&EmailAddress>) -> Work<()> {
    match mailbox {
        Some(mailbox) => forget_words(db, &Mention::of(mailbox, Some(name))),
        None => Ok(()),
    }
}

/// Replies to messages of others in which a relay named a mailbox all the same.
pub(super) fn change_replies(db: &Connection, change: &dyn Fn(&str) -> Option<String>) -> Work<()> {
    for (table, column) in REPLIES {
        let texts: Vec<(i64, String)> = db
            .prepare(&format!("SELECT id, {column} FROM {table} WHERE instr({column}, '@') > 0"))?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<std::result::Result<_, _>>()?;
        for (id, text) in texts {
            if let Some(left) = change(&text) {
                db.prepare_cached(&format!("UPDATE {table} SET {column} = ?2 WHERE id = ?1"))?
                    .execute(params![id, left])?;
            }
        }
    }
    Ok(())
}

/// Changes every such text for which there is another.
pub(super) fn change_words(db: &Connection, change: &dyn Fn(&str) -> Option<String>) -> Work<()> {
    for (table, column) in WORDS {
        let texts: Vec<String> = db
            .prepare(&format!("SELECT DISTINCT {column} FROM {table} WHERE {column} <> ''"))?
            .query_map([], |row| row.get(0))?
            .collect::<std::result::Result<_, _>>()?;
        for text in texts {
            if let Some(left) = change(&text) {
                db.execute(&format!("UPDATE {table} SET {column} = ?2 WHERE {column} = ?1"), [&text, &left])?;
            }
        }
    }
    Ok(())
}
