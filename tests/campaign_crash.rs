//! kill -9 at any moment: nothing lost, nothing twice, at most one message a connection in doubt for each kill.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test ends where it cannot go on, and says what it skips"
)]
#![cfg(unix)]

mod support;

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use support::campaign::Campaign;
use support::relay::{Action, Options, ScriptedRelay, Step};

const CONNECTIONS: u64 = 4;

fn send_signal(pid: u32, signal: &str) {
    let sent = Command::new("kill").arg(signal).arg(pid.to_string()).status().unwrap();
    assert!(sent.success());
}

/// Answers the dot after a few milliseconds, so that a kill often hits a transmission.
fn slow_relay() -> ScriptedRelay {
    ScriptedRelay::start(Options::default(), |at| match at.step {
        Step::Dot => Action::late(Duration::from_millis(3), "250 2.0.0 Ok: queued as 1A2B3C"),
        _ => Action::Default,
    })
}

#[test]
fn twenty_kills_lose_nothing_and_repeat_nothing() {
    let relay = slow_relay();
    let campaign = Campaign::new(10, 400, relay.port());
    let mut kills = 0;
    for round in 0..20_u64 {
        let mut sending = campaign.start(&["send", "--yes"]);
        let pause = 20 + (round * 37) % 150;
        std::thread::sleep(Duration::from_millis(pause));
        if sending.try_wait().unwrap().is_none() {
            sending.kill().unwrap();
            kills += 1;
        }
        sending.wait().unwrap();
    }
    assert!(kills >= 5, "the campaign was over too soon to prove anything: {kills} kills");
    let ran = campaign.send();
    assert!(ran.code == 0 || ran.code == 7, "{ran:?}");
    campaign.must_be_sound();

    let mut copies: BTreeMap<String, u64> = BTreeMap::new();
    for reference in relay.record.references() {
        *copies.entry(reference).or_default() += 1;
    }
    let twice: Vec<_> = copies.iter().filter(|(_, n)| **n > 1).collect();
    assert!(twice.is_empty(), "sent twice: {twice:?}");

    let status = campaign.status();
    let of = |kind: &str, state: &str| status[kind][state].as_u64().unwrap();
    let sent = of("letters", "sent") + of("confirmations", "sent");
    let in_doubt = of("letters", "in_doubt") + of("confirmations", "in_doubt");
    assert_eq!(of("letters", "sent") + of("letters", "in_doubt"), 400, "lost: {status}");
    assert!(in_doubt <= kills * CONNECTIONS, "{in_doubt} in doubt after {kills} kills");
    let accepted = copies.len() as u64;
    assert!(sent <= accepted && accepted <= sent + in_doubt, "sent {sent}, accepted {accepted}, in doubt {in_doubt}");
    println!("kills {kills}: sent {sent}, in doubt {in_doubt}, lost 0, twice 0");
}

