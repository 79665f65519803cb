//! relay, the reply comes just after our timeout: it is never read as the next message's reply.

use std::time::Duration;

use crate::support::relay::{Action, Options, ScriptedRelay, Step};
use crate::world::{HURRIED, SEND_LETTERS, campaign, must_hold, run_with, tell};

/// A second after the client has given up, so that no busy machine makes it come in time.
const TOO_LATE: Duration = Duration::from_secs(3);

#[test]
fn a_late_acceptance_is_in_doubt_and_not_the_next_letters() {
    let relay = ScriptedRelay::start(Options::default(), |at| match (at.step, at.message_of_all) {
        (Step::Dot, 1) => Action::late(TOO_LATE, "250 2.0.0 Ok: queued as 1A"),
        // Whoever hears the answer above in place of this one calls a letter sent that the relay does not have.
        (Step::Dot, 2) => Action::late(Duration::from_millis(1_200), "550 5.6.0 not this one"),
        _ => Action::Default,
    });
    let campaign = campaign(3, 1, &relay);
    let ran = run_with(&campaign, SEND_LETTERS, &[HURRIED]);
    let standing = must_hold(&campaign, &relay);
    let came = ["sent", "bounced", "in_doubt"].map(|state| standing.letters(state));
    assert_eq!((came, relay.record.count()), ([1, 1, 1], 2), "{ran:?}");
    assert!(relay.connections() >= 2, "a connection that timed out is not used again");
    tell("late at the dot", &standing);
}

#[test]
fn a_late_answer_before_the_text_belongs_to_no_other_letter() {
    let suffers = |step: Step| {
        let relay = ScriptedRelay::start(Options::default(), move |at| match (at.step, at.message_of_all) {
            (at, 1) if at == step => Action::late(TOO_LATE, if step == Step::Data { "354 go on" } else { "250 Ok" }),
            (Step::Rcpt, 2) => Action::reply("550 5.2.1 mailbox disabled"),
            _ => Action::Default,
        });
        let campaign = campaign(3, 1, &relay);
        let ran = run_with(&campaign, SEND_LETTERS, &[HURRIED]);
        let standing = must_hold(&campaign, &relay);
        let came = ["sent", "bounced", "in_doubt"].map(|state| standing.letters(state));
        assert_eq!((came, relay.record.count()), ([2, 1, 0], 2), "{step:?} {ran:?}");
        tell("late before the text", &standing);
    };
    std::thread::scope(|scope| {
        for step in [Step::Mail, Step::Rcpt, Step::Data] {
            scope.spawn(move || suffers(step));
        }
    });
}
