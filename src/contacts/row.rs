//! The cells of one row → a person, or everything that is wrong with the row. Nothing is repaired by guessing.
//! This file must not know about other rows.

use super::columns::Column;
use super::problem::{Problem, ProblemKind};
use super::records::{Cells, Flaw, Record};
use super::table::Table;
use crate::model::{Constituent, EmailAddress, Extra, Official, PersonName, Role, compose, fold, unprintable};

const SHORT_CHARS_MAX: usize = 200;
const ADDRESS_CHARS_MAX: usize = 500;
const LONG_CHARS_MAX: usize = 5_000;

/// What spreadsheets and exports leave behind when something went wrong. `Null` and `Nan` are people's names.
const EXPORT_ERRORS: &[&str] = &[
    "NULL",
    "null",
    "#N/A",
    "#REF!",
    "#VALUE!",
    "#NAME?",
    "#DIV/0!",
    "#NUM!",
    "#NULL!",
    "#ERROR!",
    "nan",
    "NaN",
    "NAN",
    "undefined",
];

/// Whom a row names.
pub(super) enum Person {
    Official(Official),
    Constituent(Constituent),
}

/// What a row is.
pub(super) struct ReadRow {
    /// The person, when nothing is wrong.
    pub(super) person: Option<Person>,
    /// The role, when it is known.
    pub(super) role: Option<Role>,
    /// The folded cell that joins; empty when it cannot be used.
    pub(super) match_key: String,
    pub(super) problems: Vec<Problem>,
    /// Whether any cell was put into composed form.
    pub(super) composed: bool,
    /// Whether the name is an address and the address is not.
    pub(super) swapped: bool,
}

/// Reads one row that is not blank.
pub(super) fn read_row(table: &Table, record: &Record, cells: Cells<'_>) -> ReadRow {
    let mut check = Check { table, line: record.line, cells, problems: Vec::new(), composed: false };
    check.form(&record.flaws);
    if !check.problems.is_empty() {
        return check.refused(None, String::new(), false);
    }
    let role = check.role();
    let match_key = check.match_key();
    let person = check.person(role);
    if let (true, Some(person)) = (check.problems.is_empty(), person) {
        let Check { composed, problems, .. } = check;
        return ReadRow { person: Some(person), role, match_key, problems, composed, swapped: false };
    }
    let is_address = |column| EmailAddress::parse(check.cell(column)).is_ok();
    let swapped = is_address(Column::Name) && !is_address(Column::Email);
    check.refused(role, match_key, swapped)
}

/// What a text cell may hold.
#[derive(Clone, Copy)]
struct Rules {
    chars_max: usize,
    /// Line breaks, tabs and the joiners of emoji and Indic scripts; never for what goes near a header.
    free_text: bool,
    /// Whether `#N/A` and the like are a mistake.
    refuses_export_errors: bool,
}

const SHORT: Rules = Rules { chars_max: SHORT_CHARS_MAX, free_text: false, refuses_export_errors: true };
const POSTAL: Rules = Rules { chars_max: ADDRESS_CHARS_MAX, free_text: true, refuses_export_errors: true };
const LONG: Rules = Rules { chars_max: LONG_CHARS_MAX, free_text: true, refuses_export_errors: false };

fn rules(column: Column) -> Rules {
    match column {
        Column::Address => POSTAL,
        Column::Note => LONG,
        _ => SHORT,
    }
}

struct Check<'a> {
    table: &'a Table,
    line: u64,
    cells: Cells<'a>,
    problems: Vec<Problem>,
    composed: bool,
}

impl<'a> Check<'a> {
    fn refused(self, role: Option<Role>, match_key: String, swapped: bool) -> ReadRow {
        ReadRow { person: None, role, match_key, problems: self.problems, composed: self.composed, swapped }
    }

