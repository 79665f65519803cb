//! `doctor`: what is well is called well, what is not is named with what to do, and damage never panics.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use rusqlite::Connection;
use serde_json::Value;

use crate::support::campaign::{Campaign, Ran};
use crate::support::relay::ScriptedRelay;
use crate::world::{fits_a_terminal, ok, sql, start, words, world};

fn looked(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap_or_else(|e| panic!("{e}: {ran:?}"))
}

/// Must be that well, and say so in all words; gives what it says.
fn doctor(campaign: &Campaign, health: &str) -> String {
    let ran = campaign.run(&["doctor"]);
    let looked = looked(&campaign.run(&["doctor", "--json"]));
    assert_eq!(looked["health"], health, "{ran:?}");
    assert_eq!(ran.code, if health == "bad" { 3 } else { 0 }, "{ran:?}");
    fits_a_terminal(&ran.out);
    for person in ["Signer", "signer", "mayor0@", "Official 0", "Main St"] {
        assert!(!ran.out.contains(person), "{person}: {}", ran.out);
    }
    words(&ran.out).to_lowercase()
}

/// A campaign that went out, with confirmations, and what its folder needs to be called well.
fn done() -> (ScriptedRelay, Campaign) {
    let (relay, campaign) = world(9);
    ok(campaign.send());
    fs::set_permissions(campaign.path(), Permissions::from_mode(0o700)).unwrap();
    (relay, campaign)
}

/// On this machine the disk or the temporary folder may be worth a warning.
fn is_not_bad(campaign: &Campaign) {
    let looked = looked(&campaign.run(&["doctor", "--json"]));
    let bad: Vec<&Value> = looked["checks"].as_array().unwrap().iter().filter(|c| c["health"] == "bad").collect();
    assert!(bad.is_empty(), "{bad:?}");
}

#[test]
fn a_campaign_that_is_well_is_called_well_before_while_and_after_it_goes() {
    let (relay, campaign) = world(600);
    fs::set_permissions(campaign.path(), Permissions::from_mode(0o700)).unwrap();
    is_not_bad(&campaign);
    let mut sending = start(&campaign, &["--set", "pace.global=50/s"]);
    for n in [5, 15, 30] {
        relay.record.must_reach(n);
        is_not_bad(&campaign);
    }
    assert!(words(&campaign.run(&["doctor"]).out).contains("`send` is at work"));
    sending.kill().unwrap();
    sending.wait().unwrap();
    is_not_bad(&campaign);
    ok(campaign.run(&["send", "--yes", "--limit", "5", "--set", "campaign.confirm=never"]));
    is_not_bad(&campaign);
}

#[test]
fn looking_changes_nothing() {
    let (_relay, campaign) = done();
    let before = fs::read(campaign.ledger()).unwrap();
    let about = fs::metadata(campaign.ledger()).unwrap().modified().unwrap();
    campaign.run(&["doctor"]);
    assert!(fs::read(campaign.ledger()).unwrap() == before);
    assert_eq!(fs::metadata(campaign.ledger()).unwrap().modified().unwrap(), about);
}

#[test]
fn every_rule_that_rows_may_break_is_found_broken() {
    let (_relay, campaign) = done();
    let whole = fs::read(campaign.ledger()).unwrap();
    for (breakage, rule) in [
        (
            "UPDATE message SET state = 'queued', queue_id = NULL WHERE id = 1",
            "lanes have waiting messages but no turn",
        ),
        ("UPDATE lane SET occupied_by = 1 WHERE id = 1", "lanes wait for a message that nobody has in hand"),
        ("UPDATE message SET state = 'deferred', lane = NULL WHERE id = 1", "messages wait, but for no mailbox"),
        ("UPDATE message SET state = 'leased' WHERE id = 1", "messages are in hand without a receipt"),
        ("UPDATE message SET token = 5 WHERE id = 1", "or have one without being in hand"),
        ("UPDATE message SET body_hash = NULL WHERE id = 1", "handed over without what identifies them"),
        ("UPDATE message SET accepted_at = NULL WHERE id = 1", "messages are sent, but not since when"),
        ("DELETE FROM attempt WHERE message = 1", "settled by tries that are not in the log"),
        ("UPDATE attempt SET number = 3 WHERE message = 1", "messages have gaps among their tries"),
        (
            "DELETE FROM attempt WHERE message IN (SELECT id FROM message WHERE kind = 'confirmation');
          DELETE FROM message WHERE kind = 'confirmation'",
            "constituents whose letters are settled have no confirmation (9)",
        ),
        ("UPDATE campaign SET confirming = 'per_letter'", "letters that are settled have no confirmation (9)"),
        (
            "PRAGMA foreign_keys = 0; UPDATE message SET template = 99 WHERE id = 1",
            "a row of message points to nothing",
        ),
        ("UPDATE attempt SET at = 4000000000000", "the ledger knows of 2 October 2096"),
        ("UPDATE campaign SET copied_at = 1", "is a copy that was made on 1 January 1970"),
        ("PRAGMA user_version = 99", "version 99, which this program does not know"),
        ("PRAGMA application_id = 7", "another program's database"),
    ] {
        sql(&campaign, breakage);
        let told = doctor(&campaign, "bad");
        assert!(told.contains(&rule.to_lowercase()), "{breakage}: {told}");
        fs::write(campaign.ledger(), &whole).unwrap();
    }
    is_not_bad(&campaign);
}

