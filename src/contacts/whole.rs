//! Every row of the files as it stands there, blank ones and officials too, each with whom it names: for lists that go
//! back to staff beside their own rows. Reads as the second reading does; must not say what became of anybody.

use std::collections::HashMap;
use std::fmt;

use super::error::ContactsError;
use super::guide::Route;
use super::problem::Problem;
use super::records::{Cells, Record};
use super::refused::{what_is_wrong, what_to_do};
use super::row::{Person, read_row};
use super::rows::{Row, Rows};
use super::survey::Survey;
use super::table::Table;
use crate::model::{Erased, PersonKey};

/// One row of a file, whatever it is.
#[derive(Clone, PartialEq, Eq)]
pub struct WholeRow {
    /// Which file, by its number in the survey.
    pub file: usize,
    /// On which line it starts.
    pub line: u64,
    /// Its cells as written, cut at the limits of size.
    pub cells: Vec<String>,
    /// Whom it names.
    pub standing: Standing,
}

/// What a row is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Nothing is in it.
    Blank,
    /// An official, by their number in [`Survey::officials`]; `repeats` is the line of the earlier row that counts.
    Official {
        /// Who.
        number: usize,
        /// Where they stood before, if they did.
        repeats: Option<u64>,
    },
    /// A constituent who is joined to their officials.
    Joined(PersonKey),
    /// A constituent who was joined in an earlier row, which is the one that counts.
    Repeated {
        /// Who.
        constituent: PersonKey,
        /// Which row counts.
        problem: Problem,
    },
    /// A constituent who was erased.
    LeftOut(Erased),
    /// A row that is not used.
    Unused {
        /// Who, where it is a constituent whose row is in order but for the joining.
        constituent: Option<PersonKey>,
        /// The officials of its jurisdiction, by their numbers; none when no official has it.
        officials: Vec<usize>,
        /// Everything that is wrong with it.
        problems: Vec<Problem>,
    },
}

impl Standing {
    /// What is wrong with the row and what to do, each in one text; empty where nothing is wrong.
    pub fn complaint(&self) -> (String, String) {
        match self {
            Self::Unused { problems, .. } => (what_is_wrong(problems), what_to_do(problems)),
            Self::Repeated { problem, .. } => (problem.kind.to_string(), problem.advice.clone()),
            Self::Blank | Self::Official { .. } | Self::Joined(_) | Self::LeftOut(_) => (String::new(), String::new()),
        }
    }
}

/// Without the cells, because debug output ends in logs.
impl fmt::Debug for WholeRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WholeRow").field("file", &self.file).field("line", &self.line).finish_non_exhaustive()
    }
}

/// All rows of all files, one after the other.
pub struct WholeRows<'a> {
    rows: Rows<'a>,
    numbers: HashMap<PersonKey, usize>,
    ended: bool,
}

impl Survey {
    /// Reads the files once more, without leaving out a row. The same holds as for [`Survey::rows`]: nothing may be
    /// kept of rows before the end.
    pub fn whole_rows(&self) -> Result<WholeRows<'_>, ContactsError> {
        let numbers = self.officials.iter().enumerate().map(|(n, listed)| (listed.official.key(), n)).collect();
        Ok(WholeRows { rows: self.rows()?, numbers, ended: false })
    }
}

impl Iterator for WholeRows<'_> {
    type Item = Result<WholeRow, ContactsError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let numbers = &self.numbers;
        let mut look = |rows: &mut Rows<'_>, table: &Table, record: &Record, cells: Cells<'_>| {
            let standing = standing(rows, numbers, table, record, cells);
            Some(WholeRow { file: rows.file, line: record.line, cells: cells.to_vec(), standing })
        };
        let next = self.rows.advance(&mut look).transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}

impl fmt::Debug for WholeRows<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rows.fmt(f)
    }
}

fn standing(
    rows: &mut Rows<'_>,
    numbers: &HashMap<PersonKey, usize>,
    table: &Table,
    record: &Record,
    cells: Cells<'_>,
) -> Standing {
    if record.flaws.is_empty() && cells.is_blank() {
        return Standing::Blank;
    }
    let read = read_row(table, record, cells);
    let (constituent, official) = match &read.person {
        Some(Person::Constituent(who)) => (Some(who.key()), None),
        Some(Person::Official(who)) => (None, numbers.get(&who.key()).copied()),
        None => (None, None),
    };
    let postcode = match &read.person {
        Some(Person::Constituent(who)) => who.postcode.as_str(),
        Some(Person::Official(_)) | None => "",
    };
    let officials = officials_of(rows.survey, &read.match_key, postcode);
    match (rows.settle(table, record.line, cells, read), official, constituent) {
        (None, Some(number), _) => {
            let first = &rows.survey.officials[number];
            let is_first = (first.file, first.line) == (rows.file, record.line);
            Standing::Official { number, repeats: (!is_first).then_some(first.line) }
        }
        (Some(Row::Joined { .. }), _, Some(who)) => Standing::Joined(who),
        (Some(Row::Duplicate { problem, .. }), _, Some(who)) => Standing::Repeated { constituent: who, problem },
        (Some(Row::Unmatched { problem, .. } | Row::Ambiguous { problem, .. }), ..) => {
            Standing::Unused { constituent, officials, problems: vec![problem] }
        }
        (Some(Row::LeftOut { why, .. }), ..) => Standing::LeftOut(why),
        (Some(Row::Refused { problems, .. }), ..) => Standing::Unused { constituent, officials, problems },
        (None | Some(Row::Joined { .. } | Row::Duplicate { .. }), ..) => Standing::Blank, // each has its person
    }
}

fn officials_of(survey: &Survey, match_key: &str, postcode: &str) -> Vec<usize> {
    match survey.guide.route(match_key, postcode) {
        Route::To { officials, .. } => officials.to_vec(),
        Route::Clash(clash) => vec![clash.first, clash.second],
        Route::Nobody { .. } | Route::NoPostcode { .. } | Route::ManyPostcodes(_) => Vec::new(),
    }
}
