//! refused before the text, kill -9 around its commit: bounced, deferred or given back once, and the relay has nothing.

use crate::support::relay::{Action, Options, ScriptedRelay, Step};
use crate::world::{SEND_LETTERS, campaign, must_hold, run, run_killed_at, tell};

#[test]
fn a_refusal_that_is_on_disk_stays_and_one_that_is_not_is_heard_again() {
    for (reply, ends) in [("550 5.2.1 mailbox disabled", "bounced"), ("450 4.2.1 busy", "sent")] {
        for point in ["ledger.ending", "ledger.ended", "books.refused"] {
            let relay = ScriptedRelay::start(Options::default(), move |at| match at.step {
                Step::Rcpt if at.to.starts_with("mayor1") && (ends == "bounced" || at.message_of_all <= 2) => {
                    Action::reply(reply)
                }
                Step::Rcpt if at.to.starts_with("mayor0") && at.message_of_all == 1 => Action::reply("450 4.2.1 busy"),
                _ => Action::Default,
            });
            let campaign = campaign(2, 1, &relay);
            run_killed_at(&campaign, SEND_LETTERS, point);
            assert_eq!(relay.record.count(), 0, "{point}");
            run(&campaign, SEND_LETTERS);
            let standing = must_hold(&campaign, &relay);
            let expected = if ends == "bounced" { (1, 1) } else { (2, 0) };
            assert_eq!((standing.letters("sent"), standing.letters("bounced")), expected, "{reply} {point}");
            assert_eq!(relay.record.count(), expected.0, "{reply} {point}");
            tell(&format!("{reply}, {point}"), &standing);
        }
    }
}

#[test]
fn a_letter_that_went_back_is_in_the_queue_once() {
    // The relay takes its time with the envelope; staff ask to end, so the letter goes back.
    let relay = ScriptedRelay::start(Options::default(), |at| match at.step {
        Step::Rcpt if at.message_of_all == 1 => Action::Hang,
        _ => Action::Default,
    });
    let campaign = campaign(2, 1, &relay);
    let command = crate::world::command_with(&campaign, SEND_LETTERS, &[("UNDERSIGNED_FAILPOINT", "books.given_back")]);
    let sending = crate::world::start(command);
    let is_offered = || relay.heard().iter().any(|(_, line)| line.starts_with("RCPT"));
    crate::world::wait_until("a letter is offered", is_offered);
    sending.signal("-TERM");
    sending.end();
    assert_eq!(run(&campaign, SEND_LETTERS).code, 0);
    let standing = must_hold(&campaign, &relay);
    assert_eq!((standing.letters("sent"), relay.record.count()), (2, 2));
    tell("books.given_back", &standing);
}
