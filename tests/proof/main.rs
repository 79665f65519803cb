//! The proof that nothing is lost and nothing goes out twice, as far as tests of their own are needed for it: kills
//! under fire, a real mail server behind it all, what the promise rests on, and the breakages that must be caught.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test ends where it cannot go on, and says what it skips"
)]
#![cfg(unix)]

mod breakages;
mod kills;
mod postfix;
mod promises;
mod properties;
#[path = "../support/mod.rs"]
mod support;
