//! Where a campaign stands, as `status` and the end of `send` tell it: the ledger's figures and what stands around them.

use jiff::Timestamp;

use crate::ledger::Ledger;
use crate::ledger::sqlite::SqliteLedger;
use crate::report::{Around, Figures};

use super::workspace::Workspace;
use super::{Failure, disk, restored};

/// The figures of now. `is_running` is whether a dispatcher holds the ledger.
pub(super) fn figures(workspace: &Workspace, ledger: &SqliteLedger, is_running: bool) -> Result<Figures, Failure> {
    let config = &workspace.config;
    let figures = Figures::read(ledger, ledger.name(), is_running, Timestamp::now())?;
    let around = Around {
        relays: Some(config.relays.iter().map(|relay| relay.name().to_owned()).collect()),
        start: config.start.map(|at| (at, config.windows.letters.opens(at))),
        has_begun: ledger.first_handed_over()?.is_some(),
        restored: restored::signs(ledger)?,
        doubts: ledger.doubts()?,
        ledger_trouble: disk::trouble(&config.ledger),
    };
    Ok(figures.in_zone(config.timezone.clone()).amid(around))
}
