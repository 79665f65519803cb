//! What goes into the ledger at planning and what is read from it for reports.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::{
    Constituent, EnhancedCode, MessageId, MessageKind, MessageState, Official, PersonKey, Phase, TemplateId,
};

/// When constituents are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirming {
    /// One confirmation once all their letters are settled.
    PerConstituent,
    /// One for each letter, once it is settled.
    PerLetter,
    /// None.
    Never,
}

impl Confirming {
    const ALL: [Self; 3] = [Self::PerConstituent, Self::PerLetter, Self::Never];

    /// The name used in the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PerConstituent => "per_constituent",
            Self::PerLetter => "per_letter",
            Self::Never => "never",
        }
    }

    /// The one of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|word| word.as_str() == name)
    }
}

/// Under which terms letters are enrolled.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// The frozen text of letters for which no other is named.
    pub letter: TemplateId,
    /// The frozen text of confirmations.
    pub confirmation: TemplateId,
    /// When constituents are told.
    pub confirming: Confirming,
}

/// One thing to enrol.
#[derive(Debug)]
pub enum Enrolment {
    /// An official; before every constituent who writes to them.
    Official(Official),
    /// A constituent and the keys of the officials they write to.
    Constituent {
        /// Who.
        constituent: Constituent,
        /// To whom, and with which text.
        officials: Vec<Addressee>,
    },
}

/// An official to whom a constituent writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addressee {
    /// Who.
    pub official: PersonKey,
    /// The frozen text of this letter, where it is another than the terms say.
    pub letter: Option<TemplateId>,
}

impl From<PersonKey> for Addressee {
    fn from(official: PersonKey) -> Self {
        Self { official, letter: None }
    }
}

/// What an enrolment did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Enrolled {
    /// Letters that are new and wait for their turn.
    pub queued: u64,
    /// Letters that are new and wait for a mailbox.
    pub held: u64,
    /// Letters that waited for their official to get a mailbox, and wait no longer.
    pub housed: u64,
    /// Letters that are new and go to a suppressed mailbox.
    pub suppressed: u64,
    /// Letters that were there already.
    pub known: u64,
    /// Constituents who were erased, and for whom nothing is planned again.
    pub left_out: u64,
    /// People whose row now differs from the one that was frozen; theirs stays as it was.
    pub changed: u64,
}

/// What a start found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Leases of a process that ended; back in the queue.
    pub given_back: u64,
    /// Transmissions of a process that ended; in doubt.
    pub in_doubt: u64,
}

/// The number of messages by kind and state; every state is present.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts(pub BTreeMap<(MessageKind, MessageState), u64>);

impl Counts {
    /// All zero.
    pub fn zero() -> Self {
        let kinds = [MessageKind::Letter, MessageKind::Confirmation];
        Self(kinds.into_iter().flat_map(|k| MessageState::ALL.map(|s| ((k, s), 0))).collect())
    }

    /// Of one kind in one state.
    pub fn of(&self, kind: MessageKind, state: MessageState) -> u64 {
        self.0.get(&(kind, state)).copied().unwrap_or(0)
    }

    /// Of both kinds in one state.
    pub fn in_state(&self, state: MessageState) -> u64 {
        self.of(MessageKind::Letter, state) + self.of(MessageKind::Confirmation, state)
    }

    /// Of one kind in all states.
    pub fn total(&self, kind: MessageKind) -> u64 {
        MessageState::ALL.into_iter().map(|s| self.of(kind, s)).sum()
    }

    /// Whether any message will still move by itself.
    pub fn can_move(&self) -> bool {
        MessageState::ALL.into_iter().any(|s| s.moves_by_itself() && self.in_state(s) > 0)
    }
}

/// What the campaign was last noted to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CampaignState {
    /// Enrolled; nothing was dispatched yet.
    Planned,
    /// A dispatcher is (or, when its lock is free, was) at work.
    Running,
    /// Staff ended the dispatcher before the end.
    Paused,
    /// It stopped itself: relay account, breaker or ledger.
    Stopped,
    /// Nothing can move any more.
    Finished,
}

impl CampaignState {
    const ALL: [Self; 5] = [Self::Planned, Self::Running, Self::Paused, Self::Stopped, Self::Finished];

    /// The name used in the ledger and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
            Self::Finished => "finished",
        }
    }

    /// The one of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|word| word.as_str() == name)
    }
}

/// A relay's state, for `status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelayState {
    /// Takes mail.
    Up,
    /// Asked to slow down.
    Slowed,
    /// Not tried again before a time.
    Parked,
    /// Refused our account.
    Stopped,
}

impl RelayState {
    const ALL: [Self; 4] = [Self::Up, Self::Slowed, Self::Parked, Self::Stopped];

    /// The name used in the ledger and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Slowed => "slowed",
            Self::Parked => "parked",
            Self::Stopped => "stopped",
        }
    }

    /// The one of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|word| word.as_str() == name)
    }
}

/// What was last noted of a relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayRecord {
    /// Its name in the configuration.
    pub name: String,
    /// Its state.
    pub state: RelayState,
    /// Since when.
    pub since: Timestamp,
    /// Not tried again before.
    pub until: Option<Timestamp>,
    /// How far it is slowed, in words: `15/m`, `2 of 4 connections`.
    pub slowed_to: Option<String>,
    /// The reply or loss that caused it, printable and without addresses.
    pub reason: String,
}

