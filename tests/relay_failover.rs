//! Several relays: spares, shares, refused accounts, senders, and messages that belong to one relay alone.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it cannot go on")]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use support::campaign::{Campaign, LETTERS_ALONE, Ran};
use support::relay::{Action, At, Options, ScriptedRelay, Step};

/// A relay `main` with these lines, then a relay `other`, with those.
fn configure(campaign: &Campaign, main: (&ScriptedRelay, &str), other: (&ScriptedRelay, &str)) {
    let second = format!(
        "{}\n[[relay]]\nname = \"other\"\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\n{}",
        main.1,
        other.0.port(),
        other.1
    );
    campaign.configure(main.0.port(), &second);
}

/// A relay that can be switched off: then it drops every connection, at the latest before a message.
fn switched(script: impl Fn(&At) -> Action + Send + Sync + 'static) -> (ScriptedRelay, Arc<AtomicBool>) {
    let alive = Arc::new(AtomicBool::new(true));
    let is_alive = alive.clone();
    let relay = ScriptedRelay::start(Options::default(), move |at| {
        let is_before = matches!(at.step, Step::Greeting | Step::Mail);
        if is_before && !is_alive.load(Ordering::SeqCst) { Action::Drop } else { script(at) }
    });
    (relay, alive)
}

/// How many copies of each message the relays have together.
fn copies(relays: &[&ScriptedRelay]) -> BTreeMap<String, usize> {
    let mut copies = BTreeMap::new();
    for reference in relays.iter().flat_map(|relay| relay.record.references()) {
        *copies.entry(reference).or_insert(0) += 1;
    }
    copies
}

#[test]
fn a_spare_is_not_even_connected_to_while_the_first_is_well() {
    let (first, spare) = (ScriptedRelay::kind(), ScriptedRelay::kind());
    let campaign = Campaign::new(3, 40, first.port());
    configure(&campaign, (&first, ""), (&spare, "order = 2"));
    let ran = campaign.send();
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!((first.record.count(), spare.connections()), (80, 0));
}

#[test]
fn a_spare_takes_over_when_the_quota_of_the_first_is_used_up() {
    let (first, spare) = (ScriptedRelay::kind(), ScriptedRelay::kind());
    let campaign = Campaign::new(3, 40, first.port());
    configure(&campaign, (&first, "quota = \"5/d\""), (&spare, "order = 2"));
    let ran = campaign.send();
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!((first.record.count(), spare.record.count()), (5, 75));
    assert!(copies(&[&first, &spare]).values().all(|copies| *copies == 1));
}

#[test]
fn a_spare_takes_over_when_the_first_dies_and_gives_back_when_it_returns() {
    let (first, alive) = switched(|_| Action::Default);
    let spare = ScriptedRelay::start(Options::default(), |at| match at.step {
        Step::Dot => Action::late(Duration::from_millis(30), "250 2.0.0 Ok"),
        _ => Action::Default,
    });
    let campaign = Campaign::new(5, 400, first.port());
    configure(&campaign, (&first, "connections = 2"), (&spare, "order = 2\nconnections = 1"));
    let mut sending = campaign.start(&["send", "--yes"]);
    first.record.must_reach(20);
    alive.store(false, Ordering::SeqCst);
    spare.record.must_reach(30);
    let before = first.record.count();
    alive.store(true, Ordering::SeqCst);
    assert_eq!(sending.wait().unwrap().code(), Some(0));

    let copies = copies(&[&first, &spare]);
    assert_eq!(copies.len(), 800, "none lost");
    assert!(copies.values().all(|n| *n == 1), "none twice");
    assert!(first.record.count() > before + 100, "work returned: {before}, then {}", first.record.count());
    let last = |relay: &ScriptedRelay| relay.record.entries().last().unwrap().at;
    assert!(last(&first) > last(&spare));
    let ledger = rusqlite::Connection::open(campaign.ledger()).unwrap();
    let tries: u32 = ledger.query_row("SELECT max(tries) FROM message", [], |row| row.get(0)).unwrap();
    assert_eq!(tries, 1, "no message's try was counted for the relay's absence");
    campaign.must_be_sound();
}

