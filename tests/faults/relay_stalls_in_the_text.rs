//! relay, reads the text slowly or stalls within it: before the dot has left, it provably has nothing.
//!
//! A letter is smaller than what the machine's own buffers hold, so that its dot leaves at once; only a text of many
//! megabytes stays behind. That is shown with a session alone, and the campaign with what its letters come to.

use std::time::Duration;

use undersigned::model::{LossCause, Outcome, Phase};
use undersigned::smtp::Offer;

use crate::support::relay::{Action, Options, ScriptedRelay, Step};
use crate::support::{PaperReceipt, envelope, hasty};
use crate::world::{HURRIED, SEND_LETTERS, campaign, must_hold, once_at, run_with, tell};

fn stalls() -> [(&'static str, Action); 2] {
    [
        ("stalled", Action::Hang),
        ("stalled for a time", Action::After(Duration::from_secs(20), Box::new(Action::Default))),
    ]
}

#[tokio::test]
async fn a_text_that_does_not_leave_is_provably_not_accepted() {
    for (fault, action) in stalls() {
        let options = Options { receive_buffer: Some(4_096), ..Options::default() };
        let relay = ScriptedRelay::start(options, once_at(Step::Body, action));
        let mut session = hasty(relay.port()).connect().await.unwrap();
        let (envelope, bytes) = (envelope("mayor@town.example"), b"line\r\n".repeat(4_000_000));
        let accepted = session.offer(&Offer::new(&envelope, &bytes)).await.unwrap();
        let outcome = accepted.transmit(&PaperReceipt(1), &bytes, None).await;
        let Outcome::Lost { phase, cause, .. } = &outcome else { panic!("{fault}: {outcome}") };
        assert_eq!((*phase, *cause), (Phase::Body, LossCause::Timeout), "{fault}");
        assert!(!session.is_usable(), "{fault}");
        drop(session);
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(relay.record.count(), 0, "{fault}");
    }
}

#[test]
fn a_letter_whose_dot_has_left_is_in_doubt_and_the_next_one_goes_by_another_connection() {
    for (fault, action) in stalls() {
        let relay = ScriptedRelay::start(Options::default(), once_at(Step::Body, action));
        let campaign = campaign(2, 1, &relay);
        let ran = run_with(&campaign, SEND_LETTERS, &[HURRIED]);
        let standing = must_hold(&campaign, &relay);
        assert_eq!((ran.code, standing.letters("sent"), standing.letters("in_doubt")), (7, 1, 1), "{fault}: {ran:?}");
        assert!(relay.connections() >= 2, "{fault}");
        tell(fault, &standing);
    }
}
