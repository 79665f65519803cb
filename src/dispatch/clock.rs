//! The time of one dispatch: the wall's at its start, carried on by a steady clock.
//!
//! A clock that is set forward or back while a campaign runs, or a machine that sleeps, must neither let a burst
//! through nor make a lane wait for a day.

use std::time::{Duration, Instant};

use jiff::Timestamp;

/// A moment of a dispatch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    /// As it is written down.
    pub(super) wall: Timestamp,
    /// By the machine's clock, for what people mean by it: office hours and deadlines.
    pub(super) clock: Timestamp,
    /// Since some time before the dispatch began.
    pub(super) since_start: Duration,
}

/// The steady clock starts so late that what earlier runs did within a day lies after its zero.
const HEAD_START: Duration = Duration::from_secs(2 * 24 * 60 * 60);

/// See the module.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    wall_at_start: Timestamp,
    start: Instant,
}

impl Clock {
    pub(super) fn start() -> Self {
        Self { wall_at_start: Timestamp::now(), start: Instant::now() }
    }

    pub(super) fn now(&self) -> Now {
        let elapsed = self.start.elapsed();
        let wall = self.wall_at_start.checked_add(elapsed).unwrap_or(Timestamp::MAX);
        Now { wall, clock: Timestamp::now(), since_start: HEAD_START + elapsed }
    }
}
