//! What a relay's own log tells of our messages: which it took, under which queue id, and what became of them there.
//!
//! A log is read once, line by line, whatever its size; bytes that are no log are passed by. A message counts as taken
//! only where the log says that it was queued: that its text began to arrive proves nothing. This module must not open
//! files, and must not decide what becomes of a message.
//!
//! - a line: `line` (Postfix's and Exim's), its time: `moment`
//! - all of them: `search`; what was found: `finding`

mod finding;
mod line;
mod moment;
mod search;

pub use finding::{Fate, Finding, Found, Place, Proof};
pub use moment::Zone;
pub use search::{LogFile, Search, Sought};
