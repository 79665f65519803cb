//! What `status` and the end of `send` say of trouble: what happened, and what to do.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use rusqlite::Connection;

use crate::support::campaign::{Campaign, Ran};
use crate::support::relay::{Action, Options, ScriptedRelay, Step};
use crate::support::watched::{self, wait_until};
use crate::world::{LETTERS, fits_a_terminal, interrupt, ok, send, sql, start, words, world};

/// Dates, times and places that differ from run to run.
fn shown(campaign: &Campaign, text: &str) -> String {
    text.replace(&campaign.path().display().to_string(), "DIR")
}

#[test]
fn why_messages_are_in_doubt_is_told_with_how_many_and_the_commands() {
    let relay = ScriptedRelay::start(Options::default(), |at| match (at.step, at.message_of_all) {
        (Step::Dot, 1 | 2) => Action::take_then_drop(),
        (Step::Dot, 3) => Action::Take(Box::new(Action::Garbage(b"what?\r\n".to_vec()))),
        (Step::Dot, 4) => Action::take_then_hang(),
        _ => Action::Default,
    });
    let campaign = Campaign::new(1, 6, relay.port());
    campaign.configure(relay.port(), "connections = 1");
    let mut sending = start(&campaign, &[]);
    relay.record.must_reach(4);
    sending.kill().unwrap();
    sending.wait().unwrap();
    let ran = send(&campaign, &[]);
    assert_eq!(ran.code, 7, "{ran:?}");
    let status = ok(campaign.run(&["status"])).out;
    assert!(ran.out.ends_with(&status), "the end of `send` and `status` say the same");
    fits_a_terminal(&status);
    insta::assert_snapshot!("in_doubt", status);
    let why = campaign.status()["in_doubt_because"].clone();
    assert_eq!(why, serde_json::json!({ "process_ended": 1, "connection_lost": 2, "unclear_answer": 1 }));
}

#[test]
fn nothing_is_said_of_the_time_left_while_the_only_relay_is_parked_and_a_relay_that_is_gone_is_not_shown() {
    let (_relay, campaign) = world(4);
    ok(send(&campaign, &["--limit", "2"]));
    sql(
        &campaign,
        "INSERT INTO relay VALUES ('old', 'stopped', 0, NULL, '535 no', NULL);
         UPDATE relay SET state = 'parked', until = 4000000000000, reason = '451 later' WHERE name = 'main'",
    );
    // As if a dispatcher were at work.
    let lock = fs::File::options().write(true).open(campaign.path().join("ledger.db.lock")).unwrap();
    lock.try_lock().unwrap();
    let status = campaign.status();
    assert_eq!((status["state"].as_str(), status["sent_last_minute"].as_u64()), (Some("running"), Some(2)));
    assert!(status["seconds_left"].is_null(), "{status}");
    assert_eq!(status["relays"].as_array().unwrap().len(), 1);
    let text = ok(campaign.run(&["status"])).out;
    let told = words(&text);
    assert!(told.contains("relay `main` is parked until") && told.contains("it is tried again by itself"), "{text}");
    assert!(!text.contains("left at this rate") && !text.contains("`old`"), "{text}");
    sql(&campaign, "UPDATE relay SET state = 'up', until = NULL");
    assert!(campaign.status()["seconds_left"].is_u64());
    drop(lock);
}

#[test]
fn a_relay_that_refuses_our_account_is_told_with_what_to_do() {
    let relay = ScriptedRelay::start(Options::default(), |at| match at.step {
        Step::Mail => Action::reply("535 5.7.8 not accepted"),
        _ => Action::Default,
    });
    let campaign = Campaign::new(1, 2, relay.port());
    let ran = send(&campaign, &[]);
    assert_eq!(ran.code, 4, "{ran:?}");
    let told = words(&ok(campaign.run(&["status"])).out);
    assert!(told.contains("relay `main` is stopped") && told.contains("undersigned check --online"), "{told}");
}

