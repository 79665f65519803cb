//! ledger, import, disk full on a small disk of its own: what cannot be enrolled is rolled back, with path and need named;
//! what cannot be recorded is not sent, and the campaign carries on by itself when there is room again.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::support::campaign::Campaign;
use crate::support::relay::{Action, ScriptedRelay, Step};
use crate::world::{always, campaign, command_with, must_hold, run, start, tell, wait_until, words};

/// A disk of so many KiB, gone with it.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Nothing, said in words, where a disk may not be mounted.
    fn mount(campaign: &Campaign, kib: usize) -> Option<Self> {
        let at = campaign.path().join("disk");
        std::fs::create_dir(&at).unwrap();
        let size = format!("size={kib}k,mode=700");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&at).output();
        if mounted.is_ok_and(|mounted| mounted.status.success()) {
            return Some(Self(at));
        }
        println!("skipped: a small disk cannot be mounted here (that takes root)");
        None
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

const THERE: &[&str] = &["send", "--yes", "--set", "campaign.confirm=never", "--set", "ledger.path=disk/ledger.db"];

#[test]
fn people_who_do_not_fit_are_not_enrolled_in_part_and_are_when_there_is_room() {
    let relay = ScriptedRelay::kind();
    let campaign = Campaign::new(2, 3_000, relay.port());
    let Some(disk) = SmallDisk::mount(&campaign, 400) else { return };
    let ran = run(&campaign, THERE);
    assert!(ran.code == 4 && ran.err.contains("full") && ran.err.contains("disk/ledger.db"), "{ran:?}");
    assert_eq!(relay.record.count(), 0);
    let ledger = disk.0.join("ledger.db");
    if ledger.exists() {
        let db = rusqlite::Connection::open(&ledger).unwrap();
        let people: i64 = db.query_row("SELECT count(*) FROM person", [], |row| row.get(0)).unwrap();
        assert_eq!(people, 0, "all or nothing");
    }
    let remount = ["-o", "remount,size=64m"];
    assert!(Command::new("mount").args(remount).arg(&disk.0).status().unwrap().success());
    let only_some = [THERE, &["--limit", "3"]].concat();
    assert_eq!(run(&campaign, &only_some).code, 0);
    std::fs::copy(&ledger, campaign.ledger()).unwrap();
    let _ = std::fs::copy(disk.0.join("ledger.db-wal"), campaign.path().join("ledger.db-wal"));
    let standing = must_hold(&campaign, &relay);
    assert_eq!((standing.letters("sent"), standing.letters("queued")), (3, 2_997));
    tell("disk full while planning", &standing);
}

#[test]
fn letters_wait_while_the_disk_is_full_and_go_out_when_there_is_room() {
    let relay = always(Step::Dot, Action::late(Duration::from_millis(20), "250 2.0.0 Ok"));
    let campaign = campaign(60, 1, &relay);
    let Some(disk) = SmallDisk::mount(&campaign, 8_000) else { return };
    let mut sending = start(command_with(&campaign, THERE, &[]));
    relay.record.must_reach(5);
    // Somebody else fills the disk.
    let filler = disk.0.join("filler");
    let full = Command::new("dd")
        .args(["if=/dev/zero", "bs=4k", "status=none"])
        .arg(format!("of={}", filler.display()))
        .status();
    assert!(!full.unwrap().success(), "the disk is full");
    let is_told = || words(&sending.so_far("err")).contains("make room on its disk");
    wait_until("staff are told, or all of it fits", || is_told() || relay.record.count() == 60);
    let waiting = relay.record.at_rest(Duration::from_secs(1));
    let is_stuck = waiting < 60;
    assert!(!is_stuck || sending.is_at_work());
    std::fs::remove_file(&filler).unwrap();
    assert_eq!(sending.end().1.code, 0);
    for name in ["ledger.db", "ledger.db-wal"] {
        let _ = std::fs::copy(disk.0.join(name), campaign.path().join(name));
    }
    let standing = must_hold(&campaign, &relay);
    assert_eq!((standing.letters("sent"), relay.record.count()), (60, 60));
    println!("the disk was full after {waiting} letters, and they waited: {is_stuck}");
    tell("disk full while sending", &standing);
}
