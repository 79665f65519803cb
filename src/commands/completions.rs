//! `completions`: prints a completion script for a shell.

use clap::CommandFactory;

use crate::cli::Cli;

use super::{Exit, Failure};

#[expect(clippy::unnecessary_wraps, reason = "every verb has the same shape")]
pub(super) fn run(shell: clap_complete::Shell) -> Result<Exit, Failure> {
    clap_complete::generate(shell, &mut Cli::command(), "undersigned", &mut std::io::stdout());
    Ok(Exit::Done)
}
