//! The tables of a ledger and the settings of a connection to it.
//!
//! Everything that is asked for while letters go out is found through an index, so that the cost of a message
//! does not grow with the campaign.

use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, TransactionBehavior};

use crate::model::MessageState;

/// `undr`: tells our files from other `SQLite` databases.
pub(super) const APPLICATION_ID: i32 = 0x756e_6472;
/// The version of these tables. A program that does not know a file's version leaves it alone.
pub(super) const VERSION: i32 = 4;

const STATEMENTS_CACHED: usize = 128;
/// Negative: KiB, not pages.
const CACHE_KIB: i32 = -16 * 1024;

const TABLES: &str = "
CREATE TABLE campaign (             -- the one row of this ledger
  one          INTEGER PRIMARY KEY CHECK (one = 1),
  tag          TEXT NOT NULL,
  name         TEXT NOT NULL,
  created_at   INTEGER NOT NULL,
  state        TEXT NOT NULL,
  reason       TEXT NOT NULL,
  state_at     INTEGER NOT NULL,
  confirming   TEXT,                -- the terms of the first enrolment
  confirmation INTEGER REFERENCES template,
  sources      BLOB,                -- what the last enrolment was made from; NULL: not known
  official_total INTEGER,           -- at most so many letters to one official; NULL: no limit
  salt         BLOB,                -- of the marks in `erased`
  home         BLOB,                -- the machine and file that it was last sent from; NULL: not sent from yet
  copied_at    INTEGER              -- this file is a copy that was made then; NULL: it is not, or staff know
) STRICT;

CREATE TABLE template (
  id           INTEGER PRIMARY KEY,
  name         TEXT NOT NULL,
  sha256       BLOB NOT NULL,
  source       TEXT NOT NULL,
  frozen_at    INTEGER NOT NULL,
  UNIQUE (name, sha256)
) STRICT;

CREATE TABLE person (               -- officials and constituents, frozen when first enrolled
  id           INTEGER PRIMARY KEY,
  role         TEXT NOT NULL CHECK (role IN ('official', 'constituent')),
  key          BLOB NOT NULL UNIQUE,
  row_hash     BLOB NOT NULL,       -- of the whole row, to notice that the file now says something else
  title        TEXT NOT NULL,
  name         TEXT NOT NULL,
  mailbox      TEXT,
  lane_key     TEXT,                -- the mailbox as lanes and suppressions spell it
  jurisdiction TEXT NOT NULL,
  address      TEXT NOT NULL,
  postcode     TEXT NOT NULL,
  signed_on    TEXT NOT NULL,
  note         TEXT NOT NULL,
  extra        TEXT NOT NULL,       -- unknown columns, as a JSON object
  erased_at    INTEGER              -- nothing of the person is left above but their role
) STRICT;

CREATE INDEX person_name ON person (name, jurisdiction);

CREATE TABLE lane (                 -- the queue of one recipient mailbox
  id           INTEGER PRIMARY KEY,
  mailbox      TEXT NOT NULL UNIQUE,
  ready_at     INTEGER NOT NULL DEFAULT 0,  -- its pace: not before
  next_at      INTEGER,             -- when its next message may be claimed; NULL: none waits, or it is occupied
  kinds        INTEGER NOT NULL DEFAULT 3,  -- of messages that have joined it: 1 letters, 2 confirmations, 3 both
  served       INTEGER NOT NULL DEFAULT 0,  -- messages claimed so far: among equals, the least served is next
  occupied_by  INTEGER              -- the message that must end before the next is given
) STRICT;
CREATE INDEX lane_turn ON lane (kinds, next_at, served) WHERE next_at IS NOT NULL;

