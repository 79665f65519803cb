//! What a scripted relay is told: where it stands, what it does there, and what it is like.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Where the conversation stands when the script is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    Greeting,
    Ehlo,
    Starttls,
    Auth,
    Mail,
    Rcpt,
    Data,
    /// After 354, before a byte of the text is read: `Hang` does not read it, `Drop` closes.
    Body,
    Dot,
    Rset,
    Quit,
}

/// What a script may decide by.
#[derive(Debug, Clone)]
pub struct At {
    pub step: Step,
    /// 1 for the first connection to this relay, and so on.
    pub connection: usize,
    /// 1 for the first MAIL of this connection, and so on; 0 before it.
    pub message: usize,
    /// The same over all connections.
    pub message_of_all: usize,
    /// Who sends; empty before MAIL.
    pub from: String,
    /// The recipient of this RCPT, or the last one accepted.
    pub to: String,
    /// The command as it came; at `Dot`, empty.
    pub line: String,
    /// `X-Campaign-Message`; at `Dot` only.
    pub reference: String,
}

/// What the relay does.
#[derive(Debug, Clone)]
pub enum Action {
    /// What a relay without a script does.
    Default,
    /// Replies with these lines (without the last line end). At `Dot`, a reply of 250 accepts the message.
    Reply(String),
    /// Replies, then closes.
    ReplyThenClose(String),
    /// Replies, and closes after a time in which it hears nothing more.
    ReplyThenIdle(String, Duration),
    /// Closes without a word.
    Drop,
    /// Says nothing more, and keeps the connection.
    Hang,
    /// Waits, then acts. At `Dot`, a message that will be accepted is recorded before the wait.
    After(Duration, Box<Action>),
    /// Sends these bytes as they are, and reads on.
    Garbage(Vec<u8>),
    /// At `Dot`: accepts the message, then acts; with `Drop` or `Hang`, the client is not told.
    Take(Box<Action>),
}

impl Action {
    pub fn reply(text: impl Into<String>) -> Self {
        Self::Reply(text.into())
    }

    /// Accepts the message, and closes without a word: the one moment that leaves a message in doubt.
    pub fn take_then_drop() -> Self {
        Self::Take(Box::new(Self::Drop))
    }

    /// Accepts the message, and never says so.
    pub fn take_then_hang() -> Self {
        Self::Take(Box::new(Self::Hang))
    }

    fn after(duration: Duration, action: Self) -> Self {
        Self::After(duration, Box::new(action))
    }

    /// Replies after a time.
    pub fn late(duration: Duration, text: impl Into<String>) -> Self {
        Self::after(duration, Self::reply(text))
    }

    /// At `Dot`: whether the message is accepted, and whether the client is told.
    pub(super) fn acceptance(&self) -> Option<bool> {
        match self {
            Self::Default => Some(true),
            Self::Reply(text) | Self::ReplyThenClose(text) | Self::ReplyThenIdle(text, _) => {
                text.starts_with("250").then_some(true)
            }
            Self::After(_, then) => then.acceptance(),
            Self::Take(then) => Some(then.acceptance().unwrap_or(false)),
            Self::Drop | Self::Hang | Self::Garbage(_) => None,
        }
    }
}

/// Where TLS begins.
#[derive(Clone, Default)]
pub enum RelayTls {
    #[default]
    None,
    Implicit(Arc<tokio_rustls::rustls::ServerConfig>),
    Starttls(Arc<tokio_rustls::rustls::ServerConfig>),
}

/// What the relay is like.
#[derive(Clone)]
pub struct Options {
    pub pipelining: bool,
    /// Further lines of the EHLO reply.
    pub extensions: Vec<String>,
    pub tls: RelayTls,
    /// The one user name and password; AUTH is demanded before MAIL.
    pub auth: Option<(String, String)>,
    /// The mechanisms offered, where `auth` is set.
    pub mechanisms: &'static str,
    /// Where each accepted message is noted as a line, before its 250 is written.
    pub record_file: Option<PathBuf>,
    /// So many bytes of receive buffer, to make a client's body stall early.
    pub receive_buffer: Option<u32>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            pipelining: true,
            extensions: vec!["8BITMIME".into(), "SIZE 33554432".into(), "SMTPUTF8".into()],
            tls: RelayTls::None,
            auth: None,
            mechanisms: "PLAIN LOGIN",
            record_file: None,
            receive_buffer: None,
        }
    }
}

impl Options {
    pub fn without_pipelining() -> Self {
        Self { pipelining: false, ..Self::default() }
    }
}