#[test]
fn weights_share_the_work() {
    let (heavy, light) = (ScriptedRelay::kind(), ScriptedRelay::kind());
    let campaign = Campaign::new(10, 200, heavy.port());
    configure(&campaign, (&heavy, "weight = 3"), (&light, "weight = 1"));
    let ran = campaign.send();
    assert_eq!(ran.code, 0, "{ran:?}");
    let (heavy, light) = (heavy.record.count(), light.record.count());
    assert_eq!(heavy + light, 400);
    assert!((280..=320).contains(&heavy), "{heavy} to {light}");
}

fn guarded() -> ScriptedRelay {
    let options = Options { auth: Some(("campaign".into(), "right".into())), ..Options::default() };
    ScriptedRelay::start(options, |_| Action::Default)
}

fn send_with_password(campaign: &Campaign, password: &str) -> Ran {
    let mut command = campaign.command(&["send", "--yes"]);
    command.env("UNDERSIGNED_PASSWORD_MAIN", password).env("UNDERSIGNED_PASSWORD_OTHER", password);
    command.output().unwrap().into()
}

#[test]
fn a_relay_that_refuses_our_account_is_left_and_told_and_the_others_go_on() {
    for order in [1, 2] {
        let (refusing, other) = (guarded(), ScriptedRelay::kind());
        let campaign = Campaign::new(3, 20, refusing.port());
        configure(&campaign, (&refusing, "username = \"campaign\""), (&other, &format!("order = {order}")));
        let ran = send_with_password(&campaign, "wrong");
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(ran.err.contains("relay `main` refuses our account"), "{}", ran.err);
        assert!(ran.out.contains("relay `main` is stopped"), "{}", ran.out);
        assert_eq!(other.record.count(), 40);
        let tries = refusing.heard().iter().filter(|(_, line)| line == "AUTH").count();
        assert_eq!(tries, 1, "a refused password is not tried again");
        assert_eq!(campaign.log().len(), 40, "no message knows of it");
    }
}

#[test]
fn the_campaign_stops_when_no_relay_is_left() {
    let (first, second) = (guarded(), guarded());
    let campaign = Campaign::new(3, 20, first.port());
    let as_campaign = "username = \"campaign\"";
    configure(&campaign, (&first, as_campaign), (&second, &format!("{as_campaign}\norder = 2")));
    let ran = send_with_password(&campaign, "wrong");
    assert_eq!(ran.code, 4, "{ran:?}");
    assert_eq!(campaign.letters("queued"), 20);
    assert_eq!(send_with_password(&campaign, "right").code, 0);
}

#[test]
fn a_relay_is_handed_only_what_it_may_send_for() {
    let (letters, all) = (ScriptedRelay::kind(), ScriptedRelay::kind());
    let campaign = Campaign::new(3, 20, letters.port());
    configure(
        &campaign,
        (&letters, "sender_domains = [\"Campaign.example\"]"),
        (&all, "order = 2\nsender_domains = [\"news.example\", \"campaign.example\"]"),
    );
    let sender = "campaign.confirmation_sender=copies@news.example";
    let ran = campaign.run(&["send", "--yes", "--set", sender]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let to = |relay: &ScriptedRelay, start: &str| {
        let entries = relay.record.entries();
        entries.iter().filter(|entry| entry.to[0].starts_with(start)).count()
    };
    assert_eq!((to(&letters, "mayor"), to(&letters, "signer")), (20, 0));
    assert_eq!((to(&all, "mayor"), to(&all, "signer")), (0, 20));

    let nobody = "campaign.confirmation_sender=copies@elsewhere.example";
    for verb in [&["check"][..], &["send", "--yes"]] {
        let ran = campaign.run(&[verb, &["--set", nobody]].concat());
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.err.contains("no relay may send confirmations from copies@elsewhere.example"), "{}", ran.err);
    }
}

