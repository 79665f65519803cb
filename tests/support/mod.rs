//! What several integration tests share. Each test file uses a part of it.
#![allow(dead_code, unreachable_pub, reason = "every test file compiles this for itself and uses a part of it")]
#![allow(missing_docs, missing_debug_implementations, reason = "names and signatures say it")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

pub mod campaign;
pub mod certs;
pub mod dns;
pub mod oracle;
#[cfg(unix)]
pub mod postfix;
pub mod proof;
pub mod record;
pub mod relay;
pub mod sample;
mod script;
pub mod watched;

use std::time::Duration;

use undersigned::model::{EmailAddress, Envelope, MessageId, TransmissionReceipt};
use undersigned::smtp::{Relay, RelaySettings, SessionLimits, Timeouts, TlsMode};

/// A receipt that no ledger gave; for tests of the conversation alone.
#[derive(Debug)]
pub struct PaperReceipt(pub i64);

impl TransmissionReceipt for PaperReceipt {
    fn message(&self) -> MessageId {
        MessageId(self.0)
    }
}

pub fn envelope(to: &str) -> Envelope {
    Envelope { from: address("letters@campaign.example"), to: address(to) }
}

pub fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

/// A small message with the header by which the record knows it.
pub fn letter(number: i64) -> Vec<u8> {
    format!("X-Campaign-Message: k3m9x2-{number}\r\nSubject: A letter\r\n\r\nDear Mayor,\r\n.\r\nhello.\r\n")
        .into_bytes()
}

/// Timeouts of a second, long enough for a busy machine where nothing is meant to run out.
pub fn short_timeouts() -> Timeouts {
    let short = Duration::from_secs(1);
    Timeouts {
        connect: 4 * short,
        tls: 4 * short,
        greeting: short,
        ehlo: short,
        auth: short,
        mail: short,
        rcpt: short,
        data: short,
        body_write: short,
        dot: short,
        quit: short,
    }
}

/// Without TLS, to a port of this machine.
pub fn settings(port: u16) -> RelaySettings {
    RelaySettings {
        name: "test".into(),
        host: "127.0.0.1".into(),
        port,
        tls: TlsMode::None,
        credentials: None,
        hello_name: "campaign.example".into(),
        ca_file: None,
        timeouts: Timeouts::default(),
        limits: SessionLimits::default(),
    }
}

/// The same, with short timeouts.
pub fn hasty(port: u16) -> Relay {
    Relay::new(RelaySettings { timeouts: short_timeouts(), ..settings(port) }).unwrap()
}
