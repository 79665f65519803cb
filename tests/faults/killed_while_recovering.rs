//! recover, kill -9 while a start puts right what a crash left: the next start does it, and gives the same.

use crate::support::relay::ScriptedRelay;
use crate::world::{SEND_LETTERS, campaign, must_hold, run, run_killed_at, tell};

#[test]
fn a_start_that_is_killed_while_it_puts_things_right_changes_nothing_of_what_comes_out() {
    for point in ["ledger.recovering", "ledger.recovered", "writer.commits:2", "dispatch.recovered"] {
        let relay = ScriptedRelay::kind();
        let campaign = campaign(4, 1, &relay);
        run_killed_at(&campaign, SEND_LETTERS, "heart.marked");
        for _ in 0..2 {
            run_killed_at(&campaign, SEND_LETTERS, point);
        }
        assert_eq!(run(&campaign, SEND_LETTERS).code, 7, "{point}");
        let standing = must_hold(&campaign, &relay);
        assert_eq!(
            (standing.letters("sent"), standing.letters("in_doubt"), relay.record.count()),
            (3, 1, 3),
            "{point}"
        );
        let doubts = campaign.log().iter().filter(|attempt| attempt["disposition"] == "in_doubt").count();
        assert_eq!(doubts, 1, "{point}: it is told once");
        tell(point, &standing);
    }
}
