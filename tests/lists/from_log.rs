//! A relay's own log settles what is in doubt: a real Postfix's, with the program killed in the middle; and logs that are
//! written here, for what a real one seldom does.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::Stdio;
use std::time::Duration;

use flate2::write::GzEncoder;
use serde_json::json;

use crate::ok;
use crate::support::campaign::{Campaign, LETTERS_ALONE, Ran};
use crate::support::postfix::Postfix;
use crate::support::proof;
use crate::support::relay::{Action, Options, ScriptedRelay, Step};
use crate::support::watched::{wait_until, words};

fn references_in(campaign: &Campaign, state: &str) -> Vec<(i64, String)> {
    let ledger = rusqlite::Connection::open(campaign.ledger()).unwrap();
    let query = "SELECT id, tag || '-' || id FROM message, campaign WHERE message.state = ?1 ORDER BY id";
    let mut rows = ledger.prepare(query).unwrap();
    rows.query_map([state], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
}

/// The log as it will be when nothing more was said for so long.
fn much_later(log: &str) -> String {
    let stamp = log.lines().next_back().unwrap().get(..15).unwrap();
    let later = jiff::Timestamp::now().checked_add(jiff::SignedDuration::from_mins(20)).unwrap();
    let later = later.to_zoned_datetime(jiff::tz::TimeZone::system()).strftime("%b %e %H:%M:%S").to_string();
    assert_eq!(stamp.len(), later.len());
    let before = jiff::Timestamp::now().checked_sub(jiff::SignedDuration::from_mins(20)).unwrap();
    let before = before.to_zoned_datetime(jiff::tz::TimeZone::system()).strftime("%b %e %H:%M:%S").to_string();
    format!("{before} relay postfix/master[1]: before\n{log}{later} relay postfix/anvil[1]: statistics: later\n")
}

#[test]
fn what_a_killed_send_leaves_in_doubt_is_settled_by_a_real_postfix_as_its_next_hop_has_it() {
    let sink = ScriptedRelay::kind();
    let Ok(relay) = Postfix::start(sink.port()) else { return };
    let letters = 400;
    let campaign = Campaign::new(5, letters, relay.port);
    campaign.configure(relay.port, "connections = 8");
    for round in 0..6 {
        let before = relay.taken();
        let mut sending = campaign.start(&LETTERS_ALONE);
        wait_until("some letters go", || relay.taken() >= before + 20 + 5 * round);
        if round % 2 == 1 {
            // Those that take mail stop in the middle of it, and some never go on.
            relay.signal_takers("-STOP");
            std::thread::sleep(Duration::from_millis(300));
        }
        sending.kill().unwrap();
        sending.wait().unwrap();
        if round % 2 == 1 {
            relay.signal_takers(if round == 1 { "-CONT" } else { "-KILL" });
        }
    }
    std::thread::sleep(Duration::from_millis(500));
    relay.wait_until_empty();
    let mut last = campaign.start(&["send", "--yes", "--set", "campaign.confirm=never", "--limit", "1"]);
    last.wait().unwrap();
    relay.wait_until_empty();

    let in_doubt = references_in(&campaign, "in_doubt");
    assert!(in_doubt.len() >= 3, "{in_doubt:?}");
    campaign.write("mail.log", &much_later(&relay.log()));
    let log = campaign.path().join("mail.log").display().to_string();
    let shown = ok(campaign.run(&["resolve", "--from-log", &log, "--complete", "--dry-run"]));
    assert_eq!(references_in(&campaign, "in_doubt"), in_doubt, "{shown}");
    let told =
        ok(campaign.run(&["resolve", "--from-log", &log, "--complete", "--yes", "--reason", "as the log has it"]));
    let (sent, queued) = (references_in(&campaign, "sent"), references_in(&campaign, "queued"));
    let mut settled = (0_i64, 0_i64);
    for message in &in_doubt {
        match sink.record.copies(&message.1) {
            1 => assert!(sent.contains(message), "{message:?}: {told}\n{}", relay.log()),
            // Where the log is silent of the end of one that began to arrive, it stays in doubt.
            0 => assert!(!sent.contains(message), "{message:?}: {told}\n{}", relay.log()),
            n => panic!("{n} copies of {message:?}"),
        }
        settled.0 += i64::from(sent.contains(message));
        settled.1 += i64::from(queued.contains(message));
    }
    assert!(settled.0 > 0, "{settled:?}: {told}");
    let ledger = rusqlite::Connection::open(campaign.ledger()).unwrap();
    let named =
        "SELECT count(*) FROM message WHERE state = 'sent' AND queue_id IS NOT NULL AND last_reply LIKE 'found in%'
                   AND abs(accepted_at - unixepoch() * 1000) < 300000";
    assert_eq!(ledger.query_row(named, [], |row| row.get::<_, i64>(0)).unwrap(), settled.0);
    assert!(campaign.decisions().iter().any(|line| line.contains("resolve from log")
        && line.contains("mail.log")
        && line.ends_with("as the log has it")));

    ok(campaign.run(&["resolve", "--as", "resend", "--all"]));
    assert_eq!(campaign.run(&LETTERS_ALONE).code, 0);
    relay.wait_until_empty();
    let references: Vec<_> = references_in(&campaign, "sent");
    assert_eq!(references.len(), letters);
    for (_, reference) in &references {
        assert_eq!(sink.record.copies(reference), 1, "{reference}");
    }
    campaign.must_be_sound();
    let figures =
        json!({ "letters": letters, "kills": 6, "in_doubt": in_doubt.len(), "sent": settled.0, "again": settled.1 });
    proof::tell("resolved from Postfix's log", figures);
}

/// A campaign whose relay drops the connection at the dot of these messages: what it takes is in its record.
fn doubtful(officials: usize, letters: usize) -> (ScriptedRelay, Campaign) {
    let relay = ScriptedRelay::start(Options::default(), |at| match at.step {
        Step::Dot if at.message_of_all % 3 == 0 => Action::take_then_drop(),
        _ => Action::Default,
    });
    let campaign = Campaign::new(officials, letters, relay.port());
    campaign.configure(relay.port(), "connections = 1");
    (relay, campaign)
}

/// The log of a relay that has nothing of ours, and a line every minute.
fn says_nothing() -> String {
    let now = jiff::Timestamp::now();
    let line = |minutes| {
        let at = now.checked_add(jiff::SignedDuration::from_mins(minutes)).unwrap();
        format!("{at} mail postfix/anvil[1]: statistics: none\n")
    };
    (-60..=60).map(line).collect()
}

/// What a Postfix would have written of the messages in the relay's record, of these references alone.
fn postfix_log(relay: &ScriptedRelay, only: &dyn Fn(&str) -> bool) -> String {
    let mut log = String::new();
    let now = jiff::Timestamp::now().to_string();
    for (n, entry) in relay.record.entries().iter().enumerate().filter(|(_, entry)| only(&entry.reference)) {
        let text = String::from_utf8_lossy(&entry.bytes).replace("\r\n ", " ");
        let id = text.lines().find_map(|line| line.strip_prefix("Message-ID: ")).unwrap().trim();
        for line in [
            format!("postfix/cleanup[2]: 4A{n:06X}: message-id={id}"),
            format!("postfix/qmgr[3]: 4A{n:06X}: from=<l@a.example>, size=12, nrcpt=1 (queue active)"),
            format!("postfix/smtp[4]: 4A{n:06X}: to=<{}>, relay=x[1]:25, dsn=5.1.1, status=bounced (no)", entry.to[0]),
        ] {
            writeln!(log, "{now} mail {line}").unwrap();
        }
    }
    log
}

/// The same in a file of the campaign's folder; gives its place.
fn silent_log(campaign: &Campaign) -> String {
    campaign.write("all.log", &says_nothing());
    campaign.path().join("all.log").display().to_string()
}

#[test]
fn what_the_log_does_not_prove_stays_in_doubt_and_what_bounced_later_is_told() {
    let (relay, campaign) = doubtful(1, 9);
    let ran = campaign.run(&LETTERS_ALONE);
    assert_eq!(ran.code, 7, "{ran:?}");
    let in_doubt = references_in(&campaign, "in_doubt");
    assert_eq!(in_doubt.len(), 3);
    let named = in_doubt[0].1.clone();
    campaign.write("mail.log", &postfix_log(&relay, &|reference| reference == named));
    let log = campaign.path().join("mail.log").display().to_string();
    let told = ok(campaign.run(&["resolve", "--from-log", &log]));
    assert!(told.contains("BOUNCED later") && told.contains("mail.log:2"), "{told}");
    assert!(told.contains("1 message in doubt: sent") && told.contains("Still in doubt: 2 messages"), "{told}");
    // The log begins at their hand-over or later: its silence proves nothing, also where staff call it complete.
    ok(campaign.run(&["resolve", "--from-log", &log, "--complete", "--yes"]));
    assert_eq!(references_in(&campaign, "in_doubt").len(), 2);
    let all = silent_log(&campaign);
    let refused = campaign.run(&["resolve", "--from-log", &all, "--complete"]);
    assert_eq!((refused.code, references_in(&campaign, "in_doubt").len()), (2, 2), "nobody was asked: {refused:?}");
    ok(campaign.run(&["resolve", "--from-log", &all, "--complete", "--yes"]));
    assert_eq!(references_in(&campaign, "queued").len(), 2);
}

fn packed(text: &str) -> Vec<u8> {
    let mut gz = GzEncoder::new(Vec::new(), flate2::Compression::default());
    gz.write_all(text.as_bytes()).unwrap();
    gz.finish().unwrap()
}

/// Runs with these bytes at its standard input.
fn run_with(campaign: &Campaign, args: &[&str], input: &[u8]) -> Ran {
    let mut command = campaign.command(args);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // One that refuses at once does not read.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap().into()
}

#[test]
fn a_packed_log_settles_by_what_can_be_unpacked_and_one_that_breaks_off_by_nothing_else() {
    let (relay, campaign) = doubtful(1, 9);
    assert_eq!(campaign.run(&LETTERS_ALONE).code, 7);
    let in_doubt = references_in(&campaign, "in_doubt");
    assert_eq!(in_doubt.len(), 3);
    let one = |n: usize| postfix_log(&relay, &|reference| reference == in_doubt[n].1);
    let path = |name: &str| campaign.path().join(name).display().to_string();
    let write = |name: &str, bytes: &[u8]| std::fs::write(campaign.path().join(name), bytes).unwrap();
    // By its first bytes, whatever its name.
    write("mail.log.1", &packed(&one(0)));
    let told = ok(campaign.run(&["resolve", "--from-log", &path("mail.log.1")]));
    assert!(told.contains("1 message in doubt: sent"), "{told}");
    let told = ok(run_with(&campaign, &["resolve", "--from-log", "-"], &packed(&one(1))));
    assert!(told.contains("standard input:2") && told.contains("1 message in doubt: sent"), "{told}");

    let quiet = packed(&says_nothing());
    write("cut.gz", &quiet[..quiet.len() - 20]);
    write("all.log", says_nothing().as_bytes());
    let all = ["resolve", "--complete", "--yes", "--from-log", &path("cut.gz"), &path("all.log")];
    let ran = campaign.run(&all);
    assert!(words(&ran.err).contains("cut.gz breaks off before its end"), "{ran:?}");
    let mut wrong = quiet.clone();
    let checksum = wrong.len() - 6;
    wrong[checksum] ^= 1;
    write("cut.gz", &wrong);
    let ran = campaign.run(&all);
    assert!(ran.code == 2 && words(&ran.err).contains("cut.gz: it is damaged at its line"), "{ran:?}");
    assert_eq!(references_in(&campaign, "in_doubt"), in_doubt[2..], "neither proves anything by silence");
    let ran = campaign.run(&["resolve", "--from-log", &path("mail.log.1"), "--as", "sent"]);
    assert_eq!(ran.code, 2, "{ran:?}");

    // Idle, as a log with a file missing is.
    let now = jiff::Timestamp::now();
    let line = |minutes| {
        let at = now.checked_add(jiff::SignedDuration::from_mins(minutes)).unwrap();
        format!("{at} mail postfix/anvil[1]: statistics: none\n")
    };
    let idle = line(-30) + &line(0) + &line(30);
    let ran = run_with(&campaign, &["resolve", "--complete", "--yes", "--from-log", "-"], idle.as_bytes());
    assert!(ran.code == 0 && words(&ran.err).contains("may be missing a file just there"), "{ran:?}");
    write("xz.log", b"\xfd7zXZ\0");
    let ran = campaign.run(&["resolve", "--from-log", &path("xz.log")]);
    assert!(ran.code == 2 && words(&ran.err).contains("xzcat FILE"), "{ran:?}");
    assert_eq!(references_in(&campaign, "in_doubt"), in_doubt[2..]);
    write("idle.log", idle.as_bytes());
    ok(campaign.run(&["resolve", "--complete", "--yes", "--from-log", &path("idle.log")]));
    assert_eq!(references_in(&campaign, "queued"), in_doubt[2..]);
}

#[test]
fn a_log_without_times_is_told_in_words() {
    let (relay, campaign) = doubtful(1, 3);
    assert_eq!(campaign.run(&LETTERS_ALONE).code, 7);
    let log = postfix_log(&relay, &|_| true);
    let cat: String = log.lines().map(|line| line.split_once("]: ").unwrap().1.to_owned() + "\n").collect();
    let ran = run_with(&campaign, &["resolve", "--complete", "--yes", "--from-log", "-"], cat.as_bytes());
    assert!(ran.code == 0 && words(&ran.err).contains("`journalctl -o cat` leaves times out"), "{ran:?}");
    assert_eq!(references_in(&campaign, "in_doubt").len(), 1);
}

#[test]
fn a_ledger_that_was_restored_from_a_copy_learns_from_the_log_what_went_out_since() {
    let relay = ScriptedRelay::kind();
    let campaign = Campaign::new(3, 30, relay.port());
    assert_eq!(campaign.run(&["send", "--yes", "--limit", "5"]).code, 0);
    let copy = campaign.path().join("copy.db");
    ok(campaign.run(&["backup", copy.to_str().unwrap()]));
    assert_eq!(campaign.run(&["send", "--yes", "--limit", "15"]).code, 0);
    let out = relay.record.count();
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(campaign.path().join(format!("ledger.db{suffix}")));
    }
    std::fs::rename(&copy, campaign.ledger()).unwrap();
    assert!(campaign.letters("sent") < 20);
    campaign.write("mail.log", &postfix_log(&relay, &|_| true));
    let log = campaign.path().join("mail.log").display().to_string();
    let told = ok(campaign.run(&["resolve", "--from-log", &log]));
    assert!(told.contains("waited here and had gone out already: sent"), "{told}");
    assert_eq!(campaign.letters("sent"), 20, "{told}");
    assert_eq!(relay.record.count(), out, "nothing was sent by that");
    let looked_over = campaign.run(&["doctor"]).out;
    assert!(!looked_over.contains("rows: Messages"), "{looked_over}");
    assert_eq!(campaign.run(&["send", "--yes", "--accept-restored"]).code, 0);
    let entries = relay.record.entries();
    for n in 0..30 {
        let to = format!("signer{n}@mail.example");
        let confirmed = entries.iter().filter(|entry| entry.to == [to.clone()]).count();
        assert_eq!(confirmed, 1, "{to} is told once");
    }
    assert_eq!(relay.record.count(), 60, "and every letter went once");
    campaign.must_be_sound();
}

