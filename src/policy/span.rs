//! How long: `5m`, `1h30m`, as written in the configuration.
//!
//! Only reads and writes the notation.

use std::fmt::Write as _;
use std::time::Duration;

/// Why a text is not a span of time. Holds the text, which comes from the configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpanError {
    /// `5`
    #[error("`{0}` has no unit; write it like 90s, 5m, 1h30m or 2d")]
    NoUnit(String),
    /// `5w`
    #[error("`{0}` has a unit that is not known; the units are s, m (or min), h and d")]
    Unit(String),
    /// `30m1h`, `1h2h`
    #[error("`{0}` is out of order; write every unit once and the longest first, like 1d12h or 1h30m")]
    Order(String),
    /// `1.5h`
    #[error("`{0}` is not a whole number; use a smaller unit as well, like 1h30m for 1.5h")]
    Fraction(String),
    /// `-5m`
    #[error("`{0}` is below zero; write a span of time like 5m")]
    Negative(String),
    /// `0s` where there must be some time
    #[error("`{0}` is no time at all; write at least 1s")]
    Zero(String),
    /// `99999999d`
    #[error("`{0}` is longer than ten years; write a shorter one")]
    TooLong(String),
    /// `soon`
    #[error("`{0}` is not a span of time; write it like 90s, 5m, 1h30m or 2d")]
    NotANumber(String),
}

/// The units, longest first.
const UNITS: [(&str, u64); 4] = [("d", 24 * 60 * 60), ("h", 60 * 60), ("m", 60), ("s", 1)];
const SPAN_SECONDS_MAX: u64 = 3650 * 24 * 60 * 60;

/// Reads a span of time; none at all (`0s`) is one.
pub fn parse_span(text: &str) -> Result<Duration, SpanError> {
    let given = || text.trim().to_owned();
    let mut rest = text.trim();
    if rest.strip_prefix('-').is_some_and(|r| r.starts_with(|c: char| c.is_ascii_digit())) {
        return Err(SpanError::Negative(given()));
    }
    let mut seconds = 0_u64;
    let mut unit_next = 0;
    loop {
        let (number, after) = split_while(rest, |c| c.is_ascii_digit());
        if number.is_empty() {
            return Err(SpanError::NotANumber(given()));
        }
        let number: u64 = number.parse().map_err(|_| SpanError::TooLong(given()))?;
        let after = after.trim_start();
        if after.starts_with(['.', ',']) {
            return Err(SpanError::Fraction(given()));
        }
        let (unit, after) = split_while(after, |c| c.is_ascii_alphabetic());
        let unit = unit_index(unit).ok_or_else(|| match unit {
            "" => SpanError::NoUnit(given()),
            _ => SpanError::Unit(given()),
        })?;
        if unit < unit_next {
            return Err(SpanError::Order(given()));
        }
        unit_next = unit + 1;
        seconds = seconds.saturating_add(number.saturating_mul(UNITS[unit].1));
        rest = after.trim_start();
        if rest.is_empty() {
            break;
        }
    }
    if seconds > SPAN_SECONDS_MAX { Err(SpanError::TooLong(given())) } else { Ok(Duration::from_secs(seconds)) }
}

/// Reads a span of time where none at all would make no sense.
pub fn parse_positive_span(text: &str) -> Result<Duration, SpanError> {
    let span = parse_span(text)?;
    if span.is_zero() { Err(SpanError::Zero(text.trim().to_owned())) } else { Ok(span) }
}

/// Writes a span of time so that [`parse_span`] reads it back; whole seconds.
pub fn format_span(span: Duration) -> String {
    let mut seconds = span.as_secs();
    let mut text = String::new();
    for (unit, unit_seconds) in UNITS {
        if seconds >= unit_seconds {
            let _ = write!(text, "{}{unit}", seconds / unit_seconds);
            seconds %= unit_seconds;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

fn unit_index(word: &str) -> Option<usize> {
    let word = if word == "min" { "m" } else { word };
    UNITS.iter().position(|(unit, _)| *unit == word)
}

fn split_while(text: &str, keep: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !keep(c)).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Refused = fn(String) -> SpanError;

    #[test]
    fn spans_are_read_and_written_back() {
        for (input, seconds, written) in [
            ("5m", 300, "5m"),
            ("5min", 300, "5m"),
            ("90s", 90, "1m30s"),
            ("1h30m", 5400, "1h30m"),
            ("1h 30 m", 5400, "1h30m"),
            ("2d", 172_800, "2d"),
            ("1d1h1m1s", 90_061, "1d1h1m1s"),
            ("72h", 259_200, "3d"),
            ("0s", 0, "0s"),
            (" 10s ", 10, "10s"),
        ] {
            assert_eq!(parse_span(input), Ok(Duration::from_secs(seconds)), "{input}");
            assert_eq!(format_span(Duration::from_secs(seconds)), written);
            assert_eq!(parse_span(written), Ok(Duration::from_secs(seconds)), "{written}");
        }
    }

    #[test]
    fn what_is_not_a_span_is_refused_for_its_own_reason() {
        let cases: [(&str, Refused); 14] = [
            ("5", SpanError::NoUnit),
            ("1h30", SpanError::NoUnit),
            ("5w", SpanError::Unit),
            ("30m1h", SpanError::Order),
            ("1h2h", SpanError::Order),
            ("1.5h", SpanError::Fraction),
            ("1,5h", SpanError::Fraction),
            ("-5m", SpanError::Negative),
            ("99999999d", SpanError::TooLong),
            ("99999999999999999999999s", SpanError::TooLong),
            ("", SpanError::NotANumber),
            ("soon", SpanError::NotANumber),
            ("h", SpanError::NotANumber),
            ("5m!", SpanError::NotANumber),
        ];
        for (input, error) in cases {
            assert_eq!(parse_span(input), Err(error(input.to_owned())), "{input}");
        }
    }

    #[test]
    fn no_time_at_all_is_refused_where_there_must_be_some() {
        assert_eq!(parse_positive_span("0h0m"), Err(SpanError::Zero("0h0m".to_owned())));
        assert_eq!(parse_positive_span("1s"), Ok(Duration::from_secs(1)));
    }
}
