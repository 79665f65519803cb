-- The tables of version 1, kept to test that they can be brought up to date.
CREATE TABLE campaign (             -- the one row of this ledger
  one          INTEGER PRIMARY KEY CHECK (one = 1),
  tag          TEXT NOT NULL,
  name         TEXT NOT NULL,
  created_at   INTEGER NOT NULL,
  state        TEXT NOT NULL,
  reason       TEXT NOT NULL,
  state_at     INTEGER NOT NULL,
  confirming   TEXT,                -- the terms of the first enrolment
  confirmation INTEGER REFERENCES template
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
  extra        TEXT NOT NULL        -- unknown columns, as a JSON object
) STRICT;

CREATE INDEX person_name ON person (name, jurisdiction);

CREATE TABLE lane (                 -- the queue of one recipient mailbox
  id           INTEGER PRIMARY KEY,
  mailbox      TEXT NOT NULL UNIQUE,
  ready_at     INTEGER NOT NULL DEFAULT 0,  -- its pace: not before
  next_at      INTEGER,             -- when its next message may be claimed; NULL: none waits, or it is occupied
  served       INTEGER NOT NULL DEFAULT 0,  -- messages claimed so far: among equals, the least served is next
  occupied_by  INTEGER              -- the message that must end before the next is given
) STRICT;
CREATE INDEX lane_turn ON lane (next_at, served) WHERE next_at IS NOT NULL;

CREATE TABLE message (
  id           INTEGER PRIMARY KEY,
  kind         TEXT NOT NULL CHECK (kind IN ('letter', 'confirmation')),
  constituent  INTEGER NOT NULL REFERENCES person,
  official     INTEGER REFERENCES person,   -- NULL: a confirmation of all letters
  lane         INTEGER REFERENCES lane,     -- NULL: the official has no mailbox
  template     INTEGER NOT NULL REFERENCES template,
  state        TEXT NOT NULL,
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
  last_reply   TEXT
) STRICT;
CREATE UNIQUE INDEX message_once ON message (constituent, kind, ifnull(official, 0));
CREATE INDEX message_state ON message (state, kind);
CREATE INDEX message_queue ON message (lane, due_at, id) WHERE state = 'queued';
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
  UNIQUE (message, number)
) STRICT;
CREATE INDEX attempt_handed_over ON attempt (at) WHERE disposition IN ('sent', 'in_doubt');

CREATE TABLE suppression (
  mailbox      TEXT PRIMARY KEY,
  reason       TEXT NOT NULL,
  at           INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE relay (
  name         TEXT PRIMARY KEY,
  state        TEXT NOT NULL,
  since        INTEGER NOT NULL,
  until        INTEGER,
  reason       TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE decision (             -- what staff ordered
  id           INTEGER PRIMARY KEY,
  at           INTEGER NOT NULL,
  text         TEXT NOT NULL
) STRICT;
PRAGMA user_version = 1;
