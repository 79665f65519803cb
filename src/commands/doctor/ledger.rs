//! The ledger itself: whether its file is whole, its rows keep the rules, and it is the one that was last sent from.

use crate::config::Config;
use crate::ledger::sqlite::{Access, Examined, SqliteLedger, examine as look_over};
use crate::ledger::{Ledger, LedgerError};
use crate::model::MessageState;
use crate::report::{Seen, count, restored_signs};

use super::super::restored;
use super::super::workspace::Workspace;

const DAMAGED: &str = "keep the file as it is, put the newest backup in its place, and settle what went out since from your mail \
     server's log: undersigned resolve --from-log FILE";

/// Looks the file over; gives what was found where it could be read.
pub(super) fn examine(config: &Config, seen: &mut Vec<Seen>) -> Option<Examined> {
    let found = match look_over(&config.ledger) {
        Ok(found) => found,
        Err(error @ LedgerError::Absent(_)) => {
            seen.push(Seen::ok("ledger", error.to_string()));
            return None;
        }
        Err(error) => {
            seen.push(Seen::bad("ledger", error.to_string(), DAMAGED));
            return None;
        }
    };
    file(&found, seen);
    if !found.damage.is_empty() || found.version.0 != found.version.1 {
        return None;
    }
    rules(&found, seen);
    counts(config, seen);
    open(config, &found, seen);
    Some(found)
}

fn file(found: &Examined, seen: &mut Vec<Seen>) {
    let (version, known) = found.version;
    seen.push(match version {
        _ if version == known => Seen::ok("tables", format!("version {version}, as this program makes them")),
        _ if version < known => Seen::warn(
            "tables",
            format!("version {version}; this program makes version {known}"),
            "nothing to do: the next command that opens the ledger brings them up to date",
        ),
        _ => Seen::bad(
            "tables",
            format!("version {version}, which this program does not know"),
            "use the program that made them, or a newer one",
        ),
    });
    seen.push(if found.damage.is_empty() {
        Seen::ok("ledger", "the file is whole (integrity and references)")
    } else {
        Seen::bad("ledger", format!("the file is damaged: {}", found.damage.join("; ")), DAMAGED)
    });
}

fn rules(found: &Examined, seen: &mut Vec<Seen>) {
    if found.broken.is_empty() {
        seen.push(Seen::ok("rows", "they keep every rule: states, lanes, tries and confirmations agree"));
    }
    for (rule, rows) in &found.broken {
        seen.push(Seen::bad(
            "rows",
            format!("{rule} ({})", count(*rows)),
            "do not send; keep a copy of the folder and report it: the program never leaves a ledger so",
        ));
    }
}

/// What `status` says against the rows themselves.
fn counts(config: &Config, seen: &mut Vec<Seen>) {
    let told = SqliteLedger::open(&config.ledger, Access::Read).and_then(|ledger| ledger.counts());
    seen.push(match told {
        Ok(told) => {
            let sum: u64 = MessageState::ALL.into_iter().map(|state| told.in_state(state)).sum();
            Seen::ok("counts", format!("they add up: {} messages", count(sum)))
        }
        Err(error) => Seen::bad("counts", error.to_string(), DAMAGED),
    });
}

/// What a run that was killed left open.
fn open(config: &Config, found: &Examined, seen: &mut Vec<Seen>) {
    let (leased, transmitting) = found.open;
    if SqliteLedger::dispatcher_is_running(&config.ledger) {
        seen.push(Seen::ok("runs", "`send` is at work"));
    } else if leased + transmitting == 0 {
        seen.push(Seen::ok("runs", "none left anything open"));
    } else {
        seen.push(Seen::warn(
            "runs",
            format!("the last one was killed: {} in transmission, {} claimed", count(transmitting), count(leased)),
            "the next `undersigned send` puts that right: the first are in doubt then, the others wait again",
        ));
    }
}

/// Whether it is the ledger that was last sent from.
pub(super) fn at_home(workspace: &Workspace, seen: &mut Vec<Seen>) {
    let Ok(ledger) = SqliteLedger::open(&workspace.config.ledger, Access::Read) else { return };
    match restored::signs(&ledger) {
        Ok(signs) if signs.is_empty() => seen.push(Seen::ok("home", "the ledger is neither restored nor a copy")),
        Ok(signs) => seen.push(Seen::bad(
            "home",
            format!("the ledger {}", restored_signs(&signs, workspace.zone())),
            "run `undersigned send`: it sends nothing before you say so, and tells what to do",
        )),
        Err(error) => seen.push(Seen::bad("home", error.to_string(), DAMAGED)),
    }
}
