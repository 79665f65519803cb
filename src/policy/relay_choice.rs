//! Which of several relays may be given the next message: by their order, how each stands, and their shares.
//!
//! A relay of a higher order is a spare: it is used only while every relay of a lower one is away. Among relays of
//! one order weights say who gets how much; without weights whoever is free takes the next. A relay that failed is tried
//! again with the next message once its pause is over, whichever spare is at hand. Which messages a relay may carry at all
//! is asked before.

use crate::model::MessageKind;

/// The kinds of message that a relay may carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Carries {
    /// Letters.
    pub letters: bool,
    /// Confirmations.
    pub confirmations: bool,
}

impl Carries {
    /// Everything.
    pub const ALL: Self = Self { letters: true, confirmations: true };
    /// Nothing.
    pub const NOTHING: Self = Self { letters: false, confirmations: false };

    /// Whether messages of that kind are among them.
    pub fn includes(self, kind: MessageKind) -> bool {
        match kind {
            MessageKind::Letter => self.letters,
            MessageKind::Confirmation => self.confirmations,
        }
    }

    /// What either of two carries.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self { letters: self.letters || other.letters, confirmations: self.confirmations || other.confirmations }
    }
}

/// How a relay stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing is wrong with it, as far as is known.
    Well,
    /// It asked us to slow down and has a short pause: not used now, but no reason for a spare.
    Resting,
    /// It failed, and its pause is over: one session tries whether it works again.
    Trying,
    /// It is not used before a time.
    Away,
    /// It refuses our account, or cannot be trusted: not used again in this run.
    Stopped,
}

impl Standing {
    /// Whether it may be used now.
    pub fn is_usable(self) -> bool {
        matches!(self, Self::Well | Self::Trying)
    }

    /// Whether spares are left alone because of it.
    fn keeps_spares_out(self) -> bool {
        matches!(self, Self::Well | Self::Resting)
    }
}

/// One of the relays that may carry a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// Lower is earlier.
    pub order: u32,
    /// Its share among those of its order: all of them have one, or none.
    pub weight: Option<u32>,
    /// How it stands.
    pub standing: Standing,
    /// Whether it takes messages at present: one that is busy for long, or has no session yet, holds up no other.
    pub takes_part: bool,
    /// How many messages it was given.
    pub given: u64,
    /// It could be given a message that would tell whether it works again, and has none yet.
    pub wants_a_try: bool,
}

/// By so many messages a relay may be ahead of its share, so that all its sessions find work.
const AHEAD_MAX: u64 = 4;

impl Candidate {
    /// Whether it may be given the next message, beside these others.
    pub fn may_take(self, others: impl IntoIterator<Item = Self>) -> bool {
        self.standing.is_usable()
            && others.into_iter().all(|other| match other.order.cmp(&self.order) {
                std::cmp::Ordering::Less => !other.standing.keeps_spares_out(),
                std::cmp::Ordering::Equal => !other.takes_part || self.is_within_its_share(other),
                std::cmp::Ordering::Greater => true,
            })
    }

    /// How many messages at hand are left to those of these others that want to try whether they work again: one for
    /// each of a lower order. Where little is sent, a spare with an open session would take every single one before them.
    pub fn leaves_to(self, others: impl IntoIterator<Item = Self>) -> usize {
        others.into_iter().filter(|other| other.order < self.order && other.wants_a_try).count()
    }

    fn is_within_its_share(self, other: Self) -> bool {
        let (Some(weight), Some(of_other)) = (self.weight, other.weight) else { return true };
        let fair = other.given.saturating_mul(u64::from(weight)) / u64::from(of_other.max(1));
        self.given <= fair.saturating_add(AHEAD_MAX)
    }

