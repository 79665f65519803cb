//! What must hold of a week, whatever happened in it.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use jiff::Timestamp;

use crate::contacts::ListedOfficial;
use crate::dispatch::PaceRules;
use crate::model::{Disposition, MessageKind, MessageState};
use crate::plan::{OfficialTally, Speed, Used, Workload, forecast};
use crate::policy::Limit;

use super::official;
use super::plan::{CONSTITUENTS, GIVE_UP_AFTER, OFFICIALS, START, civil, zone};
use super::world::{Ended, Noted, World};

const DAY: Duration = Duration::from_secs(24 * 3600);
/// A relay that failed is tried again by then, however often it failed.
const BACK_AFTER: Duration = Duration::from_secs(25 * 60);

/// A relay whose own rate lets nothing go keeps nothing from a spare: the longest that this takes.
const RATE: Duration = Duration::from_secs(60);

/// The last delay of the retry schedule, with what chance adds to it.
const LAST_DELAY: Duration = Duration::from_secs(67 * 60);

impl World {
    pub(super) fn check(&self) {
        self.every_letter_is_accounted_for();
        self.every_limit_is_kept();
        self.what_one_relay_may_have_no_other_gets();
        self.hours_are_kept();
        self.nobody_is_tried_early();
        self.spares_are_spares();
        self.it_ends_when_the_forecast_says();
    }

    fn every_letter_is_accounted_for(&self) {
        let messages = self.messages();
        let of = |kind| messages.iter().filter(|m| m.kind == kind).count();
        assert_eq!((of(MessageKind::Letter), of(MessageKind::Confirmation)), Self::expected());
        for message in &messages {
            let copies: usize = self.plan.relays.iter().map(|relay| relay.copies(message.id)).sum();
            let most = 1 + self.resends.get(&message.id).copied().unwrap_or_default();
            match message.state {
                MessageState::Sent => assert!((1..=most).contains(&copies), "{message:?}: {copies} copies"),
                MessageState::Bounced => assert_eq!(copies, 0, "{message:?}"),
                MessageState::Expired => {
                    assert_eq!(copies, 0, "{message:?}");
                    let tries = || self.ended.iter().filter(|ended| ended.hand.message == message.id);
                    let (first, last) = (tries().map(|e| e.at).min().unwrap(), tries().map(|e| e.at).max().unwrap());
                    assert!(first + GIVE_UP_AFTER <= last + LAST_DELAY, "{message:?} from {first} to {last}");
                }
                _ => panic!("{message:?} has not come to its end"),
            }
            assert!(!self.plan.is_calm || message.state == MessageState::Sent);
        }
    }

    /// Unless staff say so.
    fn what_one_relay_may_have_no_other_gets(&self) {
        let mut had_by = HashMap::new();
        for ended in self.ended.iter().filter(|ended| ended.may_have_reached) {
            let (message, relay) = (ended.hand.message, ended.hand.relay);
            let first = *had_by.entry(message).or_insert(relay);
            let is_by_staff = self.moved_by_staff.contains(&message);
            assert!(first == relay || is_by_staff, "{message} went to {first}, and then to {relay}");
        }
    }

    /// I5. What counts is when a message was let go that may have reached a relay.
    fn every_limit_is_kept(&self) {
        let reached: Vec<&Ended> = self.ended.iter().filter(|ended| ended.may_have_reached).collect();
        self.check_limit("global", &reached, |_| true, |rules| rules.pace.global);
        let mut keys: BTreeMap<i64, &str> = BTreeMap::new();
        for ended in &reached {
            keys.insert(ended.hand.lane, &ended.hand.mailbox);
        }
        for (lane, mailbox) in &keys {
            self.check_limit(mailbox, &reached, |e| e.hand.lane == *lane, |rules| rules.pace.per_mailbox);
        }
        for county in 0..OFFICIALS.div_ceil(2) {
            let domain = format!("@county{county}.example");
            let is_there = |ended: &Ended| ended.hand.mailbox.ends_with(&domain);
            self.check_limit(&domain, &reached, is_there, |rules| rules.pace.per_domain);
        }
        for relay in 0..self.plan.relays.len() {
            let name = format!("relay {relay}");
            self.check_limit(&name, &reached, |e| e.hand.relay == relay, |rules| rules.relays[relay].rate);
            let quota = |rules: &PaceRules| rules.relays[relay].quota;
            self.check_limit(&format!("{name}'s day"), &reached, |e| e.hand.relay == relay, quota);
        }
        self.check_warm_up(&reached);
    }

