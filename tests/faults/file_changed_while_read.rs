//! import, a file that is cut short while it is read: refused with its name, or read whole; never in half.

use std::time::Duration;

use crate::support::campaign::{Campaign, contacts};
use crate::support::relay::{Action, Step};
use crate::world::{SEND_LETTERS, Standing, always, command_with, must_hold, start, tell, wait_until};

const MANY: usize = 4_000;
const HALF: usize = 2_000;

#[test]
fn a_list_that_is_cut_short_under_the_reader_is_never_enrolled_in_half() {
    let (mut refused, mut whole) = (0, 0);
    for pause in [0, 50, 100, 150, 200, 300, 400, 600] {
        let relay = always(Step::Greeting, Action::Hang);
        let campaign = Campaign::new(10, MANY, relay.port());
        let half = contacts(10, 0..HALF);
        let mut sending = start(command_with(&campaign, SEND_LETTERS, &[]));
        std::thread::sleep(Duration::from_millis(pause));
        // The very file that the program has open, not another one under its name.
        std::fs::File::options()
            .write(true)
            .open(campaign.path().join("contacts.csv"))
            .unwrap()
            .set_len(half.len() as u64)
            .unwrap();
        wait_until("it refuses, or connects", || !sending.is_at_work() || relay.connections() > 0);
        if sending.is_at_work() {
            sending.signal("-TERM");
        }
        let ran = sending.end().1;
        let enrolled =
            if campaign.ledger().exists() { Standing::read(&campaign, &relay.record).messages.len() } else { 0 };
        match (ran.code, enrolled) {
            (0, HALF | MANY) => whole += 1,
            (3, 0) => {
                assert!(ran.err.contains("contacts.csv") && ran.err.contains("changed"), "{pause} ms: {ran:?}");
                refused += 1;
            }
            _ => panic!("{pause} ms: {enrolled} enrolled, {ran:?}"),
        }
        if campaign.ledger().exists() {
            tell("cut short", &must_hold(&campaign, &relay));
        }
    }
    println!("cut short while it was read: refused {refused}, read whole {whole}");
    assert_eq!(refused + whole, 8);
}
