//! The first reading: every row of every file is checked, officials are kept, constituents are not.
//! Memory grows by eight bytes a constituent. What comes of it is a [`Survey`], from which [`Survey::rows`] reads
//! the files a second time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::aliases::{Alias, Aliases};
use super::columns::Column;
use super::doubts;
use super::error::{ContactsError, FileFault, FileProblem};
use super::guide::Guide;
use super::join::{Found, ListedOfficial, may_be_several};
use super::layout::{Layout, check_settings};
use super::officials::{JoiningCell, Officials, SeveralJurisdictions};
use super::postcodes::Postcodes;
use super::prints::{Prints, print_of};
use super::problem::{Note, NoteKind, Problem, Problems, Sightings};
use super::question::Question;
use super::records::Record;
use super::row::{OddDate, Person, Place, ReadRow, odd_date, read_row};
use super::settings::{ContactsFile, ContactsSettings, Joining};
use super::source::Fingerprint;
use super::suggestions::Suggestion;
use super::table::Table;
use crate::model::{Constituent, Marks, Role, fold};

/// What the first reading found.
pub struct Survey {
    pub(super) settings: ContactsSettings,
    pub(super) files: Vec<SurveyedFile>,
    pub(super) officials: Vec<ListedOfficial>,
    pub(super) guide: Guide,
    several: Vec<SeveralJurisdictions>,
    /// Prints that occur more than once.
    pub(super) twins: Vec<u64>,
    pub(super) constituent_extras: BTreeSet<String>,
    official_extras: BTreeSet<String>,
    constituents: u64,
    blank_rows: u64,
    problems: Problems,
    doubts: Vec<Problem>,
    notes: Vec<Note>,
    also_constituents: Vec<usize>,
}

/// One file as it was at the first reading.
pub(super) struct SurveyedFile {
    pub(super) name: Arc<str>,
    pub(super) headers: Vec<String>,
    /// The header line as it is written.
    pub(super) header_cells: Vec<String>,
    /// What separates its cells.
    pub(super) delimiter: u8,
    pub(super) fingerprint: Fingerprint,
    /// Whether a column that need not be there could stand in several places.
    is_open: bool,
}

/// Reads every file once and checks every row.
///
/// An error means that a file as a whole cannot be used; it lists every such reason. Bad rows are no error: they
/// are in [`Survey::problems`].
pub fn survey(settings: &ContactsSettings) -> Result<Survey, ContactsError> {
    let mut faults = Vec::new();
    if settings.files.is_empty() {
        faults.push(FileFault::NoFiles.at("[contacts]", None));
    }
    let mut tables: Vec<Table> = Vec::new();
    for file in &settings.files {
        match Table::open(file, settings) {
            Ok(table) => tables.push(table),
            Err(fault) => faults.push(fault),
        }
    }
    let all_opened = tables.len() == settings.files.len();
    let layouts: Vec<Layout> = if all_opened { tables.iter().map(|t| t.layout.clone()).collect() } else { Vec::new() };
    faults.extend(check_settings(settings, &layouts).into_iter().map(|f| f.at("[contacts]", None)));
    if all_opened {
        faults.extend(tables.iter().zip(&settings.files).flat_map(|(t, file)| doubts::faults_of(t, file, settings)));
        let are_questions = !faults.is_empty() && faults.iter().all(|fault| fault.question().is_some());
        if are_questions && tables.iter().all(|t| t.faults.is_empty()) {
            return Err(ContactsError::Refused(faults)); // asked first: reading the rows would only take time
        }
    }
    let mut gathered = Gathered::beginning(settings);
    for (index, mut table) in tables.into_iter().enumerate() {
        faults.append(&mut table.faults);
        if let Err(fault) = gathered.read_file(table, index) {
            faults.push(fault);
        }
    }
    if faults.is_empty() {
        gathered.officials.settle(&mut gathered.guide);
    }
    faults.append(&mut gathered.joining_faults());
    if faults.is_empty() { Ok(gathered.settle(settings)) } else { Err(ContactsError::Refused(faults)) }
}

