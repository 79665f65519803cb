//! The two clocks, and what each thing that can happen in each phase does to a message and to its relay.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's table is right or the test fails")]

use std::time::Duration;

use jiff::Timestamp;
use undersigned::model::{Class, Disposition, LossCause, Outcome, Phase, Reply};
use undersigned::policy::{RelayClock, RelayEffect, Replies, RetrySchedule, Situation, Throttle, Verdict, decide};

use Class::{
    Account as F, Connection as B, InDoubt as G, MessagePermanent as E, Quota as Cq, RecipientPermanent as D,
    RecipientTransient as A, SlowDown as C,
};
use Phase::{Auth, Body, Connect, Data, Dot, Ehlo, Greeting, Mail, Rcpt, Starttls, Tls};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// What can happen in a phase.
#[derive(Debug, Clone, Copy)]
enum Event {
    /// A success that is not the one that was asked for.
    WrongSuccess,
    /// `354`, `334` where nothing more was asked.
    Intermediate,
    ForNow,
    Closing,
    ForGood,
    Garbage,
    Closed,
    TimedOut,
}

use Event::{Closed, Closing, ForGood, ForNow, Garbage, Intermediate, TimedOut, WrongSuccess};

const EVENTS: [Event; 8] = [WrongSuccess, Intermediate, ForNow, Closing, ForGood, Garbage, Closed, TimedOut];

fn happened(phase: Phase, event: Event) -> Outcome {
    let replied = |code| Outcome::Replied(Reply::new(phase, code, ["what"]));
    let lost = |cause| Outcome::Lost { phase, cause, detail: String::new() };
    match event {
        WrongSuccess => replied(251),
        Intermediate => replied(if phase == Data { 334 } else { 354 }),
        ForNow => replied(450),
        Closing => replied(421),
        ForGood => replied(550),
        Garbage => lost(LossCause::Garbage),
        Closed => lost(LossCause::Closed),
        TimedOut => lost(LossCause::Timeout),
    }
}

fn situation<'a>(replies: &'a Replies, retry: &'static RetrySchedule) -> Situation<'a> {
    Situation {
        now: NOW,
        tries_counted: 0,
        first_attempt_at: None,
        deadline: None,
        replies,
        is_suspect: false,
        retry,
        jitter: 0.5,
    }
}

fn schedule() -> &'static RetrySchedule {
    static SCHEDULE: std::sync::LazyLock<RetrySchedule> = std::sync::LazyLock::new(RetrySchedule::default);
    &SCHEDULE
}

fn verdict(outcome: &Outcome) -> Verdict {
    decide(outcome, &situation(&Replies::default(), schedule()))
}

fn reply(phase: Phase, line: &str) -> Outcome {
    let (code, text) = line.split_once(' ').unwrap();
    Outcome::Replied(Reply::new(phase, code.parse().unwrap(), [text]))
}

#[test]
fn everything_that_can_happen_in_every_phase_has_its_class_and_its_disposition() {
    // In the order of EVENTS: wrong success, intermediate, 450, 421, 550, garbage, closed, timed out.
    let table: [(Phase, [Class; 8]); 11] = [
        (Connect, [B, B, B, B, B, B, B, B]),
        (Tls, [B, B, B, B, B, B, B, B]),
        (Greeting, [B, B, B, B, B, B, B, B]),
        (Ehlo, [B, B, B, B, B, B, B, B]),
        (Starttls, [B, B, B, B, F, B, B, B]),
        (Auth, [B, B, B, B, F, B, B, B]),
        (Mail, [B, B, B, B, F, B, B, B]),
        (Rcpt, [B, B, A, B, D, B, B, B]),
        (Data, [B, B, A, B, E, B, B, B]),
        (Body, [B, B, A, B, E, B, B, B]),
        (Dot, [G, G, A, B, E, G, G, G]),
    ];
    assert_eq!(table.map(|(phase, _)| phase), Phase::ALL);
    for (phase, classes) in table {
        for (event, class) in EVENTS.into_iter().zip(classes) {
            let verdict = verdict(&happened(phase, event));
            assert_eq!(verdict.class, class, "{phase} {event:?}");
            let fits = match class {
                A => matches!(verdict.disposition, Disposition::Deferred { due, counted: true } if due > NOW),
                B | F => verdict.disposition == Disposition::Deferred { due: NOW, counted: false },
                D | E => verdict.disposition == Disposition::Bounced,
                _ => verdict.disposition == Disposition::InDoubt,
            };
            assert!(fits, "{phase} {event:?}: {:?}", verdict.disposition);
            let ends = !matches!(class, A | D | E) || matches!(event, Closing);
            assert_eq!(verdict.ends_session, ends, "{phase} {event:?}");
        }
    }
}

