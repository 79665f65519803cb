//! `status`: where every message stands.

use std::time::Duration;

use crate::cli::{Place, Status};
use crate::ledger::sqlite::{Access, SqliteLedger};
use crate::report::{status_json, status_text};

use super::console::say;
use super::workspace::Workspace;
use super::{Exit, Failure, standing};

const WATCH_EVERY: Duration = Duration::from_secs(2);

pub(super) fn run(place: &Place, args: &Status) -> Result<Exit, Failure> {
    let workspace = Workspace::open(place)?;
    let ledger = SqliteLedger::open(&workspace.config.ledger, Access::Read)?;
    loop {
        let is_running = SqliteLedger::dispatcher_is_running(&workspace.config.ledger);
        let figures = standing::figures(&workspace, &ledger, is_running)?;
        match (args.json, args.watch) {
            (true, _) => say(status_json(&figures)),
            (false, true) => say(format!("\u{1b}[2J\u{1b}[H{}", status_text(&figures))),
            (false, false) => say(status_text(&figures)),
        }
        if !args.watch {
            return Ok(Exit::Done);
        }
        std::thread::sleep(WATCH_EVERY);
    }
}
