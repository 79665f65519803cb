//! The people's data: whoever is forgotten or purged leaves no trace in the campaign folder, is never written for again,
//! and what their letters came to is still there.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test ends where it cannot go on"
)]
#![cfg(unix)]

#[path = "../support/mod.rs"]
mod support;

mod files;
mod forgetting;
mod ledger;
mod logs;
mod purging;
mod running;
mod traces;
