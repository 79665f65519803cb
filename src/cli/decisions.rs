//! What staff decide about messages. Types only.

use clap::{Args, ValueEnum};

/// `retry`
#[derive(Debug, Args)]
pub struct Retry {
    /// Which ones; without it, bounced and expired
    #[arg(long, value_enum)]
    pub state: Option<Failed>,
    /// Why, for the record
    #[arg(long, default_value = "")]
    pub reason: String,
}

/// States from which staff can try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Failed {
    /// Refused for good
    Bounced,
    /// Refused for now until time ran out
    Expired,
    /// To a mailbox that was refused for good before; not those on your own suppression list
    Suppressed,
}

/// `hold`, `release`, `cancel`
#[derive(Debug, Args)]
pub struct Selected {
    /// Messages by their number, as in `log`; without any, all that can be
    pub ids: Vec<String>,
    /// Why, for the record
    #[arg(long, default_value = "")]
    pub reason: String,
}

/// `resolve`
#[derive(Debug, Args)]
pub struct Resolve {
    /// What is true of them
    #[arg(long = "as", value_enum)]
    pub verdict: Resolved,
    /// All that are in doubt
    #[arg(long, conflicts_with = "ids")]
    pub all: bool,
    /// Messages by their number, as in `log`
    #[arg(required_unless_present = "all")]
    pub ids: Vec<String>,
    /// Why, for the record
    #[arg(long, default_value = "")]
    pub reason: String,
}

/// What staff found out about a message in doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Resolved {
    /// The relay has it
    Sent,
    /// Send it again, at the risk of a second copy
    Resend,
}
