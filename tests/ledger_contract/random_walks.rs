//! Random sequences of calls, compared after each with a small model of what they may do.
//!
//! The model holds the state of every message, the receipts in hand and how often a relay has accepted what. It
//! knows for each call by which moves a message may have got where it now is; every other change is a fault.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use undersigned::ledger::{
    Claim, Counts, Decision, DecisionKind, Leased, Ledger, LedgerError, MessageRecord, Open, Selection,
};
use undersigned::model::{
    Attempt, Disposition, MessageId, MessageKind, MessageState, Move, TransmissionReceipt, transition,
};

use crate::sqlite::Sqlite;
use crate::world::*;

/// One call. Numbers choose among what there is, modulo its count.
#[derive(Debug, Clone)]
enum Call {
    Enrol { constituent: usize, officials: Vec<usize> },
    Claim { limit: usize, paced: bool },
    GiveBack(usize),
    Refuse(usize, End),
    Mark(usize),
    Close(usize, End),
    Recover,
    DecideAll(DecisionKind),
    DecideOne(DecisionKind, usize),
    Wait,
}

#[derive(Debug, Clone, Copy)]
enum End {
    Sent,
    Deferred,
    Bounced,
    NoSuchUser,
    Expired,
    InDoubt,
}

fn kinds() -> impl Strategy<Value = DecisionKind> {
    use DecisionKind as D;
    prop::sample::select(vec![
        D::Retry,
        D::Hold,
        D::Release,
        D::Cancel,
        D::ResolveSent,
        D::ResolveResend,
        D::ResendToSame,
    ])
}

fn calls() -> impl Strategy<Value = Call> {
    let end =
        || prop::sample::select(vec![End::Sent, End::Sent, End::Deferred, End::Bounced, End::Expired, End::InDoubt]);
    let refusal = prop::sample::select(vec![End::Deferred, End::Bounced, End::NoSuchUser, End::NoSuchUser]);
    prop_oneof![
        2 => (0..6_usize, prop::collection::vec(0..4_usize, 1..4))
            .prop_map(|(constituent, officials)| Call::Enrol { constituent, officials }),
        6 => (1..4_usize, any::<bool>()).prop_map(|(limit, paced)| Call::Claim { limit, paced }),
        2 => any::<usize>().prop_map(Call::GiveBack),
        2 => (any::<usize>(), refusal).prop_map(|(n, end)| Call::Refuse(n, end)),
        8 => any::<usize>().prop_map(Call::Mark),
        8 => (any::<usize>(), end()).prop_map(|(n, end)| Call::Close(n, end)),
        2 => Just(Call::Recover),
        1 => kinds().prop_map(Call::DecideAll),
        3 => (kinds(), any::<usize>()).prop_map(|(kind, n)| Call::DecideOne(kind, n)),
        2 => Just(Call::Wait),
    ]
}

/// The model.
struct Walk<L> {
    ledger: L,
    minute: i64,
    /// Receipts in hand, each with the number of the start that it stems from: an older one is stale.
    leases: Vec<(u32, Leased)>,
    open: Vec<(u32, Open)>,
    starts: u32,
    states: BTreeMap<MessageId, MessageState>,
    accepted: BTreeMap<MessageId, u32>,
    resends: BTreeMap<MessageId, u32>,
}

impl<L: Ledger> Walk<L> {
    fn attempt(&self, end: End) -> Attempt {
        let at = minute(self.minute);
        match end {
            End::Sent => attempt(at, Disposition::Sent),
            End::Deferred => attempt(at, deferred(minute(self.minute + 2))),
            End::Bounced => attempt(at, Disposition::Bounced),
            End::NoSuchUser => refused_at_rcpt(at, "5.1.1 no such user"),
            End::Expired => attempt(at, Disposition::Expired),
            End::InDoubt => attempt(at, Disposition::InDoubt),
        }
    }

