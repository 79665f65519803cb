//! `export`: what became of everybody, beside the rows of staff's own files; or only what failed, as a file to mend
//! and to send. Reads only, also while a campaign runs.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use crate::cli::{Export, Place};
use crate::contacts::{
    BesideWriter, ContactsError, RefusedWriter, Standing, Survey, WholeRow, survey, sweep_leftovers,
};
use crate::ledger::sqlite::{Access, SqliteLedger};
use crate::ledger::{Ledger, LedgerError, OfficialFates};
use crate::model::{PersonKey, Role};
use crate::report::{
    Beside, FAILED_NOTHING_TO_DO, beside_constituent, beside_official, counted, failures_of_constituent,
    failures_of_official,
};

use super::console::say;
use super::steps::Steps;
use super::workspace::{Workspace, note_kept};
use super::{Exit, Failure};

pub(super) fn run(place: &Place, args: &Export) -> Result<Exit, Failure> {
    let workspace = Workspace::open(place)?;
    let ledger = SqliteLedger::open(&workspace.config.ledger, Access::Read)?;
    sweep_leftovers(&workspace.config.dir);
    let reading = Steps::of("reading the contacts", 0);
    let survey = survey(&workspace.people()?)?;
    drop(reading);
    let officials = ledger.official_fates()?;
    let export = Exporting { workspace: &workspace, ledger: &ledger, survey: &survey, officials };
    if args.failed { export.failed(place, args.out.as_deref()) } else { export.everybody(args.out.as_deref()) }
}

struct Exporting<'a> {
    workspace: &'a Workspace,
    ledger: &'a SqliteLedger,
    survey: &'a Survey,
    officials: HashMap<PersonKey, OfficialFates>,
}

/// Who of the ledger was met in the files.
#[derive(Default)]
struct Met {
    officials: BTreeSet<usize>,
    constituents: u64,
}

