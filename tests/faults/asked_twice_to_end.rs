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
        assert!(relay.record.wait_for(1, Duration::from_secs(20)));
        sending.signal(first);
        wait_until("the first is heard", || sending.so_far("err").contains("Finishing what is in transmission"));
        // What comes at once after the first is the same wish, so it is asked until it is heard. The relay says nothing, and
        // would be waited for much longer than this.
        wait_until("it is out", || {
            let is_out = !sending.is_at_work();
            if !is_out {
                sending.signal(second);
                std::thread::sleep(Duration::from_millis(50));
            }
            is_out
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
