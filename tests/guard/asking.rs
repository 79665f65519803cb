//! What `send` asks on a terminal, and that nothing goes where the answer is another.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use crate::support::campaign::{Campaign, Ran};
use crate::world::{LETTERS, ok, send, words, world};

/// Runs a command on a terminal of its own, on which its standard input is typed.
const TERMINAL: &str = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";

/// `None` where there is no Python to make a terminal with.
fn typing(answer: &str, campaign: &Campaign, more: &[&str]) -> Option<Ran> {
    let mut terminal = Command::new("python3");
    terminal.args(["-c", TERMINAL, env!("CARGO_BIN_EXE_undersigned"), "--dir"]).arg(campaign.path());
    terminal.args(LETTERS).args(more).env("TERM", "dumb");
    let piped = terminal.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = piped.ok()?;
    writeln!(child.stdin.as_mut().unwrap(), "{answer}").unwrap();
    Some(child.wait_with_output().unwrap().into())
}

#[test]
fn a_restored_ledger_and_a_missed_start_go_on_by_the_campaign_s_name_alone() {
    let (relay, campaign) = world(4);
    ok(send(&campaign, &["--limit", "1"]));
    let older = fs::read(campaign.ledger()).unwrap();
    ok(send(&campaign, &["--limit", "1"]));
    fs::write(campaign.ledger(), older).unwrap();
    let Some(refused) = typing("yes", &campaign, &[]) else { return };
    assert_eq!((refused.code, relay.record.count()), (2, 2), "{refused:?}");
    assert!(words(&refused.out).contains("1 hand-over is missing"), "{refused:?}");
    let asked = typing("Test Campaign", &campaign, &["--limit", "1"]).unwrap();
    assert_eq!((asked.code, relay.record.count()), (0, 3), "{asked:?}");

    let (relay, campaign) = world(2);
    let missed = ["--set", "campaign.start=2026-01-01"];
    let refused = typing("yes", &campaign, &missed).unwrap();
    assert_eq!((refused.code, relay.record.count()), (2, 0), "{refused:?}");
    assert!(words(&refused.out).contains("Begin now?"), "{refused:?}");
    let asked = typing("Test Campaign", &campaign, &missed).unwrap();
    assert_eq!((asked.code, relay.record.count()), (0, 2), "{asked:?}");
}
