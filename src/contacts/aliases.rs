//! Spellings of jurisdictions that staff accepted: what constituents write → what officials are listed under.
//! A spelling has one meaning, and one that is some official's own is never led elsewhere.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use super::columns::header_key;
use super::error::{ContactsError, FileFault, FileProblem};
use super::join::Directory;
use super::layout::Layout;
use super::pairs::{self, Form, Pairs, Wanted};
use super::problem::{Note, NoteKind};
use super::safe_csv::{BOM, csv_line, replace_file};
use crate::model::{fold, printable};

/// A spelling and its meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// As constituents write it.
    pub written: String,
    /// As officials are listed.
    pub means: String,
    /// Its line in the alias file.
    pub line: u64,
}

/// All of them, by the folded spelling.
#[derive(Default)]
pub(super) struct Aliases {
    pub(super) listed: Vec<Alias>,
    by_written: HashMap<String, usize>,
    pub(super) faults: Vec<FileProblem>,
    pub(super) notes: Vec<Note>,
    name: std::sync::Arc<str>,
}

impl Aliases {
    /// Reads the file; one that is not there, or has nothing in it, lists nothing.
    pub(super) fn read(path: &Path) -> Self {
        match open_aliases(path) {
            Ok(Some(pairs)) => Self::of(pairs),
            Ok(None) => Self::default(),
            Err(fault) => Self { faults: vec![fault], ..Self::default() },
        }
    }

    fn of(pairs: Pairs) -> Self {
        let Pairs { name, listed, faults, notes, .. } = pairs;
        let mut aliases = Self { faults, notes, name, ..Self::default() };
        for pair in listed {
            let alias = Alias { written: pair.left, means: pair.right, line: pair.line };
            let key = fold(&alias.written);
            match aliases.by_written.get(&key).map(|&first| &aliases.listed[first]) {
                None => {
                    aliases.by_written.insert(key, aliases.listed.len());
                    aliases.listed.push(alias);
                }
                Some(first) if fold(&first.means) == fold(&alias.means) => {}
                Some(first) => {
                    let fault = FileFault::TwoMeanings { written: shown(&alias.written), other_line: first.line };
                    aliases.faults.push(fault.at(&aliases.name, Some(alias.line)));
                }
            }
        }
        aliases
    }

    /// What a folded spelling means, by the alias's number.
    pub(super) fn meaning(&self, key: &str) -> Option<usize> {
        self.by_written.get(key).copied()
    }

    /// The folded key under which officials may be found: the spelling's meaning, or the spelling itself.
    pub(super) fn key_of(&self, key: &str) -> String {
        self.meaning(key).map_or_else(|| key.to_owned(), |alias| fold(&self.listed[alias].means))
    }

    /// Compares them with the jurisdictions that there are. What would lead astray is a fault, what has no effect a note.
    pub(super) fn compare(&mut self, directory: &Directory) {
        for alias in &self.listed {
            let (written, means) = (fold(&alias.written), fold(&alias.means));
            let is_real = directory.has(&written);
            let kind = match (is_real, directory.has(&means)) {
                _ if written == means => NoteKind::AliasUseless(shown(&alias.written)),
                (true, true) => {
                    let (written, means) = (shown(&alias.written), shown(&alias.means));
                    self.faults.push(FileFault::AliasHides { written, means }.at(&self.name, Some(alias.line)));
                    continue;
                }
                (true, false) => NoteKind::AliasUseless(shown(&alias.written)),
                (false, false) => {
                    NoteKind::AliasMeansNobody { written: shown(&alias.written), means: shown(&alias.means) }
                }
                (false, true) => continue,
            };
            self.notes.push(Note { file: self.name.clone(), kind, count: 1, lines: vec![alias.line] });
        }
    }
}

fn shown(text: &str) -> String {
    printable(text, 80)
}

/// Reads a file with the columns `written` and `means`; in a listed one staff may have left `means` empty.
pub(super) fn open(path: &Path, is_listed: bool) -> Result<Pairs, FileProblem> {
    let column = |name: &'static str| move |layout: &Layout| layout.headers.iter().position(|h| header_key(h) == name);
    let (written, means) = (column("written"), column("means"));
    let wanted = [
        Wanted { name: "written", find: &written, may_be_empty: false },
        Wanted { name: "means", find: &means, may_be_empty: is_listed },
    ];
    pairs::read(path, &wanted)
}

/// The alias file, unless it is not there or has nothing in it.
fn open_aliases(path: &Path) -> Result<Option<Pairs>, FileProblem> {
    match open(path, false) {
        Ok(pairs) => Ok(Some(pairs)),
        Err(problem) if matches!(problem.fault, FileFault::Absent | FileFault::Empty) => Ok(None),
        Err(problem) => Err(problem),
    }
}

/// Adds accepted spellings to the alias file, durably. What stands in it stays as it is: order, notes, other columns.
pub fn add_aliases(path: &Path, accepted: &[(&str, &str)]) -> Result<(), ContactsError> {
    let found = open_aliases(path).map_err(|problem| ContactsError::Refused(vec![problem]))?;
    let (mut bytes, form) = if let Some(found) = found {
        (text_of(path, &found)?, found.form)
    } else {
        let form = Form { delimiter: b',', width: 2, left: 0, right: 1 };
        ([BOM, b"written,means\n"].concat(), form)
    };
    if bytes.last().is_some_and(|b| !matches!(b, b'\n' | b'\r')) {
        bytes.push(b'\n');
    }
    for (written, means) in accepted {
        let mut cells = vec![""; form.width.max(form.left + 1).max(form.right + 1)];
        (cells[form.left], cells[form.right]) = (written, means);
        bytes.extend(csv_line(&cells, form.delimiter));
    }
    replace_file(path, &bytes)
}

/// The file's bytes, when lines of UTF-8 can be added to them.
fn text_of(path: &Path, pairs: &Pairs) -> Result<Vec<u8>, ContactsError> {
    let bytes = fs::read(path).map_err(|reason| ContactsError::Unwritable { path: path.to_owned(), reason })?;
    let is_text = std::str::from_utf8(&bytes).is_ok() && !bytes.contains(&0);
    is_text.then_some(bytes).ok_or_else(|| ContactsError::Refused(vec![FileFault::NotPlainCsv.at(&pairs.name, None)]))
}
