//! What may happen in a schedule, and in which order: the reference machine, from which random schedules are drawn and
//! by which they are shrunk.
//!
//! It knows what staff and the relay do, never what becomes of a message: that is `truth`.

use proptest::prelude::*;
use proptest_state_machine::ReferenceStateMachine;

use crate::support::relay::Step as At;

pub const OFFICIALS: usize = 3;
const PEOPLE: usize = 12;
const PEOPLE_MAX: usize = 20;

/// One step of a schedule.
#[derive(Debug, Clone)]
pub enum Step {
    /// From now on the relay fails like this.
    Relay(Vec<Fault>),
    /// A run of `send`.
    Send(Sending),
    /// So many people more sign.
    Sign(usize),
    Staff(Order),
}

#[derive(Debug, Clone)]
pub struct Sending {
    pub limit: Option<u8>,
    pub meanwhile: Option<(When, Trouble)>,
}

/// Once the relay has seen so many of these, and so long after that.
#[derive(Debug, Clone, Copy)]
pub struct When {
    pub at: At,
    pub count: usize,
    pub micros: u64,
}

#[derive(Debug, Clone)]
pub enum Trouble {
    Kill,
    Interrupt,
    InterruptTwice,
    /// A second `send`.
    Rival,
    /// Another process locks the ledger for a second.
    Lock,
    Staff(Order),
}

#[derive(Debug, Clone)]
pub enum Order {
    Hold(Aim),
    Release(Aim),
    Cancel(Aim),
    Retry,
    RetrySuppressed,
    /// As the relay's record has it.
    Resolve,
    /// Whatever the relay's record has.
    ResendRegardless,
    Pause,
    Resume,
    Pace(&'static str),
    Unset,
}

#[derive(Debug, Clone, Copy)]
pub enum Aim {
    All,
    /// One of those that are there, modulo their number.
    One(usize),
}

/// What the relay does at the n-th, n+every-th, … time that it comes to a step; at most so many times.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    pub at: At,
    pub kind: Kind,
    pub first: usize,
    pub every: usize,
    pub times: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    NotNow,
    Never,
    /// A 2xx that accepts nothing; at the dot alone.
    AlmostOk,
    Closing,
    Drop,
    Hang,
    Garbage,
    /// The usual reply, later than the client waits.
    Late,
    /// Accepts, then closes without a word; at the dot alone.
    TakeThenDrop,
    /// Accepts, and never says so; at the dot alone.
    TakeThenHang,
    /// Accepts, says so, and closes.
    LastOne,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::NotNow => "4xx",
            Self::Never => "5xx",
            Self::AlmostOk => "252",
            Self::Closing => "421",
            Self::Drop => "drop",
            Self::Hang => "hang",
            Self::Garbage => "garbage",
            Self::Late => "late",
            Self::TakeThenDrop => "taken, then closed",
            Self::TakeThenHang => "taken, then silent",
            Self::LastOne => "closes after a message",
        }
    }
}

/// What a schedule has come to, as far as it decides what may come next.
#[derive(Debug, Clone)]
pub struct Plan {
    pub connections: usize,
    /// Whether what failed is tried again at the end.
    pub retries_at_end: bool,
    pub people: usize,
    pub is_paused: bool,
    was_sent: bool,
}

pub struct Schedule;

impl ReferenceStateMachine for Schedule {
    type State = Plan;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Plan> {
        (1..=4_usize, any::<bool>())
            .prop_map(|(connections, retries_at_end)| Plan {
                connections,
                retries_at_end,
                people: PEOPLE,
                is_paused: false,
                was_sent: false,
            })
            .boxed()
    }

    fn transitions(plan: &Plan) -> BoxedStrategy<Step> {
        let staff = if plan.was_sent { 5 } else { 0 };
        prop_oneof![
            6 => sending().prop_map(Step::Send),
            4 => prop::collection::vec(fault(), 1..4).prop_map(Step::Relay),
            2 => (1..4_usize).prop_map(Step::Sign),
            staff => order().prop_map(Step::Staff),
        ]
        .boxed()
    }

    fn apply(mut plan: Plan, step: &Step) -> Plan {
        match step {
            Step::Sign(more) => plan.people += more,
            Step::Send(sending) => {
                plan.was_sent = true;
                if let Some((_, Trouble::Staff(order))) = &sending.meanwhile {
                    plan.heed(order);
                }
            }
            Step::Staff(order) => plan.heed(order),
            Step::Relay(_) => {}
        }
        plan
    }

