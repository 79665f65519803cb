//! Sending, its pace, and what can be seen of it. Types only.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// The columns of what `export` writes, at the end of its `--help`.
const EXPORT_HELP: &str = "\
Beside your own columns, in your own order, stand:
    state       what became of the letters: sent, bounced, deferred, …
    time        when the mail server took them, or when they were last tried
    last reply  what the mail server last said
    advice      what to do, where there is something to do

With --failed, before your own columns stand:
    line        where the row is in your file (and in which, if you have several)
    problem     what went wrong
    advice      what to do
Mend the rows, then send that file alone:
    undersigned send --set contacts.files=failed.csv

With several contact files each is written to a file of its own; --out then
names a folder.";

/// `send`
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
pub struct Send {
    /// Does not ask for the campaign's name first
    #[arg(long)]
    pub yes: bool,
    /// At most so many letters in this run
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,
    /// Goes on without the rows that cannot be used, and writes them to refused.csv
    #[arg(long)]
    pub skip_bad: bool,
    /// Uses the changed texts for every message that was not offered to a relay yet
    #[arg(long)]
    pub accept_changed_letter: bool,
    /// Sends to people who look like somebody who was planned before under another address or name
    #[arg(long)]
    pub accept_changed_people: bool,
    /// Takes refusals that are all alike for real, after the campaign stopped because of them
    #[arg(long)]
    pub accept_refusals: bool,
    /// Sends from a ledger that was restored or copied, after you made sure that nothing went out since
    #[arg(long)]
    pub accept_restored: bool,
    /// Begins though the start in config.toml was missed by more than an hour
    #[arg(long)]
    pub late_start: bool,
}

/// `status`
#[derive(Debug, Args)]
pub struct Status {
    /// For programs
    #[arg(long)]
    pub json: bool,
    /// Again every two seconds, until Ctrl-C
    #[arg(long)]
    pub watch: bool,
}

/// `pace`
#[derive(Debug, Args)]
pub struct Pace {
    /// What to change; without it, every limit is shown
    #[command(subcommand)]
    pub change: Option<PaceChange>,
}

/// Changes of the pace.
#[derive(Debug, Subcommand)]
pub enum PaceChange {
    /// Gives limits another value, as in `pace set per_mailbox=60/h`; a running `send` follows within a second
    Set(PaceSet),
    /// Goes back to what config.toml says
    Unset(PaceUnset),
}

/// `pace set`
#[derive(Debug, Args)]
pub struct PaceSet {
    /// A key of the section pace, or relay.NAME.rate or relay.NAME.quota, and its value
    #[arg(required = true, value_name = "KEY=VALUE")]
    pub assignments: Vec<String>,
    /// Why, for the record
    #[arg(long, default_value = "")]
    pub reason: String,
}

/// `pace unset`
#[derive(Debug, Args)]
pub struct PaceUnset {
    /// The keys that were set
    #[arg(required_unless_present = "all", value_name = "KEY")]
    pub keys: Vec<String>,
    /// Everything that was set
    #[arg(long, conflicts_with = "keys")]
    pub all: bool,
    /// Why, for the record
    #[arg(long, default_value = "")]
    pub reason: String,
}

/// `pause`, `resume`
#[derive(Debug, Args)]
pub struct WithReason {
    /// Why, for the record
    #[arg(long, default_value = "")]
    pub reason: String,
}

/// `log`
#[derive(Debug, Args)]
pub struct Log {
    /// For programs: one object a line
    #[arg(long)]
    pub json: bool,
    /// Only messages that are now in this state
    #[arg(long, value_name = "STATE")]
    pub state: Option<String>,
    /// Only this message
    #[arg(long, value_name = "ID")]
    pub message: Option<String>,
    /// Shows every address in full; do not keep or send what it prints
    #[arg(long)]
    pub unmasked: bool,
}

/// `export`
#[derive(Debug, Args)]
#[command(after_help = EXPORT_HELP)]
pub struct Export {
    /// Only the rows that need mending, as a file to mend and to send by itself
    #[arg(long)]
    pub failed: bool,
    /// Where to write, instead of NAME-status.csv or failed.csv in the campaign folder
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}
