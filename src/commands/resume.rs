//! `resume`: ends a pause.

use jiff::Timestamp;

use crate::cli::{Place, WithReason};
use crate::ledger::sqlite::{Access, SqliteLedger};
use crate::ledger::{Ledger, Wish};

use super::console::say;
use super::workspace::Workspace;
use super::{Exit, Failure};

pub(super) fn run(place: &Place, args: &WithReason) -> Result<Exit, Failure> {
    let config = Workspace::open(place)?.config;
    let ledger = SqliteLedger::open(&config.ledger, Access::Staff)?;
    let was_paused = ledger.wish(&Wish::Resume, &args.reason, Timestamp::now())?;
    say(match (was_paused, SqliteLedger::dispatcher_is_running(&config.ledger)) {
        (false, _) => "It was not paused.",
        (true, true) => "It goes on within a second.",
        (true, false) => "The pause has ended. Nothing is sending now; go on with: undersigned send",
    });
    Ok(Exit::Done)
}
