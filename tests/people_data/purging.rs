//! `purge`: whose letters are settled goes, the evidence stays, and the same lists plan nothing for them again.

use std::fs;
use std::time::Duration;

use crate::support::campaign::{CONFIRMATION, Campaign, LETTER, constituent_rows};
use crate::support::relay::{Action, Options, ScriptedRelay, Step};
use crate::support::watched::wait_until;
use crate::traces::{ADDRESS, NAME, add, files, left, row};

fn bytes_in(campaign: &Campaign, word: &str) -> Vec<String> {
    let holds = |path: &std::path::PathBuf| {
        memchr::memmem::find(&fs::read(path).unwrap().to_ascii_lowercase(), word.to_lowercase().as_bytes()).is_some()
    };
    files(campaign.path()).into_iter().filter(holds).map(|path| path.display().to_string()).collect()
}

#[test]
fn a_purged_campaign_says_nothing_of_anybody_and_sends_nothing_twice() {
    let relay = ScriptedRelay::start(Options::default(), |at| match at.step {
        Step::Rcpt if at.to == ADDRESS => Action::reply(format!("550 5.7.1 <{ADDRESS}> refuses")),
        _ => Action::Default,
    });
    let campaign = Campaign::new(2, 6, relay.port());
    add(&campaign, &[row(NAME, ADDRESS, 0)]);
    assert_eq!(campaign.run(&["rehearse"]).code, 0);
    assert_eq!(campaign.run(&["preview"]).code, 0);
    assert_eq!(campaign.send().code, 5);
    assert_eq!(campaign.run(&["export"]).code, 0);
    let accepted = relay.record.count();
    let (sent, before) = (campaign.letters("sent"), campaign.log().len());

    assert_eq!(campaign.run(&["purge", "--older-than", "28"]).code, 2);
    let early = campaign.run(&["purge", "--yes", "--older-than", "28d"]);
    assert_eq!(early.code, 0, "{early:?}");
    assert!(early.out.contains("0 constituents"), "{}", early.out);
    assert!(campaign.path().join("rehearsal").exists() && campaign.path().join("contacts-status.csv").exists());
    std::thread::sleep(Duration::from_millis(1100));
    let shown = campaign.run(&["purge", "--dry-run", "--older-than", "1s"]);
    assert!(shown.out.contains("7 constituents") && shown.out.contains("Nothing was changed"), "{}", shown.out);
    let ran = campaign.run(&["purge", "--yes", "--older-than", "1s"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("contacts.csv still has 7 rows"), "{}", ran.out);
    assert!(left(campaign.path()).iter().all(|found| found.contains("contacts.csv")), "{:?}", left(campaign.path()));
    for word in ["signer3@mail.example", "Signer 3", "3 Main St", "mayor1@town1.example", "please *act*"] {
        let holding = bytes_in(&campaign, word);
        let known = ["contacts.csv", "letter.md"];
        assert!(holding.iter().all(|path| known.iter().any(|known| path.ends_with(known))), "{word}: {holding:?}");
    }
    campaign.must_be_sound();
    assert_eq!((campaign.letters("sent"), campaign.log().len()), (sent, before));
    assert!(campaign.log().iter().any(|a| a["code"] == 550 && a["recipient"] == "(erased)"));

    // The same lists, and then a new text and somebody new for the same officials.
    assert_eq!(campaign.send().code, 5);
    assert_eq!(relay.record.count(), accepted);
    campaign.write("contacts.csv", &(fs::read_to_string(campaign.path().join("contacts.csv")).unwrap() + "\n"));
    let same = campaign.send();
    assert_eq!(same.code, 5, "{same:?}");
    assert_eq!(relay.record.count(), accepted, "the list was read again and plans nothing");
    add(&campaign, &[constituent_rows(2, 20..22)]);
    let new = campaign.send();
    assert_eq!(new.code, 5, "{new:?}");
    assert_eq!(relay.record.count(), accepted + 4, "two letters, two confirmations");
    campaign.write("templates/letter.md", &LETTER.replace("please", "do please"));
    assert_eq!(campaign.send().code, 3, "a changed text is seen though the old one was purged");
    add(&campaign, &[constituent_rows(2, 22..23)]);
    assert_eq!(campaign.run(&["send", "--yes", "--accept-changed-letter"]).code, 5);
    assert_eq!(relay.record.count(), accepted + 6);
    campaign.write("templates/letter.md", LETTER);
    campaign.write("templates/confirmation.md", CONFIRMATION);
    campaign.must_be_sound();
    assert_eq!(campaign.run(&["export"]).code, 0);
    let export = fs::read_to_string(campaign.path().join("contacts-status.csv")).unwrap();
    assert!(export.lines().find(|line| line.contains(NAME)).unwrap().ends_with(",purged,,,"), "{export}");
}

#[test]
fn who_has_a_message_in_doubt_or_waiting_stays_whole() {
    let relay = ScriptedRelay::start(Options::default(), |at| match at.step {
        Step::Dot if at.reference.ends_with("-1") => Action::take_then_drop(),
        Step::Rcpt if at.to == "mayor1@town1.example" => Action::reply("450 4.2.1 later"),
        _ => Action::Default,
    });
    let campaign = Campaign::new(3, 3, relay.port());
    let mut sending = campaign.start(&["send", "--yes"]);
    relay.record.must_reach(4);
    let settled = || (campaign.letters("sent"), campaign.status()["confirmations"]["sent"].as_u64()) == (1, Some(2));
    wait_until("two of them know how it went", settled);
    std::thread::sleep(Duration::from_millis(1500));
    let busy = campaign.run(&["purge", "--yes", "--older-than", "1s"]);
    assert_eq!(busy.code, 6, "{busy:?}");
    sending.kill().unwrap();
    sending.wait().unwrap();
    let ran = campaign.run(&["purge", "--yes", "--older-than", "1s"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("a message of theirs is in doubt: 1 constituent"), "{}", ran.out);
    campaign.must_be_sound();
    let ledger = rusqlite::Connection::open(campaign.ledger()).unwrap();
    let mut whole = ledger
        .prepare("SELECT name FROM person WHERE role = 'constituent' AND erased_at IS NULL ORDER BY name")
        .unwrap();
    let whole: Vec<String> = whole.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(whole, ["Signer 0", "Signer 1"]);
}
