//! SIGTERM or Ctrl-C, twice: out at once; at most one message a connection is in doubt.

use std::time::Duration;

use crate::support::relay::{Action, Step};
use crate::world::{SEND, always, campaign, command_with, must_hold, run_killed_at, start, tell, wait_until};

const CONNECTIONS: usize = 4;

#[test]
fn it_is_out_at_once_and_what_was_in_transmission_is_in_doubt() {
    for (first, second) in [("-INT", "-INT"), ("-TERM", "-INT")] {
        let relay = always(Step::Dot, Action::take_then_hang());
        let campaign = campaign(100, CONNECTIONS, &relay);
        let mut sending = start(command_with(&campaign, SEND, &[]));
        relay.record.must_reach(1);
        sending.signal(first);
        wait_until("it heard that", || sending.so_far("err").contains("press Ctrl-C again"));
        // Signals in a row are one wish, so on a slow machine the second may have to be said again.
        wait_until("it leaves", || {
            std::thread::sleep(Duration::from_millis(300));
            let is_there = sending.is_at_work();
            if is_there {
                sending.signal(second);
            }
            !is_there
        });
        assert_eq!(sending.end().1.code, 130);
        let standing = must_hold(&campaign, &relay);
        let open = standing.letters("transmitting");
        assert!(standing.letters("sent") == 0 && (1..=CONNECTIONS).contains(&open), "{open}");

        // The next start calls them in doubt, and gives them to nobody again.
        let accepted = relay.record.count();
        run_killed_at(&campaign, SEND, "dispatch.recovered");
        let standing = must_hold(&campaign, &relay);
        assert_eq!((standing.letters("in_doubt"), relay.record.count()), (open, accepted));
        tell(second, &standing);
    }
}
