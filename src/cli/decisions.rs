//! What staff decide about messages. Types only.

use std::path::PathBuf;

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

/// What a log proves, at the end of `resolve --help`.
const RESOLVE_HELP: &str = "\
With --from-log the relay's own log decides, by Message-ID: Postfix's (with its
queue manager's lines) or Exim's, or what journalctl writes of them (not with
-o cat); the files of one log in any order, also packed (.gz). What it says was
queued is sent. What it does not name stays in doubt; with --complete, what the
relay provably never had or threw away goes out again: where the log has lines
of the hand-over, from before it to ten minutes after it, without a hole. In
what comes through a pipe (-), a silence of more than ten minutes is a hole,
since a file may be missing there: give files by name. A ledger that was restored from a copy learns the same
way what went out since: what waits in it, but is in the log, is sent, too.";

/// `resolve`
#[derive(Debug, Args)]
#[command(after_help = RESOLVE_HELP)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
pub struct Resolve {
    /// What is true of them
    #[arg(long = "as", value_enum, required_unless_present = "from_log")]
    pub verdict: Option<Resolved>,
    /// All that are in doubt
    #[arg(long, conflicts_with = "ids")]
    pub all: bool,
    /// Messages by their number, as in `log`
    #[arg(required_unless_present_any = ["all", "from_log"])]
    pub ids: Vec<String>,
    /// Settles what the relay's own log tells of; - is the standard input
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with_all = ["verdict", "all", "ids"])]
    pub from_log: Vec<PathBuf>,
    /// Only tells what the log proves; changes nothing
    #[arg(long, requires = "from_log")]
    pub dry_run: bool,
    /// The log is all of the relay's: sends again what it proves that the relay does not have
    #[arg(long, requires = "from_log")]
    pub complete: bool,
    /// Whose log it is, where messages were handed to several relays
    #[arg(long, value_name = "NAME", requires = "from_log")]
    pub relay: Option<String>,
    /// Does not ask before it sends again
    #[arg(long, requires = "complete")]
    pub yes: bool,
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
