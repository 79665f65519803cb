//! Staff at another terminal: another pace, a pause, a total for each official; within a second, recorded, and kept.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it cannot go on")]

mod support;

use std::process::Child;
use std::time::Duration;

use support::campaign::{Campaign, LETTERS_ALONE, Ran};
use support::relay::{Action, Options, ScriptedRelay, Step};
use support::watched::{signal, wait_until, words};

fn world(officials: usize, letters: usize, pace: &str) -> (ScriptedRelay, Campaign) {
    let relay = ScriptedRelay::kind();
    let campaign = Campaign::new(officials, letters, relay.port());
    set_pace(&campaign, &relay, pace);
    (relay, campaign)
}

fn set_pace(campaign: &Campaign, relay: &ScriptedRelay, pace: &str) {
    campaign.configure(relay.port(), "");
    let file = std::fs::read_to_string(campaign.path().join("config.toml")).unwrap();
    campaign.write("config.toml", &file.replace("per_mailbox = \"unlimited\"\n", &format!("{pace}\n")));
}

fn ok(ran: Ran) -> String {
    assert_eq!(ran.code, 0, "{ran:?}");
    ran.out
}

fn end(mut sending: Child) -> Option<i32> {
    signal(&sending, "-TERM");
    sending.wait().unwrap().code()
}

#[test]
fn every_limit_is_made_wider_while_letters_go() {
    for (pace, change) in [
        ("per_mailbox = \"1/h\"", "per_mailbox=unlimited"),
        ("per_mailbox = \"1/h\"", "pace.mailboxes.mayor0@town0.example=1000/s"),
        ("per_mailbox = \"unlimited\"\nper_domain = \"1/h\"", "per_domain=1000/s"),
        ("per_mailbox = \"unlimited\"\nper_domain = \"1/h\"", "domains.town0.example=1000/s"),
        ("per_mailbox = \"unlimited\"\nglobal = \"1/h\"", "global=unlimited"),
        ("per_mailbox = \"unlimited\"\nwarm_up = [\"1/d\"]", "warm_up=[]"),
    ] {
        let (relay, campaign) = world(1, 4, pace);
        let mut sending = campaign.start(&LETTERS_ALONE);
        relay.record.must_reach(1);
        assert!(!relay.record.wait_for(2, Duration::from_millis(700)), "{change}: the limit holds");
        ok(campaign.run(&["pace", "set", change, "--reason", "they asked for it"]));
        relay.record.must_reach(2);
        assert_eq!(sending.wait().unwrap().code(), Some(0), "{change}");
        assert_eq!(relay.record.count(), 4, "{change}");
        let lines = campaign.decisions();
        assert!(lines.iter().any(|l| l.starts_with("pace set: ") && l.ends_with("; they asked for it")), "{lines:?}");
    }
}

#[test]
fn a_limit_is_made_narrower_while_letters_go_and_lasts_over_a_restart() {
    let (relay, campaign) = world(3, 300, "per_mailbox = \"20/s\"");
    let sending = campaign.start(&LETTERS_ALONE);
    relay.record.must_reach(10);
    ok(campaign.run(&["pace", "set", "per_mailbox=1/h", "relay.main.rate=500/s"]));
    let out = relay.record.at_rest(Duration::from_millis(1500));
    assert!(out < 300, "nothing more for an hour");
    assert_eq!(end(sending), Some(0));

    let again = campaign.start(&LETTERS_ALONE);
    campaign.until_running();
    assert!(!relay.record.wait_for(out + 1, Duration::from_secs(2)), "nor after a restart");
    assert_eq!(end(again), Some(0));
    let shown = ok(campaign.run(&["pace"]));
    let line = shown.lines().find(|l| l.contains("pace.per_mailbox")).unwrap();
    assert!(line.contains("1/h") && line.contains("staff"), "{shown}");
    assert!(shown.lines().any(|l| l.contains("pace.global") && l.contains("unlimited") && l.contains("defaults")));
    assert!(shown.lines().any(|l| l.contains("relay.main.rate") && l.contains("500/s")), "{shown}");
    assert!(shown.lines().all(|l| l.chars().count() <= 80), "{shown}");

    let told = words(&ok(campaign.run(&["pace", "unset", "per_mailbox"])));
    assert!(told.contains("pace.per_mailbox is 20/s again"), "{told}");
    let sending = campaign.start(&LETTERS_ALONE);
    relay.record.must_reach(out + 30);
    assert_eq!(end(sending), Some(0));
}

