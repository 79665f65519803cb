//! `undersigned` sends advocacy letters: it matches constituents to their officials, fills in each letter, hands
//! it to an SMTP relay at a bearable pace and keeps a durable record of every attempt.
//!
//! This library is the program's inside; the program's commands are its interface. `ARCHITECTURE.md` tells what
//! stands where and why.

pub mod cli;
pub mod commands;
pub mod compose;
pub mod config;
pub mod contacts;
pub mod dispatch;
pub mod draft;
pub mod failpoint;
pub mod ledger;
pub mod model;
pub mod online;
pub mod plan;
pub mod policy;
pub mod relay_log;
pub mod report;
pub mod smtp;
pub mod template;
