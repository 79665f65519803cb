//! `forecast`: when each official's last letter goes, which limit holds it back, and what would make the deadline.

use crate::cli::Place;

use super::workspace::Workspace;
use super::{Exit, Failure};

pub(super) fn run(place: &Place) -> Result<Exit, Failure> {
    let _ = Workspace::open(place)?;
    Ok(Exit::Done)
}
