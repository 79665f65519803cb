//! What the ledger itself sees to, whoever plans: no row of an erased person is enrolled, and no hash of one is left.

use jiff::Timestamp;
use undersigned::ledger::sqlite::SqliteLedger;
use undersigned::ledger::{Addressee, Confirming, Enrolled, Enrolment, Ledger, Terms};
use undersigned::model::{CampaignTag, Constituent, Erased};

use crate::support::sample::{constituent, official};

fn enrol(ledger: &SqliteLedger, who: &[&Constituent]) -> Enrolled {
    let now = Timestamp::now();
    let letter = ledger.freeze_template("letter", "Subject: s\n\ntext", now).unwrap();
    let terms = Terms { letter, confirmation: letter, confirming: Confirming::Never };
    let mayor = official("Ada", "mayor@town.example");
    let officials = vec![Addressee::from(mayor.key())];
    let people =
        who.iter().map(|who| Enrolment::Constituent { constituent: (*who).clone(), officials: officials.clone() });
    let mut all = std::iter::once(Enrolment::Official(mayor)).chain(people).map(Ok);
    ledger.enrol(&terms, now, &mut all).unwrap()
}

/// Writes the page with everybody's row again and again, so that old ones lie deep in the write-ahead log.
fn fill_log(path: &std::path::Path) {
    let db = rusqlite::Connection::open(path).unwrap();
    for n in 0..300 {
        db.execute("UPDATE person SET title = ?1", [n.to_string()]).unwrap();
    }
}

#[test]
fn an_enrolment_leaves_out_whoever_was_erased_and_no_hash_of_them_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let tag = CampaignTag::parse("k3m9x2").unwrap();
    let ledger = SqliteLedger::create(&path, "Trees", &tag, Timestamp::now()).unwrap();
    let (ana, ben) = (constituent("Ana", "both@x.example"), constituent("Ben", "both@x.example"));
    assert_eq!(enrol(&ledger, &[&ana]).queued, 1);
    fill_log(&path);
    let forgotten = ledger.forget(&ana.mailbox, false, Timestamp::now()).unwrap();
    assert_eq!((forgotten.people, forgotten.withdrawn), (1, 1));
    assert_eq!(ledger.scrub(std::slice::from_ref(&ana.mailbox)).unwrap(), [""; 0]);
    assert!(!ledger.knows(ana.key()).unwrap());
    let again = enrol(&ledger, &[&ana, &ben]);
    assert_eq!((again.queued, again.left_out), (0, 2), "whoever has the mailbox");
    assert_eq!(ledger.marks().unwrap().why(&ben), Some(Erased::Forgotten));
    drop(ledger);
    let bytes = std::fs::read(&path).unwrap();
    for hash in [ana.key().0, ben.key().0] {
        assert!(memchr::memmem::find(&bytes, &hash).is_none());
    }
    let other = SqliteLedger::create(&folder.path().join("other.db"), "Trees", &tag, Timestamp::now()).unwrap();
    assert_eq!(enrol(&other, &[&ana]).queued, 1, "a mark holds in its own ledger");
}
