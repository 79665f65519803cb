//! A listed file that staff gave back: which jurisdiction a spelling means, line by line. All of it is taken or nothing;
//! what would lead to nobody, or to two places, is told by line.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::aliases;
use super::error::{ContactsError, FileFault};
use super::pairs::Pair;
use super::survey::Survey;
use crate::model::{fold, printable};

/// What staff decided.
pub struct Decisions {
    file: Arc<str>,
    decided: Vec<Pair>,
    undecided: u64,
}

/// What is taken of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    /// Spellings with their meanings.
    pub accepted: Vec<(String, String)>,
    /// How many lines had no meaning filled in.
    pub undecided: u64,
    /// How many lines nobody needs: no constituent without an official writes so.
    pub not_needed: u64,
}

impl std::fmt::Debug for Decisions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decisions").field("decided", &self.decided.len()).finish_non_exhaustive()
    }
}

impl Decisions {
    /// Reads the file.
    pub fn read(path: &Path) -> Result<Self, ContactsError> {
        let found = aliases::open(path, true).map_err(|problem| ContactsError::Refused(vec![problem]))?;
        if !found.faults.is_empty() {
            return Err(ContactsError::Refused(found.faults));
        }
        let (decided, undecided): (Vec<Pair>, Vec<Pair>) = found.listed.into_iter().partition(|p| !p.right.is_empty());
        Ok(Self { file: found.name, decided, undecided: undecided.len() as u64 })
    }

    /// Holds every decision against the contacts. `is_open` tells whether constituents who write so wait for one.
    pub fn judge(self, survey: &Survey, is_open: impl Fn(&str) -> bool) -> Result<Taken, ContactsError> {
        let mut taken = Taken { undecided: self.undecided, ..Taken::default() };
        let mut faults = Vec::new();
        let mut lines: HashMap<String, (u64, String)> = HashMap::new();
        for Pair { line, left: written, right: means } in self.decided {
            let earlier = lines.entry(fold(&written)).or_insert_with(|| (line, fold(&means)));
            let shown = |text: &str| printable(text, 80);
            let in_aliases = survey.aliases().iter().find(|alias| fold(&alias.written) == fold(&written));
            let fault = if earlier.1 != fold(&means) {
                Some(FileFault::TwoMeanings { written: shown(&written), other_line: earlier.0 })
            } else if earlier.0 != line {
                None
            } else if !is_open(&written) {
                taken.not_needed += 1;
                None
            } else if !survey.has_jurisdiction(&means) {
                Some(FileFault::MeansNobody(shown(&means)))
            } else if let Some(alias) = in_aliases {
                let (written, means) = (shown(&written), shown(&alias.means));
                Some(FileFault::MeansAlready { written, means, line: alias.line })
            } else {
                taken.accepted.push((written, means));
                None
            };
            faults.extend(fault.map(|fault| fault.at(&self.file, Some(line))));
        }
        if faults.is_empty() { Ok(taken) } else { Err(ContactsError::Refused(faults)) }
    }
}
