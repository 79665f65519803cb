//! kill -9 at any moment: nothing lost, nothing twice, at most one message a connection in doubt for each kill.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::campaign::Campaign;
use crate::support::proof;
use crate::support::relay::{Action, Options, ScriptedRelay, Step};
use crate::world::{must_hold, tell};

const CONNECTIONS: usize = 4;

/// Answers the dot after a few milliseconds, so that a kill often hits a transmission.
fn slow_relay() -> ScriptedRelay {
    ScriptedRelay::start(Options::default(), |at| match at.step {
        Step::Dot => Action::late(Duration::from_millis(10), "250 2.0.0 Ok: queued as 1A2B3C"),
        _ => Action::Default,
    })
}

/// Every fourth kill falls into the start, the others among the letters.
fn until_it_is_killed(round: usize, before: usize, relay: &ScriptedRelay) {
    if round.is_multiple_of(4) {
        return std::thread::sleep(Duration::from_millis(20 + (round as u64 * 37) % 150));
    }
    relay.record.wait_for(before + 1 + round % 5, Duration::from_secs(30));
    std::thread::sleep(Duration::from_micros((round as u64 * 977) % 8000));
}

#[test]
fn twenty_kills_lose_nothing_and_repeat_nothing() {
    let began = Instant::now();
    let rounds = proof::long_run().unwrap_or(20);
    let letters = 20 * rounds;
    let relay = slow_relay();
    let campaign = Campaign::new(10, letters, relay.port());
    let (mut kills, mut amid) = (0, 0);
    for round in 0..rounds {
        let before = relay.record.count();
        let mut sending = campaign.start(&["send", "--yes"]);
        until_it_is_killed(round, before, &relay);
        if sending.try_wait().unwrap().is_none() {
            sending.kill().unwrap();
            kills += 1;
            amid += usize::from(relay.record.count() > before);
        }
        sending.wait().unwrap();
    }
    assert!(kills >= rounds / 4 && amid >= rounds / 4, "too little was killed: {kills} kills, {amid} amid letters");
    let ran = campaign.send();
    assert!(ran.code == 0 || ran.code == 7, "{ran:?}");

    let standing = must_hold(&campaign, &relay);
    let in_doubt = standing.all("in_doubt");
    assert_eq!(standing.letters("sent") + standing.letters("in_doubt"), letters, "lost");
    assert!(in_doubt <= kills * CONNECTIONS, "{in_doubt} in doubt after {kills} kills");
    tell(&format!("{kills} kills"), &standing);
    let seconds = began.elapsed().as_secs();
    proof::tell(
        "killed at random",
        json!({"schedules": kills, "kills": kills, "lost": 0, "twice": 0, "in_doubt": in_doubt, "seconds": seconds}),
    );
}

#[test]
fn what_the_ledger_calls_sent_the_relay_has() {
    let relay = slow_relay();
    let campaign = Campaign::new(5, 200, relay.port());
    let mut sending = campaign.start(&["send", "--yes"]);
    relay.record.must_reach(50);
    sending.kill().unwrap();
    sending.wait().unwrap();
    let log = campaign.log();
    let sent: Vec<String> =
        log.iter().filter(|a| a["disposition"] == "sent").map(|a| a["message"].as_str().unwrap().to_owned()).collect();
    assert!(!sent.is_empty());
    for reference in sent {
        assert_eq!(relay.record.copies(&reference), 1, "{reference}");
    }
}
