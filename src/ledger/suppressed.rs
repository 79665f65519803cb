//! The suppression list: mailboxes to which nothing is sent, because staff say so or because a relay refused them for
//! good. It is about recipients alone: whoever signed a letter and is on it gets no confirmation, but their letter goes.

use jiff::Timestamp;

/// Who put a mailbox on the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SuppressedBy {
    /// A relay refused it for good.
    Relay,
    /// Staff.
    Staff,
}

impl SuppressedBy {
    /// The name used in the ledger and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Relay => "relay",
            Self::Staff => "staff",
        }
    }

    /// The one of that name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Relay, Self::Staff].into_iter().find(|by| by.as_str() == name)
    }
}

/// One entry of the list.
#[derive(Clone, PartialEq, Eq)]
pub struct Suppression {
    /// By [`crate::model::EmailAddress::key`]; every mailbox of a domain, by [`crate::model::Barred::key`].
    pub mailbox: String,
    /// Who put it there.
    pub by: SuppressedBy,
    /// Since when.
    pub at: Timestamp,
    /// Why: staff's words, or the relay's.
    pub reason: String,
}

/// Without the mailbox, because debug output ends in logs.
impl std::fmt::Debug for Suppression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Suppression").field("by", &self.by).field("at", &self.at).finish_non_exhaustive()
    }
}

/// What putting mailboxes on the list did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Suppressed {
    /// Mailboxes and domains that staff had not put there before.
    pub new: u64,
    /// Those that staff had put there already.
    pub known: u64,
    /// Messages that waited and are suppressed now.
    pub messages: u64,
}

/// What taking mailboxes off the list did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unsuppressed {
    /// Mailboxes and domains that staff had put there, and that are off it now.
    pub lifted: u64,
    /// Mailboxes that only a relay's refusal had put there; they were left.
    pub by_relay: u64,
    /// Those that were not on the list.
    pub absent: u64,
    /// Mailboxes to which nothing is sent all the same: their whole domain is on the list.
    pub by_domain: u64,
    /// Messages to the lifted ones that stay suppressed until staff retry them.
    pub messages: u64,
}
