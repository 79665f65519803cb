//! close, kill -9 after its commit: the letter is sent, once, and nobody is in doubt about it.

use crate::support::relay::ScriptedRelay;
use crate::world::{SEND_LETTERS, campaign, must_hold, run, run_killed_at, tell};

#[test]
fn a_letter_that_was_closed_is_sent_once() {
    let relay = ScriptedRelay::kind();
    let campaign = campaign(3, 1, &relay);
    campaign.configure(relay.port(), "connections = 1\nmessages_per_connection = 1");
    for _ in 0..2 {
        run_killed_at(&campaign, SEND_LETTERS, "books.closed");
    }
    assert_eq!(run(&campaign, SEND_LETTERS).code, 0);
    let standing = must_hold(&campaign, &relay);
    assert_eq!((standing.letters("sent"), relay.record.count()), (3, 3));
    tell("books.closed", &standing);
}

#[test]
fn a_letter_that_was_closed_with_the_mark_of_the_next_is_sent_and_only_the_next_is_in_doubt() {
    let relay = ScriptedRelay::kind();
    let campaign = campaign(4, 1, &relay);
    run_killed_at(&campaign, SEND_LETTERS, "books.closed_and_marked");
    assert_eq!(run(&campaign, SEND_LETTERS).code, 7);
    let standing = must_hold(&campaign, &relay);
    assert_eq!((standing.letters("sent"), standing.letters("in_doubt"), relay.record.count()), (3, 1, 3));
    tell("books.closed_and_marked", &standing);
}

#[test]
fn whichever_commit_is_the_last_nothing_is_lost_and_nothing_twice() {
    for at in ["writer.commits", "writer.committed"] {
        for n in [1, 3, 5, 7, 9] {
            let relay = ScriptedRelay::kind();
            let campaign = campaign(4, 1, &relay);
            let point = format!("{at}:{n}");
            run_killed_at(&campaign, SEND_LETTERS, &point);
            let code = run(&campaign, SEND_LETTERS).code;
            let standing = must_hold(&campaign, &relay);
            let in_doubt = standing.letters("in_doubt");
            assert_eq!((standing.letters("sent") + in_doubt, code), (4, if in_doubt == 0 { 0 } else { 7 }), "{point}");
            assert!(in_doubt <= 1, "{point}");
            tell(&point, &standing);
        }
    }
}
