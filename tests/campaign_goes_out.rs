//! A whole campaign, with the real program over real sockets: who gets what, and that it goes out once.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test ends where it cannot go on, and says what it skips"
)]

mod support;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::{Command, Stdio};

use support::campaign::{CONFIRMATION, Campaign, LETTER, constituent_rows, contacts};
use support::record::Entry;
use support::relay::ScriptedRelay;

fn header(entry: &Entry, name: &str) -> String {
    let text = String::from_utf8(entry.bytes.clone()).unwrap();
    let start = format!("{name}: ");
    text.lines().take_while(|l| !l.is_empty()).find_map(|l| l.strip_prefix(&start)).unwrap_or_default().to_owned()
}

#[test]
fn every_letter_reaches_its_official_and_every_constituent_is_told_once() {
    let relay = ScriptedRelay::kind();
    let campaign = Campaign::new(7, 50, relay.port());
    let ran = campaign.send();
    assert_eq!(ran.code, 0, "{ran:?}");

    let entries = relay.record.entries();
    assert_eq!(entries.len(), 100);
    let mut by_reference: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in &entries {
        *by_reference.entry(&entry.reference).or_default() += 1;
        assert_eq!(entry.to.len(), 1);
    }
    assert!(by_reference.values().all(|&copies| copies == 1));
    for n in 0..50 {
        let from = format!("\"Signer {n} via Test Campaign\" <letters@campaign.example>");
        let letter: Vec<&Entry> =
            entries.iter().filter(|e| header(e, "From").replace('"', "") == from.replace('"', "")).collect();
        assert_eq!(letter.len(), 1, "{from}");
        assert_eq!(letter[0].to, [format!("mayor{}@town{0}.example", n % 7)]);
        let told = entries.iter().filter(|e| e.to == [format!("signer{n}@mail.example")]).count();
        assert_eq!(told, 1);
    }
    let status = campaign.status();
    assert_eq!(status["state"], "finished");
    assert_eq!(status["letters"]["sent"], 50);
    assert_eq!(status["confirmations"]["sent"], 50);
    campaign.must_be_sound();
}

#[test]
fn a_second_send_sends_nothing_and_new_rows_alone_go_out() {
    let relay = ScriptedRelay::kind();
    let campaign = Campaign::new(2, 4, relay.port());
    assert_eq!(campaign.send().code, 0);
    assert_eq!(relay.record.count(), 8);
    assert_eq!(campaign.send().code, 0);
    assert_eq!(relay.record.count(), 8);
    campaign.write("contacts.csv", &(contacts(2, 0..4) + &constituent_rows(2, 4..6)));
    assert_eq!(campaign.send().code, 0);
    assert_eq!(relay.record.count(), 12);
}

#[test]
fn an_edit_during_a_campaign_changes_nothing_by_accident() {
    let relay = ScriptedRelay::kind();
    let campaign = Campaign::new(1, 2, relay.port());
    assert_eq!(campaign.run(&["send", "--yes", "--limit", "1"]).code, 0);
    let before = relay.record.count();
    campaign.write("templates/letter.md", &LETTER.replace("please *act*", "never mind"));
    let refused = campaign.send();
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(refused.err.contains("--accept-changed-letter"), "{refused:?}");
    assert_eq!(relay.record.count(), before);

    assert_eq!(campaign.run(&["send", "--yes", "--accept-changed-letter"]).code, 0);
    let letters: Vec<String> = relay
        .record
        .entries()
        .iter()
        .filter(|e| e.to[0].starts_with("mayor"))
        .map(|e| String::from_utf8_lossy(&e.bytes).into_owned())
        .collect();
    assert_eq!(letters.len(), 2);
    assert_eq!(letters.iter().filter(|l| l.contains("never mind")).count(), 1, "what was sent keeps its text");
}

#[test]
fn a_bad_row_stops_the_launch_until_it_is_skipped() {
    let relay = ScriptedRelay::kind();
    let campaign = Campaign::new(1, 2, relay.port());
    let bad = "constituent,,Nobody,not-an-address,Town 0,1 Main St,60000,2026-10-01,\n\
               constituent,,Far Away,far@mail.example,Nowhere,1 Main St,60000,2026-10-01,\n";
    campaign.write("contacts.csv", &(contacts(1, 0..2) + bad));
    let refused = campaign.send();
    assert_eq!(refused.code, 3, "{refused:?}");
    for words in ["line 5", "not-an-address", "line 6", "Nowhere"] {
        assert!(refused.out.contains(words), "{words}: {}", refused.out);
    }
    assert_eq!(relay.record.count(), 0);
    assert!(!campaign.ledger().exists());

    assert_eq!(campaign.run(&["send", "--yes", "--skip-bad"]).code, 0);
    assert_eq!(relay.record.count(), 4);
    let refused = std::fs::read_to_string(campaign.path().join("refused.csv")).unwrap();
    assert!(refused.contains("not-an-address") && refused.contains("Nowhere"), "{refused}");
}