#[test]
fn what_config_toml_says_later_holds_over_what_staff_set_before() {
    let (relay, campaign) = world(1, 2, "per_mailbox = \"1/h\"");
    let sending = campaign.start(&LETTERS_ALONE);
    relay.record.must_reach(1);
    ok(campaign.run(&["pace", "set", "per_mailbox=2/d"]));
    assert_eq!(end(sending), Some(0));
    set_pace(&campaign, &relay, "per_mailbox = \"100/s\"");
    assert!(words(&ok(campaign.run(&["pace"]))).contains("has been changed in config.toml"));
    let ran = campaign.run(&LETTERS_ALONE);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.err.contains("pace.per_mailbox is as config.toml says now"), "{}", ran.err);
    assert!(campaign.decisions().iter().any(|l| l.starts_with("pace unset: pace.per_mailbox")));
}

#[test]
fn a_change_that_makes_no_sense_is_refused_in_words_and_changes_nothing() {
    let (_relay, campaign) = world(1, 1, "per_mailbox = \"unlimited\"");
    assert_eq!(campaign.send().code, 0);
    for (change, words) in [
        ("per_mailbox=fast", "not a rate"),
        ("per_mailbox", "KEY=VALUE"),
        ("per_mailbx=3/h", "did you mean `pace.per_mailbox`"),
        ("relay.other.rate=3/h", "there is no relay `other`"),
        ("relay.main.host=x", "only `rate` and `quota`"),
        ("relay.main.quota=5/h", "so many a day"),
        ("warm_up=[\"5/h\"]", "not so many a day"),
        ("window=mon-fri 8-8", "no time at all"),
        ("domains.town=3/h", "neither a domain nor a group"),
        ("campaign.name=x", "did you mean"),
    ] {
        let ran = campaign.run(&["pace", "set", change]);
        assert_eq!(ran.code, 2, "{change}: {ran:?}");
        assert!(ran.err.contains(words), "{change}: {}", ran.err);
    }
    assert!(campaign.decisions().iter().all(|line| !line.starts_with("pace")));
}

#[test]
fn a_pause_holds_everything_within_a_second_and_resume_ends_it() {
    let (relay, campaign) = world(2, 400, "per_mailbox = \"20/s\"");
    let mut sending = campaign.start(&LETTERS_ALONE);
    relay.record.must_reach(5);
    ok(campaign.run(&["pause", "--reason", "the office called"]));
    let out = relay.record.at_rest(Duration::from_millis(1500));
    assert!(out < 400, "nothing more while it is paused");
    assert!(sending.try_wait().unwrap().is_none(), "it stays and waits");

    let status = campaign.status();
    assert_eq!(status["state"], "paused");
    assert_eq!(status["paused_by_staff"]["reason"], "the office called");
    let text = words(&ok(campaign.run(&["status"])));
    assert!(text.contains("paused by staff") && text.contains("undersigned resume"), "{text}");
    assert!(ok(campaign.run(&["pause"])).contains("paused already"));

    assert_eq!(end(sending), Some(0), "Ctrl-C ends it also while it is paused");
    let mut again = campaign.start(&LETTERS_ALONE);
    campaign.until_running();
    assert!(!relay.record.wait_for(out + 1, Duration::from_millis(1500)), "a start does not end a pause");
    ok(campaign.run(&["resume"]));
    relay.record.must_reach(out + 5);
    assert!(campaign.status()["paused_by_staff"].is_null());
    assert!(again.try_wait().unwrap().is_none());
    assert_eq!(end(again), Some(0));
    let lines = campaign.decisions();
    assert!(
        lines.contains(&"pause; the office called".to_owned()) && lines.contains(&"resume; no reason given".to_owned())
    );
    campaign.must_be_sound();
}

#[test]
fn a_letter_whose_envelope_travelled_ahead_does_not_go_after_a_pause_or_a_new_limit() {
    for (command, more) in [(["pause"].as_slice(), 0), (&["pace", "set", "global=1/h"], 1)] {
        let relay = ScriptedRelay::start(Options::default(), |at| match at.step {
            Step::Dot => Action::late(Duration::from_secs(3), "250 2.0.0 Ok"),
            _ => Action::Default,
        });
        let campaign = Campaign::new(2, 20, relay.port());
        campaign.configure(relay.port(), "connections = 1");
        let sending = campaign.start(&LETTERS_ALONE);
        relay.record.must_reach(1);
        // The relay keeps its answer to the first for three seconds; the second's envelope went with that letter.
        ok(campaign.run(command));
        assert!(!relay.record.wait_for(2 + more, Duration::from_millis(6500)), "{command:?}");
        assert_eq!(relay.record.count(), 1 + more, "{command:?}");
        wait_until("nothing is kept at hand", || campaign.letters("leased") == 0);
        assert_eq!(end(sending), Some(0));
        campaign.must_be_sound();
    }
}

