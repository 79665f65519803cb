//! The recipient's clock: when to try one recipient again after a refusal that was about them, and when to
//! give up. What is wrong with a relay is on the relay's clock (`relay_clock`), never on this one.

use std::time::Duration;

use jiff::Timestamp;

use super::time::{after, scaled};

/// When to try a recipient again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetrySchedule {
    /// How long to wait after the first refusal, after the second, and so on; the last repeats.
    pub delays: Vec<Duration>,
    /// How long after the first try it is given up.
    pub give_up_after: Duration,
}

impl Default for RetrySchedule {
    fn default() -> Self {
        let minutes = |m: u64| Duration::from_secs(m * 60);
        Self { delays: [5, 15, 30, 60, 120, 240, 240, 480].map(minutes).to_vec(), give_up_after: minutes(72 * 60) }
    }
}

impl RetrySchedule {
    /// What a reply can ask for at most.
    pub const ASKED_MAX: Duration = Duration::from_secs(24 * 60 * 60);

    /// When to try again. `tries_counted` is how many tries counted before the one that was just refused;
    /// `jitter`, from 0 to 1, moves the time by ±10 %, so that what failed together does not return together.
    pub fn next_due(&self, tries_counted: u32, now: Timestamp, jitter: f64) -> Timestamp {
        after(now, scaled(self.delay(tries_counted), 0.9 + 0.2 * jitter))
    }

    /// When to try again after a reply that said itself how long to wait. The wish is honoured, at most
    /// [`Self::ASKED_MAX`] and never early, as often as the schedule has steps; from then on whichever wait is
    /// longer, so that a server that says `try again in 1 second` for ever is not asked every second for days.
    pub fn next_due_as_asked(&self, asked: Duration, tries_counted: u32, now: Timestamp, jitter: f64) -> Timestamp {
        let late = scaled(asked.min(Self::ASKED_MAX), 1.0 + 0.1 * jitter).max(Duration::from_secs(1));
        let asked = after(now, late);
        if usize::try_from(tries_counted).is_ok_and(|tries| tries < self.delays.len()) {
            asked
        } else {
            asked.max(self.next_due(tries_counted, now, jitter))
        }
    }

    /// Until when it is worth trying: [`Self::give_up_after`] from the first try or the campaign's deadline,
    /// whichever is earlier.
    pub fn give_up_at(&self, first_attempt_at: Timestamp, deadline: Option<Timestamp>) -> Timestamp {
        let patience_ends = after(first_attempt_at, self.give_up_after);
        deadline.map_or(patience_ends, |deadline| deadline.min(patience_ends))
    }

    fn delay(&self, tries_counted: u32) -> Duration {
        let step = usize::try_from(tries_counted).unwrap_or(usize::MAX).min(self.delays.len().saturating_sub(1));
        // An empty schedule is a mistake of the configuration; hammering the recipient is not the answer to it.
        self.delays.get(step).copied().unwrap_or(Duration::from_secs(60 * 60))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn minutes_until(due: Timestamp) -> i64 {
        due.as_second() / 60
    }

    #[test]
    fn the_steps_grow_and_the_last_repeats() {
        let schedule = RetrySchedule::default();
        let steps: Vec<i64> = (0..10).map(|tries| minutes_until(schedule.next_due(tries, NOW, 0.5))).collect();
        assert_eq!(steps, [5, 15, 30, 60, 120, 240, 240, 480, 480, 480]);
        assert_eq!(minutes_until(schedule.next_due(u32::MAX, NOW, 0.5)), 480);
    }

    #[test]
    fn jitter_is_ten_per_cent_either_way() {
        let schedule = RetrySchedule::default();
        assert_eq!(schedule.next_due(0, NOW, 0.0).as_second(), 270);
        assert_eq!(schedule.next_due(0, NOW, 1.0).as_second(), 330);
    }

    #[test]
    fn what_a_reply_asks_for_is_honoured_and_never_early() {
        let schedule = RetrySchedule::default();
        let asked = |seconds, tries, jitter| {
            schedule.next_due_as_asked(Duration::from_secs(seconds), tries, NOW, jitter).as_second()
        };
        assert_eq!(asked(92, 0, 0.0), 92);
        assert_eq!(asked(100, 0, 1.0), 110);
        assert_eq!(asked(10_000_000, 0, 0.0), 86_400, "at most a day");
        assert_eq!(asked(0, 0, 0.0), 1, "never at once");
        assert_eq!(asked(1, 7, 0.5), 1);
        assert_eq!(asked(1, 8, 0.5), 480 * 60, "not every second for ever");
    }

    #[test]
    fn giving_up_comes_from_the_first_try_or_the_deadline() {
        let schedule = RetrySchedule::default();
        let at = |hours: i64| Timestamp::from_second(hours * 3600).unwrap();
        assert_eq!(schedule.give_up_at(NOW, None), at(72));
        assert_eq!(schedule.give_up_at(NOW, Some(at(10))), at(10));
        assert_eq!(schedule.give_up_at(NOW, Some(at(100))), at(72));
    }

    #[test]
    fn a_schedule_without_steps_neither_panics_nor_hammers() {
        let empty = RetrySchedule { delays: vec![], give_up_after: Duration::MAX };
        assert_eq!(empty.next_due(0, NOW, 0.5).as_second(), 3600);
        assert_eq!(empty.give_up_at(NOW, None), Timestamp::MAX);
    }
}
