//! The point of no return, and what a transmission ends in.

use undersigned::ledger::{Ledger, LedgerError, LogFilter, Recovered};
use undersigned::model::{Disposition, MessageKind, Stamp};

use crate::world::*;

pub(crate) async fn every_end_of_a_transmission_has_its_state_and_its_line_in_the_log(world: impl Backend) {
    let ledger = world.ledger();
    for (n, (disposition, state)) in [
        (Disposition::Sent, "sent"),
        (deferred(minute(500)), "deferred"),
        (Disposition::Bounced, "bounced"),
        (Disposition::Expired, "expired"),
        (Disposition::InDoubt, "in_doubt"),
    ]
    .into_iter()
    .enumerate()
    {
        enrol(ledger, &[(n, &[n])]);
        let leased = claim_letter_to(ledger, n, minute(0)).await;
        let id = leased.id();
        finish(ledger, leased, minute(3), disposition).await;
        assert_eq!(state_of(ledger, id).as_str(), state);
        let mut lines = Vec::new();
        let filter = LogFilter { message: Some(id), ..LogFilter::default() };
        ledger
            .attempts(&filter, &mut |line| {
                lines.push(line);
                Ok(())
            })
            .unwrap();
        let line = lines.pop().unwrap();
        assert!(lines.is_empty());
        assert_eq!((line.attempt, line.at, line.disposition.as_str()), (1, minute(3), state));
        assert_eq!(line.recipient, format!("o{n}@town.example"));
        assert_eq!(line.message_id, Some(stamp(id).message_id));
    }
}

pub(crate) async fn an_accepted_message_keeps_when_and_as_what_the_relay_took_it(world: impl Backend) {
    let ledger = world.ledger();
    enrol(ledger, &[(1, &[1])]);
    finish(ledger, claim_one(ledger, minute(0)).await, minute(2), Disposition::Sent).await;
    let letter = messages(ledger).remove(0);
    assert_eq!(letter.accepted_at, Some(minute(2)));
    assert_eq!(letter.last_reply.as_deref(), Some("250 2.0.0 Ok: queued as 4F1C2D3E (at dot)"));
    let mut ids = Vec::new();
    ledger
        .attempts(&LogFilter::default(), &mut |line| {
            ids.push(line.queue_id);
            Ok(())
        })
        .unwrap();
    assert_eq!(ids, [Some("4F1C2D3E".to_owned())]);
}

pub(crate) async fn the_stamp_of_the_first_hand_over_holds_for_every_later_one(world: impl Backend) {
    let ledger = world.ledger();
    enrol(ledger, &[(1, &[1])]);
    finish(ledger, claim_one(ledger, minute(0)).await, minute(0), deferred(minute(1))).await;
    let mut leased = claim_one(ledger, minute(1)).await;
    let first = stamp(leased.id());
    for other in [
        Stamp { message_id: "other@campaign.example".into(), ..first.clone() },
        Stamp { date: minute(9), ..first.clone() },
        Stamp { body_hash: [8; 32], ..first.clone() },
    ] {
        let refused = ledger.mark_transmitting(leased, "main", other, None).await.unwrap_err();
        assert!(matches!(refused.error, LedgerError::Conflict(_)));
        assert_eq!(figures(ledger), "letters: 1 leased", "nothing was changed");
        leased = refused.receipt;
    }
    let open = ledger.mark_transmitting(leased, "main", first, None).await.unwrap();
    ledger.close(open, attempt(minute(1), Disposition::Sent), minute(1)).await.unwrap();
}

pub(crate) async fn a_lease_cannot_end_as_sent_or_in_doubt_without_a_transmission(world: impl Backend) {
    let ledger = world.ledger();
    enrol(ledger, &[(1, &[1])]);
    let mut leased = claim_one(ledger, minute(0)).await;
    for disposition in [Disposition::Sent, Disposition::InDoubt] {
        let refused = ledger.refuse(leased, attempt(minute(0), disposition), minute(0)).await.unwrap_err();
        assert!(matches!(refused.error, LedgerError::Illegal(_)));
        assert_eq!(figures(ledger), "letters: 1 leased");
        leased = refused.receipt;
    }
    ledger.give_back(leased, None).await.unwrap();
}

pub(crate) async fn attempts_are_numbered_by_message_whatever_they_ended_in(world: impl Backend) {
    let ledger = world.ledger();
    enrol(ledger, &[(1, &[1])]);
    let leased = claim_one(ledger, minute(0)).await;
    ledger.refuse(leased, attempt(minute(0), deferred(minute(1))), minute(0)).await.unwrap();
    finish(ledger, claim_one(ledger, minute(1)).await, minute(1), deferred(minute(2))).await;
    finish(ledger, claim_one(ledger, minute(2)).await, minute(2), Disposition::Sent).await;
    let mut numbers = Vec::new();
    ledger
        .attempts(&LogFilter::default(), &mut |line| {
            numbers.push(line.attempt);
            Ok(())
        })
        .unwrap();
    assert_eq!(numbers, [1, 2, 3]);
}

