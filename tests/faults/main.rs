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

// What the faults share.
mod faketime;
mod strace;
mod table;
mod world;

// A fault each.
mod asked_once_to_end;
mod asked_twice_to_end;
mod clock_jumps;
mod confirmation_of_a_letter_that_failed;
mod daylight_saving;
mod file_changed_while_read;
mod killed_after_the_close;
mod killed_after_the_receipt;
mod killed_at_a_refusal;
mod killed_at_every_write;
mod killed_at_random;
mod killed_at_the_confirmation;
mod killed_before_the_receipt;
mod killed_while_planning;
mod killed_while_recovering;
mod killed_while_staff_decide;
mod ledger_cannot_be_written;
mod ledger_locked_by_another;
mod ledger_on_a_full_disk;
mod machine_suspended;
mod mark_is_on_disk;
mod relay_answers;
mod relay_answers_too_late;
mod relay_closes_after_some_messages;
mod relay_closes_when_idle;
mod relay_name_is_not_found;
mod relay_never_greets;
mod relay_refuses_connections;
mod relay_stalls_in_the_text;
mod relay_tls_is_wrong;
mod two_dispatchers;
