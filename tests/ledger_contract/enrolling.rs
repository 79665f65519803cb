//! Planning: people, letters and templates come in whole or not at all.

use undersigned::ledger::{Confirming, Enrolled, Enrolment, Ledger, LedgerError};

use crate::world::*;

pub(crate) async fn enrolling_again_adds_nothing(world: impl Backend) {
    let ledger = world.ledger();
    let plan: Plan<'_> = &[(1, &[1, 2]), (2, &[1])];
    assert_eq!(enrol(ledger, plan), Enrolled { queued: 3, ..Enrolled::default() });
    let before = messages(ledger);
    assert_eq!(enrol(ledger, plan), Enrolled { known: 3, ..Enrolled::default() });
    assert_eq!(messages(ledger), before);
    assert!(ledger.knows(constituent(1).key()).unwrap());
    assert!(!ledger.knows(constituent(9).key()).unwrap());
    assert!(ledger.knows(official(1).key()).unwrap());
}

pub(crate) async fn later_rows_are_added_to_those_that_were_there(world: impl Backend) {
    let ledger = world.ledger();
    enrol(ledger, &[(1, &[1])]);
    let done = enrol(ledger, &[(1, &[1, 2]), (2, &[1])]);
    assert_eq!(done, Enrolled { queued: 2, known: 1, ..Enrolled::default() });
    assert_eq!(claim(ledger, minute(0), 9).await.len(), 3);
}

pub(crate) async fn an_edited_row_is_reported_and_the_frozen_one_is_kept(world: impl Backend) {
    let ledger = world.ledger();
    enrol(ledger, &[(1, &[1])]);
    let mut list = enrolments(&[(1, &[1])]);
    if let Enrolment::Constituent { constituent, .. } = &mut list[1] {
        constituent.address = "2 Side Street".into();
    }
    let done = enrol_as(ledger, Confirming::PerConstituent, list).unwrap();
    assert_eq!(done, Enrolled { known: 1, changed: 1, ..Enrolled::default() });
    let leased = claim_one(ledger, minute(0)).await;
    let undersigned::model::Content::Letter { constituent: from, .. } = &leased.content else { panic!() };
    assert_eq!(from.address, "1 Main Street");
}

pub(crate) async fn a_source_that_fails_midway_leaves_nothing_behind(world: impl Backend) {
    let ledger = world.ledger();
    let terms = terms(ledger, Confirming::PerConstituent);
    let list = enrolments(&[(1, &[1]), (2, &[1])]).into_iter().map(Ok);
    let mut failing = list.chain(std::iter::once_with(|| Err("line 4: no name".into())));
    let failed = ledger.enrol(&terms, minute(0), &mut failing).unwrap_err();
    assert_eq!(failed.to_string(), "nothing was enrolled: line 4: no name");
    assert_eq!(figures(ledger), "");
    assert!(!ledger.knows(constituent(1).key()).unwrap());
    assert_eq!(enrol(ledger, &[(1, &[1]), (2, &[1])]).queued, 2);
}

pub(crate) async fn what_was_noted_of_the_sources_is_kept_until_the_next_enrolment(world: impl Backend) {
    let ledger = world.ledger();
    enrol(ledger, &[(1, &[1])]);
    assert_eq!(ledger.sources().unwrap(), None);
    ledger.note_sources(b"one file").unwrap();
    assert_eq!(ledger.sources().unwrap().as_deref(), Some(&b"one file"[..]));
    let terms = terms(ledger, Confirming::PerConstituent);
    let mut failing = std::iter::once_with(|| Err("line 4: no name".into()));
    ledger.enrol(&terms, minute(0), &mut failing).unwrap_err();
    assert!(ledger.sources().unwrap().is_some(), "what was rolled back changed nothing");
    enrol(ledger, &[(1, &[1])]);
    assert_eq!(ledger.sources().unwrap(), None);
}

pub(crate) async fn a_letter_to_an_official_who_is_not_enrolled_is_refused(world: impl Backend) {
    let ledger = world.ledger();
    let mut list = enrolments(&[(1, &[1])]);
    list.remove(0);
    let refused = enrol_as(ledger, Confirming::PerConstituent, list).unwrap_err();
    assert!(matches!(refused, LedgerError::Conflict(_)));
    assert!(!ledger.knows(constituent(1).key()).unwrap());
}

pub(crate) async fn two_officials_of_one_mailbox_share_a_lane(world: impl Backend) {
    let ledger = world.ledger();
    let mut list = enrolments(&[(1, &[1])]);
    let mut deputy = official(2);
    deputy.mailbox = Some(undersigned::model::EmailAddress::parse("O1@Town.example").unwrap());
    let Enrolment::Constituent { officials, .. } = &mut list[1] else { panic!() };
    officials.push(deputy.key().into());
    list.insert(0, Enrolment::Official(deputy));
    assert_eq!(enrol_as(ledger, Confirming::PerConstituent, list).unwrap().queued, 2);
    assert_eq!(claim_paced(ledger, minute(0), 9).await.len(), 1);
}

pub(crate) async fn a_template_is_frozen_once_by_name_and_source(world: impl Backend) {
    let ledger = world.ledger();
    let first = ledger.freeze_template("letter", "one", minute(0)).unwrap();
    let second = ledger.freeze_template("letter", "two", minute(1)).unwrap();
    assert_eq!(ledger.freeze_template("letter", "one", minute(2)).unwrap(), first);
    assert_ne!(ledger.freeze_template("other", "one", minute(2)).unwrap(), first);
    assert_eq!(ledger.newest_template("letter").unwrap(), Some((second, "two".into())));
    assert_eq!(ledger.newest_template("none").unwrap(), None);
    assert!(matches!(ledger.template(undersigned::model::TemplateId(99)), Err(LedgerError::Conflict(_))));
}
