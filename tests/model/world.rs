//! The real program, its real ledger and an unruly relay: what a schedule is carried out on.

use std::fs::File;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use rustix::process::{Pid, Signal, kill_process};
use undersigned::ledger::sqlite::SqliteLedger;
use undersigned::model::MessageState as S;

use crate::schedule::{Aim, OFFICIALS, Order, Plan, Sending, Step, Trouble, When};
use crate::support::campaign::{Campaign, constituent_rows};
use crate::support::relay::{Options, ScriptedRelay};
use crate::truth::{Message, Messages, Movers, Truth, copies};
use crate::unruly::Unruly;

/// A run that comes to no end by itself is interrupted then.
const RUN_MAX: Duration = Duration::from_millis(2500);
/// So long an interrupted run may take at most, on a busy machine.
const END_MAX: Duration = Duration::from_secs(60);
const LOCKED_FOR: Duration = Duration::from_secs(1);

pub struct World {
    campaign: Campaign,
    relay: ScriptedRelay,
    unruly: Arc<Unruly>,
    truth: Truth,
    connections: usize,
    people: usize,
    is_paused: bool,
    pub tally: Tally,
}

/// What a schedule came to.
#[derive(Debug, Default)]
pub struct Tally {
    pub kills: usize,
    pub runs: usize,
    pub letters: usize,
    pub in_doubt: usize,
    pub lost: usize,
    pub twice: usize,
}

/// A run of `send` that is going on.
struct Run {
    child: Arc<Mutex<Child>>,
    told: Receiver<()>,
}

