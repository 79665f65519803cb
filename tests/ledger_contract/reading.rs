//! Figures and lists.

use undersigned::ledger::{CampaignState, Ledger, LedgerError, LogFilter, RelayRecord, RelayState};
use undersigned::model::{Disposition, MessageKind, MessageState, Role};

use crate::world::*;

pub(crate) async fn the_states_add_up_to_what_was_enrolled(world: impl Backend) {
    let ledger = world.ledger();
    enrol(ledger, &[(1, &[1, 2]), (2, &[1, 2]), (3, &[3])]);
    for (n, end) in [(1, Disposition::Sent), (2, Disposition::Bounced), (3, deferred(minute(9)))] {
        finish(ledger, claim_letter_to(ledger, n, minute(0)).await, minute(0), end).await;
    }
    let counts = ledger.counts().unwrap();
    assert_eq!(counts.total(MessageKind::Letter), 5);
    assert_eq!(counts.of(MessageKind::Letter, MessageState::Queued), 2);
    assert!(counts.can_move());
}

pub(crate) async fn officials_come_busiest_first_with_their_letters_by_state(world: impl Backend) {
    let ledger = world.ledger();
    enrol(ledger, &[(1, &[1, 2]), (2, &[2, 3]), (3, &[2])]);
    finish(ledger, claim_letter_to(ledger, 2, minute(0)).await, minute(0), Disposition::Sent).await;
    let figures = ledger.officials(2).unwrap();
    assert_eq!(figures.len(), 2);
    assert_eq!((figures[0].official.as_str(), figures[0].jurisdiction.as_str()), ("Mayor Official 2", "Town 2"));
    assert_eq!(
        figures[0].letters.clone().into_iter().collect::<Vec<_>>(),
        [(MessageState::Queued, 2), (MessageState::Sent, 1)]
    );
}

pub(crate) async fn lists_longer_than_a_page_come_whole_and_in_order(world: impl Backend) {
    let ledger = world.ledger();
    let plan: Vec<(usize, &[usize])> = (0..1250).map(|n| (n, &[1, 2][..])).collect();
    enrol(ledger, &plan);
    let records = messages(ledger);
    assert_eq!(records.len(), 2500);
    assert!(records.is_sorted_by_key(|record| record.id));
    assert_eq!(records[0].official.as_deref(), Some("Mayor Official 1"));
    assert_eq!(records[0].due_at, Some(minute(0)));
    let mut sent = 0;
    let filter = LogFilter { state: Some(MessageState::Sent), message: None };
    ledger
        .messages(&filter, &mut |_| {
            sent += 1;
            Ok(())
        })
        .unwrap();
    assert_eq!(sent, 0);
}

pub(crate) async fn a_reader_that_cannot_go_on_ends_the_list(world: impl Backend) {
    let ledger = world.ledger();
    enrol(ledger, &[(1, &[1, 2])]);
    let mut seen = 0;
    let broken = ledger.messages(&LogFilter::default(), &mut |_| {
        seen += 1;
        Err(std::io::ErrorKind::BrokenPipe.into())
    });
    assert!(matches!(broken, Err(LedgerError::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe));
    assert_eq!(seen, 1);
}

pub(crate) async fn what_is_noted_of_campaign_and_relays_is_read_back(world: impl Backend) {
    let ledger = world.ledger();
    assert_eq!(ledger.campaign().unwrap(), (CampaignState::Planned, String::new()));
    ledger.note_campaign(CampaignState::Stopped, "535 at AUTH", minute(1)).await.unwrap();
    assert_eq!(world.another().campaign().unwrap(), (CampaignState::Stopped, "535 at AUTH".into()));
    let mut relay = RelayRecord {
        name: "main".into(),
        state: RelayState::Parked,
        since: minute(1),
        until: Some(minute(20)),
        slowed_to: Some("15/m".into()),
        reason: "quota".into(),
    };
    ledger.note_relay(relay.clone()).await.unwrap();
    assert_eq!(ledger.relays().unwrap(), [relay.clone()]);
    relay.state = RelayState::Up;
    relay.until = None;
    ledger.note_relay(relay.clone()).await.unwrap();
    assert_eq!(ledger.relays().unwrap(), [relay]);
}

pub(crate) async fn what_became_of_a_persons_letters_is_found_by_their_key(world: impl Backend) {
    let ledger = world.ledger();
    enrol(ledger, &[(1, &[1, 2]), (2, &[2]), (3, &[3])]);
    finish(ledger, claim_letter_to(ledger, 1, minute(1)).await, minute(1), Disposition::Sent).await;
    finish(ledger, claim_letter_to(ledger, 2, minute(2)).await, minute(2), Disposition::Bounced).await;
    let fates = ledger.fates(constituent(1).key()).unwrap();
    let told: Vec<_> = fates.iter().map(|f| (f.kind, f.state, f.official.as_deref(), f.at)).collect();
    let (letter, confirmation) = (MessageKind::Letter, MessageKind::Confirmation);
    assert_eq!(
        told,
        [
            (letter, MessageState::Sent, Some("Mayor Official 1"), Some(minute(1))),
            (letter, MessageState::Bounced, Some("Mayor Official 2"), Some(minute(2))),
            (confirmation, MessageState::Queued, None, None),
        ]
    );
    assert!(fates[1].last_reply.as_deref().unwrap().contains("5.2.1 disabled"), "{fates:?}");
    assert!(ledger.fates(constituent(9).key()).unwrap().is_empty());
    assert!(ledger.fates(official(1).key()).unwrap().is_empty());

    let officials = ledger.official_fates().unwrap();
    let second = &officials[&official(2).key()];
    assert_eq!(
        second.letters.clone().into_iter().collect::<Vec<_>>(),
        [(MessageState::Queued, 1), (MessageState::Bounced, 1)]
    );
    assert_eq!((second.at, second.last_reply.is_some()), (Some(minute(2)), true));
    assert_eq!(officials.len(), 3);
    assert_eq!((ledger.people(Role::Official).unwrap(), ledger.people(Role::Constituent).unwrap()), (3, 3));
}

pub(crate) async fn somebody_whose_letters_all_failed_is_no_namesake_and_anybody_else_is(world: impl Backend) {
    let ledger = world.ledger();
    enrol(ledger, &[(1, &[1, 2]), (2, &[2])]);
    let namesakes_of_official = |n: usize| ledger.namesakes(&format!("Official {n}"), &format!("Town {n}")).unwrap();
    assert_eq!(namesakes_of_official(1), [official(1).key()], "what waits may still be sent");
    finish(ledger, claim_letter_to(ledger, 1, minute(1)).await, minute(1), Disposition::Bounced).await;
    assert_eq!(namesakes_of_official(1), []);
    assert_eq!(ledger.namesakes("Constituent 1", "Town").unwrap(), [constituent(1).key()], "another letter waits");
    for end in [Disposition::Bounced, Disposition::InDoubt] {
        finish(ledger, claim_letter_to(ledger, 2, minute(2)).await, minute(2), end).await;
    }
    assert_eq!(ledger.namesakes("Constituent 1", "Town").unwrap(), []);
    assert_eq!(ledger.namesakes("Constituent 2", "Town").unwrap(), [constituent(2).key()], "nobody can tell");
    assert_eq!(namesakes_of_official(2), [official(2).key()]);
}
