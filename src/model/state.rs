//! The states of a message and the one function that holds every arrow between them.

use std::fmt;

/// Where a message stands. The names are Postfix's where it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MessageState {
    /// Waits for staff, or for a mailbox.
    Held,
    /// Waits for its turn.
    Queued,
    /// A worker has it; the relay has seen nothing of it yet.
    Leased,
    /// The ledger says that its body may be on the wire. Past this, only a reply tells.
    Transmitting,
    /// Refused for now; will be tried again.
    Deferred,
    /// The relay answered 250 to the complete message, and that answer is on disk.
    Sent,
    /// Refused for good.
    Bounced,
    /// Refused for now, until time ran out.
    Expired,
    /// The connection died at the one moment when the relay may or may not have taken it. Waits for staff.
    InDoubt,
    /// The recipient is on the suppression list.
    Suppressed,
    /// Staff withdrew it.
    Cancelled,
}

impl MessageState {
    /// All states, in the order in which reports show them.
    pub const ALL: [Self; 11] = [
        Self::Held,
        Self::Queued,
        Self::Leased,
        Self::Transmitting,
        Self::Deferred,
        Self::Sent,
        Self::Bounced,
        Self::Expired,
        Self::InDoubt,
        Self::Suppressed,
        Self::Cancelled,
    ];

    /// The name used in the ledger, on the command line and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Queued => "queued",
            Self::Leased => "leased",
            Self::Transmitting => "transmitting",
            Self::Deferred => "deferred",
            Self::Sent => "sent",
            Self::Bounced => "bounced",
            Self::Expired => "expired",
            Self::InDoubt => "in_doubt",
            Self::Suppressed => "suppressed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The name in a sentence.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::InDoubt => "in doubt",
            other => other.as_str(),
        }
    }

    /// The state of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == name)
    }

    /// Whether the program will still move it without being asked.
    pub fn moves_by_itself(self) -> bool {
        matches!(self, Self::Queued | Self::Leased | Self::Transmitting | Self::Deferred)
    }

    /// Whether the constituent can be told what became of it. `in doubt` counts: the truth is that nobody knows.
    pub fn is_settled(self) -> bool {
        !self.moves_by_itself() && self != Self::Held
    }

    /// Whether the relay may have it, or may still get it: another letter in its place would be a second one.
    pub fn may_reach(self) -> bool {
        !self.is_failure() && self != Self::Cancelled
    }

    /// Whether it counts as a failure in `finished with failures`.
    pub fn is_failure(self) -> bool {
        matches!(self, Self::Bounced | Self::Expired | Self::Suppressed)
    }
}

impl fmt::Display for MessageState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a message moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Move {
    /// A worker takes it.
    Claim,
    /// The worker returns it untouched, or its process ended before the body.
    GiveBack,
    /// The point of no return, on disk before the first byte of the body.
    MarkTransmitting,
    /// 250 to the complete message.
    Accept,
    /// A permanent refusal.
    Bounce,
    /// A refusal for now, or a connection lost before the dot.
    Defer,
    /// Its time has come.
    ComeDue,
    /// Its time has run out.
    Expire,
    /// Nobody can tell whether the relay has it.
    LoseTrack,
    /// Staff: wait.
    Hold,
    /// Staff: go on.
    Release,
    /// Staff: withdraw.
    Cancel,
    /// The recipient must not be written to.
    Suppress,
    /// Staff: try a failed one again.
    Retry,
    /// Staff know that the relay has it.
    ResolveSent,
    /// Staff order it sent again.
    ResolveResend,
    /// The relay's own log says that the relay has it.
    FoundInLog,
}

/// An arrow that does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a message that is {from} cannot make the move {by:?}")]
pub struct IllegalMove {
    /// Where it stands.
    pub from: MessageState,
    /// What was tried.
    pub by: Move,
}

/// Every arrow between states. There is no other place in which a message changes its state.
pub fn transition(from: MessageState, by: Move) -> Result<MessageState, IllegalMove> {
    use MessageState as S;
    use Move as M;
    Ok(match (from, by) {
        (S::Queued, M::Claim) => S::Leased,
        (S::Leased, M::GiveBack)
        | (S::Deferred, M::ComeDue)
        | (S::Held, M::Release)
        | (S::Bounced | S::Expired | S::Suppressed, M::Retry)
        | (S::InDoubt, M::ResolveResend) => S::Queued,
        (S::Leased, M::MarkTransmitting) => S::Transmitting,
        (S::Transmitting, M::Accept)
        | (S::InDoubt, M::ResolveSent)
        // What waits here can be out there: this ledger may be an older copy.
        | (S::InDoubt | S::Queued | S::Deferred | S::Held, M::FoundInLog) => S::Sent,
        (S::Leased | S::Transmitting, M::Bounce) => S::Bounced,
        (S::Leased | S::Transmitting, M::Defer) => S::Deferred,
        (S::Leased | S::Transmitting | S::Deferred | S::Queued, M::Expire) => S::Expired,
        (S::Transmitting, M::LoseTrack) => S::InDoubt,
        (S::Queued | S::Deferred, M::Hold) => S::Held,
        (S::Queued | S::Deferred | S::Held, M::Cancel) => S::Cancelled,
        (S::Queued | S::Deferred | S::Held, M::Suppress) => S::Suppressed,
        (from, by) => return Err(IllegalMove { from, by }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOVES: [Move; 17] = [
        Move::Claim,
        Move::GiveBack,
        Move::MarkTransmitting,
        Move::Accept,
        Move::Bounce,
        Move::Defer,
        Move::ComeDue,
        Move::Expire,
        Move::LoseTrack,
        Move::Hold,
        Move::Release,
        Move::Cancel,
        Move::Suppress,
        Move::Retry,
        Move::ResolveSent,
        Move::ResolveResend,
        Move::FoundInLog,
    ];

    fn arrows() -> impl Iterator<Item = (MessageState, Move, MessageState)> {
        MessageState::ALL
            .into_iter()
            .flat_map(|from| MOVES.into_iter().filter_map(move |by| transition(from, by).ok().map(|to| (from, by, to))))
    }

    #[test]
    fn sent_is_reached_only_by_acceptance_or_by_staff_or_a_relay_s_log_and_never_left() {
        for (from, by, to) in arrows() {
            assert_ne!(from, MessageState::Sent);
            if to == MessageState::Sent {
                assert!(matches!(by, Move::Accept | Move::ResolveSent | Move::FoundInLog));
            }
        }
    }

    #[test]
    fn only_staff_move_a_message_that_is_in_doubt() {
        for (from, by, _) in arrows() {
            if from == MessageState::InDoubt {
                assert!(matches!(by, Move::ResolveSent | Move::ResolveResend | Move::FoundInLog));
            }
        }
    }

    #[test]
    fn transmitting_never_returns_to_the_queue_by_itself() {
        for (from, by, to) in arrows() {
            if from == MessageState::Transmitting {
                assert_ne!(to, MessageState::Queued, "{by:?}");
            }
        }
    }

    #[test]
    fn every_state_that_moves_by_itself_has_an_arrow_and_every_name_parses_back() {
        for state in MessageState::ALL {
            assert_eq!(MessageState::parse(state.as_str()), Some(state));
            if state.moves_by_itself() {
                assert!(arrows().any(|(from, ..)| from == state));
            }
        }
    }
}
