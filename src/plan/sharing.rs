//! How lanes share what all of them together may send: each at its own pace, each domain at its, and what is left of
//! the whole in equal parts, as the dispatcher serves whoever has waited longest.
//!
//! A model in which letters flow instead of going one by one, so that a million letters cost no more than their lanes.
//! This file must not know a calendar.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BinaryHeap};

/// The letters of one recipient mailbox.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lane {
    pub(super) letters: u64,
    /// The recipient domain's number.
    pub(super) domain: usize,
}

/// How many a second at most, of one domain and each mailbox there; infinite without a limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rates {
    pub(super) mailbox: f64,
    pub(super) domain: f64,
}

/// What all lanes share, for some time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Phase {
    /// Seconds from the start; infinite in the last one.
    pub(super) until: f64,
    /// How many a second.
    pub(super) rate: f64,
    /// How this is called.
    pub(super) holds: Holds,
}

/// Which of them holds a lane back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    Mailbox,
    Domain,
    Shared,
    WarmUp,
}

const HOLDS: [Holds; 4] = [Holds::Mailbox, Holds::Domain, Holds::Shared, Holds::WarmUp];

/// The end of a lane.
#[derive(Debug, Clone, Copy)]
pub(super) struct End {
    /// Seconds from the start.
    pub(super) seconds: f64,
    /// What held it back for longest.
    pub(super) longest: Holds,
    /// What held it back at the end.
    pub(super) last: Holds,
}

/// A number that is never NaN, in order.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Ordered(f64);

impl Eq for Ordered {}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// Seconds in which each of them held back.
type Held = [f64; HOLDS.len()];

/// A domain with its lanes, the shortest first.
struct Domain {
    /// Which of the different rates it has.
    rates: usize,
    lanes: Vec<usize>,
    done: usize,
    /// Letters that each of its open lanes has sent.
    sent: f64,
    held: Held,
    held_before: Held,
}

/// Domains of the same rates with so many open lanes.
type Key = (usize, usize);

/// All of these: they go at one speed.
#[derive(Default)]
struct Class {
    lanes: usize,
    sent: f64,
    held: Held,
    ends: BinaryHeap<Reverse<(Ordered, usize)>>,
}

struct Run<'a> {
    lanes: &'a [Lane],
    rates: Vec<Rates>,
    phases: &'a [Phase],
    domains: Vec<Domain>,
    classes: BTreeMap<Key, Class>,
    seconds: f64,
    ends: Vec<Option<End>>,
}

/// When each lane ends; `None` for one without letters. `rates` are those of each domain; of the phases the last has
/// no end.
pub(super) fn ends(lanes: &[Lane], rates: &[Rates], phases: &[Phase]) -> Vec<Option<End>> {
    let mut different: Vec<Rates> = Vec::new();
    let mut domains: Vec<Domain> = Vec::new();
    for of_domain in rates {
        let known = different.iter().position(|known| known == of_domain);
        let rates = known.unwrap_or_else(|| {
            different.push(*of_domain);
            different.len() - 1
        });
        let (held, held_before) = (Held::default(), Held::default());
        domains.push(Domain { rates, lanes: Vec::new(), done: 0, sent: 0.0, held, held_before });
    }
    for (i, lane) in lanes.iter().enumerate().filter(|(_, lane)| lane.letters > 0) {
        domains[lane.domain].lanes.push(i);
    }
    for domain in &mut domains {
        domain.lanes.sort_by_key(|&lane| lanes[lane].letters);
    }
    let ends = vec![None; lanes.len()];
    let mut run = Run { lanes, rates: different, phases, domains, classes: BTreeMap::new(), seconds: 0.0, ends };
    (0..rates.len()).for_each(|domain| run.join_class(domain));
    while run.step() {}
    run.ends
}