    /// In no window of that length, both ends included, more than the widest limit that held in it.
    fn check_limit(
        &self,
        name: &str,
        reached: &[&Ended],
        is_mine: impl Fn(&Ended) -> bool,
        limit: impl Fn(&PaceRules) -> Limit,
    ) {
        let mut times: Vec<Timestamp> = reached.iter().filter(|e| is_mine(e)).map(|e| e.hand.at).collect();
        times.sort_unstable();
        let Some(unit) = limit(&self.plan.rules).rate().map(|rate| rate.unit().duration()) else { return };
        let mut first = 0;
        for (n, at) in times.iter().enumerate() {
            while times[first] + unit < *at {
                first += 1;
            }
            let count = n + 1 - first;
            let most = self.rules_between(times[first], *at).map(|rules| limit(rules).rate().unwrap().count()).max();
            let most = most.unwrap() as usize;
            assert!(count <= most, "{name}: {count} of {most} within {unit:?} before {at}");
        }
    }

    fn rules_between(&self, from: Timestamp, to: Timestamp) -> impl Iterator<Item = &PaceRules> {
        let ends = self.rules.iter().skip(1).map(|(at, _)| *at).chain([Timestamp::MAX]);
        self.rules.iter().zip(ends).filter(move |((begins, _), ends)| *begins <= to && *ends >= from).map(|(r, _)| &r.1)
    }

    fn check_warm_up(&self, reached: &[&Ended]) {
        let steps = &self.plan.rules.pace.warm_up;
        let Some(first) = reached.iter().map(|e| e.hand.at).min() else { return };
        for ended in reached {
            let day = u64::try_from(ended.hand.at.duration_since(first).as_hours() / 24).unwrap();
            let Some(most) = steps.on_day(day) else { continue };
            let within = |other: &&&Ended| other.hand.at <= ended.hand.at && other.hand.at + DAY >= ended.hand.at;
            let count = reached.iter().filter(within).count();
            assert!(count <= most as usize, "warm-up: {count} of {most} in the day before {}", ended.hand.at);
        }
    }

    /// On the wall, also on the day on which the clock is put forward.
    fn hours_are_kept(&self) {
        for ended in self.ended.iter().filter(|ended| ended.hand.kind == MessageKind::Letter) {
            let local = ended.hand.at.to_zoned_datetime(zone());
            assert!((8..18).contains(&local.hour()), "{:?} went at {local}", ended.hand);
        }
    }

    fn nobody_is_tried_early(&self) {
        let mut tries: HashMap<_, Vec<&Ended>> = HashMap::new();
        for ended in &self.ended {
            tries.entry(ended.hand.message).or_default().push(ended);
        }
        let delays = [5, 15, 30, 60].map(|minutes| Duration::from_secs(60 * minutes));
        for tries in tries.values() {
            let mut counted = 0;
            for (this, next) in tries.iter().zip(tries.iter().skip(1)) {
                match this.disposition {
                    Some(Disposition::Deferred { due, counted: true }) => {
                        let delay = delays[counted.min(delays.len() - 1)];
                        counted += 1;
                        // The ledger counts milliseconds.
                        assert!(next.hand.at + Duration::from_millis(1) >= due, "{:?} before {due}", next.hand);
                        assert!(next.hand.at >= this.at + delay * 9 / 10, "{:?} after {:?}", next.hand, this.hand);
                    }
                    Some(Disposition::Deferred { .. }) | None => {}
                    // Staff looked after it.
                    Some(Disposition::InDoubt) => counted = 0,
                    other => panic!("{:?} goes after it was {other:?}", next.hand),
                }
            }
        }
    }

