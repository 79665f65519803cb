//! What staff order.

use undersigned::ledger::{DecisionKind, Ledger, LedgerError, Selection};
use undersigned::model::{Disposition, MessageId, MessageState, Stamp};

use crate::world::*;

pub(crate) async fn hold_and_release_take_letters_out_of_the_queue_and_back(world: impl Backend) {
    let ledger = world.ledger();
    enrol(ledger, &[(1, &[1]), (2, &[2])]);
    finish(ledger, claim_one(ledger, minute(0)).await, minute(0), deferred(minute(60))).await;
    assert_eq!(decide(ledger, DecisionKind::Hold, Selection::State(MessageState::Queued), minute(1)), 1);
    assert_eq!(figures(ledger), "letters: 1 held, 1 deferred");
    assert_eq!(decide(ledger, DecisionKind::Hold, Selection::All, minute(1)), 1);
    assert!(claim(ledger, minute(120), 9).await.is_empty());
    assert_eq!(ledger.next_wake().await.unwrap(), None);
    assert_eq!(decide(ledger, DecisionKind::Release, Selection::All, minute(2)), 2);
    assert_eq!(claim(ledger, minute(2), 9).await.len(), 1, "a retry keeps its time");
    assert_eq!(ledger.next_wake().await.unwrap(), Some(minute(60)));
}

pub(crate) async fn a_letter_without_a_mailbox_stays_held(world: impl Backend) {
    let ledger = world.ledger();
    let mut list = enrolments(&[(1, &[1])]);
    let mut nowhere = official(1);
    nowhere.mailbox = None;
    let to = vec![nowhere.key().into()];
    list.push(undersigned::ledger::Enrolment::Official(nowhere));
    list.push(undersigned::ledger::Enrolment::Constituent { constituent: constituent(2), officials: to });
    let done = enrol_as(ledger, undersigned::ledger::Confirming::PerConstituent, list).unwrap();
    assert_eq!((done.queued, done.held), (1, 1));
    assert_eq!(decide(ledger, DecisionKind::Release, Selection::All, minute(0)), 0);
    let held = messages(ledger).into_iter().find(|m| m.state == MessageState::Held).unwrap();
    assert_eq!(held.recipient, None);
    let order = |kind| undersigned::ledger::Decision {
        kind,
        selection: Selection::Ids(vec![held.id]),
        reason: String::new(),
        at: minute(0),
    };
    assert!(matches!(ledger.decide(&order(DecisionKind::Release)), Err(LedgerError::Conflict(_))));
    assert_eq!(ledger.decide(&order(DecisionKind::Cancel)).unwrap(), 1);
    assert_eq!(figures(ledger), "letters: 1 queued, 1 cancelled");
}

pub(crate) async fn retry_lifts_the_suppression_and_counts_tries_anew(world: impl Backend) {
    let ledger = world.ledger();
    enrol(ledger, &[(1, &[1]), (2, &[1])]);
    let leased = claim_one(ledger, minute(0)).await;
    ledger.refuse(leased, refused_at_rcpt(minute(0), "5.1.1 no such user"), minute(90)).await.unwrap();
    assert!(claim(ledger, minute(89), 9).await.is_empty());
    assert_eq!(figures(ledger), "letters: 1 queued, 1 bounced; confirmations: 1 queued");
    assert!(claim_letters(ledger, minute(90)).await.is_empty());
    assert_eq!(figures(ledger), "letters: 1 bounced, 1 suppressed; confirmations: 2 queued");
    assert_eq!(decide(ledger, DecisionKind::Retry, Selection::State(MessageState::Bounced), minute(91)), 1);
    assert_eq!(decide(ledger, DecisionKind::Retry, Selection::State(MessageState::Suppressed), minute(91)), 1);
    let claimed = claim(ledger, minute(91), 9).await;
    assert_eq!(claimed.len(), 2);
    assert!(claimed.iter().all(|leased| (leased.attempts, leased.first_attempt_at) == (0, None)));
}

pub(crate) async fn a_refusal_that_is_taken_back_before_the_news_is_out_suppresses_nobody(world: impl Backend) {
    let ledger = world.ledger();
    enrol(ledger, &[(1, &[1]), (2, &[1])]);
    let leased = claim_one(ledger, minute(0)).await;
    ledger.refuse(leased, refused_at_rcpt(minute(0), "5.1.1 no such user"), minute(1)).await.unwrap();
    assert!(claim_letters(ledger, minute(0)).await.is_empty());
    assert_eq!(decide(ledger, DecisionKind::Retry, Selection::State(MessageState::Bounced), minute(0)), 1);
    assert_eq!(claim_letters(ledger, minute(1)).await.len(), 2);
}

