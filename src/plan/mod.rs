//! Contacts × templates × pace → the plan: who writes to whom, every letter filled in once before a byte is sent,
//! and when the last one would go.
//!
//! Streams: constituents are never all in memory. This module must not write to the ledger and must not send.

mod examine;
mod forecast;
mod likeness;
mod lint;
mod listed;
mod problem_groups;
mod raises;
mod shared;
mod sharing;
mod texts;
mod unjoined;

pub use examine::{LetterProblem, MatchReport, OfficialTally, Seen, examine};
pub use forecast::{Forecast, Speed, Used, Workload, forecast};
pub use likeness::Samples;
pub use lint::{Origin, lint};
pub use listed::Listed;
pub use problem_groups::{Example, ProblemGroup, ProblemGroups};
pub use raises::{Raise, raises};
pub use texts::{Choice, Choices, ChosenFor, NoSuchColumn, Texts};
pub use unjoined::{RowPlace, UnjoinedGroup, UnjoinedGroups, unmatched};
