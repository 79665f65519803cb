//! What becomes of people's data: forgetting somebody, purging a campaign that is over. Types only.

use clap::Args;

/// What `forget` does where, at the end of its `--help`.
const FORGET_HELP: &str = "\
What was not sent yet is withdrawn. Whoever has the mailbox is erased from the
ledger, and a salted hash stays, so that nothing is ever planned for them again.
Their rows are taken out of your contact lists and of every other CSV file in
the folder; rehearsal/ and preview/ are removed where they may be in them.
What this program does not write (workbooks, files elsewhere) is told to you.

Exit code 5 means that something is left for you to do by hand; 6 that `send`
or a rehearsal runs: what was not sent is withdrawn, and the rest must wait.";

/// What `purge` does where, at the end of its `--help`.
const PURGE_HELP: &str = "\
Erases everybody all of whose messages were settled for longer than that: sent,
bounced, expired, suppressed or cancelled. Hashes, times and replies stay, with
mailboxes masked. Of officials, name and office stay; their mailbox goes with
the last letter to them. Old exports, lists of problems, rehearsals and previews
are removed. The same contact lists plan nothing for these people again; your
lists themselves are left to you.";

/// `forget`
#[derive(Debug, Args)]
#[command(after_help = FORGET_HELP)]
pub struct Forget {
    /// The addresses; whoever has one of these mailboxes is forgotten
    #[arg(required = true, value_name = "ADDRESS")]
    pub addresses: Vec<String>,
    /// Shows what would go and changes nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Does not ask first
    #[arg(long)]
    pub yes: bool,
    /// Leaves the contact lists of config.toml as they are
    #[arg(long)]
    pub keep_lists: bool,
}

/// `purge`
#[derive(Debug, Args)]
#[command(after_help = PURGE_HELP)]
pub struct Purge {
    /// How long ago everything must have been settled, as in 28d
    #[arg(long, value_name = "TIME")]
    pub older_than: String,
    /// Shows what would go and changes nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Does not ask first
    #[arg(long)]
    pub yes: bool,
}
