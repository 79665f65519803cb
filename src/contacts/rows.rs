//! The second reading: every row again, now joined to its officials or with the reason why not.
//! Nothing is held but the people who stand in the files twice.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::columns::Column;
use super::error::ContactsError;
use super::guide::Route;
use super::join::clash_problem;
use super::prints::print_of;
use super::problem::{Problem, ProblemKind, VALUE_CHARS_MAX};
use super::records::{Cells, Record};
use super::row::{Person, Place, ReadRow, read_row};
use super::suggestions::Suggestion;
use super::survey::{Survey, fill};
use super::table::Table;
use crate::model::{Constituent, Erased, PersonKey, fold, printable};

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
        /// The accepted spelling that joined them, by its number in [`Survey::aliases`].
        alias: Option<usize>,
        /// Whether their postcode stood for a jurisdiction.
        by_postcode: bool,
    },
    /// A constituent whom no official is for.
    Unmatched {
        /// Which file.
        file: usize,
        /// Which line.
        line: u64,
        /// The row as written.
        cells: Vec<String>,
        /// What led nowhere.
        sought: Sought,
        /// What is missing.
        problem: Problem,
    },
    /// A constituent for whom one of two officials may be the right one.
    Ambiguous {
        /// Which file.
        file: usize,
        /// Which line.
        line: u64,
        /// The row as written.
        cells: Vec<String>,
        /// What led to both.
        sought: Sought,
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
    /// A constituent who was erased: nothing comes of their row, and nothing of it is repeated anywhere.
    LeftOut {
        /// Which file.
        file: usize,
        /// Which line.
        line: u64,
        /// Why.
        why: Erased,
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

/// What a constituent was looked up by, as it is written.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Sought {
    /// Their jurisdiction, or the one that the table has for their postcode.
    Jurisdiction(String),
    /// Their postcode.
    Postcode(String),
}

/// Without the text, because debug output ends in logs.
impl fmt::Debug for Sought {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Jurisdiction(_) => "Jurisdiction",
            Self::Postcode(_) => "Postcode",
        })
    }
}

