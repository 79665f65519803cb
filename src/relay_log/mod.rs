//! What a relay's own log tells of our messages: which it took, under which queue id, and what became of them there.
//!
//! A log is read once, line by line, packed or not, whatever its size; bytes that are no log are passed by. A message counts as taken
//! only where the log says that it was queued: that its text began to arrive proves nothing. This module must not open
//! files, and must not decide what becomes of a message.
//!
//! - a file: `file`; a line: `line` (Postfix's and Exim's), in JSON: `journal`, its time: `moment`
//! - all of them: `search`; over which times they tell something: `cover`; what was found: `finding`

mod cover;
mod file;
mod finding;
mod journal;
mod line;
mod moment;
mod search;

pub use file::LogFile;
pub use finding::{Fate, Finding, Found, Hole, Place, Proof};
pub use moment::Zone;
pub use search::{ReadError, Search, Sought};
