//! `undersigned` sends advocacy letters: it matches constituents to their officials, fills in each letter, hands
//! it to an SMTP relay at a bearable pace and keeps a durable record of every attempt.
//!
//! This library is the program's inside; the program's commands are its interface. `ARCHITECTURE.md` tells what
//! stands where and why.

pub mod compose;
pub mod model;
pub mod template;
