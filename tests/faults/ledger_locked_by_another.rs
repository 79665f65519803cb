//! ledger, locked by another process for longer than a call waits: nothing is claimed or sent meanwhile, and the campaign
//! carries on by itself. (One ledger's calls are in `tests/ledger_faults.rs`.)

use std::time::Duration;

use crate::support::relay::{Action, Step};
use crate::world::{SEND_LETTERS, always, campaign, command_with, must_hold, start, tell, wait_until, words};

#[test]
fn a_lock_held_by_another_stops_sending_and_nothing_is_in_doubt_when_it_is_gone() {
    let relay = always(Step::Dot, Action::late(Duration::from_millis(100), "250 2.0.0 Ok"));
    let campaign = campaign(8, 1, &relay);
    let mut sending = start(command_with(&campaign, SEND_LETTERS, &[]));
    relay.record.must_reach(3);
    let other = rusqlite::Connection::open(campaign.ledger()).unwrap();
    other.busy_timeout(Duration::from_secs(5)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let locked_at = relay.record.count();
    wait_until("staff are told", || words(&sending.so_far("err")).contains("another program has held its lock"));
    assert!(sending.is_at_work());
    assert!(relay.record.count() <= locked_at + 1, "only what had its receipt before");
    drop(other);

    assert_eq!(sending.end().1.code, 0);
    let standing = must_hold(&campaign, &relay);
    assert_eq!((standing.letters("sent"), relay.record.count()), (8, 8));
    tell("locked", &standing);
}
