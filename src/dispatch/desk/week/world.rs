//! The simulated world: the real desk, judge and ledger; a clock that jumps from one happening to the next; sessions
//! that do what a worker and the heart do, with relays that are simulated.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sha2::{Digest, Sha256};
use tokio::sync::oneshot;

use crate::dispatch::chance::Chance;
use crate::dispatch::clock::{Clock, HEAD_START, Now};
use crate::dispatch::desk::Desk;
use crate::dispatch::events::{Begun, Chore, Claimed, Event, Order, Report};
use crate::dispatch::judge::{History, Judge};
use crate::dispatch::recall::Deal;
use crate::dispatch::{OnDoubt, PaceRules, Settings};
use crate::ledger::sqlite::SqliteLedger;
use crate::ledger::{
    Decision, DecisionKind, Leased, Ledger, LogFilter, MessageRecord, Open, Pause, RelayState, Selection,
};
use crate::model::{Disposition, MessageId, MessageKind, MessageState, Outcome, Stamp};
use crate::policy::{BreakOffs, RelayEffect, RelayLimits, Replies};

use super::plan::{CONSTITUENTS, DAYS, OFFICIALS, Outside, Plan, START, civil};

/// What a session does just now.
enum Doing {
    Asking(oneshot::Receiver<Order>),
    Connecting,
    Offering(Box<Leased>, Deal, Hand),
    Transmitting(Open, History, Begun, Hand),
    Hearing(Open, History, Begun, Hand, Outcome),
    Gone,
}

struct Session {
    relay: usize,
    connected: bool,
    doing: Doing,
    /// Goes up with every question, so that an idle time can be told from an old one.
    asked: u64,
}

/// A message that was dealt out, and what became of that.
#[derive(Debug, Clone)]
pub(super) struct Hand {
    pub(super) at: Timestamp,
    pub(super) relay: usize,
    pub(super) message: MessageId,
    pub(super) kind: MessageKind,
    pub(super) lane: i64,
    pub(super) mailbox: String,
}

#[derive(Debug, Clone)]
pub(super) struct Ended {
    pub(super) hand: Hand,
    pub(super) at: Timestamp,
    /// None where the process ended before.
    pub(super) disposition: Option<Disposition>,
    /// Whether the relay may have it.
    pub(super) may_have_reached: bool,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Happening {
    Look(u64),
    Session(u64, usize),
    Idle(u64, usize, u64),
    Outside(usize),
    Start,
    Resume,
    /// Staff look after what is in doubt.
    Staff,
}

pub(super) struct World {
    pub(super) plan: Plan,
    pub(super) ledger: SqliteLedger,
    pub(super) ended: Vec<Ended>,
    /// Which rules held from when.
    pub(super) rules: Vec<(Timestamp, PaceRules)>,
    /// Whether the first relay was taken to be well, from when.
    pub(super) first_relay: Vec<(Timestamp, bool)>,
    pub(super) resends: HashMap<MessageId, usize>,
    /// What staff sent again themselves, by whichever relay.
    pub(super) moved_by_staff: Vec<MessageId>,
    pub(super) finished_at: Option<Timestamp>,
    trace: Sha256,
    chance: StdRng,
    settings: Settings,
    desk: Desk,
    judges: Vec<Judge>,
    sessions: Vec<Session>,
    shown: Arc<Mutex<Now>>,
    started: Timestamp,
    now: Timestamp,
    next_wake: Option<Timestamp>,
    agenda: BinaryHeap<Reverse<(Timestamp, u64, Happening)>>,
    count: u64,
    /// Which run of the dispatcher it is; what an earlier one had in mind is void.
    run: u64,
    look: u64,
    is_up: bool,
    pause: Option<Pause>,
}

const IDLE_MAX: Duration = Duration::from_secs(30);
/// Where nothing is due, the loop looks up that often: less than it does, which only makes it late.
const LOOK_MAX: Duration = Duration::from_secs(60);

fn now_at(now: Timestamp, started: Timestamp) -> Now {
    let since_start = HEAD_START + Duration::try_from(now.duration_since(started)).unwrap();
    Now { wall: now, clock: now, since_start }
}

impl World {
    pub(super) fn new(seed: u64, ledger: SqliteLedger) -> Self {
        let plan = Plan::of(seed);
        let (start, settings) = (civil(START), plan.settings());
        let mut chance = StdRng::seed_from_u64(seed ^ 0x57EE_C0DE);
        let desk = Desk::new(&settings, Chance::seeded(chance.random()));
        let mut world = Self {
            rules: vec![(start, plan.rules.clone())],
            ledger,
            ended: Vec::new(),
            first_relay: Vec::new(),
            resends: HashMap::new(),
            moved_by_staff: Vec::new(),
            finished_at: None,
            trace: Sha256::new(),
            chance,
            settings,
            desk,
            judges: Vec::new(),
            sessions: Vec::new(),
            shown: Arc::new(Mutex::new(now_at(start, start))),
            started: start,
            now: start,
            next_wake: None,
            agenda: BinaryHeap::new(),
            count: 0,
            run: 0,
            look: 0,
            is_up: false,
            pause: None,
            plan,
        };
        world.comes(start, Happening::Start);
        for n in 0..world.plan.outside.len() {
            world.comes(world.plan.outside[n].0, Happening::Outside(n));
        }
        for hour in (6..DAYS * 24).step_by(6) {
            world.comes(start + Duration::from_secs(hour * 3600), Happening::Staff);
        }
        world
    }

