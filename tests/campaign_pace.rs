//! Pace with the real program: limits hold in every window, over restarts too, and staff reach what waits.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it cannot go on")]

mod support;

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use support::campaign::{Campaign, contacts};
use support::relay::ScriptedRelay;

fn times(relay: &ScriptedRelay, to: &str) -> Vec<Instant> {
    relay.record.entries().iter().filter(|e| e.to == [to]).map(|e| e.at).collect()
}

#[test]
fn a_pace_for_a_mailbox_holds_in_every_window_and_stops_no_other() {
    let relay = ScriptedRelay::kind();
    let campaign = Campaign::new(2, 0, relay.port());
    let mut csv = contacts(2, 0..0);
    for n in 0..16 {
        let town = usize::from(n >= 12);
        writeln!(csv, "constituent,,Signer {n},s{n}@mail.example,Town {town},{n} Main St,60000,2026-10-01,").unwrap();
    }
    campaign.write("contacts.csv", &csv);
    let ran = campaign.run(&["send", "--yes", "--set", "pace.per_mailbox=4/s", "--set", "campaign.confirm=never"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let busy = times(&relay, "mayor0@town0.example");
    assert_eq!(busy.len(), 12);
    for window in busy.windows(5) {
        // Measured at the relay, so a busy machine may shift one of them; policy's own tests are exact.
        let span = window[4].duration_since(window[0]);
        assert!(span >= Duration::from_millis(500), "five letters within {span:?}");
    }
    let other = times(&relay, "mayor1@town1.example");
    assert!(other.last() < busy.last(), "the short lane was done before the long one");
}

#[test]
fn limits_count_what_was_handed_over_before_a_restart() {
    for limit in ["pace.global=3/h", "relay.main.rate=3/h", "pace.per_domain=3/h", "pace.per_mailbox=3/h"] {
        let relay = ScriptedRelay::kind();
        let campaign = Campaign::new(1, 30, relay.port());
        for round in 0..6 {
            let mut sending = campaign.start(&["send", "--yes", "--set", limit, "--set", "campaign.confirm=never"]);
            if round == 0 {
                relay.record.must_reach(1);
            } else {
                relay.record.wait_for(relay.record.count() + 1, Duration::from_millis(800));
            }
            sending.kill().unwrap();
            sending.wait().unwrap();
        }
        assert!((1..=3).contains(&relay.record.count()), "{limit}: {}", relay.record.count());
    }
}

#[test]
fn hold_reaches_what_waits_for_the_pace() {
    let relay = ScriptedRelay::kind();
    let campaign = Campaign::new(5, 50, relay.port());
    let mut sending =
        campaign.start(&["send", "--yes", "--set", "pace.global=20/m", "--set", "campaign.confirm=never"]);
    relay.record.must_reach(1);
    std::thread::sleep(Duration::from_millis(300));
    let held = campaign.run(&["hold"]);
    assert_eq!(held.code, 0, "{held:?}");
    let out = relay.record.count() as u64;
    assert_eq!(sending.wait().unwrap().code(), Some(7));
    assert!(relay.record.count() as u64 <= out + 1, "what was on its way, and no more");
    assert_eq!(campaign.letters("held") + campaign.letters("sent"), 50);
}

#[test]
fn sessions_that_idle_out_while_the_pace_makes_them_wait_lose_no_order() {
    let relay = ScriptedRelay::kind();
    let campaign = Campaign::new(1, 5, relay.port());
    campaign.configure(relay.port(), "connections = 1\nconnection_idle = \"1s\"");
    let ran = campaign.run(&["send", "--yes", "--set", "pace.global=60/m", "--set", "campaign.confirm=never"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(relay.record.count(), 5);
}