#[test]
fn a_field_that_no_column_has_is_refused_before_anything_is_sent() {
    let relay = ScriptedRelay::kind();
    let campaign = Campaign::new(1, 1, relay.port());
    for text in [
        LETTER.replace("{{ constituent.address }}", "{{ constituent.adress }}"),
        LETTER.replace("please", "{% if constituent.adress %}please{% endif %}"),
    ] {
        campaign.write("templates/letter.md", &text);
        let refused = campaign.send();
        assert_eq!(refused.code, 3, "{refused:?}");
        assert!(refused.err.contains("constituent.address"), "{refused:?}");
    }
    assert_eq!(relay.record.count(), 0);
}

#[test]
fn send_without_a_relay_and_send_without_a_word_of_consent_send_nothing() {
    let relay = ScriptedRelay::kind();
    let campaign = Campaign::new(1, 1, relay.port());
    let refused = campaign.run(&["send"]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.err.contains("--yes"));
    campaign.write("config.toml", "");
    let refused = campaign.run(&["send", "--yes"]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.err.contains("rehearse"));
    assert_eq!(relay.record.count(), 0);
}

#[test]
fn an_official_without_a_mailbox_makes_letters_wait_and_the_rest_go_out() {
    let relay = ScriptedRelay::kind();
    let campaign = Campaign::new(2, 4, relay.port());
    campaign.write("contacts.csv", &contacts(2, 0..4).replace("mayor1@town1.example", ""));
    let ran = campaign.send();
    assert_eq!(ran.code, 7, "{ran:?}");
    assert_eq!(campaign.letters("sent"), 2);
    assert_eq!(campaign.letters("held"), 2);
    assert_eq!(relay.record.count(), 4);
}