#[test]
fn what_the_ledger_calls_sent_the_relay_has() {
    let relay = slow_relay();
    let campaign = Campaign::new(5, 200, relay.port());
    let mut sending = campaign.start(&["send", "--yes"]);
    assert!(relay.record.wait_for(50, Duration::from_secs(30)));
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

#[test]
fn one_interrupt_finishes_what_is_in_transmission_and_leaves_nothing_in_doubt() {
    for signal in ["-INT", "-TERM"] {
        let relay = ScriptedRelay::start(Options::default(), |at| match at.step {
            Step::Dot => Action::late(Duration::from_millis(400), "250 2.0.0 Ok"),
            _ => Action::Default,
        });
        let campaign = Campaign::new(5, 100, relay.port());
        let mut sending = campaign.start(&["send", "--yes"]);
        assert!(relay.record.wait_for(2, Duration::from_secs(20)));
        send_signal(sending.id(), signal);
        assert_eq!(sending.wait().unwrap().code(), Some(0));
        let status = campaign.status();
        assert_eq!(status["state"], "paused");
        for state in ["in_doubt", "leased", "transmitting"] {
            assert_eq!(status["letters"][state], 0, "{state}");
        }
        assert_eq!(
            status["letters"]["sent"].as_u64().unwrap() + status["confirmations"]["sent"].as_u64().unwrap(),
            relay.record.count() as u64
        );
    }
}

#[test]
fn a_second_interrupt_leaves_at_once() {
    let relay = ScriptedRelay::start(Options::default(), |at| match at.step {
        Step::Dot => Action::take_then_hang(),
        _ => Action::Default,
    });
    let campaign = Campaign::new(5, 100, relay.port());
    let mut sending = campaign.start(&["send", "--yes"]);
    assert!(relay.record.wait_for(1, Duration::from_secs(20)));
    send_signal(sending.id(), "-INT");
    std::thread::sleep(Duration::from_millis(300));
    send_signal(sending.id(), "-INT");
    assert_eq!(sending.wait().unwrap().code(), Some(130));
    assert_eq!(campaign.letters("sent"), 0);
    assert!(campaign.letters("transmitting") <= CONNECTIONS);
}

#[test]
fn a_kill_while_people_are_enrolled_leaves_all_or_nothing() {
    let relay = ScriptedRelay::start(Options::default(), |at| match at.step {
        Step::Greeting => Action::Hang,
        _ => Action::Default,
    });
    let campaign = Campaign::new(10, 20_000, relay.port());
    for pause in [40, 80, 120, 160, 200, 300, 400, 600] {
        let mut sending = campaign.start(&["send", "--yes"]);
        std::thread::sleep(Duration::from_millis(pause));
        sending.kill().unwrap();
        sending.wait().unwrap();
        if campaign.ledger().exists() && campaign.run(&["status", "--json"]).code == 0 {
            let total = campaign.letters("total");
            assert!(total == 0 || total == 20_000, "{total} letters after a kill at {pause} ms");
        }
    }
}

#[test]
fn one_interrupt_does_not_wait_for_a_relay_that_says_nothing() {
    for step in [Step::Greeting, Step::Mail, Step::Rcpt, Step::Data] {
        let relay =
            ScriptedRelay::start(
                Options::default(),
                move |at| {
                    if at.step == step { Action::Hang } else { Action::Default }
                },
            );
        let campaign = Campaign::new(5, 50, relay.port());
        let mut sending = campaign.start(&["send", "--yes"]);
        while relay.connections() < 4 {
            std::thread::sleep(Duration::from_millis(20));
        }
        std::thread::sleep(Duration::from_millis(300));
        send_signal(sending.id(), "-TERM");
        let asked = std::time::Instant::now();
        assert_eq!(sending.wait().unwrap().code(), Some(0));
        assert!(asked.elapsed() < Duration::from_secs(10), "{step:?}: {:?}", asked.elapsed());
        assert!(relay.connections() < 50, "{step:?}: it does not hammer while it ends: {}", relay.connections());
        assert_eq!(campaign.letters("queued"), 50);
    }
}

#[test]
fn one_interrupt_does_not_wait_for_a_ledger_that_cannot_be_written_before_anything_is_sent() {
    let relay = ScriptedRelay::kind();
    let campaign = Campaign::new(2, 4, relay.port());
    assert_eq!(campaign.run(&["send", "--yes", "--limit", "1"]).code, 0);
    let ledger = rusqlite::Connection::open(campaign.ledger()).unwrap();
    // As a full disk would refuse it.
    let refuse = "CREATE TRIGGER full BEFORE INSERT ON relay BEGIN SELECT RAISE(ABORT, 'full'); END";
    ledger.execute_batch(refuse).unwrap();

    let mut sending = campaign.start(&["send", "--yes"]);
    std::thread::sleep(Duration::from_millis(1500));
    assert!(sending.try_wait().unwrap().is_none(), "it waits until it can write again");
    send_signal(sending.id(), "-TERM");
    let asked = std::time::Instant::now();
    while sending.try_wait().unwrap().is_none() && asked.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(20));
    }
    let ended = sending.try_wait().unwrap();
    let _ = sending.kill();
    assert_eq!(ended.and_then(|status| status.code()), Some(0), "after {:?}", asked.elapsed());
    assert_eq!(campaign.letters("sent"), 1);

    ledger.execute_batch("DROP TRIGGER full").unwrap();
    assert_eq!(campaign.send().code, 0);
    assert_eq!(campaign.letters("sent"), 4);
    campaign.must_be_sound();
}
