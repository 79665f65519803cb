//! The forecast against the pace itself, driven by a clock of its own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it cannot go on")]

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use jiff::Timestamp;
use undersigned::contacts::ListedOfficial;
use undersigned::model::{EmailAddress, Extra, Official, PersonName};
use undersigned::plan::{Forecast, OfficialTally, Raise, Speed, Used, Workload, forecast, raises};
use undersigned::policy::{
    Admission, Binding, Groups, Limit, Pace, PaceSettings, RelayLimits, WarmUp, Window, jittered,
};

/// Letters of each mailbox, with its domain.
type Lanes = Vec<(u64, &'static str)>;

fn limit(text: &str) -> Limit {
    text.parse().unwrap()
}

fn settings(global: &str, per_domain: &str, per_mailbox: &str) -> PaceSettings {
    PaceSettings {
        global: limit(global),
        per_domain: limit(per_domain),
        per_mailbox: limit(per_mailbox),
        ..PaceSettings::unlimited()
    }
}

/// Relays with these rates and no quota.
fn relays_of(rates: &[&str]) -> Vec<RelayLimits> {
    rates.iter().map(|rate| RelayLimits { rate: limit(rate), ..RelayLimits::UNLIMITED }).collect()
}

fn speed<'a>(pace: &'a PaceSettings, relays: &'a [RelayLimits], window: &'a Window) -> Speed<'a> {
    Speed { pace, relays, window, used: Used::default() }
}

fn official(n: usize, mailbox: Option<&str>) -> ListedOfficial {
    let official = Official {
        title: "Mayor".to_owned(),
        name: PersonName::parse(&format!("Official {n}")).unwrap(),
        mailbox: mailbox.map(|m| EmailAddress::parse(m).unwrap()),
        jurisdiction: format!("Town {n}"),
        extra: Extra::new(),
    };
    ListedOfficial { official, file: 0, line: 2 }
}

/// The officials of these lanes, and how many letters each gets.
fn world(lanes: &Lanes) -> (Vec<ListedOfficial>, Vec<OfficialTally>) {
    let officials = lanes.iter().enumerate().map(|(n, (_, domain))| official(n, Some(&format!("m{n}@{domain}"))));
    let tallies = lanes.iter().enumerate().map(|(n, (letters, _))| OfficialTally { official: n, letters: *letters });
    (officials.collect(), tallies.collect())
}

fn forecast_of(lanes: &Lanes, pace: &PaceSettings, relays: &[RelayLimits], confirmations: u64) -> Vec<Forecast> {
    let (officials, tallies) = world(lanes);
    let work = Workload { officials: &officials, tallies: &tallies, confirmations };
    forecast(&work, &speed(pace, relays, &Window::always()), Timestamp::UNIX_EPOCH, None)
}

/// When the last letter of each lane goes, with the program's own pace and whoever waited longest first. Every letter
/// is followed by a confirmation to somebody else, where there are any.
fn simulate(lanes: &Lanes, settings: PaceSettings, relays: &[RelayLimits], confirmed: bool) -> Vec<Duration> {
    let mut pace = Pace::new(settings);
    for (index, relay) in relays.iter().enumerate() {
        pace.add_relay(index, *relay);
    }
    let mut left: Vec<u64> = lanes.iter().map(|lane| lane.0).collect();
    let mut last = vec![Duration::ZERO; lanes.len()];
    // As the ledger has it: by the time from which they may go, then by when they were last served.
    let zero = Duration::ZERO;
    let mut turns: BinaryHeap<Reverse<(Duration, Duration, usize)>> =
        (0..lanes.len()).map(|n| Reverse((zero, zero, n))).collect();
    let mut relay_free = vec![Duration::ZERO; relays.len().max(1)];
    let mut next_constituent = lanes.len();
    let mut now = Duration::ZERO;
    while let Some(Reverse((at, served, lane))) = turns.pop() {
        let relay = (0..relay_free.len()).min_by_key(|&r| relay_free[r]).unwrap();
        now = now.max(at).max(relay_free[relay]);
        let domain = lanes.get(lane).map(|lane| lane.1);
        let mailbox = domain.map_or_else(|| format!("c{lane}.example"), |domain| format!("m{lane}@{domain}"));
        match pace.ask(now, relay, &mailbox, i64::try_from(lane).unwrap()) {
            Admission::Go if lane < lanes.len() => {
                last[lane] = now;
                left[lane] -= 1;
                if left[lane] > 0 {
                    turns.push(Reverse((now + jittered(pace.mailbox_interval().unwrap_or_default(), 0.5), now, lane)));
                }
                if confirmed {
                    turns.push(Reverse((now, zero, next_constituent)));
                    next_constituent += 1;
                }
            }
            Admission::Go => {}
            Admission::Wait { until, by: Binding::Global | Binding::WarmUp | Binding::Relay | Binding::Quota } => {
                relay_free[relay] = until;
                turns.push(Reverse((at, served, lane)));
            }
            Admission::Wait { until, by } => {
                let chance = if by == Binding::Mailbox { 0.5 } else { 0.0 };
                turns.push(Reverse((now + jittered(until.saturating_sub(now), chance), served, lane)));
            }
        }
    }
    last
}

