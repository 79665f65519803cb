//! What the rest of the world sees of a campaign: the records of our sender in the DNS, and the domains of officials.
//!
//! Asking is one thing (`dns.rs`), what an answer means another: every `judge` is pure. This module must not send
//! anything to a relay, and must not say that something is well which could not be looked at.

mod dkim;
mod dmarc;
mod dns;
mod exchangers;
mod finding;
mod sender;
mod spf;

pub use dns::{Answer, Dns};
pub use exchangers::{Recipients, look_at as look_at_recipients};
pub use finding::{Finding, Weight};
pub use sender::{PublicKey, Sender, look_at as look_at_sender};
