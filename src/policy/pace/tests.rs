//! The pace under every limit: alone, together, saturated, and over random days.

use proptest::prelude::*;

use super::*;

fn limit(text: &str) -> Limit {
    text.parse().unwrap()
}

fn pace(global: &str, per_domain: &str, per_mailbox: &str) -> Pace {
    Pace::new(PaceSettings {
        global: limit(global),
        per_domain: limit(per_domain),
        per_mailbox: limit(per_mailbox),
        ..PaceSettings::unlimited()
    })
}

fn of_rate(text: &str) -> RelayLimits {
    RelayLimits { rate: limit(text), ..RelayLimits::UNLIMITED }
}

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn wait(until: u64, by: Binding) -> Admission {
    Admission::Wait { until: ms(until), by }
}

/// No window of one unit, both ends included, holds more than the rate's number.
fn assert_never_faster(handed_over: &[Duration], limit: Limit) {
    let rate = limit.rate().unwrap();
    let n = usize::try_from(rate.count()).unwrap();
    for window in handed_over.windows(n + 1) {
        assert!(window[n] > window[0] + rate.unit().duration(), "{n} and one more from {:?}", window[0]);
    }
}

#[test]
fn each_limit_binds_on_its_own() {
    for (global, domain, mailbox, relay, by) in [
        ("1/s", "unlimited", "unlimited", "unlimited", Binding::Global),
        ("unlimited", "1/s", "unlimited", "unlimited", Binding::Domain),
        ("unlimited", "unlimited", "1/s", "unlimited", Binding::Mailbox),
        ("unlimited", "unlimited", "unlimited", "1/s", Binding::Relay),
    ] {
        let mut pace = pace(global, domain, mailbox);
        pace.add_relay(0, of_rate(relay));
        assert_eq!(pace.ask(ms(0), 0, "x.example", 1), Admission::Go);
        assert_eq!(pace.ask(ms(0), 0, "x.example", 1), wait(1010, by));
        assert_eq!(pace.ask(ms(1010), 0, "x.example", 1), Admission::Go);
    }
}

#[test]
fn a_refusal_by_one_limit_uses_up_no_other() {
    let mut pace = pace("1/s", "1/s", "1/h");
    assert_eq!(pace.ask(ms(0), 0, "x.example", 1), Admission::Go);
    for second in 2..100 {
        assert_eq!(pace.ask(ms(second * 1000), 0, "x.example", 1), wait(3_636_000, Binding::Mailbox));
        assert_eq!(pace.ask(ms(second * 1000), 0, "y.example", 1), wait(3_636_000, Binding::Mailbox));
    }
    assert_eq!(pace.ask(ms(99_000), 0, "x.example", 2), Admission::Go);
}

#[test]
fn no_lane_no_domain_and_no_relay_blocks_another() {
    let mut pace = pace("unlimited", "2/h", "1/h");
    pace.add_relay(1, of_rate("1/d"));
    assert_eq!(pace.ask(ms(0), 1, "x.example", 1), Admission::Go);
    assert!(matches!(pace.ask(ms(0), 1, "y.example", 2), Admission::Wait { by: Binding::Relay, .. }));
    assert_eq!(pace.ask(ms(0), 0, "y.example", 2), Admission::Go);
    assert_eq!(pace.ask(ms(0), 7, "z.example", 3), Admission::Go, "a relay that was not added has no limit");
}

#[test]
fn lanes_of_one_domain_wake_one_after_the_other() {
    let mut pace = pace("unlimited", "1/s", "unlimited");
    assert_eq!(pace.ask(ms(0), 0, "x.example", 0), Admission::Go);
    for lane in 1..1000 {
        let slot = 1010 * u64::try_from(lane).unwrap();
        assert_eq!(pace.ask(ms(0), 0, "x.example", lane), wait(slot, Binding::Domain));
        assert_eq!(pace.ask(ms(0), 0, "x.example", lane), wait(slot, Binding::Domain), "the same when asked again");
    }
    for lane in 1..1000 {
        let slot = 1010 * u64::try_from(lane).unwrap();
        assert_eq!(pace.ask(ms(slot), 0, "x.example", lane), Admission::Go, "lane {lane} goes at its slot");
    }
}