/// 60 an hour for each domain, changed so.
fn with(change: &dyn Fn(&mut PaceSettings)) -> PaceSettings {
    let mut pace = settings("unlimited", "60/h", "unlimited");
    change(&mut pace);
    pace
}

/// The first three towns share one gateway.
fn group() -> Groups {
    let mut groups = Groups::default();
    groups.add("county", &["d0.example".to_owned(), "d1.example".to_owned(), "d2.example".to_owned()]).unwrap();
    groups
}

/// Nothing for all, and less for the first mailbox.
fn own_mailbox() -> PaceSettings {
    with(&|p| {
        p.mailboxes.insert(first(), limit("7/h"));
    })
}

fn first() -> String {
    "m0@d0.example".to_owned()
}

fn warm_up(days: &[&str]) -> WarmUp {
    let mut warm_up = WarmUp::default();
    for day in days {
        warm_up.add(day).unwrap();
    }
    warm_up
}

#[test]
fn the_forecast_is_what_the_pace_does() {
    let even = |n, letters| vec![(letters, "x.example"); n];
    let own: Vec<&'static str> = (0..40).map(|n| &*format!("d{n}.example").leak()).collect();
    let towns = |letters: &[u64]| -> Lanes { letters.iter().enumerate().map(|(n, l)| (*l, own[n])).collect() };
    let none: &[&str] = &[];
    for (what, lanes, pace, relays, confirmed) in [
        ("one mailbox", towns(&[300]), settings("unlimited", "unlimited", "30/h"), none, true),
        ("a daily limit", towns(&[1500]), settings("unlimited", "unlimited", "500/d"), none, false),
        ("mailboxes alone", towns(&[10, 200, 1000]), settings("unlimited", "unlimited", "100/h"), none, true),
        ("global binds", towns(&[400, 400, 400]), settings("60/h", "unlimited", "unlimited"), none, false),
        ("global and confirmations", towns(&[400, 400, 400]), settings("60/h", "unlimited", "unlimited"), none, true),
        ("global, uneven", towns(&[50, 200, 800, 20, 20]), settings("200/h", "unlimited", "100/h"), none, false),
        ("uneven and confirmed", towns(&[50, 200, 800, 20, 20]), settings("200/h", "unlimited", "60/h"), none, true),
        ("one domain", even(20, 30), settings("unlimited", "120/h", "30/h"), none, false),
        ("two relays", towns(&[500; 12]), settings("unlimited", "unlimited", "1000/h"), &["300/h", "200/h"], false),
        ("a relay of one day", towns(&[100; 30]), settings("unlimited", "unlimited", "30/h"), &["2000/d"], true),
        (
            "everything at once",
            vec![(300, "a.example"), (200, "a.example"), (100, "a.example"), (400, "b.example"), (50, "c.example")],
            settings("200/h", "60/h", "40/h"),
            &["150/h"],
            false,
        ),
        ("many to one each", towns(&[1; 40]), settings("30/h", "unlimited", "30/h"), none, false),
        ("nothing limited", towns(&[5000, 20]), settings("unlimited", "unlimited", "unlimited"), none, false),
        ("a group", towns(&[100, 60, 80, 500]), with(&|p| p.groups = group()), none, false),
        (
            "a group's own",
            towns(&[100, 60, 80, 500]),
            with(&|p| {
                p.groups = group();
                p.domains.insert("county".to_owned(), limit("20/h"));
            }),
            none,
            false,
        ),
        ("a mailbox's own", towns(&[100, 300]), own_mailbox(), none, false),
        ("a warm-up", towns(&[300, 300]), with(&|p| p.warm_up = warm_up(&["100/d", "150/d", "200/d"])), none, false),
        ("fast", towns(&[20_000]), settings("unlimited", "unlimited", "1000/s"), none, false),
    ] {
        let relays = relays_of(relays);
        let letters: u64 = lanes.iter().map(|lane| lane.0).sum();
        let told = forecast_of(&lanes, &pace, &relays, if confirmed { letters } else { 0 });
        let seen = simulate(&lanes, pace, &relays, confirmed);
        let longest = seen.iter().max().unwrap().as_secs_f64();
        let told_longest = told[0].takes.as_secs_f64();
        // Where two limits are about equally short, letters wait for a turn of one just when the other lets them go.
        let early = if what.starts_with("everything") { 0.09 } else { 0.02 };
        assert!(
            (-0.02 * longest..=early * longest).contains(&(longest - told_longest)),
            "{what}: told {told_longest:.0} s, seen {longest:.0} s"
        );
        for (n, seen) in seen.iter().enumerate() {
            let told = told.iter().find(|f| f.official == format!("Mayor Official {n}")).unwrap();
            let late = (told.takes.as_secs_f64() - seen.as_secs_f64()) / longest.max(1.0);
            // Of lanes that share turns, the first are done up to one letter before the last; none is a surprise.
            let one_letter = 1.0 / f64::from(u32::try_from(lanes[n].0).unwrap());
            assert!(
                (-early - 0.01..=one_letter.max(0.07)).contains(&late),
                "{what}, lane {n}: told {:?}, seen {seen:?}",
                told.takes
            );
        }
    }
}

