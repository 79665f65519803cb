//! What `forget` and `purge` share: a word from staff before anything goes, the ledger opened for it and its copies after
//! it, and folders that can be made again taken away. Must not decide who goes.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::contacts::sweep_leftovers;
use crate::ledger::sqlite::{Access, SqliteLedger};

use super::console::{ask, say, tell};
use super::workspace::{Workspace, new_tag};
use super::{Exit, Failure, preview};

/// What a rehearsal leaves in the folder.
const REHEARSAL: &str = "rehearsal";
const PREVIEW: &str = "preview";

/// The ledger, for nobody else meanwhile; made where there is none yet, so that a mark holds for the first `send`.
pub(super) fn open_or_make(workspace: &Workspace) -> Result<SqliteLedger, Failure> {
    let config = &workspace.config;
    if config.ledger.exists() {
        return Ok(SqliteLedger::open(&config.ledger, Access::Dispatch)?);
    }
    Ok(SqliteLedger::create(&config.ledger, &config.identity.campaign, &new_tag()?, Timestamp::now())?)
}

/// Tells what would go; gives whether it is to go. Refuses where staff do not say so, and while a rehearsal runs.
pub(super) fn is_to_go(workspace: &Workspace, plan: &str, dry_run: bool, is_sure: bool) -> Result<bool, Failure> {
    tell(plan);
    if dry_run {
        say("Nothing was changed.");
        return Ok(false);
    }
    must_be_confirmed(is_sure)?;
    must_not_rehearse(&workspace.config.dir)?;
    sweep_leftovers(&workspace.config.dir);
    Ok(true)
}

/// Erases in every copy of the ledger, too; gives where somebody still is, and which copy was not done.
pub(super) fn in_copies(
    copies: &[PathBuf],
    not_done: &str,
    erase: impl Fn(&SqliteLedger) -> Result<Vec<String>, Failure>,
) -> Vec<String> {
    let mut left = Vec::new();
    for copy in copies {
        let shown = copy.display();
        let erased =
            SqliteLedger::open(copy, Access::Dispatch).map_err(Failure::from).and_then(|ledger| erase(&ledger));
        match erased {
            Ok(found) => left.extend(found.into_iter().map(|what| format!("{shown}: {what}"))),
            Err(failure) => left.push(format!("{shown}: {not_done}: {failure}")),
        }
    }
    left
}

/// Goes on only where staff say so.
fn must_be_confirmed(is_sure: bool) -> Result<(), Failure> {
    if is_sure {
        return Ok(());
    }
    match ask("This cannot be undone. Type yes to erase:") {
        Some(answer) if answer.eq_ignore_ascii_case("yes") => Ok(()),
        Some(_) => Err(Failure::new(Exit::Usage, "that is not yes; nothing was changed")),
        None => Err(Failure::new(Exit::Usage, "nobody is here to confirm; nothing was changed (--yes does not ask)")),
    }
}

/// The folder of a rehearsal, where there is one.
pub(super) fn rehearsal(dir: &Path) -> Option<PathBuf> {
    let folder = dir.join(REHEARSAL);
    let is_one = ["ledger.db", "mail", "index.html"].iter().any(|name| folder.join(name).exists());
    is_one.then_some(folder)
}

/// Its ledger.
pub(super) fn rehearsal_ledger(folder: &Path) -> PathBuf {
    folder.join("ledger.db")
}

/// Refuses to go on while a rehearsal runs: it writes everybody's letters.
fn must_not_rehearse(dir: &Path) -> Result<(), Failure> {
    let running = rehearsal(dir).is_some_and(|folder| SqliteLedger::dispatcher_is_running(&rehearsal_ledger(&folder)));
    if running {
        let text = "a rehearsal is running in this folder; end it with Ctrl-C where it runs, then do this again";
        return Err(Failure::new(Exit::Busy, text));
    }
    Ok(())
}

/// Takes a rehearsal away as a whole. Half of it gone looks like an unfinished file, which the next run sweeps.
pub(super) fn remove_rehearsal(folder: &Path) -> Result<(), Failure> {
    let going = folder.with_file_name(format!(".{REHEARSAL}.{}-0", std::process::id()));
    fs::rename(folder, &going).and_then(|()| fs::remove_dir_all(&going)).map_err(|e| Failure::file(folder, &e))
}

/// The folder of previews, where there is one.
pub(super) fn previews(dir: &Path) -> Option<PathBuf> {
    Some(dir.join(PREVIEW)).filter(|folder| folder.is_dir())
}

/// Takes away what a preview wrote, and its folder where nothing else is in it.
pub(super) fn remove_previews(folder: &Path) -> Result<(), Failure> {
    preview::clear(folder)?;
    let _ = fs::remove_dir(folder); // staff keep something else there
    Ok(())
}
