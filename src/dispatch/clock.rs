//! The time of one dispatch: the wall's at its start, carried on by a steady clock.
//!
//! A clock that is set forward or back while a campaign runs, or a machine that sleeps, must neither let a burst
//! through nor make a lane wait for a day. Limits count by the steady clock alone. Times that are written down follow
//! the machine's clock forward, since the steady one stands still while a machine sleeps; they never follow it back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
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

/// The steady clock starts so late that whatever earlier runs did lies after its zero.
pub(super) const HEAD_START: Duration = Duration::from_secs(20 * 365 * 24 * 60 * 60);
/// The machine's clock may be adjusted by so much without anybody following it.
const DRIFT_MAX: Duration = Duration::from_secs(5);

/// See the module. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Clock {
    wall_at_start: Timestamp,
    start: Instant,
    slept_ms: Arc<AtomicU64>,
    #[cfg(test)]
    simulated: Option<Arc<std::sync::Mutex<Now>>>,
}

impl Clock {
    pub(super) fn start() -> Self {
        Self {
            wall_at_start: Timestamp::now(),
            start: Instant::now(),
            slept_ms: Arc::default(),
            #[cfg(test)]
            simulated: None,
        }
    }

    /// One that shows what it is set to.
    #[cfg(test)]
    pub(super) fn simulated(now: Arc<std::sync::Mutex<Now>>) -> Self {
        Self { simulated: Some(now), ..Self::start() }
    }

    pub(super) fn now(&self) -> Now {
        #[cfg(test)]
        if let Some(now) = &self.simulated {
            return *now.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        }
        let elapsed = self.start.elapsed();
        let slept = Duration::from_millis(self.slept_ms.load(Ordering::Relaxed));
        let wall = self.wall_at_start.checked_add(elapsed.saturating_add(slept)).unwrap_or(Timestamp::MAX);
        Now { wall, clock: Timestamp::now(), since_start: HEAD_START + elapsed }
    }

    /// Looks whether the machine slept, or its clock was set forward; follows it if so.
    pub(super) fn catch_up(&self) {
        let Now { wall, clock, .. } = self.now();
        if let Some(slept) = behind(wall, clock) {
            tracing::warn!(seconds = slept.as_secs(), "the machine slept, or its clock was set forward");
            let slept_ms = u64::try_from(slept.as_millis()).unwrap_or(u64::MAX);
            let _ = self
                .slept_ms
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |ms| Some(ms.saturating_add(slept_ms)));
        }
    }
}

/// By how much the time that is written down lags behind the machine's clock, where that is worth following.
fn behind(wall: Timestamp, clock: Timestamp) -> Option<Duration> {
    Duration::try_from(clock.duration_since(wall)).ok().filter(|lag| *lag > DRIFT_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_that_is_written_down_follows_the_machine_forward_and_never_back() {
        let at = |second| Timestamp::from_second(second).unwrap();
        for (wall, clock, slept) in [
            (1000, 1000, None),
            (1000, 1004, None),
            (1000, 1600, Some(600)),
            (1000, 1000 + 86_400, Some(86_400)),
            (100_000, 100_000 - 86_400, None),
        ] {
            assert_eq!(behind(at(wall), at(clock)), slept.map(Duration::from_secs), "{wall} {clock}");
        }
    }

    #[test]
    fn limits_do_not_see_the_sleep() {
        let clock = Clock { wall_at_start: Timestamp::now() - Duration::from_secs(3600), ..Clock::start() };
        let before = clock.now();
        clock.clone().catch_up();
        let after = clock.now();
        assert!(after.wall.duration_since(before.wall).as_secs() >= 3599);
        assert!(after.since_start.saturating_sub(before.since_start) < Duration::from_secs(60));
    }
}
