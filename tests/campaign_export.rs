//! What became of everybody, beside the rows of staff's own files; and what failed, mended and sent again.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it cannot go on")]

mod support;

use std::fs;

use support::campaign::{Campaign, constituent_rows, contacts};
use support::relay::{Action, Options, ScriptedRelay, Step};

/// A relay that knows no mailbox `mayor1@…`.
fn relay() -> ScriptedRelay {
    ScriptedRelay::start(Options::default(), |at| match at.step {
        Step::Rcpt if at.to == "mayor1@town1.example" => Action::reply("550 5.1.1 no such mailbox"),
        _ => Action::Default,
    })
}

/// The rows of a CSV file that we wrote, its header first.
fn table(campaign: &Campaign, name: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(campaign.path().join(name)).unwrap();
    let text = text.strip_prefix('\u{feff}').expect("spreadsheets need the mark");
    let delimiter = if text.lines().next().unwrap().contains(';') { b';' } else { b',' };
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(text.as_bytes());
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

fn letters_to(relay: &ScriptedRelay, mailbox: &str) -> usize {
    relay.record.entries().iter().filter(|e| e.to == [mailbox]).count()
}

#[test]
fn every_row_comes_back_in_its_place_with_what_became_of_it() {
    let relay = relay();
    let campaign = Campaign::new(3, 3, relay.port());
    let rows = contacts(3, 0..3)
        + ",,,,,,,,\n"
        + &constituent_rows(3, 0..1)
        + "constituent,,Pat,pat at mail,Town 0,,,,=1+1\n"
        + "constituent,,Kim,kim@mail.example,Nowhere,\"1 Main St, 2nd floor\",,,\"two\nlines\"\n";
    campaign.write("contacts.csv", &rows);
    assert_eq!(campaign.run(&["send", "--yes", "--skip-bad"]).code, 5);
    let ran = campaign.run(&["export"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let theirs: Vec<Vec<String>> = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(rows.as_bytes())
        .records()
        .map(|row| row.unwrap().iter().map(str::to_owned).collect())
        .collect();
    let written = table(&campaign, "contacts-status.csv");
    assert_eq!(written.len(), theirs.len());
    assert_eq!(written[0][9..], ["state", "time", "last reply", "advice"]);
    for (theirs, written) in theirs.iter().zip(&written) {
        let disarmed: Vec<String> = theirs.iter().map(|c| c.replace("=1+1", "'=1+1")).collect();
        assert_eq!(written[..9], disarmed);
    }
    let state = |row: usize| written[row].get(9).map_or("", String::as_str);
    for (row, expected) in [
        (1, "1 sent"),
        (2, "1 bounced"),
        (4, "sent"),
        (5, "bounced"),
        (6, "sent"),
        (7, ""),
        (8, "listed twice"),
        (9, "not used"),
        (10, "not used"),
    ] {
        assert_eq!(state(row), expected, "row {row}: {:?}", written[row]);
    }
    assert_eq!(written[7].len(), 9, "a blank row is left as it is");
    assert!(written[5][11].contains("no such mailbox") && written[5][12].contains("retry"), "{:?}", written[5]);
    assert!(written[4][10].starts_with("20") && written[4][12].is_empty());
    assert!(written[8][12].contains("line 5"), "{:?}", written[8]);
    assert!(written[9][12].contains("email") && written[10][12].contains("no official"), "{:?}", &written[9..]);
    #[cfg(unix)]
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(
            &fs::metadata(campaign.path().join("contacts-status.csv")).unwrap().permissions()
        ) & 0o777,
        0o600
    );
}

#[test]
fn headers_of_theirs_keep_their_names_and_a_file_with_semicolons_stays_one() {
    let relay = relay();
    let campaign = Campaign::new(1, 1, relay.port());
    campaign.write("contacts.csv", &contacts(1, 0..1).replace(',', ";").replace(";note", ";State"));
    assert_eq!(campaign.send().code, 0);
    assert_eq!(campaign.run(&["export"]).code, 0);
    let written = table(&campaign, "contacts-status.csv");
    assert_eq!(written[0][8..], ["State", "state 2", "time", "last reply", "advice"]);
    assert!(fs::read_to_string(campaign.path().join("contacts-status.csv")).unwrap().contains("signer0@mail.example;"));
    let over = campaign.run(&["export", "--out", campaign.path().join("contacts.csv").to_str().unwrap()]);
    assert_eq!(over.code, 3, "it never writes over the contacts: {over:?}");
}

#[test]
fn people_who_are_no_longer_in_the_file_are_counted() {
    let relay = relay();
    let campaign = Campaign::new(2, 4, relay.port());
    campaign.send();
    campaign.write("contacts.csv", &contacts(2, 0..2));
    let ran = campaign.run(&["export"]);
    assert!(ran.out.contains("0 officials and 2 constituents"), "{ran:?}");
    assert_eq!(Campaign::new(1, 1, 1).run(&["export"]).code, 2, "without a ledger there is nothing to tell");
}

#[test]
fn what_failed_can_be_mended_and_sent_again_and_nobody_gets_a_second_letter() {
    let relay = relay();
    let campaign = Campaign::new(3, 9, relay.port());
    let bad = contacts(3, 0..9) + "constituent,,Pat,pat at mail.example,Town 2,1 Main St,60000,2026-10-01,\n";
    campaign.write("contacts.csv", &bad);
    assert_eq!(campaign.run(&["send", "--yes", "--skip-bad"]).code, 5);
    let before = relay.record.entries().len();
    let ran = campaign.run(&["export", "--failed"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("send --set contacts.files=failed.csv"), "{}", ran.out);
    let rows = table(&campaign, "failed.csv");
    assert_eq!(rows[0][..4], ["line", "problem", "advice", "role"]);
    let names: Vec<&str> = rows[1..].iter().map(|row| row[5].as_str()).collect();
    assert_eq!(names, ["Official 1", "Official 2", "Signer 1", "Signer 4", "Signer 7", "Pat"]);
    assert!(rows[1][1].contains("no such mailbox"), "{:?}", rows[1]);
    assert!(rows[2][1].is_empty() && rows[2][2].contains("nothing to do"), "{:?}", rows[2]);

    let failed = campaign.path().join("failed.csv");
    let mended = fs::read_to_string(&failed)
        .unwrap()
        .replace("mayor1@town1.example", "office@town1.example")
        .replace("pat at mail.example", "pat@mail.example");
    fs::write(&failed, mended).unwrap();
    let ran = campaign.run(&["send", "--yes", "--set", "contacts.files=failed.csv"]);
    assert_eq!(ran.code, 5, "the letters to the old address stay as they were: {ran:?}");
    assert_eq!(letters_to(&relay, "office@town1.example"), 3);
    assert_eq!(letters_to(&relay, "mayor0@town0.example"), 3);
    assert_eq!(letters_to(&relay, "mayor2@town2.example"), 4, "three before, and now Pat's");
    assert!(relay.record.entries().len() > before);
    campaign.must_be_sound();
}

#[test]
fn an_official_who_got_some_letters_before_their_mailbox_failed_gets_only_the_others_at_the_new_one() {
    let relay = ScriptedRelay::start(Options::default(), |at| match at.step {
        Step::Rcpt if at.to == "mayor0@town0.example" && at.message_of_all > 3 => {
            Action::reply("550 5.1.1 no such mailbox")
        }
        _ => Action::Default,
    });
    let campaign = Campaign::new(1, 6, relay.port());
    campaign.configure(relay.port(), "connections = 1");
    campaign.send();
    let sent = letters_to(&relay, "mayor0@town0.example");
    assert!((1..6).contains(&sent), "{sent}");
    campaign.write("contacts.csv", &contacts(1, 0..6).replace("mayor0@", "office@"));
    let ran = campaign.send();
    assert!(ran.code == 3 && ran.err.contains("export --failed"), "all six would be written again: {ran:?}");

    campaign.write("contacts.csv", &contacts(1, 0..6));
    assert_eq!(campaign.run(&["export", "--failed"]).code, 0);
    let failed = campaign.path().join("failed.csv");
    let mended = fs::read_to_string(&failed).unwrap().replace("mayor0@town0.example", "office@town0.example");
    fs::write(&failed, mended).unwrap();
    let ran = campaign.run(&["send", "--yes", "--set", "contacts.files=failed.csv"]);
    assert_eq!(letters_to(&relay, "office@town0.example"), 6 - sent, "{ran:?}");
    assert_eq!(letters_to(&relay, "mayor0@town0.example"), sent);
    campaign.must_be_sound();
}

#[test]
fn two_files_without_roles_become_one_that_tells_them_apart() {
    let relay = relay();
    let campaign = Campaign::new(2, 4, relay.port());
    let all = contacts(2, 0..4);
    let of = |role: &str| {
        let rows = all.lines().filter(|l| l.starts_with(role) || l.starts_with("role"));
        rows.map(|l| l.split_once(',').unwrap().1.to_owned() + "\n").collect::<String>()
    };
    campaign.write("officials.csv", &of("official"));
    campaign.write("constituents.csv", &of("constituent"));
    let config = fs::read_to_string(campaign.path().join("config.toml")).unwrap();
    let two = "[contacts]\nofficials = \"officials.csv\"\nconstituents = \"constituents.csv\"\n";
    campaign.write("config.toml", &format!("{two}{config}"));
    assert_eq!(campaign.send().code, 5);
    assert_eq!(campaign.run(&["export"]).code, 0);
    assert_eq!(table(&campaign, "officials-status.csv")[1].last().map(String::is_empty), Some(true));
    assert_eq!(table(&campaign, "constituents-status.csv").len(), 5);

    assert_eq!(campaign.run(&["export", "--failed"]).code, 0);
    let failed = campaign.path().join("failed.csv");
    let mended = fs::read_to_string(&failed).unwrap().replace("mayor1@town1.example", "office@town1.example");
    fs::write(&failed, mended).unwrap();
    let ran = campaign.run(&["send", "--yes", "--set", "contacts.files=failed.csv"]);
    assert_eq!(letters_to(&relay, "office@town1.example"), 2, "{ran:?}");
    assert_eq!(letters_to(&relay, "mayor0@town0.example"), 2);
}

#[test]
fn where_nothing_failed_there_is_no_file_to_mend() {
    let relay = relay();
    let campaign = Campaign::new(1, 1, relay.port());
    assert_eq!(campaign.send().code, 0);
    let ran = campaign.run(&["export", "--failed"]);
    assert!(ran.code == 0 && ran.out.contains("Nothing failed"), "{ran:?}");
    assert!(!campaign.path().join("failed.csv").exists());
}
