//! What `forget` and `purge` share: the ledger opened for it, folders that can be made again taken away, and a word from
//! staff before anything goes.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::ledger::sqlite::{Access, SqliteLedger};

use super::console::ask;
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

/// Goes on only where staff say so.
pub(super) fn must_be_confirmed(is_sure: bool) -> Result<(), Failure> {
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
pub(super) fn must_not_rehearse(dir: &Path) -> Result<(), Failure> {
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
