//! Constituents who are not joined, grouped by what they were looked up by: one decision of staff settles a group.

use std::collections::HashMap;
use std::sync::Arc;

use crate::contacts::{ContactsError, Problem, Row, Sought, Suggestion, Survey};
use crate::model::fold;

/// How many groups are kept; the rows of further ones are only counted.
const GROUPS_MAX: usize = 2_000;
/// How many rows of a group are named.
const FIRST_MAX: usize = 5;

/// Constituents who were looked up by the same text and are not joined.
#[derive(Debug, Clone)]
pub struct UnjoinedGroup {
    /// By what, as the first of them wrote it.
    pub sought: Sought,
    /// How many.
    pub constituents: u64,
    /// Where the first of them stand.
    pub first: Vec<RowPlace>,
    /// The problem of the first of them.
    pub problem: Problem,
    /// Which jurisdictions may be meant, the likeliest first.
    pub suggestions: Vec<Suggestion>,
}

/// Where a row stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowPlace {
    /// The file as it was named.
    pub file: Arc<str>,
    /// The line.
    pub line: u64,
}

/// Groups, the largest first once they are settled.
#[derive(Debug, Default)]
pub struct UnjoinedGroups {
    kept: Vec<UnjoinedGroup>,
    numbers: HashMap<(bool, String), usize>,
    left_out: u64,
}

impl UnjoinedGroups {
    /// Adds the constituent of one row.
    pub fn add(&mut self, sought: &Sought, problem: &Problem) {
        let key = match sought {
            Sought::Jurisdiction(text) => (false, fold(text)),
            Sought::Postcode(text) => (true, fold(text)),
        };
        let number = match self.numbers.get(&key) {
            Some(&number) => number,
            None if self.kept.len() >= GROUPS_MAX => {
                self.left_out += 1;
                return;
            }
            None => {
                let (first, problem, suggestions) = (Vec::new(), problem.clone(), Vec::new());
                self.kept.push(UnjoinedGroup { sought: sought.clone(), constituents: 0, first, problem, suggestions });
                self.numbers.insert(key, self.kept.len() - 1);
                self.kept.len() - 1
            }
        };
        let group = &mut self.kept[number];
        group.constituents += 1;
        if group.first.len() < FIRST_MAX {
            group.first.push(RowPlace { file: Arc::clone(&problem.file), line: problem.line });
        }
    }

    /// Adds what may be meant, and puts the largest groups first.
    pub fn settle(&mut self, survey: &Survey) {
        for group in &mut self.kept {
            if let Sought::Jurisdiction(written) = &group.sought {
                group.suggestions = survey.suggestions(written);
            }
        }
        self.numbers.clear();
        self.kept.sort_by_key(|group| std::cmp::Reverse(group.constituents));
    }

    /// The groups.
    pub fn kept(&self) -> &[UnjoinedGroup] {
        &self.kept
    }

    /// How many constituents are in none of them, since there are too many groups.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }
}

/// Reads every row and groups those whom no official is for; `each_row` is called for each, to show progress.
pub fn unmatched(survey: &Survey, mut each_row: impl FnMut()) -> Result<UnjoinedGroups, ContactsError> {
    let mut groups = UnjoinedGroups::default();
    for row in survey.rows()? {
        each_row();
        if let Row::Unmatched { sought, problem, .. } = row? {
            groups.add(&sought, &problem);
        }
    }
    groups.settle(survey);
    Ok(groups)
}
