//! A simulated relay: it has outages, greylists, refuses and loses now and then, and keeps a record of what it has.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use rand::RngExt;
use rand::rngs::StdRng;

use crate::model::{LossCause, MessageId, Outcome, Phase, Reply};

use super::world::Hand;

/// How often something goes wrong, from 0 to 1.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Odds {
    pub(super) busy: f64,
    pub(super) refused: f64,
    pub(super) closing: f64,
    pub(super) lost_at_dot: f64,
}

#[derive(Debug, Default)]
pub(super) struct SimRelay {
    pub(super) outages: Vec<(Timestamp, Timestamp)>,
    /// A mailbox that it has not seen before is refused for so long.
    pub(super) greylists: Option<Duration>,
    /// These it refuses for now, whenever they come.
    pub(super) never_now: Vec<MessageId>,
    /// Its quota is used up, as it says.
    pub(super) used_up: Option<(Timestamp, Timestamp)>,
    pub(super) odds: Odds,
    seen: BTreeMap<String, Timestamp>,
    /// What it has, and since when.
    pub(super) record: Vec<(Timestamp, MessageId)>,
    /// When it failed as a relay.
    pub(super) trouble: Vec<Timestamp>,
}

impl SimRelay {
    fn is_out(&self, now: Timestamp) -> bool {
        self.outages.iter().any(|(from, to)| (*from..*to).contains(&now))
    }

    fn fails(&mut self, now: Timestamp, phase: Phase, cause: LossCause) -> Outcome {
        self.trouble.push(now);
        Outcome::Lost { phase, cause, detail: String::new() }
    }

    fn says(&mut self, now: Timestamp, phase: Phase, code: u16, text: &str) -> Outcome {
        if code == 421 {
            self.trouble.push(now);
        }
        Outcome::Replied(Reply::new(phase, code, [text]))
    }

    pub(super) fn connects(&mut self, now: Timestamp) -> Result<(), Outcome> {
        if self.is_out(now) { Err(self.fails(now, Phase::Connect, LossCause::Refused)) } else { Ok(()) }
    }

    /// MAIL, RCPT, DATA.
    pub(super) fn is_offered(&mut self, now: Timestamp, hand: &Hand, chance: &mut StdRng) -> Result<(), Outcome> {
        if self.is_out(now) {
            return Err(self.fails(now, Phase::Mail, LossCause::Closed));
        }
        if self.used_up.is_some_and(|(from, to)| (from..to).contains(&now)) {
            self.trouble.push(now);
            return Err(self.says(now, Phase::Mail, 452, "4.7.0 daily quota exceeded"));
        }
        if self.never_now.contains(&hand.message) {
            return Err(self.says(now, Phase::Rcpt, 450, "4.2.1 mailbox busy"));
        }
        let first = *self.seen.entry(hand.mailbox.clone()).or_insert(now);
        let is_grey = self.greylists.is_some_and(|for_so_long| now < first + for_so_long);
        if is_grey {
            return Err(self.says(now, Phase::Rcpt, 450, "4.7.1 greylisted"));
        }
        if chance.random_bool(self.odds.closing) {
            return Err(self.says(now, Phase::Mail, 421, "4.3.2 closing"));
        }
        if chance.random_bool(self.odds.busy) {
            return Err(self.says(now, Phase::Rcpt, 450, "4.2.1 mailbox busy"));
        }
        Ok(())
    }

    /// The text with its dot has arrived, or not: what it answers.
    pub(super) fn takes(&mut self, now: Timestamp, message: MessageId, chance: &mut StdRng) -> Outcome {
        if self.is_out(now) {
            if chance.random_bool(0.5) {
                return self.fails(now, Phase::Body, LossCause::Closed);
            }
            self.record.push((now, message));
            return self.fails(now, Phase::Dot, LossCause::Closed);
        }
        if chance.random_bool(self.odds.lost_at_dot) {
            if chance.random_bool(0.5) {
                self.record.push((now, message));
            }
            return self.fails(now, Phase::Dot, LossCause::Timeout);
        }
        if chance.random_bool(self.odds.busy) {
            return self.says(now, Phase::Dot, 452, "4.2.2 over quota");
        }
        if chance.random_bool(self.odds.refused) {
            return self.says(now, Phase::Dot, 554, "5.6.0 refused");
        }
        self.record.push((now, message));
        self.says(now, Phase::Dot, 250, "2.0.0 Ok")
    }

    pub(super) fn copies(&self, message: MessageId) -> usize {
        self.record.iter().filter(|(_, id)| *id == message).count()
    }
}