impl Survey {
    /// The officials, in the order of the files, each once.
    pub fn officials(&self) -> &[ListedOfficial] {
        &self.officials
    }

    /// How many rows name a constituent and are in order. A person who stands in two of them counts twice here;
    /// the second reading tells.
    pub fn constituents(&self) -> u64 {
        self.constituents
    }

    /// What is wrong with the rows that are refused.
    pub fn problems(&self) -> &Problems {
        &self.problems
    }

    /// Officials who stand in several rows, and offices with two holders, whose constituents are not joined.
    pub fn doubts_about_officials(&self) -> &[Problem] {
        &self.doubts
    }

    /// What separates the cells of lists that go back to the people who made the files: a semicolon where theirs have
    /// one, since their spreadsheet opens nothing else in columns.
    pub fn delimiter(&self) -> u8 {
        if !self.files.is_empty() && self.files.iter().all(|f| f.delimiter == b';') { b';' } else { b',' }
    }

    /// How many rows had nothing in them.
    pub fn blank_rows(&self) -> u64 {
        self.blank_rows
    }

    /// Accepted spellings, in the order of the alias file.
    pub fn aliases(&self) -> &[Alias] {
        &self.guide.aliases.listed
    }

    /// What a jurisdiction that no official has may mean: for a person to decide about.
    pub fn suggestions(&self, written: &str) -> Vec<Suggestion> {
        self.guide.suggest(&fold(written))
    }

    /// The officials of a jurisdiction, by their numbers; none where nobody or more than one may be meant.
    pub fn officials_of(&self, jurisdiction: &str) -> &[usize] {
        match self.guide.directory.look_up(&fold(jurisdiction)) {
            Found::Officials(officials) => officials,
            Found::Clash(_) | Found::Nobody => &[],
        }
    }

    /// Whether an official has that jurisdiction.
    pub fn has_jurisdiction(&self, jurisdiction: &str) -> bool {
        self.guide.directory.has(&fold(jurisdiction))
    }

    /// People who are officials of several jurisdictions.
    pub fn of_several_jurisdictions(&self) -> &[SeveralJurisdictions] {
        &self.several
    }

    /// What else is worth telling.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// The names of the files, by their numbers.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|f| &*f.name)
    }

    /// Officials without a mailbox, by their numbers.
    pub fn without_mailbox(&self) -> impl Iterator<Item = usize> {
        self.officials.iter().enumerate().filter(|(_, o)| o.official.mailbox.is_none()).map(|(i, _)| i)
    }

    /// Officials whose mailbox is a constituent's too, by their numbers.
    pub fn also_constituents(&self) -> &[usize] {
        &self.also_constituents
    }

    /// What could be asked about columns that need not be there, and stand in no place until it is answered.
    pub fn open_questions(&self) -> Result<Vec<Question>, ContactsError> {
        let open = self.settings.files.iter().zip(&self.files).filter(|(_, file)| file.is_open);
        let open: Vec<&ContactsFile> = open.map(|(file, _)| file).collect();
        doubts::optional(&open, &self.settings).map_err(|problem| ContactsError::Refused(vec![problem]))
    }

    /// Every field of a person that a template may name.
    pub fn known_fields(&self, role: Role) -> BTreeSet<String> {
        let (own, extras): (&[Column], _) = match role {
            Role::Official => {
                (&[Column::Title, Column::Name, Column::Email, Column::Jurisdiction], &self.official_extras)
            }
            Role::Constituent => (&Column::ALL[1..], &self.constituent_extras),
        };
        own.iter().map(|c| c.as_str().to_owned()).chain(extras.iter().cloned()).collect()
    }
}

/// Counts only: everything else may be personal data.
impl std::fmt::Debug for Survey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Survey")
            .field("files", &self.files.len())
            .field("officials", &self.officials.len())
            .field("constituents", &self.constituents)
            .field("rows_refused", &self.problems.rows())
            .finish_non_exhaustive()
    }
}

/// A survey in the making.
#[derive(Default)]
struct Gathered {
    left_out: Marks,
    files: Vec<SurveyedFile>,
    officials: Officials,
    guide: Guide,
    prints: Vec<u64>,
    constituent_extras: BTreeSet<String>,
    official_extras: BTreeSet<String>,
    blank_rows: u64,
    problems: Problems,
    notes: Vec<Note>,
}