#[test]
fn test_sends_to_staff_alone_and_leaves_no_ledger() {
    let relay = ScriptedRelay::kind();
    let campaign = Campaign::new(3, 9, relay.port());
    let ran = campaign.run(&["test", "--to", "staff@org.example", "--count", "2"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let entries = relay.record.entries();
    assert_eq!(entries.len(), 2);
    for entry in entries {
        assert_eq!(entry.to, ["staff@org.example"]);
        assert!(header(&entry, "Subject").starts_with("[TEST] "), "{}", header(&entry, "Subject"));
        assert!(header(&entry, "To").contains("staff@org.example"));
        assert!(!String::from_utf8_lossy(&entry.bytes).contains("mayor"), "no address of an official in a test");
    }
    assert!(!campaign.ledger().exists());
}

#[test]
fn confirmations_can_be_one_a_letter_or_none() {
    for (confirm, expected) in [("letter", 4), ("constituent", 2), ("never", 0)] {
        let relay = ScriptedRelay::kind();
        let campaign = Campaign::new(1, 2, relay.port());
        let second = "official,Clerk,Second,clerk@town0.example,Town 0,,,,\n";
        campaign.write("contacts.csv", &(contacts(1, 0..2) + second));
        let confirm_key = format!("campaign.confirm={confirm}");
        assert_eq!(campaign.run(&["send", "--yes", "--set", &confirm_key]).code, 0);
        let told = relay.record.entries().iter().filter(|e| e.to[0].starts_with("signer")).count();
        assert_eq!(told, expected, "{confirm}");
    }
}

#[test]
fn headers_parse_back_with_another_language_s_parser() {
    if Command::new("python3").arg("--version").stdout(Stdio::null()).status().is_err() {
        println!("skipped: no python3");
        return;
    }
    let relay = ScriptedRelay::kind();
    let campaign = Campaign::new(1, 0, relay.port());
    let names = ["Doe, Jane", "Smith (Jr.)", "O'Neil", "Zoë Müller-Weiß", "李小龍", "A.B. <C>", "{{ config }}"];
    let mut csv = contacts(1, 0..0);
    for (n, name) in names.iter().enumerate() {
        writeln!(csv, "constituent,,\"{name}\",s{n}@mail.example,Town 0,\"1 Main St\nApt {n}\",60000,2026-10-01,")
            .unwrap();
    }
    campaign.write("contacts.csv", &csv);
    assert_eq!(campaign.send().code, 0);
    for entry in relay.record.entries().iter().filter(|e| e.to[0].starts_with("mayor")) {
        let path = campaign.path().join("one.eml");
        std::fs::write(&path, &entry.bytes).unwrap();
        let script = "import sys,email,email.policy\n\
            m=email.message_from_binary_file(open(sys.argv[1],'rb'),policy=email.policy.default)\n\
            r=m['Reply-To'].addresses[0]; f=m['From'].addresses[0]\n\
            assert not m.defects and len(m['To'].addresses)==1 and m['Cc'] is None and m['Bcc'] is None\n\
            print(r.display_name); print(r.addr_spec); print(f.display_name); print(f.addr_spec)";
        let parsed = Command::new("python3").args(["-c", script]).arg(&path).output().unwrap();
        let parsed = String::from_utf8(parsed.stdout).unwrap();
        let lines: Vec<&str> = parsed.lines().collect();
        let n: usize = lines[1].trim_start_matches('s').split('@').next().unwrap().parse().unwrap();
        assert_eq!(lines[0], names[n]);
        assert_eq!(lines[2], format!("{} via Test Campaign", names[n]));
        assert_eq!(lines[3], "letters@campaign.example");
    }
}

#[test]
fn the_confirmation_carries_the_letter_as_it_was_sent() {
    let relay = ScriptedRelay::kind();
    let campaign = Campaign::new(1, 1, relay.port());
    campaign.write("templates/confirmation.md", CONFIRMATION);
    assert_eq!(campaign.send().code, 0);
    let entries = relay.record.entries();
    let told = entries.iter().find(|e| e.to[0].starts_with("signer")).unwrap();
    let text = String::from_utf8_lossy(&told.bytes);
    for words in ["> Dear Mayor Official 0,", "To Official 0: sent", "Auto-Submitted: auto-generated"] {
        assert!(text.contains(words), "{words}\n{text}");
    }
}

#[test]
fn a_limited_run_sends_so_many_letters_and_their_confirmations() {
    let relay = ScriptedRelay::kind();
    let campaign = Campaign::new(3, 9, relay.port());
    assert_eq!(campaign.run(&["send", "--yes", "--limit", "4"]).code, 0);
    let status = campaign.status();
    assert_eq!(status["letters"]["sent"], 4);
    assert_eq!(status["confirmations"]["sent"], 4);
    assert_eq!(status["state"], "paused");
    assert_eq!(campaign.send().code, 0);
    assert_eq!(relay.record.count(), 18);
}

#[test]
fn a_corrected_address_does_not_send_a_second_letter_unasked() {
    let relay = ScriptedRelay::kind();
    let campaign = Campaign::new(2, 4, relay.port());
    assert_eq!(campaign.send().code, 0);
    for (from, to) in [
        ("signer1@mail.example", "signer1@other.example"),
        ("mayor1@town1.example", "m1@town1.example"),
        ("Official 1", "Official One"),
        ("Mayor,Official 1", "Village President,Official 1"),
        ("Town 1", "Town One"),
    ] {
        campaign.write("contacts.csv", &contacts(2, 0..4).replace(from, to));
        let refused = campaign.send();
        assert_eq!(refused.code, 3, "{refused:?}");
        assert!(refused.err.contains("--accept-changed-people") && refused.err.contains("line"), "{refused:?}");
        assert_eq!(relay.record.count(), 8);
    }
    // Nobody wrote to the one who is gone.
    let gone = "official,Mayor,Gone,office@far.example,Far,,,,\n";
    campaign.write("contacts.csv", &(contacts(2, 0..4) + gone));
    assert_eq!(campaign.send().code, 0);
    campaign.write("contacts.csv", &(contacts(2, 0..4) + &gone.replace("Gone", "Successor")));
    assert_eq!(campaign.send().code, 0);
    // Two officials of one office with one mailbox, both in the file.
    let clerk = "official,Clerk,Second,mayor0@town0.example,Town 7,,,,\n";
    campaign.write("contacts.csv", &(contacts(2, 0..4) + clerk));
    assert_eq!(campaign.send().code, 0);
    // Somebody else of the same name, beside the first, is nobody's slip.
    let namesake = "constituent,,Signer 1,another@mail.example,Town 1,9 Elm St,60000,2026-10-01,\n";
    campaign.write("contacts.csv", &(contacts(2, 0..4) + namesake));
    assert_eq!(campaign.send().code, 0);
    assert_eq!(relay.record.count(), 10);
}

#[test]
fn letters_that_waited_for_a_mailbox_go_out_once_it_is_there() {
    let relay = ScriptedRelay::kind();
    let campaign = Campaign::new(2, 4, relay.port());
    campaign.write("contacts.csv", &contacts(2, 0..4).replace("mayor1@town1.example", ""));
    assert_eq!(campaign.send().code, 7);
    campaign.write("contacts.csv", &contacts(2, 0..4));
    let ran = campaign.send();
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(campaign.letters("sent"), 4);
    assert_eq!(campaign.letters("total"), 4);
    assert_eq!(relay.record.count(), 8);
}

#[test]
fn a_letter_that_comes_later_is_confirmed_too_and_alone() {
    let relay = ScriptedRelay::kind();
    let campaign = Campaign::new(1, 2, relay.port());
    assert_eq!(campaign.send().code, 0);
    campaign.write("contacts.csv", &(contacts(1, 0..2) + "official,Clerk,Second,clerk@town0.example,Town 0,,,,\n"));
    assert_eq!(campaign.send().code, 0);
    let told: Vec<String> = relay
        .record
        .entries()
        .iter()
        .filter(|e| e.to == ["signer0@mail.example"])
        .map(|e| String::from_utf8_lossy(&e.bytes).into_owned())
        .collect();
    assert_eq!(told.len(), 2);
    assert!(told[1].contains("To Second: sent") && !told[1].contains("To Official 0"), "{}", told[1]);
    assert_eq!(campaign.letters("sent"), 4);
    assert_eq!(campaign.send().code, 0);
    assert_eq!(relay.record.count(), 8);
}
