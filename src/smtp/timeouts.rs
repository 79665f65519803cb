//! How long to wait, phase by phase, and how long to use one session.
//!
//! Numbers only. RFC 5321 4.5.3.2 gives the reasons; the one for the final dot is long because a short one
//! makes duplicates: the relay may have taken the message when we stop waiting.

use std::time::Duration;

use crate::failpoint::wait_at_most;

/// One timeout a phase. After any of them the connection is dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Name look-up and TCP, all addresses together.
    pub connect: Duration,
    /// The TLS handshake.
    pub tls: Duration,
    /// The relay's first line.
    pub greeting: Duration,
    /// EHLO, and STARTTLS.
    pub ehlo: Duration,
    /// Each step of AUTH.
    pub auth: Duration,
    /// MAIL FROM, and RSET.
    pub mail: Duration,
    /// RCPT TO.
    pub rcpt: Duration,
    /// DATA, up to 354.
    pub data: Duration,
    /// Each write of the body, 64 KiB at most.
    pub body_write: Duration,
    /// The reply to the final dot.
    pub dot: Duration,
    /// The farewell; nothing depends on it.
    pub quit: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        let [minute, second] = [Duration::from_secs(60), Duration::from_secs(1)];
        Self {
            connect: wait_at_most(30 * second),
            tls: wait_at_most(minute),
            greeting: wait_at_most(minute),
            ehlo: wait_at_most(minute),
            auth: wait_at_most(minute),
            mail: wait_at_most(5 * minute),
            rcpt: wait_at_most(5 * minute),
            data: wait_at_most(2 * minute),
            body_write: wait_at_most(3 * minute),
            dot: wait_at_most(10 * minute),
            quit: wait_at_most(5 * second),
        }
    }
}

/// When a session has served enough and a new one is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionLimits {
    /// Messages transmitted.
    pub messages: u32,
    /// Time since the connection was made.
    pub age: Duration,
    /// Refusals; some relays slow down or block a client that collects them.
    pub refusals: u32,
    /// Time since the last reply.
    pub idle: Duration,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self { messages: 100, age: Duration::from_secs(300), refusals: 8, idle: Duration::from_secs(30) }
    }
}
