//! What a relay's replies do to a real run: rules of staff's own, the log, the state of relays, limits of providers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it cannot go on")]

mod support;

use std::time::Duration;

use serde_json::Value;
use support::campaign::Campaign;
use support::relay::{Action, Options, ScriptedRelay, Step};
use support::watched::{wait_until, words};

/// Starts to send, and waits until everything is planned.
fn sending(campaign: &Campaign, more: &[&str]) -> Working {
    let working = Working(campaign.start(&[&["send", "--yes"], more].concat()));
    wait_until("everything is planned", || campaign.run(&["status", "--json"]).code == 0);
    working
}

/// Waits until the running program has noted something of its relay that fits; gives the note.
fn noted(campaign: &Campaign, fits: impl Fn(&Value) -> bool) -> Value {
    let mut relay = Value::Null;
    wait_until("it is noted of the relay", || {
        relay = campaign.status()["relays"][0].clone();
        fits(&relay)
    });
    relay
}

/// A program that is ended with the test.
struct Working(std::process::Child);

impl Drop for Working {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_rule_of_staff_decides_before_ours_and_the_log_names_it() {
    let relay = ScriptedRelay::start(Options::default(), |at| match at.step {
        Step::Rcpt if at.to == "mayor0@town0.example" => Action::reply("554 5.7.1 house rule 12: nobody of that name"),
        Step::Rcpt if at.to == "mayor1@town1.example" => Action::reply("550 5.2.1 mailbox disabled"),
        _ => Action::Default,
    });
    let campaign = Campaign::new(3, 3, relay.port());
    campaign.write(
        "replies.toml",
        "[[rule]]\nname = \"house-rule-12\"\ntext = [\"house rule 12\"]\nclass = \"recipient_permanent\"\n",
    );
    let never = "campaign.confirm=never";
    let ran = campaign.run(&["send", "--yes", "--set", "retry.replies=replies.toml", "--set", never]);
    assert_eq!(ran.code, 5, "{ran:?}");
    let log = campaign.log();
    let rule_of = |to: &str| log.iter().find(|a| a["recipient"] == to).map(|a| [&a["class"], &a["rule"]]).unwrap();
    assert_eq!(rule_of("mayor0@town0.example"), ["recipient_permanent", "replies.toml/house-rule-12"]);
    assert_eq!(rule_of("mayor1@town1.example"), ["recipient_permanent", "no-such-mailbox"]);
    assert_eq!(rule_of("mayor2@town2.example"), ["accepted", "250 to the dot"]);
    let text = campaign.run(&["log"]).out;
    assert!(text.contains("nobody of that name [recipient_permanent: replies.toml/house-rule-12]"), "{text}");
}

#[test]
fn mistakes_in_the_rules_of_staff_are_told_with_file_line_rule_and_key_and_nothing_is_sent() {
    let relay = ScriptedRelay::kind();
    let campaign = Campaign::new(1, 1, relay.port());
    campaign.write("replies.toml", "[[rule]]\nname = \"sent\"\ntext = [\"later\"]\nclass = \"accepted\"\n");
    let ran = campaign.run(&["send", "--yes", "--set", "retry.replies=replies.toml"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    for words in ["replies.toml, line 4", "rule `sent`", "`class`", "recipient_transient"] {
        assert!(ran.err.contains(words), "{words}: {}", ran.err);
    }
    campaign.write("large.toml", &"# nothing\n".repeat(30_000));
    let large = campaign.run(&["check", "--set", "retry.replies=large.toml"]);
    assert!(large.code == 2 && large.err.contains("larger than 256 KB"), "{large:?}");
    let missing = campaign.run(&["check", "--set", "retry.replies=nowhere.toml"]);
    assert!(missing.code == 2 && missing.err.contains("retry.replies"), "{missing:?}");
    assert_eq!(relay.record.count(), 0);
}

#[test]
fn a_message_that_takes_every_connection_down_is_deferred_by_itself_while_the_others_go_out() {
    let relay = ScriptedRelay::start(Options::default(), |at| match at.step {
        Step::Rcpt if at.to == "mayor0@town0.example" => Action::Drop,
        _ => Action::Default,
    });
    let campaign = Campaign::new(6, 6, relay.port());
    campaign.configure(relay.port(), "connections = 1");
    // Its own clock gives up at the deadline at the latest.
    let soon = jiff::Timestamp::now() + Duration::from_secs(90);
    let soon = format!("campaign.deadline={}", soon.strftime("%Y-%m-%dT%H:%M:%S"));
    let _working = sending(&campaign, &["--set", "retry.delays=1h", "--set", &soon]);
    wait_until("its own clock gives up", || campaign.letters("expired") > 0);
    assert_eq!((campaign.letters("sent"), campaign.letters("expired")), (5, 1), "{}", campaign.status());
    let log = campaign.log();
    let tries: Vec<_> = log.iter().filter(|a| a["recipient"] == "mayor0@town0.example").collect();
    assert_eq!(tries.len(), 3, "{tries:?}");
    assert_eq!(tries[0]["class"], "connection");
    assert_eq!(tries[2]["rule"], "the relay breaks off at this message each time");
}

#[test]
fn a_parked_relay_is_shown_with_time_and_reply_and_without_addresses_while_it_waits() {
    let relay = ScriptedRelay::start(Options::default(), |at| match at.step {
        Step::Dot => {
            Action::reply("454 Throttling failure: Daily message quota exceeded for letters@campaign.example.")
        }
        _ => Action::Default,
    });
    let campaign = Campaign::new(2, 4, relay.port());
    let _working = sending(&campaign, &[]);
    let parked = noted(&campaign, |relay| relay["state"] == "parked");
    let until: jiff::Timestamp = parked["until"].as_str().unwrap().parse().unwrap();
    let wait = until.duration_since(jiff::Timestamp::now()).as_secs();
    assert!((1100..=1200).contains(&wait), "{wait} seconds");
    assert_eq!(parked["slowed_to"], Value::Null);
    let reason = parked["reason"].as_str().unwrap();
    assert!(reason.contains("Daily message quota exceeded for l***@campaign.example"), "{reason}");
    let text = campaign.run(&["status"]).out;
    assert!(words(&text).contains("relay `main` is parked until ") && words(&text).contains(" UTC (19 min "), "{text}");
    assert!(!text.contains("letters@") && text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert_eq!(campaign.letters("deferred") + campaign.letters("queued"), 4, "{}", campaign.status());
}

#[test]
fn a_relay_that_asked_to_slow_down_is_shown_with_what_it_is_given() {
    for (reply, more, slowed_to) in [
        ("454 Throttling failure: Maximum sending rate exceeded.", "connections = 1\nrate = \"600/m\"", "300/m"),
        ("421 4.7.0 Error: too many connections from 192.0.2.1", "connections = 4", "2 of 4 connections"),
    ] {
        let relay = ScriptedRelay::start(Options::default(), move |at| match at.step {
            Step::Mail if at.message_of_all == 1 => Action::reply(reply),
            Step::Dot => Action::late(Duration::from_millis(50), "250 2.0.0 Ok"),
            _ => Action::Default,
        });
        let campaign = Campaign::new(2, 200, relay.port());
        campaign.configure(relay.port(), more);
        let _working = sending(&campaign, &[]);
        let slowed = noted(&campaign, |relay| relay["state"] == "slowed");
        assert_eq!(slowed["slowed_to"], slowed_to, "{slowed}");
        let text = campaign.run(&["status"]).out;
        assert!(text.contains(&format!("relay `main` is slowed to {slowed_to}")), "{text}");
        relay.record.must_reach(3);
    }
}

#[test]
fn a_relay_that_works_is_up_and_one_that_refuses_the_account_is_stopped() {
    let slow = ScriptedRelay::start(Options::default(), |at| match at.step {
        Step::Dot => Action::late(Duration::from_millis(100), "250 2.0.0 Ok"),
        _ => Action::Default,
    });
    let campaign = Campaign::new(1, 50, slow.port());
    let working = sending(&campaign, &[]);
    slow.record.must_reach(1);
    let text = campaign.run(&["status"]).out;
    assert!(text.contains("  relay `main` is up\n"), "{text}");
    drop(working);

    let refusing = ScriptedRelay::start(Options::default(), |at| match at.step {
        Step::Dot => Action::reply("554 Message rejected: Email address is not verified. letters@campaign.example"),
        _ => Action::Default,
    });
    let campaign = Campaign::new(1, 3, refusing.port());
    assert_eq!(campaign.send().code, 4);
    let relay = campaign.status()["relays"][0].clone();
    assert_eq!(relay["state"], "stopped");
    let text = campaign.run(&["status"]).out;
    assert!(text.contains("relay `main` is stopped: 554 Message rejected"), "{text}");
    assert!(!text.contains("letters@"), "{text}");
    assert_eq!(campaign.letters("queued") + campaign.letters("deferred"), 3);
}

#[test]
fn the_breaker_s_effect_is_told_by_status() {
    let relay = ScriptedRelay::start(Options::default(), |at| match at.step {
        Step::Rcpt => Action::reply(format!("550 5.7.1 <{}> blocked by policy 4711", at.to)),
        _ => Action::Default,
    });
    let campaign = Campaign::new(15, 15, relay.port());
    campaign.configure(relay.port(), "connections = 1");
    assert_eq!(campaign.send().code, 4);
    let text = words(&campaign.run(&["status"]).out);
    for words in ["stopped", "550 5.7.1 blocked by policy", "none of them is bounced", "--accept-refusals"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert_eq!(campaign.letters("queued"), 15);
}

#[test]
fn the_limits_of_a_provider_hold_where_staff_set_none_and_are_told() {
    let relay = |more: &str| {
        let campaign = Campaign::new(1, 1, 1);
        campaign.write(
            "config.toml",
            &format!(
                "[campaign]\nname = \"Test\"\ntimezone = \"UTC\"\n[[relay]]\nname = \"main\"\n{more}\nusername = \"u\"\n"
            ),
        );
        campaign.run(&["check"]).err.replace('\n', " ")
    };
    let microsoft = relay("host = \"smtp.office365.com\"\ntls = \"starttls\"");
    for words in ["relay `main` is Microsoft 365: at most 3 connections, 30 messages a minute", "10,000 messages a day"]
    {
        assert!(microsoft.contains(words), "{microsoft}");
    }
    let own = relay(
        "host = \"smtp.office365.com\"\ntls = \"starttls\"\nconnections = 2\nrate = \"20/m\"\nquota = \"9000/d\"",
    );
    assert!(!own.contains("at most"), "{own}");
    let named = relay("host = \"mail.campaign.example\"\nprofile = \"socketlabs\"");
    assert!(named.contains("SocketLabs: at most 10 connections, 50 messages in each"), "{named}");
    let unknown = relay("host = \"mail.campaign.example\"");
    assert!(!unknown.contains("relay `main`"), "{unknown}");
    let wrong = relay("host = \"mail.campaign.example\"\nprofile = \"hotmail\"");
    assert!(wrong.contains("relay.0.profile") && wrong.contains("\"amazon-ses\""), "{wrong}");
}