impl Row {
    /// The row as written and why no letter comes of it, when it is for staff to correct.
    pub fn refusal(&self) -> Option<(usize, u64, &[String], &[Problem])> {
        match self {
            Self::Refused { file, line, cells, problems } => Some((*file, *line, cells, problems)),
            Self::Unmatched { file, line, cells, problem, .. } | Self::Ambiguous { file, line, cells, problem, .. } => {
                Some((*file, *line, cells, std::slice::from_ref(problem)))
            }
            Self::Joined { .. } | Self::Duplicate { .. } | Self::LeftOut { .. } => None,
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
            Self::LeftOut { file, line, .. } => ("LeftOut", file, line),
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
    pub(super) survey: &'a Survey,
    pub(super) file: usize,
    table: Option<Table>,
    record: Record,
    seen: HashMap<PersonKey, Seen>,
    suggestions: HashMap<String, Vec<Suggestion>>,
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
        let next = self.advance(&mut Self::judge).transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}

impl Rows<'_> {
    /// The next row that `look` has something to say about.
    pub(super) fn advance<T>(
        &mut self,
        look: &mut impl FnMut(&mut Self, &Table, &Record, Cells<'_>) -> Option<T>,
    ) -> Result<Option<T>, ContactsError> {
        while self.file < self.survey.files.len() {
            let table = match self.table.take() {
                Some(table) => table,
                None => self.open()?,
            };
            let (table, row) = self.advance_in(table, look)?;
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

    fn advance_in<T>(
        &mut self,
        mut table: Table,
        look: &mut impl FnMut(&mut Self, &Table, &Record, Cells<'_>) -> Option<T>,
    ) -> Result<(Table, Option<T>), ContactsError> {
        let mut record = std::mem::take(&mut self.record);
        // Whatever cannot be read now could be read before.
        while table.read(&mut record).map_err(|_| self.changed())? {
            let cells = table.cells(&record).map_err(|_| self.changed())?;
            if let Some(row) = look(self, &table, &record, cells) {
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
        if record.flaws.is_empty() && cells.is_blank() {
            return None;
        }
        self.settle(table, record.line, cells, read_row(table, record, cells))
    }

    /// What comes of a row that was read; nothing of an official whose row is in order.
    pub(super) fn settle(&mut self, table: &Table, line: u64, cells: Cells<'_>, read: ReadRow) -> Option<Row> {
        let place = Place { file: self.file, line };
        match read.person {
            None if self.survey.settings.left_out.forget_any(cells.iter()) => {
                Some(Row::LeftOut { file: place.file, line: place.line, why: Erased::Forgotten })
            }
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
        let survey = self.survey;
        if let Some(why) = survey.settings.left_out.why(&who) {
            return Row::LeftOut { file: place.file, line: place.line, why };
        }
        let (officials, alias, by_postcode) = match survey.guide.route(&key, &who.postcode) {
            Route::To { officials, alias, by_postcode } => (officials, alias, by_postcode),
            unjoined => return self.unjoined(table, &who, &unjoined, place, cells),
        };
        let key = by_postcode.map_or(key, |jurisdiction| jurisdiction.key.clone());
        if let Some(duplicate) = self.duplicate(&who, key, place, &table.name) {
            return duplicate;
        }
        if let Some(jurisdiction) = by_postcode.filter(|_| who.jurisdiction.is_empty()) {
            who.jurisdiction.clone_from(&jurisdiction.as_written);
        }
        fill(&mut who.extra, &survey.constituent_extras);
        let (officials, by_postcode) = (officials.to_vec(), by_postcode.is_some());
        let Place { file, line } = place;
        Row::Joined { file, line, constituent: Box::new(who), officials, alias, by_postcode }
    }

    /// The row of a constituent whose cells lead to nobody, or to two.
    fn unjoined(&mut self, table: &Table, who: &Constituent, route: &Route<'_>, place: Place, cells: Cells<'_>) -> Row {
        let Place { file, line } = place;
        let layout = &table.layout;
        let by_postcode =
            matches!(route, Route::NoPostcode { .. } | Route::ManyPostcodes(_)) || layout.match_text(cells).is_empty();
        let (places, cell) = if by_postcode {
            (layout.places(Column::Postcode), Cow::Borrowed(who.postcode.as_str()))
        } else {
            (layout.match_places(), layout.match_text(cells))
        };
        let (label, cell) = (layout.labels(places), &*cell);
        let problem = |kind| Problem::new(&table.name, line, kind).in_cell(label.clone(), cell);
        let written = || Sought::Jurisdiction(printable(cell, VALUE_CHARS_MAX));
        let postcode = || Sought::Postcode(printable(&who.postcode, VALUE_CHARS_MAX));
        let (sought, problem) = match route {
            Route::Clash(clash) => {
                let clash = clash_problem(clash, &self.survey.officials, &table.name, line);
                return Self::ambiguous(place, cells, written(), clash.in_cell(label, cell));
            }
            Route::ManyPostcodes(jurisdictions) => {
                let names: Vec<&str> = jurisdictions.iter().map(|j| j.as_written.as_str()).collect();
                let problem = problem(ProblemKind::PostcodeOfSeveral(printable(&names.join(", "), 200)));
                return Self::ambiguous(place, cells, postcode(), problem);
            }
            Route::NoPostcode { with_zero } => {
                let problem = problem(ProblemKind::UnknownPostcode);
                let advice = with_zero.as_ref().map(|(longer, jurisdiction)| {
                    let name = &jurisdiction.as_written;
                    format!("if a leading zero is lost and “{longer}” ({name}) is meant, write it so")
                });
                (postcode(), advice.into_iter().fold(problem, Problem::advising))
            }
            Route::To { .. } | Route::Nobody { by_postcode: None } => {
                let problem = problem(ProblemKind::Unmatched { match_key: label.clone() });
                (written(), self.advice_on(&fold(cell)).into_iter().fold(problem, Problem::advising))
            }
            Route::Nobody { by_postcode: Some(jurisdiction) } => {
                let name = printable(&jurisdiction.as_written, VALUE_CHARS_MAX);
                let problem = problem(ProblemKind::PostcodeOfNobody(name.clone()));
                let advice = self.advice_on(&jurisdiction.key);
                (Sought::Jurisdiction(name), advice.into_iter().fold(problem, Problem::advising))
            }
        };
        Row::Unmatched { file, line, cells: cells.to_vec(), sought, problem }
    }

    fn ambiguous(place: Place, cells: Cells<'_>, sought: Sought, problem: Problem) -> Row {
        Row::Ambiguous { file: place.file, line: place.line, cells: cells.to_vec(), sought, problem }
    }

    /// What may be meant by a key that no official has.
    fn advice_on(&mut self, key: &str) -> Option<String> {
        let guide = &self.survey.guide;
        if let Some(place) = guide.directory.refused(&guide.aliases.key_of(key)) {
            return Some(format!("its official's row, line {}, is refused; correct that one", place.line));
        }
        if let Some(alias) = guide.aliases.meaning(key) {
            let means = &guide.aliases.listed[alias].means;
            return Some(format!("the alias file says that it means “{means}”, which no official has; correct that"));
        }
        if !self.suggestions.contains_key(key) {
            if self.suggestions.len() >= SUGGESTIONS_MAX {
                return None;
            }
            self.suggestions.insert(key.to_owned(), guide.suggest(key));
        }
        match self.suggestions.get(key)?.as_slice() {
            [] => None,
            [one] => Some(format!(
                "if “{}” is meant, say so with `undersigned match`; otherwise add the official",
                one.means
            )),
            several => {
                let names: Vec<String> = several.iter().map(|s| format!("“{}”", s.means)).collect();
                Some(format!("{} may be meant; decide with `undersigned match`", names.join(" or ")))
            }
        }
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
