//! Campaigns, copies of them, and what their ledgers say.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Stdio};

use rusqlite::Connection;

pub(crate) use crate::support::campaign::LETTERS_ALONE as LETTERS;
use crate::support::campaign::{Campaign, Ran};
use crate::support::relay::ScriptedRelay;
use crate::support::watched::signal;
pub(crate) use crate::support::watched::words;

pub(crate) fn world(letters: usize) -> (ScriptedRelay, Campaign) {
    let relay = ScriptedRelay::kind();
    let campaign = Campaign::new(3, letters, relay.port());
    (relay, campaign)
}

pub(crate) fn send(campaign: &Campaign, more: &[&str]) -> Ran {
    campaign.run(&[&LETTERS, more].concat())
}

pub(crate) fn ok(ran: Ran) -> Ran {
    assert_eq!(ran.code, 0, "{ran:?}");
    ran
}

/// `cp -r` of the campaign's folder.
pub(crate) fn copy_of(campaign: &Campaign, port: u16) -> Campaign {
    let copy = Campaign::new(3, 1, port);
    copy_files(campaign.path(), copy.path());
    copy
}

fn copy_files(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy_files(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

pub(crate) fn sql(campaign: &Campaign, text: &str) {
    Connection::open(campaign.ledger()).unwrap().execute_batch(text).unwrap();
}

/// Starts `send` with its words kept.
pub(crate) fn start(campaign: &Campaign, more: &[&str]) -> Child {
    campaign.command(&[&LETTERS, more].concat()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Ctrl-C, once.
pub(crate) fn interrupt(child: &Child) {
    signal(child, "-INT");
}

/// Reads what it says until that is among it, however it is wrapped; from then on Ctrl-C is listened for.
pub(crate) fn hear(child: &mut Child, wanted: &str) -> String {
    let (mut said, mut byte) = (Vec::new(), [0]);
    let err = child.stderr.as_mut().unwrap();
    while !words(&String::from_utf8_lossy(&said)).contains(wanted) {
        assert!(err.read(&mut byte).unwrap() > 0, "ended without {wanted}: {}", String::from_utf8_lossy(&said));
        said.push(byte[0]);
    }
    String::from_utf8_lossy(&said).into_owned()
}

pub(crate) fn fits_a_terminal(text: &str) {
    let wide = text.lines().find(|line| line.chars().count() > 80);
    assert!(wide.is_none(), "{wide:?} in {text}");
}
