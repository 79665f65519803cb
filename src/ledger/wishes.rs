//! What staff want of a campaign that may be running: a pause, another pace. Kept in the ledger, so that another
//! terminal reaches the dispatcher and a restart forgets nothing.

use jiff::Timestamp;

/// The campaign is paused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// Since when.
    pub since: Timestamp,
    /// Why, in staff's words; may be empty.
    pub reason: String,
}

/// One setting that staff changed, by its key in the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveSetting {
    /// Which.
    pub key: String,
    /// Its value, as it would be written in the configuration.
    pub value: String,
    /// What the configuration said then. When it says something else, it is newer than this.
    pub instead_of: String,
    /// When it was changed.
    pub at: Timestamp,
    /// Why, in staff's words; may be empty.
    pub reason: String,
}

/// All that staff want just now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wishes {
    /// To wait.
    pub pause: Option<Pause>,
    /// Another pace.
    pub settings: Vec<LiveSetting>,
    /// When they last put a mailbox on the suppression list: another time, another list.
    pub suppressed_at: Option<Timestamp>,
}

/// One change of what staff want.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// Nothing more is handed over.
    Pause,
    /// It goes on.
    Resume,
    /// A setting has another value.
    Set {
        /// Which.
        key: String,
        /// Its new value.
        value: String,
        /// What the configuration says.
        instead_of: String,
    },
    /// The configuration's own value holds again.
    Unset {
        /// Which.
        key: String,
    },
}

impl Wish {
    /// As it is recorded.
    pub(super) fn line(&self, reason: &str) -> String {
        let what = match self {
            Self::Pause => "pause".to_owned(),
            Self::Resume => "resume".to_owned(),
            Self::Set { key, value, instead_of } if instead_of.is_empty() => format!("pace set: {key} = {value}"),
            Self::Set { key, value, instead_of } => format!("pace set: {key} = {value} instead of {instead_of}"),
            Self::Unset { key } => format!("pace unset: {key}"),
        };
        format!("{what}; {}", if reason.is_empty() { "no reason given" } else { reason })
    }
}

/// What keeping to the total of each official moved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KeptTotals {
    /// Letters beyond it that are held now.
    pub held: u64,
    /// Letters that were held for it and are within it now.
    pub released: u64,
}
