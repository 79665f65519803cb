//! The time that filling in one letter may take.
//!
//! The language has no loops of its own, but filters can be put in long rows over long texts, so the engine is
//! asked to stop by those who are called on the way: the filters and the writer.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// No letter takes longer.
pub(super) const RENDER_TIME_MAX: Duration = Duration::from_millis(250);

thread_local! {
    /// Until when what this thread fills in now may take.
    static DEADLINE: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Does some work that asks [`is_over`] on its way; says whether the time was over at its end.
pub(super) fn within<T>(time: Duration, work: impl FnOnce() -> T) -> (T, bool) {
    DEADLINE.set(Instant::now().checked_add(time));
    let done = work();
    let over = is_over();
    DEADLINE.set(None);
    (done, over)
}

/// Whether the time of the work at hand is over.
pub(super) fn is_over() -> bool {
    DEADLINE.get().is_some_and(|deadline| Instant::now() > deadline)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_over_for_the_work_at_hand_and_for_nothing_else() {
        assert_eq!(within(Duration::from_secs(60), is_over), (false, false));
        let slow = || {
            while !is_over() {
                std::thread::yield_now();
            }
        };
        assert_eq!(within(Duration::from_millis(2), slow), ((), true));
        assert!(!is_over());
    }
}
