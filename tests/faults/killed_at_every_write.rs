//! import to close, kill -9 at the N-th write or flush, for every N: nothing lost, nothing twice, all or nothing enrolled.

use std::time::Instant;

use serde_json::json;

use crate::strace::{CALLS, During, LETTERS, campaign_for, is_there, run_injected, schedule};
use crate::support::proof;
use crate::support::relay::ScriptedRelay;
use crate::world::{SEND_LETTERS, Standing, must_hold, run};

/// How many of the two rows are run in CI.
const IN_CI: usize = 10;
const CONNECTIONS: usize = 2;

#[test]
fn whichever_write_is_the_last_the_next_start_loses_nothing_and_repeats_nothing() {
    if !is_there() {
        return;
    }
    let began = Instant::now();
    let (mut kills, mut in_doubt) = (0, 0);
    for during in [During::Planning, During::Sending] {
        for (call, n) in schedule(during, &CALLS, IN_CI) {
            let case = format!("{during:?}, killed at {call} {n}");
            let relay = ScriptedRelay::kind();
            let campaign = campaign_for(during, &relay);
            let (code, _) = run_injected(&campaign, call, &format!("{call}:signal=KILL:when={n}"));
            kills += usize::from(code.is_none());
            if during == During::Planning && campaign.ledger().exists() {
                let enrolled = Standing::read(&campaign, &relay.record).messages.len();
                assert!(enrolled == 0 || enrolled == LETTERS, "{case}: {enrolled} enrolled");
            }
            let ran = run(&campaign, SEND_LETTERS);
            let standing = must_hold(&campaign, &relay);
            let doubted = standing.letters("in_doubt");
            assert_eq!(standing.letters("sent") + doubted, LETTERS, "{case}: {ran:?}");
            assert!(doubted <= CONNECTIONS, "{case}: {doubted} in doubt");
            assert_eq!(ran.code, if doubted == 0 { 0 } else { 7 }, "{case}: {ran:?}");
            in_doubt += doubted;
        }
    }
    assert!(kills >= IN_CI, "only {kills} kills");
    let seconds = began.elapsed().as_secs();
    println!("killed at {kills} writes and flushes: lost 0, twice 0, in doubt {in_doubt}");
    proof::tell(
        "killed at every write",
        json!({"schedules": kills, "kills": kills, "lost": 0, "twice": 0, "in_doubt": in_doubt, "seconds": seconds}),
    );
}
