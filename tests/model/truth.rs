//! The model: what may be true of every message, given what staff ordered and what the relay's own record has.
//!
//! Knows nothing of the program but the names of states.

use std::collections::{BTreeMap, BTreeSet};

use undersigned::model::MessageState as S;

use crate::schedule::Order;
use crate::support::record::Entry;

/// A message as the ledger has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub state: S,
    pub is_letter: bool,
    /// A confirmation that waits until its letters are settled again.
    pub is_withheld: bool,
    pub constituent: i64,
    /// The official's name.
    pub official: String,
}

pub type Messages = BTreeMap<i64, Message>;

/// Who may have moved messages since they were last looked at.
#[derive(Debug, Default)]
pub struct Movers {
    pub dispatcher: bool,
    pub orders: Vec<Order>,
}

#[derive(Debug, Default)]
pub struct Truth {
    pub known: Messages,
    /// Copies that the relay had when staff ordered a resend.
    excused: BTreeMap<i64, usize>,
    orders: BTreeMap<i64, usize>,
    told: usize,
}

impl Truth {
    /// Staff order a message sent again of which the relay has so many copies.
    pub fn is_resent(&mut self, id: i64, copies: usize) {
        self.excused.insert(id, copies);
        *self.orders.entry(id).or_default() += 1;
    }

    pub fn orders(&self, id: i64) -> usize {
        self.orders.get(&id).copied().unwrap_or_default()
    }

    /// Compares what the ledger says now with what may be, and with the relay's record.
    pub fn check(&mut self, now: Messages, by: &Movers, record: &[Entry]) {
        let copies = copies(record);
        for (id, was) in &self.known {
            let is = now.get(id).unwrap_or_else(|| panic!("message {id} is gone; it was {was:?}"));
            assert!(may_become(was, is.state, by), "message {id} went from {} to {} by {by:?}", was.state, is.state);
        }
        for (id, message) in &now {
            let copies = copies.get(id).copied().unwrap_or_default();
            let excused = self.excused.get(id).copied().unwrap_or_default();
            let (least, most) = match message.state {
                S::Sent => (excused.max(1), excused + 1),
                S::Transmitting | S::InDoubt => (excused, excused + 1),
                _ => (excused, excused),
            };
            let state = message.state;
            assert!(copies >= least, "message {id} is {state}, and the relay has {copies} of at least {least} copies");
            assert!(copies <= most, "message {id} is {state}, and the relay has {copies} copies of at most {most}");
        }
        let strangers: Vec<_> = copies.keys().filter(|id| !now.contains_key(id)).collect();
        assert!(strangers.is_empty(), "the relay has what no ledger knows: {strangers:?}");
        self.check_confirmations(&now, record);
        self.known = now;
    }

    /// What a constituent was told is true, and they are told once.
    fn check_confirmations(&mut self, now: &Messages, record: &[Entry]) {
        for person in now.values().map(|message| message.constituent).collect::<BTreeSet<_>>() {
            let count = now.values().filter(|m| m.constituent == person && !m.is_letter).count();
            assert!(count <= 1, "constituent {person} has {count} confirmations");
        }
        for (n, entry) in record.iter().enumerate().skip(self.told) {
            let id = id_of(entry);
            if now[&id].is_letter {
                continue;
            }
            let before = copies(&record[..n]);
            let told = told_in(&entry.bytes);
            let letters: Vec<_> =
                now.iter().filter(|(_, m)| m.is_letter && m.constituent == now[&id].constituent).collect();
            assert_eq!(told.len(), letters.len(), "confirmation {id} tells of {told:?}");
            for (letter_id, letter) in letters {
                let state = told.get(&letter.official).unwrap_or_else(|| panic!("{id} is silent of {letter:?}"));
                let copies = before.get(letter_id).copied().unwrap_or_default();
                match state.as_str() {
                    "sent" => {
                        assert!(copies >= 1, "confirmation {id} says sent of {letter_id}, which nobody had");
                        assert_eq!(letter.state, S::Sent, "confirmation {id} says sent of {letter_id}");
                    }
                    "in_doubt" => {}
                    "bounced" | "expired" | "suppressed" | "cancelled" => assert!(
                        copies <= self.excused.get(letter_id).copied().unwrap_or_default(),
                        "confirmation {id} says {state} of {letter_id}, which the relay had"
                    ),
                    other => panic!("confirmation {id} says {other} of {letter_id}"),
                }
            }
        }
        self.told = record.len();
    }
}

pub fn copies(record: &[Entry]) -> BTreeMap<i64, usize> {
    let mut copies = BTreeMap::new();
    for entry in record {
        *copies.entry(id_of(entry)).or_default() += 1;
    }
    copies
}

/// The message's number: what comes after the ledger's tag.
fn id_of(entry: &Entry) -> i64 {
    let number = entry.reference.rsplit_once('-').and_then(|(_, number)| number.parse().ok());
    number.unwrap_or_else(|| panic!("{:?} is no reference", entry.reference))
}

/// `To Official 1: sent`, as the template has it, by official.
fn told_in(bytes: &[u8]) -> BTreeMap<String, String> {
    let text = String::from_utf8_lossy(bytes);
    let fate = |line: &str| {
        let (official, state) = line.trim_end().strip_prefix("To ")?.rsplit_once(": ")?;
        official.starts_with("Official").then(|| (official.to_owned(), state.to_owned()))
    };
    text.lines().filter_map(fate).collect()
}

/// Whether a message may have got from where it was to where it is.
fn may_become(was: &Message, is: S, by: &Movers) -> bool {
    let mut reached = BTreeSet::from([was.state]);
    loop {
        let mut next = reached.clone();
        for from in &reached {
            if by.dispatcher {
                next.extend(dispatched(was, *from));
            }
            for order in &by.orders {
                next.extend(ordered(order, *from));
                // An order that settles the last letter lets a withheld confirmation go, or withdraws it.
                if was.is_withheld && *from == S::Held {
                    next.extend([S::Queued, S::Cancelled]);
                }
            }
        }
        if next.contains(&is) || next == reached {
            return next.contains(&is);
        }
        reached = next;
    }
}

/// Where a dispatcher alone may bring a message from there. From `sent`, `in doubt` and every other end: nowhere.
fn dispatched(message: &Message, from: S) -> Vec<S> {
    match from {
        S::Queued | S::Deferred | S::Leased => {
            let mut to = vec![
                S::Queued,
                S::Leased,
                S::Transmitting,
                S::Deferred,
                S::Sent,
                S::Bounced,
                S::Expired,
                S::InDoubt,
                S::Suppressed,
            ];
            if !message.is_letter {
                to.push(S::Held);
            }
            to
        }
        S::Transmitting if message.state == S::Transmitting => vec![S::InDoubt],
        S::Held if !message.is_letter && message.is_withheld => vec![S::Queued, S::Cancelled],
        _ => vec![],
    }
}

/// Where an order of staff may bring a message from there.
fn ordered(order: &Order, from: S) -> Vec<S> {
    match (order, from) {
        (Order::Hold(_), S::Queued | S::Deferred) => vec![S::Held],
        (Order::Cancel(_), S::Queued | S::Deferred | S::Held) => vec![S::Cancelled],
        (Order::Release(_), S::Held)
        | (Order::Retry, S::Bounced | S::Expired)
        | (Order::RetrySuppressed, S::Suppressed)
        | (Order::ResendRegardless, S::InDoubt) => vec![S::Queued],
        (Order::Resolve, S::InDoubt) => vec![S::Sent, S::Queued],
        _ => vec![],
    }
}
