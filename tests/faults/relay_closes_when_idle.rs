//! relay, closes a connection that idles: the program connects again, and none is in doubt.

use std::time::Duration;

use crate::support::relay::{Action, Options, ScriptedRelay, Step};
use crate::world::{campaign, must_hold, run, tell};

#[test]
fn a_relay_that_closes_between_two_paced_letters_leaves_none_in_doubt() {
    let relay = ScriptedRelay::start(Options::default(), |at| match at.step {
        Step::Dot => Action::ReplyThenIdle("250 2.0.0 Ok: queued".into(), Duration::from_millis(100)),
        _ => Action::Default,
    });
    let campaign = campaign(6, 1, &relay);
    let paced = ["send", "--yes", "--set", "campaign.confirm=never", "--set", "pace.per_mailbox=60/m"];
    assert_eq!(run(&campaign, &paced).code, 0);
    let standing = must_hold(&campaign, &relay);
    assert_eq!((standing.letters("sent"), relay.record.count()), (6, 6));
    assert!(relay.connections() >= 3, "{}", relay.connections());
    tell("closes when idle", &standing);
}
