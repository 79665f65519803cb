//! Copies of the ledger: of one moment, whole, private, marked as copies, and never over anything else.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use rusqlite::Connection;

use crate::ok;
use crate::support::campaign::Campaign;
use crate::support::relay::{Action, Options, ScriptedRelay, Step};

fn one<T: rusqlite::types::FromSql>(file: &std::path::Path, query: &str) -> T {
    Connection::open(file).unwrap().query_row(query, [], |row| row.get(0)).unwrap()
}

#[test]
fn a_copy_is_made_beside_a_running_send_and_is_whole_private_and_marked() {
    let relay = ScriptedRelay::start(Options::default(), |at| match at.step {
        Step::Dot => Action::After(Duration::from_millis(50), Box::new(Action::Default)),
        _ => Action::Default,
    });
    let campaign = Campaign::new(3, 120, relay.port());
    let mut sending = campaign.start(&["send", "--yes"]);
    relay.record.must_reach(10);
    let copy = campaign.path().join("copy.db");
    let mut made = Vec::new();
    while sending.try_wait().unwrap().is_none() {
        let told = ok(campaign.run(&["backup", copy.to_str().unwrap(), "--force"]));
        assert!(told.contains("120 letters") && told.contains("do not reach copies"), "{told}");
        assert_eq!(std::fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(one::<String>(&copy, "PRAGMA integrity_check"), "ok");
        assert_eq!(one::<i64>(&copy, "SELECT count(*) FROM message WHERE kind = 'letter'"), 120);
        assert_eq!(one::<String>(&copy, "PRAGMA journal_mode"), "wal");
        let since: i64 = one(&copy, "SELECT unixepoch() * 1000 - copied_at FROM campaign");
        assert!((-1000..60_000).contains(&since), "{since}");
        let sent = "SELECT count(*) FROM message WHERE state = 'sent'";
        // Every accepted message has its attempt: one moment, not two.
        assert_eq!(
            one::<i64>(&copy, sent),
            one::<i64>(&copy, "SELECT count(*) FROM attempt WHERE disposition = 'sent'")
        );
        made.push(one::<i64>(&copy, sent));
    }
    assert!(made.is_sorted() && made.len() > 1, "{made:?}");
    assert_eq!(relay.record.count(), 240, "nobody was held up");
    assert_eq!(one::<Option<i64>>(&campaign.ledger(), "SELECT copied_at FROM campaign"), None);
    let left: Vec<_> = std::fs::read_dir(campaign.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains(".new")), "{left:?}");

    // A campaign folder with the copy in the ledger's place knows what the ledger knew.
    let other = Campaign::new(3, 120, relay.port());
    ok(campaign.run(&["backup", copy.to_str().unwrap(), "--force"]));
    std::fs::rename(&copy, other.ledger()).unwrap();
    assert_eq!(other.letters("sent"), 120);
}

#[test]
fn what_is_erased_is_not_in_a_copy() {
    let relay = ScriptedRelay::kind();
    let campaign = Campaign::new(1, 40, relay.port());
    assert_eq!(campaign.send().code, 0);
    let ledger = Connection::open(campaign.ledger()).unwrap();
    ledger
        .execute_batch("PRAGMA secure_delete = OFF; UPDATE person SET address = '' WHERE role = 'constituent'")
        .unwrap();
    let copy = campaign.path().join("copy.db");
    ok(campaign.run(&["backup", copy.to_str().unwrap()]));
    let bytes = std::fs::read(&copy).unwrap();
    assert!(!bytes.windows(10).any(|w| w == b"17 Main St"), "it lies in a page of the copy");
}

#[test]
fn nothing_is_written_over_that_is_not_an_older_copy() {
    let relay = ScriptedRelay::kind();
    let campaign = Campaign::new(1, 1, relay.port());
    assert_eq!(campaign.send().code, 0);
    let at = |name: &str| campaign.path().join(name).display().to_string();
    std::fs::create_dir(at("folder")).unwrap();
    std::fs::write(at("left.db-wal"), "of another").unwrap();
    std::os::unix::fs::symlink(at("ledger.db"), at("link.db")).unwrap();
    for (name, flags, words) in [
        ("contacts.csv", &[][..], "is there already"),
        ("contacts.csv", &["--force"], "is no ledger"),
        ("ledger.db", &["--force"], "is the ledger itself"),
        ("ledger.db-wal", &["--force"], "ledger"),
        ("link.db", &["--force"], "is the ledger itself"),
        ("folder", &["--force"], "is a folder"),
        ("left.db", &[], "the log of a database"),
        ("nowhere/copy.db", &[], "No such file"),
    ] {
        let contacts = std::fs::read(at("contacts.csv")).unwrap();
        let file = at(name);
        let ran = campaign.run(&[&["backup", &file], flags].concat());
        assert!(ran.code != 0 && ran.err.contains(words), "{name}: {ran:?}");
        assert_eq!(std::fs::read(at("contacts.csv")).unwrap(), contacts);
    }
    campaign.must_be_sound();
    ok(campaign.run(&["backup", &at("copy.db")]));
    assert_eq!(campaign.run(&["backup", &at("copy.db")]).code, 2);
    // What lies beside an older copy is not taken for the new one's, nor is a copy that did not end.
    std::fs::write(at("copy.db-wal"), "of an older copy").unwrap();
    std::fs::write(at("copy.db.new"), "half a copy").unwrap();
    ok(campaign.run(&["backup", &at("copy.db"), "--force"]));
    assert!(!campaign.path().join("copy.db-wal").exists() && !campaign.path().join("copy.db.new").exists());
}
