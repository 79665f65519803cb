//! The breaker: the same refusal for many is not about any of them.
//!
//! Looks at what was decided message by message and says when to stop and ask. It changes no verdict; what
//! happens to the messages it lists is the dispatcher's.

use std::collections::{HashSet, VecDeque};

use crate::model::{Class, MessageId, Outcome};

/// Refusals that look like one cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tripped {
    /// The refusal they have in common, without addresses, names and numbers.
    pub text: String,
    /// The messages that got it, oldest first: to be deferred, not bounced, until staff say what is the matter.
    pub messages: Vec<MessageId>,
}

/// Watches the last outcomes for the same permanent refusal.
///
/// It trips on the same refusal for 10 different recipients in a row, or for more than 20 % of the last 50
/// outcomes and at least 10 different recipients; and on 3 refusals of the message itself among the first 10
/// outcomes, since a letter that is wrong is wrong for all. Afterwards it starts anew.
#[derive(Debug, Default)]
pub struct Breaker {
    /// The newest last.
    remembered: VecDeque<Seen>,
    /// Outcomes since the start, as far as they matter for the first ones.
    seen: usize,
}

#[derive(Debug)]
struct Seen {
    message: MessageId,
    lane: i64,
    refusal: Option<Refusal>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Refusal {
    text: String,
    of_the_message: bool,
}

const REMEMBERED_MAX: usize = 50;
const LANES_MIN: usize = 10;
const SHARE_MAX: usize = REMEMBERED_MAX / 5;
const FIRST_ONES: usize = 10;
const FIRST_REFUSALS_MAX: usize = 3;

impl Breaker {
    /// A breaker that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes note of an outcome and of the class that [`super::decide`] gave it. Only acceptances and permanent
    /// refusals count; what is to be tried again says nothing yet.
    pub fn observe(&mut self, message: MessageId, lane: i64, outcome: &Outcome, class: Class) -> Option<Tripped> {
        let refusal = match class {
            Class::Accepted => None,
            Class::RecipientPermanent | Class::MessagePermanent => {
                Some(Refusal { text: refusal_in_common(outcome), of_the_message: class == Class::MessagePermanent })
            }
            _ => return None,
        };
        if self.remembered.len() == REMEMBERED_MAX {
            self.remembered.pop_front();
        }
        self.remembered.push_back(Seen { message, lane, refusal: refusal.clone() });
        self.seen = self.seen.saturating_add(1);
        let refusal = refusal?;
        let tripped = if self.many_alike(&refusal) {
            self.tripped(&refusal.text, |seen| *seen == refusal)
        } else if refusal.of_the_message && self.letter_seems_wrong() {
            self.tripped(&refusal.text, |seen| seen.of_the_message)
        } else {
            return None;
        };
        self.remembered.clear();
        Some(tripped)
    }

    fn many_alike(&self, refusal: &Refusal) -> bool {
        let alike = || self.remembered.iter().filter(|seen| seen.refusal.as_ref() == Some(refusal));
        let in_a_row = self.remembered.iter().rev().take_while(|seen| seen.refusal.as_ref() == Some(refusal));
        lanes(in_a_row) >= LANES_MIN || (alike().count() > SHARE_MAX && lanes(alike()) >= LANES_MIN)
    }

    fn letter_seems_wrong(&self) -> bool {
        let of_the_message = |seen: &&Seen| seen.refusal.as_ref().is_some_and(|refusal| refusal.of_the_message);
        self.seen <= FIRST_ONES && self.remembered.iter().filter(of_the_message).count() >= FIRST_REFUSALS_MAX
    }

    fn tripped(&self, text: &str, is_one: impl Fn(&Refusal) -> bool) -> Tripped {
        let those = self.remembered.iter().filter(|seen| seen.refusal.as_ref().is_some_and(&is_one));
        Tripped { text: text.to_owned(), messages: those.map(|seen| seen.message).collect() }
    }
}

fn lanes<'a>(seen: impl Iterator<Item = &'a Seen>) -> usize {
    seen.map(|seen| seen.lane).collect::<HashSet<_>>().len()
}

