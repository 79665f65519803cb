//! The cells of one row → a person, or everything that is wrong with the row. Nothing is repaired by guessing.
//! This file must not know about other rows.

use std::borrow::Cow;

use super::columns::Column;
use super::garbled::is_garbled;
use super::known_headers::RoleWord;
use super::layout::together;
use super::problem::{Problem, ProblemKind};
use super::records::{Cells, Flaw, Record};
use super::settings::MayLackKey;
use super::table::Table;
use super::unfilled::{is_export_error, is_unfilled};
use crate::model::{Constituent, EmailAddress, Extra, Official, PersonName, Role, compose, fold, unprintable};

const SHORT_CHARS_MAX: usize = 200;
const KEYS_CHARS_MAX: usize = 2_000;
const ADDRESS_CHARS_MAX: usize = 500;
const LONG_CHARS_MAX: usize = 5_000;

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
    /// What the role column says, when it is a word of ours.
    pub(super) role_word: Option<RoleWord>,
    /// The folded cell that joins; empty when it is, or cannot be used.
    pub(super) match_key: String,
    /// The same of an official, as written.
    pub(super) match_cell: String,
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
    let role_word = check.role_word();
    let role = check.role(role_word);
    let match_key = check.match_key(role);
    let person = check.person(role, role_word);
    if let (true, Some(person)) = (check.problems.is_empty(), person) {
        let is_official = role == Some(Role::Official);
        let match_cell = if is_official { check.key_cell(role).into_owned() } else { String::new() };
        let Check { composed, problems, .. } = check;
        return ReadRow {
            person: Some(person),
            role,
            role_word,
            match_key,
            match_cell,
            problems,
            composed,
            swapped: false,
        };
    }
    let is_address = |column| EmailAddress::parse(&check.cell(column)).is_ok();
    let swapped = is_address(Column::Name) && !is_address(Column::Email);
    check.refused(role, match_key, swapped)
}

/// What a text cell may hold.
#[derive(Clone, Copy)]
struct Rules {
    chars_max: usize,
    /// Line breaks, tabs and the joiners of emoji and Indic scripts; never for what goes near a header.
    free_text: bool,
    /// Whether `#N/A` or `____` are a mistake.
    is_used: bool,
}