CREATE TABLE message (
  id           INTEGER PRIMARY KEY,
  kind         TEXT NOT NULL CHECK (kind IN ('letter', 'confirmation')),
  constituent  INTEGER NOT NULL REFERENCES person,
  official     INTEGER REFERENCES person,   -- NULL: a confirmation of all letters
  lane         INTEGER REFERENCES lane,     -- NULL: the official has no mailbox
  template     INTEGER NOT NULL REFERENCES template,
  state        TEXT NOT NULL CHECK (state IN (:states)),
  withheld     INTEGER NOT NULL DEFAULT 0,  -- a confirmation, held until its letters are settled again
  due_at       INTEGER NOT NULL,
  token        INTEGER,             -- of the lease or the open transmission
  tries        INTEGER NOT NULL DEFAULT 0,  -- those that count towards giving up
  first_try_at INTEGER,
  relay        TEXT,
  message_id   TEXT,                -- with date and body_hash, the stamp
  date         INTEGER,
  body_hash    BLOB,
  accepted_at  INTEGER,
  queue_id     TEXT,
  last_reply   TEXT,
  only_relay   TEXT                 -- it may be there already: no other relay is given it by the program alone
) STRICT;
CREATE UNIQUE INDEX message_once ON message (constituent, kind, ifnull(official, 0));
CREATE INDEX message_state ON message (state, kind);
CREATE INDEX message_queue ON message (lane, due_at, id) WHERE state = 'queued';
CREATE INDEX message_again ON message (lane, due_at, id) WHERE state = 'queued' AND tries > 0;
CREATE INDEX message_wait ON message (due_at) WHERE state = 'deferred';

CREATE TABLE attempt (              -- the retry log
  id           INTEGER PRIMARY KEY,
  message      INTEGER NOT NULL REFERENCES message,
  number       INTEGER NOT NULL,
  at           INTEGER NOT NULL,
  relay        TEXT NOT NULL,
  phase        TEXT NOT NULL,
  code         INTEGER,
  enhanced     TEXT,
  text         TEXT NOT NULL,
  class        TEXT NOT NULL,
  disposition  TEXT NOT NULL,
  queue_id     TEXT,
  rule         TEXT NOT NULL DEFAULT '',    -- what decided
  UNIQUE (message, number)
) STRICT;
CREATE INDEX attempt_handed_over ON attempt (at) WHERE disposition IN ('sent', 'in_doubt');

CREATE TABLE suppression (          -- mailboxes that get nothing more
  mailbox      TEXT PRIMARY KEY,
  reason       TEXT NOT NULL,
  at           INTEGER NOT NULL,
  source       TEXT NOT NULL DEFAULT 'relay' CHECK (source IN ('relay', 'staff'))  -- who said so
) STRICT, WITHOUT ROWID;
CREATE INDEX suppression_by_staff ON suppression (at) WHERE source = 'staff';

