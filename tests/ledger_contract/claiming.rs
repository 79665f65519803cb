//! Claiming and returning: lanes, turns and leases.

use std::collections::BTreeMap;

use undersigned::ledger::{Confirming, DecisionKind, Leased, Ledger, LedgerError, Selection};
use undersigned::model::{Content, Disposition};

use crate::world::*;

fn lanes(leased: &[Leased]) -> BTreeMap<i64, usize> {
    let mut lanes = BTreeMap::new();
    for one in leased {
        *lanes.entry(one.lane()).or_default() += 1;
    }
    lanes
}

pub(crate) async fn a_claim_brings_the_people_as_they_were_enrolled(world: impl Backend) {
    let ledger = world.ledger();
    enrol(ledger, &[(1, &[5])]);
    let leased = claim_one(ledger, minute(0)).await;
    let Content::Letter { official: to, constituent: from } = &leased.content else { panic!("not a letter") };
    assert!(*to == official(5) && *from == constituent(1));
    assert_eq!((leased.attempts, leased.first_attempt_at, &leased.stamp), (0, None, &None));
    assert_eq!(ledger.template(leased.template).unwrap(), "Dear {{ official.name }}");
    assert_eq!(figures(ledger), "letters: 1 leased");
}

pub(crate) async fn lanes_take_turns_even_when_one_is_much_longer(world: impl Backend) {
    let ledger = world.ledger();
    enrol(ledger, &[(1, &[1]), (2, &[1]), (3, &[1]), (4, &[1]), (5, &[2]), (6, &[3])]);
    let mut turns = Vec::new();
    for _ in 0..3 {
        let leased = claim_one(ledger, minute(0)).await;
        turns.push(leased.lane());
        finish(ledger, leased, minute(0), Disposition::Sent).await;
    }
    turns.sort_unstable();
    turns.dedup();
    assert_eq!(turns.len(), 3, "a lane came twice before another came once");
}

pub(crate) async fn a_claim_shares_its_limit_among_the_lanes(world: impl Backend) {
    let ledger = world.ledger();
    enrol(ledger, &[(1, &[1, 2]), (2, &[1, 2]), (3, &[1, 2]), (4, &[1, 2])]);
    let leased = claim(ledger, minute(0), 5).await;
    let mut shares: Vec<usize> = lanes(&leased).into_values().collect();
    shares.sort_unstable();
    assert_eq!(shares, [2, 3]);
    assert!(claim(ledger, minute(0), 0).await.is_empty());
}

pub(crate) async fn a_paced_lane_gives_one_message_and_waits_for_its_end(world: impl Backend) {
    let ledger = world.ledger();
    enrol_as(ledger, Confirming::Never, enrolments(&[(1, &[1]), (2, &[1]), (3, &[2])])).unwrap();
    let mut first = claim_paced(ledger, minute(0), 10).await;
    assert_eq!(lanes(&first).into_values().collect::<Vec<_>>(), [1, 1]);
    assert!(claim_paced(ledger, minute(0), 10).await.is_empty());
    assert_eq!(ledger.next_wake().await.unwrap(), None, "an occupied lane wakes nobody");
    // What comes into the lane meanwhile does not open it.
    enrol_as(ledger, Confirming::Never, enrolments(&[(4, &[1, 2])])).unwrap();
    assert!(claim_paced(ledger, minute(0), 10).await.is_empty());
    ledger.give_back(first.remove(0), None).await.unwrap();
    assert_eq!(claim_paced(ledger, minute(0), 10).await.len(), 1);
    finish(ledger, first.remove(0), minute(0), Disposition::Sent).await;
    assert_eq!(claim_paced(ledger, minute(0), 10).await.len(), 1);
}

pub(crate) async fn a_lane_is_not_ready_before_its_pace_allows(world: impl Backend) {
    let ledger = world.ledger();
    enrol(ledger, &[(1, &[1]), (2, &[1])]);
    let leased = claim_paced(ledger, minute(0), 1).await.remove(0);
    let stamp = stamp(leased.id());
    let open = ledger.mark_transmitting(leased, "main", stamp, Some(minute(5))).await.unwrap();
    ledger.close(open, attempt(minute(0), Disposition::Sent), minute(60)).await.unwrap();
    assert!(claim_paced(ledger, minute(4), 9).await.is_empty());
    assert_eq!(ledger.next_wake().await.unwrap(), Some(minute(5)));
    let leased = claim_paced(ledger, minute(5), 9).await.remove(0);
    ledger.give_back(leased, Some(minute(7))).await.unwrap();
    assert_eq!(ledger.next_wake().await.unwrap(), Some(minute(7)));
    assert!(claim_paced(ledger, minute(6), 9).await.is_empty());
    assert_eq!(claim_paced(ledger, minute(7), 9).await.len(), 1);
}

