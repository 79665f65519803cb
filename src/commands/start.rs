//! The campaign's start: `send` waits for it, and asks where it is long past.
//!
//! By the wall clock, looked at every second: a clock that is set, or a machine that slept, counts as what it shows now.

use std::time::Duration;

use jiff::Timestamp;
use tokio::runtime::Runtime;

use crate::ledger::Ledger;
use crate::ledger::sqlite::SqliteLedger;
use crate::policy::Start;
use crate::report::{MOMENT, duration, paragraph};

use super::campaign::Asked;
use super::console::{ask, note};
use super::workspace::Workspace;
use super::{Exit, Failure};

const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How the wait for the start ended.
#[derive(Debug)]
pub(super) enum Begin {
    /// With what was caught while it waited, if it did.
    Now(Option<Asked>),
    /// Staff ended it before anything was sent.
    Not,
}

/// Where a campaign stands towards its start, as its settings and its ledger say.
pub(super) fn of(workspace: &Workspace, ledger: &SqliteLedger) -> Result<Start, Failure> {
    let config = &workspace.config;
    let Some(at) = config.start else { return Ok(Start::Now) };
    let has_begun = ledger.first_handed_over()?.is_some();
    Ok(Start::of(Some(at), config.windows.letters.opens(at), Timestamp::now(), has_begun))
}

/// Waits until the campaign may begin. `late` is staff's word that it may also begin late.
pub(super) fn wait(
    workspace: &Workspace,
    ledger: &SqliteLedger,
    runtime: &Runtime,
    late: bool,
) -> Result<Begin, Failure> {
    let mut asked = None;
    loop {
        match of(workspace, ledger)? {
            Start::Now => return Ok(Begin::Now(asked)),
            Start::Late(_) if late => return Ok(Begin::Now(asked)),
            Start::Late(by) => return must_be_confirmed(workspace, by).map(|()| Begin::Now(asked)),
            Start::At(at) => {
                tell(workspace, at);
                asked = runtime.block_on(until(at, asked))?;
                if asked.is_none() {
                    note("\nLeft before the start; nothing was sent. The letters wait: run `undersigned send` again.");
                    return Ok(Begin::Not);
                }
            }
        }
    }
}

fn tell(workspace: &Workspace, at: Timestamp) {
    let left = Duration::try_from(at.duration_since(Timestamp::now())).unwrap_or_default();
    let zoned = at.to_zoned_datetime(workspace.config.timezone.clone());
    note(paragraph(&format!(
        "Waiting for the start (campaign.start): {}, in {}. Nothing is sent before. Keep this running; Ctrl-C leaves, \
         and `undersigned send` waits again.",
        zoned.strftime(MOMENT),
        duration(left)
    )));
}

/// Nothing where staff ended the wait.
async fn until(at: Timestamp, asked: Option<Asked>) -> Result<Option<Asked>, Failure> {
    let mut asked = asked.map_or_else(Asked::catch, Ok)?;
    loop {
        let Ok(left) = Duration::try_from(at.duration_since(Timestamp::now())) else { return Ok(Some(asked)) };
        if left.is_zero() {
            return Ok(Some(asked));
        }
        tokio::select! {
            () = tokio::time::sleep(left.min(LOOK_EVERY)) => {}
            () = asked.again() => return Ok(None),
        }
    }
}

/// A start that was missed is no leave to begin at any later hour.
fn must_be_confirmed(workspace: &Workspace, by: Duration) -> Result<(), Failure> {
    let name = &workspace.config.identity.campaign;
    let ago = format!("The start was {} ago (campaign.start), and nothing has gone yet.", duration(by));
    let question = paragraph(&format!("{ago} Begin now? Type the campaign's name ({name}) to begin:"));
    match ask(&question) {
        Some(answer) if answer == *name => Ok(()),
        Some(_) => Err(Failure::new(Exit::Usage, "that is not the campaign's name; nothing was sent")),
        None => {
            let what = "Begin now with: undersigned send --late-start. Or set another campaign.start in config.toml";
            let text = format!("Nothing was sent: the start was missed.\n{}", paragraph(&format!("{ago} {what}")));
            Err(Failure::new(Exit::Stopped, text))
        }
    }
}
