//! What keeps staff from sending twice or at the wrong time without noticing: restored ledgers, the start, what
//! `status` says of trouble, and `doctor`. Each with the real program and a scripted relay.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test ends where it cannot go on, and says what it skips"
)]

#[path = "../support/mod.rs"]
mod support;

mod asking;
mod doctor;
mod once;
mod restored;
mod starting;
mod trouble;
mod world;
