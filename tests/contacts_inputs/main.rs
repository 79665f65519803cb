//! Contact files as they come, and what each must get: accepted, normalised with a note, refused row by row, or
//! refused as a whole. Never a panic, never a guess in silence.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests say by a panic that a test cannot go on"
)]

mod aliases;
mod columns;
mod everyone;
mod files;
mod joining;
mod postcodes;
mod properties;
mod refused;
mod rows;
mod spreadsheets;
mod support;
