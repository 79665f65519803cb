//! ledger, EIO and ENOSPC at the N-th write or flush: no letter goes without its mark, no record is skipped, and the
//! campaign carries on by itself once the ledger can be written again.

use std::time::Instant;

use serde_json::json;

use crate::strace::{During, LETTERS, campaign_for, is_there, run_injected, schedule};
use crate::support::proof;
use crate::support::relay::ScriptedRelay;
use crate::world::{SEND_LETTERS, must_hold, run};

/// What the ledger is written with.
const CALLS: [&str; 3] = ["fdatasync", "fsync", "pwrite64"];
const IN_CI: usize = 8;

/// So many calls fail, one after the other; then the disk is well.
fn suffers(error: &str, during: During, call: &str, n: usize) -> bool {
    let case = format!("{during:?}, {error} at {call} {n}");
    let relay = ScriptedRelay::kind();
    let campaign = campaign_for(during, &relay);
    let (code, ran) = run_injected(&campaign, call, &format!("{call}:error={error}:when={n}..{}", n + 3));
    let carried_on = code == Some(0);
    // A start that cannot write says so and ends; a campaign at work waits.
    assert!(carried_on || relay.record.count() == 0, "{case}: it carries on by itself: {ran:?}");
    if campaign.ledger().exists() && campaign.run(&["status"]).code == 0 {
        let standing = must_hold(&campaign, &relay);
        // What the relay has is on record: as sent, or as begun.
        let recorded = standing.letters("sent") + standing.letters("in_doubt") + standing.letters("transmitting");
        assert!(relay.record.count() <= recorded, "{case}: {recorded} on record");
    }
    let again = run(&campaign, SEND_LETTERS);
    let standing = must_hold(&campaign, &relay);
    assert_eq!((again.code, standing.letters("sent")), (0, LETTERS), "{case}: {ran:?} {again:?}");
    assert_eq!(relay.record.count(), LETTERS, "{case}");
    carried_on
}

fn at_every_write(error: &str) {
    if !is_there() {
        return;
    }
    let began = Instant::now();
    let (mut faults, mut carried_on) = (0, 0);
    for during in [During::Planning, During::Sending] {
        for (call, n) in schedule(during, &CALLS, IN_CI) {
            faults += 1;
            carried_on += usize::from(suffers(error, during, call, n));
        }
    }
    println!("{error} at {faults} writes and flushes: lost 0, twice 0, in doubt 0, carried on by itself {carried_on}");
    let seconds = began.elapsed().as_secs();
    let figures =
        json!({"schedules": faults, "faults": faults, "lost": 0, "twice": 0, "in_doubt": 0, "seconds": seconds});
    proof::tell(&format!("{error} at every write"), figures);
}

#[test]
fn a_disk_that_fails_for_a_moment_costs_no_record() {
    at_every_write("EIO");
}

#[test]
fn a_disk_that_is_full_for_a_moment_costs_no_record() {
    at_every_write("ENOSPC");
}
