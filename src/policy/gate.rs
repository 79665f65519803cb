//! One rate limit, for one thing or for each of many (GCRA, as `governor` computes it).
//!
//! Asking and taking are two steps, so that several limits can be asked before anything is taken from any. What
//! the limits are about is `pace`'s.

use std::borrow::Borrow;
use std::cell::Cell;
use std::collections::HashMap;
use std::hash::Hash;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{NotKeyed, StateStore};
use governor::{Quota, RateLimiter};

use super::rate::{Limit, Rate};

/// Nanoseconds since the program's start.
pub(super) type Moment = u64;

/// A moment far enough (146 years) that nothing added to it runs over.
const MOMENT_MAX: Moment = 1 << 62;

/// The moment of that duration since the start.
pub(super) fn moment(since_start: Duration) -> Moment {
    Moment::try_from(since_start.as_nanos()).map_or(MOMENT_MAX, |nanos| nanos.min(MOMENT_MAX))
}

/// A limit's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// Now; and what to note when it is taken.
    Go(Slot),
    /// Not before that moment.
    Wait(Moment),
}

impl Answer {
    /// Without a limit: now, and nothing to note.
    pub(super) const FREE: Self = Self::Go(Slot(None));
}

/// What taking leaves behind: the moment at which the limit would be untouched again. `None` without a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot(Option<Moment>);

/// A limit, and how much of it each key has used.
#[derive(Debug)]
pub(super) struct Gate<K> {
    limit: Kept,
    /// Of the keys that have another one.
    own: HashMap<K, Kept>,
    untouched_at: HashMap<K, Moment>,
}

/// A limit as it is kept, and the window in which it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kept(Option<(Quota, Duration)>);

impl Kept {
    fn new(limit: Limit, factor: f64) -> Self {
        Self(limit.rate().map(|rate| (quota(rate, factor), rate.unit().duration())))
    }

    fn quota(self) -> Option<Quota> {
        self.0.map(|(quota, _)| quota)
    }

    /// What was used of another limit, as used of this one, in proportion; nothing where either is none.
    fn carried_over(self, from: Self, untouched_at: Moment, now: Moment) -> Option<Moment> {
        let (from, to) = (from.quota()?, self.quota()?);
        let burst = u128::from(to.burst_size().get());
        let (from, to) = (from.replenish_interval().as_nanos(), to.replenish_interval().as_nanos());
        let left = u128::from(untouched_at.saturating_sub(now));
        let left = (left * to).div_ceil(from.max(1)).min(to * burst);
        Some(now.saturating_add(u64::try_from(left).unwrap_or(MOMENT_MAX)).min(MOMENT_MAX))
    }
}

impl<K> Default for Gate<K> {
    /// Without a limit.
    fn default() -> Self {
        Self { limit: Kept(None), own: HashMap::new(), untouched_at: HashMap::new() }
    }
}

impl<K: Hash + Eq> Gate<K> {
    pub(super) fn new(limit: Limit) -> Self {
        Self { limit: Kept::new(limit, 1.0), ..Self::default() }
    }

    fn kept<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Kept
    where
        K: Borrow<Q>,
    {
        // Most gates have no exceptions: then nothing is looked up.
        if self.own.is_empty() { self.limit } else { self.own.get(key).copied().unwrap_or(self.limit) }
    }

    /// Asks, and changes nothing.
    pub(super) fn ask<Q: Hash + Eq + ?Sized>(&self, key: &Q, now: Moment) -> Answer
    where
        K: Borrow<Q>,
    {
        match self.kept(key).quota() {
            None => Answer::FREE,
            Some(quota) => consult(quota, self.untouched_at.get(key).copied(), now),
        }
    }

    /// Takes what [`Self::ask`] has just allowed.
    pub(super) fn take(&mut self, key: K, slot: Slot) {
        if let Some(untouched_at) = slot.0 {
            self.untouched_at.insert(key, untouched_at);
        }
    }

    /// Takes one that went at a time that has passed, whether the limit would have let it or not.
    ///
    /// What is over the limit is waited out, though never for longer than one window after it: then no window holds
    /// any of it.
    pub(super) fn remember(&mut self, key: K, at: Moment) {
        let Some((quota, unit)) = self.kept(&key).0 else { return };
        let interval = quota.replenish_interval();
        let burst = interval * (quota.burst_size().get() - 1);
        let latest = at.saturating_add(moment(unit + unit / 100 + burst));
        let before = self.untouched_at.get(&key).copied().unwrap_or(0);
        let untouched_at = before.max(at).saturating_add(moment(interval)).min(latest.max(before));
        self.untouched_at.insert(key, untouched_at);
    }

