//! Joins every constituent to their officials and fills in every letter once, to find what must not leave the house.

use std::collections::{BTreeMap, BTreeSet};

use crate::contacts::{ContactsError, Problem, RefusedWriter, Row, Survey};
use crate::model::{Constituent, Official};
use crate::template::{CampaignFields, Template};

use super::Listed;
use super::astray::Groups;

/// The texts of a campaign, ready to be filled in.
#[derive(Debug)]
pub struct Texts {
    /// The letter.
    pub letter: Template,
    /// What constituents get.
    pub confirmation: Template,
    /// What both know of the campaign.
    pub campaign: CampaignFields,
}

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
    /// Constituents whom no official is for.
    pub unmatched: Listed<Problem>,
    /// The same, grouped by what they wrote.
    pub unmatched_groups: Groups,
    /// Constituents for whom more than one official might be the right one.
    pub ambiguous: Listed<Problem>,
    /// The same, grouped by what they wrote.
    pub ambiguous_groups: Groups,
    /// How many each accepted spelling joined, in the order of [`Survey::aliases`].
    pub by_alias: Vec<u64>,
    /// How many were joined by their postcode.
    pub by_postcode: u64,
    /// Rows that are the same person as an earlier one.
    pub duplicates: Listed<Problem>,
    /// Letters that cannot be filled in.
    pub letter_problems: Listed<LetterProblem>,
    /// Fields that the letter uses, with the lines on which their cell is empty.
    pub empty_cells: BTreeMap<String, Listed<u64>>,
}

impl MatchReport {
    /// Whether rows stand in the way that staff must fix or skip.
    pub fn has_bad_rows(&self) -> bool {
        !(self.refused.is_empty() && self.unmatched.is_empty() && self.ambiguous.is_empty())
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
        by_alias: vec![0; survey.aliases().len()],
        ..Default::default()
    };
    let used = texts.letter.fields_used();
    for listed in officials {
        report.note_empty(listed.line, used, "official", |field| official_field(&listed.official, field));
    }
    for row in survey.rows()? {
        let row = row?;
        each_row();
        if let Some(writer) = refused.as_deref_mut() {
            writer.write(&row)?;
        }
        match row {
            Row::Joined { line, constituent, officials: joined, alias, by_postcode, .. } => {
                report.note_way(alias, by_postcode);
                report.note_empty(line, used, "constituent", |field| constituent_field(&constituent, field));
                report.joined += 1;
                for index in joined {
                    report.add_letter(index, &officials[index].official, line, &constituent, texts);
                }
            }
            Row::Unmatched { sought, problem, .. } => {
                report.unmatched_groups.add(&sought, &problem);
                report.unmatched.push(problem);
            }
            Row::Ambiguous { sought, problem, .. } => {
                report.ambiguous_groups.add(&sought, &problem);
                report.ambiguous.push(problem);
            }
            Row::Refused { problems, .. } => report.refused.extend(problems),
            Row::Duplicate { problem, .. } => report.duplicates.push(problem),
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

    fn note_empty<'a>(
        &mut self,
        line: u64,
        used: &BTreeSet<(String, String)>,
        namespace: &str,
        value: impl Fn(&str) -> Option<&'a str>,
    ) {
        for (space, field) in used.iter().filter(|(space, _)| space == namespace) {
            if value(field).is_some_and(str::is_empty) {
                self.empty_cells.entry(format!("{space}.{field}")).or_default().push(line);
            }
        }
    }

    fn add_letter(&mut self, index: usize, official: &Official, line: u64, constituent: &Constituent, texts: &Texts) {
        self.letters += 1;
        self.officials[index].letters += 1;
        self.held += u64::from(official.mailbox.is_none());
        if let Err(error) = texts.letter.render_letter(&texts.campaign, official, constituent) {
            let what = format!("{} to {}: {error}", constituent.name, official.salutation());
            self.letter_problems.push(LetterProblem { line, what });
        }
    }
}

fn official_field<'a>(official: &'a Official, field: &str) -> Option<&'a str> {
    Some(match field {
        "title" => &official.title,
        "name" | "email" => return None, // one is never empty, the other has a list of its own
        "jurisdiction" => &official.jurisdiction,
        other => official.extra.get(other)?,
    })
}

fn constituent_field<'a>(constituent: &'a Constituent, field: &str) -> Option<&'a str> {
    Some(match field {
        "title" => &constituent.title,
        "jurisdiction" => &constituent.jurisdiction,
        "address" => &constituent.address,
        "postcode" => &constituent.postcode,
        "signed_on" => &constituent.signed_on,
        "note" => &constituent.note,
        other => constituent.extra.get(other)?,
    })
}
