//! How a message came to be in doubt: what staff ask first.

use crate::model::LossCause;

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Doubt {
    /// The program ended while it was in transmission; found open at the next start.
    ProcessEnded,
    /// The connection was lost before the answer to the whole message.
    ConnectionLost,
    /// That answer did not come in time.
    TimedOut,
    /// What came was no answer to it.
    Unclear,
}

impl Doubt {
    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ProcessEnded => "process_ended",
            Self::ConnectionLost => "connection_lost",
            Self::TimedOut => "timed_out",
            Self::Unclear => "unclear_answer",
        }
    }

    /// From what the message's row keeps of its last try, which is an [`crate::model::Outcome`] in words.
    pub(super) fn of(last_reply: &str) -> Self {
        let causes = [
            (LossCause::ProcessEnded, Self::ProcessEnded),
            (LossCause::Closed, Self::ConnectionLost),
            (LossCause::Timeout, Self::TimedOut),
        ];
        let found = causes.into_iter().find(|(cause, _)| last_reply.starts_with(cause.as_str()));
        found.map_or(Self::Unclear, |(_, doubt)| doubt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Outcome, Phase, Reply};

    #[test]
    fn why_a_message_is_in_doubt_is_read_from_what_its_row_keeps() {
        let lost = |cause, detail: &str| Outcome::Lost { phase: Phase::Dot, cause, detail: detail.to_owned() };
        for (outcome, expected) in [
            (lost(LossCause::ProcessEnded, ""), Doubt::ProcessEnded),
            (lost(LossCause::Closed, "reset by peer"), Doubt::ConnectionLost),
            (lost(LossCause::Timeout, ""), Doubt::TimedOut),
            (lost(LossCause::Garbage, "what"), Doubt::Unclear),
            (Outcome::Replied(Reply::new(Phase::Dot, 251, ["ok"])), Doubt::Unclear),
        ] {
            assert_eq!(Doubt::of(&outcome.to_string()), expected, "{outcome}");
        }
    }
}
