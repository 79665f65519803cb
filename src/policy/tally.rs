//! How many hand-overs fell into the last 24 hours: for a quota, which may be used up at once but not exceeded.
//!
//! Only counts; whose they are is `pace`'s.

use std::collections::BTreeMap;

use super::gate::Moment;

const MINUTE: Moment = 60 * 1_000_000_000;
const DAY: Moment = 24 * 60 * MINUTE;
/// A hand-over may reach the relay so long after it was counted: as long as the reply to a letter may take.
const LATE_MAX: Moment = 10 * MINUTE;

/// Hand-overs by the minute, so that a day of any size needs no more than its minutes.
///
/// A minute counts until its last moment is a day and ten minutes old: counted too long rather than too short.
#[derive(Debug, Default)]
pub(super) struct Tally {
    minutes: BTreeMap<u64, u64>,
    total: u64,
}

impl Tally {
    pub(super) fn note(&mut self, at: Moment, hand_overs: u64) {
        *self.minutes.entry(at / MINUTE).or_default() += hand_overs;
        self.total += hand_overs;
    }

    /// One that was counted was refused, so it does not count. The oldest goes, which lets nothing through early.
    pub(super) fn take_back(&mut self, now: Moment) {
        self.forget_before(now);
        if let Some(mut oldest) = self.minutes.first_entry() {
            self.total -= 1;
            *oldest.get_mut() -= 1;
            if *oldest.get() == 0 {
                oldest.remove();
            }
        }
    }

    /// From when one more is within the quota; nothing where it is now.
    pub(super) fn free_at(&self, quota: u64, now: Moment) -> Option<Moment> {
        let mut counted = self.total;
        for (minute, hand_overs) in &self.minutes {
            let until = Self::counts_until(*minute);
            if until > now && counted < quota {
                return None;
            }
            counted -= hand_overs;
            if until > now && counted < quota {
                return Some(until);
            }
        }
        None
    }

    pub(super) fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// How many count now.
    pub(super) fn count(&self, now: Moment) -> u64 {
        self.minutes.iter().filter(|(minute, _)| Self::counts_until(**minute) > now).map(|(_, n)| n).sum()
    }

    pub(super) fn forget_before(&mut self, now: Moment) {
        while let Some(oldest) = self.minutes.first_entry().filter(|oldest| Self::counts_until(*oldest.key()) <= now) {
            self.total -= oldest.remove();
        }
    }

    fn counts_until(minute: u64) -> Moment {
        (minute + 1).saturating_mul(MINUTE).saturating_add(DAY + LATE_MAX)
    }
}

/// Which day it is since the first hand-over, counted from 0. A day begins late by as much as a hand-over may be.
pub(super) fn day_since(first: Moment, now: Moment) -> u64 {
    now.saturating_sub(first).saturating_sub(LATE_MAX) / DAY
}

/// When that day begins.
pub(super) fn day_begins(first: Moment, day: u64) -> Moment {
    first.saturating_add(day.saturating_mul(DAY)).saturating_add(LATE_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_that_is_used_up_is_free_again_when_its_oldest_minute_is_a_day_old() {
        let mut tally = Tally::default();
        tally.note(5 * MINUTE + 1, 2);
        tally.note(9 * MINUTE, 1);
        assert_eq!(tally.free_at(4, 10 * MINUTE), None);
        assert_eq!(tally.free_at(3, 10 * MINUTE), Some(6 * MINUTE + DAY + LATE_MAX));
        assert_eq!(tally.free_at(1, 10 * MINUTE), Some(10 * MINUTE + DAY + LATE_MAX));
        assert_eq!(tally.free_at(1, 20 * MINUTE + DAY + LATE_MAX), None);
        tally.forget_before(6 * MINUTE + DAY + LATE_MAX);
        assert_eq!((tally.total, tally.minutes.len()), (1, 1));
    }

    #[test]
    fn one_that_was_refused_does_not_count() {
        let mut tally = Tally::default();
        tally.take_back(0);
        tally.note(MINUTE, 1);
        tally.note(2 * MINUTE, 1);
        tally.take_back(3 * MINUTE);
        assert_eq!(tally.count(3 * MINUTE), 1);
        assert_eq!(tally.free_at(2, 3 * MINUTE), None);
        assert_eq!(tally.free_at(1, 3 * MINUTE), Some(3 * MINUTE + DAY + LATE_MAX), "the later one is kept");
    }
}
