//! `forecast`: when each official's last letter goes, which limit holds it back, and what would make the deadline.

use crate::cli::Place;
use crate::report::forecast_text;

use super::console::say;
use super::live::Live;
use super::workspace::{BadRows, Workspace};
use super::{Exit, Failure};

pub(super) fn run(place: &Place) -> Result<Exit, Failure> {
    let mut workspace = Workspace::open(place)?;
    workspace.config = Live::of(&workspace.config).over(&workspace.config)?;
    // Rows that cannot be used are told by `check`; here they only do not count.
    let prepared = workspace.prepare(BadRows::Stop)?;
    say(workspace.with_findings(&prepared, forecast_text).trim_end());
    Ok(Exit::Done)
}
