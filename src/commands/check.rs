//! `check`: reads everything, fills in every letter, finds every problem at once; sends nothing.

use crate::cli::{Check, Place};

use super::console::say;
use super::workspace::{BadRows, Workspace};
use super::{Exit, Failure};

pub(super) fn run(place: &Place, args: &Check) -> Result<Exit, Failure> {
    let workspace = Workspace::open(place)?;
    let bad_rows = BadRows::from(args.skip_bad);
    let prepared = workspace.prepare(bad_rows)?;
    say(workspace.whole_report(&prepared));
    if let Some(path) = &prepared.refused_to {
        say(format!(
            "The rows that cannot be used are in {}; mend them there and add them to your file.",
            path.display()
        ));
    }
    prepared.must_be_launchable(bad_rows)?;
    say("Everything is in order. Nothing was sent.");
    Ok(Exit::Done)
}
