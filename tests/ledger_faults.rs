//! What goes wrong around a ledger's file, and that nothing is half done by it.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking, their helpers too")]

#[path = "support/sample.rs"]
mod sample;

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::Connection;
use tempfile::TempDir;
use undersigned::ledger::sqlite::{Access, SqliteLedger};
use undersigned::ledger::{Claim, Confirming, Enrolment, Leased, Ledger, LedgerError, Terms};
use undersigned::model::{
    Attempt, CampaignTag, Class, Constituent, Disposition, MessageKind, MessageState, Outcome, Phase, Reply, Stamp,
};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;
const SHORT: Duration = Duration::from_millis(80);

fn new_ledger() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("campaign.ledger");
    SqliteLedger::create(&path, "Trees", &CampaignTag::parse("k3m9x2").unwrap(), NOW).unwrap();
    (folder, path)
}

fn people(letters: usize) -> impl Iterator<Item = Enrolment> {
    let official = sample::official("Ada Alder", "mayor@town.example");
    let key = official.key();
    let constituents = (0..letters).map(move |n| Enrolment::Constituent {
        constituent: Constituent {
            address: "1 Main Street".into(),
            postcode: "01234".into(),
            ..sample::constituent(&format!("Birch {n}"), &format!("birch{n}@home.example"))
        },
        officials: vec![key.into()],
    });
    std::iter::once(Enrolment::Official(official)).chain(constituents)
}

fn terms(ledger: &SqliteLedger) -> Terms {
    let letter = ledger.freeze_template("letter", "Dear", NOW).unwrap();
    Terms { letter, confirmation: letter, confirming: Confirming::PerConstituent }
}

fn enrol(ledger: &SqliteLedger, letters: usize) {
    ledger.enrol(&terms(ledger), NOW, &mut people(letters).map(Ok)).unwrap();
}

async fn claim(ledger: &SqliteLedger, limit: usize) -> Result<Vec<Leased>, LedgerError> {
    ledger.claim(Claim { now: NOW, limit, one_per_lane: false, kind: None }).await
}

fn stamp() -> Stamp {
    Stamp { message_id: "1@campaign.example".into(), date: NOW, body_hash: [1; 32] }
}

fn accepted() -> Attempt {
    let outcome = Outcome::Replied(Reply::new(Phase::Dot, 250, ["Ok"]));
    Attempt {
        at: NOW,
        relay: "main".into(),
        outcome,
        class: Class::Accepted,
        rule: "250 to the dot".into(),
        disposition: Disposition::Sent,
    }
}

