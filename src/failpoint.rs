//! Named places at which a test may have the program killed, to prove what a start makes of it.
//!
//! Without the feature `failpoints`, which no program that people run is built with, a point is nothing at all. It must
//! change nothing but when the program ends, and how long it waits for a relay.
//!
//! With the feature, `UNDERSIGNED_FAILPOINT=NAME` ends the process at that point, by a SIGKILL to itself,
//! `UNDERSIGNED_FAILPOINT=NAME:3` when it is reached the third time; `UNDERSIGNED_TIMEOUT_MS=400` lets no phase of a
//! conversation wait longer than that. (The crate `fail` cannot kill, and brings an older `rand` with it.)

#[cfg(feature = "failpoints")]
pub use armed::{reached, wait_at_most};
#[cfg(not(feature = "failpoints"))]
pub use unarmed::{reached, wait_at_most};

#[cfg(not(feature = "failpoints"))]
mod unarmed {
    use std::time::Duration;

    /// The place of that name is reached: nothing happens.
    #[inline]
    pub fn reached(_point: &str) {}

    /// So long.
    #[inline]
    pub fn wait_at_most(time: Duration) -> Duration {
        time
    }
}

#[cfg(feature = "failpoints")]
mod armed {
    use std::env;
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use rustix::process::{Signal, getpid, kill_process};

    static KILL: LazyLock<Option<Kill>> = LazyLock::new(|| env::var("UNDERSIGNED_FAILPOINT").ok().map(Kill::read));
    static TIMEOUT: LazyLock<Option<Duration>> =
        LazyLock::new(|| env::var("UNDERSIGNED_TIMEOUT_MS").ok()?.parse().ok().map(Duration::from_millis));

    /// Where the process is to end.
    struct Kill {
        point: String,
        times_left: AtomicU32,
    }

    impl Kill {
        fn read(text: String) -> Self {
            let (point, times) = match text.split_once(':') {
                Some((point, times)) => (point.to_owned(), times.parse().unwrap_or(1)),
                None => (text, 1),
            };
            Self { point, times_left: AtomicU32::new(times) }
        }

        fn is_now(&self, point: &str) -> bool {
            self.point == point && self.times_left.fetch_sub(1, Ordering::SeqCst) == 1
        }
    }

    /// The place of that name is reached.
    pub fn reached(point: &str) {
        if KILL.as_ref().is_some_and(|kill| kill.is_now(point)) {
            let _ = kill_process(getpid(), Signal::KILL);
            std::process::abort(); // where even that was refused
        }
    }

    /// So long, or as long as a test has patience for.
    pub fn wait_at_most(time: Duration) -> Duration {
        TIMEOUT.map_or(time, |most| time.min(most))
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn the_process_ends_when_its_point_is_reached_for_the_last_time_it_was_told() {
            let kill = Kill::read("heart.offered:2".into());
            let reached: Vec<bool> = ["heart.marked", "heart.offered", "heart.offered", "heart.offered"]
                .into_iter()
                .map(|point| kill.is_now(point))
                .collect();
            assert_eq!(reached, [false, false, true, false]);
            assert!(Kill::read("heart.offered".into()).is_now("heart.offered"));
        }
    }
}
