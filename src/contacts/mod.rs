//! Contact files: bytes → text → columns → people or refused rows; constituents joined to their officials.
//!
//! Files are read twice, row by row. [`survey()`] checks everything and keeps only the officials;
//! [`Survey::rows`] then gives every constituent with their officials. Neither stops at a bad row: each row that
//! is not used is listed with everything that is wrong with it.
//!
//! Where to look:
//!
//! - a file as text: `source` (`kind`, `encoding`, `plausible`, `decoder`, `spreadsheet`), `delimiter`, `records`
//! - its columns: `layout` (`columns`, `known_headers`, `recognise`), what is not certain: `doubts`, `question`, `sample`, `glance`
//! - its rows: `table`, `row` (`unfilled`, `garbled`, `swallowed`), what is wrong with them: `problem`
//! - who is joined to whom: `guide` (`join`, `aliases`, `postcodes`, `pairs`, `officials`), what may be meant: `suggestions`,
//!   `place_name`, and what staff say to it: `decisions`
//! - rows that name somebody, and a file without them: `naming`
//! - files for staff: `safe_csv`, `refused`, `given_back`, `beside` (by `whole`)
//! - a list of mailboxes alone: `mailboxes`
//!
//! This module must not guess: it repairs nothing but spaces, case and Unicode's form, and joins only equal
//! keys. It sends nothing and renders nothing.

mod aliases;
mod beside;
mod columns;
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
mod leftovers;
mod mailboxes;
mod naming;
mod officials;
mod pairs;
mod place_name;
mod plausible;
mod postcodes;
mod prints;
mod problem;
mod question;
mod recognise;
mod records;
mod refused;
mod row;
mod rows;
mod safe_csv;
mod sample;
mod settings;
mod source;
mod spreadsheet;
mod suggestions;
mod survey;
mod swallowed;
mod table;
mod unfilled;
mod whole;

pub use aliases::{Alias, add_aliases};
pub use beside::BesideWriter;
pub use columns::Column;
pub use decisions::{Decisions, Taken};
pub use error::{ContactsError, FileFault, FileProblem};
pub use glance::{Glance, Seen, glance, glance_as};
pub use join::ListedOfficial;
pub use leftovers::sweep_leftovers;
pub use mailboxes::{Mailboxes, NoMailbox, mailboxes};
pub use naming::{Named, Naming, NamingError, Whose, is_workbook, rows_naming, take_out_rows_naming};
pub use officials::SeveralJurisdictions;
pub use problem::{Excerpt, Note, NoteKind, Problem, ProblemKind, Problems};
pub use question::{Answer, Choice, Question};
pub use refused::RefusedWriter;
pub use rows::{Row, Rows, Sought};
pub use safe_csv::SafeCsv;
pub use settings::{ContactsFile, ContactsSettings, Joining, NOTE_CHARS_MAX, Reading};
pub use suggestions::Suggestion;
pub use survey::{Survey, survey};
pub use whole::{Standing, WholeRow, WholeRows};