/// What is counted for each file.
#[derive(Default)]
struct Tally {
    rows: u64,
    swapped: u64,
    five_digits: u64,
    four_digits: Sightings,
    ambiguous_dates: Sightings,
    serials: Sightings,
    disagreeing: Sightings,
    composed: Sightings,
    role_words: BTreeMap<&'static str, Role>,
}

impl Gathered {
    /// Reads one file to its end.
    fn read_file(&mut self, mut table: Table, index: usize) -> Result<(), FileProblem> {
        self.note_extras(&table);
        let tally = self.read_rows(&mut table, index)?;
        let whole = |fault: FileFault| fault.at(&table.name, None);
        if let Some(fault) = tally.fault(&table) {
            return Err(whole(fault));
        }
        let fingerprint = table.fingerprint().ok_or_else(|| whole(FileFault::Changed))?;
        self.notes.extend(table.notes());
        self.notes.extend(tally.notes(&table.name));
        let is_open = !table.layout.doubts.is_empty();
        let delimiter = table.delimiter();
        self.files.push(SurveyedFile {
            name: table.name,
            headers: table.layout.headers,
            header_cells: table.header_cells,
            delimiter,
            fingerprint,
            is_open,
        });
        Ok(())
    }

    fn read_rows(&mut self, table: &mut Table, index: usize) -> Result<Tally, FileProblem> {
        let header_is_sound = table.layout.is_sound();
        let (mut record, mut tally) = (Record::default(), Tally::default());
        while table.read(&mut record)? {
            let cells = table.cells(&record)?;
            if record.flaws.is_empty() && cells.is_blank() {
                self.blank_rows += 1;
                continue;
            }
            tally.rows += 1;
            if header_is_sound {
                let row = read_row(table, &record, cells);
                self.add(&table.name, row, Place { file: index, line: record.line }, &mut tally);
            }
        }
        Ok(tally)
    }

    fn note_extras(&mut self, table: &Table) {
        let keys = || table.layout.extras.iter().map(|(_, key)| key.clone());
        let has_role_column = table.layout.at(Column::Role).is_some();
        if has_role_column || table.role == Some(Role::Official) {
            self.official_extras.extend(keys());
        }
        if has_role_column || table.role == Some(Role::Constituent) {
            self.constituent_extras.extend(keys());
        }
    }

    fn add(&mut self, file: &Arc<str>, row: ReadRow, place: Place, tally: &mut Tally) {
        if let Some(word) = row.role_word.filter(|w| !w.is_usual()) {
            tally.role_words.insert(word.word, word.role);
        }
        if row.composed {
            tally.composed.add(place.line);
        }
        match row.person {
            Some(Person::Official(official)) => {
                self.official_extras.extend(official.extra.keys().cloned());
                let cell = JoiningCell { key: row.match_key, as_written: row.match_cell };
                self.officials.add(&mut self.guide, file, official, cell, place);
            }
            Some(Person::Constituent(who)) if self.left_out.why(&who).is_some() => {}
            Some(Person::Constituent(constituent)) => {
                self.prints.push(print_of(&constituent));
                tally.look_at(&constituent, place.line);
                if self.guide.disagrees(&row.match_key, &constituent.postcode) {
                    tally.disagreeing.add(place.line);
                }
                if may_be_several(&row.match_key) {
                    self.officials.note_like_several(row.match_key);
                }
            }
            None => {
                tally.swapped += u64::from(row.swapped);
                if row.role == Some(Role::Official) && !row.match_key.is_empty() {
                    self.guide.directory.note_refused(row.match_key, place);
                }
                self.problems.add_row(row.problems);
            }
        }
    }

    /// Nothing read yet but what helps to join.
    fn beginning(settings: &ContactsSettings) -> Self {
        let mut gathered = Self { left_out: settings.left_out.clone(), ..Self::default() };
        match &settings.joining {
            Joining::All => gathered.guide.everyone = Some(Vec::new()),
            Joining::Equal(key) => {
                gathered.guide.aliases = settings.aliases.as_deref().map(Aliases::read).unwrap_or_default();
                gathered.guide.postcodes = settings.postcodes.as_deref().map(|path| Postcodes::read(path, key));
            }
        }
        gathered
    }

