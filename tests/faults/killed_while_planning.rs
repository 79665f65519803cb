//! import, plan, kill -9: everybody is enrolled or nobody is, and importing again adds none.

use std::time::Duration;

use crate::support::campaign::Campaign;
use crate::support::relay::{Action, ScriptedRelay, Step};
use crate::world::{SEND_LETTERS, Standing, always, campaign, must_hold, run, run_killed_at, tell, wait_until};

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
fn a_kill_in_the_midst_of_a_large_enrolment_leaves_nobody_enrolled_or_all() {
    let relay = always(Step::Greeting, Action::Hang);
    for pause in [20, 80, 160, 320, 640] {
        let campaign = Campaign::new(10, 20_000, relay.port());
        let mut sending = campaign.start(&["send", "--yes"]);
        wait_until("the ledger is made", || campaign.ledger().exists());
        std::thread::sleep(Duration::from_millis(pause));
        sending.kill().unwrap();
        sending.wait().unwrap();
        let total = campaign.letters("total");
        assert!(total == 0 || total == 20_000, "{total} letters after a kill {pause} ms into the enrolment");
    }
}
