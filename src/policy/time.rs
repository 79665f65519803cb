//! Arithmetic on time that cannot panic: what would run over stops at the end.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// That long after that time.
pub(super) fn after(time: Timestamp, span: Duration) -> Timestamp {
    let span = SignedDuration::try_from(span).unwrap_or(SignedDuration::MAX);
    time.checked_add(span).unwrap_or(Timestamp::MAX)
}

/// That many times as long; unchanged where the factor makes no sense.
pub(super) fn scaled(span: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(span.as_secs_f64() * factor).unwrap_or(span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_runs_over() {
        assert_eq!(after(Timestamp::MAX, Duration::MAX), Timestamp::MAX);
        assert_eq!(after(Timestamp::UNIX_EPOCH, Duration::from_secs(5)).as_second(), 5);
        let day = Duration::from_secs(86_400);
        for factor in [f64::NAN, f64::INFINITY, -1.0, f64::MAX] {
            assert_eq!(scaled(day, factor), day, "{factor}");
        }
        assert_eq!(scaled(day, 0.5), day / 2);
    }
}