#[test]
fn the_limit_that_holds_back_is_named() {
    for (pace, relays, expected) in [
        (settings("unlimited", "unlimited", "30/h"), &[][..], Some(Binding::Mailbox)),
        (settings("10/h", "unlimited", "30/h"), &[], Some(Binding::Global)),
        (settings("unlimited", "20/h", "30/h"), &[], Some(Binding::Domain)),
        (settings("100/h", "unlimited", "unlimited"), &["10/h"], Some(Binding::Relay)),
        (settings("100/h", "unlimited", "unlimited"), &["10/h", "unlimited"], Some(Binding::Global)),
        (settings("unlimited", "unlimited", "unlimited"), &[], None),
    ] {
        let relays = relays_of(relays);
        let told = forecast_of(&vec![(100, "x.example"), (90, "x.example")], &pace, &relays, 0);
        assert_eq!(told[0].binding, expected, "{pace:?} {relays:?}");
    }
}

#[test]
fn limits_of_ones_own_and_quotas_are_named_with_what_would_do() {
    let always = Window::always();
    let deadline: Timestamp = "1970-01-02T00:00Z".parse().unwrap();
    let own = |key: &str| Some(key.to_owned());
    let quota = [RelayLimits { quota: limit("100/d"), ..RelayLimits::UNLIMITED }];
    for (pace, relays, binding, of, would_do) in [
        (with(&|p| p.groups = group()), &[][..], Binding::Domain, None, "64/h"),
        (
            with(&|p| {
                p.groups = group();
                p.domains.insert("county".to_owned(), limit("20/h"));
            }),
            &[],
            Binding::Domain,
            own("county"),
            "64/h",
        ),
        (own_mailbox(), &[], Binding::Mailbox, own(&first()), "65/h"),
        (settings("unlimited", "unlimited", "unlimited"), &quota, Binding::Quota, None, "1499/d"),
    ] {
        let lanes = vec![(1500, "d0.example")];
        let (officials, tallies) = world(&lanes);
        let work = Workload { officials: &officials, tallies: &tallies, confirmations: 0 };
        let now = Timestamp::UNIX_EPOCH;
        let told = &forecast(&work, &speed(&pace, relays, &always), now, Some(deadline))[0];
        assert_eq!((told.binding, &told.own), (Some(binding), &of));
        assert_eq!(told.would_do.map(|rate| rate.to_string()).as_deref(), Some(would_do), "{binding:?}");
        let found = raises(&work, &speed(&pace, relays, &always), now, deadline);
        let (pace, relays) = raise(pace, relays.to_vec(), &found);
        assert!(!forecast(&work, &speed(&pace, &relays, &always), now, Some(deadline))[0].past_deadline);
    }
}