#[test]
fn a_lane_that_was_overtaken_is_next_and_not_last() {
    let mut pace = pace("unlimited", "1/s", "unlimited");
    assert_eq!(pace.ask(ms(0), 0, "x.example", 0), Admission::Go);
    for lane in 1..100 {
        let _ = pace.ask(ms(0), 0, "x.example", lane);
    }
    assert_eq!(pace.ask(ms(1010), 0, "x.example", 500), Admission::Go, "it asked at a free moment");
    assert_eq!(pace.ask(ms(1010), 0, "x.example", 1), wait(2020, Binding::Domain));
}

#[test]
fn a_slot_that_nobody_uses_is_not_lost_for_the_others() {
    let mut pace = pace("unlimited", "1/s", "unlimited");
    for lane in 0..100 {
        let _ = pace.ask(ms(0), 0, "x.example", lane);
    }
    assert_eq!(pace.ask(ms(5000), 0, "x.example", 500), Admission::Go);
}

#[test]
fn a_relay_is_given_a_part_of_its_rate_and_only_that_relay() {
    let mut pace = pace("unlimited", "unlimited", "unlimited");
    pace.add_relay(0, of_rate("10/s"));
    pace.add_relay(1, of_rate("10/s"));
    pace.set_relay_factor(0, 0.5);
    pace.set_relay_factor(9, 0.5);
    for relay in [0, 1] {
        assert_eq!(pace.ask(ms(0), relay, "x.example", 1), Admission::Go);
    }
    assert_eq!(pace.ask(ms(0), 0, "x.example", 1), wait(202, Binding::Relay));
    assert_eq!(pace.ask(ms(0), 1, "x.example", 1), wait(101, Binding::Relay));
}

#[test]
fn a_clock_that_goes_back_gives_nothing_away() {
    let mut pace = pace("1/h", "unlimited", "unlimited");
    assert_eq!(pace.ask(Duration::from_secs(10_000), 0, "x.example", 1), Admission::Go);
    assert_eq!(pace.ask(ms(0), 0, "x.example", 1), wait(13_636_000, Binding::Global));
}

#[test]
fn a_lane_waits_its_mailbox_s_interval_after_a_hand_over() {
    assert_eq!(pace("1/s", "1/s", "30/h").mailbox_interval(), Some(ms(121_200)));
    assert_eq!(pace("1/s", "1/s", "unlimited").mailbox_interval(), None);
}

#[test]
fn memory_stays_flat_over_a_million_lanes() {
    let mut pace = pace("unlimited", "100/s", "30/h");
    let mut most = 0;
    for lane in 0..1_000_000_u32 {
        let domain = format!("{}.example", lane % 50_000);
        let _ = pace.ask(Duration::from_millis(u64::from(lane)), 0, &domain, i64::from(lane));
        most = most.max(pace.remembered());
    }
    // 1,000 a second: two minutes of mailboxes, and one minute more until they are pruned.
    assert!(most < 400_000, "{most}");
    assert_eq!(pace.ask(Duration::from_secs(2000), 0, "x.example", -1), Admission::Go);
    assert_eq!(pace.remembered(), 2, "one domain and one mailbox");
}

/// All hand-overs of `units` units when there is always one more waiting.
fn saturate(rate: &str, units: u32) -> Vec<Duration> {
    let mut pace = pace(rate, "unlimited", "unlimited");
    let mut handed_over = Vec::new();
    let mut now = Duration::ZERO;
    let end = limit(rate).rate().unwrap().unit().duration() * units;
    while now < end {
        match pace.ask(now, 0, "x.example", 1) {
            Admission::Go => handed_over.push(now),
            Admission::Wait { until, .. } => now = until,
        }
    }
    handed_over
}

const RATES: [&str; 10] = ["1/h", "30/h", "7/d", "5/m", "1/s", "10/s", "199/s", "1000/s", "5000/s", "100000/h"];