impl Exporting<'_> {
    /// Every row, each with what became of whom it names.
    fn everybody(&self, out: Option<&Path>) -> Result<Exit, Failure> {
        let paths = self.status_paths(out)?;
        let create = |(file, path): (usize, &PathBuf)| BesideWriter::create(path, self.survey, file, &Beside::HEADERS);
        let mut writers: Vec<BesideWriter> = paths.iter().enumerate().map(create).collect::<Result<_, _>>()?;
        let mut met = Met::default();
        let mut asking = Steps::of("asking the ledger", self.survey.constituents());
        for row in self.survey.whole_rows()? {
            let row = row?;
            let ours = self.beside(&row, &mut met)?.map(Beside::cells);
            if let Some(writer) = writers.get_mut(row.file) {
                writer.write(&row.cells, ours.as_ref().map_or(&[], <[String; 4]>::as_slice))?;
            }
            asking.step();
        }
        drop(asking);
        for (writer, path) in writers.into_iter().zip(&paths) {
            let rows = writer.finish()?;
            say(format!("{} with what became of them: {}", counted(rows, "row"), path.display()));
        }
        self.tell_missing(&met)?;
        Ok(Exit::Done)
    }

    /// The cells beside a row; none beside a blank one.
    fn beside(&self, row: &WholeRow, met: &mut Met) -> Result<Option<Beside>, LedgerError> {
        let zone = &self.workspace.config.timezone;
        let (problem, advice) = row.standing.complaint();
        let complaint = if problem.is_empty() { problem } else { format!("{problem}; {advice}") };
        Ok(Some(match &row.standing {
            Standing::Blank => return Ok(None),
            Standing::Repeated { .. } => Beside::saying("listed twice", complaint),
            Standing::Official { repeats: Some(line), .. } => {
                Beside::saying("listed twice", format!("the same official is in line {line}; that row counts"))
            }
            Standing::Official { number, repeats: None } => {
                let fates = self.fates_of_official(*number);
                met.officials.extend(fates.map(|_| *number));
                let has_mailbox = self.survey.officials()[*number].official.mailbox.is_some();
                beside_official(fates, has_mailbox, zone)
            }
            Standing::LeftOut(why) => Beside::saying(why.as_str(), String::new()),
            Standing::Joined(who) => {
                let fates = self.ledger.fates(*who)?;
                met.constituents += u64::from(!fates.is_empty());
                beside_constituent(&fates, zone)
            }
            Standing::Unused { constituent, .. } => {
                let fates = constituent.map(|who| self.ledger.fates(who)).transpose()?.unwrap_or_default();
                if fates.is_empty() {
                    return Ok(Some(Beside::saying("not used", complaint)));
                }
                met.constituents += 1;
                let beside = beside_constituent(&fates, zone);
                Beside { advice: complaint, ..beside }
            }
        }))
    }

    fn fates_of_official(&self, number: usize) -> Option<&OfficialFates> {
        self.officials.get(&self.survey.officials().get(number)?.official.key())
    }

    fn tell_missing(&self, met: &Met) -> Result<(), Failure> {
        let officials = self.ledger.people(Role::Official)?.saturating_sub(met.officials.len() as u64);
        let constituents = self.ledger.people(Role::Constituent)?.saturating_sub(met.constituents);
        if officials + constituents > 0 {
            say(format!(
                "{} and {} of the ledger are not in your files any more; their letters are in: undersigned log",
                counted(officials, "official"),
                counted(constituents, "constituent")
            ));
        }
        Ok(())
    }

    /// Where each file's rows go: beside each other in the campaign folder, unless staff say where.
    fn status_paths(&self, out: Option<&Path>) -> Result<Vec<PathBuf>, Failure> {
        let files: Vec<&str> = self.survey.files().collect();
        let folder = match out {
            Some(path) if files.len() == 1 && !path.is_dir() => return Ok(vec![path.to_owned()]),
            Some(path) if !path.is_dir() => {
                let text = format!(
                    "there are {} contact files, and each is written to a file of its own: name a folder with --out",
                    files.len()
                );
                return Err(Failure::new(Exit::Usage, text));
            }
            Some(path) => path,
            None => &self.workspace.config.dir,
        };
        let mut paths: Vec<PathBuf> = Vec::new();
        for file in files {
            let stem = Path::new(file).file_stem().unwrap_or_default().to_string_lossy();
            let numbered = (2..).map(|n| folder.join(format!("{stem}-status-{n}.csv")));
            let mut names = std::iter::once(folder.join(format!("{stem}-status.csv"))).chain(numbered);
            paths.extend(names.find(|path| !paths.contains(path)));
        }
        Ok(paths)
    }

    /// Only what failed or is not used, with the officials that these rows need.
    fn failed(&self, place: &Place, out: Option<&Path>) -> Result<Exit, Failure> {
        let path = out.map_or_else(|| self.workspace.config.dir.join("failed.csv"), Path::to_owned);
        let needed = self.officials_needed()?;
        let mut writer = RefusedWriter::create(&path, self.survey)?;
        let mut mended = ToMend::default();
        for row in self.survey.whole_rows()? {
            let row = row?;
            let Some((problem, advice)) = self.failure(&row, &needed)? else { continue };
            mended.count(&row.standing, problem.is_empty());
            writer.write_row(row.file, row.line, &row.cells, &problem, &advice)?;
        }
        if mended.officials + mended.constituents == 0 {
            say("Nothing failed and every row is used: there is nothing to mend, and no file was written.");
            return Ok(Exit::Done);
        }
        let (_, kept) = writer.finish()?;
        note_kept(&path, kept.as_deref());
        tell_failed(place, out, &path, &mended);
        Ok(Exit::Done)
    }

    /// The officials without whom the file could not be sent by itself. Where a row finds no official at all, whom it
    /// will find once it is mended cannot be known, so all of them.
    fn officials_needed(&self) -> Result<BTreeSet<usize>, ContactsError> {
        let mut needed = BTreeSet::new();
        for row in self.survey.whole_rows()? {
            let Standing::Unused { officials, .. } = row?.standing else { continue };
            if officials.is_empty() {
                return Ok((0..self.survey.officials().len()).collect());
            }
            needed.extend(officials);
        }
        Ok(needed)
    }

    /// What is to be mended of a row, and how; nothing of a row that does not belong into the file.
    fn failure(&self, row: &WholeRow, needed: &BTreeSet<usize>) -> Result<Option<(String, String)>, LedgerError> {
        Ok(match &row.standing {
            Standing::Blank
            | Standing::Repeated { .. }
            | Standing::LeftOut(_)
            | Standing::Official { repeats: Some(_), .. } => None,
            Standing::Official { number, repeats: None } => {
                let is_needed = needed.contains(number);
                self.fates_of_official(*number)
                    .and_then(failures_of_official)
                    .or_else(|| is_needed.then(|| (String::new(), FAILED_NOTHING_TO_DO.to_owned())))
            }
            Standing::Joined(who) => failures_of_constituent(&self.ledger.fates(*who)?),
            Standing::Unused { .. } => Some(row.standing.complaint()),
        })
    }
}

/// What is in the file of --failed.
#[derive(Default)]
struct ToMend {
    officials: u64,
    constituents: u64,
    /// Officials of whom nothing failed.
    needed: u64,
}

impl ToMend {
    fn count(&mut self, standing: &Standing, is_right: bool) {
        let counter = match standing {
            Standing::Official { .. } if is_right => &mut self.needed,
            Standing::Official { .. } => &mut self.officials,
            _ => &mut self.constituents,
        };
        *counter += 1;
    }
}

fn tell_failed(place: &Place, out: Option<&Path>, path: &Path, rows: &ToMend) {
    let folder = if place.dir == Path::new(".") { String::new() } else { format!(" --dir {}", place.dir.display()) };
    // The configuration reads a name from the campaign folder.
    let named = match out {
        None => PathBuf::from("failed.csv"),
        Some(out) => std::path::absolute(out).unwrap_or_else(|_| out.to_owned()),
    };
    let needed = if rows.needed > 0 {
        format!("\n{} more are in it because these rows need them.", counted(rows.needed, "official"))
    } else {
        String::new()
    };
    say(format!(
        "{} and {}, each with what went wrong, are in {}.{needed}\n\n\
         Mend the rows there, then send that file alone. Whoever got a letter gets\nno second one:\n\n  \
         undersigned{folder} send --set contacts.files={}",
        counted(rows.officials, "official"),
        counted(rows.constituents, "constituent"),
        path.display(),
        named.display()
    ));
}
