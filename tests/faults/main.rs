//! Every fault that a campaign must survive, one file each. `README.md` beside this file is the table.
//!
//! The oracle of all is the relay's own record against the ledger's file (`support::oracle`).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test ends where it cannot go on, and says what became of the letters or what it skips"
)]
#![allow(
    unreachable_pub,
    dead_code,
    missing_docs,
    missing_debug_implementations,
    reason = "names and signatures say it"
)]
#![cfg(unix)]

#[path = "../support/mod.rs"]
mod support;
mod world;

mod killed_after_the_close;
mod killed_after_the_receipt;
mod killed_before_the_receipt;
mod killed_while_planning;