async fn claim_letters(ledger: &impl Ledger, now: jiff::Timestamp) -> Vec<undersigned::ledger::Leased> {
    let kind = Some(undersigned::model::MessageKind::Letter);
    let claim = undersigned::ledger::Claim { now, limit: 9, one_per_lane: false, kind };
    ledger.claim(claim).await.unwrap()
}

pub(crate) async fn what_is_in_doubt_moves_only_by_an_order_of_staff(world: impl Backend) {
    let ledger = world.ledger();
    enrol(ledger, &[(1, &[1]), (2, &[2])]);
    for n in [1, 2] {
        finish(
            ledger,
            claim_letter_to(ledger, n, minute(0)).await,
            minute(n.try_into().unwrap()),
            Disposition::InDoubt,
        )
        .await;
    }
    for kind in [DecisionKind::Retry, DecisionKind::Hold, DecisionKind::Release] {
        assert_eq!(decide(ledger, kind, Selection::State(MessageState::InDoubt), minute(5)), 0);
    }
    let [first, second] = [0, 1].map(|n| messages(ledger)[n].id);
    decide(ledger, DecisionKind::ResolveSent, Selection::Ids(vec![first]), minute(5));
    let sent = messages(ledger).remove(0);
    assert_eq!(
        (sent.state, sent.accepted_at),
        (MessageState::Sent, Some(minute(1))),
        "when it was lost is the best guess"
    );
    decide(ledger, DecisionKind::ResolveResend, Selection::Ids(vec![second]), minute(5));
    let again = claim_letter_to(ledger, 2, minute(5)).await;
    assert_eq!(again.stamp, Some(stamp(second)), "the same Message-ID, so that a copy can be told");
    let other = Stamp { body_hash: [8; 32], ..stamp(second) };
    let refused = ledger.mark_transmitting(again, "main", other, None).await.unwrap_err();
    finish(ledger, refused.receipt, minute(5), Disposition::Sent).await;
}

pub(crate) async fn what_the_program_resends_is_for_the_same_relay_until_staff_say_otherwise(world: impl Backend) {
    let ledger = world.ledger();
    enrol(ledger, &[(1, &[1])]);
    let only = |leased: &undersigned::ledger::Leased| leased.only_relay.as_deref().map(str::to_owned);
    let mut leased = claim_letter_to(ledger, 1, minute(0)).await;
    assert_eq!(only(&leased), None);
    let id = leased.id();
    for (resend, expected) in [(DecisionKind::ResendToSame, Some("main")), (DecisionKind::ResolveResend, None)] {
        finish(ledger, leased, minute(0), Disposition::InDoubt).await;
        assert_eq!(decide(ledger, resend, Selection::All, minute(1)), 1);
        leased = claim_letter_to(ledger, 1, minute(1)).await;
        assert_eq!(only(&leased).as_deref(), expected);
    }
    finish(ledger, leased, minute(1), Disposition::InDoubt).await;
    // By itself it resends a letter once; by its number it is an order.
    assert_eq!(decide(ledger, DecisionKind::ResendToSame, Selection::State(MessageState::InDoubt), minute(2)), 0);
    decide(ledger, DecisionKind::ResendToSame, Selection::Ids(vec![id]), minute(2));
    // A sweep does not loosen it, an order by number does.
    for (selection, expected) in [(Selection::All, Some("main")), (Selection::Ids(vec![id]), None)] {
        decide(ledger, DecisionKind::Hold, Selection::All, minute(2));
        decide(ledger, DecisionKind::Release, selection, minute(2));
        let leased = claim_letter_to(ledger, 1, minute(2)).await;
        assert_eq!(only(&leased).as_deref(), expected);
        ledger.give_back(leased, None).await.unwrap();
    }
}

pub(crate) async fn an_order_that_names_a_wrong_message_changes_nothing(world: impl Backend) {
    let ledger = world.ledger();
    enrol(ledger, &[(1, &[1]), (2, &[2])]);
    finish(ledger, claim_one(ledger, minute(0)).await, minute(0), Disposition::InDoubt).await;
    let before = messages(ledger);
    let queued = before.iter().find(|m| m.state == MessageState::Queued).unwrap().id;
    let in_doubt = before.iter().find(|m| m.state == MessageState::InDoubt).unwrap().id;
    for (kind, ids) in [
        (DecisionKind::Cancel, vec![queued, MessageId(999)]),
        (DecisionKind::Cancel, vec![queued, in_doubt]),
        (DecisionKind::Release, vec![queued]),
        (DecisionKind::ResolveSent, vec![in_doubt, queued]),
        (DecisionKind::Retry, vec![in_doubt]),
    ] {
        let order = undersigned::ledger::Decision {
            kind,
            selection: Selection::Ids(ids),
            reason: String::new(),
            at: minute(1),
        };
        assert!(matches!(ledger.decide(&order), Err(LedgerError::Conflict(_))), "{kind:?}");
        assert_eq!(messages(ledger), before);
    }
    assert!(ledger.decisions().unwrap().is_empty(), "what was not done is not recorded");
}

