//! Where in a campaign folder somebody is who is to be forgotten: the ledger and its copies, contact lists and every
//! other file. Looks, and takes their rows out of tables; must not touch a ledger.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use crate::contacts::{
    ContactsFile, ContactsSettings, Named, Naming, NamingError, Reading, Whose, rows_naming, take_out_rows_naming,
};
use crate::ledger::sqlite::{Access, Known, SqliteLedger};
use crate::model::{EmailAddress, Mention};
use crate::report::counted;

use super::erasing::{previews, rehearsal, rehearsal_ledger};
use super::folder::{Bytes, Kind, files};
use super::workspace::Workspace;
use super::{Exit, Failure};

/// Somebody who is to be forgotten.
#[derive(Debug)]
pub(super) struct Whom {
    pub(super) mailbox: EmailAddress,
    mention: Mention,
    /// What the ledger has of them.
    pub(super) known: Known,
    /// Whether a contact list has a row of a constituent, and of an official, with that address.
    in_lists: [bool; 2],
}

/// Everything that there is of them.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) whom: Vec<Whom>,
    /// Tables whose rows go, each with the lines.
    tables: Vec<(ContactsFile, Vec<u64>)>,
    /// Other ledgers in the folder.
    pub(super) copies: Vec<PathBuf>,
    pub(super) rehearsal: Option<PathBuf>,
    pub(super) previews: Option<PathBuf>,
    /// What is left to staff.
    pub(super) by_hand: Vec<String>,
    /// What is only worth telling.
    notes: Vec<String>,
}

impl Whom {
    /// Whether an official has that mailbox.
    pub(super) fn is_officials(&self) -> bool {
        self.known.is_officials || self.in_lists[1]
    }

    /// Whether a constituent has it, or had.
    fn is_constituents(&self) -> bool {
        self.known.people > 0 || self.known.is_marked || self.in_lists[0]
    }
}

impl Found {
    /// Looks through the ledger and the folder.
    pub(super) fn look(workspace: &Workspace, mailboxes: &[EmailAddress], keep_lists: bool) -> Result<Self, Failure> {
        let config = &workspace.config;
        let ledger = config.ledger.exists().then(|| SqliteLedger::open(&config.ledger, Access::Read)).transpose()?;
        let mut found = Self::default();
        for mailbox in mailboxes {
            let known = ledger.as_ref().map(|ledger| ledger.known(mailbox)).transpose()?.unwrap_or_default();
            let mention = Mention::of(mailbox, None);
            found.whom.push(Whom { mailbox: mailbox.clone(), mention, known, in_lists: [false; 2] });
        }
        drop(ledger);
        found.look_whose(workspace);
        found.look_at_lists(workspace, keep_lists);
        found.look_at_files(workspace)?;
        Ok(found)
    }

    /// Whose address each is, by the contact lists.
    fn look_whose(&mut self, workspace: &Workspace) {
        let settings = &workspace.config.contacts;
        for file in &settings.files {
            for (place, whose) in [(0, Whose::Constituents), (1, Whose::Officials)] {
                let hits = RefCell::new(vec![false; self.whom.len()]);
                let note = |cell: &str| {
                    for (whom, hit) in self.whom.iter().zip(hits.borrow_mut().iter_mut()) {
                        *hit |= whom.mention.is_in(cell);
                    }
                    false
                };
                // A list that cannot be read is told of when its rows are looked for.
                let _ = rows_naming(file, settings, Naming { is_named: &note, whose, spares_others: false });
                for (whom, hit) in self.whom.iter_mut().zip(hits.into_inner()) {
                    whom.in_lists[place] |= hit;
                }
            }
        }
    }

    fn look_at_lists(&mut self, workspace: &Workspace, keep_lists: bool) {
        let config = &workspace.config;
        for file in config.contacts.files.iter().filter(|file| file.path.exists()) {
            let shown = file.path.display();
            let named = match self.rows(file, &config.contacts, true) {
                Ok(named) => named,
                Err(reason) => {
                    self.by_hand.push(format!("{shown} was not looked through: {reason}"));
                    continue;
                }
            };
            if !named.of_others.is_empty() {
                let lines = rows(&named.of_others, "of somebody else names", "of others name");
                self.by_hand.push(format!("{shown}: {lines} them in passing; change those words by hand"));
            }
            let lines = named.lines;
            if lines.is_empty() {
                continue;
            }
            if keep_lists {
                self.notes.push(format!("{shown}: left alone, {}", rows(&lines, "has", "have")));
            } else if named.is_workbook {
                self.by_hand.push(by_hand(file, &lines, "is a workbook, which this program does not write"));
            } else if is_outside(&file.path, &config.dir) {
                self.by_hand.push(by_hand(file, &lines, "is not in the campaign folder"));
            } else {
                self.tables.push((file.clone(), lines));
            }
        }
    }