/// A ledger on a small disk of its own that fills up while letters go; gives the words and the code of `send`.
fn on_a_full_disk(then: &str) -> Option<(Ran, usize)> {
    let (relay, campaign) = world(60);
    let disk = tempfile::tempdir().unwrap();
    let program = env!("CARGO_BIN_EXE_undersigned");
    let script = format!(
        "mount -t tmpfs -o size=2m tmpfs '{disk}' || exit 99
         cp -r '{folder}/.' '{disk}'; cd '{disk}'; chmod 700 .
         '{program}' send --yes --limit 1 --set campaign.confirm=never > /dev/null 2>&1
         '{program}' {send} --set pace.global=8/s 2> '{folder}/said' & pid=$!
         (sleep 150; kill -9 $pid) > /dev/null 2>&1 & watch=$!
         for n in $(seq 400); do
           '{program}' status --json | grep -o '\"letters\":[^}}]*' | grep -Eq '\"sent\":([5-9]|[1-9][0-9])' && break
           sleep 0.1
         done
         stuck=0
         for n in $(seq 600); do
           cat /dev/zero >> filler 2> /dev/null
           told=$(grep -c 'Nothing is sent' '{folder}/said'); again=$(grep -c 'written again' '{folder}/said')
           [ $told -gt $again ] && stuck=$((stuck + 1)) || stuck=0
           [ $stuck -ge 30 ] && break
           sleep 0.1
         done
         '{program}' status | sed 's/^/status: /'
         {then}
         [ -n \"$code\" ] || {{ wait $pid; code=$?; }}
         cat '{folder}/said' >&2
         kill $watch; rm -f filler; '{program}' status | sed 's/^/after: /'; '{program}' doctor | sed 's/^/doctor: /'; exit $code",
        disk = disk.path().display(),
        folder = campaign.path().display(),
        send = LETTERS.join(" "),
    );
    let ran = Command::new("unshare").args(["-rm", "sh", "-c", &script]).stdin(Stdio::null()).output();
    let ran = Ran::from(ran.ok()?);
    if ran.code == 99 || ran.err.contains("unshare:") {
        eprintln!("skipped: no leave to mount a small disk: {}", ran.err);
        return None;
    }
    Some((ran, relay.record.count()))
}

#[test]
fn a_full_disk_is_told_while_it_lasts_and_sending_goes_on_by_itself_afterwards() {
    let Some((ran, sent)) = on_a_full_disk("rm filler") else { return };
    assert_eq!((ran.code, sent), (0, 60), "{ran:?}");
    let err = words(&ran.err);
    let told = err.matches("Nothing is sent just now:").count();
    assert!((1..=3).contains(&told), "a line each time, not each second: {}", ran.err);
    assert!(err.contains("is full") && err.contains("It goes on by itself"), "{err}");
    assert_eq!(err.matches("The ledger can be written again: going on.").count(), told, "{err}");
    fits_a_terminal(&ran.err);
    let out = words(&ran.out.replace("status: ", ""));
    assert!(out.contains("is full (") && out.contains("goes on by itself"), "{out}");
    assert!(!ran.out.contains("doctor: bad"), "{}", ran.out);
}

#[test]
fn ctrl_c_on_a_full_disk_leaves_within_seconds_with_a_true_word() {
    let asked = "began=$(date +%s); kill -INT $pid; wait $pid; code=$?; echo \"left after $(($(date +%s) - began)) s\"";
    let Some((ran, sent)) = on_a_full_disk(asked) else { return };
    assert_eq!(ran.code, 4, "{ran:?}");
    let err = words(&ran.err);
    assert!(err.contains("Left as you asked, while the ledger could not be written"), "{err}");
    let seconds: u64 = ran.out.split("left after ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!(seconds <= 60, "of ten minutes for which it waits: {seconds}");
    assert!(sent < 60);
    assert!(!ran.out.contains("doctor: bad"), "{}", ran.out);
}

#[test]
fn a_ledger_that_another_program_has_locked_is_told_by_that_program_s_name() {
    let (relay, campaign) = world(30);
    let sending = watched::start(campaign.command(&[&LETTERS[..], &["--set", "pace.global=10/s"]].concat()));
    relay.record.must_reach(3);
    let other = Connection::open(campaign.ledger()).unwrap();
    other.busy_timeout(Duration::from_secs(5)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    wait_until("staff are told", || words(&sending.so_far("err")).contains("another program has held its lock"));
    other.execute_batch("ROLLBACK").unwrap();
    let err = words(&ok(sending.end().1).err);
    assert!(err.contains(&format!("(process {})", std::process::id())), "{err}");
    assert_eq!(relay.record.count(), 30);
}

#[test]
fn a_campaign_that_is_paused_stopped_or_done_says_how_it_goes_on() {
    let (_relay, campaign) = world(3);
    ok(send(&campaign, &["--limit", "1"]));
    ok(campaign.run(&["pause", "--reason", "the office called"]));
    let paused = ok(campaign.run(&["status"])).out;
    assert!(paused.contains("paused by staff") && paused.contains("go on with: undersigned resume"), "{paused}");
    let sending = start(&campaign, &[]);
    campaign.until_running();
    std::thread::sleep(Duration::from_millis(300));
    interrupt(&sending);
    ok(sending.wait_with_output().unwrap().into());
    fits_a_terminal(&shown(&campaign, &paused));
}
