//! The second reading: every row again, now joined to its officials or with the reason why not.
//! Nothing is held but the people who stand in the files twice.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::error::ContactsError;
use super::join::{Found, clash_problem};
use super::prints::print_of;
use super::problem::{Problem, ProblemKind};
use super::records::{Cells, Record};
use super::row::{Person, Place, read_row};
use super::survey::{Survey, fill};
use super::table::Table;
use crate::model::{Constituent, PersonKey};

/// How many different unknown jurisdictions get a suggestion.
const SUGGESTIONS_MAX: usize = 2_000;

/// A row at the second reading. Officials whose rows are in order are not repeated. `file` is the number of the
/// file in the survey, `line` where the row starts in it.
#[derive(Clone, PartialEq, Eq)]
pub enum Row {
    /// A constituent and those they write to.
    Joined {
        /// Which file.
        file: usize,
        /// Which line.
        line: u64,
        /// Who.
        constituent: Box<Constituent>,
        /// The numbers of their officials in [`Survey::officials`]; at least one.
        officials: Vec<usize>,
    },
    /// A constituent whose jurisdiction no official has.
    Unmatched {
        /// Which file.
        file: usize,
        /// Which line.
        line: u64,
        /// The row as written.
        cells: Vec<String>,
        /// What is missing.
        problem: Problem,
    },
    /// A constituent whose jurisdiction has two holders of one office.
    Ambiguous {
        /// Which file.
        file: usize,
        /// Which line.
        line: u64,
        /// The row as written.
        cells: Vec<String>,
        /// Which office, and where its holders are.
        problem: Problem,
    },
    /// A row, of anybody, that cannot be used.
    Refused {
        /// Which file.
        file: usize,
        /// Which line.
        line: u64,
        /// The row as written, cut at the limits of size.
        cells: Vec<String>,
        /// Everything that is wrong with it.
        problems: Vec<Problem>,
    },
    /// A constituent who was joined in an earlier row: one letter.
    Duplicate {
        /// Which file.
        file: usize,
        /// Which line.
        line: u64,
        /// The file of the earlier row.
        of_file: usize,
        /// Its line.
        of_line: u64,
        /// The same in words; says so when the two rows differ in the jurisdiction.
        problem: Problem,
    },
}

impl Row {
    /// The row as written and why no letter comes of it, when it is for staff to correct.
    pub fn refusal(&self) -> Option<(usize, u64, &[String], &[Problem])> {
        match self {
            Self::Refused { file, line, cells, problems } => Some((*file, *line, cells, problems)),
            Self::Unmatched { file, line, cells, problem } | Self::Ambiguous { file, line, cells, problem } => {
                Some((*file, *line, cells, std::slice::from_ref(problem)))
            }
            Self::Joined { .. } | Self::Duplicate { .. } => None,
        }
    }
}

/// Without the cells, because debug output ends in logs.
impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, file, line) = match self {
            Self::Joined { file, line, .. } => ("Joined", file, line),
            Self::Unmatched { file, line, .. } => ("Unmatched", file, line),
            Self::Ambiguous { file, line, .. } => ("Ambiguous", file, line),
            Self::Refused { file, line, .. } => ("Refused", file, line),
            Self::Duplicate { file, line, .. } => ("Duplicate", file, line),
        };
        f.debug_struct(name).field("file", file).field("line", line).finish_non_exhaustive()
    }
}

impl Survey {
    /// Reads the files a second time. A file that changed since the first reading is an error: at once when its
    /// size or time says so, otherwise in place of the end, so **nothing may be kept of rows before the end**.
    pub fn rows(&self) -> Result<Rows<'_>, ContactsError> {
        for (file, named) in self.files.iter().zip(&self.settings.files) {
            if !file.fingerprint.still_matches(&named.path) {
                return Err(ContactsError::Changed { file: file.name.to_string() });
            }
        }
        Ok(Rows {
            survey: self,
            file: 0,
            table: None,
            record: Record::default(),
            seen: HashMap::new(),
            suggestions: HashMap::new(),
            ended: false,
        })
    }
}

/// The rows of all files, one after the other.
pub struct Rows<'a> {
    survey: &'a Survey,
    file: usize,
    table: Option<Table>,
    record: Record,
    seen: HashMap<PersonKey, Seen>,
    suggestions: HashMap<String, Option<String>>,
    ended: bool,
}

struct Seen {
    place: Place,
    match_key: String,
}

impl fmt::Debug for Rows<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows").field("file", &self.file).field("line", &self.record.line).finish_non_exhaustive()
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<Row, ContactsError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.advance().transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}

