//! A message: one row of the ledger, a letter or a confirmation, and what is fixed about it.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use super::{Constituent, EmailAddress, MessageState, Official};

/// What a message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MessageKind {
    /// A constituent's message to one official.
    Letter,
    /// The message to the constituent, with the copy of what was sent.
    Confirmation,
}

impl MessageKind {
    /// `letter` or `confirmation`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Letter => "letter",
            Self::Confirmation => "confirmation",
        }
    }

    /// The kind of that name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Letter, Self::Confirmation].into_iter().find(|kind| kind.as_str() == name)
    }
}

impl fmt::Display for MessageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The number of a message in its ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId(pub i64);

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Six letters and digits, drawn once when a ledger is made, that tell its messages from those of all others.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CampaignTag(Box<str>);

impl CampaignTag {
    /// The letters of a tag: none that looks like another.
    pub const ALPHABET: &'static [u8; 31] = b"abcdefghjkmnpqrstuvwxyz23456789";
    /// How many of them.
    pub const LEN: usize = 6;

    /// Parses a tag; `None` for anything that is not six of [`Self::ALPHABET`].
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() == Self::LEN && text.bytes().all(|b| Self::ALPHABET.contains(&b))).then(|| Self(text.into()))
    }

    /// The tag.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A message's name in the world, as in `X-Campaign-Message`: `k3m9x2-1042`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MessageRef {
    /// Which ledger.
    pub tag: CampaignTag,
    /// Which row.
    pub id: MessageId,
}

impl fmt::Display for MessageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.tag.as_str(), self.id)
    }
}

impl FromStr for MessageRef {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (tag, id) = text.split_once('-').ok_or(())?;
        let id = id.parse().map_err(|_| ())?;
        Ok(Self { tag: CampaignTag::parse(tag).ok_or(())?, id: MessageId(id) })
    }
}

/// A template as frozen in the ledger, by its row there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TemplateId(pub i64);

/// What is fixed at the first hand-over and used again by every later one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// Message-ID without angle brackets.
    pub message_id: String,
    /// The Date header.
    pub date: Timestamp,
    /// SHA-256 of the whole message as handed over.
    pub body_hash: [u8; 32],
}

/// SMTP envelope: exactly one recipient a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// MAIL FROM: an address of ours, where bounces go.
    pub from: EmailAddress,
    /// RCPT TO.
    pub to: EmailAddress,
}

/// What a message is made from, as frozen in the ledger.
#[derive(Debug, Clone)]
pub enum Content {
    /// One constituent writes to one official.
    Letter {
        /// To whom.
        official: Official,
        /// From whom.
        constituent: Constituent,
    },
    /// What became of all letters of one constituent.
    Confirmation {
        /// To whom.
        constituent: Constituent,
        /// Each letter with its fate, in the order of their numbers.
        letters: Vec<LetterFate>,
    },
}

impl Content {
    /// The mailbox it goes to; an official may have none.
    pub fn recipient(&self) -> Option<&EmailAddress> {
        match self {
            Self::Letter { official, .. } => official.mailbox.as_ref(),
            Self::Confirmation { constituent, .. } => Some(&constituent.mailbox),
        }
    }

    /// Whose letter, or letters, it is about.
    pub fn constituent(&self) -> &Constituent {
        match self {
            Self::Letter { constituent, .. } | Self::Confirmation { constituent, .. } => constituent,
        }
    }
}

/// What became of one letter, for the confirmation that tells its constituent.
#[derive(Debug, Clone)]
pub struct LetterFate {
    /// The letter.
    pub id: MessageId,
    /// To whom it went.
    pub official: Official,
    /// The text it was made from.
    pub template: TemplateId,
    /// Where it stands.
    pub state: MessageState,
    /// When the relay accepted it.
    pub accepted_at: Option<Timestamp>,
    /// The relay's last words about it.
    pub reply: Option<String>,
}

/// Proof that the ledger holds, durably, that a message is about to be transmitted.
///
/// Only the ledger implements it (a test holds everybody else to that), so a body cannot be sent without
/// the record of it.
pub trait TransmissionReceipt {
    /// The message that the record is about.
    fn message(&self) -> MessageId;
}