#[test]
fn the_silence_of_one_relay_s_log_says_nothing_of_what_another_was_handed() {
    let (_relay, campaign) = doubtful(1, 6);
    assert_eq!(campaign.run(&LETTERS_ALONE).code, 7);
    let in_doubt = references_in(&campaign, "in_doubt");
    assert_eq!(in_doubt.len(), 2);
    let config = std::fs::read_to_string(campaign.path().join("config.toml")).unwrap();
    let other = "[[relay]]\nname = \"other\"\nhost = \"127.0.0.1\"\nport = 9\ntls = \"none\"\n";
    campaign.write("config.toml", &(config + other));
    let ledger = rusqlite::Connection::open(campaign.ledger()).unwrap();
    ledger.execute("UPDATE message SET relay = 'other' WHERE id = ?1", [in_doubt[0].0]).unwrap();
    let all = silent_log(&campaign);
    let asked = campaign.run(&["resolve", "--from-log", &all, "--complete", "--yes"]);
    assert!(asked.code == 2 && words(&asked.err).contains("--relay NAME"), "{asked:?}");
    ok(campaign.run(&["resolve", "--from-log", &all, "--complete", "--yes", "--relay", "other"]));
    assert_eq!(references_in(&campaign, "queued"), in_doubt[..1]);
    assert_eq!(references_in(&campaign, "in_doubt"), in_doubt[1..]);
}
