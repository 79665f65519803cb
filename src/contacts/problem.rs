//! What can be wrong with a row, and what is worth telling about rows that are right.
//!
//! A problem holds a person's data so that staff can find the cell; its debug output does not.

use std::fmt;
use std::sync::Arc;

use crate::model::{AddressError, NameError, printable};

/// How many characters of a cell a problem shows.
pub(super) const VALUE_CHARS_MAX: usize = 80;

/// One thing that is wrong with one row.
#[derive(Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file as it was named.
    pub file: Arc<str>,
    /// The line on which the row starts; the header is line 1.
    pub line: u64,
    /// The header of the column, where it is about one.
    pub column: Option<String>,
    /// What stands in the cell: printable, cut. Personal data.
    pub value: String,
    /// What is wrong.
    pub kind: ProblemKind,
    /// What to do.
    pub advice: String,
}

/// The kinds of problems. `Display` says what is wrong, without the cell's value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProblemKind {
    /// Too few or too many cells.
    #[error("the row has {cells} cells and the header has {columns}")]
    Ragged {
        /// In this row.
        cells: usize,
        /// In the header.
        columns: usize,
    },
    /// `"text"more`.
    #[error("text follows a closing quotation mark")]
    TextAfterQuote,
    /// A cell, row or number of columns over the limit.
    #[error("{0}")]
    TooBig(&'static str),
    /// Neither official nor constituent.
    #[error("the role is neither official nor constituent")]
    Role,
    /// Nothing in a cell that must be filled.
    #[error("the cell is empty")]
    Empty,
    /// Not a name.
    #[error("{}", parts(&.0.to_string()).0)]
    Name(NameError),
    /// Not an address.
    #[error("{}", parts(&.0.to_string()).0)]
    Address(AddressError),
    /// A control character.
    #[error("it has a control character")]
    Control,
    /// A line break or tab where there must be one line.
    #[error("it has a line break or a tab")]
    LineBreak,
    /// An invisible or direction-changing character.
    #[error("it has an invisible character")]
    Invisible,
    /// More characters than its kind of cell may have.
    #[error("it is longer than {chars_max} characters")]
    TooLong {
        /// The limit.
        chars_max: usize,
    },
    /// `#N/A`, `NULL` and the like.
    #[error("a formula or an export went wrong here")]
    ExportError,
    /// `____`, `[NAME]`, `TBD` and the like.
    #[error("it is a blank that was not filled in")]
    Unfilled,
    /// `J�rg`, `JÃ¶rg`.
    #[error("letters were garbled before this file was made")]
    Garbled,
    /// No official has this jurisdiction.
    #[error("no official has this {match_key}")]
    Unmatched {
        /// The column that joins.
        match_key: String,
    },
    /// The table of postcodes does not have this one, and nothing else joins the row.
    #[error("this postcode is not in the table of postcodes")]
    UnknownPostcode,
    /// The table of postcodes has a jurisdiction for this one, and no official has that.
    #[error("the table has “{0}” for this postcode, which no official has")]
    PostcodeOfNobody(String),
    /// The table of postcodes has this one in several jurisdictions, and nothing else joins the row.
    #[error("this postcode is in several jurisdictions: {0}")]
    PostcodeOfSeveral(String),
    /// Two officials hold one office that has a single holder.
    #[error("two officials are “{title}” here")]
    Ambiguous {
        /// The office.
        title: String,
    },
    /// The same person stands in an earlier row.
    #[error("the same person is already in line {of_line}")]
    Duplicate {
        /// The file of the earlier row.
        of_file: Arc<str>,
        /// Its line.
        of_line: u64,
    },
    /// An official stands in two rows that differ in the title only: two letters to one person.
    #[error("the same official is in line {of_line} under another title")]
    TwoTitles {
        /// The earlier line.
        of_line: u64,
    },
}