#[test]
fn a_campaign_that_is_done_ends_though_it_is_paused() {
    let (relay, campaign) = world(1, 2, "per_mailbox = \"unlimited\"");
    ok(campaign.send());
    ok(campaign.run(&["pause"]));
    let ran = campaign.send();
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.err.contains("Paused by staff"), "{}", ran.err);
    assert_eq!(relay.record.count(), 4);
}

#[test]
fn hours_are_changed_while_letters_wait_for_them() {
    let hour = jiff::Timestamp::now().to_zoned_datetime(jiff::tz::TimeZone::UTC).hour();
    let later = format!("per_mailbox = \"unlimited\"\nwindow = \"{}-{}\"", (hour + 3) % 24, (hour + 4) % 24);
    let (relay, campaign) = world(1, 3, &later);
    let mut sending = campaign.start(&LETTERS_ALONE);
    campaign.until_running();
    assert!(!relay.record.wait_for(1, Duration::from_millis(1500)));
    ok(campaign.run(&["pace", "set", "window=always"]));
    relay.record.must_reach(3);
    assert_eq!(sending.wait().unwrap().code(), Some(0));
}

#[test]
fn an_official_gets_no_more_than_their_total_and_the_rest_is_held_until_there_is_room_or_staff_say_so() {
    let (relay, campaign) = world(2, 20, "per_mailbox = \"unlimited\"\nper_official_total = 6");
    let ran = campaign.run(&LETTERS_ALONE);
    assert_eq!(ran.code, 7, "{ran:?}");
    assert!(ran.err.contains("8 letters held: beyond pace.per_official_total"), "{}", ran.err);
    assert_eq!(relay.record.count(), 12);
    assert_eq!(campaign.letters("held"), 8);
    assert_eq!(campaign.run(&LETTERS_ALONE).code, 7, "again: nothing more");
    assert_eq!(relay.record.count(), 12);

    ok(campaign.run(&["pace", "set", "per_official_total=8"]));
    let ran = campaign.run(&LETTERS_ALONE);
    assert!(ran.err.contains("4 letters no longer held"), "{}", ran.err);
    assert_eq!((relay.record.count(), campaign.letters("held")), (16, 4));

    ok(campaign.run(&["release"]));
    assert_eq!(campaign.run(&LETTERS_ALONE).code, 0, "what staff release is theirs");
    assert_eq!(relay.record.count(), 20);
    campaign.must_be_sound();
}

#[test]
fn a_total_that_is_set_while_letters_go_holds_for_those_at_hand_too() {
    let relay = ScriptedRelay::start(Options::default(), |at| match at.step {
        Step::Dot => Action::late(Duration::from_millis(400), "250 2.0.0 Ok"),
        _ => Action::Default,
    });
    let campaign = Campaign::new(2, 60, relay.port());
    let mut sending = campaign.start(&LETTERS_ALONE);
    relay.record.must_reach(5);
    ok(campaign.run(&["pace", "set", "per_official_total=26"]));
    assert_eq!(sending.wait().unwrap().code(), Some(7));
    assert_eq!((relay.record.count(), campaign.letters("held")), (52, 8));
    campaign.must_be_sound();
}

#[test]
fn a_relay_s_quota_of_a_day_is_counted_from_the_ledger_over_restarts() {
    let relay = ScriptedRelay::kind();
    let campaign = Campaign::new(3, 30, relay.port());
    campaign.configure(relay.port(), "quota = \"7/d\"");
    for round in 0..5 {
        let mut sending = campaign.start(&LETTERS_ALONE);
        if round == 0 {
            relay.record.must_reach(2);
        } else {
            relay.record.wait_for(relay.record.count() + 2, Duration::from_millis(900));
        }
        sending.kill().unwrap();
        sending.wait().unwrap();
    }
    assert!((2..=7).contains(&relay.record.count()), "{}", relay.record.count());
    let sending = campaign.start(&LETTERS_ALONE);
    wait_until("its quota of a day is told to be used", || {
        let status = words(&ok(campaign.run(&["status"])));
        status.contains("parked until") && status.contains("its quota of a day is used")
    });
    wait_until("what waits for tomorrow waits in the ledger", || campaign.letters("leased") == 0);
    assert!(!relay.record.wait_for(8, Duration::from_millis(1500)));
    ok(campaign.run(&["pace", "set", "relay.main.quota=9/d"]));
    let before = relay.record.count();
    relay.record.must_reach(before + 1);
    assert!(!relay.record.wait_for(10, Duration::from_millis(1500)), "what is in doubt counts, too");
    assert_eq!(end(sending), Some(0));
}
