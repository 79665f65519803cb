//! Advice: what is not wrong but could be better, said so that its reader can act on it.

use std::fmt;

/// One piece of advice. It stops nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Advice {
    /// What it is about: a file and a line, a setting, or an official.
    pub place: String,
    /// What was noticed.
    pub what: String,
    /// What to do.
    pub action: String,
}

impl Advice {
    /// Advice about a place.
    pub fn new(place: impl Into<String>, what: impl Into<String>, action: impl Into<String>) -> Self {
        Self { place: place.into(), what: what.into(), action: action.into() }
    }
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.place, self.what, self.action)
    }
}
