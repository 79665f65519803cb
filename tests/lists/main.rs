//! Lists that staff keep, copies that they make, and what a relay's own log settles; by the real program.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it cannot go on")]

#[path = "../support/mod.rs"]
mod support;

mod backing_up;
mod from_log;
mod suppressing;

use support::campaign::Ran;

/// What it said, where it ended well.
fn ok(ran: Ran) -> String {
    assert_eq!(ran.code, 0, "{ran:?}");
    ran.out
}
