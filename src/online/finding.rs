//! One thing that was found out, in one sentence, with what to do about it.

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Mail will fail because of it.
    Problem,
    /// It could be better, or could not be looked at.
    Advice,
    /// It is well.
    Good,
}

impl Weight {
    /// The name used for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Problem => "problem",
            Self::Advice => "advice",
            Self::Good => "good",
        }
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How much it matters.
    pub weight: Weight,
    /// What it is about: `SPF`, `DKIM`, `DMARC`, `officials`, `relay main`.
    pub about: String,
    /// What is so.
    pub what: String,
    /// What to do; empty where all is well.
    pub action: String,
}

impl Finding {
    /// Mail will fail.
    pub fn problem(about: &str, what: impl Into<String>, action: impl Into<String>) -> Self {
        Self { weight: Weight::Problem, about: about.to_owned(), what: what.into(), action: action.into() }
    }

    /// It could be better.
    pub fn advice(about: &str, what: impl Into<String>, action: impl Into<String>) -> Self {
        Self { weight: Weight::Advice, ..Self::problem(about, what, action) }
    }

    /// All is well.
    pub fn good(about: &str, what: impl Into<String>) -> Self {
        Self { weight: Weight::Good, ..Self::problem(about, what, "") }
    }
}
