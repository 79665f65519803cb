//! What `retry`, `hold`, `release`, `cancel` and `resolve` share: a decision of staff, carried out and confirmed.

use jiff::Timestamp;

use crate::cli::{Place, Selected};
use crate::ledger::sqlite::{Access, SqliteLedger};
use crate::ledger::{Decision, DecisionKind, Ledger, Selection};
use crate::model::{CampaignTag, MessageId, MessageRef};
use crate::report::counted;

use super::console::say;
use super::workspace::Workspace;
use super::{Exit, Failure};

/// Opens the ledger for a decision.
pub(super) fn open(place: &Place) -> Result<SqliteLedger, Failure> {
    let workspace = Workspace::open(place)?;
    Ok(SqliteLedger::open(&workspace.config.ledger, Access::Staff)?)
}

/// Carries out a decision; gives how many messages it moved.
pub(super) fn decide(
    ledger: &SqliteLedger,
    kind: DecisionKind,
    selection: Selection,
    reason: &str,
) -> Result<u64, Failure> {
    let reason = reason.to_owned();
    Ok(ledger.decide(&Decision { kind, selection, reason, at: Timestamp::now() })?)
}

/// `hold`, `release` and `cancel`: one decision about some or all.
pub(super) fn selected(place: &Place, args: &Selected, kind: DecisionKind, done: &str) -> Result<Exit, Failure> {
    let ledger = open(place)?;
    let selection = if args.ids.is_empty() { Selection::All } else { Selection::Ids(ids(&args.ids, ledger.tag())?) };
    let moved = decide(&ledger, kind, selection, &args.reason)?;
    say(format!("{} {done}", counted(moved, "message")));
    Ok(Exit::Done)
}

/// Messages by number (`1042`) or by their whole name (`k3m9x2-1042`).
pub(super) fn ids(texts: &[String], tag: &CampaignTag) -> Result<Vec<MessageId>, Failure> {
    texts.iter().map(|text| id(text, tag)).collect()
}

/// One of [`ids`].
pub(super) fn id(text: &str, tag: &CampaignTag) -> Result<MessageId, Failure> {
    if let Ok(number) = text.parse() {
        return Ok(MessageId(number));
    }
    match text.parse::<MessageRef>() {
        Ok(reference) if reference.tag == *tag => Ok(reference.id),
        Ok(_) => Err(Failure::new(Exit::Usage, format!("{text} belongs to another campaign's ledger"))),
        Err(()) => Err(Failure::new(
            Exit::Usage,
            format!("`{text}` is not a message; use its number as in `undersigned log`, for example 1042"),
        )),
    }
}
