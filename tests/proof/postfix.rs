//! A real Postfix between the program and a sink: bytes arrive as they were written, under one queue id a Message-ID,
//! also where the program is killed in the middle.
//!
//! Starting one needs root.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::support::campaign::Campaign;
use crate::support::postfix::Postfix;
use crate::support::proof;
use crate::support::record::Entry;
use crate::support::relay::ScriptedRelay;

/// Message-ID → the queue ids under which it was taken.
fn queue_ids(log: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut taken: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in log.lines() {
        let Some((before, id)) = line.split_once(": message-id=<") else { continue };
        let queue_id = before.rsplit(' ').next().unwrap().to_owned();
        taken.entry(id.trim_end_matches('>').to_owned()).or_default().insert(queue_id);
    }
    taken
}

/// Values that have tripped up mail programs: dots, line breaks of every kind, `From `, letters of every alphabet.
fn awkward_contacts() -> (String, usize) {
    let long = "long ".repeat(1_000);
    let unbroken = "x".repeat(5_000);
    let notes = [
        ".",
        "..",
        ".\r\n.\r\nQUIT",
        "From me\nFrom you",
        "Grüße 🎈 從香港",
        &long,
        &unbroken,
        "a\rb",
        "=2E=0D=0A.=0D=0A",
        "--=_k3m9x2-1\nContent-Type: text/html",
        "<b>&amp;</b> {{ config }}",
        "tab\tand  two spaces  ",
    ];
    let names = ["Doe, Jane", "O'Neil", "Zoë Müller-Weiß", "李小龍", "محمد بن عبد الله", "Łukasz (Jr.)"];
    let mut csv = String::from("role,title,name,email,jurisdiction,address,postcode,signed_on,note\n");
    for (n, name) in ["Åsa d'Ávila", "Bob \"\"B\"\" Ray"].iter().enumerate() {
        writeln!(csv, "official,Mayor,\"{name}\",mayor{n}@town{n}.example,Town {n},,,,").unwrap();
    }
    let mut constituents = 0;
    for note in notes {
        for name in names {
            let (n, town) = (constituents, constituents % 2);
            writeln!(csv, "constituent,,\"{name}\",s{n}@mail.example,Town {town},{n} St,60000,2026-10-01,\"{note}\"")
                .unwrap();
            constituents += 1;
        }
    }
    (csv, constituents)
}

const SEND: [&str; 4] = ["send", "--yes", "--set", "contacts.note_chars_max=9000"];

const LETTER: &str = "Subject: {{ constituent.name }} 🎈 asks the Mayor of a town with a long name, and of every other \
town that has one, to read this subject to its very end: São Paulo, Łódź, Ærøskøbing, 香港, and all the rest of them\n\n\
Dear {{ official.title }} {{ official.name }},\n\n.\n\n..\n\n.hidden\n\nFrom here on 🎈\n\n{{ constituent.note }}\n\n\
{{ constituent.name }}\n";

/// What the sink has, without what Postfix put on top.
fn as_it_was_sent(entry: &Entry) -> &[u8] {
    let text = String::from_utf8_lossy(&entry.bytes);
    assert!(text.starts_with("Received: from "), "Postfix says that it was here: {text:.200}");
    let from = entry.bytes.windows(8).position(|bytes| bytes == b"\r\nFrom: ").unwrap() + 2;
    let on_top = String::from_utf8_lossy(&entry.bytes[..from]).into_owned();
    let fields = on_top.split("\r\n").filter(|line| !line.is_empty() && !line.starts_with(['\t', ' ']));
    assert!(fields.clone().all(|line| line.starts_with("Received: ")), "{on_top}");
    &entry.bytes[from..]
}

/// Message-ID, hash of the bytes, state and queue id of every message, as the ledger has them.
fn messages(ledger: &Path) -> Vec<(String, Vec<u8>, String, Option<String>)> {
    let ledger = Connection::open(ledger).unwrap();
    let mut query = ledger.prepare("SELECT message_id, body_hash, state, queue_id FROM message").unwrap();
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
    query.query_map([], row).unwrap().map(Result::unwrap).collect()
}

#[test]
fn a_real_postfix_passes_every_byte_on_and_takes_every_message_once_also_amid_kills() {
    let began = Instant::now();
    let sink = ScriptedRelay::kind();
    let postfix = match Postfix::start(sink.port()) {
        Ok(postfix) => postfix,
        Err(why) => return println!("skipped: {why}"),
    };
    let campaign = Campaign::new(0, 0, postfix.port);
    let (contacts, constituents) = awkward_contacts();
    campaign.write("contacts.csv", &contacts);
    campaign.write("templates/letter.md", LETTER);
    let mut kills = 0;
    for messages in [1, 12, 20, 25] {
        let mut sending = campaign.start(&SEND);
        sink.record.wait_for(sink.record.count() + messages, Duration::from_secs(5));
        kills += u64::from(sending.try_wait().unwrap().is_none());
        sending.kill().unwrap();
        sending.wait().unwrap();
    }
    let ran = campaign.run(&SEND);
    assert!(ran.code == 0 || ran.code == 7, "{ran:?}");
    campaign.must_be_sound();

    let messages = messages(&campaign.ledger());
    assert_eq!(messages.len(), 2 * constituents, "{ran:?}");
    let sent = messages.iter().filter(|(.., state, _)| state == "sent").count();
    postfix.wait_until_empty();
    let (queue_ids, arrived) = (queue_ids(&postfix.log()), sink.record.entries());
    let (mut lost, mut twice, mut in_doubt) = (0, 0, 0);
    for (message_id, hash, state, queue_id) in &messages {
        let taken: Vec<&String> = queue_ids.get(message_id).into_iter().flatten().collect();
        twice += usize::from(taken.len() > 1);
        in_doubt += usize::from(state == "in_doubt");
        if state == "sent" {
            assert_eq!(taken, queue_id.iter().collect::<Vec<_>>(), "one queue id, and the one that the log has");
        } else {
            assert_eq!(state, "in_doubt", "{message_id}");
        }
        let header = format!("\r\nMessage-ID: <{message_id}>\r\n");
        let copies: Vec<&Entry> =
            arrived.iter().filter(|entry| String::from_utf8_lossy(&entry.bytes).contains(&header)).collect();
        lost += usize::from(state == "sent" && copies.is_empty());
        for copy in copies {
            let found = Sha256::digest(as_it_was_sent(copy));
            assert_eq!(found.as_slice(), hash.as_slice(), "not the bytes that were made: {message_id}");
        }
    }
    let seconds = began.elapsed().as_secs();
    proof::tell(
        "postfix",
        json!({
            "schedules": kills, "kills": kills, "faults": 1, "messages": messages.len(), "lost": lost, "twice": twice,
            "in_doubt": in_doubt, "seconds": seconds,
        }),
    );
    println!("kills {kills}: {sent} sent, {in_doubt} in doubt, {} arrived, {seconds} s", arrived.len());
    assert_eq!((lost, twice), (0, 0));
    assert!(in_doubt <= usize::try_from(kills).unwrap() * 4, "{in_doubt} in doubt after {kills} kills");
}