/// What staff can order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecisionKind {
    /// `bounced`, `expired` or `suppressed` → `queued`; lifts the suppression of the mailbox where a relay's refusal made it,
    /// starts the count of tries anew. What goes to a mailbox that staff suppressed is left alone.
    Retry,
    /// `queued` or `deferred` → `held`.
    Hold,
    /// `held` → `queued` (letters to officials without a mailbox stay held). By its number, a message that was meant for
    /// one relay alone is for whichever from then on.
    Release,
    /// `queued`, `deferred` or `held` → `cancelled`. Confirmations only by their numbers.
    Cancel,
    /// Letters that are `queued` or `deferred` → `expired`; the program's own, once a deadline has passed.
    Expire,
    /// `in_doubt` → `sent`.
    ResolveSent,
    /// `in_doubt` → `queued`, for whichever relay.
    ResolveResend,
    /// `in_doubt` → `queued`, for the relay alone that may have it already; the program's own, where staff configured it.
    ResendToSame,
}

impl DecisionKind {
    /// The name under which it is recorded.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Hold => "hold",
            Self::Release => "release",
            Self::Cancel => "cancel",
            Self::Expire => "expire",
            Self::ResolveSent => "resolve as sent",
            Self::ResolveResend => "resolve as resend",
            Self::ResendToSame => "resend to the same relay",
        }
    }
}

/// Which messages a decision is about. Those that cannot make the move are left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// All that can make the move.
    All,
    /// All in that state.
    State(MessageState),
    /// Those of these that can make the move.
    OfThese(Vec<MessageId>),
    /// These; one that is not there or cannot make the move is an error, and nothing is changed.
    Ids(Vec<MessageId>),
}

/// A decision of staff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What.
    pub kind: DecisionKind,
    /// About which.
    pub selection: Selection,
    /// Why, in staff's words; may be empty.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// Which attempts or messages to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogFilter {
    /// Only of messages that are now in that state.
    pub state: Option<MessageState>,
    /// Only of this message.
    pub message: Option<MessageId>,
}

/// One message that was handed over, as far as pace is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandOver {
    /// When.
    pub at: Timestamp,
    /// To which relay.
    pub relay: String,
    /// To which mailbox, by [`crate::model::EmailAddress::key`].
    pub mailbox: String,
    /// In which lane.
    pub lane: i64,
}

/// One line of the retry log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptRecord {
    /// The message.
    pub message: MessageId,
    /// Letter or confirmation.
    pub kind: MessageKind,
    /// The mailbox it was offered to.
    pub recipient: String,
    /// 1 for the first try of this message, and so on.
    pub attempt: u32,
    /// When it ended.
    pub at: Timestamp,
    /// The relay's name.
    pub relay: String,
    /// Where the conversation stood.
    pub phase: Phase,
    /// The basic code.
    pub code: Option<u16>,
    /// The enhanced code.
    pub enhanced: Option<EnhancedCode>,
    /// The reply's text, or what was lost and why.
    pub text: String,
    /// [`crate::model::Class`] by its name.
    pub class: String,
    /// The rule that said so; empty for tries from before rules were recorded.
    pub rule: String,
    /// [`crate::model::Disposition`] by its name.
    pub disposition: String,
    /// The relay's name for an accepted message.
    pub queue_id: Option<String>,
    /// The Message-ID, once fixed, without angle brackets.
    pub message_id: Option<String>,
}

/// One message as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageRecord {
    /// Its number.
    pub id: MessageId,
    /// Letter or confirmation.
    pub kind: MessageKind,
    /// Where it stands.
    pub state: MessageState,
    /// The constituent's name.
    pub constituent: String,
    /// The official's title and name, of a letter.
    pub official: Option<String>,
    /// The mailbox it goes to; `None` where the official has none.
    pub recipient: Option<String>,
    /// When it may next be tried.
    pub due_at: Option<Timestamp>,
    /// When the relay accepted it.
    pub accepted_at: Option<Timestamp>,
    /// Message-ID, once fixed, without angle brackets.
    pub message_id: Option<String>,
    /// The last reply or loss, printable.
    pub last_reply: Option<String>,
}

/// What became of one message of a constituent, for the row beside which it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fate {
    /// Letter or confirmation.
    pub kind: MessageKind,
    /// Where it stands.
    pub state: MessageState,
    /// The official's title and name, of a letter.
    pub official: Option<String>,
    /// The official's key, of a letter.
    pub official_key: Option<PersonKey>,
    /// Whether there is a mailbox that it can go to.
    pub has_mailbox: bool,
    /// When the relay accepted it, or else when its last try ended.
    pub at: Option<Timestamp>,
    /// The last reply or loss, printable.
    pub last_reply: Option<String>,
}

/// What became of all letters to one official.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OfficialFates {
    /// Their letters by state; only states that occur.
    pub letters: BTreeMap<MessageState, u64>,
    /// When something last became of one of them.
    pub at: Option<Timestamp>,
    /// The last reply to one that failed, where one did; otherwise to any.
    pub last_reply: Option<String>,
}

/// The letters to one official.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfficialFigures {
    /// Title and name.
    pub official: String,
    /// Jurisdiction.
    pub jurisdiction: String,
    /// Their letters by state; only states that occur.
    pub letters: BTreeMap<MessageState, u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_parses_back() {
        for word in Confirming::ALL {
            assert_eq!(Confirming::parse(word.as_str()), Some(word));
        }
        for word in CampaignState::ALL {
            assert_eq!(CampaignState::parse(word.as_str()), Some(word));
        }
        for word in RelayState::ALL {
            assert_eq!(RelayState::parse(word.as_str()), Some(word));
        }
    }
}
