//! When constituents are told: once, and the truth.

use undersigned::ledger::{Confirming, DecisionKind, Ledger, LedgerError, Selection};
use undersigned::model::{Content, Disposition, MessageKind, MessageState};

use crate::world::*;

/// The claimed message as a confirmation: the states of its letters.
fn told(content: &Content) -> Vec<MessageState> {
    match content {
        Content::Confirmation { letters, .. } => letters.iter().map(|letter| letter.state).collect(),
        Content::Letter { .. } => panic!("a letter"),
    }
}

pub(crate) async fn a_constituent_is_told_once_when_the_last_letter_is_settled(world: impl Backend) {
    let ledger = world.ledger();
    enrol(ledger, &[(1, &[1, 2, 3])]);
    for (n, end) in [(1, Disposition::Sent), (2, Disposition::Bounced)] {
        finish(ledger, claim_letter_to(ledger, n, minute(0)).await, minute(0), end).await;
    }
    assert_eq!(figures(ledger), "letters: 1 queued, 1 sent, 1 bounced");
    let open = mark(ledger, claim_letter_to(ledger, 3, minute(0)).await).await;
    ledger.close(open, attempt(minute(0), Disposition::InDoubt), minute(30)).await.unwrap();
    assert_eq!(figures(ledger), "letters: 1 sent, 1 bounced, 1 in_doubt; confirmations: 1 queued");
    assert!(claim(ledger, minute(29), 9).await.is_empty(), "the news has its time");
    let confirmation = claim_one(ledger, minute(30)).await;
    assert_eq!(confirmation.kind(), MessageKind::Confirmation);
    assert_eq!(told(&confirmation.content), [MessageState::Sent, MessageState::Bounced, MessageState::InDoubt]);
    let Content::Confirmation { constituent: to, letters } = &confirmation.content else { panic!() };
    assert!(*to == constituent(1) && letters[0].official == official(1));
    assert_eq!((letters[0].accepted_at, letters[1].accepted_at), (Some(minute(0)), None));
    assert_eq!(ledger.template(letters[0].template).unwrap(), "Dear {{ official.name }}");
    assert!(letters[1].reply.as_deref().unwrap().starts_with("550"));
    finish(ledger, confirmation, minute(30), Disposition::Sent).await;
    assert_eq!(ledger.next_wake().await.unwrap(), None);
}

pub(crate) async fn a_refusal_before_the_body_can_be_the_last_news_too(world: impl Backend) {
    let ledger = world.ledger();
    enrol(ledger, &[(1, &[1])]);
    let leased = claim_one(ledger, minute(0)).await;
    ledger.refuse(leased, refused_at_rcpt(minute(0), "5.7.1 no"), minute(0)).await.unwrap();
    assert_eq!(told(&claim_one(ledger, minute(0)).await.content), [MessageState::Bounced]);
}

pub(crate) async fn a_letter_that_turns_out_suppressed_can_be_the_last_to_settle(world: impl Backend) {
    let ledger = world.ledger();
    enrol(ledger, &[(9, &[1]), (1, &[1, 2])]);
    finish(ledger, claim_letter_to(ledger, 2, minute(0)).await, minute(0), Disposition::Sent).await;
    let first = claim_letter_to(ledger, 1, minute(0)).await;
    ledger.refuse(first, refused_at_rcpt(minute(0), "5.1.1 no such user"), minute(0)).await.unwrap();
    send_all(ledger, minute(0)).await;
    assert_eq!(figures(ledger), "letters: 1 sent, 1 bounced, 1 suppressed; confirmations: 2 sent");
}

pub(crate) async fn by_letter_each_letter_is_told_by_itself(world: impl Backend) {
    let ledger = world.ledger();
    enrol_as(ledger, Confirming::PerLetter, enrolments(&[(1, &[1, 2])])).unwrap();
    finish(ledger, claim_letter_to(ledger, 1, minute(0)).await, minute(0), Disposition::Sent).await;
    assert_eq!(figures(ledger), "letters: 1 queued, 1 sent; confirmations: 1 queued");
    finish(ledger, claim_letter_to(ledger, 2, minute(0)).await, minute(0), Disposition::Bounced).await;
    let first = claim_one(ledger, minute(0)).await;
    let second = claim_one(ledger, minute(0)).await;
    assert_eq!(told(&first.content), [MessageState::Sent]);
    assert_eq!(told(&second.content), [MessageState::Bounced]);
}

pub(crate) async fn where_none_are_wanted_none_come_about(world: impl Backend) {
    let ledger = world.ledger();
    enrol_as(ledger, Confirming::Never, enrolments(&[(1, &[1])])).unwrap();
    send_all(ledger, minute(0)).await;
    assert_eq!(figures(ledger), "letters: 1 sent");
}

pub(crate) async fn nobody_is_told_of_letters_that_were_all_cancelled(world: impl Backend) {
    let ledger = world.ledger();
    enrol(ledger, &[(1, &[1, 2]), (2, &[3])]);
    finish(ledger, claim_letter_to(ledger, 3, minute(0)).await, minute(0), Disposition::Sent).await;
    send_all(ledger, minute(-1)).await;
    decide(ledger, DecisionKind::Cancel, Selection::All, minute(0));
    assert_eq!(figures(ledger), "letters: 1 sent, 2 cancelled; confirmations: 1 queued");
}