pub(crate) async fn every_order_is_recorded_with_time_number_and_reason(world: impl Backend) {
    let ledger = world.ledger();
    enrol(ledger, &[(1, &[1, 2, 3])]);
    decide(ledger, DecisionKind::Hold, Selection::All, minute(1));
    let id = messages(ledger)[0].id;
    decide(ledger, DecisionKind::Cancel, Selection::Ids(vec![id]), minute(2));
    assert_eq!(
        ledger.decisions().unwrap(),
        [
            (minute(1), "hold: all that can; moved 3; test".to_owned()),
            (minute(2), format!("cancel: messages {id}; moved 1; test")),
        ]
    );
}

pub(crate) async fn a_leased_message_is_out_of_reach_of_staff(world: impl Backend) {
    let ledger = world.ledger();
    enrol(ledger, &[(1, &[1])]);
    let leased = claim_one(ledger, minute(0)).await;
    for kind in [DecisionKind::Hold, DecisionKind::Cancel, DecisionKind::Retry, DecisionKind::ResolveResend] {
        assert_eq!(decide(ledger, kind, Selection::All, minute(0)), 0);
    }
    finish(ledger, leased, minute(0), Disposition::Sent).await;
}

pub(crate) async fn a_changed_template_reaches_only_what_was_never_offered(world: impl Backend) {
    let ledger = world.ledger();
    enrol(ledger, &[(1, &[1, 2, 3])]);
    finish(ledger, claim_letter_to(ledger, 1, minute(0)).await, minute(0), deferred(minute(1))).await;
    let leased = claim_letter_to(ledger, 2, minute(0)).await;
    let newer = ledger.freeze_template("letter", "Hello", minute(0)).unwrap();
    assert_eq!(ledger.adopt_template("letter", newer, minute(0)).unwrap(), 1);
    ledger.give_back(leased, None).await.unwrap();
    for (n, source) in [(1, "Dear {{ official.name }}"), (2, "Dear {{ official.name }}"), (3, "Hello")] {
        let leased = claim_letter_to(ledger, n, minute(1)).await;
        assert_eq!(ledger.template(leased.template).unwrap(), source);
        ledger.give_back(leased, None).await.unwrap();
    }
}

pub(crate) async fn a_changed_confirmation_reaches_those_that_are_still_to_come(world: impl Backend) {
    let ledger = world.ledger();
    enrol(ledger, &[(1, &[1])]);
    let newer = ledger.freeze_template("confirmation", "Done", minute(0)).unwrap();
    ledger.adopt_template("confirmation", newer, minute(0)).unwrap();
    finish(ledger, claim_one(ledger, minute(0)).await, minute(0), Disposition::Sent).await;
    assert_eq!(claim_one(ledger, minute(0)).await.template, newer);
}

pub(crate) async fn a_deadline_lets_waiting_letters_expire_and_leaves_what_somebody_holds(world: impl Backend) {
    let ledger = world.ledger();
    enrol(ledger, &[(1, &[1]), (2, &[2]), (3, &[3])]);
    let held = claim_letter_to(ledger, 1, minute(0)).await;
    assert_eq!(decide(ledger, DecisionKind::Expire, Selection::All, minute(5)), 2);
    finish(ledger, held, minute(6), Disposition::Sent).await;
    assert_eq!(figures(ledger), "letters: 1 sent, 2 expired; confirmations: 3 queued");
}

pub(crate) async fn cancel_for_all_withdraws_letters_and_not_the_news_of_those_that_are_out(world: impl Backend) {
    let ledger = world.ledger();
    enrol(ledger, &[(1, &[1]), (2, &[2])]);
    finish(ledger, claim_letter_to(ledger, 1, minute(0)).await, minute(1), Disposition::Sent).await;
    assert_eq!(decide(ledger, DecisionKind::Cancel, Selection::All, minute(2)), 1);
    assert_eq!(figures(ledger), "letters: 1 sent, 1 cancelled; confirmations: 1 queued");
}

pub(crate) async fn of_these_leaves_out_what_cannot_make_the_move(world: impl Backend) {
    let ledger = world.ledger();
    enrol(ledger, &[(1, &[1]), (2, &[2])]);
    finish(ledger, claim_letter_to(ledger, 1, minute(0)).await, minute(1), Disposition::Bounced).await;
    let all: Vec<MessageId> = messages(ledger).iter().map(|m| m.id).chain([MessageId(999)]).collect();
    assert_eq!(decide(ledger, DecisionKind::Retry, Selection::OfThese(all), minute(2)), 1);
}