#[test]
fn an_index_that_does_not_agree_with_its_table_is_damage() {
    let (_relay, campaign) = done();
    let db = Connection::open(campaign.ledger()).unwrap();
    db.execute_batch(
        "PRAGMA writable_schema = 1;
         CREATE TABLE other (state, kind);
         INSERT INTO other VALUES ('sent', 'letter');
         CREATE INDEX other_state ON other (state, kind);
         UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'other_state')
          WHERE name = 'message_state';",
    )
    .unwrap();
    drop(db);
    let told = doctor(&campaign, "bad");
    assert!(told.contains("the file is damaged") && told.contains("put the newest backup in its place"), "{told}");
}

/// Every page of a ledger, one after the other, as a bad disk would give it back.
#[test]
fn a_damaged_ledger_is_called_damaged_and_never_panics() {
    const PAGE: usize = 4096;
    let (_relay, campaign) = done();
    let whole = fs::read(campaign.ledger()).unwrap();
    let pages = whole.len() / PAGE;
    let look = |bytes: &[u8]| {
        fs::write(campaign.ledger(), bytes).unwrap();
        let ran = campaign.run(&["doctor", "--json"]);
        assert!([0, 3].contains(&ran.code) && !ran.err.contains("panicked"), "{ran:?}");
        assert!(!ran.out.contains("signer") && !ran.out.contains("@town"), "{}", ran.out);
        looked(&ran)["health"].as_str().unwrap().to_owned()
    };
    let mut missed = Vec::new();
    for page in 0..pages {
        let mut bytes = whole.clone();
        bytes[page * PAGE..(page + 1) * PAGE].fill(0);
        if look(&bytes) != "bad" {
            missed.push(page);
        }
    }
    assert!(missed.is_empty(), "zeroed pages that nobody missed: {missed:?} of {pages}");
    for length in [0, 1, 100, PAGE, PAGE + 1, whole.len() / 2, whole.len() - PAGE] {
        assert_eq!(look(&whole[..length]), "bad", "cut off after {length}");
    }
    let mut no_header = whole.clone();
    no_header[..16].copy_from_slice(b"SQLite format 4\0");
    assert_eq!(look(&no_header), "bad");
    // A byte of a cell is nobody's to know; one of the structure is.
    let mut found = 0;
    for n in 0..40 {
        let mut bytes = whole.clone();
        bytes[(n * 7919 + 101) % whole.len()] ^= 0xff;
        found += usize::from(look(&bytes) == "bad");
    }
    assert!(found > 0);
    fs::write(campaign.ledger(), &whole).unwrap();
    is_not_bad(&campaign);
}

#[test]
fn files_that_others_can_read_are_named() {
    let (_relay, campaign) = done();
    let chmod = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    for name in ["ledger.db", "ledger.db.lock"] {
        chmod(&campaign.path().join(name), 0o640);
        let told = doctor(&campaign, "bad");
        assert!(told.contains(name) && told.contains("chmod 600"), "{told}");
        chmod(&campaign.path().join(name), 0o600);
    }
    chmod(campaign.path(), 0o777);
    assert!(doctor(&campaign, "bad").contains("everybody can write into the campaign folder"));
    chmod(campaign.path(), 0o755);
    assert!(doctor(&campaign, "warn").contains("every user of this machine can read"));
    chmod(campaign.path(), 0o700);
    campaign.write("relay.password", "hunter2\n");
    chmod(&campaign.path().join("relay.password"), 0o644);
    let file = fs::read_to_string(campaign.path().join("config.toml")).unwrap();
    campaign.write("config.toml", &format!("{file}username = \"us\"\npassword_file = \"relay.password\"\n"));
    let told = doctor(&campaign, "bad");
    assert!(told.contains("relay.password") && told.contains("chmod 600") && !told.contains("hunter2"), "{told}");
    chmod(&campaign.path().join("relay.password"), 0o600);
    is_not_bad(&campaign);
}

#[test]
fn what_a_killed_run_left_open_and_too_few_files_are_told() {
    let (_relay, campaign) = done();
    fs::write(campaign.path().join("ledger.db.new"), "half").unwrap();
    assert!(doctor(&campaign, "warn").contains("ledger.db.new"));
    fs::remove_file(campaign.path().join("ledger.db.new")).unwrap();
    sql(&campaign, "UPDATE message SET state = 'transmitting', token = 5 WHERE id = 1");
    let told = doctor(&campaign, "warn");
    assert!(told.contains("the last one was killed: 1 in transmission, 0 claimed"), "{told}");

    let program = env!("CARGO_BIN_EXE_undersigned");
    let line = format!("ulimit -n 65 && '{program}' --dir '{}' doctor", campaign.path().display());
    let ran = Ran::from(Command::new("sh").args(["-c", &line]).output().unwrap());
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(words(&ran.out).contains("open files: At most 65 may be open"), "{}", ran.out);
}

#[test]
fn a_folder_without_a_ledger_is_no_trouble() {
    let (_relay, campaign) = world(1);
    fs::set_permissions(campaign.path(), Permissions::from_mode(0o700)).unwrap();
    is_not_bad(&campaign);
    assert!(!campaign.ledger().exists(), "and makes none");
}
