//! Contact files: bytes → text → columns → people or refused rows; constituents joined to their officials.
//!
//! Files are read twice, row by row. [`survey()`] checks everything and keeps only the officials;
//! [`Survey::rows`] then gives every constituent with their officials. Neither stops at a bad row: each row that
//! is not used is listed with everything that is wrong with it.
//!
//! This module must not guess: it repairs nothing but spaces, case and Unicode's form, and joins only equal
//! keys. It sends nothing and renders nothing.

mod aliases;
mod archive;
mod beside;
mod blanks;
mod columns;
mod date_format;
mod decisions;
mod decoder;
mod delimiter;
mod doubts;
mod encoding;
mod error;
mod garbled;
mod given_back;
mod glance;
mod guide;
mod join;
mod kind;
mod known_headers;
mod layout;
mod likeness;
mod number_format;
mod ods;
mod officials;
mod pairs;
mod postcodes;
mod prints;
mod problem;
mod question;
mod recognise;
mod records;
mod reduced;
mod refused;
mod row;
mod rows;
mod safe_csv;
mod sample;
mod scratch;
mod settings;
mod sheet;
mod source;
mod spelling;
mod strings;
mod survey;
mod swallowed;
mod table;
mod whole;
mod xlsx;

pub use aliases::{Alias, add_aliases};
pub use beside::BesideWriter;
pub use columns::Column;
pub use decisions::{Decisions, Taken};
pub use error::{ContactsError, FileFault, FileProblem};
pub use glance::{Glance, Seen, glance, glance_as};
pub use join::{ListedOfficial, MANY_SEAT_TITLES};
pub use likeness::Suggestion;
pub use officials::SeveralJurisdictions;
pub use problem::{Excerpt, Note, NoteKind, Problem, ProblemKind, Problems, VALUE_CHARS_MAX};
pub use question::{Answer, Choice, Question};
pub use refused::RefusedWriter;
pub use rows::{Row, Rows, Sought};
pub use safe_csv::SafeCsv;
pub use settings::{ContactsFile, ContactsSettings, Joining, NOTE_CHARS_MAX, Reading};
pub use survey::{Survey, survey};
pub use whole::{Standing, WholeRow, WholeRows};