/// As [`Tripped::text`] has it: the reply without what differs from one recipient to the next: addresses, words with
/// digits, words that open with a bracket or a quotation mark.
pub fn refusal_in_common(outcome: &Outcome) -> String {
    let Some(reply) = outcome.reply() else { return outcome.to_string() };
    let varies = |word: &str| {
        word.contains('@')
            || word.bytes().any(|b| b.is_ascii_digit())
            || word.starts_with(['<', '"', '\'', '`', '(', '['])
    };
    let mut words = vec![reply.code.to_string()];
    words.extend(reply.enhanced.map(|code| code.to_string()));
    words.extend(reply.text.split_whitespace().filter(|word| !varies(word)).map(str::to_owned));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{LossCause, Phase, Reply};

    fn reply(code: u16, text: &str) -> Outcome {
        Outcome::Replied(Reply::new(Phase::Dot, code, [text]))
    }

    /// Feeds a breaker; message and lane have the same number.
    struct Feed {
        breaker: Breaker,
        next: i64,
    }

    impl Feed {
        fn new() -> Self {
            Self { breaker: Breaker::new(), next: 0 }
        }

        fn see(&mut self, code: u16, text: &str, class: Class) -> Option<Tripped> {
            self.next += 1;
            self.breaker.observe(MessageId(self.next), self.next, &reply(code, text), class)
        }

        fn sent(&mut self) {
            assert_eq!(self.see(250, "ok", Class::Accepted), None);
        }

        fn unknown(&mut self) -> Option<Tripped> {
            let text = format!("5.1.1 <m{n}@x{n}.example>: User unknown {n}-gsmtp", n = self.next);
            self.see(550, &text, Class::RecipientPermanent)
        }
    }

    #[test]
    fn ten_recipients_in_a_row_with_the_same_refusal_trip_it() {
        let mut feed = Feed::new();
        feed.sent();
        for _ in 0..9 {
            assert_eq!(feed.unknown(), None);
        }
        let tripped = feed.unknown().unwrap();
        assert_eq!(tripped.text, "550 5.1.1 User unknown");
        assert_eq!(tripped.messages, (2..=11).map(MessageId).collect::<Vec<_>>());
    }

    #[test]
    fn a_success_in_between_or_another_refusal_ends_the_row() {
        for other in [None, Some("5.2.1 disabled")] {
            let mut feed = Feed::new();
            for round in 0..2 {
                for _ in 0..5 {
                    assert_eq!(feed.unknown(), None, "{other:?}, round {round}");
                }
                match other {
                    None => feed.sent(),
                    Some(text) => assert_eq!(feed.see(550, text, Class::RecipientPermanent), None),
                }
            }
        }
    }

    #[test]
    fn one_mailbox_that_refuses_everything_is_one_recipient() {
        let mut breaker = Breaker::new();
        for n in 0..200 {
            let refused = reply(550, "5.1.1 User unknown");
            assert_eq!(breaker.observe(MessageId(n), n % 9, &refused, Class::RecipientPermanent), None);
        }
    }

    #[test]
    fn more_than_a_fifth_of_the_last_fifty_trips_it() {
        let mut feed = Feed::new();
        for n in 1..=10 {
            (0..4).for_each(|_| feed.sent());
            assert_eq!(feed.unknown(), None, "{n} of {}", n * 5);
        }
        // The first of the ten is still among the last fifty when an eleventh comes.
        let tripped = feed.unknown().unwrap();
        assert_eq!(tripped.messages.len(), 11);
    }

    #[test]
    fn only_the_last_fifty_are_remembered() {
        let mut feed = Feed::new();
        for _ in 0..200 {
            (0..5).for_each(|_| feed.sent());
            assert_eq!(feed.unknown(), None, "a sixth is not more than a fifth");
        }
        assert_eq!(feed.breaker.remembered.len(), REMEMBERED_MAX);
    }

    #[test]
    fn what_will_be_tried_again_neither_counts_nor_ends_a_row() {
        let mut feed = Feed::new();
        for _ in 0..9 {
            assert_eq!(feed.unknown(), None);
            for class in [Class::RecipientTransient, Class::Connection, Class::SlowDown, Class::Quota, Class::InDoubt] {
                assert_eq!(feed.see(450, "later", class), None);
            }
        }
        assert!(feed.unknown().is_some());
    }

    #[test]
    fn three_refusals_of_the_letter_among_the_first_ten_outcomes_trip_it() {
        let mut feed = Feed::new();
        (0..6).for_each(|_| feed.sent());
        assert_eq!(feed.see(552, "5.3.4 too big", Class::MessagePermanent), None);
        assert_eq!(feed.see(554, "5.6.0 bad content", Class::MessagePermanent), None);
        feed.sent();
        let tripped = feed.see(552, "5.3.4 too big", Class::MessagePermanent).unwrap();
        assert_eq!((tripped.text.as_str(), tripped.messages.len()), ("552 5.3.4 too big", 3));
    }

    #[test]
    fn three_refusals_of_the_letter_later_on_are_three_odd_letters() {
        let mut feed = Feed::new();
        (0..8).for_each(|_| feed.sent());
        for _ in 0..9 {
            assert_eq!(feed.see(552, "5.3.4 too big", Class::MessagePermanent), None);
        }
    }

    #[test]
    fn after_tripping_it_starts_anew() {
        let mut feed = Feed::new();
        while feed.unknown().is_none() {}
        for _ in 0..9 {
            assert_eq!(feed.unknown(), None);
        }
        assert!(feed.unknown().is_some());
    }

    #[test]
    fn what_is_left_of_a_refusal_holds_no_address_and_no_number() {
        for (line, expected) in [
            ("5.1.1 <jane@x.example>: User unknown", "550 5.1.1 User unknown"),
            ("5.7.1 [192.0.2.7] refused, see https://x.example/?q=17 x4-v6.22", "550 5.7.1 refused, see"),
            ("No such user \"jane\" here", "550 No such user here"),
            ("jane@x.example no", "550 no"),
            ("", "550"),
        ] {
            assert_eq!(refusal_in_common(&reply(550, line)), expected);
        }
        let lost = Outcome::Lost { phase: Phase::Mail, cause: LossCause::NotOffered, detail: "SMTPUTF8".to_owned() };
        assert_eq!(refusal_in_common(&lost), "not offered by the relay: SMTPUTF8 (at mail)");
    }
}