const SHORT: Rules = Rules { chars_max: SHORT_CHARS_MAX, free_text: false, is_used: true };
/// An official's jurisdictions may be many.
const KEYS: Rules = Rules { chars_max: KEYS_CHARS_MAX, free_text: false, is_used: true };
const POSTAL: Rules = Rules { chars_max: ADDRESS_CHARS_MAX, free_text: true, is_used: true };
const USED: Rules = Rules { chars_max: LONG_CHARS_MAX, free_text: true, is_used: true };
const LONG: Rules = Rules { chars_max: LONG_CHARS_MAX, free_text: true, is_used: false };

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
        let Self { problems, composed, .. } = self;
        let match_cell = String::new();
        ReadRow { person: None, role, role_word: None, match_key, match_cell, problems, composed, swapped }
    }

    /// A column of ours, put together from its parts.
    fn cell(&self, column: Column) -> Cow<'a, str> {
        together(self.cells, self.table.layout.places(column), column.separator())
    }

    fn refuse(&mut self, at: Option<usize>, kind: ProblemKind) {
        let problem = Problem::new(&self.table.name, self.line, kind);
        self.problems.push(match at {
            Some(at) => problem.in_cell(self.table.layout.label(at), self.cells.get(at)),
            None => problem,
        });
    }

    /// Refuses a cell that is put together from several.
    fn refuse_all(&mut self, places: &[usize], kind: ProblemKind) {
        let problem = Problem::new(&self.table.name, self.line, kind);
        let text = together(self.cells, places, " ");
        self.problems.push(problem.in_cell(self.table.layout.labels(places), &text));
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

    fn role_word(&self) -> Option<RoleWord> {
        self.table.layout.at(Column::Role).and_then(|at| RoleWord::of(&fold(self.cells.get(at))))
    }

    fn role(&mut self, word: Option<RoleWord>) -> Option<Role> {
        let Some(at) = self.table.layout.at(Column::Role) else { return self.table.role };
        // Where the file lists one role, such a column may hold anything, as “Village Trustee”.
        let role = word.map(|w| w.role).or(self.table.role);
        if role.is_none() {
            self.refuse(Some(at), ProblemKind::Role);
        }
        role
    }

    /// The folded cell that joins. Its text is checked with its own column, unless it is one of ours never kept.
    fn match_key(&mut self, role: Option<Role>) -> String {
        let cell = self.key_cell(role);
        let places = self.table.layout.match_places();
        if cell.is_empty() {
            self.lacks_key(places, role);
            return String::new();
        }
        let rules = if role == Some(Role::Official) { KEYS } else { SHORT };
        if let Some(kind) = text_problem(&cell, rules) {
            self.refuse_all(places, kind);
            return String::new();
        }
        self.composed |= matches!(compose(&cell), Cow::Owned(_));
        fold(&cell)
    }

    /// The cell that joins, as people read it: of the lines in an official's cell each is a jurisdiction.
    fn key_cell(&self, role: Option<Role>) -> Cow<'a, str> {
        let cell = self.table.layout.match_text(self.cells);
        if role != Some(Role::Official) || !cell.contains(['\n', '\r']) {
            return cell;
        }
        let lines: Vec<&str> = cell.split(['\n', '\r']).map(str::trim).collect();
        Cow::Owned(lines.into_iter().filter(|l| !l.is_empty()).collect::<Vec<_>>().join("; "))
    }

    fn lacks_key(&mut self, places: &[usize], role: Option<Role>) {
        let may_lack = match self.table.layout.may_lack_key {
            MayLackKey::Nobody => false,
            MayLackKey::ConstituentsWithPostcode => {
                role == Some(Role::Constituent) && !self.cell(Column::Postcode).is_empty()
            }
            MayLackKey::Everybody => true,
        };
        if !may_lack {
            let of_postcode = self.table.layout.places(Column::Postcode);
            self.refuse_all(if places.is_empty() { of_postcode } else { places }, ProblemKind::Empty);
        }
    }

    fn person(&mut self, role: Option<Role>, word: Option<RoleWord>) -> Option<Person> {
        let name = self.name();
        let mailbox = self.mailbox(role == Some(Role::Constituent));
        let title = self.title(word);
        let jurisdiction = self.jurisdiction(role);
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

    /// The title's own column; where the file has none, a role such as “Mayor” is the title too.
    fn title(&mut self, word: Option<RoleWord>) -> String {
        match (self.table.layout.at(Column::Title), word.filter(|w| w.is_title)) {
            (None, Some(_)) => compose(&self.cell(Column::Role)).into_owned(),
            _ => self.column(Column::Title),
        }
    }

    fn name(&mut self) -> Option<PersonName> {
        let places = self.table.layout.places(Column::Name);
        let wrong = places.iter().find_map(|&at| Some((at, nothing_real(self.cells.get(at).trim())?)));
        if let Some((at, kind)) = wrong {
            self.refuse(Some(at), kind);
            return None;
        }
        let cell = self.cell(Column::Name);
        match PersonName::parse(&cell) {
            Ok(name) => {
                self.composed |= name.as_str() != cell;
                Some(name)
            }
            Err(error) => {
                self.refuse_all(places, ProblemKind::Name(error));
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
        if let Some(kind) = nothing_real(cell) {
            self.refuse(Some(at), kind);
            return None;
        }
        EmailAddress::parse(cell).map_err(|error| self.refuse(Some(at), ProblemKind::Address(error))).ok()
    }

    /// The jurisdiction's own column, or the one that joins in its place.
    fn jurisdiction(&mut self, role: Option<Role>) -> String {
        let layout = &self.table.layout;
        match layout.places(Column::Jurisdiction) {
            own if !own.is_empty() && own != layout.match_places() => self.parts(Column::Jurisdiction),
            // Checked as the column that joins already.
            _ => compose(&self.key_cell(role)).into_owned(),
        }
    }

    fn column(&mut self, column: Column) -> String {
        let layout = &self.table.layout;
        if layout.places(column) == layout.match_places() {
            return compose(&layout.match_text(self.cells)).into_owned();
        }
        self.parts(column)
    }

    /// Each part is checked by itself, so that a problem names the header that it is about.
    fn parts(&mut self, column: Column) -> String {
        let table = self.table;
        match table.layout.places(column) {
            [at] if column == Column::Note => self.note(*at),
            [at] => self.text(*at, rules(column)),
            places => {
                let parts: Vec<String> = places.iter().map(|&at| self.text(at, rules(column))).collect();
                let filled: Vec<&str> = parts.iter().map(String::as_str).filter(|p| !p.is_empty()).collect();
                filled.join(column.separator())
            }
        }
    }

    /// Somebody's own words, which nobody but staff may shorten.
    fn note(&mut self, at: usize) -> String {
        if is_garbled(self.cells.get(at)) {
            self.refuse(Some(at), ProblemKind::Garbled);
            return String::new();
        }
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
        // What a column of ours is read from was checked with that.
        let value = |check: &mut Self, at: usize| {
            if table.layout.is_placed(at) {
                return plain(check.cells.get(at).trim());
            }
            check.text(at, if table.used.contains(&at) { USED } else { LONG })
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
        self.composed |= matches!(compose(cell), Cow::Owned(_));
        plain(cell)
    }
}

/// What is wrong with a cell that is not empty and has nothing real in it.
fn nothing_real(cell: &str) -> Option<ProblemKind> {
    if is_export_error(cell) {
        Some(ProblemKind::ExportError)
    } else if is_garbled(cell) {
        Some(ProblemKind::Garbled)
    } else {
        is_unfilled(cell).then_some(ProblemKind::Unfilled)
    }
}

/// A cell in NFC, its line breaks as LF.
fn plain(cell: &str) -> String {
    let composed = compose(cell);
    if composed.contains('\r') { composed.replace("\r\n", "\n").replace('\r', "\n") } else { composed.into_owned() }
}

fn text_problem(cell: &str, rules: Rules) -> Option<ProblemKind> {
    if let (true, Some(kind)) = (rules.is_used, nothing_real(cell)) {
        return Some(kind);
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