#[test]
fn under_saturation_at_least_95_per_cent_of_the_limit_go_through() {
    for rate in RATES {
        let count = limit(rate).rate().unwrap().count();
        let units = if count > 1000 { 3 } else { 20 };
        let share = f64::from(u32::try_from(saturate(rate, units).len()).unwrap()) / f64::from(count * units);
        assert!((0.95..=1.06).contains(&share), "{rate}: {share}");
    }
}

#[test]
fn no_limit_is_exceeded_when_a_hand_over_reaches_the_wire_up_to_one_per_cent_of_a_unit_late() {
    for rate in RATES {
        let late = limit(rate).rate().unwrap().unit().duration() / 101;
        let punctual = saturate(rate, 2);
        // The worst case for a window: its first ones were late, and those after them are not.
        for late_ones in (1..punctual.len()).step_by(7).take(50) {
            let mut on_the_wire = punctual.clone();
            on_the_wire[..late_ones].iter_mut().for_each(|at| *at += late);
            on_the_wire.sort();
            assert_never_faster(&on_the_wire, limit(rate));
        }
    }
}

/// What may happen between two requests.
#[derive(Debug, Clone)]
enum Event {
    Pass(u64),
    UntilAllowed,
    Factor(f64),
    Prune,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        4 => (0..2_000_000_u64).prop_map(Event::Pass),
        2 => (0..100_000_000_u64).prop_map(Event::Pass),
        8 => Just(Event::UntilAllowed),
        1 => (0.01..1.0_f64).prop_map(Event::Factor),
        1 => Just(Event::Factor(1.0)),
        1 => Just(Event::Prune),
    ];
    prop::collection::vec(event, 200..2000)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// I5, over random demand of a day and more: millions of microseconds scaled to each rate's unit.
    #[test]
    fn no_window_ever_holds_more_hand_overs_than_the_limit(events in events(), seed in 0..8_usize) {
        let rate = ["1/h", "30/h", "7/d", "5/m", "3/s", "200/s", "1000/s", "240/m"][seed];
        let unit = limit(rate).rate().unwrap().unit().duration();
        let mut pace = pace("unlimited", rate, rate);
        pace.add_relay(0, of_rate(rate));
        let (mut by_relay, mut by_lane) = (Vec::new(), Vec::new());
        let mut now = Duration::ZERO;
        let mut allowed_at = now;
        for event in events {
            match event {
                Event::Pass(millionths) => now += unit.mul_f64(f64::from(u32::try_from(millionths).unwrap()) / 1e7),
                Event::UntilAllowed => now = now.max(allowed_at),
                Event::Factor(factor) => pace.set_relay_factor(0, factor),
                Event::Prune => pace.prune_at = 0,
            }
            for (relay, lane) in [(0, 1), (0, 2), (1, 1), (0, 1)] {
                match pace.ask(now, relay, "x.example", lane) {
                    Admission::Go => {
                        if relay == 0 { by_relay.push(now) }
                        if lane == 1 { by_lane.push(now) }
                    }
                    Admission::Wait { until, .. } => {
                        prop_assert!(until > now);
                        allowed_at = until;
                    }
                }
            }
        }
        assert_never_faster(&by_relay, limit(rate));
        assert_never_faster(&by_lane, limit(rate));
    }
}

fn hours(n: u64) -> Duration {
    Duration::from_secs(n * 3600)
}

#[test]
fn a_change_right_after_a_restart_forgets_nothing() {
    let mut pace = pace("unlimited", "2/h", "1/h");
    pace.remember(hours(100), 0, "m@x.example", 1);
    let settings = PaceSettings { per_domain: limit("2/h"), per_mailbox: limit("1/h"), ..PaceSettings::unlimited() };
    pace.change(hours(100) + ms(1), settings);
    assert!(matches!(pace.ask(hours(100) + ms(2), 0, "m@x.example", 1), Admission::Wait { by: Binding::Mailbox, .. }));
    assert!(matches!(pace.ask(hours(100) + ms(2), 0, "n@x.example", 2), Admission::Wait { by: Binding::Domain, .. }));
}