    fn look_at_files(&mut self, workspace: &Workspace) -> Result<(), Failure> {
        let config = &workspace.config;
        self.previews = previews(&config.dir);
        self.rehearsal = rehearsal(&config.dir).filter(|folder| self.may_be_rehearsed(folder));
        // Whom a rehearsal has is known by its ledger; its messages are encoded.
        let apart: Vec<PathBuf> = rehearsal(&config.dir).into_iter().chain(self.previews.clone()).collect();
        let mentions: Vec<Mention> =
            self.whom.iter().filter(|w| !w.is_officials()).map(|w| w.mention.clone()).collect();
        let bytes = Bytes::of(&mentions);
        let others = ContactsSettings { reading: Reading::default(), ..config.contacts.clone() };
        for path in files(&config.dir).map_err(|e| Failure::file(&config.dir, &e))? {
            let is_list = config.contacts.files.iter().any(|file| is_same(&file.path, &path));
            if is_list || is_same(&path, &config.ledger) || apart.iter().any(|folder| path.starts_with(folder)) {
                continue;
            }
            let shown = path.display();
            match Kind::of(&path) {
                Kind::BesideLedger => {}
                Kind::Ledger => self.copies.push(path),
                Kind::Archive => self.notes.push(format!("{shown} is packed and was not looked into")),
                kind @ (Kind::Csv | Kind::Workbook) => {
                    let file = ContactsFile::with_role_column(&path);
                    match self.rows(&file, &others, false) {
                        Ok(Named { lines, is_workbook: false, .. }) if !lines.is_empty() => {
                            self.tables.push((file, lines));
                        }
                        Ok(Named { lines, .. }) if !lines.is_empty() => {
                            self.by_hand.push(by_hand(
                                &file,
                                &lines,
                                "is a workbook, which this program does not write",
                            ));
                        }
                        Err(reason) if kind == Kind::Workbook => {
                            self.notes.push(format!("{shown} was not looked through: {reason}"));
                        }
                        _ => self.look_at_bytes(&bytes, &path),
                    }
                }
                Kind::Other => self.look_at_bytes(&bytes, &path),
            }
        }
        if config.dir.join(".git").exists() {
            let text = "this folder is under version control, which keeps what was in a file before; see to that too";
            self.notes.push(text.to_owned());
        }
        Ok(())
    }

    fn look_at_bytes(&mut self, bytes: &Bytes, path: &Path) {
        match bytes.are_in(path) {
            Ok(false) => {}
            Ok(true) => self.by_hand.push(format!("{} holds the address; it was not touched", path.display())),
            Err(error) => self.by_hand.push(format!("{} cannot be read: {error}", path.display())),
        }
    }

    /// Whether one of them may be in a rehearsal: its messages are encoded, so only its ledger can say no.
    fn may_be_rehearsed(&self, folder: &Path) -> bool {
        let Ok(ledger) = SqliteLedger::open(&rehearsal_ledger(folder), Access::Read) else { return true };
        self.whom.iter().any(|whom| ledger.known(&whom.mailbox).map_or(true, |known| known.people > 0))
    }

    /// The rows that name one of them; of somebody who is also an official, only those of constituents.
    /// In a list of the campaign, whoever else only names them keeps their row, and with it their letter.
    fn rows(&self, file: &ContactsFile, settings: &ContactsSettings, is_list: bool) -> Result<Named, NamingError> {
        let naming = Naming { is_named: &|cell| self.names(cell), whose: self.whose(), spares_others: is_list };
        rows_naming(file, settings, naming)
    }

    fn names(&self, cell: &str) -> bool {
        self.whom.iter().any(|whom| whom.mention.is_in(cell))
    }

    fn whose(&self) -> Whose {
        if self.whom.iter().any(Whom::is_officials) { Whose::Constituents } else { Whose::Everybody }
    }

