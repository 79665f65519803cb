//! Looking a campaign over. Types only.

use clap::Args;

/// `doctor`
#[derive(Debug, Args)]
pub struct Doctor {
    /// For programs
    #[arg(long)]
    pub json: bool,
}
