//! One try to hand one message to a relay, and what was decided from it: a line of the retry log.

use std::borrow::Cow;

use jiff::Timestamp;

use super::{EnhancedCode, Outcome, Phase};

/// What kind of trouble an outcome is: who is affected, and whether for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// No trouble: accepted.
    Accepted,
    /// A: this recipient, for now.
    RecipientTransient,
    /// B: this connection.
    Connection,
    /// C: the relay asks to slow down.
    SlowDown,
    /// C′: the relay's quota for the day is used up.
    Quota,
    /// D: this recipient, for good.
    RecipientPermanent,
    /// E: this message, for good.
    MessagePermanent,
    /// F: our account at the relay, for good.
    Account,
    /// G: nobody can tell whether the relay has the message.
    InDoubt,
    /// H: the same refusal for many, which is not about any of them.
    Breaker,
}

impl Class {
    /// All classes.
    pub const ALL: [Self; 10] = [
        Self::Accepted,
        Self::RecipientTransient,
        Self::Connection,
        Self::SlowDown,
        Self::Quota,
        Self::RecipientPermanent,
        Self::MessagePermanent,
        Self::Account,
        Self::InDoubt,
        Self::Breaker,
    ];

    /// The name used in the ledger and in `log`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::RecipientTransient => "recipient_transient",
            Self::Connection => "connection",
            Self::SlowDown => "slow_down",
            Self::Quota => "quota",
            Self::RecipientPermanent => "recipient_permanent",
            Self::MessagePermanent => "message_permanent",
            Self::Account => "account",
            Self::InDoubt => "in_doubt",
            Self::Breaker => "breaker",
        }
    }

    /// The class of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.as_str() == name)
    }
}

/// What becomes of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// The relay has it.
    Sent,
    /// Tried again at that time. `counted` is whether the try counts towards giving up: only the recipient's
    /// own refusals do.
    Deferred {
        /// Not before.
        due: Timestamp,
        /// On the recipient's clock (true) or the relay's (false).
        counted: bool,
    },
    /// Refused for good.
    Bounced,
    /// Refused for now once too often.
    Expired,
    /// Waits for staff.
    InDoubt,
}

impl Disposition {
    /// The name used in the ledger and in `log`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Deferred { .. } => "deferred",
            Self::Bounced => "bounced",
            Self::Expired => "expired",
            Self::InDoubt => "in_doubt",
        }
    }
}

/// A finished try, as it goes into the ledger in the transaction that moves the message.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// When it ended.
    pub at: Timestamp,
    /// Which relay, by its name in the configuration.
    pub relay: String,
    /// What happened.
    pub outcome: Outcome,
    /// What kind of trouble that is.
    pub class: Class,
    /// By which rule, by its name.
    pub rule: Cow<'static, str>,
    /// What becomes of the message.
    pub disposition: Disposition,
}

impl Attempt {
    /// Where the conversation stood.
    pub fn phase(&self) -> Phase {
        self.outcome.phase()
    }

    /// The basic code, where the relay replied.
    pub fn code(&self) -> Option<u16> {
        self.outcome.reply().map(|r| r.code)
    }

    /// The enhanced code, where the relay gave one.
    pub fn enhanced(&self) -> Option<EnhancedCode> {
        self.outcome.reply().and_then(|r| r.enhanced)
    }

    /// The reply's text, or what was lost and why.
    pub fn text(&self) -> String {
        match &self.outcome {
            Outcome::Replied(reply) => reply.text.clone(),
            Outcome::Lost { cause, detail, .. } if detail.is_empty() => cause.to_string(),
            Outcome::Lost { cause, detail, .. } => format!("{cause}: {detail}"),
        }
    }

    /// The name under which the relay queued an accepted message, from the usual forms of its reply
    /// (`queued as 4F1C2`, `Ok: queued as …`, `Ok 0100018f-…`, `id=1abcd-…`).
    pub fn queue_id(&self) -> Option<&str> {
        let reply = self.outcome.reply().filter(|r| r.accepts_message())?;
        let mut words = reply.text.split_whitespace().peekable();
        let mut last = None;
        while let Some(word) = words.next() {
            let lower = word.to_ascii_lowercase();
            if lower == "as" || lower == "id" {
                return words.peek().copied().map(trim_id);
            }
            if let Some(id) = lower.find("id=").map(|at| &word[at + 3..]).filter(|id| !id.is_empty()) {
                return Some(trim_id(id));
            }
            last = Some(word);
        }
        last.filter(|w| w.len() >= 6 && w.bytes().any(|b| b.is_ascii_digit())).map(trim_id)
    }
}

fn trim_id(word: &str) -> &str {
    word.trim_matches(|c: char| !c.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Reply;

    #[test]
    fn the_queue_id_is_found_in_the_usual_replies() {
        for (text, expected) in [
            ("Ok: queued as 4F1C2D3E", Some("4F1C2D3E")),
            ("Ok 0100018f0c9b3a4d-7a1e-000000", Some("0100018f0c9b3a4d-7a1e-000000")),
            ("OK id=1tABcd-0003xY-2Z", Some("1tABcd-0003xY-2Z")),
            ("Great success", None),
            ("OK", None),
        ] {
            let attempt = Attempt {
                at: Timestamp::UNIX_EPOCH,
                relay: String::new(),
                outcome: Outcome::Replied(Reply::new(Phase::Dot, 250, [text])),
                class: Class::Accepted,
                rule: Cow::Borrowed("250 to the dot"),
                disposition: Disposition::Sent,
            };
            assert_eq!(attempt.queue_id(), expected, "{text}");
        }
    }
}
