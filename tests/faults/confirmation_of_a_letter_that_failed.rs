//! confirmations: of a letter in doubt or bounced no confirmation says "sent"; the constituent is told the truth, once.

use crate::support::campaign::Campaign;
use crate::support::relay::{Action, Options, ScriptedRelay, Step};
use crate::world::must_hold;

#[test]
fn a_permanent_refusal_bounces_one_letter_and_its_constituent_is_told_the_truth() {
    let relay = ScriptedRelay::start(Options::default(), |at| match at.step {
        Step::Rcpt if at.to == "mayor1@town1.example" => Action::reply("550 5.2.1 mailbox disabled"),
        _ => Action::Default,
    });
    let campaign = Campaign::new(3, 3, relay.port());
    let ran = campaign.send();
    assert_eq!(ran.code, 5, "{ran:?}");
    assert_eq!(campaign.letters("sent"), 2);
    assert_eq!(campaign.letters("bounced"), 1);
    assert_eq!(campaign.status()["state"], "finished_with_failures");
    let told: Vec<_> = relay.record.entries().into_iter().filter(|e| e.to == ["signer1@mail.example"]).collect();
    assert_eq!(told.len(), 1);
    let text = String::from_utf8_lossy(&told[0].bytes).into_owned();
    assert!(text.contains("To Official 1: bounced"), "{text}");

    let log = campaign.log();
    let refused: Vec<_> = log.iter().filter(|a| a["disposition"] == "bounced").collect();
    assert_eq!(refused.len(), 1);
    for (key, value) in [
        ("phase", "rcpt"),
        ("enhanced", "5.2.1"),
        ("kind", "letter"),
        ("relay", "main"),
        ("recipient", "mayor1@town1.example"),
    ] {
        assert_eq!(refused[0][key], value);
    }
    assert_eq!(refused[0]["code"], 550);
    assert_eq!(refused[0]["attempt"], 1);
    must_hold(&campaign, &relay);
}

#[test]
fn a_connection_that_dies_at_the_dot_leaves_one_letter_in_doubt_until_staff_decide() {
    let relay = ScriptedRelay::start(Options::default(), |at| {
        if at.step == Step::Dot && at.to == "mayor0@town0.example" && at.message_of_all <= 2 {
            Action::take_then_drop()
        } else {
            Action::Default
        }
    });
    let campaign = Campaign::new(2, 2, relay.port());
    campaign.configure(relay.port(), "connections = 1");
    let ran = campaign.send();
    assert_eq!(ran.code, 7, "{ran:?}");
    assert!(ran.out.contains("in doubt") && ran.out.contains("resolve"), "{}", ran.out);
    assert_eq!(campaign.letters("in_doubt"), 1);
    assert_eq!(relay.record.entries().iter().filter(|e| e.to == ["mayor0@town0.example"]).count(), 1);
    // The constituent hears the truth once, and a second run changes nothing.
    let told = relay.record.entries().iter().filter(|e| e.to == ["signer0@mail.example"]).count();
    assert_eq!(told, 1);
    assert_eq!(campaign.send().code, 7);
    assert_eq!(relay.record.entries().iter().filter(|e| e.to == ["mayor0@town0.example"]).count(), 1);

    let resolved = campaign.run(&["resolve", "--as", "sent", "--all", "--reason", "seen in its log"]);
    assert_eq!(resolved.code, 0, "{resolved:?}");
    assert_eq!(campaign.letters("sent"), 2);
    assert_eq!(campaign.send().code, 0);
    must_hold(&campaign, &relay);
}
