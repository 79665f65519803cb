//! ledger, power lost: what a kill cannot show. Every letter's point of no return is flushed before its text leaves.

use crate::strace::{is_there, under_strace};
use crate::support::relay::ScriptedRelay;
use crate::world::{SEND_LETTERS, campaign, must_hold, run_killed_at, tell, watch};

const LETTERS: usize = 6;

/// The order in which flushes and texts leave: a text is what begins with a header and is no command.
fn in_order(trace: &str) -> Vec<&'static str> {
    let calls = trace.lines().filter_map(|line| {
        let call = line.split_once(' ')?.1.trim_start();
        let is_text = (call.starts_with("sendto(") || call.starts_with("writev(")) && call.contains("Message-ID: ");
        let is_flush = call.starts_with("fdatasync(") || call.starts_with("fsync(");
        if is_flush { Some("flush") } else { is_text.then_some("text") }
    });
    calls.collect()
}

#[test]
fn before_every_text_there_is_a_flush_of_its_own() {
    if !is_there() {
        return;
    }
    let relay = ScriptedRelay::kind();
    let campaign = campaign(LETTERS, 1, &relay);
    run_killed_at(&campaign, SEND_LETTERS, "dispatch.claimed");
    let trace = campaign.path().join("trace");
    let mut command = under_strace(&campaign, &["fdatasync", "fsync", "sendto", "writev"], &trace, None);
    command.env("UNDERSIGNED_LOG", "off");
    let (_, ran) = watch(command);
    assert_eq!(ran.code, 0, "{ran:?}");
    let order = in_order(&std::fs::read_to_string(&trace).unwrap());
    let texts: Vec<_> = order.iter().enumerate().filter(|(_, what)| **what == "text").map(|(n, _)| n).collect();
    assert_eq!(texts.len(), LETTERS, "{order:?}");
    let mut after = 0;
    for text in texts {
        assert!(order[after..text].contains(&"flush"), "a text left before its mark was on disk: {order:?}");
        after = text;
    }
    let standing = must_hold(&campaign, &relay);
    assert_eq!(standing.letters("sent"), LETTERS);
    tell("flushes", &standing);
}
