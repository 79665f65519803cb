//! When a campaign begins: at the moment that staff set, and not long after it without asking them.
//!
//! Pure: the times are passed in, by the wall clock, because staff mean that one.

use std::time::Duration;

use jiff::Timestamp;

/// A start that is passed by no more is still the start.
pub const LATE_AFTER: Duration = Duration::from_secs(60 * 60);

/// Whether to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// Now, or it has begun already.
    Now,
    /// Not before.
    At(Timestamp),
    /// It was to begin so long ago, and nothing was handed over: staff are asked.
    Late(Duration),
}

impl Start {
    /// A campaign that is to start at `at`, from when on the first letter may go at `opens` (its hours may be later).
    pub fn of(at: Option<Timestamp>, opens: Timestamp, now: Timestamp, has_begun: bool) -> Self {
        let Some(at) = at else { return Self::Now };
        if now < at {
            return Self::At(at);
        }
        let late = Duration::try_from(now.duration_since(opens)).unwrap_or_default();
        if late > LATE_AFTER && !has_begun { Self::Late(late) } else { Self::Now }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_campaign_waits_for_its_start_and_asks_an_hour_after_it() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let late = |seconds| Start::Late(Duration::from_secs(seconds));
        for (start, opens, now, has_begun, expected) in [
            (None, 0, 99_999, false, Start::Now),
            (Some(10_000), 10_000, 9_999, false, Start::At(at(10_000))),
            (Some(10_000), 10_000, 9_999, true, Start::At(at(10_000))),
            (Some(10_000), 10_000, 10_000, false, Start::Now),
            (Some(10_000), 10_000, 13_600, false, Start::Now),
            (Some(10_000), 10_000, 13_601, false, late(3601)),
            (Some(10_000), 10_000, 13_601, true, Start::Now),
            // Nothing could go before its hours opened.
            (Some(10_000), 40_000, 30_000, false, Start::Now),
            (Some(10_000), 40_000, 43_601, false, late(3601)),
        ] {
            let found = Start::of(start.map(at), at(opens), at(now), has_begun);
            assert_eq!(found, expected, "{start:?} {opens} {now} {has_begun}");
        }
    }
}