#[test]
fn domains_of_a_group_share_one_limit_and_a_group_a_domain_and_a_mailbox_may_have_their_own() {
    let mut settings = PaceSettings { per_domain: limit("1/h"), ..PaceSettings::unlimited() };
    settings.groups.add("county", &["a.example".to_owned(), "*.county.example".to_owned()]).unwrap();
    settings.groups.add("state", &["b.example".to_owned()]).unwrap();
    settings.domains.insert("state".to_owned(), Limit::Unlimited);
    settings.domains.insert("c.example".to_owned(), limit("2/h"));
    settings.mailboxes.insert("slow@b.example".to_owned(), limit("1/d"));
    let mut pace = Pace::new(settings);
    assert_eq!(pace.ask(ms(0), 0, "x@a.example", 1), Admission::Go);
    assert!(matches!(pace.ask(ms(0), 0, "y@z.county.example", 2), Admission::Wait { by: Binding::Domain, .. }));
    for lane in 3..9 {
        assert_eq!(pace.ask(ms(0), 0, "x@b.example", lane), Admission::Go);
    }
    assert_eq!(pace.ask(ms(0), 0, "slow@b.example", 10), Admission::Go);
    assert!(matches!(pace.ask(hours(24), 0, "slow@b.example", 10), Admission::Wait { by: Binding::Mailbox, .. }));
    assert_eq!(pace.ask(hours(25), 0, "slow@b.example", 10), Admission::Go);
    assert_eq!(pace.ask(hours(25), 0, "x@c.example", 11), Admission::Go);
    let half = hours(25) + Duration::from_secs(1818);
    assert_eq!(pace.ask(half, 0, "x@c.example", 11), Admission::Go, "twice an hour");
}

#[test]
fn a_lane_s_own_limit_begins_and_ends_while_letters_go() {
    let own = |limits: &[(&str, &str)]| PaceSettings {
        per_mailbox: limit("30/h"),
        mailboxes: limits.iter().map(|(name, of)| ((*name).to_owned(), limit(of))).collect(),
        ..PaceSettings::unlimited()
    };
    let mut pace = Pace::new(own(&[]));
    assert_eq!(pace.ask(ms(0), 0, "m@x.example", 1), Admission::Go);
    pace.change(ms(0), own(&[("m@x.example", "60/h")]));
    assert_eq!(pace.ask(ms(0), 0, "m@x.example", 1), wait(60_600, Binding::Mailbox));
    assert_eq!(pace.mailbox_interval(), Some(ms(60_600)), "the fastest of all: slower ones are told when they ask");
    pace.change(ms(0), own(&[]));
    assert_eq!(pace.ask(ms(0), 0, "m@x.example", 1), wait(121_200, Binding::Mailbox));
    assert_eq!(pace.mailbox_interval(), Some(ms(121_200)));
}

#[test]
fn a_quota_may_be_used_up_at_once_and_then_waits_for_a_whole_day_unless_a_letter_was_refused() {
    let mut pace = pace("unlimited", "unlimited", "unlimited");
    pace.add_relay(0, RelayLimits { quota: limit("3/d"), ..RelayLimits::UNLIMITED });
    pace.remember_of_day(hours(100), 0, 1);
    for lane in 0..2 {
        assert_eq!(pace.ask(hours(101), 0, "x.example", lane), Admission::Go);
    }
    let Admission::Wait { until, by: Binding::Quota } = pace.ask(hours(101), 0, "x.example", 3) else { panic!() };
    assert!(until > hours(124) && until < hours(124) + Duration::from_secs(15 * 60), "{until:?}");
    assert_eq!(pace.ask(hours(101), 1, "x.example", 3), Admission::Go, "another relay has its own");
    pace.was_refused(0);
    assert_eq!(pace.ask(hours(101), 0, "x.example", 3), Admission::Go);
    assert_eq!(pace.of_day(0), 3);
}