CREATE TABLE erased (               -- whom no message may be planned for again, without saying who they are
  mark         BLOB PRIMARY KEY,    -- salted hash of their mailbox (forgotten) or of their key (purged)
  why          TEXT NOT NULL CHECK (why IN ('forgotten', 'purged')),
  at           INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE relay (
  name         TEXT PRIMARY KEY,
  state        TEXT NOT NULL,
  since        INTEGER NOT NULL,
  until        INTEGER,
  reason       TEXT NOT NULL,
  slowed_to    TEXT                 -- how far, in words
) STRICT, WITHOUT ROWID;

CREATE TABLE decision (             -- what staff ordered
  id           INTEGER PRIMARY KEY,
  at           INTEGER NOT NULL,
  text         TEXT NOT NULL
) STRICT;

CREATE TABLE live_setting (         -- what staff changed while letters went
  key          TEXT PRIMARY KEY,
  value        TEXT NOT NULL,
  instead_of   TEXT NOT NULL,       -- what the configuration said then
  at           INTEGER NOT NULL,
  reason       TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE pause (                -- there is a row while staff want nothing handed over
  one          INTEGER PRIMARY KEY CHECK (one = 1),
  since        INTEGER NOT NULL,
  reason       TEXT NOT NULL
) STRICT;

CREATE TABLE beyond_total (         -- letters that were held because their official gets enough; staff may release them
  message      INTEGER PRIMARY KEY REFERENCES message
) STRICT;
";

/// Makes the tables in an empty database. To be called inside a transaction.
pub(super) fn create(db: &Connection) -> rusqlite::Result<()> {
    let states = MessageState::ALL.map(|s| format!("'{s}'")).join(", ");
    db.execute_batch(&TABLES.replace(":states", &states))?;
    db.pragma_update(None, "application_id", APPLICATION_ID)?;
    db.pragma_update(None, "user_version", VERSION)
}

/// What version 1 lacks.
const TO_VERSION_2: &str = "
ALTER TABLE campaign ADD COLUMN sources BLOB;
ALTER TABLE campaign ADD COLUMN official_total INTEGER;
ALTER TABLE lane ADD COLUMN kinds INTEGER NOT NULL DEFAULT 3;
DROP INDEX lane_turn;
CREATE INDEX lane_turn ON lane (kinds, next_at, served) WHERE next_at IS NOT NULL;
ALTER TABLE message ADD COLUMN only_relay TEXT;
ALTER TABLE attempt ADD COLUMN rule TEXT NOT NULL DEFAULT '';
ALTER TABLE relay ADD COLUMN slowed_to TEXT;
CREATE TABLE live_setting (
  key TEXT PRIMARY KEY, value TEXT NOT NULL, instead_of TEXT NOT NULL, at INTEGER NOT NULL, reason TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE pause (one INTEGER PRIMARY KEY CHECK (one = 1), since INTEGER NOT NULL, reason TEXT NOT NULL) STRICT;
CREATE TABLE beyond_total (message INTEGER PRIMARY KEY REFERENCES message) STRICT;
";

/// What version 2 lacks.
const TO_VERSION_3: &str = "
ALTER TABLE campaign ADD COLUMN salt BLOB;
ALTER TABLE campaign ADD COLUMN home BLOB;
ALTER TABLE campaign ADD COLUMN copied_at INTEGER;
ALTER TABLE person ADD COLUMN erased_at INTEGER;
ALTER TABLE suppression ADD COLUMN source TEXT NOT NULL DEFAULT 'relay' CHECK (source IN ('relay', 'staff'));
CREATE INDEX suppression_by_staff ON suppression (at) WHERE source = 'staff';
CREATE TABLE erased (
  mark BLOB PRIMARY KEY, why TEXT NOT NULL CHECK (why IN ('forgotten', 'purged')), at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
";

/// What version 3 lacks: what was refused and has come due is found without looking through its lane.
const TO_VERSION_4: &str = "
CREATE INDEX message_again ON message (lane, due_at, id) WHERE state = 'queued' AND tries > 0;
";

/// Brings the tables of an earlier version up to this one, in one transaction.
pub(super) fn upgrade(db: &mut Connection) -> rusqlite::Result<()> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have done it while this one waited.
    for (from, step) in [(1, TO_VERSION_2), (2, TO_VERSION_3), (3, TO_VERSION_4)] {
        if version(&tx)? == from {
            tx.execute_batch(step)?;
            tx.pragma_update(None, "user_version", from + 1)?;
        }
    }
    tx.commit()
}

/// The version that a file says it has.
pub(super) fn version(db: &Connection) -> rusqlite::Result<i32> {
    db.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Settings of every connection. `synchronous=FULL` is the promise: a commit that returned is on disk.
pub(super) fn set_up(db: &Connection, busy_timeout: Duration) -> rusqlite::Result<()> {
    db.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
    db.busy_timeout(busy_timeout)?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "foreign_keys", true)?;
    db.pragma_update(None, "temp_store", "MEMORY")?;
    db.pragma_update(None, "cache_size", CACHE_KIB)?;
    db.pragma_update(None, "journal_size_limit", 64 << 20)?;
    // Without it a statement is compiled anew for every value that a partial index might be about.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // A file made by a stranger must not run anything through its schema.
    db.pragma_update(None, "trusted_schema", false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(db: &Connection) -> Vec<(String, String, String)> {
        let tables = "SELECT t.name, c.name, c.type FROM sqlite_schema t, pragma_table_info(t.name) c
                       WHERE t.type = 'table' ORDER BY t.name, c.name";
        let mut query = db.prepare(tables).unwrap();
        query.query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?))).unwrap().map(Result::unwrap).collect()
    }

    fn indexes(db: &Connection) -> Vec<String> {
        let mut query = db.prepare("SELECT sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL").unwrap();
        let mut indexes: Vec<String> = query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        indexes.sort_unstable();
        indexes
    }

    #[test]
    fn an_upgraded_ledger_has_the_columns_and_indexes_of_a_new_one() {
        let new = Connection::open_in_memory().unwrap();
        create(&new).unwrap();
        let mut old = Connection::open_in_memory().unwrap();
        old.execute_batch(include_str!("version_1.sql")).unwrap();
        upgrade(&mut old).unwrap();
        assert_eq!(version(&old).unwrap(), VERSION);
        assert_eq!(columns(&old), columns(&new));
        assert_eq!(indexes(&old), indexes(&new));
    }
}