pub(crate) async fn what_is_given_back_can_be_claimed_again_as_it_was(world: impl Backend) {
    let ledger = world.ledger();
    enrol(ledger, &[(1, &[1])]);
    let leased = claim_one(ledger, minute(0)).await;
    let id = leased.id();
    ledger.give_back(leased, None).await.unwrap();
    assert_eq!(figures(ledger), "letters: 1 queued");
    let again = claim_one(ledger, minute(0)).await;
    assert_eq!((again.id(), again.attempts), (id, 0));
}

pub(crate) async fn deferred_messages_come_back_when_they_are_due_and_not_before(world: impl Backend) {
    let ledger = world.ledger();
    enrol(ledger, &[(1, &[1])]);
    finish(ledger, claim_one(ledger, minute(0)).await, minute(0), deferred(minute(15))).await;
    assert_eq!(figures(ledger), "letters: 1 deferred");
    assert_eq!(ledger.next_wake().await.unwrap(), Some(minute(15)));
    assert!(claim(ledger, minute(14), 9).await.is_empty());
    let again = claim_one(ledger, minute(15)).await;
    assert_eq!((again.attempts, again.first_attempt_at), (1, Some(minute(0))));
    assert_eq!(again.stamp, Some(stamp(again.id())));
    finish(ledger, again, minute(15), deferred(minute(30))).await;
    let third = claim_one(ledger, minute(30)).await;
    assert_eq!((third.attempts, third.first_attempt_at), (2, Some(minute(0))));
}

pub(crate) async fn tries_on_the_relays_clock_neither_count_nor_start_the_recipients(world: impl Backend) {
    let ledger = world.ledger();
    enrol(ledger, &[(1, &[1])]);
    let not_counted = Disposition::Deferred { due: minute(1), counted: false };
    finish(ledger, claim_one(ledger, minute(0)).await, minute(0), not_counted).await;
    let again = claim_one(ledger, minute(1)).await;
    assert_eq!((again.attempts, again.first_attempt_at), (0, None));
}

pub(crate) async fn a_receipt_whose_row_was_moved_by_another_process_changes_nothing(world: impl Backend) {
    let (ledger, other) = (world.ledger(), world.another());
    enrol(ledger, &[(1, &[1])]);
    let stale = claim_one(ledger, minute(0)).await;
    other.recover(minute(0), std::time::Duration::from_secs(3600)).await.unwrap();
    let fresh = claim_one(&other, minute(0)).await;
    assert_eq!(stale.id(), fresh.id());
    // The row is leased, as the stale receipt says; only the token tells.
    let lost = ledger.give_back(stale, None).await.unwrap_err();
    assert!(matches!(lost.error, LedgerError::LostRow { message, .. } if message == fresh.id()));
    let stamp = stamp(fresh.id());
    let lost = ledger.mark_transmitting(lost.receipt, "main", stamp, None).await.unwrap_err();
    assert!(matches!(lost.error, LedgerError::LostRow { .. }));
    finish(&other, fresh, minute(0), Disposition::Sent).await;
    let late = ledger.refuse(lost.receipt, attempt(minute(1), deferred(minute(2))), minute(1)).await.unwrap_err();
    assert!(matches!(late.error, LedgerError::LostRow { .. }));
    assert_eq!(figures(ledger), "letters: 1 sent; confirmations: 1 queued");
}

pub(crate) async fn a_message_is_either_held_by_staff_or_claimed_never_both(world: impl Backend) {
    let (ledger, staff) = (world.ledger(), world.another());
    let plan: Vec<(usize, &[usize])> = (0..60).map(|n| (n, &[1, 2, 3][..])).collect();
    enrol(ledger, &plan);
    let holding = std::thread::spawn(move || decide(&staff, DecisionKind::Hold, Selection::All, minute(0)));
    let mut claimed = 0;
    for _ in 0..20 {
        claimed += claim(ledger, minute(0), 3).await.len() as u64;
    }
    let held = holding.join().unwrap();
    claimed += claim(ledger, minute(0), 1000).await.len() as u64;
    assert_eq!(held + claimed, 180, "{}", figures(ledger));
}