    /// What is wrong with the files that help to join.
    fn joining_faults(&mut self) -> Vec<FileProblem> {
        let of_postcodes = self.guide.postcodes.as_mut().map(|table| std::mem::take(&mut table.faults));
        let mut faults = std::mem::take(&mut self.guide.aliases.faults);
        faults.extend(of_postcodes.unwrap_or_default());
        faults
    }

    fn settle(mut self, settings: &ContactsSettings) -> Survey {
        self.notes.append(&mut self.guide.aliases.notes);
        if let Some(table) = &mut self.guide.postcodes {
            self.notes.append(&mut table.notes);
        }
        let Officials { listed: mut officials, doubts, several, .. } = self.officials;
        for listed in &mut officials {
            fill(&mut listed.official.extra, &self.official_extras);
        }
        let constituents = self.prints.len() as u64;
        let prints = Prints::new(self.prints);
        let shared = |o: &ListedOfficial| o.official.mailbox.as_ref().is_some_and(|m| prints.have_mailbox(m));
        let also_constituents = (0..officials.len()).filter(|&i| shared(&officials[i])).collect();
        Survey {
            settings: settings.clone(),
            files: self.files,
            officials,
            guide: self.guide,
            several,
            twins: prints.repeated(),
            constituent_extras: self.constituent_extras,
            official_extras: self.official_extras,
            constituents,
            blank_rows: self.blank_rows,
            problems: self.problems,
            doubts,
            notes: self.notes,
            also_constituents,
        }
    }
}

/// Gives a person every extra field that others have, empty, so that templates find it.
pub(super) fn fill(extra: &mut crate::model::Extra, keys: &BTreeSet<String>) {
    if extra.len() < keys.len() {
        for key in keys {
            if !extra.contains_key(key) {
                extra.insert(key.clone(), String::new());
            }
        }
    }
}

impl Tally {
    fn look_at(&mut self, constituent: &Constituent, line: u64) {
        match odd_date(&constituent.signed_on) {
            Some(OddDate::Ambiguous) => self.ambiguous_dates.add(line),
            Some(OddDate::Serial) => self.serials.add(line),
            None => {}
        }
        let postcode = constituent.postcode.as_str();
        if postcode.bytes().all(|b| b.is_ascii_digit()) {
            match postcode.len() {
                4 => self.four_digits.add(line),
                5 => self.five_digits += 1,
                _ => {}
            }
        }
    }

    /// What the rows together say about the file.
    fn fault(&self, table: &Table) -> Option<FileFault> {
        let label = |column| table.layout.labels(table.layout.places(column));
        if self.rows == 0 && table.layout.is_sound() {
            Some(FileFault::HeaderOnly)
        } else if self.swapped * 2 > self.rows {
            Some(FileFault::Swapped { name: label(Column::Name), email: label(Column::Email) })
        } else {
            None
        }
    }

    fn notes(self, file: &Arc<str>) -> Vec<Note> {
        let short = if self.five_digits > self.four_digits.count { self.four_digits } else { Sightings::default() };
        let means = |(word, role): (&&str, &Role)| match role {
            Role::Official => format!("“{word}”, taken for official"),
            Role::Constituent => format!("“{word}”, taken for constituent"),
        };
        let words: Vec<String> = self.role_words.iter().map(means).collect();
        let words = (!words.is_empty()).then_some(NoteKind::RoleWords(words));
        let words = words.map(|kind| Note { file: Arc::clone(file), kind, count: 1, lines: Vec::new() });
        [
            words,
            self.composed.note(file, NoteKind::Composed),
            self.ambiguous_dates.note(file, NoteKind::AmbiguousDate),
            self.serials.note(file, NoteKind::ExcelSerial),
            self.disagreeing.note(file, NoteKind::PostcodeDisagrees),
            short.note(file, NoteKind::ShortPostcode),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}