    fn preconditions(plan: &Plan, step: &Step) -> bool {
        match step {
            Step::Sign(more) => plan.people + more <= PEOPLE_MAX,
            Step::Staff(Order::Pause) => plan.was_sent && !plan.is_paused,
            Step::Staff(Order::Resume) => plan.is_paused,
            Step::Staff(_) => plan.was_sent,
            Step::Send(_) | Step::Relay(_) => true,
        }
    }
}

impl Plan {
    fn heed(&mut self, order: &Order) {
        match order {
            Order::Pause => self.is_paused = true,
            Order::Resume => self.is_paused = false,
            _ => {}
        }
    }
}

fn sending() -> impl Strategy<Value = Sending> {
    let trouble = prop_oneof![
        14 => Just(Trouble::Kill),
        2 => Just(Trouble::Interrupt),
        2 => Just(Trouble::InterruptTwice),
        1 => Just(Trouble::Rival),
        1 => Just(Trouble::Lock),
        3 => order()
            .prop_filter("only of what nothing moves", |order| !matches!(order, Order::Resolve | Order::ResendRegardless))
            .prop_map(Trouble::Staff),
    ];
    let limit = prop::option::weighted(0.2, 1..20_u8);
    (limit, prop::option::weighted(0.85, (when(), trouble))).prop_map(|(limit, meanwhile)| Sending { limit, meanwhile })
}

fn when() -> impl Strategy<Value = When> {
    let at = prop_oneof![
        1 => Just(At::Greeting),
        1 => Just(At::Ehlo),
        2 => Just(At::Mail),
        2 => Just(At::Rcpt),
        3 => Just(At::Data),
        3 => Just(At::Body),
        6 => Just(At::Dot),
    ];
    let micros = prop::sample::select(vec![0, 0, 0, 200, 500, 1000, 2000, 5000]);
    (at, 1..13_usize, micros).prop_map(|(at, count, micros)| {
        let count = if matches!(at, At::Greeting | At::Ehlo) { count % 4 + 1 } else { count };
        When { at, count, micros }
    })
}

fn order() -> impl Strategy<Value = Order> {
    let aim = || prop_oneof![1 => Just(Aim::All), 3 => (0..60_usize).prop_map(Aim::One)];
    prop_oneof![
        2 => aim().prop_map(Order::Hold),
        3 => aim().prop_map(Order::Release),
        1 => (0..60_usize).prop_map(|n| Order::Cancel(Aim::One(n))),
        2 => Just(Order::Retry),
        1 => Just(Order::RetrySuppressed),
        4 => Just(Order::Resolve),
        1 => Just(Order::ResendRegardless),
        1 => Just(Order::Pause),
        2 => Just(Order::Resume),
        1 => prop::sample::select(vec!["per_mailbox=20/s", "per_mailbox=1/h", "global=30/s"]).prop_map(Order::Pace),
        1 => Just(Order::Unset),
    ]
}

fn fault() -> impl Strategy<Value = Fault> {
    use Kind as K;
    let at = prop_oneof![
        1 => Just(At::Greeting),
        1 => Just(At::Ehlo),
        1 => Just(At::Mail),
        2 => Just(At::Rcpt),
        2 => Just(At::Data),
        2 => Just(At::Body),
        5 => Just(At::Dot),
    ];
    let kinds = [
        K::NotNow,
        K::Never,
        K::AlmostOk,
        K::Closing,
        K::Drop,
        K::Hang,
        K::Garbage,
        K::Late,
        K::TakeThenDrop,
        K::TakeThenHang,
        K::LastOne,
    ];
    let times = prop::sample::select(vec![1, 2, 3, 5, 1000]);
    (at, prop::sample::select(kinds.to_vec()), 1..8_usize, 1..6_usize, times).prop_map(
        |(at, kind, first, every, times)| {
            let is_of_dot = matches!(kind, K::AlmostOk | K::TakeThenDrop | K::TakeThenHang | K::LastOne);
            // What costs the client a timeout each time would be the whole schedule.
            let times = if matches!(kind, K::Hang | K::Late | K::TakeThenHang) { times.min(2) } else { times };
            Fault { at: if is_of_dot { At::Dot } else { at }, kind, first, every, times }
        },
    )
}