pub(crate) async fn letters_to_a_mailbox_that_does_not_exist_are_suppressed_after_the_first_refusal(
    world: impl Backend,
) {
    let ledger = world.ledger();
    enrol(ledger, &[(1, &[1]), (2, &[1]), (3, &[1, 2])]);
    let leased = claim_letter_to(ledger, 1, minute(0)).await;
    let refusal = refused_at_rcpt(minute(0), "5.1.1 no such user");
    ledger.refuse(leased, refusal, minute(0)).await.unwrap();
    assert_eq!(figures(ledger), "letters: 3 queued, 1 bounced; confirmations: 1 queued");
    let claimed = claim(ledger, minute(0), 10).await;
    assert_eq!(claimed.len(), 2, "the letter to official 2 and the first confirmation");
    assert_eq!(figures(ledger), "letters: 1 leased, 1 bounced, 2 suppressed; confirmations: 1 queued, 1 leased");
    // New letters to that mailbox are suppressed from the start.
    assert_eq!(enrol(ledger, &[(4, &[1])]).suppressed, 1);
}

pub(crate) async fn a_refusal_for_good_that_is_not_about_the_address_suppresses_nothing(world: impl Backend) {
    let ledger = world.ledger();
    enrol(ledger, &[(1, &[1]), (2, &[1])]);
    let leased = claim_one(ledger, minute(0)).await;
    ledger.refuse(leased, refused_at_rcpt(minute(0), "5.2.1 disabled"), minute(90)).await.unwrap();
    assert_eq!(claim(ledger, minute(0), 10).await.len(), 1);
}

pub(crate) async fn a_postponed_message_waits_by_itself_and_its_lane_goes_on(world: impl Backend) {
    let ledger = world.ledger();
    enrol(ledger, &[(1, &[1]), (2, &[1])]);
    let first = claim_one(ledger, minute(0)).await;
    let id = first.id();
    ledger.postpone(first, minute(30)).await.unwrap();
    let second = claim_one(ledger, minute(0)).await;
    assert_ne!(second.id(), id);
    finish(ledger, second, minute(0), Disposition::Sent).await;
    let letters = |leased: Vec<Leased>| leased.iter().filter(|l| l.id() == id).count();
    assert_eq!(letters(claim(ledger, minute(29), 9).await), 0);
    assert_eq!(ledger.next_wake().await.unwrap(), Some(minute(30)));
    assert_eq!(letters(claim(ledger, minute(30), 9).await), 1);
}

pub(crate) async fn a_letter_that_was_refused_goes_when_it_is_due_before_those_of_its_lane_never_tried(
    world: impl Backend,
) {
    let ledger = world.ledger();
    enrol(ledger, &[(1, &[1]), (2, &[1]), (3, &[1]), (4, &[1])]);
    let first = claim_one(ledger, minute(0)).await;
    let refused = first.id();
    finish(ledger, first, minute(0), deferred(minute(5))).await;
    let again = claim_one(ledger, minute(10)).await;
    assert_eq!(again.id(), refused, "its time had come");
    finish(ledger, again, minute(10), deferred(minute(25))).await;
    let fresh = claim_one(ledger, minute(20)).await;
    assert_ne!(fresh.id(), refused, "while it waits the others go");
    let newer = fresh.id();
    finish(ledger, fresh, minute(20), deferred(minute(25))).await;
    let third = claim_one(ledger, minute(30)).await;
    assert_eq!(third.id(), refused, "of those that are due together the older");
    // Its one relay is away: it waits by itself, and is not behind the lane after that.
    ledger.postpone(third, minute(40)).await.unwrap();
    let leased = claim(ledger, minute(40), 9).await;
    let ids: Vec<_> = leased.iter().map(Leased::id).collect();
    assert_eq!(ids[..2], [newer, refused], "by the time at which they came due");
    assert_eq!(ids.len(), 4);
}

pub(crate) async fn a_letter_at_which_the_connection_was_lost_lets_the_others_of_its_lane_pass(world: impl Backend) {
    let ledger = world.ledger();
    enrol(ledger, &[(1, &[1]), (2, &[1])]);
    let first = claim_one(ledger, minute(0)).await;
    let lost = first.id();
    finish(ledger, first, minute(1), Disposition::Deferred { due: minute(1), counted: false }).await;
    assert_ne!(claim_one(ledger, minute(1)).await.id(), lost, "else nobody can tell that it is the letter");
}
