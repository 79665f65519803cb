//! A `send` that goes on: where nothing has changed it plans nothing, and where anything has it plans everything.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it cannot go on")]

mod support;

use std::fs;

use support::campaign::{Campaign, LETTER, Ran, constituent_rows, contacts};
use support::relay::ScriptedRelay;

const NOTHING_NEW: &str = "Nothing new";

fn one_letter(campaign: &Campaign, more: &[&str]) -> Ran {
    campaign.run(&[&["send", "--yes", "--limit", "1"], more].concat())
}

/// A campaign of four letters, of which one is out.
fn begun(relay: &ScriptedRelay) -> Campaign {
    let campaign = Campaign::new(2, 4, relay.port());
    let first = one_letter(&campaign, &[]);
    assert_eq!(first.code, 0, "{first:?}");
    assert!(!first.out.contains(NOTHING_NEW), "{first:?}");
    campaign
}

fn append(campaign: &Campaign, name: &str, text: &str) {
    let before = fs::read_to_string(campaign.path().join(name)).unwrap_or_default();
    campaign.write(name, &(before + text));
}

#[test]
fn where_nothing_has_changed_the_next_send_goes_on_at_once_and_says_how_things_stand() {
    let relay = ScriptedRelay::kind();
    let campaign = begun(&relay);
    fs::write(campaign.path().join("problems.csv"), "left behind by planning, were there any").unwrap();
    let second = campaign.send();
    assert_eq!(second.code, 0, "{second:?}");
    assert!(second.out.starts_with(NOTHING_NEW), "{second:?}");
    let words: Vec<&str> = second.out.split_whitespace().collect();
    assert!(words.windows(2).any(|pair| pair == ["queued", "3"]), "{second:?}");
    assert_eq!(relay.record.count(), 8);
    let left = fs::read_to_string(campaign.path().join("problems.csv")).unwrap();
    assert!(left.starts_with("left behind"), "planning went over it: {left}");
    campaign.must_be_sound();
}

#[test]
fn whatever_a_plan_may_come_out_of_is_planned_again_when_it_changes() {
    type Change = fn(&Campaign) -> Vec<&'static str>;
    let table: [(&str, Change, bool); 9] = [
        ("nothing", |_| vec![], true),
        ("the pace", |_| vec!["--set", "pace.per_domain=1000/s"], true),
        ("the relay", |_| vec!["--set", "relay.main.connections=3"], true),
        ("the folder's own files", |c| (append(c, "notes.txt", "call Jo"), vec![]).1, true),
        ("one byte of the contacts", |c| (append(c, "contacts.csv", "\n"), vec![]).1, false),
        ("the spellings", |c| (append(c, "aliases.csv", "written,means\nTown Zero,Town 0\n"), vec![]).1, false),
        ("the sender", |_| vec!["--set", "campaign.sender=b@campaign.example"], false),
        ("how notes are cut", |_| vec!["--set", "contacts.note_chars_max=99"], false),
        ("what bad rows do", |_| vec!["--skip-bad"], false),
    ];
    for (what, change, goes_on) in table {
        let relay = ScriptedRelay::kind();
        let campaign = begun(&relay);
        let more = change(&campaign);
        let second = one_letter(&campaign, &more);
        assert_eq!(second.code, 0, "{what}: {second:?}");
        assert_eq!(second.out.contains(NOTHING_NEW), goes_on, "{what}: {second:?}");
        let third = one_letter(&campaign, &more);
        assert!(third.out.contains(NOTHING_NEW), "{what}, planned again: {third:?}");
    }
}

#[test]
fn a_row_that_was_added_goes_out_and_a_changed_text_is_refused_as_ever() {
    let relay = ScriptedRelay::kind();
    let campaign = begun(&relay);
    append(&campaign, "contacts.csv", &constituent_rows(2, 4..5));
    assert_eq!(campaign.send().code, 0);
    assert_eq!(relay.record.count(), 10);
    campaign.write("templates/letter.md", &LETTER.replace("*act*", "*wait*"));
    for _ in 0..2 {
        let refused = campaign.send();
        assert_eq!(refused.code, 3, "{refused:?}");
        assert!(refused.err.contains("--accept-changed-letter"), "{refused:?}");
    }
    assert_eq!(campaign.run(&["send", "--yes", "--accept-changed-letter"]).code, 0);
    assert!(campaign.send().out.contains(NOTHING_NEW));
}

#[test]
fn somebody_who_was_corrected_is_noticed_again_and_again() {
    let relay = ScriptedRelay::kind();
    let campaign = begun(&relay);
    assert!(one_letter(&campaign, &[]).out.contains(NOTHING_NEW));
    campaign.write("contacts.csv", &contacts(2, 0..4).replace("signer0@", "signer-zero@"));
    for _ in 0..2 {
        let refused = campaign.send();
        assert_eq!(refused.code, 3, "{refused:?}");
        assert!(refused.err.contains("--accept-changed-people"), "{refused:?}");
    }
}

#[test]
fn bad_rows_that_were_skipped_once_stop_a_send_that_does_not_skip_them() {
    let relay = ScriptedRelay::kind();
    let campaign = Campaign::new(2, 4, relay.port());
    append(&campaign, "contacts.csv", "constituent,,Nobody,not-an-address,Town 0,1 Main St,60000,2026-10-01,\n");
    assert_eq!(one_letter(&campaign, &["--skip-bad"]).code, 0);
    let refused = campaign.send();
    assert_eq!(refused.code, 3, "{refused:?}");
    let goes_on = campaign.run(&["send", "--yes", "--skip-bad"]);
    assert!(goes_on.out.contains(NOTHING_NEW), "{goes_on:?}");
    assert_eq!(relay.record.count(), 8);
}

#[test]
fn a_letter_that_names_a_column_of_the_file_is_filled_in_without_reading_the_file_again() {
    let relay = ScriptedRelay::kind();
    let campaign = Campaign::new(1, 0, relay.port());
    let table = "role,title,name,email,jurisdiction,address,pet\n\
                 official,Mayor,Ada,ada@town.example,Town 0,,\n\
                 constituent,,Jo,jo@mail.example,Town 0,1 Main St,a parrot\n\
                 constituent,,Li,li@mail.example,Town 0,2 Main St,a goldfish\n";
    campaign.write("contacts.csv", table);
    campaign.write("templates/letter.md", &LETTER.replace("please *act*", "I have {{ constituent.pet }}"));
    let first = one_letter(&campaign, &[]);
    assert_eq!(first.code, 0, "{first:?}");
    assert!(campaign.send().out.contains(NOTHING_NEW));
    let to_ada = |words: &str| {
        let entries = relay.record.entries();
        let letters = entries.iter().filter(|e| e.to == ["ada@town.example"]);
        letters.filter(|e| String::from_utf8_lossy(&e.bytes).contains(words)).count()
    };
    assert!(to_ada("a parrot") >= 1 && to_ada("a goldfish") >= 1);
}

#[test]
fn going_on_asks_for_the_campaigns_name_too() {
    let relay = ScriptedRelay::kind();
    let campaign = begun(&relay);
    let before = relay.record.count();
    let refused = campaign.run(&["send"]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.out.contains(NOTHING_NEW) && refused.err.contains("--yes"), "{refused:?}");
    assert_eq!(relay.record.count(), before);
}
