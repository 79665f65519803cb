//! The relay's clock: when to try a relay again after trouble that was not about any recipient.
//!
//! It delays the whole relay; no message's attempt is counted. Refusals of one recipient are on the
//! recipient's clock (`retry`), never on this one.

use std::time::Duration;

use jiff::Timestamp;

use super::time::{after, scaled};

/// How often a relay failed in a row, and from that how long to leave it alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RelayClock {
    failures: u32,
    parkings: u32,
}

const FIRST_WAITS: [Duration; 3] = [Duration::from_secs(5), Duration::from_secs(10), Duration::from_secs(30)];
const DOUBLING_FROM: Duration = Duration::from_secs(60);
const WAIT_MAX: Duration = Duration::from_secs(20 * 60);
const FIRST_PARKING: Duration = Duration::from_secs(20 * 60);
/// A day's quota rolls by the provider's clock, not by ours: ask every hour.
const PARKING: Duration = Duration::from_secs(60 * 60);

impl RelayClock {
    /// A relay without trouble.
    pub fn new() -> Self {
        Self::default()
    }

    /// The connection was refused or lost, or the relay asked for a new one: when to connect again.
    ///
    /// 5, 10, 30 seconds; then up to 1 minute, doubling to 20, drawn by `jitter` (0 to 1) between 30 seconds
    /// and that, so that many programs do not all return to a relay at the moment when it is back.
    pub fn failed(&mut self, now: Timestamp, jitter: f64) -> Timestamp {
        let step = self.failures;
        self.failures = self.failures.saturating_add(1);
        if let Some(wait) = usize::try_from(step).ok().and_then(|step| FIRST_WAITS.get(step)) {
            return after(now, *wait);
        }
        let doublings = step.saturating_sub(3).min(10);
        let ceiling = DOUBLING_FROM.saturating_mul(1 << doublings).min(WAIT_MAX);
        after(now, scaled(ceiling, jitter).clamp(FIRST_WAITS[2], ceiling))
    }

    /// The relay's quota is used up: when to ask again. 20 minutes, then every hour until its window rolls; not
    /// before `at_least`, where its reply said so.
    pub fn parked(&mut self, now: Timestamp, at_least: Duration) -> Timestamp {
        let wait = if self.parkings == 0 { FIRST_PARKING } else { PARKING };
        self.parkings = self.parkings.saturating_add(1);
        after(now, wait.max(at_least))
    }

    /// The relay accepted a message: all is forgotten.
    pub fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// How often it failed in a row.
    pub fn failures(&self) -> u32 {
        self.failures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn waits(jitter: f64) -> Vec<i64> {
        let mut clock = RelayClock::new();
        (0..10).map(|_| clock.failed(NOW, jitter).as_second()).collect()
    }

    #[test]
    fn waits_grow_from_seconds_to_twenty_minutes() {
        assert_eq!(waits(1.0), [5, 10, 30, 60, 120, 240, 480, 960, 1200, 1200]);
    }

    #[test]
    fn jitter_shortens_only_the_long_waits_and_never_below_thirty_seconds() {
        assert_eq!(waits(0.0), [5, 10, 30, 30, 30, 30, 30, 30, 30, 30]);
        assert_eq!(waits(0.5), [5, 10, 30, 30, 60, 120, 240, 480, 600, 600]);
    }

    #[test]
    fn a_used_up_quota_is_asked_for_after_twenty_minutes_and_then_every_hour() {
        let mut clock = RelayClock::new();
        let asked: Vec<i64> = (0..4).map(|_| clock.parked(NOW, Duration::ZERO).as_second() / 60).collect();
        assert_eq!(asked, [20, 60, 60, 60]);
        assert_eq!(clock.parked(NOW, Duration::from_secs(7200)).as_second(), 7200);
    }

    #[test]
    fn one_success_forgets_all_failures() {
        let mut clock = RelayClock::new();
        for _ in 0..20 {
            clock.failed(NOW, 1.0);
            clock.parked(NOW, Duration::ZERO);
        }
        assert_eq!(clock.failures(), 20);
        clock.succeeded();
        assert_eq!(clock.failed(NOW, 1.0).as_second(), 5);
        assert_eq!(clock.parked(NOW, Duration::ZERO).as_second(), 1200);
    }
}
