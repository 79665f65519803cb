//! A ledger that was restored, copied or cloned sends nothing before staff say so.

use std::fs;
use std::process::Command;

use crate::support::campaign::{Campaign, Ran};
use crate::support::relay::{Action, Options, ScriptedRelay, Step};
use crate::world::{LETTERS, copy_of, fits_a_terminal, ok, send, sql, start, words, world};

fn is_held(ran: &Ran, relay: &ScriptedRelay, sent: usize, sign: &str) {
    assert_eq!(ran.code, 4, "{ran:?}");
    let err = words(&ran.err);
    for part in [
        sign,
        "Nothing was sent",
        "go out twice",
        "put the newest ledger back",
        "resolve --from-log",
        "--accept-restored",
    ] {
        assert!(err.contains(part), "{part}: {err}");
    }
    fits_a_terminal(&ran.err);
    assert_eq!(relay.record.count(), sent, "nothing was sent");
}

fn is_shown_by_status(campaign: &Campaign, sign: &str, in_json: &str) {
    let text = ok(campaign.run(&["status"])).out;
    assert!(words(&text).contains(sign), "{sign}: {text}");
    fits_a_terminal(&text);
    let restored = campaign.status()["restored"].clone();
    assert!(restored.as_array().unwrap().iter().any(|s| s == in_json), "{restored}");
}

/// Goes on by staff's word, once; afterwards nothing is asked any more.
fn goes_on_when_staff_say_so(campaign: &Campaign, decision: &str) {
    ok(send(campaign, &["--accept-restored"]));
    let lines = campaign.decisions();
    assert!(lines.iter().any(|l| l.starts_with("accept a restored ledger: ") && l.contains(decision)), "{lines:?}");
    ok(send(campaign, &[]));
    assert!(campaign.status()["restored"].as_array().unwrap().is_empty());
    campaign.must_be_sound();
}

#[test]
fn a_copy_of_the_folder_is_not_sent_from_before_staff_say_so() {
    let (relay, campaign) = world(6);
    ok(send(&campaign, &["--limit", "2"]));
    let copy = copy_of(&campaign, relay.port());
    is_held(&send(&copy, &[]), &relay, 2, "is another file than the one that was last sent from");
    is_shown_by_status(&copy, "is another file than the one", "other_file");
    assert_eq!(send(&copy, &[]).code, 4, "asked again as long as nobody answers");
    ok(send(&campaign, &["--limit", "2"]));
    assert_eq!(relay.record.count(), 4, "the original is asked nothing");
    goes_on_when_staff_say_so(&copy, "last sent from another file");
}

#[test]
fn a_ledger_on_another_machine_is_not_sent_from_before_staff_say_so() {
    let (relay, campaign) = world(4);
    let on = |machine: &str, more: &[&str]| {
        let args = [&LETTERS, more].concat();
        Ran::from(campaign.command(&args).env("UNDERSIGNED_MACHINE", machine).output().unwrap())
    };
    ok(on("one", &["--limit", "1"]));
    ok(on("one", &["--limit", "1"]));
    is_held(&on("two", &[]), &relay, 2, "was last sent from on another machine");
    ok(on("two", &["--limit", "1", "--accept-restored"]));
    ok(on("two", &["--limit", "1"]));
    assert_eq!(on("one", &[]).code, 4, "now the first is the other one");
}

#[test]
fn an_older_ledger_in_its_own_place_is_not_sent_from_before_staff_say_so() {
    let (relay, campaign) = world(9);
    ok(send(&campaign, &["--limit", "2"]));
    let older = fs::read(campaign.ledger()).unwrap();
    ok(send(&campaign, &["--limit", "3"]));
    let newer = fs::read(campaign.ledger()).unwrap();
    fs::write(campaign.ledger(), &older).unwrap();
    is_held(&send(&campaign, &[]), &relay, 5, "is older than what was sent from it: 1 to 3 hand-overs are missing");
    is_shown_by_status(&campaign, "1 to 3 hand-overs are missing", "older");
    fs::write(campaign.ledger(), &newer).unwrap();
    ok(send(&campaign, &["--limit", "1"]));
    fs::write(campaign.ledger(), &older).unwrap();
    goes_on_when_staff_say_so(&campaign, "older than what was sent from it by 4");
    assert_eq!(relay.record.count(), 6 + 7, "staff were told that they go twice");
}

