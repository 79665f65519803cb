//! Contact files: bytes → text → columns → people or refused rows; constituents joined to their officials.
//!
//! Files are read twice, row by row. [`survey()`] checks everything and keeps only the officials;
//! [`Survey::rows`] then gives every constituent with their officials. Neither stops at a bad row: each row that
//! is not used is listed with everything that is wrong with it.
//!
//! This module must not guess: it repairs nothing but spaces, case and Unicode's form, and joins only equal
//! keys. It sends nothing and renders nothing.

mod archive;
mod blanks;
mod columns;
mod date_format;
mod decoder;
mod delimiter;
mod encoding;
mod error;
mod given_back;
mod join;
mod kind;
mod number_format;
mod ods;
mod prints;
mod problem;
mod records;
mod refused;
mod row;
mod rows;
mod safe_csv;
mod scratch;
mod settings;
mod sheet;
mod source;
mod spelling;
mod strings;
mod survey;
mod table;
mod xlsx;

pub use columns::Column;
pub use error::{ContactsError, FileFault, FileProblem};
pub use join::{ListedOfficial, MANY_SEAT_TITLES};
pub use problem::{Excerpt, Note, NoteKind, Problem, ProblemKind, Problems, VALUE_CHARS_MAX};
pub use refused::RefusedWriter;
pub use rows::{Row, Rows};
pub use safe_csv::SafeCsv;
pub use settings::{ContactsFile, ContactsSettings, Joining, Reading};
pub use survey::{Survey, survey};