    /// How many messages count as given to one that could take none while this one took some: nothing is made up for
    /// later, which would be a burst.
    pub fn level_for(self, absent: Self) -> u64 {
        match (self.weight, absent.weight) {
            (Some(weight), Some(of_absent)) if self.order == absent.order => {
                absent.given.max(self.given.saturating_mul(u64::from(of_absent)) / u64::from(weight.max(1)))
            }
            _ => absent.given,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Standing::{Away, Resting, Stopped, Trying, Well};
    use super::*;

    fn relay(order: u32, standing: Standing) -> Candidate {
        Candidate {
            order,
            weight: None,
            standing,
            takes_part: standing == Well,
            given: 0,
            wants_a_try: standing == Trying,
        }
    }

    /// Which of these relays may take the next message.
    fn turns(relays: &[Candidate]) -> Vec<bool> {
        let others = |n: usize| relays.iter().enumerate().filter(move |(m, _)| *m != n).map(|(_, relay)| *relay);
        (0..relays.len()).map(|n| relays[n].may_take(others(n))).collect()
    }

    #[test]
    fn a_spare_is_used_only_while_no_relay_of_a_lower_order_can_be() {
        for (relays, expected) in [
            (vec![(1, Well), (2, Well)], vec![true, false]),
            (vec![(1, Resting), (2, Well)], vec![false, false]),
            (vec![(1, Away), (2, Well)], vec![false, true]),
            (vec![(1, Trying), (2, Well)], vec![true, true]),
            (vec![(1, Stopped), (2, Well)], vec![false, true]),
            (vec![(1, Away), (1, Well), (2, Well)], vec![false, true, false]),
            (vec![(1, Away), (1, Stopped), (2, Well)], vec![false, false, true]),
            (vec![(1, Away), (2, Away), (3, Well)], vec![false, false, true]),
            (vec![(1, Away), (2, Trying), (3, Well)], vec![false, true, true]),
            (vec![(1, Stopped), (2, Stopped)], vec![false, false]),
            (vec![(2, Well)], vec![true]),
            (vec![(1, Well), (1, Well)], vec![true, true]),
        ] {
            let relays: Vec<Candidate> = relays.into_iter().map(|(order, standing)| relay(order, standing)).collect();
            assert_eq!(turns(&relays), expected, "{relays:?}");
        }
    }

    #[test]
    fn a_spare_leaves_one_message_to_each_earlier_relay_that_wants_a_try() {
        for (spare, others, expected) in [
            (2, vec![(1, Trying)], 1),
            (2, vec![(1, Away), (1, Stopped), (1, Well), (1, Resting)], 0),
            (2, vec![(2, Trying), (3, Trying)], 0),
            (3, vec![(1, Trying), (2, Trying)], 2),
        ] {
            let others: Vec<Candidate> = others.into_iter().map(|(order, standing)| relay(order, standing)).collect();
            assert_eq!(relay(spare, Well).leaves_to(others.iter().copied()), expected, "{others:?}");
        }
        let is_on_it = Candidate { wants_a_try: false, ..relay(1, Trying) };
        assert_eq!(relay(2, Well).leaves_to([is_on_it]), 0, "the try is under way");
    }

    #[test]
    fn weights_share_what_comes() {
        for weights in [[3, 1], [1, 1], [1, 1000], [7, 2]] {
            let mut relays = weights.map(|weight| Candidate { weight: Some(weight), ..relay(1, Well) });
            for n in 0..10_000 {
                // Both are always free; the one who asks first takes turns.
                let turns = turns(&relays);
                let first = if turns[n % 2] { n % 2 } else { 1 - n % 2 };
                assert!(turns[first], "somebody may always take: {relays:?}");
                relays[first].given += 1;
            }
            let share = 10_000 * u64::from(weights[0]) / u64::from(weights[0] + weights[1]);
            assert!(relays[0].given.abs_diff(share) <= AHEAD_MAX + 1, "{weights:?}: {relays:?}");
        }
    }

    #[test]
    fn a_relay_that_takes_no_part_holds_up_no_other_and_makes_up_for_nothing() {
        let heavy = Candidate { weight: Some(3), takes_part: false, ..relay(1, Away) };
        let mut light = Candidate { weight: Some(1), ..relay(1, Well) };
        for _ in 0..100 {
            assert!(light.may_take([heavy]));
            light.given += 1;
        }
        let back = Candidate { standing: Well, takes_part: true, given: light.level_for(heavy), ..heavy };
        assert_eq!(back.given, 300);
        assert!(light.may_take([back]) && back.may_take([light]));
    }

    #[test]
    fn without_weights_whoever_is_free_takes_the_next() {
        let [much, little] = [Candidate { given: 1000, ..relay(1, Well) }, relay(1, Well)];
        assert!(much.may_take([little]) && little.may_take([much]));
    }
}
