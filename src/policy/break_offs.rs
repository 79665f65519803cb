//! Tells a relay that is away from a message at which the relay breaks off.
//!
//! Losing the connection counts against no message, since it is the relay's trouble; but a message that takes every
//! connection down with it would be tried without end. It is the message when the others pass.

use std::collections::HashMap;

use crate::model::{Class, MessageId};

/// How often the connection to one relay broke off at which message, since that message last got an answer.
///
/// In memory only, and only of messages at which it happened: a new run begins anew, and finds it out again.
#[derive(Debug, Default)]
pub struct BreakOffs {
    /// How many messages got an answer.
    answered: u64,
    at: HashMap<MessageId, Broken>,
}

#[derive(Debug)]
struct Broken {
    times: u32,
    /// How many had got an answer when it first happened.
    answered_before: u64,
}

/// So often while others pass, and it is the message.
const TIMES_WHILE_OTHERS_PASS: u32 = 3;
/// So often though no other passes, as when it is the last: some five hours by the relay's clock.
const TIMES: u32 = 20;

impl BreakOffs {
    /// Nothing happened yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether, should the connection break off at this message now, it is the message.
    pub fn is_suspect(&self, message: MessageId) -> bool {
        self.at.get(&message).is_some_and(|broken| {
            let others_pass = self.answered > broken.answered_before;
            broken.times + 1 >= if others_pass { TIMES_WHILE_OTHERS_PASS } else { TIMES }
        })
    }

    /// Takes note of how a message fared; `broke_off` is whether the connection did in its transaction.
    pub fn observe(&mut self, message: MessageId, class: Class, broke_off: bool) {
        if broke_off {
            let answered_before = self.answered;
            let broken = self.at.entry(message).or_insert(Broken { times: 0, answered_before });
            broken.times = broken.times.saturating_add(1);
        } else if is_answer(class) {
            self.answered += 1;
            self.at.remove(&message);
        }
    }
}

/// Whether the relay dealt with the message itself, whatever it decided.
fn is_answer(class: Class) -> bool {
    matches!(class, Class::Accepted | Class::RecipientTransient | Class::RecipientPermanent | Class::MessagePermanent)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BAD: MessageId = MessageId(1);
    const GOOD: MessageId = MessageId(2);

    fn times_until_suspect(others_pass: bool) -> u32 {
        let mut break_offs = BreakOffs::new();
        (1..100)
            .find(|_| {
                let is_suspect = break_offs.is_suspect(BAD);
                break_offs.observe(BAD, Class::Connection, true);
                if others_pass {
                    break_offs.observe(GOOD, Class::Accepted, false);
                }
                is_suspect
            })
            .unwrap_or(u32::MAX)
    }

    #[test]
    fn it_is_the_message_at_the_third_time_while_others_pass_and_at_the_twentieth_otherwise() {
        assert_eq!(times_until_suspect(true), 3);
        assert_eq!(times_until_suspect(false), 20);
    }

    #[test]
    fn an_answer_to_the_message_itself_clears_it() {
        let mut break_offs = BreakOffs::new();
        for _ in 0..2 {
            break_offs.observe(BAD, Class::Connection, true);
            break_offs.observe(GOOD, Class::RecipientPermanent, false);
        }
        assert!(break_offs.is_suspect(BAD) && !break_offs.is_suspect(GOOD));
        break_offs.observe(BAD, Class::Accepted, false);
        assert!(!break_offs.is_suspect(BAD));
    }

    #[test]
    fn a_relay_that_is_away_for_all_makes_none_suspect_soon() {
        let mut break_offs = BreakOffs::new();
        for round in 0..15 {
            for n in 0..50 {
                assert!(!break_offs.is_suspect(MessageId(n)), "{round}");
                break_offs.observe(MessageId(n), Class::Connection, true);
            }
        }
        for class in [Class::Connection, Class::SlowDown, Class::Quota, Class::Account, Class::InDoubt] {
            break_offs.observe(GOOD, class, false);
        }
        assert!(!break_offs.is_suspect(MessageId(3)), "none of these says that others pass");
    }
}
