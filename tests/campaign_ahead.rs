//! With the envelope of the next message under way, no letter is lost, repeated or counted against anybody for what
//! happened to the one before.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it cannot go on")]

mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use support::campaign::Campaign;
use support::relay::{Action, At, Options, ScriptedRelay, Step};
use support::watched::signal;

fn packets_with(relay: &ScriptedRelay, found: impl Fn(&str) -> bool) -> usize {
    relay.packets().iter().filter(|packet| found(&String::from_utf8_lossy(packet))).count()
}

#[test]
fn most_letters_of_a_campaign_take_one_round_trip() {
    // A relay that takes a moment, as they do over a line: what is said meanwhile is not at hand on a fast machine only.
    let relay = ScriptedRelay::start(Options::default(), |at| match at.step {
        Step::Dot => Action::late(Duration::from_millis(20), "250 2.0.0 Ok"),
        _ => Action::Default,
    });
    let campaign = Campaign::new(5, 100, relay.port());
    campaign.configure(relay.port(), "connections = 1\nmessages_per_connection = 1000");
    assert_eq!(campaign.send().code, 0);
    assert_eq!(relay.record.count(), 200);
    let alone = packets_with(&relay, |packet| packet.starts_with("MAIL FROM"));
    assert!(alone < 20, "{alone} of 200 envelopes did not travel with a text");
}

#[test]
fn where_a_limit_counts_by_the_second_nothing_goes_early() {
    let relay = ScriptedRelay::kind();
    let campaign = Campaign::new(5, 20, relay.port());
    campaign.configure(relay.port(), "connections = 1\nrate = \"500/s\"");
    assert_eq!(campaign.send().code, 0);
    assert_eq!(relay.record.count(), 40);
    assert_eq!(packets_with(&relay, |packet| packet.starts_with("MAIL FROM")), 40);
}

/// Does something at every eleventh step, each time something else.
fn mischief(at: &At) -> Action {
    const STEPS: [Step; 4] = [Step::Mail, Step::Rcpt, Step::Data, Step::Dot];
    let n = at.message_of_all * 4 + STEPS.iter().position(|step| *step == at.step).unwrap_or(0);
    if !STEPS.contains(&at.step) || !n.is_multiple_of(11) {
        return Action::Default;
    }
    match (n / 11 % 6, at.step) {
        (0, _) => Action::Drop,
        (1, _) => Action::ReplyThenClose("421 4.3.2 going down".into()),
        (2, _) => Action::reply("451 4.3.0 try again in 1 second"),
        (3, Step::Dot) => Action::take_then_drop(),
        (4, _) => Action::Garbage(b"<html>what?</html>\r\n".to_vec()),
        (5, Step::Rcpt) => Action::reply(format!("550 5.1.1 no {} here", at.message_of_all)),
        _ => Action::Default,
    }
}

#[test]
fn trouble_in_the_middle_of_a_row_belongs_to_its_own_message() {
    let relay = ScriptedRelay::start(Options::default(), mischief);
    let campaign = Campaign::new(20, 150, relay.port());
    campaign.configure(relay.port(), "connections = 4\nmessages_per_connection = 1000");
    let mut sending = campaign.start(&["send", "--yes"]);
    // The relay's clock makes pauses; they are no part of what is shown here.
    for _ in 0..60 {
        relay.record.wait_for(relay.record.count() + 1, Duration::from_secs(10));
        std::thread::sleep(Duration::from_millis(1200));
        if relay.record.count() > 250 || sending.try_wait().unwrap().is_some() {
            break;
        }
        signal(&sending, "-INT");
        sending.wait().unwrap();
        sending = campaign.start(&["send", "--yes"]);
    }
    if sending.try_wait().unwrap().is_none() {
        signal(&sending, "-INT");
    }
    sending.wait().unwrap();
    campaign.must_be_sound();

    let mut copies: BTreeMap<String, usize> = BTreeMap::new();
    for reference in relay.record.references() {
        *copies.entry(reference).or_default() += 1;
    }
    assert!(copies.values().all(|&n| n == 1), "a message arrived twice: {copies:?}");
    let ledger = rusqlite::Connection::open(campaign.ledger()).unwrap();
    let sent = "SELECT count(*) FROM attempt WHERE disposition = 'sent'";
    let told_sent: i64 = ledger.query_row(sent, [], |row| row.get(0)).unwrap();
    let status = campaign.status();
    let of = |state: &str| {
        ["letters", "confirmations"].iter().map(|kind| status[*kind][state].as_u64().unwrap()).sum::<u64>()
    };
    let told_sent = u64::try_from(told_sent).unwrap();
    assert_eq!(of("sent"), told_sent);
    let count = |told: bool| relay.record.entries().iter().filter(|entry| entry.told == told).count() as u64;
    let untold = count(false);
    assert_eq!(count(true), told_sent, "what the relay took and said so is sent, and nothing else");
    assert!(of("in_doubt") >= untold, "{} in doubt, {untold} taken without a word", of("in_doubt"));
    assert!(of("sent") > 100, "{status}");
}
