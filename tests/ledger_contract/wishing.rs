//! What staff want of a campaign that may be running, and the totals of officials.

use undersigned::ledger::{DecisionKind, KeptTotals, Ledger, Selection, Wish};
use undersigned::model::{Disposition, MessageState};

use crate::world::*;

fn held(held: u64, released: u64) -> KeptTotals {
    KeptTotals { held, released }
}

pub(crate) async fn wishes_are_kept_until_they_are_taken_back_and_each_is_recorded(world: impl Backend) {
    let set = |value: &str| Wish::Set { key: "pace.global".into(), value: value.into(), instead_of: "1/h".into() };
    let unset = Wish::Unset { key: "pace.global".into() };
    let other = world.another();
    for (wish, is_new) in
        [(Wish::Resume, false), (Wish::Pause, true), (Wish::Pause, false), (set("2/h"), true), (set("3/h"), true)]
    {
        assert_eq!(other.wish(&wish, "why", minute(1)).unwrap(), is_new, "{wish:?}");
    }
    drop(other);
    let world = world.restart();
    let wishes = world.ledger().wishes().unwrap();
    assert_eq!(wishes.pause.as_ref().map(|pause| (pause.since, &*pause.reason)), Some((minute(1), "why")));
    assert_eq!(wishes.settings.len(), 1);
    let setting = &wishes.settings[0];
    assert_eq!((&*setting.key, &*setting.value, &*setting.instead_of), ("pace.global", "3/h", "1/h"));
    assert!(
        world.ledger().wish(&unset, "", minute(2)).unwrap() && !world.ledger().wish(&unset, "", minute(2)).unwrap()
    );
    assert!(world.ledger().wish(&Wish::Resume, "", minute(2)).unwrap());
    assert_eq!(world.ledger().wishes().unwrap(), undersigned::ledger::Wishes::default());
    let lines: Vec<String> = world.ledger().decisions().unwrap().into_iter().map(|(_, line)| line).collect();
    let expected = [
        "pause; why",
        "pace set: pace.global = 2/h instead of 1/h; why",
        "pace set: pace.global = 3/h instead of 1/h; why",
        "pace unset: pace.global; no reason given",
        "resume; no reason given",
    ];
    assert_eq!(lines, expected);
}

pub(crate) async fn letters_beyond_the_total_are_held_and_come_back_when_there_is_room(world: impl Backend) {
    let ledger = world.ledger();
    enrol(ledger, &[(1, &[1, 2]), (2, &[1]), (3, &[1]), (4, &[1]), (5, &[1])]);
    let leased = claim_letter_to(ledger, 1, minute(0)).await;
    finish(ledger, leased, minute(0), Disposition::Sent).await;
    assert_eq!(ledger.keep_totals(Some(3), minute(1)).unwrap(), held(2, 0));
    assert_eq!(ledger.keep_totals(Some(3), minute(1)).unwrap(), held(0, 0), "once is enough");
    let reasons: Vec<Option<String>> =
        messages(ledger).into_iter().filter(|m| m.state == MessageState::Held).map(|m| m.last_reply).collect();
    assert_eq!(reasons, [const { Some("beyond pace.per_official_total") }; 2].map(|r| r.map(str::to_owned)));

    let leased = claim_letter_to(ledger, 1, minute(2)).await;
    finish(ledger, leased, minute(2), Disposition::Bounced).await;
    assert_eq!(ledger.keep_totals(Some(3), minute(3)).unwrap(), held(0, 1), "a letter that failed makes room");
    assert_eq!(ledger.keep_totals(None, minute(3)).unwrap(), held(0, 1), "no limit any more");
    assert_eq!(ledger.keep_totals(None, minute(3)).unwrap(), held(0, 0));
}

pub(crate) async fn a_retry_gives_no_official_more_than_their_total(world: impl Backend) {
    let ledger = world.ledger();
    enrol(ledger, &[(1, &[1]), (2, &[1]), (3, &[1])]);
    ledger.keep_totals(Some(2), minute(0)).unwrap();
    for disposition in [Disposition::Bounced, Disposition::Sent] {
        let leased = claim_letter_to(ledger, 1, minute(0)).await;
        finish(ledger, leased, minute(0), disposition).await;
    }
    assert_eq!(ledger.keep_totals(Some(2), minute(1)).unwrap(), held(0, 1));
    assert_eq!(decide(ledger, DecisionKind::Retry, Selection::All, minute(1)), 1);
    send_all(ledger, minute(2)).await;
    let sent = messages(ledger).into_iter().filter(|m| m.official.is_some() && m.state == MessageState::Sent).count();
    assert_eq!(sent, 2);
}

pub(crate) async fn what_staff_release_goes_and_is_not_held_for_the_total_again(world: impl Backend) {
    let ledger = world.ledger();
    enrol(ledger, &[(1, &[1]), (2, &[1]), (3, &[1]), (4, &[1])]);
    assert_eq!(ledger.keep_totals(Some(1), minute(0)).unwrap(), held(3, 0));
    assert_eq!(decide(ledger, DecisionKind::Release, Selection::All, minute(1)), 3);
    assert_eq!(ledger.keep_totals(Some(1), minute(2)).unwrap(), held(0, 0));
    assert_eq!(figures(ledger), "letters: 4 queued");
}

pub(crate) async fn lanes_are_pulled_in_but_not_what_waits_for_news(world: impl Backend) {
    let ledger = world.ledger();
    enrol(ledger, &[(1, &[1, 2]), (2, &[1, 2])]);
    let leased = claim_letter_to(ledger, 1, minute(0)).await;
    ledger.give_back(leased, Some(minute(60))).await.unwrap();
    let leased = claim_letter_to(ledger, 2, minute(0)).await;
    ledger.refuse(leased, refused_at_rcpt(minute(0), "5.1.1 no such user"), minute(30)).await.unwrap();
    ledger.pull_lanes_in(minute(5)).await.unwrap();
    assert!(claim(ledger, minute(4), 9).await.is_empty());
    assert_eq!(claim(ledger, minute(5), 9).await.len(), 2, "of the lane that was pulled in");
    assert_eq!(ledger.next_wake().await.unwrap(), Some(minute(30)));
}

pub(crate) async fn hand_overs_are_counted_by_relay_and_minute_and_the_first_is_known(world: impl Backend) {
    let ledger = world.ledger();
    assert_eq!(ledger.first_handed_over().unwrap(), None);
    enrol(ledger, &[(1, &[1]), (2, &[2]), (3, &[3]), (4, &[4])]);
    for (at, disposition) in
        [(1, Disposition::Bounced), (2, Disposition::Sent), (2, Disposition::InDoubt), (9, Disposition::Sent)]
    {
        let leased = claim(ledger, minute(0), 1).await.remove(0);
        finish(ledger, leased, minute(at), disposition).await;
    }
    let mut counted = Vec::new();
    ledger.handed_over_by_minute(minute(2), &mut |relay, at, n| counted.push((relay.to_owned(), at, n))).unwrap();
    assert_eq!(counted, [("main".to_owned(), minute(2), 2), ("main".to_owned(), minute(9), 1)]);
    assert_eq!(ledger.first_handed_over().unwrap(), Some(minute(2)));
}
