//! A relay that fails as a schedule says, tells when it has seen the n-th of something, and can kill whoever talks to it
//! at that very moment.

use std::collections::BTreeMap;
use std::process::Child;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::schedule::{Fault, Kind, When};
use crate::support::relay::{Action, At, Step};

/// Longer than the client waits for anything.
const TOO_LATE: Duration = Duration::from_millis(1300);

/// Whom to watch for.
struct Watch {
    when: When,
    seen: usize,
    tell: Sender<()>,
    /// To be killed before the relay says another word.
    kill: Option<Arc<Mutex<Child>>>,
}

struct Armed {
    fault: Fault,
    seen: usize,
    used: usize,
}

#[derive(Default)]
pub struct Unruly {
    faults: Mutex<Vec<Armed>>,
    watch: Mutex<Option<Watch>>,
    used: Mutex<BTreeMap<Kind, usize>>,
}

impl Unruly {
    pub fn fails(&self, faults: &[Fault]) {
        let armed = faults.iter().map(|fault| Armed { fault: *fault, seen: 0, used: 0 });
        *self.faults.lock().unwrap() = armed.collect();
    }

    pub fn watches(&self, when: When, tell: Sender<()>, kill: Option<Arc<Mutex<Child>>>) {
        *self.watch.lock().unwrap() = Some(Watch { when, seen: 0, tell, kill });
    }

    pub fn watches_no_more(&self) {
        *self.watch.lock().unwrap() = None;
    }

    /// How often it failed, by kind.
    pub fn used(&self) -> BTreeMap<Kind, usize> {
        self.used.lock().unwrap().clone()
    }

    pub fn act(&self, at: &At) -> Action {
        self.look(at.step);
        let mut faults = self.faults.lock().unwrap();
        for armed in faults.iter_mut().filter(|armed| armed.fault.at == at.step) {
            armed.seen += 1;
            let Fault { first, every, times, kind, .. } = armed.fault;
            let is_turn = armed.seen >= first && (armed.seen - first).is_multiple_of(every);
            if is_turn && armed.used < times {
                armed.used += 1;
                *self.used.lock().unwrap().entry(kind).or_default() += 1;
                return action(kind, at.step);
            }
        }
        Action::Default
    }

    fn look(&self, step: Step) {
        let mut watching = self.watch.lock().unwrap();
        let Some(watch) = watching.as_mut().filter(|watch| watch.when.at == step) else { return };
        watch.seen += 1;
        if watch.seen == watch.when.count {
            if let Some(child) = &watch.kill {
                child.lock().unwrap().kill().unwrap();
            }
            let _ = watch.tell.send(());
        }
    }
}

fn action(kind: Kind, step: Step) -> Action {
    let (for_now, for_good, usual) = words(step);
    match kind {
        Kind::NotNow => Action::reply(for_now),
        Kind::Never => Action::reply(for_good),
        Kind::AlmostOk => Action::reply("252 2.0.0 perhaps"),
        Kind::Closing => Action::ReplyThenClose("421 4.3.2 closing".into()),
        Kind::Drop => Action::Drop,
        Kind::Hang => Action::Hang,
        Kind::Garbage => Action::Garbage(b"\x00\xfe what?\r\n".to_vec()),
        Kind::Late => Action::late(TOO_LATE, usual),
        Kind::TakeThenDrop => Action::take_then_drop(),
        Kind::TakeThenHang => Action::take_then_hang(),
        Kind::LastOne => Action::ReplyThenClose("250 2.0.0 Ok".into()),
    }
}

/// What it says at a step to refuse for now, for good, and usually.
fn words(step: Step) -> (&'static str, &'static str, &'static str) {
    match step {
        Step::Greeting => ("450 4.3.0 busy", "554 5.7.1 no service for you", "220 scripted ESMTP"),
        Step::Ehlo => ("450 4.3.0 busy", "550 5.7.1 who?", "250 scripted"),
        Step::Mail => ("451 4.3.0 not now", "550 5.7.1 not from you", "250 2.1.0 Ok"),
        Step::Rcpt => ("450 4.2.1 mailbox busy", "550 5.1.1 no such user", "250 2.1.5 Ok"),
        Step::Data => ("451 4.3.0 not now", "554 5.6.0 no", "354 go on"),
        _ => ("451 4.3.0 could not store it", "554 5.6.0 refused", "250 2.0.0 Ok"),
    }
}
