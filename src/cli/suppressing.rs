//! The suppression list. Types only.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What the list means, at the end of its `--help`.
pub(super) const SUPPRESS_HELP: &str = "\
Nothing is sent to a mailbox on the list: an official's gets no letters, a
constituent's no confirmation. The letter in a constituent's name still goes;
to withdraw that, use cancel. @example.org means every mailbox of that domain,
and of none of its subdomains.
What waits for the mailbox is suppressed at once; a `send` that runs in another
terminal follows within half a second. A letter that is in transmission by then
ends as it ends.";

/// `suppress`
#[derive(Debug, Subcommand)]
pub enum Suppress {
    /// Puts mailboxes, or a whole domain (@example.org), on the list
    Add(SuppressAdd),
    /// Takes mailboxes or domains off the list
    Remove(SuppressAdd),
    /// Shows the list, with who put each mailbox there, when and why
    List(SuppressList),
    /// Puts every mailbox and domain of a file on the list
    Import(SuppressImport),
}

/// `suppress add`, `suppress remove`
#[derive(Debug, Args)]
pub struct SuppressAdd {
    /// E-mail addresses, or domains as @example.org
    #[arg(required = true, value_name = "ADDRESS")]
    pub addresses: Vec<String>,
    /// Why, for the record
    #[arg(long, default_value = "")]
    pub reason: String,
}

/// `suppress list`
#[derive(Debug, Args)]
pub struct SuppressList {
    /// For programs: one object a line
    #[arg(long)]
    pub json: bool,
}

/// `suppress import`
#[derive(Debug, Args)]
pub struct SuppressImport {
    /// One address or @domain a line (# begins a comment), or a CSV file or
    /// spreadsheet with a column of e-mail addresses
    pub file: PathBuf,
    /// Goes on without the lines that are no addresses
    #[arg(long)]
    pub skip_bad: bool,
    /// Why, for the record
    #[arg(long, default_value = "")]
    pub reason: String,
}