    /// The time between two, once the burst is used.
    pub(super) fn interval(&self) -> Option<Duration> {
        self.limit.quota().map(|quota| quota.replenish_interval())
    }

    /// The same for one key.
    pub(super) fn interval_of<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<Duration>
    where
        K: Borrow<Q>,
    {
        self.kept(key).quota().map(|quota| quota.replenish_interval())
    }

    /// Another limit from now on, or a part of it. What was used stays used, in proportion: nobody gains a burst
    /// by a change.
    pub(super) fn change(&mut self, limit: Limit, factor: f64, now: Moment) {
        let old = std::mem::replace(&mut self.limit, Kept::new(limit, factor));
        let (new, own) = (self.limit, &self.own);
        self.untouched_at.retain(|key, untouched_at| {
            let carried =
                if own.contains_key(key) { Some(*untouched_at) } else { new.carried_over(old, *untouched_at, now) };
            carried.is_some_and(|moment| {
                *untouched_at = moment;
                true
            })
        });
    }

    /// Another limit for one key, or the one that all have. What was used stays used.
    pub(super) fn set_own(&mut self, key: K, limit: Option<Limit>, now: Moment) {
        let (old, new) = (self.kept(&key), limit.map(|limit| Kept::new(limit, 1.0)));
        if self.own.get(&key).copied() == new {
            return;
        }
        if let Some(untouched_at) = self.untouched_at.get_mut(&key) {
            // Without a limit before, nothing was noted that could be carried over.
            *untouched_at = new.unwrap_or(self.limit).carried_over(old, *untouched_at, now).unwrap_or(now);
        }
        match new {
            Some(new) => self.own.insert(key, new),
            None => self.own.remove(&key),
        };
    }

    /// Forgets every key whose limit is untouched again.
    pub(super) fn prune(&mut self, now: Moment) {
        self.untouched_at.retain(|_, untouched_at| *untouched_at > now);
        shrink(&mut self.untouched_at);
    }

    /// How many keys are remembered.
    pub(super) fn len(&self) -> usize {
        self.untouched_at.len()
    }
}

/// Gives memory back once most of it is unused.
pub(super) fn shrink<K: Hash + Eq, V>(map: &mut HashMap<K, V>) {
    if map.capacity() > 1024 && map.len() < map.capacity() / 4 {
        map.shrink_to(map.len() * 2);
    }
}

/// The time between two hand-overs that one limit keeps, once its burst is used; none without a limit.
pub fn steady_interval(limit: Limit) -> Option<Duration> {
    limit.rate().map(|rate| quota(rate, 1.0).replenish_interval())
}

/// How long one limit takes for so many hand-overs, from the first to the last.
pub fn time_for(limit: Limit, hand_overs: u64) -> Duration {
    let Some(quota) = limit.rate().map(|rate| quota(rate, 1.0)) else { return Duration::ZERO };
    let waits = hand_overs.saturating_sub(u64::from(quota.burst_size().get()));
    quota.replenish_interval().saturating_mul(u32::try_from(waits).unwrap_or(u32::MAX))
}

/// At most `n` in *any* window of one unit, both its ends included.
///
/// A bucket of `b` lets `b` through at once and then one every `t`, so in a window of one unit at most
/// `b + unit / t`. With `t = unit / (n - b + 1)` that would be one too many at the very edge; `t` is 1 % longer,
/// which puts the edge out of reach and leaves 1 % of a unit for the time that passes between a decision here
/// and the hand-over on the wire. The burst is a hundredth of a second's worth, 1 to 50.
fn quota(rate: Rate, factor: f64) -> Quota {
    const FACTOR_MIN: f64 = 0.001;
    let (n, unit) = (u64::from(rate.count()), rate.unit().duration());
    let burst = (n / (unit.as_secs().max(1) * 100)).clamp(1, 50);
    let nanos = unit.as_nanos() * 101;
    let interval = nanos.div_ceil(u128::from(n - burst + 1) * 100);
    let interval = Duration::from_nanos(u64::try_from(interval).unwrap_or(MOMENT_MAX));
    let factor = if factor > FACTOR_MIN { factor.min(1.0) } else { FACTOR_MIN }; // also for NaN
    let interval = if factor < 1.0 { super::time::scaled(interval, factor.recip()) } else { interval };
    let burst = u32::try_from(burst).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN);
    let one_second = Quota::per_second(NonZeroU32::MIN); // never taken: no unit is without length
    Quota::with_period(interval).unwrap_or(one_second).allow_burst(burst)
}

