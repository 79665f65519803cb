//! What a log proved of each message.

use jiff::Timestamp;

use crate::model::MessageId;

/// Where in the logs something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Which file, by its number.
    pub file: usize,
    /// Which line; the first is 1.
    pub line: u64,
}

/// What the relay did with a message that it took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Passed it on.
    PassedOn,
    /// Could not pass it on yet.
    Deferred,
    /// Could not pass it on at all.
    Bounced,
    /// Could not pass it on in time.
    Expired,
}

/// That the relay took it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The relay's name for it.
    pub queue_id: String,
    /// When it was queued, where the line says that.
    pub at: Option<Timestamp>,
    /// Where that stands.
    pub place: Place,
    /// What became of it there, as far as the log tells.
    pub fate: Option<Fate>,
    /// How many copies the relay took that were not passed on from one of its queues to another.
    pub copies: usize,
}

/// What a log tells of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// The relay took it.
    Taken(Proof),
    /// It began to arrive, and the relay threw it away: the connection broke inside its text, or it was refused.
    ThrownAway(Place),
    /// It began to arrive, and whether it was queued is not told.
    Unclear(Place),
    /// Nothing of it. `is_covered`: the log has lines of its hand-over, from before it and from well after, without a hole.
    Nothing {
        /// See there.
        is_covered: bool,
    },
}

/// Why the silence of the logs proves nothing, whatever time they cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hole {
    /// They say themselves that lines were dropped, or have zeros in place of lines.
    Lost,
    /// An entry of a journal could not be read.
    Unread,
    /// The packed file of that number breaks off.
    Cut(usize),
    /// No line of the file of that number has a time that can be read.
    NoTimes(usize),
}

/// A message and what was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which message.
    pub message: MessageId,
    /// What the log tells.
    pub found: Found,
}