#[expect(clippy::cast_precision_loss, reason = "a forecast needs no more than sixteen digits")]
impl Run<'_> {
    /// Puts a domain among those with as many open lanes.
    fn join_class(&mut self, number: usize) {
        let domain = &mut self.domains[number];
        let open = domain.lanes.len() - domain.done;
        let Some(&next) = domain.lanes.get(domain.done) else { return };
        let class = self.classes.entry((open, domain.rates)).or_default();
        class.lanes += open;
        domain.held_before = class.held;
        let left = self.lanes[next].letters as f64 - domain.sent;
        class.ends.push(Reverse((Ordered(class.sent + left), number)));
    }

    /// How fast a lane goes where its domain has so many open ones, if nothing were shared; and what holds it back.
    fn own_rate(&self, (open, rates): Key) -> (f64, Holds) {
        let Rates { mailbox, domain } = self.rates[rates];
        let of_domain = domain / open as f64;
        if of_domain < mailbox { (of_domain, Holds::Domain) } else { (mailbox, Holds::Mailbox) }
    }

    /// What each lane gets of the shared rate, where some want more than that.
    fn share(&self, shared: f64) -> f64 {
        if shared.is_infinite() {
            return shared;
        }
        let mut wants: Vec<(Ordered, usize)> =
            self.classes.iter().map(|(key, class)| (Ordered(self.own_rate(*key).0), class.lanes)).collect();
        wants.sort_unstable();
        let mut left = shared;
        let mut lanes: usize = wants.iter().map(|(_, lanes)| lanes).sum();
        for (Ordered(own), of_class) in wants {
            if own * lanes as f64 > left {
                return left / lanes as f64;
            }
            left -= own * of_class as f64;
            lanes -= of_class;
        }
        f64::INFINITY
    }

    fn phase(&self) -> Phase {
        let endless = Phase { until: f64::INFINITY, rate: f64::INFINITY, holds: Holds::Shared };
        self.phases.iter().find(|phase| phase.until > self.seconds).copied().unwrap_or(endless)
    }

    /// Goes on to the next end of a lane, or of a phase; false when every lane has ended.
    fn step(&mut self) -> bool {
        let phase = self.phase();
        let share = self.share(phase.rate);
        let speed = |key: Key| {
            let (own, holds) = self.own_rate(key);
            if share < own { (share, phase.holds) } else { (own, holds) }
        };
        let speeds: BTreeMap<Key, (f64, Holds)> = self.classes.keys().map(|&key| (key, speed(key))).collect();
        let wait = |(key, class): (&Key, &Class)| {
            let Reverse((Ordered(end), _)) = class.ends.peek()?;
            let rate = speeds[key].0;
            Some((Ordered(if rate.is_finite() { ((end - class.sent) / rate).max(0.0) } else { 0.0 }), *key))
        };
        let Some((Ordered(wait), next)) = self.classes.iter().filter_map(wait).min() else { return false };
        let is_over = self.seconds + wait > phase.until;
        let wait = if is_over { phase.until - self.seconds } else { wait };
        for (key, class) in &mut self.classes {
            let (rate, holds) = speeds[key];
            class.held[holds as usize] += wait;
            class.sent += if wait > 0.0 { rate * wait } else { 0.0 };
        }
        if is_over {
            self.seconds = phase.until;
        } else {
            self.seconds += wait;
            self.end_one(next, speeds[&next].1);
        }
        true
    }

    /// Ends the lanes of one domain that are due, and puts it among those with fewer.
    fn end_one(&mut self, key: Key, last: Holds) {
        let Some(class) = self.classes.get_mut(&key) else { return };
        let Some(Reverse((_, number))) = class.ends.pop() else { return };
        class.lanes -= key.0;
        let domain = &mut self.domains[number];
        for (sum, (now, before)) in domain.held.iter_mut().zip(class.held.iter().zip(domain.held_before)) {
            *sum += now - before;
        }
        if class.ends.is_empty() {
            self.classes.remove(&key);
        }
        let longest = longest(domain.held, last);
        let letters = domain.lanes.get(domain.done).map_or(0, |&lane| self.lanes[lane].letters);
        domain.sent = letters as f64;
        while let Some(&lane) = domain.lanes.get(domain.done).filter(|&&lane| self.lanes[lane].letters == letters) {
            self.ends[lane] = Some(End { seconds: self.seconds, longest, last });
            domain.done += 1;
        }
        self.join_class(number);
    }
}

fn longest(held: Held, last: Holds) -> Holds {
    let most = HOLDS.into_iter().max_by(|a, b| held[*a as usize].total_cmp(&held[*b as usize]));
    most.filter(|holds| held[*holds as usize] > 0.0).unwrap_or(last)
}