#[test]
fn what_was_used_today_leaves_less_of_the_quota_and_of_the_warm_up() {
    let lanes = vec![(100, "d0.example")];
    let (officials, tallies) = world(&lanes);
    let work = Workload { officials: &officials, tallies: &tallies, confirmations: 0 };
    let (now, always) = (Timestamp::UNIX_EPOCH, Window::always());
    let quota = [RelayLimits { quota: limit("100/d"), ..RelayLimits::UNLIMITED }];
    let unlimited = settings("unlimited", "unlimited", "unlimited");
    let warming = PaceSettings { warm_up: warm_up(&["100/d", "100/d"]), ..unlimited.clone() };
    // A quota that all messages fit into may be used up at once.
    for (pace, relays, unused) in [(&unlimited, &quota[..], 0..=0), (&warming, &[], 22..=24)] {
        let hours = |used| {
            let speed = Speed { used, ..speed(pace, relays, &always) };
            forecast(&work, &speed, now, None)[0].takes.as_secs() / 3600
        };
        let some = Used { today: 50, first: Some(now) };
        assert!(unused.contains(&hours(Used { today: 0, first: Some(now) })));
        assert!((34..=36).contains(&hours(some)), "{}", hours(some));
    }
}

#[test]
fn a_pace_that_makes_the_deadline_is_named_and_makes_it() {
    let (officials, tallies) = world(&vec![(1200, "x.example"), (900, "x.example"), (40, "y.example")]);
    let work = Workload { officials: &officials, tallies: &tallies, confirmations: 2140 };
    let now = Timestamp::UNIX_EPOCH;
    let deadline: Timestamp = "1970-01-02T00:00Z".parse().unwrap();
    for (pace, relays, expected) in [
        (settings("unlimited", "unlimited", "30/h"), &[][..], &["per_mailbox 52/h"][..]),
        (settings("unlimited", "unlimited", "60/h"), &[], &[]),
        (settings("100/h", "unlimited", "60/h"), &[], &["global"]),
        (settings("100/h", "unlimited", "30/h"), &[], &["global", "per_mailbox"]),
        (settings("unlimited", "50/h", "60/h"), &[], &["per_domain"]),
        (settings("unlimited", "unlimited", "60/h"), &["50/h", "20/h"], &["relay"]),
    ] {
        let relays = relays_of(relays);
        let found = raises(&work, &speed(&pace, &relays, &Window::always()), now, deadline);
        let mut names: Vec<String> = found.iter().map(name).collect();
        names.sort();
        assert_eq!(names.len(), expected.len(), "{names:?}");
        assert!(names.iter().zip(expected).all(|(n, e)| n.starts_with(e)), "{names:?} {expected:?}");
        let (pace, relays) = raise(pace, relays, &found);
        let after = forecast(&work, &speed(&pace, &relays, &Window::always()), now, Some(deadline));
        assert!(after.iter().all(|f| !f.past_deadline), "{names:?}");
    }
    assert_eq!(raises(&work, &speed(&settings("1/h", "1/h", "1/h"), &[], &Window::always()), deadline, now), []);
}