    /// Makes the call; gives by which moves messages may have gone.
    async fn make(&mut self, call: Call) -> Vec<Move> {
        use Move as M;
        match call {
            Call::Enrol { constituent, officials } => {
                enrol(&self.ledger, &[(constituent, &officials)]);
                vec![]
            }
            Call::Claim { limit, paced } => {
                self.claim(limit, paced).await;
                vec![M::ComeDue, M::Claim, M::Suppress, M::Hold]
            }
            Call::GiveBack(n) if !self.leases.is_empty() => {
                let (start, lease) = self.leases.swap_remove(n % self.leases.len());
                let id = lease.id();
                let done = self.ledger.give_back(lease, None).await;
                self.ended(start, id, done.map_err(|u| u.error));
                vec![M::GiveBack]
            }
            Call::Refuse(n, end) if !self.leases.is_empty() => {
                let (start, lease) = self.leases.swap_remove(n % self.leases.len());
                let id = lease.id();
                let done = self.ledger.refuse(lease, self.attempt(end), minute(self.minute)).await;
                self.ended(start, id, done.map_err(|u| u.error));
                vec![M::Defer, M::Bounce, M::Expire]
            }
            Call::Mark(n) if !self.leases.is_empty() => {
                self.mark(n).await;
                vec![M::MarkTransmitting]
            }
            Call::Close(n, end) if !self.open.is_empty() => {
                self.close(n, end).await;
                vec![M::Accept, M::Defer, M::Bounce, M::Expire, M::LoseTrack]
            }
            Call::Recover => {
                self.ledger.recover(minute(self.minute), std::time::Duration::from_secs(3600)).await.unwrap();
                self.starts += 1;
                vec![M::GiveBack, M::LoseTrack]
            }
            Call::DecideAll(kind) => self.decide(kind, Selection::All),
            Call::DecideOne(kind, n) if !self.states.is_empty() => {
                let id = *self.states.keys().nth(n % self.states.len()).unwrap();
                self.decide(kind, Selection::Ids(vec![id]))
            }
            Call::Wait => {
                self.minute += 1;
                vec![]
            }
            Call::GiveBack(_) | Call::Refuse(..) | Call::Mark(_) | Call::Close(..) | Call::DecideOne(..) => vec![],
        }
    }

    async fn claim(&mut self, limit: usize, paced: bool) {
        let claim = Claim { now: minute(self.minute), limit, one_per_lane: paced, kind: None };
        let leases = self.ledger.claim(claim).await.unwrap();
        assert!(leases.len() <= limit);
        for lease in leases {
            let mut fresh = self.leases.iter().filter(|(start, _)| *start == self.starts);
            assert!(fresh.all(|(_, other)| other.id() != lease.id()), "claimed twice");
            self.leases.push((self.starts, lease));
        }
    }

    async fn mark(&mut self, n: usize) {
        let (start, lease) = self.leases.swap_remove(n % self.leases.len());
        let (id, stamp) = (lease.id(), lease.stamp.clone().unwrap_or_else(|| stamp(lease.id())));
        match self.ledger.mark_transmitting(lease, "main", stamp, Some(minute(self.minute + 1))).await {
            Ok(open) => {
                self.ended(start, id, Ok(()));
                self.open.push((start, open));
            }
            Err(unwritten) => self.ended(start, id, Err(unwritten.error)),
        }
    }

    async fn close(&mut self, n: usize, end: End) {
        let (start, open) = self.open.swap_remove(n % self.open.len());
        let id = TransmissionReceipt::message(&open);
        let done = self.ledger.close(open, self.attempt(end), minute(self.minute)).await;
        if done.is_ok() && matches!(end, End::Sent) {
            *self.accepted.entry(id).or_default() += 1;
        }
        self.ended(start, id, done.map_err(|u| u.error));
    }

    fn decide(&mut self, kind: DecisionKind, selection: Selection) -> Vec<Move> {
        let by = match kind {
            DecisionKind::Retry => Move::Retry,
            DecisionKind::Hold => Move::Hold,
            DecisionKind::Release => Move::Release,
            DecisionKind::Cancel => Move::Cancel,
            DecisionKind::Expire => Move::Expire,
            DecisionKind::ResolveSent => Move::ResolveSent,
            DecisionKind::ResolveResend | DecisionKind::ResendToSame => Move::ResolveResend,
        };
        let movable = |state: &MessageState| transition(*state, by).is_ok();
        if matches!(kind, DecisionKind::ResolveResend | DecisionKind::ResendToSame) {
            let about = self.states.iter().filter(|(id, _)| match &selection {
                Selection::Ids(ids) => ids.contains(id),
                _ => true,
            });
            for (id, _) in about.filter(|(_, state)| movable(state)) {
                *self.resends.entry(*id).or_default() += 1;
            }
        }
        let order = Decision { kind, selection: selection.clone(), reason: String::new(), at: minute(self.minute) };
        match (self.ledger.decide(&order), selection) {
            (Ok(1), Selection::Ids(ids)) => assert!(movable(&self.states[&ids[0]])),
            (Err(LedgerError::Conflict(_)), Selection::Ids(ids)) => {
                assert!(!movable(&self.states[&ids[0]]) || kind == DecisionKind::Release);
            }
            (Ok(_), Selection::All) => {}
            (other, _) => panic!("{other:?}"),
        }
        vec![by]
    }

    /// A receipt is accepted when it is good, and refused when a start has put its row right meanwhile.
    fn ended(&self, start: u32, id: MessageId, done: Result<(), LedgerError>) {
        let is_stale = start < self.starts;
        match done {
            Ok(()) => assert!(!is_stale, "a stale receipt of message {id} was accepted"),
            Err(LedgerError::LostRow { .. }) => assert!(is_stale, "a good receipt of message {id} was refused"),
            Err(other) => panic!("{other}"),
        }
    }

