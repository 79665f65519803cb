//! Office hours with the real program: outside of them nothing goes, and what has hours of its own is not held up.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it cannot go on")]

mod support;

use std::process::Child;
use std::time::Duration;

use support::campaign::{Campaign, constituent_rows, contacts};
use support::relay::ScriptedRelay;
use support::watched::signal;

/// An hour that is not now, on the campaign's clock (UTC).
fn later() -> String {
    let now = jiff::Timestamp::now().to_zoned_datetime(jiff::tz::TimeZone::UTC).hour();
    format!("{}-{}", (now + 3) % 24, (now + 4) % 24)
}

/// Lets the program work until the relay has so many messages and for a while more, then asks it to end.
fn end(mut sending: Child, campaign: &Campaign, relay: &ScriptedRelay, messages: usize) -> i32 {
    campaign.until_running();
    relay.record.must_reach(messages);
    std::thread::sleep(A_WHILE);
    assert!(sending.try_wait().unwrap().is_none(), "it still waits for the hours to come");
    signal(&sending, "-TERM");
    sending.wait().unwrap().code().unwrap()
}

const A_WHILE: Duration = Duration::from_millis(2500);

#[test]
fn outside_the_window_no_letter_goes_and_none_is_lost() {
    let relay = ScriptedRelay::kind();
    let campaign = Campaign::new(2, 10, relay.port());
    let window = format!("pace.window={}", later());
    assert_eq!(end(campaign.start(&["send", "--yes", "--set", &window]), &campaign, &relay, 0), 0);
    assert_eq!(relay.record.count(), 0);
    assert_eq!(campaign.letters("queued"), 10);
    let ran = campaign.send();
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(relay.record.count(), 20);
}

#[test]
fn letters_and_confirmations_keep_hours_of_their_own() {
    let relay = ScriptedRelay::kind();
    let campaign = Campaign::new(2, 10, relay.port());
    let confirmations = format!("pace.confirmation_window={}", later());
    assert_eq!(end(campaign.start(&["send", "--yes", "--set", &confirmations]), &campaign, &relay, 10), 0);
    assert_eq!(relay.record.count(), 10, "the letters alone");
    assert_eq!(campaign.letters("sent"), 10);

    campaign.write("contacts.csv", &(contacts(2, 0..10) + &constituent_rows(2, 10..15)));
    let letters = format!("pace.window={}", later());
    assert_eq!(end(campaign.start(&["send", "--yes", "--set", &letters]), &campaign, &relay, 20), 0);
    assert_eq!(relay.record.count(), 20, "and the confirmations alone");
    assert_eq!(campaign.letters("queued"), 5);
    campaign.must_be_sound();
}

#[test]
fn a_campaign_that_is_done_ends_though_its_hours_are_over() {
    let relay = ScriptedRelay::kind();
    let campaign = Campaign::new(2, 4, relay.port());
    assert_eq!(campaign.send().code, 0);
    let (letters, confirmations) =
        (format!("pace.window={}", later()), format!("pace.confirmation_window={}", later()));
    let ran = campaign.run(&["send", "--yes", "--set", &letters, "--set", &confirmations]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(relay.record.count(), 8);
}

#[test]
fn a_window_that_is_none_is_refused_in_words() {
    let campaign = Campaign::new(1, 1, 1);
    let ran = campaign.run(&["check", "--set", "pace.window=mon-fri 8-8"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("pace.window") && ran.err.contains("no time at all"), "{ran:?}");
}
