//! decide, kill -9 while a decision of staff is carried out: it is carried out whole, or not at all.

use crate::support::campaign::Campaign;
use crate::support::relay::ScriptedRelay;
use crate::world::{SEND, Standing, campaign, must_hold, run, run_killed_at, tell};

const POINTS: [&str; 4] = ["decide.moved", "decide.written", "writer.commits", "writer.committed"];

/// Two letters are in doubt, the others queued or sent.
fn in_doubt(relay: &ScriptedRelay) -> Campaign {
    let campaign = campaign(4, 1, relay);
    for _ in 0..2 {
        run_killed_at(&campaign, SEND, "heart.marked");
    }
    run_killed_at(&campaign, SEND, "dispatch.recovered");
    campaign
}

fn counts(campaign: &Campaign, relay: &ScriptedRelay, states: [&str; 4]) -> [usize; 4] {
    let standing = Standing::read(campaign, &relay.record);
    states.map(|state| standing.letters(state))
}

#[test]
fn what_staff_ordered_is_done_to_all_or_to_none_and_can_be_ordered_again() {
    for (order, ends) in [
        (&["resolve", "--as", "sent", "--all"][..], [2, 2, 0, 0]),
        (&["resolve", "--as", "resend", "--all"], [4, 0, 0, 0]),
        (&["hold"], [0, 0, 2, 2]),
        (&["cancel"], [0, 0, 2, 2]),
    ] {
        let states = ["queued", "sent", if order[0] == "hold" { "held" } else { "cancelled" }, "in_doubt"];
        // Every order at one point in the transaction and after it; the first order at all of them.
        let points = if order.contains(&"sent") { &POINTS[..] } else { &["decide.moved", "writer.committed"] };
        for &point in points {
            let relay = ScriptedRelay::kind();
            let campaign = in_doubt(&relay);
            let before = counts(&campaign, &relay, states);
            assert_eq!(before, [2, 0, 0, 2]);
            run_killed_at(&campaign, order, point);
            let after = counts(&campaign, &relay, states);
            let is_done = point == "writer.committed";
            assert_eq!(after, if is_done { ends } else { before }, "{order:?} {point}");
            if !is_done {
                assert_eq!(run(&campaign, order).code, 0, "{order:?} {point}");
                assert_eq!(counts(&campaign, &relay, states), ends, "{order:?} {point}");
            }
            let code = run(&campaign, SEND).code;
            let standing = must_hold(&campaign, &relay);
            assert_eq!(code == 7, standing.all("held") + standing.all("in_doubt") > 0, "{order:?} {point}: {code}");
            if point == POINTS[0] {
                tell(&order.join(" "), &standing);
            }
        }
    }
}