/// Lets `governor` decide, on a copy of the state.
fn consult(quota: Quota, untouched_at: Option<Moment>, now: Moment) -> Answer {
    let trial = Trial { before: untouched_at.map(Nanos::new), after: Cell::new(None) };
    // A limiter counts from the moment at which it is made; ours counts from the program's start.
    let clock = Now(Cell::new(Nanos::new(0)));
    let limiter = RateLimiter::<NotKeyed, _, _, NoOpMiddleware<Nanos>>::new(quota, trial, clock);
    limiter.clock().0.set(Nanos::new(now));
    match limiter.check() {
        Ok(()) => Answer::Go(Slot(limiter.into_state_store().after.get().map(Nanos::as_u64))),
        Err(refusal) => Answer::Wait(refusal.earliest_possible().as_u64()),
    }
}

/// The time that was passed in.
struct Now(Cell<Nanos>);

impl Clock for Now {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.0.get()
    }
}

/// A state that is read and whose change is kept apart.
struct Trial {
    before: Option<Nanos>,
    after: Cell<Option<Nanos>>,
}

impl StateStore for Trial {
    type Key = NotKeyed;

    fn measure_and_replace<T, F, E>(&self, _: &NotKeyed, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let (outcome, after) = decide(self.before)?;
        self.after.set(Some(after));
        Ok(outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(limit: &str) -> Gate<u8> {
        Gate::new(limit.parse().unwrap())
    }

    fn seconds(n: u64) -> Moment {
        moment(Duration::from_secs(n))
    }

    #[test]
    fn asking_changes_nothing_and_taking_does() {
        let mut gate = gate("1/s");
        let Answer::Go(slot) = gate.ask(&1, seconds(5)) else { panic!() };
        assert_eq!(gate.ask(&1, seconds(5)), Answer::Go(slot));
        gate.take(1, slot);
        assert_eq!(gate.ask(&1, seconds(5)), Answer::Wait(6_010_000_000));
        assert!(matches!(gate.ask(&2, seconds(5)), Answer::Go(_)), "another key has a limit of its own");
    }

    #[test]
    fn without_a_limit_nothing_waits_and_nothing_is_remembered() {
        let mut gate = gate("unlimited");
        for _ in 0..10 {
            let Answer::Go(slot) = gate.ask(&1, 0) else { panic!() };
            gate.take(1, slot);
        }
        assert_eq!((gate.len(), gate.interval()), (0, None));
    }

    #[test]
    fn bursts_are_a_hundredth_of_a_second_s_worth() {
        for (rate, burst) in [("1/s", 1), ("199/s", 1), ("200/s", 2), ("1000/s", 10), ("1000000/s", 50), ("9999/d", 1)]
        {
            let limit: Limit = rate.parse().unwrap();
            assert_eq!(quota(limit.rate().unwrap(), 1.0).burst_size().get(), burst, "{rate}");
        }
    }

    #[test]
    fn a_change_gives_nobody_a_burst() {
        let mut gate = gate("1000/s");
        while let Answer::Go(slot) = gate.ask(&1, 0) {
            gate.take(1, slot);
        }
        for _ in 0..100 {
            gate.change("1000/s".parse().unwrap(), 0.1, 0);
            assert!(matches!(gate.ask(&1, 0), Answer::Wait(_)));
            gate.change("1000/s".parse().unwrap(), 1.0, 0);
            assert!(matches!(gate.ask(&1, 0), Answer::Wait(_)));
        }
    }

    #[test]
    fn a_faster_limit_is_felt_at_once() {
        let mut gate = gate("1/d");
        let Answer::Go(slot) = gate.ask(&1, 0) else { panic!() };
        gate.take(1, slot);
        gate.change("1/s".parse().unwrap(), 1.0, 0);
        assert_eq!(gate.ask(&1, 0), Answer::Wait(1_010_000_000));
    }

    #[test]
    fn no_time_and_no_factor_panics() {
        let mut gate = gate("4294967295/d");
        for now in [Duration::ZERO, Duration::from_secs(1), Duration::MAX] {
            for factor in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-300] {
                gate.change("1/d".parse().unwrap(), factor, moment(now));
                if let Answer::Go(slot) = gate.ask(&1, moment(now)) {
                    gate.take(1, slot);
                }
                gate.change("1000000/s".parse().unwrap(), factor, moment(now));
            }
        }
    }
}
