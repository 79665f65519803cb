//! `forget` where nothing else is at work: every trace goes, the evidence stays, and nothing is planned again.

use std::fs;

use crate::support::campaign::Campaign;
use crate::support::relay::{Action, Options, ScriptedRelay, Step};
use crate::support::watched::words;
use crate::traces::{ADDRESS, NAME, PARTNER, add, files, left, row};

/// Repeats whom it is asked to write to, as many relays do, and refuses one confirmation.
fn echoing_relay() -> ScriptedRelay {
    ScriptedRelay::start(Options::default(), |at| match at.step {
        Step::Rcpt if at.to == ADDRESS => {
            Action::reply(format!("550 5.7.1 <{ADDRESS}>: mailbox zebulon.quixote refuses {ADDRESS}"))
        }
        Step::Dot => Action::reply(format!("250 2.0.0 Ok: queued as 1A2B3C for {ADDRESS}")),
        _ => Action::Default,
    })
}

fn tables(campaign: &Campaign, sql: &str) -> Vec<String> {
    let ledger = rusqlite::Connection::open(campaign.ledger()).unwrap();
    let mut query = ledger.prepare(sql).unwrap();
    query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[test]
fn whoever_is_forgotten_leaves_no_trace_in_any_file_and_what_became_of_their_letters_stays() {
    let relay = echoing_relay();
    let campaign = Campaign::new(2, 4, relay.port());
    add(&campaign, &[row(NAME, "Zebulon.Quixote@MAIL.example", 0), row(PARTNER, ADDRESS, 1)]);
    assert_eq!(campaign.run(&["rehearse"]).code, 0);
    assert_eq!(campaign.run(&["preview"]).code, 0);
    assert_eq!(campaign.send().code, 5);
    assert_eq!(campaign.run(&["export"]).code, 0);
    assert_eq!(campaign.run(&["export", "--failed"]).code, 0);
    campaign.run(&["pause", "--reason", &format!("{NAME} <{ADDRESS}> rang us")]);
    campaign.run(&["resume", "--reason", &format!("{ADDRESS} is content")]);
    // A backup that somebody made by hand, a list with a row that cannot be used, and a note.
    fs::copy(campaign.ledger(), campaign.path().join("backup of the ledger.db")).unwrap();
    campaign.write("old.csv", &format!("name,email\r\n{NAME},{ADDRESS}\r\nBen,ben@mail.example"));
    campaign.write("notes.txt", &format!("ring {ADDRESS}"));
    let accepted = relay.record.count();
    let attempts =
        tables(&campaign, "SELECT message || ' ' || number || ' ' || at || ' ' || ifnull(code, '') FROM attempt");
    let hashes =
        tables(&campaign, "SELECT hex(body_hash) || ifnull(message_id, '') || ifnull(queue_id, '') FROM message");
    assert!(left(campaign.path()).len() > 10, "{:?}", left(campaign.path()));

    let shown = campaign.run(&["forget", "--dry-run", ADDRESS]);
    assert_eq!(shown.code, 0, "{shown:?}");
    for words in [
        "2 people share this address",
        "contacts.csv: 2 rows",
        "old.csv: 1 row",
        "rehearsal/: removed",
        "preview/: removed",
        "backup of the ledger.db",
        "notes.txt holds the address",
        "Nothing was changed",
    ] {
        assert!(shown.out.contains(words), "{words}: {}", shown.out);
    }
    assert!(!shown.out.contains(ADDRESS));
    assert_eq!(campaign.run(&["forget", ADDRESS]).code, 2, "nobody is there to confirm");

    // The note is not ours to write.
    let ran = campaign.run(&["forget", "--yes", " ZEBULON.quixote@mail.EXAMPLE "]);
    assert_eq!(ran.code, 5, "{ran:?}");
    assert!(ran.err.contains("notes.txt"), "{ran:?}");
    assert!(!ran.out.contains(ADDRESS) && !ran.err.contains(ADDRESS), "{ran:?}");
    fs::remove_file(campaign.path().join("notes.txt")).unwrap();
    let again = campaign.run(&["forget", "--yes", ADDRESS]);
    assert_eq!(again.code, 0, "{again:?}");
    assert_eq!(left(campaign.path()), [""; 0]);
    assert_eq!(fs::read(campaign.path().join("old.csv")).unwrap(), b"name,email\r\nBen,ben@mail.example");

    campaign.must_be_sound();
    assert_eq!(
        tables(&campaign, "SELECT message || ' ' || number || ' ' || at || ' ' || ifnull(code, '') FROM attempt"),
        attempts
    );
    assert_eq!(
        tables(&campaign, "SELECT hex(body_hash) || ifnull(message_id, '') || ifnull(queue_id, '') FROM message"),
        hashes
    );
    let said = tables(&campaign, "SELECT text FROM attempt UNION ALL SELECT ifnull(last_reply, '') FROM message");
    assert!(said.iter().all(|text| !text.contains("mailbox zebulon")) && said.iter().any(|text| text == "(erased)"));
    assert_eq!(campaign.letters("sent"), 6);
    for verb in [&["status"][..], &["log"], &["export"], &["forecast"]] {
        assert_eq!(campaign.run(verb).code, 0, "{verb:?}");
    }
    let resent = campaign.run(&["retry"]);
    assert!(resent.out.starts_with("0 messages"), "{resent:?}");
    assert_eq!(campaign.send().code, 5);
    assert_eq!(relay.record.count(), accepted);
    assert_eq!(left(campaign.path()), [""; 0]);
    assert_eq!(files(campaign.path()).iter().filter(|path| path.to_string_lossy().contains("/.r")).count(), 0);
}

#[test]
fn nothing_is_planned_for_whoever_was_forgotten_before_the_first_send_though_the_list_still_has_them() {
    let relay = ScriptedRelay::kind();
    let campaign = Campaign::new(2, 2, relay.port());
    add(&campaign, &[row(NAME, ADDRESS, 0)]);
    assert_eq!(campaign.run(&["suppress", "add", ADDRESS]).code, 0);
    let ran = campaign.run(&["forget", "--yes", "--keep-lists", ADDRESS, "nobody@mail.example"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("nobody of this address is in the ledger"), "{ran:?}");
    let checked = campaign.run(&["check"]);
    assert_eq!(checked.code, 0, "{checked:?}");
    assert!(checked.out.contains("1 person who was forgotten"), "{}", checked.out);
    assert_eq!(campaign.run(&["preview", "--to", ADDRESS]).code, 3);
    assert_eq!(campaign.run(&["rehearse"]).code, 0);
    assert_eq!(campaign.run(&["test", "--to", "staff@mail.example", "--count", "9"]).code, 0);
    let tests = relay.record.count();
    assert_eq!(tests, 2);
    assert_eq!(campaign.send().code, 0);
    assert_eq!(relay.record.count() - tests, 4, "two letters and two confirmations");
    assert!(relay.record.entries().iter().all(|e| !String::from_utf8_lossy(&e.bytes).contains(NAME)));
    // The list still has their row, and nothing else does.
    assert!(left(campaign.path()).iter().all(|found| found.contains("contacts.csv")), "{:?}", left(campaign.path()));
    assert_eq!(campaign.run(&["export"]).code, 0);
    let export = fs::read_to_string(campaign.path().join("contacts-status.csv")).unwrap();
    let theirs = export.lines().find(|line| line.contains(NAME)).unwrap();
    assert!(theirs.ends_with(",forgotten,,,"), "{theirs}");
    // Also where their row cannot be used, it is repeated nowhere.
    add(&campaign, &[row(NAME, ADDRESS, 0).replace(",Town 0,", ",,")]);
    assert_eq!(campaign.run(&["check", "--skip-bad"]).code, 0);
    assert!(!campaign.path().join("problems.csv").exists());
    assert!(left(campaign.path()).iter().all(|found| found.contains("contacts")), "{:?}", left(campaign.path()));
}

#[test]
fn an_officials_address_is_refused_unless_a_constituent_has_it_and_then_the_official_stays() {
    let relay = ScriptedRelay::kind();
    let campaign = Campaign::new(2, 2, relay.port());
    let list = fs::read(campaign.path().join("contacts.csv")).unwrap();
    let refused = campaign.run(&["forget", "--yes", "mayor0@town0.example"]);
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(refused.err.contains("suppress add"), "{refused:?}");
    assert_eq!(fs::read(campaign.path().join("contacts.csv")).unwrap(), list);

    add(&campaign, &[row(NAME, "mayor0@town0.example", 1)]);
    assert_eq!(campaign.send().code, 0);
    let accepted = relay.record.count();
    let ran = campaign.run(&["forget", "--yes", "mayor0@town0.example"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(fs::read(campaign.path().join("contacts.csv")).unwrap(), list);
    assert_eq!(left(campaign.path()), [""; 0]);
    campaign.must_be_sound();
    assert_eq!(campaign.run(&["forget", "--yes", "mayor0@town0.example"]).code, 0, "again, and nothing is left to do");
    // The official is still written to.
    add(&campaign, &["constituent,,New One,new@mail.example,Town 0,1 Main St,60000,2026-10-01,\n".to_owned()]);
    assert_eq!(campaign.send().code, 0);
    assert_eq!(relay.record.count(), accepted + 2);
    assert_eq!(relay.record.entries()[accepted].to, ["mayor0@town0.example"]);
}

/// A workbook of one sheet with these rows.
fn workbook(rows: &[&[&str]]) -> Vec<u8> {
    use std::io::Write as _;
    let cell = |text: &&str| format!("<c t=\"inlineStr\"><is><t>{text}</t></is></c>");
    let row = |cells: &&[&str]| format!("<row>{}</row>", cells.iter().map(cell).collect::<String>());
    let parts = [
        ("[Content_Types].xml", "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"/>".to_owned()),
        ("xl/workbook.xml", "<workbook xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"><sheets><sheet name=\"People\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>".to_owned()),
        ("xl/_rels/workbook.xml.rels", "<Relationships><Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>".to_owned()),
        ("xl/worksheets/sheet1.xml", format!("<worksheet><sheetData>{}</sheetData></worksheet>", rows.iter().map(row).collect::<String>())),
    ];
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in parts {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn what_this_program_does_not_write_is_told_with_its_rows() {
    let elsewhere = tempfile::tempdir().unwrap();
    let campaign = Campaign::new(2, 2, 1);
    let head: &[&str] = &["role", "name", "email", "jurisdiction"];
    let book = workbook(&[
        head,
        &["constituent", "Ben", "ben@mail.example", "Town 0"],
        &["constituent", NAME, ADDRESS, "Town 0"],
    ]);
    fs::write(campaign.path().join("people.xlsx"), &book).unwrap();
    let outside = elsewhere.path().join("more.csv");
    let more = format!("role,name,email,jurisdiction\nconstituent,{NAME},{ADDRESS},Town 0\n");
    fs::write(&outside, &more).unwrap();
    campaign.write("letter to them.txt", &format!("<{ADDRESS}>"));
    campaign.write("not theirs.txt", &format!("x{ADDRESS}"));
    let files = format!("contacts.files=[\"contacts.csv\", \"people.xlsx\", \"{}\"]", outside.display());
    let ran = campaign.run(&["forget", "--yes", ADDRESS, "--set", &files]);
    assert_eq!(ran.code, 5, "{ran:?}");
    let told = words(&ran.err);
    for words in [
        "people.xlsx is a workbook, which this program does not write: row 3 names them",
        "more.csv is not in the campaign folder: row 2 names them",
        "letter to them.txt holds the address",
    ] {
        assert!(told.contains(words), "{words}: {ran:?}");
    }
    assert!(!told.contains("not theirs"), "{ran:?}");
    assert_eq!(fs::read(campaign.path().join("people.xlsx")).unwrap(), book);
    assert_eq!(fs::read_to_string(&outside).unwrap(), more);
}

#[test]
fn a_ledger_that_cannot_say_who_was_erased_plans_nobody_and_still_says_how_things_stand() {
    let relay = ScriptedRelay::kind();
    let campaign = Campaign::new(2, 3, relay.port());
    assert_eq!(campaign.send().code, 0);
    assert_eq!(campaign.run(&["forget", "--yes", "signer1@mail.example"]).code, 0);
    let ledger = rusqlite::Connection::open(campaign.ledger()).unwrap();
    ledger.execute_batch("PRAGMA ignore_check_constraints = ON; UPDATE erased SET why = 'nobody knows'").unwrap();
    campaign.write("contacts.csv", &crate::support::campaign::contacts(2, 0..4));
    for verb in [&["status"][..], &["log"], &["pace"], &["hold"]] {
        let ran = campaign.run(verb);
        assert_eq!(ran.code, 0, "nobody is read by {verb:?}: {ran:?}");
    }
    for verb in [&["check"][..], &["send", "--yes"], &["preview"], &["rehearse"], &["export"], &["match"]] {
        let ran = campaign.run(verb);
        assert!(ran.code != 0 && ran.err.contains("damaged"), "{verb:?}: {ran:?}");
    }
    assert_eq!(relay.record.count(), 6, "nothing more went out");
}
