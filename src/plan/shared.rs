//! What all messages share: the pace of everything, the relays with their quotas, and the warm-up of the first days.
//!
//! Quotas count by the day and the model by the second in which letters may go: a day is worth its open hours. A quota
//! that all messages fit into holds nothing back.

use std::num::NonZeroU32;
use std::time::Duration;

use jiff::Timestamp;

use crate::policy::{Binding, Limit, Rate, RateUnit, RelayLimits, Window, jittered, steady_interval};

use super::forecast::{Speed, Used};
use super::sharing::{Holds, Phase};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// See the module.
pub(super) struct Shared {
    pub(super) per_second: f64,
    /// Which limit that is.
    pub(super) binding: Binding,
    /// That limit as it is written; of several relays, together.
    pub(super) limit: Option<Rate>,
}

impl Shared {
    pub(super) fn of(speed: &Speed<'_>, messages: u64, now: Timestamp) -> Self {
        let day = open_seconds_of_a_day(speed.window, now);
        let rates: Vec<Limit> = speed.relays.iter().map(|relay| relay.rate).collect();
        let of_day = messages.saturating_add(speed.used.today);
        let quota = |relay: &RelayLimits| match relay.quota.rate() {
            Some(quota) if u64::from(quota.count()) < of_day => f64::from(quota.count()) / day,
            _ => f64::INFINITY,
        };
        let with_quotas = sum(speed.relays.iter().map(|relay| per_second(relay.rate).min(quota(relay))));
        let by_rates = sum(rates.iter().map(|rate| per_second(*rate)));
        let global = per_second(speed.pace.global);
        if global <= with_quotas {
            Self { per_second: global, binding: Binding::Global, limit: speed.pace.global.rate() }
        } else if with_quotas < by_rates {
            let quotas: Vec<Limit> = speed.relays.iter().map(|relay| relay.quota).collect();
            Self { per_second: with_quotas, binding: Binding::Quota, limit: together(&quotas) }
        } else {
            Self { per_second: by_rates, binding: Binding::Relay, limit: together(&rates) }
        }
    }

    /// The phases of what is shared, of which letters get that part.
    pub(super) fn phases(&self, speed: &Speed<'_>, now: Timestamp, part: f64) -> Vec<Phase> {
        let (mut phases, mut until) = (Vec::new(), 0.0);
        for (open, messages) in warm_up(speed, now) {
            let rate = messages / open;
            until += open;
            let (rate, holds) =
                if rate < self.per_second { (rate, Holds::WarmUp) } else { (self.per_second, Holds::Shared) };
            phases.push(Phase { until, rate: part_of(rate, part), holds });
        }
        phases.push(Phase { until: f64::INFINITY, rate: part_of(self.per_second, part), holds: Holds::Shared });
        phases
    }

    /// Messages that were handed over lately and that this limit counts.
    pub(super) fn used(&self, used: &Used) -> u64 {
        if self.binding == Binding::Quota { used.today } else { 0 }
    }
}

fn part_of(rate: f64, part: f64) -> f64 {
    if rate.is_finite() { rate * part } else { rate }
}

/// The days of the warm-up that are left: how many seconds of each are open, and how many messages it lets go.
fn warm_up(speed: &Speed<'_>, now: Timestamp) -> Vec<(f64, f64)> {
    let first = speed.used.first.unwrap_or_else(|| speed.window.opens(now));
    let days = u32::try_from(speed.pace.warm_up.days()).unwrap_or(u32::MAX);
    let mut left = Vec::new();
    for day in 0..days {
        let begins = first.checked_add(DAY * day).unwrap_or(Timestamp::MAX).max(now);
        let ends = first.checked_add(DAY * (day + 1)).unwrap_or(Timestamp::MAX);
        if ends <= begins {
            continue;
        }
        let open = speed.window.open_between(begins, ends).as_secs_f64();
        let of_day = f64::from(speed.pace.warm_up.on_day(u64::from(day)).unwrap_or(u32::MAX));
        let used = if begins == now { as_number(speed.used.today) } else { 0.0 };
        if open > 0.0 {
            left.push((open, (of_day - used).max(1e-9)));
        }
    }
    left
}

/// How long it is open on a day on which it is.
fn open_seconds_of_a_day(window: &Window, now: Timestamp) -> f64 {
    if window.is_always() {
        return DAY.as_secs_f64();
    }
    let days = (0..7).map(|day| now.checked_add(DAY * day).unwrap_or(Timestamp::MAX));
    let open: Vec<f64> = days
        .map(|day| window.open_between(day, day.checked_add(DAY).unwrap_or(Timestamp::MAX)).as_secs_f64())
        .filter(|open| *open > 0.0)
        .collect();
    let count = as_number(open.len() as u64);
    if open.is_empty() { DAY.as_secs_f64() } else { open.iter().sum::<f64>() / count }
}

/// Of relays; none at all have no limit.
fn sum(rates: impl ExactSizeIterator<Item = f64>) -> f64 {
    if rates.len() == 0 { f64::INFINITY } else { rates.sum() }
}

/// The rates of several relays as one, in the unit of the first.
pub(super) fn together(limits: &[Limit]) -> Option<Rate> {
    let unit = limits.first()?.rate()?.unit();
    let per_unit = |limit: &Limit| {
        let rate = limit.rate()?;
        Some(f64::from(rate.count()) * seconds(unit) / seconds(rate.unit()))
    };
    let sum = limits.iter().map(per_unit).sum::<Option<f64>>()?.max(1.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast of floats stops at the ends")]
    let count = NonZeroU32::new(sum as u32)?;
    Rate::new(count, unit)
}

fn seconds(unit: RateUnit) -> f64 {
    unit.duration().as_secs_f64()
}

pub(super) fn per_second(limit: Limit) -> f64 {
    steady_interval(limit).map_or(f64::INFINITY, |interval| interval.as_secs_f64().recip())
}

/// The same for a mailbox, whose intervals are lengthened a little.
pub(super) fn mailbox_per_second(limit: Limit) -> f64 {
    steady_interval(limit).map_or(f64::INFINITY, |interval| jittered(interval, 0.5).as_secs_f64().recip())
}

#[expect(clippy::cast_precision_loss, reason = "a forecast needs no more than sixteen digits")]
pub(super) fn as_number(n: u64) -> f64 {
    n as f64
}
