//! The sample campaign of this repository, as a newcomer meets it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it cannot go on")]

mod support;

use std::fs;
use std::path::Path;

use support::campaign::Campaign;

fn repository(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

fn sample() -> Campaign {
    let campaign = Campaign::new(1, 0, 1);
    for name in ["config.toml", "contacts.csv", "templates/letter.md", "templates/confirmation.md"] {
        campaign.write(name, &repository(name));
    }
    campaign
}

#[test]
fn the_sample_rehearses_as_it_is_and_leaves_every_message_to_look_at() {
    let campaign = sample();
    let ran = campaign.run(&["rehearse"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let folder = campaign.path().join("rehearsal");
    let messages = fs::read_dir(folder.join("mail/new")).unwrap().count();
    let constituents = repository("contacts.csv").lines().filter(|l| l.starts_with("constituent,")).count();
    let officials = repository("contacts.csv").lines().filter(|l| l.starts_with("official,")).count();
    assert!(constituents >= 60 && officials >= 12, "{constituents} constituents, {officials} officials");
    assert!(messages >= 2 * constituents, "{messages} messages");
    let index = fs::read_to_string(folder.join("index.html")).unwrap();
    assert_eq!(index.matches("target=\"message\"").count(), messages);
    assert!(
        index.contains("sandbox") && !index.contains("<script") && !index.contains("http"),
        "no scripts, nothing remote"
    );
    for words in ["finished", "letters", "confirmations", "a second", "official", "index.html"] {
        assert!(ran.out.contains(words), "{words}: {}", ran.out);
    }
    assert_eq!(campaign.run(&["rehearse"]).code, 0, "again, over the first one");
}

#[test]
fn new_writes_the_same_sample_and_it_rehearses() {
    let folder = tempfile::tempdir().unwrap();
    let campaign = sample();
    let place = folder.path().join("mine");
    let made = campaign.run(&["new", place.to_str().unwrap()]);
    assert_eq!(made.code, 0, "{made:?}");
    assert_eq!(fs::read_to_string(place.join("contacts.csv")).unwrap(), repository("contacts.csv"));
    assert_eq!(campaign.run(&["rehearse", "--dir", place.to_str().unwrap()]).code, 0);
    assert_eq!(campaign.run(&["new", place.to_str().unwrap()]).code, 2, "not over what is there");
}

#[test]
fn check_complains_of_the_two_slips_in_the_sample_with_mistakes_and_of_nothing_else() {
    let campaign = sample();
    campaign.write("contacts.csv", &repository("docs/samples/contacts-with-mistakes.csv"));
    let ran = campaign.run(&["check"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.out.contains("2 rows cannot be used"), "{}", ran.out);
    assert!(!campaign.ledger().exists());
}

#[test]
fn preview_writes_each_letter_as_text_page_and_mail() {
    let campaign = sample();
    let ran = campaign.run(&["preview", "--count", "3"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let names: Vec<String> = fs::read_dir(campaign.path().join("preview"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    for ending in [".eml", ".html", ".txt"] {
        assert!(names.iter().filter(|n| n.ends_with(ending)).count() >= 4, "{names:?}");
    }
    assert!(names.iter().any(|n| n.contains("longest")));
}

#[test]
fn help_fits_eighty_columns_and_names_every_exit_code() {
    let campaign = sample();
    for verb in [
        "", "new", "check", "match", "preview", "rehearse", "test", "send", "status", "log", "retry", "hold",
        "resolve", "dkim",
    ] {
        let args: Vec<&str> = [verb, "--help"].into_iter().filter(|a| !a.is_empty()).collect();
        let output = campaign.command(&args).env("COLUMNS", "80").output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{verb}: {text}");
    }
    let help = campaign.run(&["--help"]).out;
    for code in ["0  done", "3  contacts or letter refused", "130  interrupted twice"] {
        assert!(help.contains(code), "{code}");
    }
}