impl ProblemKind {
    /// The name of the kind for programs: it stays.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Ragged { .. } => "ragged",
            Self::TextAfterQuote => "text_after_quote",
            Self::TooBig(_) => "too_big",
            Self::Role => "role",
            Self::Empty => "empty",
            Self::Name(_) => "name",
            Self::Address(_) => "address",
            Self::Control => "control_character",
            Self::LineBreak => "line_break",
            Self::Invisible => "invisible_character",
            Self::TooLong { .. } => "too_long",
            Self::ExportError => "export_error",
            Self::Unfilled => "unfilled",
            Self::Garbled => "garbled",
            Self::Unmatched { .. } => "unmatched",
            Self::UnknownPostcode => "unknown_postcode",
            Self::PostcodeOfNobody(_) => "postcode_of_nobody",
            Self::PostcodeOfSeveral(_) => "postcode_of_several",
            Self::Ambiguous { .. } => "ambiguous",
            Self::Duplicate { .. } => "duplicate",
            Self::TwoTitles { .. } => "two_titles",
        }
    }

    /// What is wrong, in words that are true of all problems of one kind.
    pub fn headline(&self) -> String {
        match self {
            Self::Ragged { .. } => "the row has more or fewer cells than the header".to_owned(),
            Self::Ambiguous { title } if title.is_empty() => "two officials hold one office here".to_owned(),
            Self::Duplicate { .. } => "the same person is already in an earlier line".to_owned(),
            Self::TwoTitles { .. } => "the same official is in an earlier line under another title".to_owned(),
            other => other.to_string(),
        }
    }

    /// What to do about it, in general.
    pub(super) fn advice(&self) -> String {
        let advice = match self {
            Self::Ragged { .. } => "put quotation marks around cells with a comma, and give every column a cell",
            Self::TextAfterQuote => "put the whole cell in quotation marks and double those inside it",
            Self::TooBig(_) => "shorten it; is a quotation mark missing?",
            Self::Role => "write official or constituent",
            Self::Empty => "fill it in",
            Self::Name(error) => return parts(&error.to_string()).1,
            Self::Address(error) => return parts(&error.to_string()).1,
            Self::Control | Self::Invisible => "type it again by hand",
            Self::Garbled => "type it again by hand, or export the list again as “CSV UTF-8”",
            Self::LineBreak => "keep it on one line",
            Self::TooLong { .. } => "shorten it; is it in the right column?",
            Self::Unfilled => "put the real value there, or leave the cell empty if it may be",
            Self::ExportError => "put the real value there, or leave the cell empty",
            Self::Unmatched { .. } => "correct it, or add the official",
            Self::UnknownPostcode => "correct it, add it to the table, or fill in the jurisdiction",
            Self::PostcodeOfNobody(_) => "correct the table, or add the official",
            Self::PostcodeOfSeveral(_) => "fill in the jurisdiction of this person",
            Self::Ambiguous { .. } => "keep the right one, or give each a jurisdiction of its own",
            Self::Duplicate { .. } => "only the earlier row counts",
            Self::TwoTitles { .. } => "remove one, or this person gets two letters from everybody",
        };
        advice.to_owned()
    }
}

/// An error of the model as what is wrong and what to do.
fn parts(message: &str) -> (String, String) {
    let (what, advice) = message.split_once("; ").unwrap_or((message, "correct it, or ask the person"));
    (what.to_owned(), advice.to_owned())
}

impl Problem {
    /// A problem with the usual advice, about the whole row.
    pub(super) fn new(file: &Arc<str>, line: u64, kind: ProblemKind) -> Self {
        let advice = kind.advice();
        Self { file: Arc::clone(file), line, column: None, value: String::new(), kind, advice }
    }

    /// The same, about one cell.
    pub(super) fn in_cell(mut self, column: String, value: &str) -> Self {
        self.column = Some(column);
        self.value = printable(value, VALUE_CHARS_MAX);
        self
    }

    /// The same, with better advice.
    pub(super) fn advising(mut self, advice: String) -> Self {
        self.advice = advice;
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}", self.file, self.line)?;
        if let Some(column) = &self.column {
            write!(f, ", {column}")?;
        }
        if !self.value.is_empty() {
            write!(f, " “{}”", self.value)?;
        }
        write!(f, ": {}; {}", self.kind, self.advice)
    }
}

/// Without the cell's value, because debug output ends in logs.
impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Problem").field("line", &self.line).field("kind", &KindName(&self.kind)).finish_non_exhaustive()
    }
}

struct KindName<'a>(&'a ProblemKind);

impl fmt::Debug for KindName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The problems of all rows: all counted, the first ones kept.
#[derive(Debug, Clone, Default)]
pub struct Problems {
    kept: Vec<Problem>,
    count: u64,
    rows: u64,
}

impl Problems {
    /// How many are kept with their details.
    pub const KEPT_MAX: usize = 10_000;

    /// Adds all problems of one row.
    pub(super) fn add_row(&mut self, problems: Vec<Problem>) {
        self.rows += u64::from(!problems.is_empty());
        self.count += problems.len() as u64;
        let room = Self::KEPT_MAX - self.kept.len();
        self.kept.extend(problems.into_iter().take(room));
    }

