//! Letters to one mailbox do not go on the beat of a clock, and not all lanes begin in the same second.
//!
//! Both only ever lengthen a wait, so that no limit is exceeded by them. A lane with few letters is not drawn out over
//! its hours: it is done when it is done.

use std::time::Duration;

/// The most by which an interval is lengthened; half of it on average, so that a limit is used by 96 %.
const JITTER_MAX: f64 = 0.06;
/// However slow the pace: nobody waits for longer at the opening of the hours.
const OFFSET_MAX: Duration = Duration::from_secs(10 * 60);

/// The interval after one letter, lengthened by `chance` (0 to 1).
pub fn jittered(interval: Duration, chance: f64) -> Duration {
    super::time::scaled(interval, 1.0 + JITTER_MAX * chance.clamp(0.0, 1.0))
}

/// The moment at which hours opened: each lane gives its first letter a little later, at a time of its own.
///
/// Times are durations since the program's start, by a monotonic clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    at: Duration,
    over: Duration,
    seed: u64,
}

impl Opening {
    /// The lanes begin within one interval of a mailbox, and within ten minutes. `seed` is drawn by the caller.
    pub fn new(at: Duration, interval: Duration, seed: u64) -> Self {
        Self { at, over: interval.min(OFFSET_MAX), seed }
    }

    /// From when that lane may give a letter, where that is not now.
    pub fn begins(&self, lane: i64, now: Duration) -> Option<Duration> {
        let begins = self.at.saturating_add(super::time::scaled(self.over, self.chance(lane)));
        (begins > now).then_some(begins)
    }

    /// From 0 to 1, the same whenever it is asked for (the mixing of `splitmix64`).
    fn chance(&self, lane: i64) -> f64 {
        let mut mixed = self.seed.wrapping_add(lane.cast_unsigned().wrapping_mul(0x9E37_79B9_7F4A_7C15));
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        f64::from(u32::try_from(mixed >> 32).unwrap_or(u32::MAX)) / f64::from(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_lengthened_and_never_shortened() {
        let interval = Duration::from_secs(100);
        for (chance, seconds) in [(-1.0, 100.0), (0.0, 100.0), (0.5, 103.0), (1.0, 106.0), (7.0, 106.0)] {
            assert!((jittered(interval, chance).as_secs_f64() - seconds).abs() < 1e-6, "{chance}");
        }
        assert_eq!(jittered(interval, f64::NAN), interval);
    }

    #[test]
    fn lanes_begin_evenly_over_the_first_interval_each_at_the_same_time_when_asked_again() {
        let at = Duration::from_secs(1000);
        let opening = Opening::new(at, Duration::from_secs(120), 7);
        let begins = |lane| opening.begins(lane, at).unwrap_or(at);
        let mut in_quarter = [0; 4];
        for lane in 0..1000 {
            assert_eq!(begins(lane), begins(lane));
            let quarter = usize::try_from(begins(lane).saturating_sub(at).as_secs() / 30).unwrap();
            in_quarter[quarter.min(3)] += 1;
        }
        assert!(in_quarter.iter().all(|n| (200..300).contains(n)), "{in_quarter:?}");
        assert_eq!(opening.begins(3, at + Duration::from_secs(120)), None);
        assert_ne!(Opening::new(at, Duration::from_secs(120), 8).begins(1, at), opening.begins(1, at));
    }

    #[test]
    fn nobody_waits_for_long_however_slow_the_pace() {
        let opening = Opening::new(Duration::ZERO, Duration::from_secs(24 * 3600), 1);
        assert!((0..1000).all(|lane| opening.begins(lane, Duration::from_secs(600)).is_none()));
    }
}