    /// Takes the rows out of every table; gives what was done, a line for each.
    pub(super) fn take_out(&self, workspace: &Workspace) -> Result<Vec<String>, Failure> {
        let lists = &workspace.config.contacts;
        let others = ContactsSettings { reading: Reading::default(), ..lists.clone() };
        let mut done = Vec::new();
        for (file, _) in &self.tables {
            let is_list = lists.files.contains(file);
            let settings = if is_list { lists } else { &others };
            let naming = Naming { is_named: &|cell| self.names(cell), whose: self.whose(), spares_others: is_list };
            let taken = take_out_rows_naming(file, settings, naming)
                .map_err(|reason| Failure::new(Exit::Stopped, format!("{}: {reason}", file.path.display())))?;
            if taken > 0 {
                done.push(format!("{} taken out of {}", counted(taken, "row"), file.path.display()));
            }
        }
        Ok(done)
    }

    /// Refuses the address of an official who is nothing else.
    pub(super) fn must_not_be_officials(&self) -> Result<(), Failure> {
        let Some(official) = self.whom.iter().find(|whom| whom.is_officials() && !whom.is_constituents()) else {
            return Ok(());
        };
        let text = format!(
            "{} is the address of an official, and of no constituent. Officials hold a public office, and who was \
             written to is what a campaign has to show; nothing was changed. So that nothing more is sent there: \
             undersigned suppress add",
            official.mailbox.masked()
        );
        Err(Failure::long(Exit::Refused, &text))
    }

    /// What would go, for staff to read before it does.
    pub(super) fn plan(&self) -> String {
        let mut lines: Vec<String> = self.whom.iter().map(Whom::plan).collect();
        lines.extend(self.tables.iter().map(|(file, lines)| {
            let number: Vec<String> = lines.iter().take(LINES_SHOWN).map(ToString::to_string).collect();
            let more = if lines.len() > LINES_SHOWN { ", …" } else { "" };
            format!(
                "{}: {} taken out (line {}{more})",
                file.path.display(),
                counted(lines.len() as u64, "row"),
                number.join(", ")
            )
        }));
        lines.extend(
            self.copies.iter().map(|path| format!("{}: erased in this copy of the ledger, too", path.display())),
        );
        lines.extend(
            self.rehearsal.iter().map(|path| format!("{}/: removed; rehearse again for another", path.display())),
        );
        lines.extend(
            self.previews.iter().map(|path| format!("{}/: removed; preview again for another", path.display())),
        );
        lines.extend(self.by_hand.iter().map(|text| format!("for you to do: {text}")));
        lines.extend(self.notes.iter().cloned());
        lines.join("\n")
    }

    /// What is still there of them.
    pub(super) fn left(&self) -> Vec<String> {
        let rows = |(file, lines): &(ContactsFile, Vec<u64>)| {
            format!("{} still has {}", file.path.display(), counted(lines.len() as u64, "row"))
        };
        self.tables.iter().map(rows).chain(self.by_hand.iter().cloned()).collect()
    }
}

/// So many lines of a table are named.
const LINES_SHOWN: usize = 10;

impl Whom {
    fn plan(&self) -> String {
        let Known { people, waiting, in_doubt, .. } = self.known;
        let waiting = counted(waiting, "message");
        let fate = match people {
            0 if self.known.is_marked => "forgotten before; nobody of this address is in the ledger".to_owned(),
            0 => "nobody of this address is in the ledger; a mark is left, so that nothing is ever planned for them"
                .to_owned(),
            1 => format!("1 person is erased from the ledger; {waiting} withdrawn"),
            n => format!("{n} people share this address: all are erased from the ledger; {waiting} withdrawn"),
        };
        let doubt = match in_doubt {
            0 => String::new(),
            n => format!("; {} in doubt, which then cannot be sent again", counted(n, "message")),
        };
        let official = if self.is_officials() { "; it is an official's address, too: the official stays" } else { "" };
        format!("{}: {fate}{doubt}{official}", self.mailbox.masked())
    }
}

/// What staff are to do with a file that is not written.
fn by_hand(file: &ContactsFile, lines: &[u64], why: &str) -> String {
    format!("{} {why}: {}; delete by hand", file.path.display(), rows(lines, "names them", "name them"))
}

/// `row 5 names them`, `rows 5, 9 name them`.
fn rows(lines: &[u64], one: &str, several: &str) -> String {
    let numbers: Vec<String> = lines.iter().take(LINES_SHOWN).map(ToString::to_string).collect();
    let more = if lines.len() > LINES_SHOWN { ", …" } else { "" };
    if lines.len() == 1 {
        format!("row {} {one}", numbers[0])
    } else {
        format!("rows {}{more} {several}", numbers.join(", "))
    }
}

fn is_same(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

fn is_outside(path: &Path, folder: &Path) -> bool {
    matches!((path.canonicalize(), folder.canonicalize()), (Ok(path), Ok(folder)) if !path.starts_with(&folder))
}
