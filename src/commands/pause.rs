//! `pause`: nothing more is handed over until `resume`, also by a `send` that runs in another terminal.

use jiff::Timestamp;

use crate::cli::{Place, WithReason};
use crate::ledger::sqlite::{Access, SqliteLedger};
use crate::ledger::{Ledger, Wish};
use crate::report::SHORT_MOMENT;

use super::console::say;
use super::workspace::Workspace;
use super::{Exit, Failure};

pub(super) fn run(place: &Place, args: &WithReason) -> Result<Exit, Failure> {
    let config = Workspace::open(place)?.config;
    let ledger = SqliteLedger::open(&config.ledger, Access::Staff)?;
    let is_new = ledger.wish(&Wish::Pause, &args.reason, Timestamp::now())?;
    let since = ledger.wishes()?.pause.map(|pause| pause.since.to_zoned_datetime(config.timezone.clone()));
    let is_running = SqliteLedger::dispatcher_is_running(&config.ledger);
    say(match (is_new, is_running, since) {
        (false, _, Some(since)) => format!("It is paused already, since {}.", since.strftime(SHORT_MOMENT)),
        (_, true, _) => "Paused within a second; what is in transmission finishes.".to_owned(),
        _ => "Paused: a `send` that is started waits.".to_owned(),
    });
    say("Go on with: undersigned resume");
    Ok(Exit::Done)
}
