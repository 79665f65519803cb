//! A clock that is not the machine's, by faketime; and what a pace looks like from the relay's side.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::campaign::Campaign;
use crate::support::relay::ScriptedRelay;
use crate::world::command_with;

/// Between two letters to one mailbox, as [`paced`] asks for it.
pub const EVERY: Duration = Duration::from_secs(1);

/// Letters alone, at one a second to each mailbox.
pub fn paced() -> Vec<&'static str> {
    vec!["send", "--yes", "--set", "campaign.confirm=never", "--set", "pace.per_mailbox=1/s"]
}

/// Whether faketime is there; says so where not.
pub fn is_there() -> bool {
    let there = library().is_some();
    if !there {
        println!("skipped: faketime is not there");
    }
    there
}

fn library() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").ok()?.filter_map(Result::ok).map(|entry| entry.path());
    folders.map(|folder| folder.join("faketime/libfaketimeMT.so.1")).find(|library| library.exists())
}

/// The program under faketime: its clock on the wall is another, the steady one is the machine's.
pub fn faked(campaign: &Campaign, args: &[&str]) -> Command {
    let mut command =
        command_with(campaign, args, &[("FAKETIME_DONT_FAKE_MONOTONIC", "1"), ("DONT_FAKE_MONOTONIC", "1")]);
    command.env("LD_PRELOAD", library().unwrap());
    command
}

/// Of three letters in a row to one mailbox the last is no closer to the first than that (a busy machine, or a sleep in the
/// middle of one, may bunch two), and none is a minute late.
pub fn at_the_pace(relay: &ScriptedRelay, every: Duration) {
    let mut by_mailbox: BTreeMap<String, Vec<Instant>> = BTreeMap::new();
    for entry in relay.record.entries() {
        by_mailbox.entry(entry.to[0].clone()).or_default().push(entry.at);
    }
    for (mailbox, times) in by_mailbox {
        let gaps: Vec<_> = times.windows(2).map(|two| two[1] - two[0]).collect();
        assert!(gaps.windows(2).all(|two| two[0] + two[1] >= every), "{mailbox} got a burst: {gaps:?}");
        assert!(gaps.iter().all(|gap| *gap <= Duration::from_secs(60)), "{mailbox} waited too long: {gaps:?}");
    }
}
