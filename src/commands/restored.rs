//! A ledger that was restored or cloned is not sent from before staff say so. What the signs are is the ledger's to know.

use jiff::Timestamp;

use crate::ledger::sqlite::SqliteLedger;
use crate::ledger::{LedgerError, Machine, Restored};
use crate::report::{paragraph, restored_signs, restored_text};

use super::console::{ask, note};
use super::workspace::Workspace;
use super::{Exit, Failure};

/// Names this machine where what the system says is not the same at every start, as in containers.
const VARIABLE: &str = "UNDERSIGNED_MACHINE";
/// Where systems keep a name of their own that no other has.
const MACHINE_IDS: [&str; 2] = ["/etc/machine-id", "/var/lib/dbus/machine-id"];

/// This machine, by the best name that it has.
pub(super) fn machine() -> Machine {
    let set = std::env::var(VARIABLE).ok();
    let kept = || MACHINE_IDS.iter().filter_map(|path| std::fs::read_to_string(path).ok());
    let names = set.into_iter().chain(kept()).map(|name| name.trim().to_owned());
    let host = || rustix::system::uname().nodename().to_string_lossy().into_owned();
    Machine::named(names.into_iter().find(|name| !name.is_empty()).unwrap_or_else(host))
}

/// The signs, for whoever only shows them.
pub(super) fn signs(ledger: &SqliteLedger) -> Result<Vec<Restored>, LedgerError> {
    ledger.restored(&machine())
}

/// Refuses to send from a ledger that is not the one that was last sent from, unless staff say that it may be.
pub(super) fn must_be_settled(workspace: &Workspace, ledger: &SqliteLedger, accepted: bool) -> Result<(), Failure> {
    let machine = machine();
    let signs = ledger.restored(&machine)?;
    if !signs.is_empty() && !accepted {
        must_be_confirmed(workspace, &signs)?;
    }
    if accepted && !signs.is_empty() {
        note(paragraph(&format!(
            "Sending on, as you said, though this ledger {}.",
            restored_signs(&signs, workspace.zone())
        )));
    }
    ledger.settle(&machine, &signs, Timestamp::now())?;
    Ok(())
}

fn must_be_confirmed(workspace: &Workspace, signs: &[Restored]) -> Result<(), Failure> {
    let name = &workspace.config.identity.campaign;
    let text = restored_text(signs, workspace.zone());
    let question = format!("{text}\nTo send on all the same, type the campaign's name ({name}):");
    match ask(&question) {
        Some(answer) if answer == *name => Ok(()),
        Some(_) => Err(Failure::new(Exit::Usage, "that is not the campaign's name; nothing was sent")),
        None => Err(Failure::new(Exit::Stopped, text)),
    }
}
