//! time, the program is stopped for a while and goes on, as when a machine sleeps: no burst afterwards, and no freeze.

use std::time::Duration;

use crate::faketime::{EVERY, at_the_pace, paced};
use crate::support::relay::ScriptedRelay;
use crate::world::{campaign, command_with, must_hold, start, tell};

#[test]
fn letters_that_were_due_meanwhile_do_not_come_all_at_once() {
    let relay = ScriptedRelay::kind();
    let campaign = campaign(12, 1, &relay);
    let sending = start(command_with(&campaign, &paced(), &[]));
    relay.record.must_reach(3);
    sending.signal("-STOP");
    std::thread::sleep(Duration::from_secs(5));
    sending.signal("-CONT");
    assert_eq!(sending.end().1.code, 0);
    let standing = must_hold(&campaign, &relay);
    assert_eq!((standing.letters("sent"), relay.record.count()), (12, 12));
    at_the_pace(&relay, EVERY);
    tell("suspended", &standing);
}