    /// Compares what the ledger holds with what the model allows.
    fn compare(&mut self, by: &[Move]) {
        let records = messages(&self.ledger);
        let now: BTreeMap<_, _> = records.iter().map(|record| (record.id, record.state)).collect();
        for (id, before) in &self.states {
            // A settled letter lets its confirmation go, whatever the call was.
            let extra: &[Move] =
                if kind_of(&records, *id) == MessageKind::Confirmation { &[Move::Release, Move::Cancel] } else { &[] };
            let moves: Vec<Move> = by.iter().chain(extra).copied().collect();
            assert!(is_reachable(*before, now[id], &moves), "message {id} went from {before} to {} by {by:?}", now[id]);
        }
        let mut counted = Counts::zero();
        for record in &records {
            *counted.0.get_mut(&(record.kind, record.state)).unwrap() += 1;
        }
        assert_eq!(self.ledger.counts().unwrap(), counted);
        for (_, lease) in self.leases.iter().filter(|(start, _)| *start == self.starts) {
            assert_eq!(now[&lease.id()], MessageState::Leased);
        }
        for (id, copies) in &self.accepted {
            let resends = self.resends.get(id).copied().unwrap_or_default();
            assert!(*copies <= 1 + resends, "message {id} was sent {copies} times");
        }
        check_confirmations(&records);
        self.states = now;
    }

    /// However it went so far, everything comes to its end.
    async fn end(mut self) {
        self.make(Call::Recover).await;
        decide(&self.ledger, DecisionKind::Release, Selection::All, minute(self.minute));
        while let Some(wake) = self.ledger.next_wake().await.unwrap() {
            assert!(self.minute < 10_000, "{}", figures(&self.ledger));
            self.minute += i64::from(wake > minute(self.minute));
            for lease in claim_paced(&self.ledger, minute(self.minute), 5).await {
                finish(&self.ledger, lease, minute(self.minute), Disposition::Sent).await;
            }
        }
        let counts = self.ledger.counts().unwrap();
        assert!(!counts.can_move(), "{}", figures(&self.ledger));
        assert_eq!(counts.in_state(MessageState::Held), 0, "{}", figures(&self.ledger));
    }
}

fn kind_of(records: &[MessageRecord], id: MessageId) -> MessageKind {
    records.iter().find(|record| record.id == id).map_or(MessageKind::Letter, |record| record.kind)
}

/// Whether there is a way from one state to the other by these moves.
fn is_reachable(from: MessageState, to: MessageState, by: &[Move]) -> bool {
    let mut seen = BTreeSet::from([from]);
    loop {
        let next: BTreeSet<_> =
            seen.iter().flat_map(|state| by.iter().filter_map(|by| transition(*state, *by).ok())).collect();
        let known = seen.len();
        seen.extend(next);
        if seen.contains(&to) {
            return true;
        }
        if seen.len() == known {
            return false;
        }
    }
}

/// Whose letters are all settled, and not all withdrawn, has a confirmation; nobody has a second,
/// except one for each letter that was enrolled after the first.
fn check_confirmations(records: &[MessageRecord]) {
    let people: BTreeSet<&str> = records.iter().map(|record| record.constituent.as_str()).collect();
    for person in people {
        let of = |kind| records.iter().filter(move |record| record.constituent == person && record.kind == kind);
        let settled = of(MessageKind::Letter).all(|letter| letter.state.is_settled());
        let news = of(MessageKind::Letter).any(|letter| letter.state != MessageState::Cancelled);
        let confirmations = of(MessageKind::Confirmation).count();
        let first = of(MessageKind::Confirmation).map(|record| record.id).min();
        let late = of(MessageKind::Letter).filter(|letter| first.is_some_and(|first| letter.id > first)).count();
        assert!(confirmations <= 1 + late, "{person} was told too often");
        assert!(!(settled && news) || confirmations >= 1, "{person} was not told");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_sequence_of_calls_breaks_the_rules(list in prop::collection::vec(calls(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let world = Sqlite::fresh();
            let mut walk = Walk {
                ledger: world.ledger().clone(),
                minute: 0,
                leases: Vec::new(),
                open: Vec::new(),
                starts: 0,
                states: BTreeMap::new(),
                accepted: BTreeMap::new(),
                resends: BTreeMap::new(),
            };
            for call in list {
                let by = walk.make(call).await;
                walk.compare(&by);
            }
            assert_eq!(walk.ledger.check().unwrap(), Vec::<String>::new());
            walk.end().await;
        });
    }
}
