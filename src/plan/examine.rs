//! Joins every constituent to their officials and fills in every letter once, to find what must not leave the house.

use std::collections::{BTreeMap, BTreeSet};

use crate::contacts::{ContactsError, Problem, RefusedWriter, Row, Survey};
use crate::model::{Constituent, Official};
use crate::template::Advice;

use super::likeness::Samples;
use super::listed::Listed;
use super::texts::{Choices, Texts, constituent_field, official_field};

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
    /// The constituent's line.
    pub line: u64,
    /// What is wrong, and what to do.
    pub what: String,
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
    /// Rows that cannot be used.
    pub refused: Listed<Problem>,
    /// Constituents whose jurisdiction no official has.
    pub unmatched: Listed<Problem>,
    /// Constituents whose jurisdiction more than one official might mean.
    pub ambiguous: Listed<Problem>,
    /// Rows that are the same person as an earlier one.
    pub duplicates: Listed<Problem>,
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
    /// Whether rows stand in the way that staff must fix or skip.
    pub fn has_bad_rows(&self) -> bool {
        !(self.refused.is_empty() && self.unmatched.is_empty() && self.ambiguous.is_empty())
    }

    /// Officials nobody wrote to.
    pub fn idle_officials(&self) -> impl Iterator<Item = usize> {
        self.officials.iter().filter(|t| t.letters == 0).map(|t| t.official)
    }
}

/// Reads every row once more, joins and fills in. Rows that cannot be used also go to
/// `refused`, where given; `each_row` is called for each, to show progress.
pub fn examine(
    survey: &Survey,
    texts: &Texts,
    mut refused: Option<&mut RefusedWriter>,
    mut each_row: impl FnMut(),
) -> Result<MatchReport, ContactsError> {
    let officials = survey.officials();
    let tally = |(official, _): (usize, _)| OfficialTally { official, letters: 0 };
    let mut report = MatchReport {
        officials: officials.iter().enumerate().map(tally).collect(),
        choices: Choices::of(texts),
        ..Default::default()
    };
    for listed in officials {
        let used = texts.fields_used(texts.may_get(&listed.official));
        report.note_empty(listed.line, &used, "official", |field| official_field(&listed.official, field));
    }
    for row in survey.rows()? {
        let row = row?;
        each_row();
        if let Some(writer) = refused.as_deref_mut() {
            writer.write(&row)?;
        }
        match row {
            Row::Joined { line, constituent, officials: joined, .. } => {
                let letters = joined.iter().map(|i| texts.number_for(&officials[*i].official, &constituent));
                let used = texts.fields_used(letters.collect::<BTreeSet<_>>());
                report.note_empty(line, &used, "constituent", |field| constituent_field(&constituent, field));
                report.joined += 1;
                report.with_note += u64::from(!constituent.note.is_empty());
                for index in joined {
                    report.add_letter(index, &officials[index].official, line, &constituent, texts);
                }
            }
            Row::Unmatched { problem, .. } => report.unmatched.push(problem),
            Row::Ambiguous { problem, .. } => report.ambiguous.push(problem),
            Row::Refused { problems, .. } => report.refused.extend(problems),
            Row::Duplicate { problem, .. } => report.duplicates.push(problem),
        }
    }
    Ok(report)
}

impl MatchReport {
    fn note_empty<'a>(
        &mut self,
        line: u64,
        used: &BTreeSet<&(String, String)>,
        namespace: &str,
        value: impl Fn(&str) -> Option<&'a str>,
    ) {
        for (space, field) in used.iter().filter(|(space, _)| space == namespace) {
            // An official without a mailbox is told of in a list of its own.
            let is_listed = namespace == "official" && field == "email";
            if !is_listed && value(field).is_some_and(str::is_empty) {
                self.empty_cells.entry(format!("{space}.{field}")).or_default().push(line);
            }
        }
    }

    fn add_letter(&mut self, index: usize, official: &Official, line: u64, constituent: &Constituent, texts: &Texts) {
        self.letters += 1;
        self.officials[index].letters += 1;
        self.held += u64::from(official.mailbox.is_none());
        self.choices.count(texts, official, constituent);
        match texts.render_letter(official, constituent) {
            Ok(letter) => self.samples.look(index, &letter),
            Err(error) => {
                let what = format!("{} to {}: {error}", constituent.name, official.salutation());
                self.letter_problems.push(LetterProblem { line, what });
            }
        }
    }
}
