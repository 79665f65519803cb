//! `retry`: puts messages that failed back into the queue.

use crate::cli::{Failed, Place, Retry};
use crate::ledger::{DecisionKind, Selection};
use crate::model::MessageState;
use crate::report::counted;

use super::console::{say, tell};
use super::{Exit, Failure, staff};

pub(super) fn run(place: &Place, args: &Retry) -> Result<Exit, Failure> {
    let ledger = staff::open(place)?;
    let mut moved = 0;
    for state in states(args.state) {
        moved += staff::decide(&ledger, DecisionKind::Retry, Selection::State(state), &args.reason)?;
    }
    say(format!("{} back in the queue; send them with: undersigned send", counted(moved, "message")));
    let staying = ledger.suppressed_by_staff()?;
    if args.state == Some(Failed::Suppressed) && staying > 0 {
        tell(format!(
            "Still suppressed: {} to mailboxes on your suppression list; take these off it first with: \
             undersigned suppress remove",
            counted(staying, "message")
        ));
    }
    Ok(Exit::Done)
}

fn states(state: Option<Failed>) -> Vec<MessageState> {
    match state {
        None => vec![MessageState::Bounced, MessageState::Expired],
        Some(Failed::Bounced) => vec![MessageState::Bounced],
        Some(Failed::Expired) => vec![MessageState::Expired],
        Some(Failed::Suppressed) => vec![MessageState::Suppressed],
    }
}