    fn cell(&self, column: Column) -> &'a str {
        self.table.layout.at(column).map_or("", |at| self.cells.get(at).trim())
    }

    fn refuse(&mut self, at: Option<usize>, kind: ProblemKind) {
        let problem = Problem::new(&self.table.name, self.line, kind);
        self.problems.push(match at {
            Some(at) => problem.in_cell(self.table.layout.label(at), self.cells.get(at)),
            None => problem,
        });
    }

    /// Quotes, sizes and the number of cells.
    fn form(&mut self, flaws: &[Flaw]) {
        for flaw in flaws {
            self.refuse(
                None,
                match flaw {
                    Flaw::TextAfterQuote => ProblemKind::TextAfterQuote,
                    Flaw::CellTooLong => ProblemKind::TooBig("a cell is longer than 64 KiB"),
                    Flaw::RecordTooLong => ProblemKind::TooBig("the row is longer than 1 MiB"),
                    Flaw::TooManyColumns => ProblemKind::TooBig("the row has more than 200 cells"),
                },
            );
        }
        let columns = self.table.layout.headers.len();
        let surplus = self.cells.iter().skip(columns).any(|c| !c.trim().is_empty());
        if flaws.is_empty() && (self.cells.len() < columns || surplus) {
            self.refuse(None, ProblemKind::Ragged { cells: self.cells.len(), columns });
        }
    }

    fn role(&mut self) -> Option<Role> {
        let Some(at) = self.table.layout.at(Column::Role) else { return self.table.role };
        let role = match fold(self.cells.get(at)).as_str() {
            "official" => Some(Role::Official),
            "constituent" => Some(Role::Constituent),
            _ => None,
        };
        if role.is_none() {
            self.refuse(Some(at), ProblemKind::Role);
        }
        role
    }

    /// The folded cell that joins. Its text is checked with its own column, unless it is one of ours never kept.
    fn match_key(&mut self) -> String {
        let at = self.table.layout.match_at;
        let cell = self.cells.get(at).trim();
        if cell.is_empty() {
            self.refuse(Some(at), ProblemKind::Empty);
            return String::new();
        }
        let before = self.problems.len();
        self.text(at, SHORT);
        if self.problems.len() > before { String::new() } else { fold(cell) }
    }

    fn person(&mut self, role: Option<Role>) -> Option<Person> {
        let name = self.name();
        let mailbox = self.mailbox(role == Some(Role::Constituent));
        let title = self.column(Column::Title);
        let jurisdiction = self.jurisdiction();
        let extra = self.extra();
        let [address, postcode, signed_on, note] =
            [Column::Address, Column::Postcode, Column::SignedOn, Column::Note].map(|c| self.column(c));
        Some(match role? {
            Role::Official => {
                let mut extra = extra;
                let office = [("address", address), ("postcode", postcode), ("signed_on", signed_on), ("note", note)];
                extra.extend(office.into_iter().filter(|(_, v)| !v.is_empty()).map(|(k, v)| (k.to_owned(), v)));
                Person::Official(Official { title, name: name?, mailbox, jurisdiction, extra })
            }
            Role::Constituent => Person::Constituent(Constituent {
                title,
                name: name?,
                mailbox: mailbox?,
                jurisdiction,
                address,
                postcode,
                signed_on,
                note,
                extra,
            }),
        })
    }

    fn name(&mut self) -> Option<PersonName> {
        let at = self.table.layout.at(Column::Name)?;
        let cell = self.cells.get(at).trim();
        if EXPORT_ERRORS.contains(&cell) {
            self.refuse(Some(at), ProblemKind::ExportError);
            return None;
        }
        match PersonName::parse(cell) {
            Ok(name) => {
                self.composed |= name.as_str() != cell;
                Some(name)
            }
            Err(error) => {
                self.refuse(Some(at), ProblemKind::Name(error));
                None
            }
        }
    }

    fn mailbox(&mut self, required: bool) -> Option<EmailAddress> {
        let at = self.table.layout.at(Column::Email)?;
        let cell = self.cells.get(at).trim();
        if cell.is_empty() && !required {
            return None;
        }
        if EXPORT_ERRORS.contains(&cell) {
            self.refuse(Some(at), ProblemKind::ExportError);
            return None;
        }
        EmailAddress::parse(cell).map_err(|error| self.refuse(Some(at), ProblemKind::Address(error))).ok()
    }

    /// The jurisdiction's own column, or the one that joins in its place.
    fn jurisdiction(&mut self) -> String {
        let match_at = self.table.layout.match_at;
        match self.table.layout.at(Column::Jurisdiction) {
            Some(at) if at != match_at => self.text(at, SHORT),
            // Checked as the column that joins already.
            _ => compose(self.cells.get(match_at).trim()).into_owned(),
        }
    }

    fn column(&mut self, column: Column) -> String {
        match self.table.layout.at(column) {
            Some(at) if at == self.table.layout.match_at => compose(self.cells.get(at).trim()).into_owned(),
            Some(at) if column == Column::Note => self.note(at),
            Some(at) => self.text(at, rules(column)),
            None => String::new(),
        }
    }

    /// Somebody's own words, which nobody but staff may shorten.
    fn note(&mut self, at: usize) -> String {
        let chars_max = self.table.note_chars_max;
        let before = self.problems.len();
        let note = self.text(at, Rules { chars_max, ..LONG });
        if self.problems.len() > before
            && let Some(problem) = self.problems.pop()
        {
            let is_too_long = matches!(problem.kind, ProblemKind::TooLong { .. });
            let advice = "shorten it with the person's consent, or raise contacts.note_chars_max in config.toml";
            self.problems.push(if is_too_long { problem.advising(advice.to_owned()) } else { problem });
        }
        note
    }

    fn extra(&mut self) -> Extra {
        let table = self.table;
        let match_at = table.layout.match_at;
        let value = |check: &mut Self, at: usize| {
            if at == match_at { compose(check.cells.get(at).trim()).into_owned() } else { check.text(at, LONG) }
        };
        table.layout.extras.iter().map(|(at, key)| (key.clone(), value(self, *at))).collect()
    }

    /// A cell of text: trimmed, in NFC, its line breaks as LF.
    fn text(&mut self, at: usize, rules: Rules) -> String {
        let cell = self.cells.get(at).trim();
        if let Some(kind) = text_problem(cell, rules) {
            self.refuse(Some(at), kind);
            return String::new();
        }
        if cell.is_ascii() && !cell.contains('\r') {
            return cell.to_owned();
        }
        let composed = compose(cell);
        self.composed |= matches!(composed, std::borrow::Cow::Owned(_));
        if composed.contains('\r') { composed.replace("\r\n", "\n").replace('\r', "\n") } else { composed.into_owned() }
    }
}

