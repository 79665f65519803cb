//! What a relay can refuse, and what becomes of the campaign: states, exit codes, and the truth for constituents.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test ends where it cannot go on, and says what it skips"
)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use support::campaign::{Campaign, LETTERS_ALONE};
use support::relay::{Action, Options, ScriptedRelay, Step};

#[test]
fn a_refusal_for_now_is_tried_again_and_nobody_else_waits_for_it() {
    let relay = ScriptedRelay::start(Options::default(), |at| match at.step {
        Step::Rcpt if at.to == "mayor0@town0.example" && at.message_of_all <= 3 => Action::reply("450 4.2.1 busy"),
        _ => Action::Default,
    });
    let campaign = Campaign::new(2, 2, relay.port());
    campaign.configure(relay.port(), "connections = 1");
    let ran = campaign.send();
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(relay.record.count(), 4);
    let log = campaign.log();
    assert!(log.iter().any(|a| a["disposition"] == "deferred" && a["code"] == 450));
    assert_eq!(log.iter().filter(|a| a["disposition"] == "sent").count(), 4);
}

#[test]
fn a_resend_that_staff_order_is_the_same_message_again() {
    let relay = ScriptedRelay::start(Options::default(), |at| {
        if at.step == Step::Dot && at.message_of_all == 1 { Action::take_then_drop() } else { Action::Default }
    });
    let campaign = Campaign::new(1, 1, relay.port());
    campaign.configure(relay.port(), "connections = 1");
    assert_eq!(campaign.send().code, 7);
    assert_eq!(campaign.run(&["resolve", "--as", "resend", "--all"]).code, 0);
    assert_eq!(campaign.send().code, 0);
    let copies: Vec<_> = relay.record.entries().into_iter().filter(|e| e.to[0].starts_with("mayor")).collect();
    assert_eq!(copies.len(), 2);
    assert_eq!(copies[0].bytes, copies[1].bytes);
}

#[test]
fn a_refused_account_stops_the_campaign_and_bounces_nobody() {
    let options = Options { auth: Some(("campaign".into(), "right".into())), ..Options::default() };
    let relay = ScriptedRelay::start(options, |_| Action::Default);
    let campaign = Campaign::new(2, 6, relay.port());
    campaign.configure(relay.port(), "username = \"campaign\"");
    let ran: support::campaign::Ran =
        campaign.command(&["send", "--yes"]).env("UNDERSIGNED_PASSWORD_MAIN", "hunter2").output().unwrap().into();
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(!ran.out.contains("hunter2") && !ran.err.contains("hunter2"));
    assert_eq!(campaign.letters("queued"), 6);
    assert_eq!(campaign.status()["state"], "stopped");

    let ran: support::campaign::Ran =
        campaign.command(&["send", "--yes"]).env("UNDERSIGNED_PASSWORD_MAIN", "right").output().unwrap().into();
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(campaign.letters("sent"), 6);
}

#[test]
fn the_same_refusal_for_many_stops_the_campaign_and_no_letter_suffers_for_it() {
    for code in ["5.7.1", "5.1.1"] {
        let mended = Arc::new(AtomicBool::new(false));
        let is_mended = mended.clone();
        let relay = ScriptedRelay::start(Options::default(), move |at| match at.step {
            Step::Rcpt if !is_mended.load(Ordering::SeqCst) => {
                Action::reply(format!("550 {code} <{}> blocked by policy 4711", at.to))
            }
            _ => Action::Default,
        });
        let campaign = Campaign::new(30, 300, relay.port());
        campaign.configure(relay.port(), "connections = 8");
        let ran = campaign.send();
        assert_eq!(ran.code, 4, "{ran:?}");
        assert!(ran.out.contains("--accept-refusals"), "{}", ran.out);
        assert_eq!(relay.record.count(), 0, "nobody was told anything yet");
        assert_eq!(campaign.letters("queued"), 300, "{}", campaign.status());
        mended.store(true, Ordering::SeqCst);
        assert_eq!(campaign.send().code, 0);
        assert_eq!(campaign.letters("sent"), 300);
        campaign.must_be_sound();
    }
}

#[test]
fn a_letter_that_cannot_be_made_the_same_again_is_set_aside_and_the_others_go_on() {
    let relay = ScriptedRelay::start(Options::default(), |at| match at.step {
        Step::Dot if at.message_of_all <= 3 => Action::reply("451 4.3.0 later"),
        _ => Action::Default,
    });
    let campaign = Campaign::new(3, 6, relay.port());
    campaign.configure(relay.port(), "connections = 1");
    assert_eq!(campaign.run(&[&LETTERS_ALONE[..], &["--limit", "3"]].concat()).code, 0);
    let renamed = campaign.run(&[&LETTERS_ALONE[..], &["--set", "campaign.name=Another Name"]].concat());
    assert_eq!(renamed.code, 7, "{renamed:?}");
    assert_eq!(campaign.letters("held") + campaign.letters("sent"), 6);
    assert!(campaign.letters("held") > 0);
}

