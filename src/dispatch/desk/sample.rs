//! What both simulations of the desk begin with: relays, settings, and a ledger in which everybody writes to every
//! official. Must not be named outside of tests.

use std::net::{Ipv4Addr, SocketAddr};

use jiff::Timestamp;

use crate::dispatch::{OnDoubt, PaceRules, RelayPlan, Settings};
use crate::ledger::sqlite::SqliteLedger;
use crate::ledger::{Confirming, Enrolment, Ledger, Terms};
use crate::model::{Official, sample};
use crate::policy::RetrySchedule;
use crate::smtp::{Relay, RelaySettings};

pub(super) fn relay(name: &str, connections: usize) -> RelayPlan {
    let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 9));
    RelayPlan::alone(Relay::new(RelaySettings::loopback(name, nowhere)).unwrap(), connections)
}

pub(super) fn settings(relays: Vec<RelayPlan>, rules: PaceRules, retry: RetrySchedule) -> Settings {
    Settings {
        relays,
        pace: rules.pace,
        windows: rules.windows,
        official_total: None,
        revise: None,
        retry,
        deadline: None,
        on_doubt: OnDoubt::Hold,
        letters_max: None,
        is_patient: true,
        accept_refusals: true,
    }
}

pub(super) fn enrol(
    ledger: &SqliteLedger,
    now: Timestamp,
    officials: &[Official],
    constituents: usize,
    confirming: Confirming,
) {
    let letter = ledger.freeze_template("letter", "Dear", now).unwrap();
    let terms = Terms { letter, confirmation: letter, confirming };
    let first = officials.iter().cloned().map(Enrolment::Official);
    let then = (0..constituents).map(|n| Enrolment::Constituent {
        constituent: sample::constituent(&format!("Constituent {n}"), &format!("c{n}@home{n}.example")),
        officials: officials.iter().map(|official| official.key().into()).collect(),
    });
    ledger.enrol(&terms, now, &mut first.chain(then).map(Ok)).unwrap();
}