pub(crate) async fn a_start_puts_back_what_was_leased_and_doubts_what_was_transmitting(world: impl Backend) {
    enrol(world.ledger(), &[(1, &[1]), (2, &[2])]);
    let leased = claim_letter_to(world.ledger(), 1, minute(0)).await;
    let open = mark(world.ledger(), claim_letter_to(world.ledger(), 2, minute(0)).await).await;
    drop((leased, open));
    let world = world.restart();
    let ledger = world.ledger();
    assert_eq!(figures(ledger), "letters: 1 leased, 1 transmitting");
    let found = ledger.recover(minute(9), std::time::Duration::from_secs(3600)).await.unwrap();
    assert_eq!(found, Recovered { given_back: 1, in_doubt: 1 });
    assert_eq!(figures(ledger), "letters: 1 queued, 1 in_doubt; confirmations: 1 queued");
    assert_eq!(ledger.recover(minute(9), std::time::Duration::from_secs(3600)).await.unwrap(), Recovered::default());
    let mut log = Vec::new();
    ledger
        .attempts(&LogFilter::default(), &mut |line| {
            log.push(line);
            Ok(())
        })
        .unwrap();
    assert_eq!(log.len(), 1);
    assert_eq!((log[0].relay.as_str(), log[0].phase.as_str(), log[0].class.as_str()), ("main", "dot", "in_doubt"));
    assert_eq!(log[0].text, "this program ended during transmission");
    send_all(ledger, minute(9)).await;
    assert_eq!(figures(ledger), "letters: 1 sent, 1 in_doubt; confirmations: 2 sent");
}

pub(crate) async fn a_paced_lane_whose_process_ended_is_open_again(world: impl Backend) {
    enrol(world.ledger(), &[(1, &[1]), (2, &[1])]);
    assert_eq!(claim_paced(world.ledger(), minute(0), 9).await.len(), 1);
    let world = world.restart();
    world.ledger().recover(minute(1), std::time::Duration::from_secs(3600)).await.unwrap();
    assert_eq!(claim_paced(world.ledger(), minute(1), 9).await.len(), 1);
}

pub(crate) async fn what_was_committed_is_there_after_a_restart(world: impl Backend) {
    enrol(world.ledger(), &[(1, &[1, 2, 3])]);
    finish(world.ledger(), claim_one(world.ledger(), minute(0)).await, minute(0), Disposition::Sent).await;
    // A call that nobody waits for any more.
    let half_way = claim_one(world.ledger(), minute(0)).await;
    drop(world.ledger().give_back(half_way, None));
    let before = messages(world.ledger());
    let tag = world.ledger().tag().clone();
    let world = world.restart();
    assert_eq!(messages(world.ledger()), before);
    assert_eq!(*world.ledger().tag(), tag);
}

pub(crate) async fn hand_overs_that_may_have_reached_a_relay_are_counted_from_the_log(world: impl Backend) {
    let ledger = world.ledger();
    enrol(ledger, &[(1, &[1]), (2, &[2]), (3, &[3]), (4, &[4])]);
    for (n, at, end) in [
        (1, 0, Disposition::Sent),
        (2, 10, Disposition::Sent),
        (3, 10, Disposition::InDoubt),
        (4, 10, Disposition::Bounced),
    ] {
        finish(ledger, claim_letter_to(ledger, n, minute(at)).await, minute(at), end).await;
    }
    assert_eq!(ledger.sent_since(minute(0)).unwrap(), 3);
    assert_eq!(ledger.sent_since(minute(10)).unwrap(), 2);
    assert_eq!(ledger.sent_since(minute(11)).unwrap(), 0);
}

pub(crate) async fn a_lane_that_waits_for_its_pace_still_waits_after_a_start(world: impl Backend) {
    enrol(world.ledger(), &[(1, &[1]), (2, &[1])]);
    let leased = claim_paced(world.ledger(), minute(0), 9).await.remove(0);
    let stamp = stamp(leased.id());
    let open = world.ledger().mark_transmitting(leased, "main", stamp, Some(minute(5))).await.unwrap();
    world.ledger().close(open, attempt(minute(0), Disposition::Sent), minute(0)).await.unwrap();
    let world = world.restart();
    world.ledger().recover(minute(1), std::time::Duration::from_secs(3600)).await.unwrap();
    let letters = async |at| {
        let claimed = claim_paced(world.ledger(), minute(at), 9).await;
        claimed.iter().filter(|leased| leased.kind() == MessageKind::Letter).count()
    };
    assert_eq!((letters(4).await, letters(5).await), (0, 1));
}
