//! How fast is allowed: `30/h`, `10/s`, `unlimited`, as written in the configuration.
//!
//! Only reads and writes the notation; what keeps to a rate is `pace`.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

/// The unit of a rate, which is also the window in which the rate is never exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RateUnit {
    /// `s`
    Second,
    /// `m` or `min`
    Minute,
    /// `h`
    Hour,
    /// `d`: 24 hours, not a day of the calendar.
    Day,
}

impl RateUnit {
    /// How long it is.
    pub const fn duration(self) -> Duration {
        Duration::from_secs(match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 60 * 60,
            Self::Day => 24 * 60 * 60,
        })
    }

    /// The letter in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Second => "s",
            Self::Minute => "m",
            Self::Hour => "h",
            Self::Day => "d",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        match word {
            "s" | "sec" | "second" => Some(Self::Second),
            "m" | "min" | "minute" => Some(Self::Minute),
            "h" | "hour" => Some(Self::Hour),
            "d" | "day" => Some(Self::Day),
            _ => None,
        }
    }
}

/// At most so many hand-overs in any window of one unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rate {
    count: NonZeroU32,
    unit: RateUnit,
}

impl Rate {
    /// The fastest rate that can be asked for; above it there is `unlimited`.
    pub const PER_SECOND_MAX: u32 = 1_000_000;

    /// A rate, unless it is over [`Self::PER_SECOND_MAX`].
    pub fn new(count: NonZeroU32, unit: RateUnit) -> Option<Self> {
        let per_unit_max = u64::from(Self::PER_SECOND_MAX).saturating_mul(unit.duration().as_secs());
        (u64::from(count.get()) <= per_unit_max).then_some(Self { count, unit })
    }

    /// How many.
    pub const fn count(self) -> u32 {
        self.count.get()
    }

    /// In which time.
    pub const fn unit(self) -> RateUnit {
        self.unit
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.count, self.unit.as_str())
    }
}

/// Why a text is not a rate. Holds the text, which comes from the configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RateError {
    /// `0/h`
    #[error("`{0}` would send nothing for ever; write a rate of 1 or more, like 30/h, or end the campaign instead")]
    Zero(String),
    /// `-1/h`
    #[error("`{0}` is below zero; write a rate like 30/h, or `unlimited`")]
    Negative(String),
    /// `10`
    #[error("`{0}` has no unit; write how many in which time, like 30/h (units: s, m, h, d), or `unlimited`")]
    NoUnit(String),
    /// `10/fortnight`
    #[error("`{0}` has a unit that is not known; the units are s (second), m (minute), h (hour) and d (day)")]
    Unit(String),
    /// `1.5/h`
    #[error("`{0}` is not a whole number; use a longer unit instead, like 36/d for 1.5/h")]
    Fraction(String),
    /// `99999999999/s`
    #[error("`{0}` is more than can be measured; the most is 1000000/s, and above that there is `unlimited`")]
    TooFast(String),
    /// `many/h`
    #[error("`{0}` is not a rate; write a whole number and a unit, like 30/h, or `unlimited`")]
    NotANumber(String),
}

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        let given = || text.trim().to_owned();
        let (count, unit) = match text.split_once('/') {
            Some((count, unit)) => (count.trim(), Some(unit.trim())),
            None => (text.trim(), None),
        };
        let count = parse_count(count, given)?;
        let unit = unit.ok_or_else(|| RateError::NoUnit(given()))?;
        let unit = RateUnit::parse(unit).ok_or_else(|| RateError::Unit(given()))?;
        Self::new(count, unit).ok_or_else(|| RateError::TooFast(given()))
    }
}

fn parse_count(count: &str, given: impl Fn() -> String) -> Result<NonZeroU32, RateError> {
    let is_number = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if count.strip_prefix('-').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) {
        return Err(RateError::Negative(given()));
    }
    if count.split_once('.').is_some_and(|(whole, part)| is_number(whole) && is_number(part)) {
        return Err(RateError::Fraction(given()));
    }
    if !is_number(count) {
        return Err(RateError::NotANumber(given()));
    }
    let count = count.parse::<u32>().map_err(|_| RateError::TooFast(given()))?;
    NonZeroU32::new(count).ok_or_else(|| RateError::Zero(given()))
}

/// A rate, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Limit {
    /// As fast as it goes.
    Unlimited,
    /// Never faster than this.
    Rate(Rate),
}

impl Limit {
    /// The rate, where there is one.
    pub const fn rate(self) -> Option<Rate> {
        match self {
            Self::Unlimited => None,
            Self::Rate(rate) => Some(rate),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unlimited => f.write_str("unlimited"),
            Self::Rate(rate) => rate.fmt(f),
        }
    }
}

impl FromStr for Limit {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        if text.trim() == "unlimited" { Ok(Self::Unlimited) } else { text.parse().map(Self::Rate) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Refused = fn(String) -> RateError;

    #[test]
    fn rates_are_read_and_written_back() {
        for (input, expected) in [
            ("30/h", "30/h"),
            ("10/s", "10/s"),
            ("5/m", "5/m"),
            ("5/min", "5/m"),
            ("200/d", "200/d"),
            (" 30 / hour ", "30/h"),
            ("1000000/s", "1000000/s"),
            ("4294967295/d", "4294967295/d"),
            ("unlimited", "unlimited"),
            (" unlimited ", "unlimited"),
        ] {
            assert_eq!(input.parse::<Limit>().map(|l| l.to_string()).as_deref(), Ok(expected), "{input}");
        }
    }

    #[test]
    fn what_is_not_a_rate_is_refused_for_its_own_reason() {
        let cases: [(&str, Refused); 19] = [
            ("0", RateError::Zero),
            ("0/h", RateError::Zero),
            ("-1/h", RateError::Negative),
            ("-1", RateError::Negative),
            ("10", RateError::NoUnit),
            ("10/fortnight", RateError::Unit),
            ("10/", RateError::Unit),
            ("10/h/s", RateError::Unit),
            ("10/H", RateError::Unit),
            ("1.5/h", RateError::Fraction),
            ("99999999999/h", RateError::TooFast),
            ("1000001/s", RateError::TooFast),
            ("", RateError::NotANumber),
            ("/h", RateError::NotANumber),
            ("many/h", RateError::NotANumber),
            ("1,000/h", RateError::NotANumber),
            ("+5/h", RateError::NotANumber),
            ("-/h", RateError::NotANumber),
            ("Unlimited", RateError::NotANumber),
        ];
        for (input, error) in cases {
            assert_eq!(input.parse::<Limit>(), Err(error(input.to_owned())), "{input}");
        }
    }

    #[test]
    fn errors_show_what_was_given_and_what_is_expected() {
        let message = "10/fortnight".parse::<Rate>().unwrap_err().to_string();
        assert!(message.contains("10/fortnight") && message.contains("h (hour)"), "{message}");
    }
}