fn text_problem(cell: &str, rules: Rules) -> Option<ProblemKind> {
    if rules.refuses_export_errors && EXPORT_ERRORS.contains(&cell) {
        return Some(ProblemKind::ExportError);
    }
    let breaks = ['\n', '\r', '\t'];
    let joiners = ['\u{200c}', '\u{200d}'];
    if cell.chars().any(|c| c.is_control() && !breaks.contains(&c)) {
        Some(ProblemKind::Control)
    } else if !rules.free_text && cell.contains(breaks) {
        Some(ProblemKind::LineBreak)
    } else if !cell.is_ascii() && unprintable_but(cell, if rules.free_text { &joiners } else { &[] }) {
        Some(ProblemKind::Invisible)
    } else if cell.len() > rules.chars_max && cell.chars().count() > rules.chars_max {
        Some(ProblemKind::TooLong { chars_max: rules.chars_max })
    } else {
        None
    }
}

fn unprintable_but(cell: &str, allowed: &[char]) -> bool {
    match unprintable(cell) {
        None => false,
        Some(c) if !allowed.contains(&c) => true,
        Some(_) => unprintable(&cell.replace(allowed, "")).is_some(),
    }
}

/// Where a row stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) file: usize,
    pub(super) line: u64,
}

/// A date that is a bare number or that two countries read differently.
pub(super) fn odd_date(text: &str) -> Option<OddDate> {
    let is_number = |t: &str, digits: std::ops::RangeInclusive<usize>| {
        digits.contains(&t.len()) && t.bytes().all(|b| b.is_ascii_digit())
    };
    if is_number(text, 5..=5) {
        // 1954 to 2119, counted in days from the end of 1899.
        return text.parse().is_ok_and(|n: u32| (20_000..80_000).contains(&n)).then_some(OddDate::Serial);
    }
    let parts: Vec<&str> = text.split(['/', '-']).collect();
    let [first, second, year] = parts.as_slice() else { return None };
    let ok = is_number(first, 1..=2) && is_number(second, 1..=2) && (is_number(year, 4..=4) || is_number(year, 2..=2));
    let number = |t: &str| t.parse::<u32>().unwrap_or_default();
    let (first, second) = (number(first), number(second));
    (ok && first != second && (1..=12).contains(&first) && (1..=12).contains(&second)).then_some(OddDate::Ambiguous)
}

/// What is odd about a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OddDate {
    Ambiguous,
    Serial,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_dates_that_can_be_misread_are_odd() {
        for (text, expected) in [
            ("2026-03-04", None),
            ("03/04/2026", Some(OddDate::Ambiguous)),
            ("3-4-26", Some(OddDate::Ambiguous)),
            ("03/03/2026", None),
            ("13/04/2026", None),
            ("4 March 2026", None),
            ("45722", Some(OddDate::Serial)),
            ("10000", None),
            ("99999", None),
            ("", None),
        ] {
            assert_eq!(odd_date(text), expected, "{text}");
        }
    }

    #[test]
    fn free_text_may_hold_joiners_and_line_breaks_and_short_text_may_not() {
        let family = "👩\u{200d}👧";
        assert_eq!(text_problem(family, LONG), None);
        assert_eq!(text_problem(family, SHORT), Some(ProblemKind::Invisible));
        assert_eq!(text_problem("a\u{200d}\u{202e}b", LONG), Some(ProblemKind::Invisible));
        assert_eq!(text_problem("a\nb\tc", LONG), None);
        assert_eq!(text_problem("a\nb", SHORT), Some(ProblemKind::LineBreak));
        assert_eq!(text_problem("a\0b", LONG), Some(ProblemKind::Control));
        assert_eq!(text_problem("#N/A", SHORT), Some(ProblemKind::ExportError));
        assert_eq!(text_problem("#N/A", LONG), None);
    }
}
