//! time, the machine's clock jumps by a day while letters go, forwards and back: the pace neither bursts nor freezes.

use std::fs;

use crate::faketime::{EVERY, at_the_pace, faked, is_there, paced};
use crate::support::relay::ScriptedRelay;
use crate::world::{campaign, must_hold, start, tell};

#[test]
fn letters_keep_their_pace_though_the_clock_jumps_by_a_day() {
    if !is_there() {
        return;
    }
    for jumps in [["+1d", "-1d"], ["-1d", "+1d"]] {
        let relay = ScriptedRelay::kind();
        let campaign = campaign(12, 1, &relay);
        let clock = campaign.path().join("clock");
        fs::write(&clock, "+0").unwrap();
        let mut command = faked(&campaign, &paced());
        command.env("FAKETIME_TIMESTAMP_FILE", &clock).env("FAKETIME_NO_CACHE", "1");
        let sending = start(command);
        for (letters, jump) in [3, 6].into_iter().zip(jumps) {
            relay.record.must_reach(letters);
            fs::write(&clock, jump).unwrap();
        }
        let ran = sending.end().1;
        assert_eq!(ran.code, 0, "{ran:?}");
        let standing = must_hold(&campaign, &relay);
        assert_eq!((standing.letters("sent"), relay.record.count()), (12, 12));
        at_the_pace(&relay, EVERY);
        // The clock did jump for the program.
        let log = campaign.log();
        let days: std::collections::BTreeSet<_> =
            log.iter().map(|a| a["at"].as_str().unwrap()[..10].to_owned()).collect();
        assert!(days.len() >= 3, "{days:?}");
        tell(&jumps.join(", then "), &standing);
    }
}