#[test]
fn a_loss_is_in_doubt_from_the_dot_on_and_about_the_connection_before_it() {
    for phase in Phase::ALL {
        for cause in [LossCause::Dns, LossCause::Refused, LossCause::Closed, LossCause::Timeout, LossCause::Garbage] {
            let verdict = verdict(&Outcome::Lost { phase, cause, detail: String::new() });
            assert_eq!(verdict.class, if phase == Dot { G } else { B }, "{phase} {cause}");
            assert_eq!(verdict.effect, RelayEffect::Reconnect);
        }
        let class = |cause| verdict(&Outcome::Lost { phase, cause, detail: String::new() }).class;
        assert_eq!(class(LossCause::ProcessEnded), G, "{phase}");
        assert_eq!(class(LossCause::Certificate), if phase == Dot { G } else { F }, "{phase}");
    }
}

#[test]
fn what_the_relay_does_not_offer_stops_the_campaign_unless_one_message_alone_needs_it() {
    for (phase, class) in [(Starttls, F), (Auth, F), (Ehlo, F), (Mail, E), (Rcpt, E)] {
        let lost = Outcome::Lost { phase, cause: LossCause::NotOffered, detail: String::new() };
        assert_eq!(verdict(&lost).class, class, "{phase}");
    }
}

#[test]
fn the_relay_s_clock_counts_against_no_message_and_the_recipient_s_stops_no_relay() {
    for (outcome, class) in [
        (happened(Body, Closed), B),
        (reply(Dot, "454 Throttling failure: Maximum sending rate exceeded."), C),
        (reply(Dot, "454 Throttling failure: Daily message quota exceeded."), Cq),
        (reply(Auth, "535 Authentication Credentials Invalid"), F),
    ] {
        let verdict = verdict(&outcome);
        assert_eq!(verdict.class, class, "{outcome}");
        assert_eq!(verdict.disposition, Disposition::Deferred { due: NOW, counted: false }, "{outcome}");
        assert_ne!(verdict.effect, RelayEffect::None, "{outcome}");
    }
    let busy = verdict(&reply(Rcpt, "450 4.2.1 busy"));
    assert!(matches!(busy.disposition, Disposition::Deferred { counted: true, .. }));
    assert_eq!(busy.effect, RelayEffect::None);
}

#[test]
fn the_relay_s_clock_goes_five_ten_thirty_seconds_then_a_minute_doubling_to_twenty() {
    let mut clock = RelayClock::new();
    let waits: Vec<i64> = (0..10).map(|_| clock.failed(NOW, 1.0).as_second()).collect();
    assert_eq!(waits, [5, 10, 30, 60, 120, 240, 480, 960, 1200, 1200]);
}

#[test]
fn a_used_up_quota_parks_the_relay_for_twenty_minutes_then_an_hour_until_its_window_rolls() {
    let mut clock = RelayClock::new();
    let minutes: Vec<i64> = (0..30).map(|_| clock.parked(NOW, Duration::ZERO).as_second() / 60).collect();
    assert_eq!((minutes[0], &minutes[1..]), (20, &[60; 29][..]));
    assert!(minutes.iter().sum::<i64>() > 24 * 60, "asked beyond the day");
    clock.succeeded();
    assert_eq!(clock.parked(NOW, Duration::ZERO).as_second() / 60, 20, "the next day anew");
}

#[test]
fn the_recipient_s_clock_goes_five_fifteen_thirty_minutes_one_two_four_four_eight_hours() {
    let steps: Vec<i64> = (0..9).map(|tries| schedule().next_due(tries, NOW, 0.5).as_second() / 60).collect();
    assert_eq!(steps, [5, 15, 30, 60, 120, 240, 240, 480, 480]);
    for (jitter, seconds) in [(0.0, 270), (1.0, 330)] {
        assert_eq!(schedule().next_due(0, NOW, jitter).as_second(), seconds, "10 % either way");
    }
}