    /// The first ones, in the order of the files.
    pub fn kept(&self) -> &[Problem] {
        &self.kept
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// In how many rows they are: the rows that are refused.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

/// A few words of a file for staff's eyes. Personal data, so its debug output hides them.
#[derive(Clone, PartialEq, Eq)]
pub struct Excerpt(String);

impl Excerpt {
    pub(super) fn new(text: &str) -> Self {
        Self(printable(text, 40))
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Something worth telling about a file that is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The file as it was named.
    pub file: Arc<str>,
    /// What.
    pub kind: NoteKind,
    /// In how many rows or columns.
    pub count: u64,
    /// The first lines, at most [`Note::LINES_MAX`].
    pub lines: Vec<u64>,
}

/// The kinds of notes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteKind {
    /// Its text is in another encoding than UTF-8.
    #[error("read as {name}{}", samples_shown(.samples))]
    Encoding {
        /// The encoding's name, which the setting takes too.
        name: &'static str,
        /// Some words of it as they were read.
        samples: Vec<Excerpt>,
    },
    /// A line of the alias file that leads to nobody.
    #[error("“{written}” is said to mean “{means}”, which no official has; correct or remove the line")]
    AliasMeansNobody {
        /// The spelling.
        written: String,
        /// Its meaning.
        means: String,
    },
    /// A line of the alias file that nobody needs.
    #[error("the line for “{0}” has no effect, since an official has this jurisdiction itself; remove it")]
    AliasUseless(String),
    /// A constituent's jurisdiction is another than their postcode's.
    #[error("the jurisdiction is another than the one that the table has for the postcode; the jurisdiction counts")]
    PostcodeDisagrees,
    /// Its cells are separated by something else than commas.
    #[error("cells are separated by {}", match .0 { '\t' => "tabs".to_owned(), c => format!("“{c}”") })]
    Delimiter(char),
    /// The sheet that was read, where others have data too.
    #[error("the sheet “{}” was read; another is named as sheet = \"…\" under [contacts]", printable(.0, 60))]
    Sheet(String),
    /// Rows that the spreadsheet hides.
    #[error("hidden rows of the sheet are used like all others; delete them there if they are not meant")]
    HiddenRows,
    /// Cells whose form depends on the country of the reader, or is not known.
    #[error("a date or number is not written as the sheet shows it, but plainly (dates as 2026-03-04)")]
    PlainCells,
    /// Invisible characters or no-break spaces were taken out of a header.
    #[error("invisible characters in the header “{0}” were left out")]
    HeaderCleaned(String),
    /// Columns were found under other names than ours.
    #[error("columns by their names:{}", lines(.0))]
    Recognised(Vec<String>),
    /// Several columns could be one of ours that need not be there.
    #[error("{headers} could be {column};\n      say which below [contacts.columns] in config.toml, or none is taken")]
    Undecided {
        /// Our column.
        column: String,
        /// The headers.
        headers: String,
    },
    /// A role column has other words than official and constituent.
    #[error("words in the role column:{}", lines(.0))]
    RoleWords(Vec<String>),
    /// A column is not used: it has no header, or another was named for its purpose.
    #[error("the column {0} is not used: it has no header, or [contacts.columns] names another for it")]
    UnusedColumn(String),
    /// Decomposed letters were composed.
    #[error("letters with separate accents were put together (Unicode NFC)")]
    Composed,
    /// A date that two countries read differently.
    #[error("a date such as 03/04/2026 can be March or April; it is used as written")]
    AmbiguousDate,
    /// A date that Excel shows as a number.
    #[error("a date of signing is a bare number, as Excel stores dates; it is used as written")]
    ExcelSerial,
    /// A postcode that is shorter than the others.
    #[error("a postcode has 4 digits and most have 5; a leading zero may be lost; it is used as written")]
    ShortPostcode,
}

fn samples_shown(samples: &[Excerpt]) -> String {
    let quoted: Vec<String> = samples.iter().map(|s| format!("“{s}”")).collect();
    if quoted.is_empty() {
        String::new()
    } else {
        format!(": {}; if that is wrong, name the right one as encoding = \"…\" under [contacts]", quoted.join(", "))
    }
}

/// Each on a line of its own, so that many fit a terminal.
fn lines(texts: &[String]) -> String {
    texts.iter().flat_map(|text| ["\n      ", text]).collect()
}

impl Note {
    /// How many lines a note names.
    pub const LINES_MAX: usize = 20;
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file, self.kind)?;
        match self.lines.as_slice() {
            [] => Ok(()),
            [line] => write!(f, " (line {line})"),
            [first, ..] => write!(f, " ({} rows, the first in line {first})", self.count),
        }
    }
}

/// Rows of one kind seen so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Sightings {
    pub(super) count: u64,
    lines: Vec<u64>,
}

impl Sightings {
    pub(super) fn add(&mut self, line: u64) {
        self.count += 1;
        if self.lines.len() < Note::LINES_MAX {
            self.lines.push(line);
        }
    }

    /// The note about them, when there are any.
    pub(super) fn note(self, file: &Arc<str>, kind: NoteKind) -> Option<Note> {
        (self.count > 0).then(|| Note { file: Arc::clone(file), kind, count: self.count, lines: self.lines })
    }
}