#[test]
fn failed_letters_go_out_after_retry_when_the_cause_is_mended() {
    let relay = ScriptedRelay::start(Options::default(), |at| match at.step {
        Step::Rcpt if at.to.starts_with("mayor") && at.message_of_all <= 2 => Action::reply("550 5.2.1 disabled"),
        _ => Action::Default,
    });
    let campaign = Campaign::new(2, 2, relay.port());
    campaign.configure(relay.port(), "connections = 1");
    assert_eq!(campaign.run(&LETTERS_ALONE).code, 5);
    assert_eq!(campaign.letters("bounced"), 2);
    let ran = campaign.run(&["retry", "--reason", "they mended it"]);
    assert!(ran.out.starts_with("2 messages"), "{ran:?}");
    assert_eq!(campaign.run(&LETTERS_ALONE).code, 0);
    assert_eq!(campaign.letters("sent"), 2);
}

#[test]
fn hold_release_and_cancel_do_what_they_say() {
    let relay = ScriptedRelay::kind();
    let campaign = Campaign::new(2, 6, relay.port());
    assert_eq!(campaign.run(&["send", "--yes", "--limit", "2"]).code, 0);
    assert_eq!(campaign.letters("queued"), 4);
    assert_eq!(campaign.run(&["hold"]).code, 0);
    assert_eq!(campaign.letters("held"), 4);
    let ran = campaign.send();
    assert_eq!(ran.code, 7, "{ran:?}");
    assert_eq!(campaign.letters("sent"), 2);
    let held: Vec<String> = (1..=6).map(|n| n.to_string()).collect();
    let one = held.iter().find(|id| campaign.run(&["cancel", id]).code == 0).expect("one of them is held");
    assert_eq!(campaign.run(&["cancel", one]).code, 2, "a second time it is no longer there to withdraw");
    assert_eq!(campaign.run(&["release"]).code, 0);
    assert_eq!(campaign.send().code, 0);
    assert_eq!(campaign.letters("sent"), 5);
    assert_eq!(campaign.letters("cancelled"), 1);
    campaign.must_be_sound();
}

#[test]
fn a_deadline_that_has_passed_is_refused_and_one_that_passes_lets_what_is_left_expire() {
    let relay = ScriptedRelay::start(Options::default(), |at| match at.step {
        Step::Dot => Action::late(std::time::Duration::from_millis(400), "250 2.0.0 Ok"),
        _ => Action::Default,
    });
    let campaign = Campaign::new(1, 40, relay.port());
    campaign.configure(relay.port(), "connections = 1");
    let past = campaign.run(&["send", "--yes", "--set", "campaign.deadline=2020-01-01"]);
    assert_eq!(past.code, 2, "{past:?}");
    assert!(past.err.contains("campaign.deadline"));
    assert_eq!(relay.record.count(), 0);

    let soon = jiff::Timestamp::now() + std::time::Duration::from_secs(7);
    let soon = format!("campaign.deadline={}", soon.strftime("%Y-%m-%dT%H:%M:%S"));
    let ran = campaign.run(&["send", "--yes", "--set", "campaign.confirm=never", "--set", &soon]);
    assert_eq!(ran.code, 5, "{ran:?}");
    let (sent, expired) = (campaign.letters("sent"), campaign.letters("expired"));
    assert!(sent > 0 && expired > 0 && sent + expired == 40, "sent {sent}, expired {expired}");
    assert_eq!(relay.record.count() as u64, sent);
    assert!(campaign.log().iter().any(|a| a["text"].as_str().unwrap().contains("deadline")));
}

#[test]
fn a_relay_that_allows_three_sessions_is_not_hammered_for_a_fourth() {
    let relay = ScriptedRelay::start(Options::default(), |at| match at.step {
        Step::Greeting if at.connection > 3 => {
            Action::ReplyThenClose("421 4.7.0 Too many concurrent SMTP connections".into())
        }
        Step::Dot => Action::late(std::time::Duration::from_millis(20), "250 2.0.0 Ok"),
        _ => Action::Default,
    });
    let campaign = Campaign::new(5, 50, relay.port());
    campaign.configure(relay.port(), "connections = 10");
    let ran = campaign.send();
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(relay.record.count(), 100);
    assert!(relay.connections() < 20, "{} connections", relay.connections());
}

#[test]
fn resend_by_configuration_sends_the_same_message_once_more_and_then_holds() {
    for (times_lost, code, copies) in [(1, 0, 2), (9, 7, 2)] {
        let relay = ScriptedRelay::start(Options::default(), move |at| match at.step {
            Step::Dot if at.message_of_all <= times_lost => Action::take_then_drop(),
            _ => Action::Default,
        });
        let campaign = Campaign::new(1, 1, relay.port());
        let choices = ["campaign.on_doubt=resend", "campaign.confirm=never"];
        let ran = campaign.run(&["send", "--yes", "--set", choices[0], "--set", choices[1]]);
        assert_eq!(ran.code, code, "{ran:?}");
        let entries = relay.record.entries();
        assert_eq!(entries.len(), copies);
        assert_eq!(entries[0].bytes, entries[1].bytes);
    }
}