#[test]
fn a_single_hand_over_that_a_kill_ended_is_missed_in_an_older_ledger() {
    let relay = ScriptedRelay::start(Options::default(), |at| match (at.step, at.message_of_all) {
        (Step::Dot, 2) => Action::take_then_hang(),
        _ => Action::Default,
    });
    let campaign = Campaign::new(1, 3, relay.port());
    campaign.configure(relay.port(), "connections = 1");
    ok(send(&campaign, &["--limit", "1"]));
    let older = fs::read(campaign.ledger()).unwrap();
    let mut sending = start(&campaign, &[]);
    relay.record.must_reach(2);
    sending.kill().unwrap();
    sending.wait().unwrap();
    for beside in ["ledger.db-wal", "ledger.db-shm"] {
        fs::remove_file(campaign.path().join(beside)).unwrap();
    }
    fs::write(campaign.ledger(), older).unwrap();
    is_held(&send(&campaign, &[]), &relay, 2, "older than what was sent from it: 1 hand-over is missing");
}

#[test]
fn a_ledger_that_says_it_is_a_copy_is_not_sent_from_before_staff_say_so() {
    let (relay, campaign) = world(4);
    ok(send(&campaign, &["--limit", "1"]));
    sql(&campaign, "UPDATE campaign SET copied_at = 1780000000000");
    is_held(&send(&campaign, &[]), &relay, 1, "is a copy that was made on 28 May 2026, 20:26 UTC");
    is_shown_by_status(&campaign, "is a copy that was made on 28 May 2026", "copied");
    goes_on_when_staff_say_so(&campaign, "a copy of 2026-05-28");
}

#[test]
fn kills_a_moved_folder_and_a_vacuum_are_no_signs_of_a_restored_ledger() {
    let (relay, campaign) = world(60);
    for n in 1..6 {
        let mut sending = start(&campaign, &["--set", "pace.global=20/s"]);
        relay.record.must_reach(3 * n);
        sending.kill().unwrap();
        sending.wait().unwrap();
    }
    assert!(campaign.status()["restored"].as_array().unwrap().is_empty());
    sql(&campaign, "DELETE FROM decision; VACUUM");
    ok(send(&campaign, &["--limit", "1"]));

    let moved = campaign.path().with_extension("moved");
    fs::rename(campaign.path(), &moved).unwrap();
    let there = Command::new(env!("CARGO_BIN_EXE_undersigned")).arg("--dir").arg(&moved).args(LETTERS).output();
    fs::rename(&moved, campaign.path()).unwrap();
    let there = Ran::from(there.unwrap());
    assert!([0, 7].contains(&there.code), "{there:?}");
    campaign.must_be_sound();
}

#[test]
fn a_rehearsal_and_a_ledger_that_was_never_sent_from_ask_nothing() {
    let (relay, campaign) = world(3);
    ok(send(&campaign, &["--limit", "1"]));
    sql(&campaign, "UPDATE campaign SET home = NULL");
    assert!(campaign.status()["restored"].as_array().unwrap().is_empty());
    ok(send(&campaign, &["--limit", "1"]));
    let copy = copy_of(&campaign, relay.port());
    ok(copy.run(&["rehearse"]));
    assert_eq!(relay.record.count(), 2);
    // A ledger that begins anew is not measured by the mark of the one that was here before.
    fs::remove_file(campaign.ledger()).unwrap();
    ok(send(&campaign, &["--limit", "1"]));
}
