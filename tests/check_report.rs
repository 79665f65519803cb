//! What `check` tells: people, in a text that fits their terminal; spreadsheets, in a list; programs, in JSON.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it cannot go on")]

mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use support::campaign::{Campaign, Ran, contacts};

const QUIRKS: &str = include_str!("data/quirks.csv");

fn campaign(contacts: &str) -> Campaign {
    let campaign = Campaign::new(1, 1, 1);
    for name in ["templates/letter.md", "templates/confirmation.md"] {
        campaign.write(name, &fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap());
    }
    campaign.write("contacts.csv", contacts);
    campaign
}

/// As a person runs it who stands in the campaign's folder, so that no path is of this machine.
fn inside(campaign: &Campaign, args: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_undersigned"));
    command.current_dir(campaign.path()).args(args).stdin(Stdio::null()).output().unwrap().into()
}

fn json(campaign: &Campaign, args: &[&str]) -> (i32, Value) {
    let ran = inside(campaign, &[&["check", "--json"], args].concat());
    assert_eq!(ran.err, "", "everything is in the object");
    (ran.code, serde_json::from_str(&ran.out).unwrap_or_else(|e| panic!("{e}: {}", ran.out)))
}

#[test]
fn a_dirty_file_is_told_by_kinds_of_problems_and_fits_eighty_columns() {
    let campaign = campaign(QUIRKS);
    let ran = inside(&campaign, &["check"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    for line in ran.out.lines() {
        assert!(unicode_width::UnicodeWidthStr::width(line) <= 80, "{line}");
    }
    insta::assert_snapshot!("report_of_a_dirty_file", ran.out);
}

#[test]
fn the_sample_with_mistakes_is_told_in_a_few_lines() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/samples/contacts-with-mistakes.csv");
    let campaign = campaign(&fs::read_to_string(sample).unwrap());
    insta::assert_snapshot!("report_of_the_sample_with_mistakes", inside(&campaign, &["check"]).out);
}

#[test]
fn programs_get_the_same_under_keys_that_stay() {
    let campaign = campaign(QUIRKS);
    let (code, mut object) = json(&campaign, &[]);
    assert_eq!(code, 3);
    for long in ["officials", "forecast"] {
        object[long].as_array_mut().unwrap().truncate(2);
    }
    let mut text = serde_json::to_string_pretty(&object).unwrap();
    for forecast in object["forecast"].as_array().unwrap() {
        text = text.replace(forecast["last_letter_at"].as_str().unwrap(), "SOON");
    }
    insta::assert_snapshot!("check_as_json", text);
}

#[test]
fn the_whole_list_is_a_file_for_spreadsheets_and_goes_when_nothing_is_left() {
    let bad = "constituent,,=1+1,pat at mail,Town 0,,,,\n".repeat(10_050);
    let campaign = Campaign::new(1, 1, 1);
    campaign.write("contacts.csv", &(contacts(1, 0..1) + &bad));
    assert_eq!(campaign.run(&["check"]).code, 3);
    let path = campaign.path().join("problems.csv");
    let list = fs::read_to_string(&path).unwrap();
    assert!(list.starts_with("\u{feff}file,line,column,value,problem,advice\n"));
    assert_eq!(list.lines().count(), 10_051, "more than are kept for the report");
    #[cfg(unix)]
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions()) & 0o777, 0o600);

    campaign.write("contacts.csv", "role,name\nofficial,Ana\n");
    assert_eq!(campaign.run(&["check"]).code, 3);
    let list = fs::read_to_string(&path).unwrap();
    assert!(
        !list.contains("pat at mail") && list.contains("contacts.csv"),
        "a list is never of an earlier run: {list}"
    );

    campaign.write("contacts.csv", &contacts(1, 0..1));
    assert_eq!(campaign.run(&["check"]).code, 0);
    assert!(!path.exists());
}

#[test]
fn the_last_words_say_whether_a_letter_has_a_gap_or_a_row_was_left_out() {
    let header = contacts(1, 0..0);
    let signer =
        |address: &str, town: &str| format!("constituent,,Pat Ng,pat@x.example,{town},{address},60601,2026-03-04,\n");
    for (rows, expected) in [
        (signer("1 Main St", "Town 0"), "Everything is in order."),
        (signer("", "Town 0"), "Letters can go, but some have a hole where a cell is empty"),
        (
            signer("1 Main St", "Town 0") + &signer("2 Main St", "Nowhere").replace("Pat", "Bo"),
            "Everything else is in order.",
        ),
    ] {
        let campaign = campaign(&(header.clone() + &rows));
        let ran = inside(&campaign, &["check", "--skip-bad"]);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(ran.out.contains(expected), "{expected}: {}", ran.out);
        assert!(ran.out.trim_end().ends_with("Nothing was sent."), "{}", ran.out);
    }
    let campaign = campaign(&header);
    let ran = inside(&campaign, &["check"]);
    assert!(!ran.out.contains("busiest officials"), "a table of nothing: {}", ran.out);
}

#[test]
fn a_refusal_is_an_object_too_with_every_reason() {
    let campaign = Campaign::new(1, 1, 1);
    let (code, object) = json(&campaign, &[]);
    assert_eq!((code, &object["launchable"], &object["exit"]), (0, &Value::Bool(true), &Value::from(0)));

    campaign.write("contacts.csv", "role,name\nofficial,Ana\n");
    let (code, object) = json(&campaign, &[]);
    assert_eq!((code, &object["error"]["exit"]), (3, &Value::from(3)));
    let problems = object["error"]["problems"].as_array().unwrap();
    assert!(problems.len() == 2 && problems.iter().all(|p| p["line"] == 1 && p["file"].is_string()), "{object}");

    campaign.write("contacts.csv", &contacts(1, 0..1));
    campaign.write("templates/letter.md", "Subject: A\n\n{{ constituent.nmae }}\n");
    let (code, object) = json(&campaign, &[]);
    assert!(code == 3 && object["error"]["problems"][0]["problem"].as_str().unwrap().contains("nmae"), "{object}");

    campaign.write("config.toml", "[campaign]\nnmae = \"x\"\n");
    let (code, object) = json(&campaign, &[]);
    assert!(code == 2 && object["error"]["message"].as_str().unwrap().contains("nmae"), "{object}");
}

#[cfg(unix)]
#[test]
fn a_list_that_cannot_be_written_stops_nothing() {
    let campaign = Campaign::new(1, 1, 1);
    campaign.write("contacts.csv", &(contacts(1, 0..1) + "constituent,,Pat,pat,Town 0,,,,\n"));
    fs::create_dir(campaign.path().join("problems.csv")).unwrap(); // whoever runs this may be root
    let ran = campaign.run(&["check"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.out.contains("could not be written") && ran.out.contains("1 row cannot be used"), "{}", ran.out);
}
