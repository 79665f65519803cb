//! `forget` while letters go, after a crash, and killed at any moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::campaign::Campaign;
use crate::support::proof;
use crate::support::relay::{Action, Options, ScriptedRelay, Step};
use crate::support::watched::{signal, wait_until, words};
use crate::traces::{ADDRESS, NAME, add, files, left, row};

#[test]
fn a_letter_that_waits_while_others_go_is_withdrawn_at_once_and_the_erasure_waits_for_the_end() {
    let relay = ScriptedRelay::start(Options::default(), |at| match at.step {
        Step::Rcpt if at.to == "mayor1@town1.example" => Action::reply("450 4.2.1 come back"),
        Step::Dot => Action::late(Duration::from_millis(50), "250 2.0.0 Ok"),
        _ => Action::Default,
    });
    let campaign = Campaign::new(2, 200, relay.port());
    // Their letter is deferred again and again.
    add(&campaign, &[row(NAME, ADDRESS, 1)]);
    let mut sending = campaign.start(&["send", "--yes"]);
    relay.record.must_reach(5);
    let ran = campaign.run(&["forget", "--yes", ADDRESS]);
    assert_eq!(ran.code, 6, "{ran:?}");
    assert!(words(&ran.err).contains("the erasure must wait"), "{ran:?}");
    assert!(sending.try_wait().unwrap().is_none(), "sending goes on");
    std::thread::sleep(Duration::from_millis(1500));
    signal(&sending, "-INT");
    assert_eq!(sending.wait().unwrap().code(), Some(0));
    campaign.must_be_sound();
    assert_eq!(campaign.letters("cancelled"), 1);
    let ran = campaign.run(&["forget", "--yes", ADDRESS]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(left(campaign.path()), [""; 0]);
    let of_them = |e: &&crate::support::record::Entry| String::from_utf8_lossy(&e.bytes).contains(NAME);
    assert_eq!(relay.record.entries().iter().filter(of_them).count(), 0);
}

#[test]
fn what_was_claimed_when_they_were_forgotten_comes_back_and_is_never_claimed_again() {
    // The only relay takes no recipient until it is told to; then everything is offered again.
    let is_told = Arc::new(AtomicBool::new(false));
    let takes = is_told.clone();
    let relay = ScriptedRelay::start(Options::default(), move |at| match at.step {
        Step::Rcpt if !takes.load(Ordering::SeqCst) => Action::late(Duration::from_millis(600), "450 4.2.1 come back"),
        _ => Action::Default,
    });
    let campaign = Campaign::new(1, 3, relay.port());
    add(&campaign, &[row(NAME, ADDRESS, 0)]);
    let mut sending = campaign.start(&["send", "--yes"]);
    wait_until("letters are offered", || relay.heard().iter().any(|(_, line)| line.starts_with("RCPT")));
    assert_eq!(campaign.run(&["forget", "--yes", ADDRESS]).code, 6);
    is_told.store(true, Ordering::SeqCst);
    let ended = sending.wait().unwrap().code();
    assert_eq!(ended, Some(0));
    let of_them = |e: &&crate::support::record::Entry| String::from_utf8_lossy(&e.bytes).contains(NAME);
    assert_eq!(relay.record.entries().iter().filter(of_them).count(), 0);
    assert_eq!((campaign.letters("sent"), campaign.letters("cancelled")), (3, 1));
    assert_eq!(campaign.run(&["forget", "--yes", ADDRESS]).code, 0);
    assert_eq!(left(campaign.path()), [""; 0]);
}

#[test]
fn a_letter_in_doubt_of_somebody_who_is_forgotten_is_never_resent_and_keeps_no_campaign_open() {
    let second_takes = Arc::new(AtomicBool::new(false));
    let takes = second_takes.clone();
    let relay = ScriptedRelay::start(Options::default(), move |at| match at.step {
        Step::Rcpt if at.to == "second@town0.example" && !takes.load(Ordering::SeqCst) => {
            Action::reply("450 4.2.1 later")
        }
        Step::Dot if at.reference.ends_with("-5") => Action::take_then_hang(),
        _ => Action::Default,
    });
    let campaign = Campaign::new(1, 2, relay.port());
    let second = "official,Councillor,Second,second@town0.example,Town 0,,,,\n".to_owned();
    add(&campaign, &[second, row(NAME, ADDRESS, 0)]);
    let mut sending = campaign.start(&["send", "--yes"]);
    relay.record.must_reach(3);
    wait_until("the other two are settled", || campaign.letters("sent") == 2);
    sending.kill().unwrap();
    sending.wait().unwrap();
    let ran = campaign.run(&["forget", "--yes", ADDRESS]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(left(campaign.path()), [""; 0]);
    campaign.must_be_sound();
    assert_eq!((campaign.letters("in_doubt"), campaign.letters("cancelled")), (1, 1));
    let status = campaign.run(&["status"]);
    assert!(words(&status.out).contains("people who were erased"), "{}", status.out);
    let resend = campaign.run(&["resolve", "--as", "resend", "5"]);
    assert_eq!(resend.code, 2, "{resend:?}");
    assert!(resend.err.contains("erased"), "{resend:?}");
    assert!(campaign.run(&["resolve", "--as", "resend", "--all"]).out.starts_with("0 messages"));
    second_takes.store(true, Ordering::SeqCst);
    assert_eq!(campaign.send().code, 0);
    assert_eq!(campaign.status()["state"], "finished");
    // There is nobody to tell that it went.
    let resolved = campaign.run(&["resolve", "--as", "sent", "5"]);
    assert_eq!(resolved.code, 0, "{resolved:?}");
    assert_eq!(campaign.letters("sent"), 5);
    campaign.must_be_sound();
    assert_eq!(campaign.send().code, 0);
    assert!(relay.record.references().iter().all(|reference| relay.record.copies(reference) == 1));
}

#[test]
fn forget_that_is_killed_at_any_moment_ends_well_when_it_is_run_again() {
    let schedules = proof::schedules(12);
    let begun = Instant::now();
    let relay = ScriptedRelay::kind();
    // Of each half of them the letter is out, of the other it waits.
    let campaign = Campaign::new(4, 2 * schedules, relay.port());
    assert_eq!(campaign.run(&["rehearse"]).code, 0);
    assert_eq!(campaign.run(&["preview"]).code, 0);
    assert_eq!(campaign.run(&["send", "--yes", "--limit", &schedules.to_string()]).code, 0);
    assert_eq!(campaign.run(&["export"]).code, 0);
    let addresses: Vec<String> = (0..schedules).map(|n| format!("signer{}@mail.example", 2 * n)).collect();
    let mut kills = 0;
    for (n, address) in addresses.iter().enumerate() {
        let mut forgetting = campaign.start(&["forget", "--yes", address]);
        std::thread::sleep(Duration::from_millis((n as u64 * 37) % 290));
        kills += u64::from(forgetting.try_wait().unwrap().is_none());
        let _ = forgetting.kill();
        forgetting.wait().unwrap();
        campaign.must_be_sound();
    }
    let mut again = vec!["forget", "--yes"];
    again.extend(addresses.iter().map(String::as_str));
    let ran = campaign.run(&again);
    assert_eq!(ran.code, 0, "{ran:?}");
    for path in files(campaign.path()) {
        let bytes = std::fs::read(&path).unwrap().to_ascii_lowercase();
        let left = addresses.iter().find(|address| memchr::memmem::find(&bytes, address.as_bytes()).is_some());
        assert_eq!(left, None, "{}", path.display());
    }
    let before = relay.record.count();
    assert_eq!(campaign.send().code, 0);
    campaign.must_be_sound();
    assert_eq!(campaign.letters("sent") + campaign.letters("cancelled"), 2 * schedules as u64);
    let to_them =
        relay.record.entries()[before..].iter().filter(|e| e.to.iter().any(|to| addresses.contains(to))).count();
    assert_eq!(to_them, 0);
    assert!(kills > 0, "forget was too quick to be killed");
    proof::tell(
        "forget killed",
        json!({ "schedules": schedules, "kills": kills, "traces": 0, "sent_afterwards": 0, "seconds": begun.elapsed().as_secs() }),
    );
}
