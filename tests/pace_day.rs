//! Days of simulated time under all limits at once: nothing that happens lets more through than any limit allows, and
//! where there is demand, what a limit allows is used.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it cannot go on")]

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use undersigned::policy::{
    Admission, Groups, Limit, Opening, Pace, PaceSettings, RelayLimits, WarmUp, Window, jittered,
};

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// As the dispatcher has it: earlier runs lie after the zero of the steady clock.
const HEAD_START: Duration = Duration::from_secs(400 * 24 * 3600);

/// Counts of each limit; the units are the same in all: an hour, but a minute of the relays and a day of quotas.
#[derive(Debug, Clone, Copy)]
struct Rules {
    global: u32,
    relay: u32,
    quota: u32,
    domain: u32,
    mailbox: u32,
    own: u32,
    /// How many days of warm-up.
    days: usize,
}

fn rate(count: u32, unit: &str) -> Limit {
    format!("{count}/{unit}").parse().unwrap()
}

impl Rules {
    fn settings(self) -> PaceSettings {
        let mut groups = Groups::default();
        groups.add("county", &["a.example".to_owned(), "*.county.example".to_owned()]).unwrap();
        let mut warm_up = WarmUp::default();
        STEPS[..self.days].iter().for_each(|step| warm_up.add(&format!("{step}/d")).unwrap());
        PaceSettings {
            global: rate(self.global, "h"),
            per_domain: rate(self.domain, "h"),
            per_mailbox: rate(self.mailbox, "h"),
            groups,
            mailboxes: BTreeMap::from([(LANES[0].to_owned(), rate(self.own, "h"))]),
            warm_up,
            ..PaceSettings::unlimited()
        }
    }

    fn relays(self) -> RelayLimits {
        RelayLimits { rate: rate(self.relay, "m"), quota: rate(self.quota, "d") }
    }
}

const STEPS: [u64; 2] = [120, 200];
const LANES: [&str; 6] =
    ["m@a.example", "n@a.example", "m@x.county.example", "m@b.example", "n@b.example", "m@c.example"];

fn group(lane: usize) -> &'static str {
    ["county", "county", "county", "b.example", "b.example", "c.example"][lane]
}

/// What went, and under which rules.
#[derive(Debug, Clone, Copy)]
struct Gone {
    at: Duration,
    relay: usize,
    lane: usize,
    rules: Rules,
}

struct World {
    rules: Rules,
    pace: Pace,
    now: Duration,
    /// The machine slept for so long in this run: the steady clock did not see it.
    slept: Duration,
    gone: Vec<Gone>,
    /// Which rules were in force from when on.
    history: Vec<(Duration, Rules)>,
    ready_at: [Duration; LANES.len()],
    refusals: u32,
}

impl World {
    fn new(rules: Rules) -> Self {
        let zero = Duration::ZERO;
        let (gone, ready_at) = (Vec::new(), [zero; LANES.len()]);
        let mut world = Self {
            rules,
            history: vec![(zero, rules)],
            pace: Pace::new(rules.settings()),
            now: zero,
            slept: zero,
            gone,
            ready_at,
            refusals: 0,
        };
        world.restart();
        world
    }

    fn steady(&self, at: Duration) -> Duration {
        (HEAD_START + at).saturating_sub(self.slept)
    }

    /// As the dispatcher starts: with what the ledger has, and nothing else.
    fn restart(&mut self) {
        self.slept = Duration::ZERO;
        self.pace = Pace::new(self.rules.settings());
        let relays = [self.rules.relays(); 2];
        relays.iter().enumerate().for_each(|(n, limits)| self.pace.add_relay(n, *limits));
        for gone in &self.gone {
            let at = HEAD_START + gone.at;
            self.pace.remember(at, gone.relay, LANES[gone.lane], i64::try_from(gone.lane).unwrap());
            self.pace.remember_of_day(at, gone.relay, 1);
        }
        if let Some(first) = self.gone.first() {
            self.pace.remember_first(HEAD_START + first.at);
        }
    }

