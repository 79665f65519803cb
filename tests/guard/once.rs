//! What must happen once, or not be lost, also over a kill at the wrong moment.

use jiff::Timestamp;
use undersigned::ledger::Ledger;
use undersigned::ledger::sqlite::{Access, SqliteLedger};

use crate::support::campaign::{Campaign, LETTER};
use crate::support::relay::{Action, Options, ScriptedRelay, Step};
use crate::world::{ok, send, world};

#[test]
fn a_letter_is_resent_by_configuration_once_however_often_send_is_started() {
    let relay = ScriptedRelay::start(Options::default(), |at| match at.step {
        Step::Dot => Action::take_then_drop(),
        _ => Action::Default,
    });
    let campaign = Campaign::new(1, 1, relay.port());
    for start in 1..=3 {
        let ran = send(&campaign, &["--set", "campaign.on_doubt=resend"]);
        assert_eq!((ran.code, relay.record.count()), (7, 2), "start {start}: {ran:?}");
    }
    assert_eq!(campaign.run(&["resolve", "--as", "resend", "--all"]).code, 0);
    assert_eq!(send(&campaign, &[]).code, 7);
    assert_eq!(relay.record.count(), 3, "staff may order another");
}

#[test]
fn a_changed_letter_that_staff_accepted_is_not_lost_by_a_kill_before_it_was_taken_up() {
    let (relay, campaign) = world(4);
    ok(send(&campaign, &["--limit", "1"]));
    let changed = LETTER.replace("please *act*", "please *act now*");
    campaign.write("templates/letter.md", &changed);
    // As far as `send --accept-changed-letter` had come: the new text is frozen, and nothing has moved to it.
    let ledger = SqliteLedger::open(&campaign.ledger(), Access::Dispatch).unwrap();
    ledger.freeze_template("templates/letter.md", &changed, Timestamp::now()).unwrap();
    drop(ledger);
    let refused = send(&campaign, &["--skip-bad"]);
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(refused.err.contains("--accept-changed-letter"), "{refused:?}");
    ok(send(&campaign, &["--accept-changed-letter"]));
    let new = relay.record.entries().iter().filter(|e| String::from_utf8_lossy(&e.bytes).contains("act now")).count();
    assert_eq!((relay.record.count(), new), (4, 3));
    ok(send(&campaign, &[]));
}
