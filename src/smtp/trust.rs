//! Whether a relay bears that an envelope travels with the text before it (RFC 2920 3.1).
//!
//! One that offers PIPELINING should, but some boxes between throw away what comes early, or hang up. That costs
//! no message anything but time, so it is found out by trying; after that every message goes by itself. Remembers
//! nothing else, and nothing beyond this run.

use std::sync::atomic::{AtomicU8, Ordering};

use crate::model::{LossCause, Outcome, Phase};

/// So often in a row a relay may hang up on an envelope that came early: many close after every so many messages.
const STRIKES_MAX: u8 = 3;

/// What all sessions with one relay know.
#[derive(Debug, Default)]
pub(super) struct Trust {
    strikes: AtomicU8,
}

impl Trust {
    pub(super) fn is_whole(&self) -> bool {
        self.strikes.load(Ordering::Relaxed) < STRIKES_MAX
    }

    /// Takes in how the relay answered an envelope that had travelled ahead.
    pub(super) fn learn(&self, answered: &Result<(), Outcome>) {
        let before = self.strikes.load(Ordering::Relaxed);
        let strikes = match answered {
            // It had its chance: an answer out of step, or none, is not a matter of when it closes.
            Err(Outcome::Lost { cause: LossCause::Timeout | LossCause::Garbage, .. }) => STRIKES_MAX,
            Err(Outcome::Replied(reply)) if matches!(reply.code, 300..400 | 500 | 503) => STRIKES_MAX,
            Err(Outcome::Lost { .. }) => before.saturating_add(1),
            // Before any recipient was named it may be about coming early, whatever its words.
            Err(Outcome::Replied(reply)) if reply.phase == Phase::Mail => before.saturating_add(1),
            Ok(()) | Err(Outcome::Replied(_)) if before < STRIKES_MAX => 0,
            Ok(()) | Err(Outcome::Replied(_)) => before,
        };
        self.strikes.store(strikes, Ordering::Relaxed);
        if before < STRIKES_MAX && strikes >= STRIKES_MAX {
            tracing::info!(
                "the relay does not bear envelopes that come early; from now on each message goes by itself"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Reply;

    fn lost(cause: LossCause) -> Result<(), Outcome> {
        Err(Outcome::Lost { phase: Phase::Mail, cause, detail: String::new() })
    }

    fn replied(code: u16) -> Result<(), Outcome> {
        Err(Outcome::Replied(Reply::new(Phase::Rcpt, code, ["no"])))
    }

    #[test]
    fn a_relay_that_throws_away_what_comes_early_is_found_out_for_good() {
        for answer in [lost(LossCause::Timeout), lost(LossCause::Garbage), replied(503), replied(354)] {
            let trust = Trust::default();
            trust.learn(&answer);
            assert!(!trust.is_whole(), "{answer:?}");
            trust.learn(&Ok(()));
            assert!(!trust.is_whole());
        }
    }

    #[test]
    fn senders_that_are_refused_in_a_row_are_a_sign_whatever_the_words() {
        let trust = Trust::default();
        for code in [554, 421, 451] {
            assert!(trust.is_whole());
            trust.learn(&Err(Outcome::Replied(Reply::new(Phase::Mail, code, ["no"]))));
        }
        assert!(!trust.is_whole());
    }

    #[test]
    fn a_relay_that_closes_now_and_then_or_refuses_recipients_keeps_its_trust() {
        let trust = Trust::default();
        for _ in 0..100 {
            trust.learn(&lost(LossCause::Closed));
            trust.learn(&lost(LossCause::Closed));
            trust.learn(&Ok(()));
            trust.learn(&replied(550));
        }
        assert!(trust.is_whole());
        for _ in 0..3 {
            trust.learn(&lost(LossCause::Closed));
        }
        assert!(!trust.is_whole());
    }
}