    fn change(&mut self, rules: Rules) {
        self.rules = rules;
        self.history.push((self.now, rules));
        self.pace.change(self.steady(self.now), rules.settings());
        (0..2).for_each(|relay| self.pace.add_relay(relay, rules.relays()));
        let latest = self.now + self.pace.mailbox_interval().unwrap();
        self.ready_at.iter_mut().for_each(|at| *at = (*at).min(latest));
    }

    /// Every lane asks as soon as it may, for that long.
    fn work(&mut self, span: Duration, chance: f64) {
        let end = self.now + span;
        while self.now < end {
            let mut next = end;
            for lane in 0..LANES.len() {
                if self.ready_at[lane] > self.now {
                    next = next.min(self.ready_at[lane]);
                    continue;
                }
                if let Some(until) = self.ask(lane, chance) {
                    next = next.min(until);
                } else {
                    next = self.now;
                }
            }
            self.now = next.max(self.now + Duration::from_millis(1));
        }
    }

    fn ask(&mut self, lane: usize, chance: f64) -> Option<Duration> {
        let relay = (self.gone.len() + lane) % 2;
        let (steady, id) = (self.steady(self.now), i64::try_from(lane).unwrap());
        match self.pace.ask(steady, relay, LANES[lane], id) {
            Admission::Go if self.refusals > 0 => {
                self.refusals -= 1;
                self.pace.was_refused(relay);
                self.ready_at[lane] = self.now + Duration::from_secs(300);
                None
            }
            Admission::Go => {
                self.gone.push(Gone { at: self.now, relay, lane, rules: self.rules });
                self.ready_at[lane] = self.now + jittered(self.pace.mailbox_interval().unwrap(), chance);
                None
            }
            Admission::Wait { until, .. } => {
                assert!(until > steady, "{until:?} {steady:?}");
                Some(self.now + until.saturating_sub(steady))
            }
        }
    }

    /// No window of a unit that ends with a hand-over holds more than the widest rules in it allow.
    fn check(&self, what: &str, unit: Duration, mine: impl Fn(&Gone) -> bool, limit: impl Fn(&Rules) -> u32) {
        let mine: Vec<&Gone> = self.gone.iter().filter(|gone| mine(gone)).collect();
        let mut first = 0;
        for (last, gone) in mine.iter().enumerate() {
            while mine[first].at + unit < gone.at {
                first += 1;
            }
            let allowed = self.widest(mine[first].at, gone.at, &limit);
            let count = last - first + 1;
            assert!(count <= allowed as usize, "{what}: {count} of {allowed} in the {unit:?} before {:?}", gone.at);
        }
    }

    /// Of all rules that were in force between two moments.
    fn widest(&self, from: Duration, to: Duration, limit: impl Fn(&Rules) -> u32) -> u32 {
        let ends = self.history.iter().skip(1).map(|(at, _)| *at).chain([Duration::MAX]);
        let spans = self.history.iter().zip(ends).filter(|((begins, _), ends)| *begins <= to && *ends >= from);
        spans.map(|((_, rules), _)| limit(rules)).max().unwrap()
    }

    fn check_all(&self) {
        self.check("global", HOUR, |_| true, |rules| rules.global);
        for relay in 0..2 {
            self.check("relay", HOUR / 60, |gone| gone.relay == relay, |rules| rules.relay);
        }
        for name in ["county", "b.example", "c.example"] {
            self.check(name, HOUR, |gone| group(gone.lane) == name, |rules| rules.domain);
        }
        self.check("own", HOUR, |gone| gone.lane == 0, |rules| rules.own);
        for lane in 1..LANES.len() {
            self.check("mailbox", HOUR, |gone| gone.lane == lane, |rules| rules.mailbox);
        }
        self.check_days();
    }

    /// Days are stricter: what holds at the last one counts, whatever held before.
    fn check_days(&self) {
        for (last, gone) in self.gone.iter().enumerate() {
            let today = self.gone[..=last].iter().filter(|earlier| earlier.at + DAY >= gone.at);
            let (of_all, of_relay) = today
                .fold((0, 0), |(all, relay), earlier| (all + 1_u64, relay + u64::from(earlier.relay == gone.relay)));
            assert!(
                of_relay <= u64::from(gone.rules.quota),
                "quota: {of_relay} of {} at {:?}",
                gone.rules.quota,
                gone.at
            );
            let day = usize::try_from(gone.at.saturating_sub(self.gone[0].at).as_secs() / DAY.as_secs()).unwrap();
            let step = STEPS[..gone.rules.days].get(day).copied().unwrap_or(u64::MAX);
            assert!(of_all <= step, "warm-up: {of_all} of {step} on day {day}");
        }
    }
}

