//! receipt → reply, kill -9: the letter is in doubt, whatever the relay has of it, and is not sent again by itself.

use crate::support::relay::{Action, Options, ScriptedRelay, Step};
use crate::world::{SEND, SEND_LETTERS, campaign, command_with, must_hold, run, run_killed_at, start, tell};

/// The point, and how many copies of the first letter the relay has then; nothing where that is a matter of luck.
const POINTS: [(&str, Option<usize>); 6] = [
    ("heart.marked", Some(0)),
    ("smtp.dot", None),
    ("smtp.replied", Some(1)),
    ("heart.transmitted", Some(1)),
    ("ledger.ending", Some(1)),
    ("ledger.ended", Some(1)),
];

#[test]
fn the_letter_is_in_doubt_and_waits_for_staff() {
    for (point, copies) in POINTS {
        let relay = ScriptedRelay::kind();
        let campaign = campaign(4, 1, &relay);
        campaign.configure(relay.port(), "connections = 1\nmessages_per_connection = 1");
        run_killed_at(&campaign, SEND, point);
        for _ in 0..2 {
            assert_eq!(run(&campaign, SEND).code, 7, "{point}");
        }
        let standing = must_hold(&campaign, &relay);
        assert_eq!((standing.letters("sent"), standing.letters("in_doubt")), (3, 1), "{point}");
        let doubted = standing.messages.iter().find(|m| m.state == "in_doubt").unwrap();
        assert!(copies.is_none_or(|copies| copies == doubted.copies), "{point}: {doubted:?}");

        assert_eq!(run(&campaign, &["resolve", "--as", "resend", "--all"]).code, 0);
        assert_eq!(run(&campaign, SEND).code, 0, "{point}");
        let standing = must_hold(&campaign, &relay);
        assert_eq!(standing.letters("sent"), 4, "{point}");
        tell(point, &standing);
    }
}

#[test]
fn with_the_next_envelope_on_its_way_at_most_one_letter_a_connection_is_in_doubt() {
    for point in POINTS.map(|(point, _)| format!("{point}:3")) {
        let relay = ScriptedRelay::kind();
        let campaign = campaign(6, 1, &relay);
        run_killed_at(&campaign, SEND_LETTERS, &point);
        assert_eq!(run(&campaign, SEND_LETTERS).code, 7, "{point}");
        let standing = must_hold(&campaign, &relay);
        assert_eq!((standing.letters("sent"), standing.letters("in_doubt")), (5, 1), "{point}");
        tell(&point, &standing);
    }
}

#[test]
fn a_letter_of_which_only_the_first_bytes_left_is_in_doubt_though_the_relay_has_none() {
    let relay = ScriptedRelay::kind();
    let campaign = campaign(2, 1, &relay);
    campaign.write("templates/letter.md", &format!("Subject: Long\n\n{}\n", "please act. ".repeat(5_000)));
    run_killed_at(&campaign, SEND_LETTERS, "smtp.body");
    assert_eq!(run(&campaign, SEND_LETTERS).code, 7);
    let standing = must_hold(&campaign, &relay);
    assert_eq!((standing.letters("sent"), standing.letters("in_doubt"), relay.record.count()), (1, 1, 1));
    tell("smtp.body", &standing);
}

#[test]
fn while_the_relay_takes_its_time_the_letter_is_in_doubt() {
    let relay = ScriptedRelay::start(Options::default(), |at| match at.step {
        Step::Dot if at.message_of_all == 1 => Action::take_then_hang(),
        _ => Action::Default,
    });
    let campaign = campaign(2, 1, &relay);
    let mut sending = start(command_with(&campaign, SEND_LETTERS, &[]));
    relay.record.must_reach(1);
    sending.child.kill().unwrap();
    sending.end();
    assert_eq!(run(&campaign, SEND_LETTERS).code, 7);
    let standing = must_hold(&campaign, &relay);
    assert_eq!((standing.letters("sent"), standing.letters("in_doubt"), relay.record.count()), (1, 1, 2));
    tell("a late reply", &standing);
}
