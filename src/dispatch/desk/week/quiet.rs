//! Campaigns of which little goes out: one slow lane whose letters are refused for now, and a first relay that fails while
//! a letter a minute is sent. What busy weeks hide shows here.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::ledger::Confirming;
use crate::model::{Disposition, MessageId, MessageState};

use super::plan::{Plan, START, civil};
use super::relay::SimRelay;
use super::world::{Ended, World};
use super::{People, enrolled, folder};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
/// The slow lane gives a letter every ten minutes, and up to 6 % later.
const INTERVAL_MAX: Duration = Duration::from_secs(636);

/// Which relay's session is open or opened first is chance.
const SEEDS: std::ops::Range<u64> = 0..5;

/// The whole campaign of that many letters to one mailbox.
async fn sent(plan: Plan, letters: usize) -> World {
    sent_by_chance(0, plan, letters).await
}

async fn sent_by_chance(seed: u64, plan: Plan, letters: usize) -> World {
    let folder = folder();
    let people = People { officials: 1, constituents: letters, confirming: Confirming::Never };
    let mut world = World::new(seed, plan, enrolled(folder.path(), &people));
    world.run().await;
    world
}

fn slow_lane() -> Plan {
    Plan::of_one_lane("6/h", 8 * HOUR)
}

impl World {
    fn states(&self) -> HashMap<MessageState, Vec<MessageId>> {
        let mut states: HashMap<_, Vec<_>> = HashMap::new();
        for message in self.messages() {
            states.entry(message.state).or_default().push(message.id);
        }
        states
    }

    fn tries_of(&self, message: MessageId) -> impl Iterator<Item = &Ended> {
        self.ended.iter().filter(move |ended| ended.hand.message == message)
    }

    fn took(&self) -> Duration {
        Duration::try_from(self.ended.last().unwrap().at.duration_since(civil(START))).unwrap()
    }

    /// No letter goes for the first time while another of the lane, which was refused, has come due.
    fn those_that_are_due_go_first(&self) {
        let mut due: HashMap<MessageId, Timestamp> = HashMap::new();
        for this in &self.ended {
            let earlier = due.remove(&this.hand.message);
            let waits = due.iter().find(|(_, due)| **due + MINUTE < this.hand.at);
            assert!(earlier.is_some() || waits.is_none(), "{:?} goes before {waits:?}", this.hand);
            if let Some(Disposition::Deferred { due: again, .. }) = this.disposition {
                due.insert(this.hand.message, again);
            }
        }
    }

    /// Which relay each letter went by after that time.
    fn relays_after(&self, at: Timestamp) -> Vec<usize> {
        self.ended.iter().filter(|ended| ended.hand.at >= at).map(|ended| ended.hand.relay).collect()
    }

    /// When the first relay was left alone, and until when.
    fn pauses(&self) -> Vec<(Timestamp, Timestamp)> {
        self.first_relay.iter().filter_map(|noted| Some((noted.since, noted.until?))).collect()
    }
}

#[tokio::test]
async fn in_a_slow_lane_what_was_refused_is_tried_again_before_its_time_is_over() {
    let mut plan = slow_lane();
    plan.relays[0].odds.busy = 0.2;
    let world = sent(plan, 60).await;
    assert_eq!(world.states()[&MessageState::Sent].len(), 60, "{:?}", world.states());
    assert!(world.ended.len() > 70, "too few were refused to tell");
    world.those_that_are_due_go_first();
}

#[tokio::test]
async fn a_lane_whose_every_letter_is_refused_comes_to_its_end() {
    let mut plan = slow_lane();
    plan.retry.give_up_after = 3 * HOUR;
    plan.relays[0].greylists = Some(1000 * HOUR);
    let world = sent(plan, 12).await;
    let expired = &world.states()[&MessageState::Expired];
    assert_eq!(expired.len(), 12);
    for letter in expired {
        assert!(world.tries_of(*letter).count() >= 4, "{letter} had no fair chance");
    }
    assert!(world.took() < 12 * 3 * HOUR, "{:?}", world.took());
}

#[tokio::test]
async fn a_letter_that_is_refused_without_end_does_not_hold_up_its_lane() {
    let mut plan = slow_lane();
    plan.relays[0].never_now.push(MessageId(1));
    let world = sent(plan, 30).await;
    let states = world.states();
    assert_eq!(states[&MessageState::Expired], [MessageId(1)]);
    assert_eq!(states[&MessageState::Sent].len(), 29);
    let others = world.ended.iter().filter(|ended| ended.hand.message != MessageId(1));
    let last = others.map(|ended| ended.at).max().unwrap();
    let tries = u32::try_from(world.tries_of(MessageId(1)).count()).unwrap();
    assert!(tries <= 11, "{tries}");
    assert!(last <= civil(START) + INTERVAL_MAX * (30 + tries), "{last}");
}

/// A campaign with a letter a minute, whose first relay is away from the sixth minute on.
async fn with_first_relay_away(seed: u64, letters: usize, away: impl FnOnce(&mut SimRelay, Timestamp)) -> World {
    let mut plan = Plan::of_one_lane("60/h", 72 * HOUR);
    away(&mut plan.relays[0], civil(START) + 5 * MINUTE);
    let world = sent_by_chance(seed, plan, letters).await;
    assert_eq!(world.states()[&MessageState::Sent].len(), letters);
    world.spares_are_spares();
    let (last, until) = *world.pauses().last().unwrap();
    assert!(world.relays_after(last).contains(&1), "the spare works meanwhile");
    let after = world.relays_after(until);
    assert!(after.len() > 20 && after.iter().all(|relay| *relay == 0), "{seed}: from {until} on by {after:?}");
    assert_eq!(world.plan.relays[0].trouble.len(), world.pauses().len(), "one try after each pause, and no more");
    world
}

#[tokio::test]
async fn when_little_is_sent_the_first_relay_is_tried_as_soon_as_its_pause_is_over() {
    for seed in SEEDS {
        let world = with_first_relay_away(seed, 60, |relay, at| relay.outages.push((at, at + 10 * MINUTE))).await;
        // Each try that failed made the next pause longer, as the relay's clock has it.
        assert!((4..=8).contains(&world.pauses().len()), "{:?}", world.pauses());
    }
}

#[tokio::test]
async fn a_first_relay_that_is_tried_and_still_refuses_is_parked_again_by_its_rules() {
    for seed in SEEDS {
        let world = with_first_relay_away(seed, 130, |relay, at| relay.used_up = Some((at, at + 40 * MINUTE))).await;
        let minutes = |(since, until): &(Timestamp, Timestamp)| until.duration_since(*since).as_secs() / 60;
        assert_eq!(world.pauses().iter().map(minutes).collect::<Vec<_>>(), [20, 60]);
    }
}
