//! Which kinds of messages may go at a moment: letters and confirmations have hours of their own.

use jiff::Timestamp;

use super::window::{Window, WindowState};
use crate::model::MessageKind;

/// The hours of each kind of message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Windows {
    /// Of letters: when an office can bear them.
    pub letters: Window,
    /// Of confirmations.
    pub confirmations: Window,
}

/// What may go at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Open {
    /// Everything.
    All,
    /// One kind; the other not before then.
    Only {
        /// What may go.
        kind: MessageKind,
        /// When the other may.
        other_at: Timestamp,
    },
    /// Nothing before then.
    Nothing {
        /// When the first of the two may.
        until: Timestamp,
    },
}

impl Windows {
    /// Around the clock.
    pub fn always() -> Self {
        Self { letters: Window::always(), confirmations: Window::always() }
    }

    /// What may go now.
    pub fn at(&self, now: Timestamp) -> Open {
        match (self.letters.at(now), self.confirmations.at(now)) {
            (WindowState::Open { .. }, WindowState::Open { .. }) => Open::All,
            (WindowState::Open { .. }, WindowState::Closed { until }) => {
                Open::Only { kind: MessageKind::Letter, other_at: until }
            }
            (WindowState::Closed { until }, WindowState::Open { .. }) => {
                Open::Only { kind: MessageKind::Confirmation, other_at: until }
            }
            (WindowState::Closed { until }, WindowState::Closed { until: other }) => {
                Open::Nothing { until: until.min(other) }
            }
        }
    }
}

impl Open {
    /// Whether messages of that kind may go.
    pub fn lets(self, kind: MessageKind) -> bool {
        match self {
            Self::All => true,
            Self::Only { kind: open, .. } => open == kind,
            Self::Nothing { .. } => false,
        }
    }

    /// When something that may not go now may.
    pub fn changes_at(self) -> Option<Timestamp> {
        match self {
            Self::All => None,
            Self::Only { other_at, .. } => Some(other_at),
            Self::Nothing { until } => Some(until),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    #[test]
    fn letters_and_confirmations_have_hours_of_their_own() {
        let window = |text| Window::parse(text, TimeZone::UTC).unwrap();
        let windows = Windows { letters: window("8-18"), confirmations: window("6-20") };
        let at = |hour: i64| Timestamp::from_second(1_790_000_000 / 86_400 * 86_400 + hour * 3600).unwrap();
        for (hour, open) in [
            (5, Open::Nothing { until: at(6) }),
            (7, Open::Only { kind: MessageKind::Confirmation, other_at: at(8) }),
            (8, Open::All),
            (19, Open::Only { kind: MessageKind::Confirmation, other_at: at(32) }),
            (20, Open::Nothing { until: at(30) }),
        ] {
            assert_eq!(windows.at(at(hour)), open, "{hour}");
        }
        assert!(windows.at(at(7)).lets(MessageKind::Confirmation) && !windows.at(at(7)).lets(MessageKind::Letter));
        assert_eq!(Windows::always().at(at(3)).changes_at(), None);
    }
}
