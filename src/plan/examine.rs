//! Joins every constituent to their officials and fills in every letter once, to find what must not leave the house.

use std::collections::{BTreeMap, BTreeSet};

use crate::contacts::{ContactsError, Row, Survey};
use crate::model::{Constituent, Erased, Official};
use crate::template::Advice;

use super::likeness::Samples;
use super::listed::Listed;
use super::problem_groups::ProblemGroups;
use super::texts::{Choices, Texts, constituent_field, official_field};
use super::unjoined::UnjoinedGroups;

/// How many letters an official gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OfficialTally {
    /// Their place in the survey.
    pub official: usize,
    /// Letters to them.
    pub letters: u64,
}

/// A letter that cannot be filled in.
#[derive(Debug, Clone)]
pub struct LetterProblem {
    /// The constituent's file, by its number in the survey.
    pub file: usize,
    /// Their line.
    pub line: u64,
    /// What is wrong, and what to do.
    pub what: String,
}

/// What an examination comes upon, for whoever keeps lists or counts steps.
#[derive(Debug, Clone, Copy)]
pub enum Seen<'a> {
    /// A row, but of an official whose row is in order.
    Row(&'a Row),
    /// A letter that cannot be filled in.
    Letter(&'a LetterProblem),
    /// A field that the letter uses and that is empty in one row.
    EmptyCell {
        /// Which file.
        file: usize,
        /// Which line.
        line: u64,
        /// The field as the letter names it.
        field: &'a str,
    },
}

/// Who was joined to whom and who was not, before launch.
#[derive(Debug, Default)]
pub struct MatchReport {
    /// Constituents whose letters can go out.
    pub joined: u64,
    /// Letters that can go out.
    pub letters: u64,
    /// Of these, letters to officials without a mailbox: they wait as `held`.
    pub held: u64,
    /// Every official with their letters, in the order of the file; zero means that nobody wrote to them.
    pub officials: Vec<OfficialTally>,
    /// Rows that are refused.
    pub refused: u64,
    /// Constituents whom no official is for.
    pub unmatched: u64,
    /// The same, grouped by what they wrote.
    pub unmatched_groups: UnjoinedGroups,
    /// Constituents for whom more than one official might be the right one.
    pub ambiguous: u64,
    /// The same, grouped by what they wrote.
    pub ambiguous_groups: UnjoinedGroups,
    /// How many each accepted spelling joined, in the order of [`Survey::aliases`].
    pub by_alias: Vec<u64>,
    /// How many were joined by their postcode.
    pub by_postcode: u64,
    /// Rows of people who asked to be forgotten.
    pub forgotten: u64,
    /// Rows of people whose data was purged once their letters were settled.
    pub purged: u64,
    /// Rows that are the same person as an earlier one.
    pub duplicates: u64,
    /// What is wrong with rows that are refused, by kind.
    pub in_the_way: ProblemGroups,
    /// What is only worth telling of rows, by kind.
    pub told: ProblemGroups,
    /// Letters that cannot be filled in.
    pub letter_problems: Listed<LetterProblem>,
    /// Fields that the letter uses, with the lines on which their cell is empty.
    pub empty_cells: BTreeMap<String, Listed<u64>>,
    /// Which letter it is, where a column chooses between several.
    pub choices: Choices,
    /// Constituents who wrote something of their own.
    pub with_note: u64,
    /// What advice is made from.
    pub samples: Samples,
    /// What could be better; it stops nothing.
    pub advice: Vec<Advice>,
}

impl MatchReport {
    /// How many rows cannot be used: staff must fix or skip them.
    pub fn bad_rows(&self) -> u64 {
        self.refused + self.unmatched + self.ambiguous
    }

    /// Officials without a mailbox to whom somebody wrote: their letters wait as `held`.
    pub fn waiting<'a>(&'a self, survey: &'a Survey) -> impl Iterator<Item = &'a OfficialTally> {
        let lacks = |tally: &&OfficialTally| survey.officials()[tally.official].official.mailbox.is_none();
        self.officials.iter().filter(|tally| tally.letters > 0).filter(lacks)
    }

    /// Officials nobody wrote to.
    pub fn idle_officials(&self) -> impl Iterator<Item = usize> {
        self.officials.iter().filter(|t| t.letters == 0).map(|t| t.official)
    }
}

/// Reads every row once more, joins and fills in. Whatever it comes upon is handed to `each`, which may end it.
pub fn examine(
    survey: &Survey,
    texts: &Texts,
    mut each: impl FnMut(Seen<'_>) -> Result<(), ContactsError>,
) -> Result<MatchReport, ContactsError> {
    let officials = survey.officials();
    let tally = |(official, _): (usize, _)| OfficialTally { official, letters: 0 };
    let mut report = MatchReport {
        officials: officials.iter().enumerate().map(tally).collect(),
        choices: Choices::of(texts),
        by_alias: vec![0; survey.aliases().len()],
        ..Default::default()
    };
    survey.doubts_about_officials().iter().for_each(|doubt| report.told.add(doubt));
    for listed in officials {
        let used = texts.fields_used(texts.may_get(&listed.official));
        let value = |field: &str| official_field(&listed.official, field);
        report.note_empty((listed.file, listed.line), &used, "official", value, &mut each)?;
    }
    for row in survey.rows()? {
        let row = row?;
        each(Seen::Row(&row))?;
        match row {
            Row::Joined { file, line, constituent, officials: joined, alias, by_postcode } => {
                report.note_way(alias, by_postcode);
                let to: Vec<(usize, &Official)> = joined.into_iter().map(|i| (i, &officials[i].official)).collect();
                report.add_joined((file, line), &constituent, &to, texts, &mut each)?;
            }
            Row::Unmatched { sought, problem, .. } => {
                report.unmatched_groups.add(&sought, &problem);
                report.unmatched += 1;
            }
            Row::Ambiguous { sought, problem, .. } => {
                report.ambiguous_groups.add(&sought, &problem);
                report.ambiguous += 1;
            }
            Row::Refused { problems, .. } => {
                report.refused += 1;
                for problem in &problems {
                    report.in_the_way.add(problem);
                }
            }
            Row::LeftOut { why: Erased::Forgotten, .. } => report.forgotten += 1,
            Row::LeftOut { why: Erased::Purged, .. } => report.purged += 1,
            Row::Duplicate { problem, .. } => {
                report.told.add(&problem);
                report.duplicates += 1;
            }
        }
    }
    report.unmatched_groups.settle(survey);
    report.ambiguous_groups.settle(survey);
    Ok(report)
}

impl MatchReport {
    fn note_way(&mut self, alias: Option<usize>, by_postcode: bool) {
        if let Some(count) = alias.and_then(|alias| self.by_alias.get_mut(alias)) {
            *count += 1;
        }
        self.by_postcode += u64::from(by_postcode);
    }

    /// Fills in the letters of one constituent to the officials of these numbers.
    fn add_joined(
        &mut self,
        (file, line): (usize, u64),
        constituent: &Constituent,
        officials: &[(usize, &Official)],
        texts: &Texts,
        each: &mut impl FnMut(Seen<'_>) -> Result<(), ContactsError>,
    ) -> Result<(), ContactsError> {
        let letters: BTreeSet<usize> = officials.iter().map(|(_, to)| texts.number_for(to, constituent)).collect();
        let used = texts.fields_used(letters);
        let value = |field: &str| constituent_field(constituent, field);
        self.note_empty((file, line), &used, "constituent", value, each)?;
        self.joined += 1;
        self.with_note += u64::from(!constituent.note.is_empty());
        for &(number, official) in officials {
            if let Some(what) = self.add_letter(number, official, constituent, texts) {
                let problem = LetterProblem { file, line, what };
                each(Seen::Letter(&problem))?;
                self.letter_problems.push(problem);
            }
        }
        Ok(())
    }

    fn note_empty<'a>(
        &mut self,
        (file, line): (usize, u64),
        used: &BTreeSet<&(String, String)>,
        namespace: &str,
        value: impl Fn(&str) -> Option<&'a str>,
        each: &mut impl FnMut(Seen<'_>) -> Result<(), ContactsError>,
    ) -> Result<(), ContactsError> {
        for (space, field) in used.iter().filter(|(space, _)| space == namespace) {
            // An official without a mailbox is told of in a list of its own.
            let is_listed = namespace == "official" && field == "email";
            if !is_listed && value(field).is_some_and(str::is_empty) {
                let field = format!("{space}.{field}");
                each(Seen::EmptyCell { file, line, field: &field })?;
                self.empty_cells.entry(field).or_default().push(line);
            }
        }
        Ok(())
    }

    /// Counts one letter; gives why it cannot be filled in, where it cannot.
    fn add_letter(
        &mut self,
        index: usize,
        official: &Official,
        constituent: &Constituent,
        texts: &Texts,
    ) -> Option<String> {
        self.letters += 1;
        self.officials[index].letters += 1;
        self.held += u64::from(official.mailbox.is_none());
        self.choices.count(texts, official, constituent);
        match texts.render_letter(official, constituent) {
            Ok(letter) => {
                self.samples.look(index, &letter);
                None
            }
            Err(error) => Some(format!("{} to {}: {error}", constituent.name, official.salutation())),
        }
    }
}
