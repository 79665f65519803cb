//! The officials as they are read: each person once, under every jurisdiction they have, and what is doubtful about
//! them. This file must not look at constituents, but for a cell of theirs that looks like several jurisdictions.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::columns::Column;
use super::guide::Guide;
use super::join::{ListedOfficial, clash_problem, everyone, may_be_several, same_person, several};
use super::problem::{Problem, ProblemKind};
use super::row::Place;
use super::suggestions::Suggester;
use crate::model::{EmailAddress, Official, PersonKey, fold};

/// So many of constituents' jurisdictions are kept to tell whether one of them looks like several.
const LIKE_SEVERAL_MAX: usize = 10_000;

/// A person who is an official of several jurisdictions: they get letters from the constituents of each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeveralJurisdictions {
    /// The number of their first row in [`super::Survey::officials`].
    pub official: usize,
    /// As they are written.
    pub jurisdictions: Vec<String>,
}

/// An official's cell in the column that joins.
pub(super) struct JoiningCell {
    /// Folded.
    pub(super) key: String,
    pub(super) as_written: String,
}

/// Officials, gathered.
#[derive(Default)]
pub(super) struct Officials {
    pub(super) listed: Vec<ListedOfficial>,
    /// Those in several rows, and offices with two holders.
    pub(super) doubts: Vec<Problem>,
    pub(super) several: Vec<SeveralJurisdictions>,
    numbers: HashMap<PersonKey, usize>,
    maybe_several: Vec<(usize, JoiningCell)>,
    /// Constituents' jurisdictions that look like several.
    like_several: HashSet<String>,
    files: HashMap<usize, Arc<str>>,
}

/// A mailbox and a name; without a mailbox the row's number too.
type PersonId = (Option<String>, String, Option<usize>);

impl Officials {
    /// Adds the official of one row.
    pub(super) fn add(
        &mut self,
        guide: &mut Guide,
        file: &Arc<str>,
        official: Official,
        cell: JoiningCell,
        place: Place,
    ) {
        let number = *self.numbers.entry(official.key()).or_insert(self.listed.len());
        let is_new = number == self.listed.len();
        if is_new {
            self.listed.push(ListedOfficial { official, file: place.file, line: place.line });
            self.files.entry(place.file).or_insert_with(|| Arc::clone(file));
        }
        let is_added = if guide.everyone.is_some() {
            is_new
        } else if may_be_several(&cell.as_written) {
            let is_first = !self.maybe_several.iter().any(|(n, other)| *n == number && other.key == cell.key);
            self.maybe_several.push((number, cell));
            is_first
        } else {
            guide.directory.add(cell.key, &cell.as_written, number)
        };
        if !is_added {
            self.tell_repeated(file, place.line, number);
        }
    }

    /// Remembers that a constituent's jurisdiction looks like several.
    pub(super) fn note_like_several(&mut self, key: String) {
        if self.like_several.len() < LIKE_SEVERAL_MAX {
            self.like_several.insert(key);
        }
    }

    /// Puts every official in their places, once all are there, and finds what is doubtful.
    pub(super) fn settle(&mut self, guide: &mut Guide) {
        if guide.everyone.is_some() {
            let (all, dropped) = everyone(&self.listed);
            guide.everyone = Some(all);
            self.tell_dropped(&dropped);
            return;
        }
        self.place_several(guide);
        let dropped = guide.directory.drop_repeats(&self.listed);
        self.tell_dropped(&dropped);
        guide.directory.find_clashes(&self.listed);
        self.find_two_titles(guide);
        for clash in guide.directory.clashes() {
            if let Some((file, line)) = self.place(clash.second) {
                self.doubts.push(clash_problem(clash, &self.listed, &file, line));
            }
        }
        self.several = self.find_several(guide);
        guide.aliases.compare(&guide.directory);
        guide.suggester = Suggester::of(guide.directory.jurisdictions());
    }

    /// A cell such as `Elgin; Alton` is two jurisdictions, unless a constituent has just this one.
    fn place_several(&mut self, guide: &mut Guide) {
        for (number, cell) in std::mem::take(&mut self.maybe_several) {
            let parts = several(&cell.as_written);
            if parts.len() < 2 || self.like_several.contains(&cell.key) {
                guide.directory.add(cell.key, &cell.as_written, number);
                continue;
            }
            for part in &parts {
                guide.directory.add(fold(part), part, number);
            }
        }
    }

    fn place(&self, number: usize) -> Option<(Arc<str>, u64)> {
        let listed = self.listed.get(number)?;
        Some((Arc::clone(self.files.get(&listed.file)?), listed.line))
    }

    /// A row whose official is there already.
    fn tell_repeated(&mut self, file: &Arc<str>, line: u64, first: usize) {
        let Some((of_file, of_line)) = self.place(first) else { return };
        let name = self.listed[first].official.name.as_str();
        let problem = Problem::new(file, line, ProblemKind::Duplicate { of_file, of_line });
        self.doubts.push(problem.in_cell(Column::Name.as_str().to_owned(), name));
    }

    fn tell_dropped(&mut self, dropped: &[(usize, usize)]) {
        for &(second, first) in dropped {
            if let Some((file, line)) = self.place(second) {
                self.tell_repeated(&file, line, first);
            }
        }
    }

    /// Officials of one jurisdiction who are one person under two titles.
    fn find_two_titles(&mut self, guide: &Guide) {
        let mut found = BTreeSet::new();
        for (.., group) in guide.directory.seats() {
            let mut first_of: HashMap<(String, String), usize> = HashMap::new();
            for &number in group {
                let official = &self.listed[number].official;
                let Some(mailbox) = &official.mailbox else { continue };
                let first = *first_of.entry((mailbox.key(), fold(official.name.as_str()))).or_insert(number);
                if first != number && same_person(&self.listed[first].official, official) {
                    found.insert((number, first));
                }
            }
        }
        for (number, first) in found {
            let (Some((file, line)), Some((_, of_line))) = (self.place(number), self.place(first)) else { continue };
            let problem = Problem::new(&file, line, ProblemKind::TwoTitles { of_line });
            let title = &self.listed[number].official.title;
            self.doubts.push(problem.in_cell(Column::Title.as_str().to_owned(), title));
        }
    }

    /// People under several jurisdictions: in one row, or in several.
    fn find_several(&self, guide: &Guide) -> Vec<SeveralJurisdictions> {
        let mut people: BTreeMap<PersonId, (usize, BTreeSet<&str>)> = BTreeMap::new();
        for (_, as_written, officials) in guide.directory.seats() {
            for &number in officials {
                let official = &self.listed[number].official;
                let mailbox = official.mailbox.as_ref().map(EmailAddress::key);
                // A name without a mailbox is not enough to take two rows for one person.
                let row = mailbox.is_none().then_some(number);
                let person =
                    people.entry((mailbox, fold(official.name.as_str()), row)).or_insert((number, BTreeSet::new()));
                person.0 = person.0.min(number);
                person.1.insert(as_written);
            }
        }
        let owned = |set: BTreeSet<&str>| set.into_iter().map(str::to_owned).collect();
        let mut found: Vec<SeveralJurisdictions> = people
            .into_values()
            .filter(|(_, jurisdictions)| jurisdictions.len() > 1)
            .map(|(official, jurisdictions)| SeveralJurisdictions { official, jurisdictions: owned(jurisdictions) })
            .collect();
        found.sort_by_key(|s| s.official);
        found
    }
}
