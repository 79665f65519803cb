//! `resolve`: decides what becomes of messages in doubt.

use crate::cli::{Place, Resolve, Resolved};
use crate::ledger::{DecisionKind, Ledger, Selection};
use crate::report::counted;

use super::console::say;
use super::{Exit, Failure, from_log, staff};

pub(super) fn run(place: &Place, args: &Resolve) -> Result<Exit, Failure> {
    let Some(verdict) = args.verdict else { return from_log::run(place, args) };
    let ledger = staff::open(place)?;
    let selection = if args.all { Selection::All } else { Selection::Ids(staff::ids(&args.ids, ledger.tag())?) };
    let (kind, done) = match verdict {
        Resolved::Sent => (DecisionKind::ResolveSent, "counted as sent from now on"),
        Resolved::Resend => (DecisionKind::ResolveResend, "back in the queue; send them with: undersigned send"),
    };
    let moved = staff::decide(&ledger, kind, selection, &args.reason)?;
    say(format!("{} {done}", counted(moved, "message")));
    Ok(Exit::Done)
}