impl Rows<'_> {
    fn advance(&mut self) -> Result<Option<Row>, ContactsError> {
        while self.file < self.survey.files.len() {
            let table = match self.table.take() {
                Some(table) => table,
                None => self.open()?,
            };
            let (table, row) = self.advance_in(table)?;
            if row.is_some() {
                self.table = Some(table);
                return Ok(row);
            }
            if table.fingerprint().as_ref() != Some(&self.survey.files[self.file].fingerprint) {
                return Err(self.changed());
            }
            self.file += 1;
        }
        Ok(None)
    }

    fn open(&self) -> Result<Table, ContactsError> {
        let settings = &self.survey.settings;
        let table = settings.files.get(self.file).and_then(|file| Table::open(file, settings).ok());
        table.filter(|t| t.faults.is_empty()).ok_or_else(|| self.changed())
    }

    /// The next row of this file that there is something to say about.
    fn advance_in(&mut self, mut table: Table) -> Result<(Table, Option<Row>), ContactsError> {
        let mut record = std::mem::take(&mut self.record);
        // Whatever cannot be read now could be read before.
        while table.read(&mut record).map_err(|_| self.changed())? {
            let cells = table.cells(&record).map_err(|_| self.changed())?;
            if record.flaws.is_empty() && cells.is_blank() {
                continue;
            }
            if let Some(row) = self.judge(&table, &record, cells) {
                self.record = record;
                return Ok((table, Some(row)));
            }
        }
        self.record = record;
        Ok((table, None))
    }

    fn changed(&self) -> ContactsError {
        let file = self.survey.files.get(self.file).map(|f| f.name.to_string());
        ContactsError::Changed { file: file.unwrap_or_default() }
    }

    fn judge(&mut self, table: &Table, record: &Record, cells: Cells<'_>) -> Option<Row> {
        let place = Place { file: self.file, line: record.line };
        let read = read_row(table, record, cells);
        match read.person {
            None => Some(Row::Refused {
                file: place.file,
                line: place.line,
                cells: cells.to_vec(),
                problems: read.problems,
            }),
            Some(Person::Official(_)) => None,
            Some(Person::Constituent(constituent)) => Some(self.join(table, constituent, read.match_key, place, cells)),
        }
    }

    fn join(&mut self, table: &Table, mut who: Constituent, key: String, place: Place, cells: Cells<'_>) -> Row {
        let Place { file, line } = place;
        let survey = self.survey;
        let (header, cell) = (table.layout.labels(table.layout.match_places()), table.layout.match_text(cells));
        let in_cell = |problem: Problem| problem.in_cell(header.clone(), &cell);
        let officials = match survey.directory.look_up(&key) {
            Found::Officials(officials) => officials.to_vec(),
            Found::Clash(clash) => {
                let problem = in_cell(clash_problem(clash, &survey.officials, &table.name, line));
                return Row::Ambiguous { file, line, cells: cells.to_vec(), problem };
            }
            Found::Nobody => {
                let kind = ProblemKind::Unmatched { match_key: header.clone() };
                let mut problem = in_cell(Problem::new(&table.name, line, kind));
                if let Some(advice) = self.advice_on(&key) {
                    problem = problem.advising(advice);
                }
                return Row::Unmatched { file, line, cells: cells.to_vec(), problem };
            }
        };
        if let Some(duplicate) = self.duplicate(&who, key, place, &table.name) {
            return duplicate;
        }
        fill(&mut who.extra, &survey.constituent_extras);
        Row::Joined { file, line, constituent: Box::new(who), officials }
    }

    /// What may be meant by a key that no official has.
    fn advice_on(&mut self, key: &str) -> Option<String> {
        if let Some(place) = self.survey.directory.refused(key) {
            return Some(format!("its official's row, line {}, is refused; correct that one", place.line));
        }
        if !self.suggestions.contains_key(key) {
            if self.suggestions.len() >= SUGGESTIONS_MAX {
                return None;
            }
            let nearest = self.survey.directory.nearest(key).map(str::to_owned);
            self.suggestions.insert(key.to_owned(), nearest);
        }
        let nearest = self.suggestions.get(key)?.as_ref()?;
        Some(format!("if “{nearest}” is meant, write it so; otherwise add the official"))
    }

    /// Whether that person was joined before. Only people whose prints occur twice are remembered.
    fn duplicate(&mut self, who: &Constituent, match_key: String, place: Place, file: &Arc<str>) -> Option<Row> {
        if self.survey.twins.is_empty() {
            return None;
        }
        self.survey.twins.binary_search(&print_of(who)).ok()?;
        let person = who.key();
        let Some(first) = self.seen.get(&person) else {
            self.seen.insert(person, Seen { place, match_key });
            return None;
        };
        let of_file = Arc::clone(&self.survey.files.get(first.place.file)?.name);
        let kind = ProblemKind::Duplicate { of_file, of_line: first.place.line };
        let mut problem = Problem::new(file, place.line, kind).in_cell("name".to_owned(), who.name.as_str());
        if first.match_key != match_key {
            problem =
                problem.advising("the two rows differ in where the person lives; only the earlier one counts".into());
        }
        let Place { file, line } = place;
        Some(Row::Duplicate { file, line, of_file: first.place.file, of_line: first.place.line, problem })
    }
}
