//! Copies of the ledger. Types only.

use std::path::PathBuf;

use clap::Args;

/// What a copy is, at the end of `backup --help`.
pub(super) const BACKUP_HELP: &str = "\
The copy is of one moment, also while `send` runs, and is checked before it is
called done. It holds everybody's names, addresses and letters: only you may
read it. `forget` and `purge` do not reach copies; remove those yourself.";

/// `backup`
#[derive(Debug, Args)]
#[command(after_help = BACKUP_HELP)]
pub struct Backup {
    /// Where to
    pub file: PathBuf,
    /// Replaces an older copy of that name
    #[arg(long)]
    pub force: bool,
}