/// A step that fails leaves no process behind.
impl Drop for Run {
    fn drop(&mut self) {
        if let Ok(mut child) = self.child.lock() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl World {
    pub fn new(plan: &Plan) -> Self {
        let unruly = Arc::new(Unruly::default());
        let script = unruly.clone();
        let relay = ScriptedRelay::start(Options::default(), move |at| script.act(at));
        let campaign = Campaign::new(OFFICIALS, plan.people, relay.port());
        let (connections, people) = (plan.connections, plan.people);
        let (truth, tally) = (Truth::default(), Tally::default());
        let world = Self { campaign, relay, unruly, truth, connections, people, is_paused: false, tally };
        world.configure("1s");
        world
    }

    /// Everybody writes to every official, over a relay that is given up after so long in each phase.
    fn configure(&self, timeout: &str) {
        let phases = ["greeting", "ehlo", "mail", "rcpt", "data", "body_write", "dot", "quit"];
        let timeouts: Vec<String> = phases.iter().map(|phase| format!("{phase} = \"{timeout}\"")).collect();
        let more = format!("connections = {}\n[relay.timeouts]\n{}\n", self.connections, timeouts.join("\n"));
        self.campaign.configure(self.relay.port(), &more);
        let path = self.campaign.path().join("config.toml");
        let config = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, format!("{config}[contacts]\nmatch = \"all\"\n")).unwrap();
    }

    /// One step, and then everything must be true.
    pub fn make(&mut self, step: &Step) {
        let mut by = Movers::default();
        match step {
            Step::Relay(faults) => self.unruly.fails(faults),
            Step::Sign(more) => self.sign(*more),
            Step::Staff(order) => {
                self.order(order);
                by.orders.push(order.clone());
            }
            Step::Send(sending) => {
                by.dispatcher = true;
                if let Some((_, Trouble::Staff(order))) = &sending.meanwhile {
                    by.orders.push(order.clone());
                }
                self.send(sending);
            }
        }
        self.check(&by);
    }

    fn sign(&mut self, more: usize) {
        let path = self.campaign.path().join("contacts.csv");
        let file = std::fs::read_to_string(&path).unwrap();
        let rows = constituent_rows(OFFICIALS, self.people..self.people + more);
        std::fs::write(path, file + &rows).unwrap();
        self.people += more;
    }

    /// An order of staff, by the program itself.
    fn order(&mut self, order: &Order) {
        match order {
            Order::Hold(aim) => self.aimed("hold", *aim),
            Order::Release(aim) => self.aimed("release", *aim),
            Order::Cancel(aim) => self.aimed("cancel", *aim),
            Order::Retry => self.say(&["retry"]),
            Order::RetrySuppressed => self.say(&["retry", "--state", "suppressed"]),
            Order::Pause => self.say(&["pause"]),
            Order::Resume => self.say(&["resume"]),
            Order::Pace(change) => self.say(&["pace", "set", change]),
            Order::Unset => self.say(&["pace", "unset", "--all"]),
            Order::Resolve => self.resolve(|copies| copies > 0),
            Order::ResendRegardless => self.resolve(|_| false),
        }
        match order {
            Order::Pause => self.is_paused = self.campaign.ledger().exists(),
            Order::Resume => self.is_paused = false,
            _ => {}
        }
    }

    fn aimed(&self, verb: &str, aim: Aim) {
        match aim {
            Aim::All => self.say(&[verb]),
            Aim::One(n) => {
                let messages = self.messages();
                if let Some(id) = messages.keys().nth(n % messages.len().max(1)) {
                    self.say(&[verb, &id.to_string()]);
                }
            }
        }
    }

    /// Done, or refused as something that cannot be done; never a failure of the program.
    fn say(&self, args: &[&str]) {
        let ran = self.campaign.run(args);
        assert!([0, 2].contains(&ran.code), "{args:?}: {ran:?}");
    }

    /// Settles whatever is in doubt: as sent where the relay has it, by what staff take for that.
    fn resolve(&mut self, has_it: impl Fn(usize) -> bool) {
        let copies = copies(&self.relay.record.entries());
        let in_doubt = |message: &Message| message.state == S::InDoubt;
        let ids: Vec<i64> = self.messages().iter().filter(|(_, m)| in_doubt(m)).map(|(id, _)| *id).collect();
        for id in ids {
            let copies = copies.get(&id).copied().unwrap_or_default();
            let verdict = if has_it(copies) { "sent" } else { "resend" };
            let ran = self.campaign.run(&["resolve", "--as", verdict, &id.to_string()]);
            assert_eq!(ran.code, 0, "{ran:?}");
            if verdict == "resend" {
                self.truth.is_resent(id, copies);
            }
        }
    }

    fn send(&mut self, sending: &Sending) {
        let before = self.relay.record.count();
        let letters_before = self.letters_at_relay();
        let mut may_go = !self.is_paused;
        let run = self.start(sending);
        let code = self.see_to_its_end(&run, sending, &mut may_go);
        assert!(matches!(code, None | Some(0 | 4 | 5 | 7 | 130)), "it ended with {code:?}: {}", self.last_words());
        assert!(self.relay.wait_until_quiet(Duration::from_secs(120)), "the relay does not come to rest");
        let letters = self.letters_at_relay() - letters_before;
        if let Some(limit) = sending.limit {
            assert!(letters <= usize::from(limit), "{letters} letters, and at most {limit} were wanted");
        }
        assert!(may_go || self.relay.record.count() == before, "something went while staff had it paused");
    }

    fn letters_at_relay(&self) -> usize {
        self.relay.record.entries().iter().filter(|entry| entry.to.iter().any(|to| to.contains("@town"))).count()
    }

    fn start(&mut self, sending: &Sending) -> Run {
        let limit = sending.limit.map(|n| n.to_string());
        let mut args = vec!["send", "--yes"];
        args.extend(limit.iter().flat_map(|n| ["--limit", n.as_str()]));
        let (tell, told) = channel();
        let log = File::create(self.campaign.path().join("send.log")).unwrap();
        let mut command = self.campaign.command(&args);
        let child = command.stdout(Stdio::null()).stderr(Stdio::from(log)).spawn().unwrap();
        let child = Arc::new(Mutex::new(child));
        self.tally.runs += 1;
        match &sending.meanwhile {
            Some((when @ When { micros: 0, .. }, Trouble::Kill)) => {
                self.unruly.watches(*when, tell, Some(child.clone()));
            }
            Some((when, _)) => self.unruly.watches(*when, tell, None),
            None => {}
        }
        Run { child, told }
    }

    /// Gives its exit code; nothing where it was killed.
    fn see_to_its_end(&mut self, run: &Run, sending: &Sending, may_go: &mut bool) -> Option<i32> {
        let began = Instant::now();
        let mut is_interrupted = false;
        let status = loop {
            if let Some(status) = run.child.lock().unwrap().try_wait().unwrap() {
                break status;
            }
            if let (Ok(()), Some((when, trouble))) = (run.told.try_recv(), &sending.meanwhile) {
                std::thread::sleep(Duration::from_micros(when.micros));
                self.trouble(run, trouble, may_go);
            }
            if began.elapsed() > RUN_MAX && !std::mem::replace(&mut is_interrupted, true) {
                signal(run, Signal::INT);
            }
            if began.elapsed() > RUN_MAX + END_MAX {
                run.child.lock().unwrap().kill().unwrap();
                panic!("an interrupt does not end it: {}", self.last_words());
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        self.unruly.watches_no_more();
        self.tally.kills += usize::from(status.code().is_none());
        status.code()
    }

    fn trouble(&mut self, run: &Run, trouble: &Trouble, may_go: &mut bool) {
        match trouble {
            Trouble::Kill => run.child.lock().unwrap().kill().unwrap(),
            Trouble::Interrupt => signal(run, Signal::INT),
            Trouble::InterruptTwice => {
                signal(run, Signal::INT);
                std::thread::sleep(Duration::from_millis(20));
                signal(run, Signal::INT);
            }
            Trouble::Rival => self.rival(run),
            Trouble::Lock => {
                let ledger = Connection::open(self.campaign.ledger()).unwrap();
                ledger.busy_timeout(Duration::from_secs(20)).unwrap();
                ledger.execute_batch("BEGIN IMMEDIATE").unwrap();
                std::thread::sleep(LOCKED_FOR);
                ledger.execute_batch("ROLLBACK").unwrap();
            }
            Trouble::Staff(order) => {
                *may_go |= matches!(order, Order::Resume);
                self.order(order);
            }
        }
    }

    /// Another `send` while this one holds the ledger and stands still.
    fn rival(&self, run: &Run) {
        signal(run, Signal::STOP);
        // Not where it is about to end, and has let go of its lock already.
        let is_at_work = SqliteLedger::dispatcher_is_running(&self.campaign.ledger());
        let ran = is_at_work.then(|| self.campaign.send());
        signal(run, Signal::CONT);
        assert!(ran.as_ref().is_none_or(|ran| ran.code == 6), "a second one must not start: {ran:?}");
    }

    fn last_words(&self) -> String {
        std::fs::read_to_string(self.campaign.path().join("send.log")).unwrap_or_default()
    }

    /// Every message, by number; none before there is a ledger.
    fn messages(&self) -> Messages {
        if !self.campaign.ledger().exists() {
            return Messages::new();
        }
        let db = Connection::open_with_flags(self.campaign.ledger(), OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
        db.busy_timeout(Duration::from_secs(20)).unwrap();
        let has_tables = db.query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'message'", [], |r| r.get(0));
        if has_tables == Ok(0) {
            return Messages::new();
        }
        let mut query = db
            .prepare(
                "SELECT message.id, state, kind = 'letter', withheld, constituent, ifnull(person.name, '')
                   FROM message LEFT JOIN person ON person.id = official",
            )
            .unwrap();
        let read = |row: &rusqlite::Row<'_>| {
            let state: String = row.get(1)?;
            let message = Message {
                state: S::parse(&state).unwrap(),
                is_letter: row.get(2)?,
                is_withheld: row.get(3)?,
                constituent: row.get(4)?,
                official: row.get(5)?,
            };
            Ok((row.get(0)?, message))
        };
        query.query_map([], read).unwrap().map(Result::unwrap).collect()
    }

    /// I1 to I4 and the confirmations by the model, I7 and I8 by the program and the database themselves.
    fn check(&mut self, by: &Movers) {
        let messages = self.messages();
        if messages.is_empty() {
            assert_eq!(self.relay.record.count(), 0);
            return;
        }
        self.truth.check(messages, by, &self.relay.record.entries());
        self.campaign.must_be_sound();
        let status = self.campaign.status();
        for (kind, is_letter) in [("letters", true), ("confirmations", false)] {
            for state in S::ALL {
                let of = |m: &&Message| m.is_letter == is_letter && m.state == state;
                let count = self.truth.known.values().filter(of).count() as u64;
                assert_eq!(status[kind][state.as_str()], count, "{kind} {state}: what is shown is not the ledger");
            }
        }
        let letters = self.truth.known.values().filter(|m| m.is_letter).count();
        assert!(letters.is_multiple_of(OFFICIALS) && letters <= self.people * OFFICIALS, "{letters} letters");
    }

    /// The relay is mended, staff settle what waits for them, and everything comes to its end.
    pub fn end(&mut self, retries: bool) {
        self.unruly.fails(&[]);
        self.configure("30s");
        self.send_all();
        self.tally.in_doubt = self.truth.known.values().filter(|m| m.state == S::InDoubt).count();
        let mut orders = vec![Order::Resume, Order::Unset, Order::Resolve, Order::Release(Aim::All)];
        if retries {
            orders.extend([Order::Retry, Order::RetrySuppressed]);
        }
        for order in orders {
            self.make(&Step::Staff(order));
        }
        self.send_all();
        self.account(retries);
    }

    /// A run to the very end, once it may be told what waits half a minute to be told.
    fn send_all(&mut self) {
        if self.campaign.ledger().exists() && !self.messages().is_empty() {
            let db = Connection::open(self.campaign.ledger()).unwrap();
            db.execute("UPDATE message SET due_at = 0 WHERE state = 'queued'", []).unwrap();
        }
        if self.is_paused {
            self.make(&Step::Staff(Order::Resume));
        }
        if self.campaign.ledger().exists() && !self.messages().is_empty() {
            self.make(&Step::Staff(Order::Unset));
        }
        let ran = self.campaign.send();
        assert!([0, 5, 7].contains(&ran.code), "{ran:?}");
        assert!(self.relay.wait_until_quiet(Duration::from_secs(120)));
        self.check(&Movers { dispatcher: true, orders: Vec::new() });
    }

    /// Every letter is accounted for, and everybody was told once.
    fn account(&mut self, retries: bool) {
        let copies = copies(&self.relay.record.entries());
        let known = &self.truth.known;
        let letters: Vec<_> = known.iter().filter(|(_, m)| m.is_letter).collect();
        assert_eq!(letters.len(), self.people * OFFICIALS, "letters are missing");
        for (id, message) in known {
            let copies = copies.get(id).copied().unwrap_or_default();
            let is_failed = message.state.is_failure() && !retries;
            let is_well = matches!(message.state, S::Sent | S::Cancelled) || is_failed;
            assert!(is_well, "message {id} ends as {message:?}");
            self.tally.lost += usize::from(message.state == S::Sent && copies == 0);
            self.tally.twice += usize::from(copies > 1 + self.truth.orders(*id));
        }
        self.tally.letters = letters.len();
        for (id, letter) in letters {
            let is_told = known.values().any(|m| !m.is_letter && m.constituent == letter.constituent);
            let mut others = known.values().filter(|m| m.is_letter && m.constituent == letter.constituent);
            assert!(is_told || others.all(|m| m.state == S::Cancelled), "nobody was told of message {id}");
        }
        assert_eq!((self.tally.lost, self.tally.twice), (0, 0), "lost, twice");
    }

    pub fn faults(&self) -> std::collections::BTreeMap<crate::schedule::Kind, usize> {
        self.unruly.used()
    }
}

/// To a run that has not been waited for.
fn signal(run: &Run, signal: Signal) {
    let mut child = run.child.lock().unwrap();
    if child.try_wait().unwrap().is_none() {
        kill_process(Pid::from_child(&child), signal).unwrap();
    }
}
