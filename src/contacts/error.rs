//! Why contact files as a whole cannot be used. Trouble with a single row is a [`super::Problem`], not an error.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::problem::Excerpt;
use super::question::Question;

/// What can go wrong with contact files.
#[derive(Debug, thiserror::Error)]
pub enum ContactsError {
    /// They cannot be used as they are: every reason, of every file.
    #[error("{}", list(.0))]
    Refused(Vec<FileProblem>),
    /// A file is not what it was at the first reading.
    #[error(
        "{file} changed while it was being read, so nothing of it is used; save it, close it and run the command again"
    )]
    Changed {
        /// The file as it was named.
        file: String,
    },
    /// The list of refused rows cannot be written.
    #[error("{} cannot be written: {reason}; nothing was changed there", path.display())]
    Unwritable {
        /// Where to.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
}

impl ContactsError {
    /// The questions, when nothing else stands in the way.
    pub fn questions(&self) -> Option<Vec<&Question>> {
        let Self::Refused(problems) = self else { return None };
        problems.iter().map(FileProblem::question).collect()
    }
}

/// One reason why a file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileProblem {
    /// The file as it was named, or the part of the settings.
    pub file: String,
    /// The line (the first is 1), where it is about one.
    pub line: Option<u64>,
    /// What is wrong.
    pub fault: FileFault,
}

/// What can be wrong with a file. The messages say what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileFault {
    /// No file was named at all.
    #[error("no contact file is named; name one under [contacts]")]
    NoFiles,
    /// Not there.
    #[error("there is no such file; check its name and where it is")]
    Absent,
    /// There, but the system does not give it.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    /// Not a file of text.
    #[error("it is {is}; {advice}")]
    NotText {
        /// What it is instead.
        is: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// It was written to meanwhile.
    #[error("it changed while it was being read; save it, close it and run the command again")]
    Changed,
    /// Nothing in it.
    #[error("it is empty; a contact file has a header line and a line for every person")]
    Empty,
    /// A list without a column of addresses.
    #[error(
        "no column is known to hold e-mail addresses; name one “email” in the first line, or write one address a line"
    )]
    NoAddresses,
    /// Headers without people.
    #[error("it has headers but no people; add a line for every person")]
    HeaderOnly,
    /// Text of another encoding.
    #[error(
        "it is not UTF-8 in the column {column} (byte 0x{byte:02X}, as Excel's plain “CSV” writes ü or é); save it as “CSV UTF-8”"
    )]
    NotUtf8 {
        /// The header, or the number of the column.
        column: String,
        /// The byte that cannot be.
        byte: u8,
    },
    /// Text that is not in the encoding that was named for it.
    #[error(
        "it is not {encoding} in the column {column}, though the settings or the file's first bytes say so; correct that"
    )]
    NotInEncoding {
        /// The encoding's name.
        encoding: &'static str,
        /// The header, or the number of the column.
        column: String,
    },
    /// A text that can be read in several encodings.
    #[error(
        "it is not UTF-8, and which encoding it is in is not clear: line {line}, {}; save it as “CSV UTF-8”, or name the one that reads rightly as encoding = \"…\" under [contacts] in config.toml",
        readings_shown(.readings)
    )]
    UnclearEncoding {
        /// A line that shows it.
        line: u64,
        /// One word of it as each encoding reads it.
        readings: Vec<(Excerpt, &'static str)>,
    },
    /// A spreadsheet that cannot be read.
    #[error("the spreadsheet is damaged ({0}); open it, save it again and try once more")]
    Damaged(String),
    /// A spreadsheet under a password.
    #[error("the spreadsheet is locked with a password; save it without one, or save the sheet as “CSV UTF-8”")]
    Locked,
    /// A spreadsheet that unpacks to far more than it should.
    #[error("the spreadsheet unpacks to far more than a list of people can need; save the sheet as “CSV UTF-8”")]
    TooBigInside,
    /// A spreadsheet in which no sheet that is shown has anything in it.
    #[error(
        "no sheet that is shown has anything in it; show the one with the people, or name it as sheet = \"…\" under [contacts]"
    )]
    NoSheet,
    /// A sheet without a cell that is filled.
    #[error("the sheet is empty; name the one with the people as sheet = \"…\" under [contacts]")]
    NoCells,
    /// No sheet of the name that the settings say.
    #[error("there is no sheet “{wanted}”; there are {names}")]
    NoSuchSheet {
        /// What was looked for.
        wanted: String,
        /// The names that there are.
        names: String,
    },
    /// A delimiter that cannot be one.
    #[error("a delimiter is one character such as , or ; or a tab, and no quotation mark or line end; correct it")]
    BadDelimiter,
    /// An encoding that nobody knows.
    #[error("there is no encoding “{0}”; some that there are: utf-8, utf-16le, windows-1252, iso-8859-15, macintosh")]
    UnknownEncoding(String),
    /// A quotation mark that nothing closes, or that closes lines later in the middle of a text.
    #[error(
        "a quotation mark opens here and is not closed where the cell ends, so that other lines are swallowed; close or remove it"
    )]
    UnterminatedQuote,
    /// The first line holds a person.
    #[error("the first line looks like a person, not like headers; put a line with the names of the columns above it")]
    NoHeader,
    /// The first line is a title, or is not cut into cells.
    #[error(
        "only one cell is filled here, “{0}”, where the headers should be; delete what stands above the headers, or, if these are the headers, say what separates them by delimiter = \"…\" under [contacts] in config.toml"
    )]
    OneHeader(String),
    /// The header line is broken in itself.
    #[error("the header line cannot be read: {0}; correct it")]
    BadHeader(String),
    /// More columns than anybody has.
    #[error("it has more than {max} columns; remove those that the letter does not need")]
    TooManyColumns {
        /// The limit.
        max: usize,
    },
    /// Two columns of one name.
    #[error("the column “{0}” is there twice (case, spaces and punctuation do not count); rename or remove one")]
    SameHeader(String),
    /// A column whose name templates use for something else.
    #[error("a column cannot be called “{0}”, since templates use that word for something else; rename it")]
    ReservedHeader(String),
    /// A column that must be there.
    #[error("there is no column “{column}”; add it, or name yours under [contacts.columns]{} (the file has: {headers})", of_one_role(.column))]
    MissingColumn {
        /// The header that was looked for.
        column: String,
        /// The headers that are there.
        headers: String,
    },
    /// Only a person can say which column is which.
    #[error("{0}")]
    Unsure(Box<Question>),
    /// Names stand where addresses should, and addresses where names should.
    #[error(
        "the columns “{name}” and “{email}” are swapped: most names are addresses and most addresses are not; swap their headers"
    )]
    Swapped {
        /// The header of the names.
        name: String,
        /// The header of the addresses.
        email: String,
    },
    /// A setting names a column that we do not have.
    #[error("“{name}” is not a column of ours{}; ours are role, title, name, email, jurisdiction, address, postcode, signed_on and note", meant(.nearest.as_deref()))]
    UnknownColumn {
        /// What was written.
        name: String,
        /// The nearest of ours.
        nearest: Option<&'static str>,
    },
    /// Two of our columns are mapped to one header.
    #[error("“{0}” is named for two columns; a header can only be one of them")]
    MappedTwice(String),
    /// A column that cannot be put together is.
    #[error("{column} is to be {headers} here, but stands in one column; name one under [contacts.columns]")]
    Divided {
        /// Our column.
        column: &'static str,
        /// The headers.
        headers: String,
    },
    /// No file has the header that a setting names.
    #[error("no file has the column “{header}”, which is named for {column}; correct the name or remove the line")]
    MappedAbsent {
        /// Our column.
        column: &'static str,
        /// The header that was looked for.
        header: String,
    },
    /// A file of pairs without its two columns.
    #[error("its first line must name the columns “{left}” and “{right}” (it has: {headers})")]
    PairColumns {
        /// The first column.
        left: &'static str,
        /// The second one.
        right: &'static str,
        /// The headers that are there.
        headers: String,
    },
    /// Nothing in one cell of a pair.
    #[error("there is nothing in the column {column}; fill it in or remove the line")]
    HalfPair {
        /// The header.
        column: String,
    },
    /// A line of a pair that cannot be read.
    #[error("{0} cannot be right; write the line again by hand")]
    BadPair(String),
    /// A spelling with two meanings.
    #[error("“{written}” is in line {other_line} with another meaning; keep one of the two lines")]
    TwoMeanings {
        /// The spelling.
        written: String,
        /// The earlier line.
        other_line: u64,
    },
    /// A spelling that is an official's own jurisdiction.
    #[error(
        "an official has the jurisdiction “{written}” itself, so it cannot mean “{means}”; remove the line, or correct the official's jurisdiction"
    )]
    AliasHides {
        /// The spelling.
        written: String,
        /// Its meaning.
        means: String,
    },
    /// A decision that leads to nobody.
    #[error("no official has the jurisdiction “{0}”; write one that an official has, or leave the cell empty")]
    MeansNobody(String),
    /// A decision about a spelling that has a line in the alias file.
    #[error("line {line} of the alias file says that “{written}” means “{means}”; correct or remove that line first")]
    MeansAlready {
        /// The spelling.
        written: String,
        /// Its meaning there.
        means: String,
        /// Its line there.
        line: u64,
    },
    /// A file that lines cannot be added to.
    #[error("lines can only be added to plain CSV in UTF-8; save it as “CSV UTF-8” and try again")]
    NotPlainCsv,
    /// Something else than a postcode.
    #[error("“{0}” is no postcode; a postcode has letters and digits, at most 12; one line for each; correct it")]
    NotPostcode(String),
    /// A table without a line.
    #[error("it has no postcodes; add lines of a postcode and its jurisdiction, or remove postcodes from config.toml")]
    NoPostcodes,
    /// People cannot be joined by that column.
    #[error(
        "match_key cannot be “{0}”; name the column that officials and constituents have in common, such as jurisdiction"
    )]
    BadMatchKey(String),
}