    /// Until everything has come to its end; gives the hash of all that happened.
    pub(super) async fn run(&mut self) -> String {
        while let Some(Reverse((at, _, what))) = self.agenda.pop() {
            self.now = at;
            match what {
                Happening::Look(look) if look == self.look && self.is_up => self.turn(vec![Event::Tick]).await,
                Happening::Session(run, n) if run == self.run => {
                    let events = self.goes_on(n).await;
                    self.turn(events).await;
                }
                Happening::Idle(run, n, asked) if run == self.run => {
                    let events = self.is_idle(n, asked);
                    self.turn(events).await;
                }
                Happening::Outside(n) => self.outside(n).await,
                Happening::Start => self.start().await,
                Happening::Resume => {
                    self.pause = None;
                    self.tell(Event::Paused(None)).await;
                }
                Happening::Staff => self.staff().await,
                Happening::Look(_) | Happening::Session(..) | Happening::Idle(..) => continue,
            }
            if self.is_up {
                self.look_again();
            }
        }
        self.trace.clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn note(&mut self, what: &str) {
        let line = format!("{} {what}\n", self.now);
        if std::env::var_os("UNDERSIGNED_PROVE_TRACE").is_some() {
            eprint!("{line}");
        }
        self.trace.update(line);
    }

    fn comes(&mut self, at: Timestamp, what: Happening) {
        self.count += 1;
        self.agenda.push(Reverse((at, self.count, what)));
    }

    fn look_again(&mut self) {
        let at = now_at(self.now, self.started).since_start;
        let soonest = Duration::from_secs(1);
        let of_desk = self.desk.wake().map(|wake| wake.saturating_sub(at)).filter(|wait| *wait > soonest);
        // What is due already waits for something else.
        let due = self.next_wake.filter(|wake| *wake > self.now);
        let of_ledger = due.map(|wake| Duration::try_from(wake.duration_since(self.now)).unwrap());
        let wait = of_desk.into_iter().chain(of_ledger).min().unwrap_or(LOOK_MAX).clamp(soonest, LOOK_MAX);
        self.look += 1;
        self.comes(self.now + wait, Happening::Look(self.look));
    }

    async fn tell(&mut self, event: Event) {
        if self.is_up {
            self.turn(vec![event]).await;
        }
    }

    /// As the dispatcher does at a start.
    async fn start(&mut self) {
        if self.is_up {
            return;
        }
        self.note("start");
        self.first_relay.push((self.now, true));
        (self.started, self.next_wake, self.is_up) = (self.now, None, true);
        self.run += 1;
        let rules = self.rules.last().unwrap().1.clone();
        (self.settings.pace, self.settings.windows) = (rules.pace.clone(), rules.windows.clone());
        for (plan, RelayLimits { rate, quota }) in self.settings.relays.iter_mut().zip(&rules.relays) {
            (plan.rate, plan.quota) = (*rate, *quota);
        }
        self.ledger.recover(self.now, rules.longest_of_mailboxes()).await.unwrap();
        if self.settings.on_doubt == OnDoubt::Resend {
            for record in self.messages().into_iter().filter(|record| record.state == MessageState::InDoubt) {
                self.decide(record.id, DecisionKind::ResendToSame);
            }
        }
        let now = self.at();
        let mut desk = Desk::new(&self.settings, Chance::seeded(self.chance.random()));
        let ago = |length: Duration| now.wall.checked_sub(length).unwrap();
        let unit = rules.longest_unit().unwrap();
        self.ledger.handed_over(ago(unit), &mut |before| desk.remember(&before, now)).unwrap();
        let day = &mut |relay: &str, at, count| desk.remember_of_day(at, relay, count, now);
        self.ledger.handed_over_by_minute(ago(Duration::from_secs(25 * 3600)), day).unwrap();
        if let Some(first) = self.ledger.first_handed_over().unwrap() {
            desk.remember_first(first, now);
        }
        self.desk = desk;
        self.judges = (0..self.settings.relays.len()).map(|_| self.judge()).collect();
        self.sessions = Vec::new();
        for (relay, plan) in self.settings.relays.iter().enumerate() {
            for _ in 0..plan.connections {
                self.sessions.push(Session { relay, connected: false, doing: Doing::Gone, asked: 0 });
            }
        }
        let mut events = vec![Event::Paused(self.pause.clone())];
        events.extend((0..self.sessions.len()).map(|n| self.asks(n)));
        self.turn(events).await;
    }

    fn judge(&mut self) -> Judge {
        Judge {
            clock: Clock::simulated(self.shown.clone()),
            replies: Replies::default(),
            break_offs: Mutex::new(BreakOffs::new()),
            retry: self.settings.retry.clone(),
            deadline: None,
            on_doubt: self.settings.on_doubt,
            lane_wait: self.desk.lane_wait(),
            chance: Mutex::new(Chance::seeded(self.chance.random())),
        }
    }

    fn at(&self) -> Now {
        let now = now_at(self.now, self.started);
        *self.shown.lock().unwrap() = now;
        now
    }

    /// As by kill -9: what was open stays as it is on disk.
    fn crash(&mut self) {
        self.is_up = false;
        self.run += 1;
        for session in std::mem::take(&mut self.sessions) {
            let (hand, may_have_reached) = match session.doing {
                Doing::Transmitting(_, _, _, hand) => {
                    // The text may have left before.
                    if self.chance.random_bool(0.5) {
                        self.plan.relays[hand.relay].takes(self.now, hand.message, &mut self.chance);
                    }
                    (hand, true)
                }
                Doing::Hearing(_, _, _, hand, _) => (hand, true),
                Doing::Offering(_, _, hand) => (hand, false),
                Doing::Asking(_) | Doing::Connecting | Doing::Gone => continue,
            };
            self.ended.push(Ended { hand, at: self.now, disposition: None, may_have_reached });
        }
    }

    async fn outside(&mut self, n: usize) {
        let what = self.plan.outside[n].1.clone();
        self.note(&format!("{what:?}"));
        match what {
            Outside::Crash { down_for } if self.is_up => {
                self.crash();
                self.comes(self.now + down_for, Happening::Start);
            }
            Outside::Pause { for_so_long } => {
                self.pause = Some(Pause { since: self.now, reason: String::new() });
                self.comes(self.now + for_so_long, Happening::Resume);
                self.tell(Event::Paused(self.pause.clone())).await;
            }
            Outside::Revise(rules) => {
                self.rules.push((self.now, (*rules).clone()));
                self.tell(Event::Revised(rules)).await;
            }
            Outside::Crash { .. } => {}
        }
    }

    /// What is in doubt is settled as the relays' records have it.
    async fn staff(&mut self) {
        let mut moved = 0;
        for record in self.messages().into_iter().filter(|record| record.state == MessageState::InDoubt) {
            let copies: usize = self.plan.relays.iter().map(|relay| relay.copies(record.id)).sum();
            let kind = if copies > 0 { DecisionKind::ResolveSent } else { DecisionKind::ResolveResend };
            moved += self.decide(record.id, kind);
        }
        if moved > 0 && !self.is_up {
            self.finished_at = None;
            self.start().await;
        }
    }

    fn decide(&mut self, message: MessageId, kind: DecisionKind) -> u64 {
        self.note(&format!("{message} {kind:?}"));
        if kind != DecisionKind::ResolveSent {
            *self.resends.entry(message).or_default() += 1;
        }
        if kind == DecisionKind::ResolveResend {
            self.moved_by_staff.push(message);
        }
        let selection = Selection::Ids(vec![message]);
        self.ledger.decide(&Decision { kind, selection, reason: String::new(), at: self.now }).unwrap()
    }

    pub(super) fn messages(&self) -> Vec<MessageRecord> {
        let mut records = Vec::new();
        let all = LogFilter { state: None, message: None };
        self.ledger.messages(&all, &mut |record| Ok(records.push(record))).unwrap();
        records
    }

    /// These events and all that follows from them at this moment.
    async fn turn(&mut self, events: Vec<Event>) {
        let mut events = VecDeque::from(events);
        while let Some(event) = events.pop_front() {
            let now = self.at();
            for chore in self.desk.handle(event, now) {
                let event = self.carry_out(chore).await;
                events.push_back(event);
            }
            for n in 0..self.sessions.len() {
                let order = match &mut self.sessions[n].doing {
                    Doing::Asking(order) => order.try_recv().ok(),
                    _ => None,
                };
                if let Some(order) = order {
                    events.extend(self.obeys(n, order));
                }
            }
        }
        if self.is_up && self.sessions.iter().all(|session| matches!(session.doing, Doing::Gone)) {
            self.note("settled");
            (self.is_up, self.finished_at) = (false, Some(self.now));
        }
    }

    async fn carry_out(&mut self, chore: Chore) -> Event {
        match chore {
            Chore::Claim(claim, round) => {
                let leased = self.ledger.claim(claim).await.unwrap();
                let next_wake = if leased.is_empty() { self.ledger.next_wake().await.unwrap() } else { None };
                self.next_wake = next_wake;
                return Event::Claimed(Claimed { leased, next_wake, round });
            }
            Chore::GiveBack(leased, at) => self.ledger.give_back(*leased, at).await.unwrap(),
            Chore::Postpone(leased, due) => self.ledger.postpone(*leased, due).await.unwrap(),
            Chore::PullLanesIn(latest) => self.ledger.pull_lanes_in(latest).await.unwrap(),
            Chore::NoteRelay(record) => {
                self.note(&format!("{} {:?} {:?}", record.name, record.state, record.until));
                if record.name == self.name(0) {
                    self.first_relay.push((self.now, record.state != RelayState::Parked));
                }
                self.ledger.note_relay(record).await.unwrap();
            }
            other => panic!("{other:?}"),
        }
        Event::ChoreDone
    }

    fn asks(&mut self, n: usize) -> Event {
        let (reply, order) = oneshot::channel();
        let (now, run) = (self.now, self.run);
        let session = &mut self.sessions[n];
        (session.doing, session.asked) = (Doing::Asking(order), session.asked + 1);
        let (relay, connected, asked) = (session.relay, session.connected, session.asked);
        if connected {
            self.comes(now + IDLE_MAX, Happening::Idle(run, n, asked));
        }
        Event::Ask { relay, connected, reply }
    }

    /// Its connection is of no more use.
    fn closes(&mut self, n: usize) -> Option<Event> {
        let session = &mut self.sessions[n];
        std::mem::take(&mut session.connected).then_some(Event::Closed { relay: session.relay })
    }

    fn is_idle(&mut self, n: usize, asked: u64) -> Vec<Event> {
        let session = &self.sessions[n];
        if session.asked != asked || !matches!(session.doing, Doing::Asking(_)) {
            return Vec::new();
        }
        let closed = self.closes(n);
        closed.into_iter().chain([self.asks(n)]).collect()
    }

    fn busy_for(&mut self, n: usize, doing: Doing, millis: std::ops::Range<u64>) {
        self.sessions[n].doing = doing;
        let wait = Duration::from_millis(self.chance.random_range(millis));
        self.comes(self.now + wait, Happening::Session(self.run, n));
    }

    fn obeys(&mut self, n: usize, order: Order) -> Vec<Event> {
        let relay = self.sessions[n].relay;
        match order {
            Order::Connect => {
                self.busy_for(n, Doing::Connecting, 20..300);
                Vec::new()
            }
            Order::HandOver(leased, deal) => {
                let mailbox = leased.content.recipient().unwrap().key();
                let (message, kind, lane) = (leased.id(), leased.kind(), leased.lane());
                self.note(&format!("{message} {kind:?} dealt to {relay}"));
                let hand = Hand { at: self.now, relay, message, kind, lane, mailbox };
                self.busy_for(n, Doing::Offering(leased, deal, hand), 20..600);
                Vec::new()
            }
            Order::Leave => {
                let closed = self.closes(n);
                self.sessions[n].doing = Doing::Gone;
                closed.into_iter().chain([Event::Left]).collect()
            }
        }
    }

    /// What comes after what a session was doing.
    async fn goes_on(&mut self, n: usize) -> Vec<Event> {
        self.at();
        match std::mem::replace(&mut self.sessions[n].doing, Doing::Gone) {
            Doing::Connecting => self.has_connected(n),
            Doing::Offering(leased, deal, hand) => self.has_offered(n, *leased, &deal, hand).await,
            Doing::Transmitting(open, history, begun, hand) => {
                let (relay, message) = (hand.relay, hand.message);
                let outcome = self.plan.relays[relay].takes(self.now, message, &mut self.chance);
                self.busy_for(n, Doing::Hearing(open, history, begun, hand, outcome), 20..400);
                Vec::new()
            }
            Doing::Hearing(open, history, begun, hand, outcome) => {
                let (attempt, verdict) = self.judges[hand.relay].attempt(self.name(hand.relay), &outcome, history);
                let news_at = self.judges[hand.relay].news_at(&verdict);
                self.note(&format!("{} {:?}", hand.message, verdict.disposition));
                let ends = verdict.ends_session || verdict.effect != RelayEffect::None;
                let (message, resends) = (hand.message, self.judges[hand.relay].resends(&verdict, history));
                self.has_ended(hand, &verdict.disposition);
                self.ledger.close(open, attempt, news_at).await.unwrap();
                if resends {
                    self.decide(message, DecisionKind::ResendToSame);
                }
                let report = Event::HandedOver(begun.with(outcome, verdict, false));
                let closed = if ends { self.closes(n) } else { None };
                [report].into_iter().chain(closed).chain([self.asks(n)]).collect()
            }
            Doing::Asking(_) | Doing::Gone => panic!("nothing was going on in session {n}"),
        }
    }

    fn name(&self, relay: usize) -> &str {
        self.settings.relays[relay].relay.name()
    }

    fn has_ended(&mut self, hand: Hand, disposition: &Disposition) {
        let may_have_reached = matches!(disposition, Disposition::Sent | Disposition::InDoubt);
        self.ended.push(Ended { hand, at: self.now, disposition: Some(*disposition), may_have_reached });
    }

    fn has_connected(&mut self, n: usize) -> Vec<Event> {
        let relay = self.sessions[n].relay;
        let event = match self.plan.relays[relay].connects(self.now) {
            Ok(()) => {
                self.sessions[n].connected = true;
                Event::Connected { relay }
            }
            Err(outcome) => {
                let effect = self.judges[relay].connection(self.name(relay), &outcome);
                self.note(&format!("{relay} cannot be reached"));
                Event::ConnectFailed { relay, outcome, effect }
            }
        };
        vec![event, self.asks(n)]
    }

    /// The relay has answered MAIL, RCPT and DATA: the point of no return, or a refusal.
    async fn has_offered(&mut self, n: usize, leased: Leased, deal: &Deal, hand: Hand) -> Vec<Event> {
        let relay = hand.relay;
        let (history, begun, kind) = (History::of(&leased), Report::begun(relay, &leased), leased.kind());
        match self.plan.relays[relay].is_offered(self.now, &hand.mailbox, &mut self.chance) {
            Ok(()) if deal.holds() => {
                let message_id = format!("{}@campaign.example", leased.id());
                let new = Stamp { message_id, date: self.now, body_hash: [7; 32] };
                let (stamp, ready) = (leased.stamp.clone().unwrap_or(new), self.judges[relay].lane_ready_at());
                let name = self.name(relay).to_owned();
                let open = self.ledger.mark_transmitting(leased, &name, stamp, ready).await.unwrap();
                let millis = if self.chance.random_bool(0.02) { 5_000..60_000 } else { 50..2_000 };
                self.busy_for(n, Doing::Transmitting(open, history, begun, hand), millis);
                Vec::new()
            }
            Ok(()) => {
                self.note(&format!("{} called back", hand.message));
                self.ledger.give_back(leased, None).await.unwrap();
                let returned = Event::returned(relay, kind, Ok(()));
                [returned].into_iter().chain(self.closes(n)).chain([self.asks(n)]).collect()
            }
            Err(outcome) => {
                let (attempt, verdict) = self.judges[relay].attempt(self.name(relay), &outcome, history);
                let news_at = self.judges[relay].news_at(&verdict);
                self.note(&format!("{} refused: {:?}", hand.message, verdict.disposition));
                let ends = verdict.ends_session;
                self.has_ended(hand, &verdict.disposition);
                self.ledger.refuse(leased, attempt, news_at).await.unwrap();
                let report = Event::HandedOver(begun.with(outcome, verdict, false));
                let closed = if ends { self.closes(n) } else { None };
                [report].into_iter().chain(closed).chain([self.asks(n)]).collect()
            }
        }
    }

    pub(super) fn expected() -> (usize, usize) {
        (OFFICIALS * CONSTITUENTS, CONSTITUENTS)
    }
}
