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

/// How many a second at most; infinite without a limit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rates {
    pub(super) mailbox: f64,
    pub(super) domain: f64,
    /// What all lanes share.
    pub(super) shared: f64,
}

/// Which of them holds a lane back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    Mailbox,
    Domain,
    Shared,
}

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

/// Seconds in which each of the three held back.
type Held = [f64; 3];

/// A domain with its lanes, the shortest first.
struct Domain {
    lanes: Vec<usize>,
    done: usize,
    /// Letters that each of its open lanes has sent.
    sent: f64,
    held: Held,
    held_before: Held,
}

/// All domains with the same number of open lanes: these go at one speed.
#[derive(Default)]
struct Class {
    lanes: usize,
    sent: f64,
    held: Held,
    ends: BinaryHeap<Reverse<(Ordered, usize)>>,
}

struct Run<'a> {
    lanes: &'a [Lane],
    rates: Rates,
    domains: Vec<Domain>,
    classes: BTreeMap<usize, Class>,
    seconds: f64,
    ends: Vec<Option<End>>,
}

/// When each lane ends; `None` for one without letters.
pub(super) fn ends(lanes: &[Lane], rates: Rates) -> Vec<Option<End>> {
    let count = lanes.iter().map(|lane| lane.domain + 1).max().unwrap_or(0);
    let domain =
        || Domain { lanes: Vec::new(), done: 0, sent: 0.0, held: Held::default(), held_before: Held::default() };
    let mut domains: Vec<Domain> = std::iter::repeat_with(domain).take(count).collect();
    for (i, lane) in lanes.iter().enumerate().filter(|(_, lane)| lane.letters > 0) {
        domains[lane.domain].lanes.push(i);
    }
    for domain in &mut domains {
        domain.lanes.sort_by_key(|&lane| lanes[lane].letters);
    }
    let mut run = Run { lanes, rates, domains, classes: BTreeMap::new(), seconds: 0.0, ends: vec![None; lanes.len()] };
    (0..count).for_each(|domain| run.join_class(domain));
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
        let class = self.classes.entry(open).or_default();
        class.lanes += open;
        domain.held_before = class.held;
        let left = self.lanes[next].letters as f64 - domain.sent;
        class.ends.push(Reverse((Ordered(class.sent + left), number)));
    }

    /// How fast a lane goes where its domain has so many open ones, if nothing were shared; and what holds it back.
    fn own_rate(&self, open: usize) -> (f64, Holds) {
        let of_domain = self.rates.domain / open as f64;
        if of_domain < self.rates.mailbox { (of_domain, Holds::Domain) } else { (self.rates.mailbox, Holds::Mailbox) }
    }

    /// What each lane gets of the shared rate, where some want more than that.
    fn share(&self) -> f64 {
        let mut left = self.rates.shared;
        let mut lanes: usize = self.classes.values().map(|class| class.lanes).sum();
        // The more lanes a domain has open, the slower each.
        for (&open, class) in self.classes.iter().rev() {
            let (own, _) = self.own_rate(open);
            if own * lanes as f64 > left {
                return left / lanes as f64;
            }
            left -= own * class.lanes as f64;
            lanes -= class.lanes;
        }
        f64::INFINITY
    }

    /// Goes on to the next end of a lane; false when there is none.
    fn step(&mut self) -> bool {
        let share = self.share();
        let speed = |open: usize| {
            let (own, holds) = self.own_rate(open);
            if share < own { (share, Holds::Shared) } else { (own, holds) }
        };
        let speeds: BTreeMap<usize, (f64, Holds)> = self.classes.keys().map(|&open| (open, speed(open))).collect();
        let wait = |(open, class): (&usize, &Class)| {
            let Reverse((Ordered(end), _)) = class.ends.peek()?;
            let rate = speeds[open].0;
            Some((Ordered(if rate.is_finite() { ((end - class.sent) / rate).max(0.0) } else { 0.0 }), *open))
        };
        let Some((Ordered(wait), next)) = self.classes.iter().filter_map(wait).min() else { return false };
        self.seconds += wait;
        for (open, class) in &mut self.classes {
            let (rate, holds) = speeds[open];
            class.held[holds as usize] += wait;
            class.sent += if wait > 0.0 { rate * wait } else { 0.0 };
        }
        self.end_one(next, speeds[&next].1);
        true
    }

    /// Ends the lanes of one domain that are due, and puts it among those with fewer.
    fn end_one(&mut self, open: usize, last: Holds) {
        let Some(class) = self.classes.get_mut(&open) else { return };
        let Some(Reverse((_, number))) = class.ends.pop() else { return };
        class.lanes -= open;
        let domain = &mut self.domains[number];
        for (sum, (now, before)) in domain.held.iter_mut().zip(class.held.iter().zip(domain.held_before)) {
            *sum += now - before;
        }
        if class.ends.is_empty() {
            self.classes.remove(&open);
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
    let all = [Holds::Mailbox, Holds::Domain, Holds::Shared];
    let most = all.into_iter().max_by(|a, b| held[*a as usize].total_cmp(&held[*b as usize]));
    most.filter(|holds| held[*holds as usize] > 0.0).unwrap_or(last)
}