/// Another program that is in the middle of writing.
fn lock(path: &Path) -> Connection {
    let other = Connection::open(path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    other
}

fn letters_in(ledger: &SqliteLedger, state: MessageState) -> u64 {
    ledger.counts().unwrap().of(MessageKind::Letter, state)
}

#[tokio::test]
async fn a_ledger_that_is_locked_for_too_long_gives_receipts_back_and_works_again_afterwards() {
    let (_folder, path) = new_ledger();
    let ledger = SqliteLedger::open_waiting(&path, Access::Dispatch, SHORT).unwrap();
    enrol(&ledger, 3);
    let mut leased = claim(&ledger, 2).await.unwrap();
    let open = ledger.mark_transmitting(leased.remove(0), "main", stamp(), None).await.unwrap();

    let other = lock(&path);
    let unclosed = ledger.close(open, accepted(), NOW).await.unwrap_err();
    let unmarked = ledger.mark_transmitting(leased.remove(0), "main", stamp(), None).await.unwrap_err();
    for error in [&unclosed.error, &unmarked.error, &claim(&ledger, 1).await.unwrap_err()] {
        assert!(matches!(error, LedgerError::Storage { reason, .. } if reason.contains("lock")), "{error}");
    }
    assert_eq!(letters_in(&ledger, MessageState::Transmitting), 1, "a reader does not wait for the lock");
    drop(other);

    ledger.close(unclosed.receipt, accepted(), NOW).await.unwrap();
    ledger.give_back(unmarked.receipt, None).await.unwrap();
    assert_eq!(letters_in(&ledger, MessageState::Sent), 1);
    assert_eq!(claim(&ledger, 9).await.unwrap().len(), 3, "two letters and the confirmation");
}

#[tokio::test]
async fn a_lock_that_is_freed_in_time_is_not_noticed() {
    let (_folder, path) = new_ledger();
    let ledger = SqliteLedger::open(&path, Access::Dispatch).unwrap();
    enrol(&ledger, 1);
    let other = lock(&path);
    let freed = std::thread::spawn(move || {
        std::thread::sleep(SHORT);
        drop(other);
    });
    assert_eq!(claim(&ledger, 1).await.unwrap().len(), 1);
    freed.join().unwrap();
}

#[tokio::test]
async fn a_ledger_opened_for_reading_changes_nothing() {
    let (_folder, path) = new_ledger();
    let ledger = SqliteLedger::open(&path, Access::Read).unwrap();
    for error in [
        claim(&ledger, 1).await.unwrap_err(),
        ledger.freeze_template("letter", "Dear", NOW).unwrap_err(),
        ledger.recover(NOW, std::time::Duration::from_secs(3600)).await.unwrap_err(),
    ] {
        assert!(error.to_string().contains("reading only"), "{error}");
    }
    assert_eq!(ledger.newest_template("letter").unwrap(), None);
}

#[test]
fn what_is_no_ledger_of_ours_is_named_and_left_alone() {
    let (folder, path) = new_ledger();
    let stranger = folder.path().join("stranger");
    Connection::open(&stranger).unwrap().execute_batch("CREATE TABLE t (n)").unwrap();
    let text = folder.path().join("text");
    std::fs::write(&text, "role,title,name\n".repeat(100)).unwrap();
    let empty = folder.path().join("empty");
    std::fs::write(&empty, "").unwrap();
    let newer = folder.path().join("newer");
    std::fs::copy(&path, &newer).unwrap();
    Connection::open(&newer).unwrap().pragma_update(None, "user_version", 99).unwrap();
    for (file, why) in [
        (stranger.as_path(), "another program's database"),
        (&text, "not a database"),
        (&empty, "another program's database"),
        (&newer, "of version 99, this program knows"),
        (folder.path(), "not a file"),
    ] {
        for access in [Access::Dispatch, Access::Staff, Access::Read] {
            let error = SqliteLedger::open(file, access).unwrap_err();
            assert!(matches!(&error, LedgerError::Foreign { reason, .. } if reason.contains(why)), "{error}");
        }
    }
    assert_eq!(std::fs::read(&empty).unwrap(), b"");
    let nowhere = folder.path().join("nowhere");
    assert!(matches!(SqliteLedger::open(&nowhere, Access::Dispatch), Err(LedgerError::Absent(_))));
    assert!(!folder.path().join("nowhere.lock").exists());
}

#[tokio::test]
async fn a_damaged_row_fails_its_own_work_and_is_not_repeated_in_the_error() {
    let (_folder, path) = new_ledger();
    let ledger = SqliteLedger::open(&path, Access::Dispatch).unwrap();
    enrol(&ledger, 1);
    Connection::open(&path).unwrap().execute("UPDATE person SET mailbox = 'birch at home'", []).unwrap();
    let error = claim(&ledger, 1).await.unwrap_err().to_string();
    assert!(error.contains("damaged") && !error.contains("birch"), "{error}");
    assert_eq!(letters_in(&ledger, MessageState::Queued), 1, "nothing is half claimed");
    assert!(ledger.note_campaign(undersigned::ledger::CampaignState::Stopped, "damaged", NOW).await.is_ok());
}

#[test]
fn the_check_names_a_row_that_points_to_nothing() {
    let (_folder, path) = new_ledger();
    let ledger = SqliteLedger::open(&path, Access::Dispatch).unwrap();
    enrol(&ledger, 1);
    let other = Connection::open(&path).unwrap();
    other.execute_batch("PRAGMA foreign_keys = OFF; DELETE FROM lane").unwrap();
    assert_eq!(ledger.check().unwrap(), ["a row of message points to nothing"]);
}

#[test]
fn an_enrolment_that_is_interrupted_leaves_nothing_behind() {
    let (_folder, path) = new_ledger();
    let ledger = SqliteLedger::open(&path, Access::Dispatch).unwrap();
    let terms = terms(&ledger);
    let interrupted = std::thread::scope(|scope| {
        let enrolment = scope.spawn(|| {
            let mut source = people(2000).map(Ok).chain(std::iter::from_fn(|| std::panic::resume_unwind(Box::new(()))));
            ledger.enrol(&terms, NOW, &mut source)
        });
        enrolment.join().is_err()
    });
    assert!(interrupted);
    drop(ledger);
    let ledger = SqliteLedger::open(&path, Access::Dispatch).unwrap();
    assert_eq!(ledger.counts().unwrap(), undersigned::ledger::Counts::zero());
    assert_eq!(ledger.enrol(&terms, NOW, &mut people(10).map(Ok)).unwrap().queued, 10);
    assert_eq!(ledger.check().unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_process_that_goes_away_amid_calls_loses_no_letter() {
    let (_folder, path) = new_ledger();
    let ledger = SqliteLedger::open(&path, Access::Dispatch).unwrap();
    enrol(&ledger, 50);
    for n in 0..40_u64 {
        let one = ledger.clone();
        let work = tokio::spawn(async move {
            let leased = claim(&one, 1).await.unwrap().remove(0);
            let open = one.mark_transmitting(leased, "main", stamp(), None).await.unwrap();
            one.close(open, accepted(), NOW).await.unwrap();
        });
        if n % 2 == 0 {
            tokio::time::sleep(Duration::from_micros(100 * n)).await;
            work.abort();
        }
    }
    tokio::time::sleep(SHORT).await;
    drop(ledger);
    let ledger = loop {
        // A task that was aborted lets go of its clone in its own time.
        match SqliteLedger::open(&path, Access::Dispatch) {
            Err(LedgerError::Busy(_)) => tokio::task::yield_now().await,
            opened => break opened.unwrap(),
        }
    };
    ledger.recover(NOW, std::time::Duration::from_secs(3600)).await.unwrap();
    let states = [MessageState::Queued, MessageState::Sent, MessageState::InDoubt];
    assert_eq!(states.map(|state| letters_in(&ledger, state)).iter().sum::<u64>(), 50);
    assert!(letters_in(&ledger, MessageState::Sent) > 0);
    assert_eq!(ledger.check().unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn debug_output_names_nobody() {
    let (_folder, path) = new_ledger();
    let ledger = SqliteLedger::open(&path, Access::Dispatch).unwrap();
    enrol(&ledger, 1);
    let leased = claim(&ledger, 1).await.unwrap();
    let shown = format!("{leased:?} {ledger:?}");
    for secret in ["Birch", "birch0", "Alder", "mayor@", "Main Street", "01234"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let nowhere = Path::new("/proc/undersigned/campaign.ledger");
    let error = SqliteLedger::create(nowhere, "Trees", &CampaignTag::parse("k3m9x2").unwrap(), NOW).unwrap_err();
    assert!(matches!(&error, LedgerError::Storage { path, .. } if path == nowhere), "{error}");
}
