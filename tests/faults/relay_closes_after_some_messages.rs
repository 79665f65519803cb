//! relay, closes after every N messages: the program connects again, and none is in doubt.

use crate::support::relay::{Action, Options, ScriptedRelay, Step};
use crate::world::{SEND_LETTERS, campaign, must_hold, run, tell};

#[test]
fn a_relay_that_closes_after_every_third_message_leaves_none_in_doubt() {
    for pipelining in [true, false] {
        let relay = ScriptedRelay::start(Options { pipelining, ..Options::default() }, |at| match at.step {
            Step::Dot if at.message % 3 == 0 => Action::ReplyThenClose("250 2.0.0 Ok: queued, and goodbye".into()),
            _ => Action::Default,
        });
        let campaign = campaign(7, 1, &relay);
        assert_eq!(run(&campaign, SEND_LETTERS).code, 0);
        let standing = must_hold(&campaign, &relay);
        assert_eq!((standing.letters("sent"), relay.record.count()), (7, 7));
        assert!(relay.connections() >= 3, "{}", relay.connections());
        tell("closes after three", &standing);
    }
}
