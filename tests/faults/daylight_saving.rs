//! time, the clock on the wall is set forwards and back for the summer: hours and pace neither burst nor freeze.

use crate::faketime::{EVERY, at_the_pace, faked, is_there, paced};
use crate::support::relay::ScriptedRelay;
use crate::world::{campaign, must_hold, start, tell};

#[test]
fn letters_keep_their_pace_over_the_hour_that_is_missing_and_the_hour_that_comes_twice() {
    if !is_there() {
        return;
    }
    for (fault, begin, hours) in [
        ("an hour is missing", "@2026-03-29 00:59:58", "pace.window=always"),
        // Until two seconds before they close by the old time; by the new time they have just opened.
        ("an hour comes twice", "@2026-10-25 00:59:58", "pace.window=mon-sun 2-3"),
    ] {
        let relay = ScriptedRelay::kind();
        let campaign = campaign(10, 1, &relay);
        let mut args = paced();
        args.extend(["--set", "campaign.timezone=Europe/Berlin", "--set", hours]);
        let mut command = faked(&campaign, &args);
        command.env("FAKETIME", begin).env("TZ", "UTC");
        let ran = start(command).end().1;
        assert_eq!(ran.code, 0, "{fault}: {ran:?}");
        let standing = must_hold(&campaign, &relay);
        assert_eq!((standing.letters("sent"), relay.record.count()), (10, 10), "{fault}");
        at_the_pace(&relay, EVERY);
        let at = campaign.log()[0]["at"].as_str().unwrap().to_owned();
        assert!(begin.contains(&at[..10]), "{fault}: the program's clock was {at}");
        tell(fault, &standing);
    }
}