#[test]
fn throttling_halves_and_a_clean_minute_gives_back_five_per_cent() {
    let mut throttle = Throttle::new();
    throttle.slow_down(Duration::ZERO);
    let share = |minutes: u64| throttle.factor(Duration::from_secs(minutes * 60));
    for (minutes, expected) in [(0, 0.5), (1, 0.55), (5, 0.75), (10, 1.0)] {
        assert!((share(minutes) - expected).abs() < 1e-9, "{minutes}");
    }
    for (line, effect) in [
        ("421 Too many concurrent SMTP connections", RelayEffect::FewerConnections),
        ("452 4.4.5 Messages per second limit exceeded", RelayEffect::SlowDown),
    ] {
        assert_eq!(verdict(&reply(Rcpt, line)).effect, effect, "{line}");
    }
}

#[test]
fn a_wish_to_wait_is_honoured_up_to_a_day() {
    let replies = Replies::default();
    for (line, seconds) in [
        ("451 4.7.1 Greylisted, try again in 92 seconds", 92),
        ("451 4.7.1 Greylisting in action, please come back in 00:04:59", 299),
        ("450 4.2.1 try again in 5 minutes", 300),
        ("450 4.2.1 try again in 30 days", 86_400),
        ("450 4.2.1 later", 270),
    ] {
        let due = Timestamp::from_second(seconds).unwrap();
        let verdict = decide(&reply(Rcpt, line), &Situation { jitter: 0.0, ..situation(&replies, schedule()) });
        assert_eq!(verdict.disposition, Disposition::Deferred { due, counted: true }, "{line}");
    }
    let quota = verdict(&reply(Dot, "454 Daily message quota exceeded, try again in 2 hours"));
    assert_eq!(quota.effect, RelayEffect::Park { at_least: Duration::from_secs(7200) });
}

#[test]
fn a_message_expires_when_its_next_try_would_come_too_late_and_only_on_the_recipient_s_clock() {
    let replies = Replies::default();
    let hours = |h: i64| Timestamp::from_second(h * 3600).unwrap();
    let at = |now, deadline| Situation {
        now,
        tries_counted: 8,
        first_attempt_at: Some(NOW),
        deadline,
        ..situation(&replies, schedule())
    };
    let busy = reply(Rcpt, "450 4.2.1 later");
    let expired = |now, deadline| decide(&busy, &at(now, deadline)).disposition == Disposition::Expired;
    assert!(!expired(hours(64), None), "64 + 8 is 72 and not over");
    assert!(expired(hours(65), None));
    assert!(expired(hours(40), Some(hours(47))));
    assert!(!expired(hours(40), Some(hours(48))));
    let lost = decide(&happened(Body, Closed), &at(hours(1000), Some(hours(1))));
    assert_eq!(lost.disposition, Disposition::Deferred { due: hours(1000), counted: false });
}

#[test]
fn a_message_at_which_the_relay_breaks_off_each_time_counts_against_itself() {
    let replies = Replies::default();
    let suspect = Situation { is_suspect: true, ..situation(&replies, schedule()) };
    for outcome in [
        happened(Mail, Closed),
        happened(Body, TimedOut),
        happened(Rcpt, Closing),
        reply(Dot, "451 4.3.0 Error: queue file write error"),
    ] {
        let verdict = decide(&outcome, &suspect);
        assert!(matches!(verdict.disposition, Disposition::Deferred { due, counted: true } if due > NOW), "{outcome}");
        assert!(verdict.is_blamed() && verdict.ends_session && verdict.effect == RelayEffect::Reconnect);
        let late =
            Situation { first_attempt_at: Some(NOW), now: Timestamp::from_second(72 * 3600).unwrap(), ..suspect };
        assert_eq!(decide(&outcome, &late).disposition, Disposition::Expired, "{outcome}");
    }
    for outcome in [happened(Dot, Closed), happened(Greeting, Closed), reply(Dot, "250 ok"), reply(Rcpt, "550 no")] {
        let usual = decide(&outcome, &situation(&replies, schedule()));
        assert_eq!(decide(&outcome, &suspect), usual, "{outcome}");
    }
}