    /// The spare works while the first relay cannot, and work returns.
    pub(super) fn spares_are_spares(&self) {
        let [first, spare] = &self.plan.relays[..] else { panic!("two relays") };
        let by = |relay: usize| self.ended.iter().filter(move |e| e.hand.relay == relay).map(|e| e.hand.at);
        let may_have = |message, before: Timestamp| {
            let mut earlier =
                self.ended.iter().filter(|e| e.hand.relay == 1 && e.hand.message == message && e.at <= before);
            earlier.any(|ended| ended.may_have_reached)
        };
        let for_no_other = |ended: &&Ended| may_have(ended.hand.message, ended.hand.at);
        for at in self.ended.iter().filter(|e| e.hand.relay == 1 && !for_no_other(e)).map(|e| e.hand.at) {
            // Known to have failed or to have used up its day, and not to have worked since.
            let known = self.first_relay.iter().take_while(|noted| noted.since < at).last();
            let known = known.filter(|noted| !noted.is_well);
            assert!(known.is_some(), "the spare works at {at} for no reason");
            let may_be_tried_since = known.and_then(|noted| noted.until).filter(|until| *until + RATE <= at);
            let is_tried = |since: Timestamp| self.first_tried.iter().any(|tried| (since..=at).contains(tried));
            assert!(
                may_be_tried_since.is_none_or(is_tried),
                "the spare works at {at}, and nobody has tried the first relay since {may_be_tried_since:?}"
            );
        }
        let quota = self.plan.rules.relays[0].quota.rate();
        for Noted { since, is_well, .. } in self.first_relay.iter().filter(|noted| !noted.is_well) {
            let failed = |failed: &Timestamp| *failed <= *since && *failed + BACK_AFTER >= *since;
            let of_day =
                || by(0).filter(|at| *at <= *since && *at + DAY + Duration::from_secs(12 * 60) >= *since).count();
            let is_used_up = quota.is_some_and(|quota| of_day() >= quota.count() as usize);
            assert!(
                is_used_up || first.trouble.iter().any(failed),
                "the first relay is left alone at {since}: {is_well}"
            );
        }
        for (from, to) in &first.outages {
            let works = |relay: usize, from, to| by(relay).any(|at| (from..=to).contains(&at));
            let was_wanted = first.trouble.iter().any(|failed| (*from..*to).contains(failed));
            let is_well = !spare.outages.iter().any(|(begins, ends)| begins < to && ends > from);
            let is_quiet =
                self.plan.outside.iter().all(|(at, _)| *at + Duration::from_secs(6 * 3600) < *from || at > to);
            if was_wanted && is_well && is_quiet && self.plan.rules.relays[1].quota == Limit::Unlimited {
                assert!(works(1, *from, *to), "nobody took over from {from} to {to}");
            }
        }
    }

    fn it_ends_when_the_forecast_says(&self) {
        let last = self.ended.iter().filter(|e| e.hand.kind == MessageKind::Letter).map(|e| e.at).max().unwrap();
        let officials: Vec<_> =
            (0..OFFICIALS).map(|n| ListedOfficial { official: official(n), file: 0, line: 2 }).collect();
        let tallies: Vec<_> =
            (0..OFFICIALS).map(|n| OfficialTally { official: n, letters: CONSTITUENTS as u64 }).collect();
        let work = Workload { officials: &officials, tallies: &tallies, confirmations: CONSTITUENTS as u64 };
        let rules = &self.plan.rules;
        let speed =
            Speed { pace: &rules.pace, relays: &rules.relays, window: &rules.windows.letters, used: Used::default() };
        let forecasts = forecast(&work, &speed, civil(START), None);
        let takes = forecasts.iter().map(|f| f.takes).max().unwrap();
        // No revised limit is narrower than half; what was refused comes again within an hour or two.
        let most = if self.plan.is_calm {
            takes + takes / 10 + Duration::from_secs(1800)
        } else {
            takes * 2 + self.plan.disturbed_for + Duration::from_secs(4 * 3600)
        };
        let bound = rules.windows.letters.after(civil(START), most);
        assert!(last <= bound, "the last letter went at {last}, later than {bound}; forecast {takes:?}");
    }
}
