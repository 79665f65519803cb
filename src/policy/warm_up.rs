//! A sender that nobody knows yet begins slowly: so many messages on the first day, more on the second, and so on.
//!
//! Only the steps; what is counted is `pace`'s.

use super::rate::{Rate, RateUnit};

/// Why a text is not a step. Holds the text, which comes from the configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WarmUpError {
    /// Not a rate at all.
    #[error(transparent)]
    Rate(#[from] super::rate::RateError),
    /// `50/h`
    #[error("`{0}` is not so many a day; write the days one after the other, like [\"50/d\", \"100/d\"]")]
    NotADay(String),
}

/// At most so many messages on each of the first days, a day being 24 hours from the first hand-over of all. No steps
/// at all: no warm-up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WarmUp(Vec<u32>);

impl WarmUp {
    /// One more day.
    pub fn add(&mut self, step: &str) -> Result<(), WarmUpError> {
        let rate: Rate = step.parse()?;
        if rate.unit() != RateUnit::Day {
            return Err(WarmUpError::NotADay(step.trim().to_owned()));
        }
        self.0.push(rate.count());
        Ok(())
    }

    /// How many may go in the 24 hours before any moment of that day, the first day being 0; nothing once it is over.
    pub fn on_day(&self, day: u64) -> Option<u32> {
        usize::try_from(day).ok().and_then(|day| self.0.get(day).copied())
    }

    /// Over how many days.
    pub fn days(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_day_has_its_step_and_after_the_last_there_is_none() {
        let mut warm_up = WarmUp::default();
        for step in ["50/d", "100/day"] {
            warm_up.add(step).unwrap();
        }
        assert_eq!([0, 1, 2, u64::MAX].map(|day| warm_up.on_day(day)), [Some(50), Some(100), None, None]);
        assert_eq!(warm_up.add("50/h"), Err(WarmUpError::NotADay("50/h".to_owned())));
        assert!(matches!(warm_up.add("unlimited"), Err(WarmUpError::Rate(_))));
    }
}