#[derive(Debug, Clone)]
enum Event {
    Work(u64, f64),
    Refuse(u32),
    Restart,
    Sleep(u64),
    Down(u64),
    Change(Rules),
}

fn rules() -> impl Strategy<Value = Rules> {
    let limits = (5..80_u32, 1..5_u32, 20..200_u32, 2..50_u32, 1..40_u32, 1..40_u32);
    limits.prop_map(|(global, relay, quota, domain, mailbox, own)| Rules {
        global,
        relay,
        quota,
        domain,
        mailbox,
        own,
        days: 2,
    })
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        6 => (60..14_400_u64, 0.0..1.0_f64).prop_map(|(seconds, chance)| Event::Work(seconds, chance)),
        2 => (1..6_u32).prop_map(Event::Refuse),
        2 => Just(Event::Restart),
        1 => (60..100_000_u64).prop_map(Event::Sleep),
        1 => (60..100_000_u64).prop_map(Event::Down),
        2 => rules().prop_map(Event::Change),
    ];
    prop::collection::vec(event, 10..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// I5, over days with refusals, restarts, sleep, standstill and changes by staff.
    #[test]
    fn no_limit_is_exceeded_in_any_window_whatever_happens(first in rules(), events in events()) {
        let mut world = World::new(first);
        for event in events {
            match event {
                Event::Work(seconds, chance) => world.work(Duration::from_secs(seconds), chance),
                Event::Refuse(count) => world.refusals += count,
                Event::Restart => world.restart(),
                Event::Sleep(seconds) => {
                    world.slept += Duration::from_secs(seconds);
                    world.now += Duration::from_secs(seconds);
                }
                Event::Down(seconds) => {
                    world.now += Duration::from_secs(seconds);
                    world.restart();
                }
                Event::Change(rules) => world.change(rules),
            }
        }
        world.check_all();
    }
}

const WIDE: Rules =
    Rules { global: 100_000, relay: 10_000, quota: 100_000, domain: 10_000, mailbox: 10_000, own: 10_000, days: 2 };

#[test]
fn where_there_is_demand_at_least_95_per_cent_of_the_limit_that_binds_are_used() {
    for (what, rules, a_day) in [
        ("global", Rules { global: 60, ..WIDE }, 24 * 60),
        ("relay", Rules { relay: 1, ..WIDE }, 2 * 24 * 60),
        ("quota", Rules { quota: 500, ..WIDE }, 2 * 500),
        ("domain", Rules { domain: 20, ..WIDE }, 3 * 24 * 20),
        ("mailbox", Rules { mailbox: 30, own: 30, ..WIDE }, 6 * 24 * 30),
    ] {
        let mut world = World::new(rules);
        world.work(3 * DAY, 0.5);
        world.check_all();
        let warmed_up = world.gone.len();
        // Two days of warm-up are over; what is measured is whole days after them.
        let begins = world.now;
        for hour in 0..48 {
            world.work(HOUR, f64::from(hour % 7) / 6.0);
        }
        world.check_all();
        let used = world.gone.len() - warmed_up;
        assert!(used * 100 >= 2 * a_day * 95, "{what}: {used} of {} after {begins:?}", 2 * a_day);
    }
}

#[test]
fn the_warm_up_lets_each_day_s_step_go() {
    let mut world = World::new(WIDE);
    world.work(2 * DAY, 0.0);
    let begins = world.gone[0].at;
    let on_day =
        |day: u32| world.gone.iter().filter(move |g| g.at >= begins + DAY * day && g.at < begins + DAY * (day + 1));
    assert_eq!(on_day(0).count(), 120);
    assert!((190..=200).contains(&on_day(1).count()), "{}", on_day(1).count());
}