pub(crate) async fn cancelling_the_last_open_letter_tells_of_the_others(world: impl Backend) {
    let ledger = world.ledger();
    enrol(ledger, &[(1, &[1, 2])]);
    finish(ledger, claim_letter_to(ledger, 1, minute(0)).await, minute(0), Disposition::Sent).await;
    decide(ledger, DecisionKind::Cancel, Selection::All, minute(0));
    assert_eq!(figures(ledger), "letters: 1 sent, 1 cancelled; confirmations: 1 queued");
}

pub(crate) async fn a_confirmation_waits_again_while_one_of_its_letters_is_retried(world: impl Backend) {
    let ledger = world.ledger();
    enrol(ledger, &[(1, &[1])]);
    finish(ledger, claim_one(ledger, minute(0)).await, minute(0), Disposition::Bounced).await;
    decide(ledger, DecisionKind::Retry, Selection::All, minute(1));
    let claimed = claim(ledger, minute(1), 9).await;
    assert_eq!(claimed.len(), 1);
    assert_eq!(claimed[0].kind(), MessageKind::Letter);
    assert_eq!(figures(ledger), "letters: 1 leased; confirmations: 1 held");
    assert_eq!(decide(ledger, DecisionKind::Release, Selection::All, minute(1)), 0, "staff cannot hurry it");
    for leased in claimed {
        finish(ledger, leased, minute(2), Disposition::Sent).await;
    }
    assert_eq!(told(&claim_one(ledger, minute(2)).await.content), [MessageState::Sent]);
}

pub(crate) async fn a_confirmation_that_was_offered_before_may_tell_newer_news_under_its_name(world: impl Backend) {
    let ledger = world.ledger();
    enrol(ledger, &[(1, &[1])]);
    finish(ledger, claim_one(ledger, minute(0)).await, minute(0), Disposition::InDoubt).await;
    finish(ledger, claim_one(ledger, minute(0)).await, minute(0), deferred(minute(9))).await;
    decide(ledger, DecisionKind::ResolveSent, Selection::All, minute(1));
    let again = claim_one(ledger, minute(9)).await;
    assert_eq!(told(&again.content), [MessageState::Sent]);
    let mut stamp = again.stamp.clone().unwrap();
    stamp.body_hash = [9; 32];
    let open = ledger.mark_transmitting(again, "main", stamp, None).await.unwrap();
    ledger.close(open, attempt(minute(9), Disposition::Sent), minute(9)).await.unwrap();
}

pub(crate) async fn who_was_told_is_not_told_again(world: impl Backend) {
    let ledger = world.ledger();
    enrol(ledger, &[(1, &[1])]);
    finish(ledger, claim_one(ledger, minute(0)).await, minute(0), Disposition::Bounced).await;
    finish(ledger, claim_one(ledger, minute(0)).await, minute(0), Disposition::Sent).await;
    decide(ledger, DecisionKind::Retry, Selection::All, minute(1));
    send_all(ledger, minute(1)).await;
    assert_eq!(figures(ledger), "letters: 1 sent; confirmations: 1 sent");
}

pub(crate) async fn a_withheld_confirmation_of_letters_that_are_cancelled_after_all_is_cancelled(world: impl Backend) {
    let ledger = world.ledger();
    enrol(ledger, &[(1, &[1])]);
    finish(ledger, claim_one(ledger, minute(0)).await, minute(0), Disposition::Bounced).await;
    let letter = messages(ledger)[0].id;
    decide(ledger, DecisionKind::Retry, Selection::All, minute(1));
    let leased = claim(ledger, minute(1), 9).await.remove(0);
    ledger.give_back(leased, None).await.unwrap();
    decide(ledger, DecisionKind::Cancel, Selection::Ids(vec![letter]), minute(2));
    assert_eq!(figures(ledger), "letters: 1 cancelled; confirmations: 1 cancelled");
}

pub(crate) async fn how_constituents_are_told_cannot_change_under_way(world: impl Backend) {
    let ledger = world.ledger();
    enrol(ledger, &[(1, &[1])]);
    let refused = enrol_as(ledger, Confirming::PerLetter, enrolments(&[(2, &[1])])).unwrap_err();
    assert!(matches!(refused, LedgerError::Conflict(_)));
    assert_eq!(figures(ledger), "letters: 1 queued");
}

pub(crate) async fn the_confirmation_of_a_late_letter_waits_while_that_is_tried_again_and_then_goes(
    world: impl Backend,
) {
    let ledger = world.ledger();
    enrol(ledger, &[(1, &[1])]);
    send_all(ledger, minute(0)).await;
    send_all(ledger, minute(1)).await;
    enrol(ledger, &[(1, &[1, 2])]);
    finish(ledger, claim_letter_to(ledger, 2, minute(2)).await, minute(2), Disposition::Bounced).await;
    decide(ledger, DecisionKind::Retry, Selection::All, minute(3));
    let leased = claim(ledger, minute(200), 9).await;
    assert_eq!(figures(ledger), "letters: 1 leased, 1 sent; confirmations: 1 held, 1 sent");
    for letter in leased {
        finish(ledger, letter, minute(201), Disposition::Sent).await;
    }
    assert_eq!(figures(ledger), "letters: 2 sent; confirmations: 1 queued, 1 sent");
}
