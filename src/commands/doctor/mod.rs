//! `doctor`: looks the campaign's ledger, files and machine over, and says for each how it is and what to do. Changes
//! nothing, sends nothing, names nobody.

mod files;
mod ledger;
mod machine;

use crate::cli::{Doctor, Place};
use crate::report::{Health, Seen, doctor_json, doctor_text};

use super::console::say;
use super::workspace::Workspace;
use super::{Exit, Failure};

pub(super) fn run(place: &Place, args: &Doctor) -> Result<Exit, Failure> {
    let workspace = Workspace::open(place)?;
    let seen = look(&workspace);
    say(if args.json { doctor_json(&seen).to_string() } else { doctor_text(&seen) });
    let is_bad = seen.iter().any(|seen| seen.health == Health::Bad);
    Ok(if is_bad { Exit::Refused } else { Exit::Done })
}

fn look(workspace: &Workspace) -> Vec<Seen> {
    let config = &workspace.config;
    let mut seen = Vec::new();
    let examined = ledger::examine(config, &mut seen);
    // Opening tables of an older version brings them up to date; nothing is changed here.
    if examined.is_some() {
        ledger::at_home(workspace, &mut seen);
    }
    files::modes(config, &mut seen);
    files::secrets(config, &mut seen);
    files::leftovers(config, &mut seen);
    files::disk(config, examined.as_ref(), &mut seen);
    machine::clock(config, examined.as_ref(), &mut seen);
    machine::open_files(config, &mut seen);
    machine::sqlite(&mut seen);
    seen
}