impl FileProblem {
    pub(super) fn question(&self) -> Option<&Question> {
        match &self.fault {
            FileFault::Unsure(question) => Some(question),
            _ => None,
        }
    }
}

impl FileFault {
    /// The fault in a file, at a line where it is about one.
    pub(super) fn at(self, file: &str, line: Option<u64>) -> FileProblem {
        FileProblem { file: file.to_owned(), line, fault: self }
    }
}

impl From<io::Error> for FileFault {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Absent,
            _ => Self::Unreadable(error.to_string()),
        }
    }
}

impl fmt::Display for FileProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            _ if matches!(self.fault, FileFault::Unsure(_)) => write!(f, "{}", self.fault),
            Some(line) => write!(f, "{}, line {line}: {}", self.file, self.fault),
            None => write!(f, "{}: {}", self.file, self.fault),
        }
    }
}

fn of_one_role(column: &str) -> &'static str {
    if column == "role" {
        ", or name a file of officials alone and one of constituents alone under [contacts]"
    } else {
        ""
    }
}

fn list(problems: &[FileProblem]) -> String {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

fn readings_shown(readings: &[(Excerpt, &str)]) -> String {
    let each: Vec<String> = readings.iter().map(|(text, encoding)| format!("“{text}” as {encoding}")).collect();
    each.join(", ")
}

fn meant(nearest: Option<&str>) -> String {
    nearest.map(|n| format!(" (did you mean “{n}”?)")).unwrap_or_default()
}
