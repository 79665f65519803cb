//! Figures and lists.

use undersigned::ledger::{CampaignState, Ledger, LedgerError, LogFilter, RelayRecord, RelayState};
use undersigned::model::{Disposition, MessageKind, MessageState};

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
        reason: "quota".into(),
    };
    ledger.note_relay(relay.clone()).await.unwrap();
    assert_eq!(ledger.relays().unwrap(), [relay.clone()]);
    relay.state = RelayState::Up;
    relay.until = None;
    ledger.note_relay(relay.clone()).await.unwrap();
    assert_eq!(ledger.relays().unwrap(), [relay]);
}