#[test]
fn a_restart_under_a_narrower_limit_waits_until_what_went_before_fits_into_it() {
    let mut world = World::new(Rules { mailbox: 60, own: 60, days: 0, ..WIDE });
    world.work(HOUR, 0.0);
    let before = world.gone.len();
    world.rules = Rules { mailbox: 6, own: 6, days: 0, ..WIDE };
    world.restart();
    world.work(Duration::from_secs(3540), 0.0);
    assert_eq!(world.gone.len(), before, "an hour with 60 has no room for one of six");
    world.work(HOUR, 0.0);
    assert!(world.gone.len() > before, "and nobody waits for longer than that hour");
}

#[test]
fn letters_keep_to_their_hours_and_begin_apart_also_on_the_days_when_the_clock_is_changed() {
    let zone = TimeZone::get("America/Chicago").unwrap();
    let window = Window::parse("8-18", zone.clone()).unwrap();
    for (from, hours) in
        [("2027-03-13T12:00", 6 + 10 + 10), ("2027-11-06T12:00", 6 + 10 + 10), ("2027-06-01T12:00", 26)]
    {
        let start = from.parse::<jiff::civil::DateTime>().unwrap().to_zoned_datetime(zone.clone()).unwrap().timestamp();
        let end = start.to_zoned_datetime(zone.clone()).date().checked_add(jiff::Span::new().days(3)).unwrap();
        let end = end.to_zoned_datetime(zone.clone()).unwrap().timestamp();
        let mut pace = Pace::new(Rules { mailbox: 30, own: 30, ..WIDE }.settings());
        pace.remember_first(Duration::ZERO);
        let (gone, firsts) = one_lane_each(&mut pace, &window, start, end);
        for at in &gone {
            let local = at.to_zoned_datetime(zone.clone());
            assert!((8..18).contains(&local.hour()), "{local}");
        }
        let most = LANES.len() * hours * 30;
        assert!(gone.len() <= most && gone.len() * 100 >= most * 95, "{from}: {} of {most}", gone.len());
        // At an opening the first letters are spread over the first interval.
        for firsts in firsts {
            let (first, last) = (firsts.iter().min().unwrap(), firsts.iter().max().unwrap());
            assert!(last.duration_since(*first).as_secs() > 20, "{firsts:?}");
            let same_second = |at: &Timestamp| firsts.iter().filter(|f| f.as_second() == at.as_second()).count();
            assert!(firsts.iter().all(|at| same_second(at) < LANES.len()));
        }
    }
}

/// Every lane asks within the hours; gives what went, and for each opening the first of each lane.
fn one_lane_each(
    pace: &mut Pace,
    window: &Window,
    start: Timestamp,
    end: Timestamp,
) -> (Vec<Timestamp>, Vec<Vec<Timestamp>>) {
    let (mut gone, mut firsts) = (Vec::new(), Vec::new());
    let mut ready = [start; LANES.len()];
    let mut now = start;
    let mut opening: Option<Opening> = None;
    let mut is_open = true;
    while now < end {
        let opens = window.opens(now);
        if opens > now {
            (now, is_open) = (opens, false);
            continue;
        }
        let steady = HEAD_START + Duration::try_from(now.duration_since(start)).unwrap();
        if !is_open {
            opening = Some(Opening::new(steady, pace.mailbox_interval().unwrap(), 42));
            firsts.push(vec![Timestamp::MAX; LANES.len()]);
            is_open = true;
        }
        for lane in 0..LANES.len() {
            let id = i64::try_from(lane).unwrap();
            let waits = ready[lane] > now || opening.is_some_and(|opening| opening.begins(id, steady).is_some());
            if !waits && pace.ask(steady, 0, LANES[lane], id) == Admission::Go {
                gone.push(now);
                if let Some(firsts) = firsts.last_mut() {
                    firsts[lane] = firsts[lane].min(now);
                }
                ready[lane] = now
                    + jittered(
                        pace.mailbox_interval().unwrap(),
                        f64::from(u32::try_from(gone.len() % 11).unwrap()) / 11.0,
                    );
            }
        }
        now += Duration::from_millis(500);
    }
    (gone, firsts)
}
