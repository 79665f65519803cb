//! `campaign.start`: nothing goes before it, and long after it staff are asked.

use std::time::{Duration, Instant};

use jiff::{Timestamp, ToSpan};

use crate::support::campaign::{Campaign, Ran};
use crate::world::{fits_a_terminal, hear, interrupt, ok, send, start, words, world};

/// A moment from now on (or ago) as `campaign.start` has it, in the campaign's UTC.
fn moment(seconds: i64) -> String {
    let at = Timestamp::now() + seconds.seconds();
    at.to_zoned_datetime(jiff::tz::TimeZone::UTC).strftime("campaign.start=%Y-%m-%d %H:%M:%S").to_string()
}

fn send_at(campaign: &Campaign, seconds: i64, more: &[&str]) -> Ran {
    send(campaign, &[&["--set", &moment(seconds)], more].concat())
}

#[test]
fn no_letter_goes_before_the_start_and_all_go_after_it() {
    let (relay, campaign) = world(4);
    let begins = Timestamp::now() + 8.seconds();
    let mut sending = start(&campaign, &["--set", &moment(8)]);
    let told = hear(&mut sending, "waits again");
    assert!(words(&told).contains("Waiting for the start (campaign.start): "), "{told}");
    fits_a_terminal(&told);
    assert_eq!(campaign.letters("queued"), 4, "they are enrolled");
    let status = ok(campaign.run(&["status", "--set", &moment(3600)])).out;
    assert!(words(&status).contains("waits for its start on"), "{status}");
    while Timestamp::now() < begins - 1.seconds() {
        assert_eq!(relay.record.count(), 0);
        std::thread::sleep(Duration::from_millis(100));
    }
    ok(sending.wait_with_output().unwrap().into());
    assert_eq!(relay.record.count(), 4);
    assert!(Timestamp::now() >= begins - 1.seconds());
}

#[test]
fn ctrl_c_before_the_start_leaves_with_nothing_sent_and_a_pause_holds_also_after_it() {
    let (relay, campaign) = world(2);
    let mut sending = start(&campaign, &["--set", &moment(3600)]);
    hear(&mut sending, "waits again");
    ok(campaign.run(&["pause"]));
    std::thread::sleep(Duration::from_millis(300));
    let asked = Instant::now();
    interrupt(&sending);
    let ran = ok(sending.wait_with_output().unwrap().into());
    assert!(asked.elapsed() < Duration::from_secs(60), "it does not wait for the start");
    assert!(words(&ran.err).contains("Left before the start; nothing was sent."), "{}", ran.err);

    let sending = start(&campaign, &["--set", &moment(1)]);
    campaign.until_running();
    assert!(!relay.record.wait_for(1, Duration::from_secs(2)), "paused");
    interrupt(&sending);
    ok(sending.wait_with_output().unwrap().into());
}

#[test]
fn a_start_that_was_missed_by_more_than_an_hour_is_asked_about() {
    let (relay, campaign) = world(3);
    let ran = send_at(&campaign, -3700, &[]);
    assert_eq!(ran.code, 4, "{ran:?}");
    let err = words(&ran.err);
    assert!(err.contains("The start was 1 h 1 min ago") && err.contains("--late-start"), "{err}");
    fits_a_terminal(&ran.err);
    assert_eq!(relay.record.count(), 0);
    let status = ok(campaign.run(&["status", "--set", &moment(-3700)])).out;
    assert!(words(&status).contains("its start was 1 h 1 min ago, and nothing has gone yet"), "{status}");

    ok(send_at(&campaign, -3700, &["--late-start", "--limit", "1"]));
    assert_eq!(relay.record.count(), 1);
    ok(send_at(&campaign, -90_000, &["--limit", "1"]));
    assert_eq!(relay.record.count(), 2, "it has begun: nothing is asked");
}

#[test]
fn a_start_that_was_missed_by_less_than_an_hour_is_the_start() {
    let (relay, campaign) = world(3);
    ok(send_at(&campaign, -3500, &[]));
    assert_eq!(relay.record.count(), 3);
}

#[test]
fn hours_that_open_later_than_the_start_do_not_make_it_late() {
    let (relay, campaign) = world(1);
    let hour = |hours: i64| (Timestamp::now() + hours.hours()).to_zoned_datetime(jiff::tz::TimeZone::UTC).hour();
    let window = format!("pace.window={}-{}", hour(2), hour(3));
    let sending = start(&campaign, &["--set", &moment(-3700), "--set", &window]);
    campaign.until_running();
    assert!(!relay.record.wait_for(1, Duration::from_secs(1)));
    interrupt(&sending);
    ok(sending.wait_with_output().unwrap().into());
}

#[test]
fn a_start_that_makes_no_sense_is_refused_in_words() {
    let (_relay, campaign) = world(1);
    for (start, words) in [
        ("soon", "expected a date like"),
        ("2027-02-30", "expected a date like"),
        ("2027-03-01 09:00", "expected a moment before campaign.deadline"),
    ] {
        let ran =
            send(&campaign, &["--set", &format!("campaign.start={start}"), "--set", "campaign.deadline=2027-02-28"]);
        assert_eq!(ran.code, 2, "{start}: {ran:?}");
        assert!(ran.err.contains(words), "{start}: {}", ran.err);
    }
}

#[test]
fn a_date_alone_begins_with_the_day_and_the_forecast_counts_from_there() {
    let (_relay, campaign) = world(3);
    for (start, begins) in [("2031-05-06", "6 May 2031, 00:00 UTC"), ("2031-05-06 09:30", "6 May 2031, 09:30 UTC")] {
        let start = format!("campaign.start={start}");
        let told = ok(campaign.run(&["forecast", "--set", &start])).out;
        let told = words(&told);
        assert!(told.contains(&format!("if sent from {begins}")), "{told}");
        assert!(told.contains("done on Tue 6 May 2031"), "{told}");
    }
}
