//! What `doctor` found, one sentence each, the worst first; the same for programs.

use serde_json::{Value, json};

use super::layout::{paragraph, sentence};

/// How well something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// It must be mended before letters go.
    Bad,
    /// It should be looked at.
    Warn,
    /// It is well.
    Ok,
}

impl Health {
    /// The name, also for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bad => "bad",
            Self::Warn => "warn",
            Self::Ok => "ok",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// How well it is.
    pub health: Health,
    /// What it is about, in a word or two.
    pub about: &'static str,
    /// What is so.
    pub what: String,
    /// What to do; empty where all is well.
    pub action: String,
}

impl Seen {
    /// It is well.
    pub fn ok(about: &'static str, what: impl Into<String>) -> Self {
        Self { health: Health::Ok, about, what: what.into(), action: String::new() }
    }

    /// It should be looked at.
    pub fn warn(about: &'static str, what: impl Into<String>, action: impl Into<String>) -> Self {
        Self { health: Health::Warn, about, what: what.into(), action: action.into() }
    }

    /// It must be mended.
    pub fn bad(about: &'static str, what: impl Into<String>, action: impl Into<String>) -> Self {
        Self { health: Health::Bad, ..Self::warn(about, what, action) }
    }
}

/// For people.
pub fn text(seen: &[Seen]) -> String {
    let mut sorted: Vec<&Seen> = seen.iter().collect();
    sorted.sort_by_key(|seen| seen.health);
    let mut out = String::new();
    for Seen { health, about, what, action } in sorted {
        paragraph(&mut out, 0, &format!("{:<4}  {about}: {}", health.as_str(), sentence(what)));
        if !action.is_empty() {
            paragraph(&mut out, 6, action);
        }
    }
    let count = |health| seen.iter().filter(|seen| seen.health == health).count();
    let in_all = match (count(Health::Bad), count(Health::Warn)) {
        (0, 0) => "All is well.".to_owned(),
        (0, warn) => format!("Nothing stands in the way; {warn} to look at."),
        (bad, warn) => format!("{bad} to mend before letters go, {warn} to look at."),
    };
    format!("{out}\n{in_all}")
}

/// For programs.
pub fn json(seen: &[Seen]) -> Value {
    let one = |seen: &Seen| {
        json!({
            "health": seen.health.as_str(),
            "about": seen.about,
            "what": seen.what,
            "action": Some(&seen.action).filter(|action| !action.is_empty()),
        })
    };
    let worst = seen.iter().map(|seen| seen.health).min().unwrap_or(Health::Ok);
    json!({ "health": worst.as_str(), "checks": seen.iter().map(one).collect::<Vec<_>>() })
}
