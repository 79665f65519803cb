//! import, plan, kill -9: everybody is enrolled or nobody is, and importing again adds none.

use std::time::Duration;

use crate::support::campaign::Campaign;
use crate::support::relay::{Action, ScriptedRelay, Step};
use crate::world::{SEND_LETTERS, Standing, always, campaign, must_hold, run, run_killed_at, tell};

const POINTS: [&str; 10] = [
    "create.filled",
    "create.renamed",
    "enrol.begun",
    "enrol.row",
    "enrol.row:4",
    "enrol.commits",
    "enrol.committed",
    "writer.commits",
    "writer.committed",
    "writer.committed:3",
];

#[test]
fn everybody_is_enrolled_or_nobody_and_the_next_start_enrols_whoever_is_missing() {
    for point in POINTS {
        let relay = ScriptedRelay::kind();
        let campaign = campaign(5, 1, &relay);
        run_killed_at(&campaign, SEND_LETTERS, point);
        if campaign.ledger().exists() {
            let enrolled = Standing::read(&campaign, &relay.record).messages.len();
            assert!(enrolled == 0 || enrolled == 5, "{enrolled} after a kill at {point}");
        }
        assert_eq!(relay.record.count(), 0, "{point}");
        for _ in 0..2 {
            assert_eq!(run(&campaign, SEND_LETTERS).code, 0, "{point}");
        }
        let standing = must_hold(&campaign, &relay);
        assert_eq!((standing.letters("sent"), standing.messages.len(), relay.record.count()), (5, 5, 5), "{point}");
        tell(point, &standing);
    }
}

#[test]
fn a_kill_at_some_moment_of_a_large_enrolment_leaves_all_or_nothing() {
    let relay = always(Step::Greeting, Action::Hang);
    let campaign = Campaign::new(10, 20_000, relay.port());
    for pause in [40, 80, 120, 160, 200, 300, 400, 600] {
        let mut sending = campaign.start(&["send", "--yes"]);
        std::thread::sleep(Duration::from_millis(pause));
        sending.kill().unwrap();
        sending.wait().unwrap();
        if campaign.ledger().exists() && campaign.run(&["status", "--json"]).code == 0 {
            let total = campaign.letters("total");
            assert!(total == 0 || total == 20_000, "{total} letters after a kill at {pause} ms");
        }
    }
}