fn name(raise: &Raise) -> String {
    let limit = match raise.limit {
        Binding::Global => "global",
        Binding::WarmUp => "warm_up",
        Binding::Relay => "relay",
        Binding::Quota => "quota",
        Binding::Domain => "per_domain",
        Binding::Mailbox => "per_mailbox",
    };
    match &raise.own {
        Some(own) => format!("{limit} of {own} {}", raise.to),
        None => format!("{limit} {}", raise.to),
    }
}

fn raise(mut pace: PaceSettings, mut relays: Vec<RelayLimits>, raises: &[Raise]) -> (PaceSettings, Vec<RelayLimits>) {
    for Raise { limit, to, own } in raises {
        let to = Limit::Rate(*to);
        match (limit, own) {
            (Binding::Global | Binding::WarmUp, _) => pace.global = to,
            (Binding::Relay, _) => relays = vec![RelayLimits { rate: to, ..RelayLimits::UNLIMITED }],
            (Binding::Quota, _) => relays = vec![RelayLimits { quota: to, ..RelayLimits::UNLIMITED }],
            (Binding::Domain, None) => pace.per_domain = to,
            (Binding::Domain, Some(own)) => drop(pace.domains.insert(own.clone(), to)),
            (Binding::Mailbox, None) => pace.per_mailbox = to,
            (Binding::Mailbox, Some(own)) => drop(pace.mailboxes.insert(own.clone(), to)),
        }
    }
    (pace, relays)
}

#[test]
fn officials_of_one_mailbox_are_one_lane_and_those_without_one_none() {
    let officials = [official(0, Some("hall@x.example")), official(1, Some("HALL@x.example")), official(2, None)];
    let tallies = [(0, 10), (1, 21), (2, 7)].map(|(official, letters)| OfficialTally { official, letters });
    let work = Workload { officials: &officials, tallies: &tallies, confirmations: 0 };
    let always = Window::always();
    let pace = settings("unlimited", "unlimited", "30/h");
    let speed = speed(&pace, &[], &always);
    let told = forecast(&work, &speed, Timestamp::UNIX_EPOCH, Some("1970-01-01T00:59Z".parse().unwrap()));
    assert_eq!((told.len(), told[0].letters, told[0].officials), (1, 31, 2));
    assert!(told[0].past_deadline && told[0].last > Timestamp::UNIX_EPOCH + Duration::from_secs(3600));
}

#[test]
fn hours_of_rest_put_the_last_letter_off_and_leave_less_time_before_the_deadline() {
    let officials = [official(0, Some("hall@x.example"))];
    let work =
        Workload { officials: &officials, tallies: &[OfficialTally { official: 0, letters: 4100 }], confirmations: 0 };
    let zone = jiff::tz::TimeZone::get("America/Chicago").unwrap();
    let window = Window::parse("mon-fri 8-18", zone.clone()).unwrap();
    let pace = settings("unlimited", "unlimited", "30/h");
    let speed = speed(&pace, &[], &window);
    let at = |civil: &str| {
        civil.parse::<jiff::civil::DateTime>().unwrap().to_zoned_datetime(zone.clone()).unwrap().timestamp()
    };
    // 137 hours of sending and 4 % more are 14 days of ten hours and 2 hours: the 15th weekday.
    let (now, deadline) = (at("2027-02-01T08:00"), at("2027-02-15T18:00"));
    let told = forecast(&work, &speed, now, Some(deadline));
    let last = told[0].last.to_zoned_datetime(zone.clone());
    assert_eq!(last.date(), "2027-02-19".parse::<jiff::civil::Date>().unwrap());
    assert!((8..18).contains(&last.hour()) && told[0].past_deadline);
    let raises = raises(&work, &speed, now, deadline);
    assert_eq!(raises.iter().map(name).collect::<Vec<_>>(), ["per_mailbox 39/h"]);
}

#[test]
fn a_hundred_thousand_mailboxes_are_forecast_in_moments() {
    let lanes: Lanes =
        (0..100_000).map(|n| (1 + n % 977, ["a.example", "b.example"][usize::from(n % 3 == 0)])).collect();
    let began = std::time::Instant::now();
    let told = forecast_of(&lanes, &settings("100/s", "50/s", "30/h"), &[], 1000);
    assert_eq!(told.len(), 100_000);
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
}
