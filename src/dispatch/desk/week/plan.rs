//! What a seed makes of a week: the limits, the people, and everything that goes wrong.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::dispatch::desk::sample;
use crate::dispatch::{OnDoubt, PaceRules, RelayPlan, Settings};
use crate::policy::{Limit, PaceSettings, RelayLimits, RetrySchedule, WarmUp, Window, Windows};

use super::relay::{Odds, SimRelay};

pub(super) const OFFICIALS: usize = 4;
pub(super) const CONSTITUENTS: usize = 150;
/// On the fifth day of it the clock is put forward.
pub(super) const START: &str = "2027-03-10T06:00";
/// By then everything must have come to its end.
pub(super) const DAYS: u64 = 16;

pub(super) const GIVE_UP_AFTER: Duration = minutes(72 * 60);

/// What happens from outside.
#[derive(Debug, Clone)]
pub(super) enum Outside {
    Crash { down_for: Duration },
    Pause { for_so_long: Duration },
    Revise(Box<PaceRules>),
}

#[derive(Debug)]
pub(super) struct Plan {
    pub(super) is_calm: bool,
    pub(super) on_doubt: OnDoubt,
    pub(super) rules: PaceRules,
    pub(super) relays: Vec<SimRelay>,
    pub(super) retry: RetrySchedule,
    pub(super) outside: Vec<(Timestamp, Outside)>,
    /// For how long nothing could go, all in all.
    pub(super) disturbed_for: Duration,
}

pub(super) fn zone() -> TimeZone {
    TimeZone::get("America/Chicago").unwrap()
}

pub(super) fn civil(text: &str) -> Timestamp {
    text.parse::<DateTime>().unwrap().to_zoned_datetime(zone()).unwrap().timestamp()
}

const fn minutes(n: u64) -> Duration {
    Duration::from_secs(60 * n)
}

fn limit(text: &str) -> Limit {
    text.parse().unwrap()
}

fn rules(mailbox: &str, quotas: [&str; 2], warm_up: &[&str]) -> PaceRules {
    let mut steps = WarmUp::default();
    for step in warm_up {
        steps.add(step).unwrap();
    }
    PaceRules {
        pace: PaceSettings {
            global: limit("40/h"),
            per_domain: limit("8/h"),
            per_mailbox: limit(mailbox),
            warm_up: steps,
            ..PaceSettings::unlimited()
        },
        relays: quotas.map(|quota| RelayLimits { rate: limit("2/m"), quota: limit(quota) }).to_vec(),
        windows: Windows { letters: Window::parse("8-18", zone()).unwrap(), confirmations: Window::always() },
        official_total: None,
    }
}

impl Plan {
    /// Every fourth week is calm: nothing goes wrong, and the forecast must be right.
    pub(super) fn of(seed: u64) -> Self {
        let mut chance = StdRng::seed_from_u64(seed);
        let is_calm = seed.is_multiple_of(4);
        let rules = match seed % 3 {
            0 => rules("10/h", ["110/d", "40/d"], &[]),
            1 => rules("3/h", ["unlimited", "unlimited"], &[]),
            _ => rules("10/h", ["unlimited", "60/d"], &["30/d", "60/d", "90/d", "150/d"]),
        };
        let relays = [SimRelay::default(), SimRelay::default()].into();
        let on_doubt = if seed % 5 == 2 { OnDoubt::Resend } else { OnDoubt::Hold };
        let retry = RetrySchedule { delays: [5, 15, 30, 60].map(minutes).into(), give_up_after: GIVE_UP_AFTER };
        let (outside, disturbed_for) = (Vec::new(), Duration::ZERO);
        let mut plan = Self { is_calm, on_doubt, rules, relays, retry, outside, disturbed_for };
        if !is_calm {
            plan.goes_wrong(&mut chance);
        }
        plan
    }

    fn goes_wrong(&mut self, chance: &mut StdRng) {
        let start = civil(START);
        let some_time = |chance: &mut StdRng| start + minutes(chance.random_range(60..6 * 24 * 60));
        for relay in &mut self.relays {
            relay.odds = Odds { busy: 0.02, refused: 0.005, closing: 0.01, lost_at_dot: 0.004 };
            relay.greylists = chance.random_bool(0.5).then_some(minutes(7));
        }
        // Working hours of the first two days, so that there is something for a spare to take over.
        for day in 0..2 {
            let from = start + minutes(day * 24 * 60 + chance.random_range(3 * 60..8 * 60));
            let length = minutes(chance.random_range(20..180));
            self.relays[0].outages.push((from, from + length));
            self.disturbed_for += length;
        }
        let (from, length) = (some_time(chance), minutes(chance.random_range(5..300)));
        self.relays[1].outages.push((from, from + length));
        self.disturbed_for += length;
        for _ in 0..chance.random_range(2..6) {
            let down_for = Duration::from_secs(chance.random_range(5..1800));
            self.outside.push((some_time(chance), Outside::Crash { down_for }));
            self.disturbed_for += down_for;
        }
        // One after the other, while every limit is used: each start must know what went before.
        let from = start + minutes(chance.random_range(130..200));
        for n in 0..8 {
            let down_for = Duration::from_secs(chance.random_range(2..20));
            self.outside.push((from + minutes(3 * n), Outside::Crash { down_for }));
            self.disturbed_for += down_for;
        }
        let for_so_long = minutes(chance.random_range(10..240));
        self.outside.push((some_time(chance), Outside::Pause { for_so_long }));
        self.disturbed_for += for_so_long;
        for _ in 0..chance.random_range(1..4) {
            let revised = self.revised(chance);
            self.outside.push((some_time(chance), Outside::Revise(Box::new(revised))));
        }
        self.outside.sort_by_key(|(at, _)| *at);
    }

    /// No limit of it is narrower than half.
    fn revised(&self, chance: &mut StdRng) -> PaceRules {
        let mut rules = self.rules.clone();
        let faster = chance.random_bool(0.5);
        let pick = |of: [&str; 2]| limit(of[usize::from(faster)]);
        match chance.random_range(0..4) {
            0 => rules.pace.per_domain = pick(["4/h", "16/h"]),
            1 => rules.pace.global = pick(["20/h", "80/h"]),
            2 => {
                let is_slow = rules.pace.per_mailbox == limit("3/h");
                rules.pace.per_mailbox = pick(if is_slow { ["2/h", "6/h"] } else { ["5/h", "20/h"] });
            }
            _ => rules.relays[0].rate = pick(["1/m", "4/m"]),
        }
        rules
    }

    /// All letters are for one mailbox, at that pace, day and night.
    pub(super) fn of_one_lane(per_mailbox: &str, give_up_after: Duration) -> Self {
        let mut plan = Self::of(0);
        plan.rules.pace = PaceSettings { per_mailbox: limit(per_mailbox), ..PaceSettings::unlimited() };
        plan.rules.relays = vec![RelayLimits { rate: limit("100/m"), quota: Limit::Unlimited }; 2];
        plan.rules.windows = Windows::always();
        plan.retry.give_up_after = give_up_after;
        plan
    }

    pub(super) fn crashes(&self) -> usize {
        self.outside.iter().filter(|(_, what)| matches!(what, Outside::Crash { .. })).count()
    }

    pub(super) fn settings(&self) -> Settings {
        let plan = |(order, name)| RelayPlan { order, ..sample::relay(name, 2) };
        let relays = [(1, "first"), (2, "spare")].map(plan).into();
        Settings { on_doubt: self.on_doubt, ..sample::settings(relays, self.rules.clone(), self.retry.clone()) }
    }
}
