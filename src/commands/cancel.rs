//! `cancel`: Withdraws messages that were not sent yet.

use crate::cli::{Place, Selected};
use crate::ledger::DecisionKind;

use super::{Exit, Failure, staff};

pub(super) fn run(place: &Place, args: &Selected) -> Result<Exit, Failure> {
    staff::selected(place, args, DecisionKind::Cancel, "cancelled; they will not be sent")
}
