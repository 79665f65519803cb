//! `hold`: Makes waiting messages wait until staff release them.

use crate::cli::{Place, Selected};
use crate::ledger::DecisionKind;

use super::{Exit, Failure, staff};

pub(super) fn run(place: &Place, args: &Selected) -> Result<Exit, Failure> {
    staff::selected(place, args, DecisionKind::Hold, "held; let them go on with: undersigned release")
}
