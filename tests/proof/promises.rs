//! What the promise rests on, each looked at where the relay or a broken disk can see it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use rusqlite::Connection;

use crate::kills::end_within;
use crate::support::campaign::{Campaign, LETTERS_ALONE};
use crate::support::relay::{Action, Options, ScriptedRelay, Step};

/// As many as `config.toml` has where it says nothing.
const CONNECTIONS: usize = 4;

fn count(ledger: &Connection, what: &str) -> i64 {
    ledger.query_row(&format!("SELECT count(*) FROM message WHERE {what}"), [], |row| row.get(0)).unwrap()
}

#[test]
fn before_a_text_arrives_the_ledger_says_so() {
    let path = Arc::new(OnceLock::<PathBuf>::new());
    let seen = Arc::new(Mutex::new(BTreeMap::<String, u32>::new()));
    let (place, states) = (path.clone(), seen.clone());
    let relay = ScriptedRelay::start(Options::default(), move |at| {
        if at.step == Step::Dot {
            let ledger = Connection::open(place.get().unwrap()).unwrap();
            let id: i64 = at.reference.rsplit('-').next().unwrap().parse().unwrap();
            let state = ledger.query_row("SELECT state FROM message WHERE id = ?1", [id], |row| row.get(0)).unwrap();
            *states.lock().unwrap().entry(state).or_default() += 1;
        }
        Action::Default
    });
    let campaign = Campaign::new(4, 40, relay.port());
    path.set(campaign.ledger()).unwrap();
    assert_eq!(campaign.send().code, 0);
    let expected = BTreeMap::from([("transmitting".to_owned(), 80)]);
    assert_eq!(*seen.lock().unwrap(), expected, "what the ledger said when the relay had the whole text");
}

/// A campaign with a ledger, of which one letter and its confirmation have gone; and a connection to break it with.
fn begun(relay: &ScriptedRelay, constituents: usize) -> (Campaign, Connection) {
    let campaign = Campaign::new(2, constituents, relay.port());
    let ran = campaign.run(&["send", "--yes", "--limit", "1"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let ledger = Connection::open(campaign.ledger()).unwrap();
    (campaign, ledger)
}

#[test]
fn a_ledger_that_cannot_be_written_for_a_while_costs_no_receipt() {
    let relay = ScriptedRelay::kind();
    let (campaign, ledger) = begun(&relay, 20);
    let refuse = "CREATE TRIGGER full BEFORE INSERT ON attempt BEGIN SELECT RAISE(ABORT, 'full'); END";
    ledger.execute_batch(refuse).unwrap();
    let mut sending = campaign.start(&["send", "--yes"]);
    relay.record.must_reach(3);
    let taken = relay.record.at_rest(Duration::from_millis(1200));
    assert!(taken <= 2 + CONNECTIONS, "nothing more goes while it cannot be written down: {taken} went");
    ledger.execute_batch("DROP TRIGGER full").unwrap();
    assert_eq!(end_within(&mut sending, Duration::from_secs(120)), Some(0));
    assert_eq!((count(&ledger, "state = 'sent'"), count(&ledger, "state <> 'sent'")), (40, 0));
    assert_eq!(relay.record.count(), 40);
    campaign.must_be_sound();
}

#[test]
fn a_letter_is_not_closed_without_the_row_of_its_confirmation() {
    let relay = ScriptedRelay::kind();
    let (campaign, ledger) = begun(&relay, 20);
    let refuse = "CREATE TRIGGER full BEFORE INSERT ON message WHEN NEW.kind = 'confirmation'
                  BEGIN SELECT RAISE(ABORT, 'full'); END";
    ledger.execute_batch(refuse).unwrap();
    let mut sending = campaign.start(&["send", "--yes"]);
    relay.record.must_reach(3);
    std::thread::sleep(Duration::from_millis(500));
    sending.kill().unwrap();
    sending.wait().unwrap();
    let untold = "kind = 'letter' AND state = 'sent' AND NOT EXISTS (SELECT 1 FROM message AS told
                  WHERE told.kind = 'confirmation' AND told.constituent = message.constituent)";
    assert_eq!(count(&ledger, untold), 0, "closed, and its constituent would never be told");
    ledger.execute_batch("DROP TRIGGER full").unwrap();
    assert_eq!(campaign.send().code, 7);
    let in_doubt = count(&ledger, "state = 'in_doubt'");
    assert!((1..=CONNECTIONS).contains(&usize::try_from(in_doubt).unwrap()), "one a connection: {in_doubt}");
    assert_eq!(count(&ledger, "kind = 'confirmation' AND state = 'sent'"), 20, "everybody is told");
    campaign.must_be_sound();
}

#[test]
fn no_line_of_the_log_names_a_person() {
    let relay = ScriptedRelay::start(Options::default(), |at| match (at.step, at.message_of_all) {
        (Step::Rcpt, 3) => Action::reply(format!("550 5.7.1 <{}> refuses", at.to)),
        (Step::Rcpt, 5) => Action::reply(format!("452 4.2.2 <{}> is full", at.to)),
        (Step::Dot, 7) => Action::take_then_drop(),
        (Step::Mail, 9) => Action::Drop,
        _ => Action::Default,
    });
    let campaign = Campaign::new(3, 12, relay.port());
    let mut logged = Vec::new();
    for verb in [&LETTERS_ALONE[..], &["check"], &["status"]] {
        let ran = campaign.command(verb).env("UNDERSIGNED_LOG", "trace").output().unwrap();
        logged.extend(ran.stderr);
    }
    let logged = String::from_utf8_lossy(&logged).to_lowercase();
    assert!(logged.contains("transmitted"), "nothing was logged: {logged}");
    let lines = logged.lines().filter(|line| line.contains("trace") || line.contains("debug") || line.contains("info"));
    for line in lines {
        for personal in ["signer", "official 0", "mayor0@", "mayor1@", "mayor2@", "main st", "mail.example", "town"] {
            assert!(!line.contains(personal), "{personal}: {line}");
        }
    }
}
