//! Lists that staff keep, copies that they make, and what a relay's own log settles; by the real program.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it cannot go on")]

#[path = "../support/mod.rs"]
mod support;

mod backing_up;
mod from_log;
mod postfix;
mod suppressing;

use support::campaign::{Campaign, Ran};

/// What it said, where it ended well.
fn ok(ran: Ran) -> String {
    assert_eq!(ran.code, 0, "{ran:?}");
    ran.out
}

/// The lines of what staff and the program decided.
fn decisions(campaign: &Campaign) -> Vec<String> {
    let ledger = rusqlite::Connection::open(campaign.ledger()).unwrap();
    let mut lines = ledger.prepare("SELECT text FROM decision ORDER BY id").unwrap();
    lines.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}
