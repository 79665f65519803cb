//! Two dispatchers on one ledger: the second refuses to start, and the first is not disturbed.

use std::time::Duration;

use crate::support::campaign::Campaign;
use crate::support::relay::{Action, Step};
use crate::world::{SEND, always, command_with, must_hold, run, start, tell};

#[test]
fn the_second_is_refused_and_the_first_goes_on() {
    let relay = always(Step::Dot, Action::late(Duration::from_millis(500), "250 2.0.0 Ok"));
    let campaign = Campaign::new(1, 20, relay.port());
    let first = start(command_with(&campaign, SEND, &[]));
    relay.record.must_reach(1);
    let second = run(&campaign, SEND);
    assert_eq!(second.code, 6, "{second:?}");
    assert!(second.err.contains("another `undersigned` is sending"), "{second:?}");
    assert_eq!(first.end().1.code, 0);
    let standing = must_hold(&campaign, &relay);
    assert_eq!((standing.letters("sent"), relay.record.count()), (20, 40));
    tell("two dispatchers", &standing);
}

#[test]
fn two_that_start_at_the_same_moment_send_every_letter_once() {
    let relay = always(Step::Dot, Action::late(Duration::from_millis(5), "250 2.0.0 Ok"));
    let campaign = Campaign::new(2, 20, relay.port());
    let both = [(); 2].map(|()| start(command_with(&campaign, SEND, &[])));
    let mut codes = both.map(|sending| sending.end().1.code);
    codes.sort_unstable();
    assert_eq!(codes, [0, 6]);
    let standing = must_hold(&campaign, &relay);
    assert_eq!((standing.letters("sent"), relay.record.count()), (20, 40));
}
