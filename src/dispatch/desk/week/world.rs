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
use crate::dispatch::events::{Begun, Chore, Claimed, Event, Order};
use crate::dispatch::judge::{History, Judge};
use crate::dispatch::recall::Deal;
use crate::dispatch::{OnDoubt, PaceRules, Settings};
use crate::ledger::sqlite::SqliteLedger;
use crate::ledger::{
    Decision, DecisionKind, Leased, Ledger, LogFilter, MessageRecord, Open, Pause, RelayState, Selection,
};
use crate::model::{Disposition, MessageId, MessageKind, MessageState, Outcome};
use crate::policy::{BreakOffs, RelayLimits, Replies};

use super::plan::{CONSTITUENTS, DAYS, OFFICIALS, Outside, Plan, START, civil};

/// What a session does just now.
pub(super) enum Doing {
    Asking(oneshot::Receiver<Order>),
    Connecting,
    Offering(Box<Leased>, Deal, Hand),
    Transmitting(Open, History, Begun, Hand),
    Hearing(Open, History, Begun, Hand, Outcome),
    Gone,
}

pub(super) struct Session {
    pub(super) relay: usize,
    pub(super) connected: bool,
    pub(super) doing: Doing,
    /// Goes up with every question, so that an idle time can be told from an old one.
    pub(super) asked: u64,
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

/// What a relay was taken to be, from when.
#[derive(Debug)]
pub(super) struct Noted {
    pub(super) since: Timestamp,
    pub(super) is_well: bool,
    /// It is left alone until then.
    pub(super) until: Option<Timestamp>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Happening {
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
    /// What the first relay was taken to be, one after the other.
    pub(super) first_relay: Vec<Noted>,
    /// When a session of the first relay was told to connect or to hand over.
    pub(super) first_tried: Vec<Timestamp>,
    pub(super) resends: HashMap<MessageId, usize>,
    /// What staff sent again themselves, by whichever relay.
    pub(super) moved_by_staff: Vec<MessageId>,
    /// How often a message was found in doubt.
    pub(super) in_doubt: usize,
    trace: Sha256,
    pub(super) chance: StdRng,
    pub(super) settings: Settings,
    desk: Desk,
    pub(super) judges: Vec<Judge>,
    pub(super) sessions: Vec<Session>,
    shown: Arc<Mutex<Now>>,
    started: Timestamp,
    pub(super) now: Timestamp,
    next_wake: Option<Timestamp>,
    agenda: BinaryHeap<Reverse<(Timestamp, u64, Happening)>>,
    count: u64,
    /// Which run of the dispatcher it is; what an earlier one had in mind is void.
    pub(super) run: u64,
    look: u64,
    is_up: bool,
    pause: Option<Pause>,
}

/// Where nothing is due, the loop looks up that often: less than it does, which only makes it late.
const LOOK_MAX: Duration = Duration::from_secs(60);

fn now_at(now: Timestamp, started: Timestamp) -> Now {
    let since_start = HEAD_START + Duration::try_from(now.duration_since(started)).unwrap();
    Now { wall: now, clock: now, since_start }
}

impl World {
    pub(super) fn new(seed: u64, plan: Plan, ledger: SqliteLedger) -> Self {
        let (start, settings) = (civil(START), plan.settings());
        let mut chance = StdRng::seed_from_u64(seed ^ 0x57EE_C0DE);
        let desk = Desk::new(&settings, Chance::seeded(chance.random()));
        let mut world = Self {
            rules: vec![(start, plan.rules.clone())],
            ledger,
            ended: Vec::new(),
            first_relay: Vec::new(),
            first_tried: Vec::new(),
            resends: HashMap::new(),
            moved_by_staff: Vec::new(),
            in_doubt: 0,
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
    pub(super) async fn run(&mut self) -> Vec<u8> {
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
        self.trace.clone().finalize().to_vec()
    }

    #[expect(clippy::print_stderr, reason = "for whoever looks into a week that failed")]
    pub(super) fn note(&mut self, what: &str) {
        let line = format!("{} {what}\n", self.now);
        if std::env::var_os("UNDERSIGNED_PROVE_TRACE").is_some() {
            eprint!("{line}");
        }
        self.trace.update(line);
    }

    pub(super) fn comes(&mut self, at: Timestamp, what: Happening) {
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
        self.first_relay.push(Noted { since: self.now, is_well: true, until: None });
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

    pub(super) fn at(&self) -> Now {
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
            self.start().await;
        }
    }

    pub(super) fn decide(&mut self, message: MessageId, kind: DecisionKind) -> u64 {
        self.note(&format!("{message} {kind:?}"));
        self.in_doubt += 1;
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
        let mut keep = |record| {
            records.push(record);
            Ok(())
        };
        self.ledger.messages(&all, &mut keep).unwrap();
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
            self.is_up = false;
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
                    let (is_well, until) = (record.state != RelayState::Parked, record.until);
                    self.first_relay.push(Noted { since: self.now, is_well, until });
                }
                self.ledger.note_relay(record).await.unwrap();
            }
            other => panic!("{other:?}"),
        }
        Event::ChoreDone
    }

    pub(super) fn expected() -> (usize, usize) {
        (OFFICIALS * CONSTITUENTS, CONSTITUENTS)
    }
}
