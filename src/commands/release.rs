//! `release`: Lets held messages go on.

use crate::cli::{Place, Selected};
use crate::ledger::DecisionKind;

use super::{Exit, Failure, staff};

pub(super) fn run(place: &Place, args: &Selected) -> Result<Exit, Failure> {
    staff::selected(place, args, DecisionKind::Release, "back in the queue; send them with: undersigned send")
}
