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

mod asked_once_to_end;
mod asked_twice_to_end;
mod confirmation_of_a_letter_that_failed;
mod killed_after_the_close;
mod killed_after_the_receipt;
mod killed_at_random;
mod killed_at_the_confirmation;
mod killed_before_the_receipt;
mod killed_while_planning;
mod killed_while_recovering;
mod killed_while_staff_decide;
mod two_dispatchers;
