//! `purge`: erases everybody whose letters were settled long ago, and keeps what became of them.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::cli::{Place, Purge};
use crate::contacts::{Standing, survey};
use crate::ledger::sqlite::{Access, Purgeable, SqliteLedger};
use crate::model::Erased;
use crate::policy::parse_positive_span;
use crate::report::counted;

use super::console::{note, tell};
use super::erasing::{in_copies, is_to_go, previews, rehearsal, rehearsal_ledger, remove_previews, remove_rehearsal};
use super::folder::{Kind, files};
use super::workspace::Workspace;
use super::{Exit, Failure};

pub(super) fn run(place: &Place, args: &Purge) -> Result<Exit, Failure> {
    let workspace = Workspace::open(place)?;
    let before = before(&args.older_than)?;
    let ledger_path = &workspace.config.ledger;
    let whom = SqliteLedger::open(ledger_path, Access::Read)?.purgeable(before)?;
    let old = Old::look(&workspace, before)?;
    if !is_to_go(&workspace, &plan(whom, &old), args.dry_run, args.yes)? {
        return Ok(Exit::Done);
    }
    let mut left = purge_in(&SqliteLedger::open(ledger_path, Access::Dispatch)?, before)?;
    left.extend(in_copies(&old.copies, "not purged", |copy| purge_in(copy, before)));
    old.remove()?;
    tell_of_lists(&workspace);
    if left.is_empty() {
        return Ok(Exit::Done);
    }
    left.iter().for_each(note);
    Ok(Exit::FinishedWithFailures)
}

/// Everything that was settled before then goes.
fn before(older_than: &str) -> Result<Timestamp, Failure> {
    let span = parse_positive_span(older_than)
        .map_err(|why| Failure::new(Exit::Usage, format!("--older-than: {why}; nothing was changed")))?;
    Ok(Timestamp::now().checked_sub(span).unwrap_or(Timestamp::MIN))
}

/// Purges one ledger; gives where somebody still is.
fn purge_in(ledger: &SqliteLedger, before: Timestamp) -> Result<Vec<String>, Failure> {
    let purged = ledger.purge(before, Timestamp::now())?;
    tell(format!(
        "{}: {} and {} erased, and {} that nothing is made from any more.",
        ledger.path().display(),
        counted(purged.people, "constituent"),
        mailboxes(purged.officials),
        counted(purged.texts, "text")
    ));
    Ok(ledger.scrub(&purged.mailboxes)?)
}

fn mailboxes(officials: u64) -> String {
    if officials == 1 { "1 official's mailbox".to_owned() } else { format!("{officials} officials' mailboxes") }
}

fn plan(whom: Purgeable, old: &Old) -> String {
    let mut lines = vec![format!(
        "{} all of whose messages were settled before that: erased from the ledger; {} left",
        counted(whom.people, "constituent"),
        whom.left
    )];
    if whom.in_doubt > 0 {
        lines.push(format!(
            "kept, because a message of theirs is in doubt: {}; decide about it with: undersigned resolve",
            counted(whom.in_doubt, "constituent")
        ));
    }
    lines.extend(old.all().map(|path| format!("{}: removed", path.display())));
    lines.extend(old.copies.iter().map(|path| format!("{}: purged as well", path.display())));
    lines.join("\n")
}

/// What else is older and holds people's data.
#[derive(Default)]
struct Old {
    files: Vec<PathBuf>,
    rehearsal: Option<PathBuf>,
    previews: Option<PathBuf>,
    copies: Vec<PathBuf>,
}

impl Old {
    fn look(workspace: &Workspace, before: Timestamp) -> Result<Self, Failure> {
        let config = &workspace.config;
        let is_old = |path: &Path| {
            let changed = fs::metadata(path).and_then(|about| about.modified());
            changed.is_ok_and(|at| Timestamp::try_from(at).is_ok_and(|at| at < before))
        };
        let is_list = |path: &Path| config.contacts.files.iter().any(|file| file.path == path);
        let rehearsal = rehearsal(&config.dir);
        let mut old = Self::default();
        for path in files(&config.dir).map_err(|e| Failure::file(&config.dir, &e))? {
            let is_top = path.parent() == Some(&config.dir);
            if is_top && is_written_by_us(&path) && !is_list(&path) && is_old(&path) {
                old.files.push(path);
            } else if path != config.ledger
                && rehearsal.as_ref().is_none_or(|folder| !path.starts_with(folder))
                && Kind::of(&path) == Kind::Ledger
            {
                old.copies.push(path);
            }
        }
        old.rehearsal = rehearsal.filter(|folder| is_old(&rehearsal_ledger(folder)));
        old.previews = previews(&config.dir).filter(|folder| {
            let mut entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
            entries.all(|entry| is_old(&entry.path()))
        });
        Ok(old)
    }

    fn all(&self) -> impl Iterator<Item = &PathBuf> {
        self.files.iter().chain(&self.rehearsal).chain(&self.previews)
    }

    fn remove(&self) -> Result<(), Failure> {
        for file in &self.files {
            fs::remove_file(file).map_err(|e| Failure::file(file, &e))?;
        }
        self.rehearsal.iter().try_for_each(|folder| remove_rehearsal(folder))?;
        self.previews.iter().try_for_each(|folder| remove_previews(folder))
    }
}

/// `contacts-status.csv`, `refused.csv`, `failed-2.csv`, …
fn is_written_by_us(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let Some(stem) = name.strip_suffix(".csv") else { return false };
    let stem = match stem.rsplit_once('-') {
        Some((stem, number)) if number.parse::<u32>().is_ok() => stem,
        _ => stem,
    };
    ["refused", "failed", "problems"].contains(&stem) || stem.ends_with("-status")
}

/// The lists are staff's own: they are told what is still in them.
fn tell_of_lists(workspace: &Workspace) {
    let counted_rows = workspace.people().and_then(|people| {
        let survey = survey(&people)?;
        let mut held = vec![0_u64; survey.files().count()];
        for row in survey.whole_rows()? {
            let row = row?;
            if row.standing == Standing::LeftOut(Erased::Purged) {
                held[row.file] += 1;
            }
        }
        Ok(survey.files().map(str::to_owned).zip(held).collect::<Vec<_>>())
    });
    match counted_rows {
        Ok(lists) => lists.iter().filter(|(_, held)| *held > 0).for_each(|(file, held)| {
            tell(format!("{file} still has {} of people who were purged; the lists are yours.", counted(*held, "row")));
        }),
        Err(_) => tell("The contact lists could not be read; whom they still hold is not known. They are yours."),
    }
}