#[test]
fn a_message_in_doubt_at_one_relay_is_resent_to_that_relay_alone_and_blocks_no_other() {
    // It takes its first letter and dies, and comes back when everything else is out.
    let (doubtful, alive) = switched(|at| match at.step {
        Step::Dot if at.message_of_all == 1 => Action::take_then_drop(),
        _ => Action::Default,
    });
    let other = ScriptedRelay::kind();
    let campaign = Campaign::new(1, 20, doubtful.port());
    configure(&campaign, (&doubtful, "connections = 1"), (&other, "connections = 1\norder = 2"));
    let mut sending =
        campaign.start(&["send", "--yes", "--set", "campaign.on_doubt=resend", "--set", "campaign.confirm=never"]);
    doubtful.record.must_reach(1);
    alive.store(false, Ordering::SeqCst);
    other.record.must_reach(1);
    std::thread::sleep(Duration::from_millis(1500));
    alive.store(true, Ordering::SeqCst);
    assert_eq!(sending.wait().unwrap().code(), Some(0));
    let in_doubt = doubtful.record.references().remove(0);
    assert_eq!((doubtful.record.copies(&in_doubt), other.record.copies(&in_doubt)), (2, 0));
    let copies = copies(&[&doubtful, &other]);
    assert_eq!(copies.len(), 20, "none lost");
    assert!(copies.iter().all(|(reference, n)| *n == 1 || *reference == in_doubt), "none twice: {copies:?}");
}

#[test]
fn a_message_whose_one_relay_is_gone_is_held_with_the_reason_until_staff_release_it() {
    let first = ScriptedRelay::start(Options::default(), |at| match at.step {
        Step::Dot if at.message_of_all == 1 => Action::take_then_drop(),
        _ => Action::Default,
    });
    let other = ScriptedRelay::kind();
    let campaign = Campaign::new(1, 3, first.port());
    assert_eq!(campaign.run(&LETTERS_ALONE).code, 7);
    let renamed = ["--set", "relay.0.name=new", "--set", &format!("relay.0.port={}", other.port())].map(str::to_owned);
    let renamed: Vec<&str> = renamed.iter().map(String::as_str).collect();
    let resend = [&LETTERS_ALONE[..], &renamed, &["--set", "campaign.on_doubt=resend"]].concat();
    assert_eq!(campaign.run(&resend).code, 7);
    assert_eq!((campaign.letters("held"), other.record.count()), (1, 0));
    let held: (i64, String) = rusqlite::Connection::open(campaign.ledger())
        .unwrap()
        .query_row("SELECT id, last_reply FROM message WHERE state = 'held'", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    assert!(held.1.contains("relay `main` may have it already, and is not in config.toml"), "{held:?}");

    // A sweep leaves it where it is; by its number, staff mean it.
    assert_eq!(campaign.run(&["release"]).code, 0);
    assert_eq!(campaign.run(&resend).code, 7);
    assert_eq!((campaign.letters("held"), other.record.count()), (1, 0));
    assert_eq!(campaign.run(&["release", &held.0.to_string()]).code, 0);
    assert_eq!(campaign.run(&resend).code, 0);
    assert_eq!((campaign.letters("sent"), other.record.count()), (3, 1));
}

#[test]
fn a_resend_that_staff_order_may_go_to_another_relay() {
    let (first, alive) = switched(|at| match at.step {
        Step::Dot if at.message_of_all == 1 => Action::take_then_drop(),
        _ => Action::Default,
    });
    let spare = ScriptedRelay::kind();
    let campaign = Campaign::new(1, 1, first.port());
    configure(&campaign, (&first, "connections = 1"), (&spare, "order = 2"));
    assert_eq!(campaign.run(&LETTERS_ALONE).code, 7);
    assert_eq!(campaign.run(&["resolve", "--as", "resend", "--all"]).code, 0);
    alive.store(false, Ordering::SeqCst);
    assert_eq!(campaign.run(&LETTERS_ALONE).code, 0);
    assert_eq!((first.record.count(), spare.record.count()), (1, 1));
}
