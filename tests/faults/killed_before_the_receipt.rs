//! claim → receipt, kill -9: the relay has nothing of the letter, and the letter goes back to the queue.

use crate::support::relay::{Action, Options, ScriptedRelay};
use crate::world::{SEND_LETTERS, Standing, campaign, must_hold, run, run_killed_at, tell};

/// After the claim, in the conversation, and inside the transaction of the point of no return.
const POINTS: [&str; 6] =
    ["dispatch.claimed", "smtp.mail", "smtp.rcpt", "smtp.data", "heart.offered", "ledger.marking"];

#[test]
fn the_first_letter_is_back_in_the_queue_and_the_relay_has_nothing() {
    for pipelining in [true, false] {
        for point in POINTS {
            let relay = ScriptedRelay::start(Options { pipelining, ..Options::default() }, |_| Action::Default);
            let campaign = campaign(4, 1, &relay);
            run_killed_at(&campaign, SEND_LETTERS, point);
            let left = Standing::read(&campaign, &relay.record);
            assert_eq!((relay.record.count(), left.letters("transmitting")), (0, 0), "{point}");
            assert_eq!(left.letters("queued") + left.letters("leased"), 4, "{point}");

            assert_eq!(run(&campaign, SEND_LETTERS).code, 0, "{point}");
            let standing = must_hold(&campaign, &relay);
            assert_eq!((standing.letters("sent"), relay.record.count()), (4, 4), "{point}");
            tell(point, &standing);
        }
    }
}

#[test]
fn a_letter_whose_envelope_travelled_with_the_one_before_is_back_in_the_queue() {
    for point in POINTS.iter().skip(1).map(|point| format!("{point}:3")) {
        let relay = ScriptedRelay::kind();
        let campaign = campaign(4, 1, &relay);
        run_killed_at(&campaign, SEND_LETTERS, &point);
        let before = relay.record.count();
        // The letter before may have waited for the same transaction; this one has left nothing.
        let code = run(&campaign, SEND_LETTERS).code;
        let standing = must_hold(&campaign, &relay);
        assert!(standing.letters("in_doubt") <= 1 && before <= 2, "{point}");
        assert_eq!((standing.letters("sent") + standing.letters("in_doubt"), relay.record.count()), (4, 4), "{point}");
        assert_eq!(code, if standing.letters("in_doubt") == 0 { 0 } else { 7 }, "{point}");
        tell(&point, &standing);
    }
}
