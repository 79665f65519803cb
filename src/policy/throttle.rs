//! How much of its full rate (or of its connections) a relay is given after it asked to slow down.
//!
//! Only the factor; what it is applied to is the caller's: the rate through `pace`, the connections by their number.

use std::num::NonZeroU32;
use std::time::Duration;

use super::rate::{Rate, RateUnit};

/// A factor that halves on every request to slow down and recovers by 5 % of the full rate a clean minute.
///
/// Times are durations since the program's start, by a monotonic clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Throttle {
    /// The share at `since`, in ten-thousandths.
    lowered_to: u32,
    since: Duration,
}

/// One burst of complaints is one complaint: all connections of a relay hear it at about the same time.
const ONE_COMPLAINT: Duration = Duration::from_secs(5);
/// So few are better told in a longer unit.
const FEW: u32 = 10;
const FULL: u32 = 10_000;
const SHARE_MIN: u32 = FULL / 64;
const RECOVERY_A_MINUTE: u32 = FULL / 20;

impl Default for Throttle {
    fn default() -> Self {
        Self { lowered_to: FULL, since: Duration::ZERO }
    }
}

impl Throttle {
    /// Full speed.
    pub fn new() -> Self {
        Self::default()
    }

    /// The relay asked to slow down: half of what it is given now, though never less than 1/64. What comes within
    /// 5 seconds of the last request is the same request.
    pub fn slow_down(&mut self, now: Duration) {
        if self.lowered_to < FULL && now.saturating_sub(self.since) < ONE_COMPLAINT {
            return;
        }
        *self = Self { lowered_to: (self.share(now) / 2).max(SHARE_MIN), since: now };
    }

    /// How much of the full rate it is given, over 0 and up to 1.
    pub fn factor(&self, now: Duration) -> f64 {
        f64::from(self.share(now)) / f64::from(FULL)
    }

    /// How many of `full` connections it is given; at least one.
    pub fn of(&self, full: u32, now: Duration) -> u32 {
        let given = u64::from(full) * u64::from(self.share(now)) / u64::from(FULL);
        u32::try_from(given).unwrap_or(full).max(1)
    }

    /// What is given of a rate, about: in a longer unit where few are left of a short one.
    pub fn of_rate(&self, full: Rate, now: Duration) -> Rate {
        let share = u64::from(self.share(now));
        let given = |unit: RateUnit| {
            let units = unit.duration().as_secs() / full.unit().duration().as_secs().max(1);
            let count = u64::from(full.count()).saturating_mul(units).saturating_mul(share) / u64::from(FULL);
            NonZeroU32::new(u32::try_from(count).unwrap_or(u32::MAX)).and_then(|count| Rate::new(count, unit))
        };
        let longer = [RateUnit::Minute, RateUnit::Hour, RateUnit::Day].into_iter();
        let mut units =
            std::iter::once(full.unit()).chain(longer.filter(|unit| unit.duration() > full.unit().duration()));
        units
            .find_map(|unit| given(unit).filter(|rate| rate.count() >= FEW))
            .or_else(|| given(full.unit()))
            .unwrap_or(full)
    }

    fn share(&self, now: Duration) -> u32 {
        let clean_minutes = now.saturating_sub(self.since).as_secs() / 60;
        let recovered = u32::try_from(clean_minutes).unwrap_or(u32::MAX).saturating_mul(RECOVERY_A_MINUTE);
        self.lowered_to.saturating_add(recovered).min(FULL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn slowing_down_halves_and_a_clean_minute_gives_back_five_per_cent() {
        let mut throttle = Throttle::new();
        assert!((throttle.factor(at(0)) - 1.0).abs() < 1e-9);
        throttle.slow_down(at(100));
        for (seconds, expected) in
            [(100, 0.5), (159, 0.5), (160, 0.55), (220, 0.6), (699, 0.95), (700, 1.0), (9000, 1.0)]
        {
            assert!((throttle.factor(at(seconds)) - expected).abs() < 1e-9, "{seconds}");
        }
    }

    #[test]
    fn one_burst_of_complaints_halves_once() {
        let mut throttle = Throttle::new();
        for seconds in [0, 1, 2, 4] {
            throttle.slow_down(at(seconds));
        }
        assert!((throttle.factor(at(4)) - 0.5).abs() < 1e-9);
        throttle.slow_down(at(5));
        assert!((throttle.factor(at(5)) - 0.25).abs() < 1e-9);
    }

    #[test]
    fn a_relay_that_always_complains_still_gets_something() {
        let mut throttle = Throttle::new();
        for n in 0..1000 {
            throttle.slow_down(at(n * 10));
        }
        assert!(throttle.factor(at(9990)) >= 1.0 / 65.0);
        assert_eq!(throttle.of(10, at(9990)), 1);
    }

    #[test]
    fn a_slowed_rate_is_told_in_a_unit_in_which_it_is_not_few() {
        let mut throttle = Throttle::new();
        throttle.slow_down(at(0));
        for (full, expected) in
            [("100/s", "50/s"), ("1/s", "30/m"), ("3/s", "90/m"), ("30/m", "15/m"), ("30/h", "15/h"), ("1/d", "1/d")]
        {
            assert_eq!(throttle.of_rate(full.parse().unwrap(), at(0)).to_string(), expected, "{full}");
        }
    }

    #[test]
    fn connections_are_whole_and_never_none() {
        let mut throttle = Throttle::new();
        assert_eq!(throttle.of(10, at(0)), 10);
        assert_eq!(throttle.of(0, at(0)), 1);
        throttle.slow_down(at(0));
        for (full, expected) in [(1, 1), (2, 1), (5, 2), (10, 5), (u32::MAX, u32::MAX / 2)] {
            assert_eq!(throttle.of(full, at(0)), expected, "{full}");
        }
        assert_eq!(throttle.of(10, at(120)), 6);
    }
}
