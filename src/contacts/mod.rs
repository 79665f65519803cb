//! Contact files: bytes → text → columns → people or refused rows; constituents joined to their officials.
//!
//! Files are read twice, row by row. [`survey()`] checks everything and keeps only the officials;
//! [`Survey::rows`] then gives every constituent with their officials. Neither stops at a bad row: each row that
//! is not used is listed with everything that is wrong with it.
//!
//! This module must not guess: it repairs nothing but spaces, case and Unicode's form, and joins only equal
//! keys. It sends nothing and renders nothing.

mod aliases;
mod columns;
mod decoder;
mod delimiter;
mod encoding;
mod error;
mod guide;
mod join;
mod likeness;
mod officials;
mod pairs;
mod postcodes;
mod prints;
mod problem;
mod records;
mod reduced;
mod refused;
mod row;
mod rows;
mod safe_csv;
mod settings;
mod source;
mod spelling;
mod survey;
mod table;

pub use aliases::{Alias, add_aliases};
pub use columns::Column;
pub use error::{ContactsError, FileFault, FileProblem};
pub use join::{ListedOfficial, MANY_SEAT_TITLES};
pub use likeness::Suggestion;
pub use officials::SeveralJurisdictions;
pub use problem::{Note, NoteKind, Problem, ProblemKind, Problems, VALUE_CHARS_MAX};
pub use refused::RefusedWriter;
pub use rows::{Row, Rows, Sought};
pub use safe_csv::SafeCsv;
pub use settings::{ContactsFile, ContactsSettings, Joining, Reading};
pub use survey::{Survey, survey};
