//! `man`: prints the manual page.

use clap::CommandFactory;

use crate::cli::Cli;

use super::{Exit, Failure};

pub(super) fn run() -> Result<Exit, Failure> {
    clap_mangen::Man::new(Cli::command())
        .render(&mut std::io::stdout())
        .map_err(|e| Failure::new(Exit::Internal, format!("the manual page cannot be written: {e}")))?;
    Ok(Exit::Done)
}
