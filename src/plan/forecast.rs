//! When the last letter of each mailbox would go, under all limits together, and what pace would make the deadline.
//!
//! Pure: the moment of the start is passed in. Times are counted as time of sending and only at the end put on the
//! calendar, where the hours of rest are skipped.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::time::Duration;

use jiff::Timestamp;

use crate::contacts::ListedOfficial;
use crate::model::EmailAddress;
use crate::policy::{Binding, Limit, PaceSettings, Rate, Window, steady_interval, time_for};

use super::OfficialTally;
use super::sharing::{self, End, Holds, Lane, Rates};

/// What there is to send.
#[derive(Debug, Clone, Copy)]
pub struct Workload<'a> {
    /// Who gets letters.
    pub officials: &'a [ListedOfficial],
    /// How many each.
    pub tallies: &'a [OfficialTally],
    /// Confirmations, which use up what all messages share.
    pub confirmations: u64,
}

/// How fast it may go.
#[derive(Debug, Clone, Copy)]
pub struct Speed<'a> {
    /// The limits of the campaign.
    pub pace: &'a PaceSettings,
    /// The limit of each relay.
    pub relays: &'a [Limit],
    /// The hours of letters.
    pub window: &'a Window,
}

/// What one mailbox has before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forecast {
    /// Title and name of the first official of this mailbox.
    pub official: String,
    /// How many officials share it.
    pub officials: u64,
    /// Letters to this mailbox.
    pub letters: u64,
    /// How long they take, from the start to the last, hours of rest not counted.
    pub takes: Duration,
    /// When the last of them would go.
    pub last: Timestamp,
    /// The limit that holds them back for longest; none where there is no limit.
    pub binding: Option<Binding>,
    /// Whether the last of them would go after the deadline.
    pub past_deadline: bool,
}

/// A limit that would have to be higher for all letters to go in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raise {
    /// Which; of the relays it is what all of them together may do.
    pub limit: Binding,
    /// The rate that would do.
    pub to: Rate,
}

struct Mailbox {
    official: usize,
    officials: u64,
    lane: Lane,
}

/// The forecast of every mailbox that gets letters, the latest first.
pub fn forecast(work: &Workload<'_>, speed: &Speed<'_>, now: Timestamp, deadline: Option<Timestamp>) -> Vec<Forecast> {
    let mailboxes = mailboxes(work);
    let lanes: Vec<Lane> = mailboxes.iter().map(|m| m.lane).collect();
    let shared = Shared::of(speed);
    let ends = sharing::ends(&lanes, rates(work, speed, &shared, &lanes));
    let mut forecasts: Vec<Forecast> = mailboxes
        .iter()
        .zip(ends)
        .filter_map(|(mailbox, end)| {
            let takes = takes(mailbox.lane.letters, end?, speed, &shared);
            let last = speed.window.after(now, takes);
            Some(Forecast {
                official: work.officials.get(mailbox.official)?.official.salutation(),
                officials: mailbox.officials,
                letters: mailbox.lane.letters,
                takes,
                last,
                binding: binding(end?, speed, &shared),
                past_deadline: deadline.is_some_and(|d| last > d),
            })
        })
        .collect();
    forecasts.sort_by(|a, b| b.takes.cmp(&a.takes).then(b.letters.cmp(&a.letters)).then(a.official.cmp(&b.official)));
    forecasts
}

/// Which limits would have to be raised, and how far, for every letter to go before the deadline. Empty where none
/// has to, and where no rate would do.
pub fn raises(work: &Workload<'_>, speed: &Speed<'_>, now: Timestamp, deadline: Timestamp) -> Vec<Raise> {
    const ROUNDS_MAX: usize = 20;
    let mut raises: Vec<Raise> = Vec::new();
    let (mut pace, mut relays) = (speed.pace.clone(), speed.relays.to_vec());
    let available = speed.window.open_between(now, deadline);
    for _ in 0..ROUNDS_MAX {
        let late = forecast(work, &Speed { pace: &pace, relays: &relays, ..*speed }, now, Some(deadline));
        let Some(latest) = late.first().filter(|f| f.past_deadline) else { return raises };
        let shared = Shared::of(&Speed { pace: &pace, relays: &relays, ..*speed });
        let old = match latest.binding {
            None => return Vec::new(),
            Some(Binding::Mailbox) => pace.per_mailbox.rate(),
            Some(Binding::Domain) => pace.per_domain.rate(),
            Some(Binding::Global | Binding::WarmUp) => pace.global.rate(),
            Some(Binding::Relay | Binding::Quota) => shared.relays_together,
        };
        let (Some(limit), Some(to)) = (latest.binding, old.and_then(|old| raised(old, latest.takes, available))) else {
            return Vec::new();
        };
        match limit {
            Binding::Mailbox => pace.per_mailbox = Limit::Rate(to),
            Binding::Domain => pace.per_domain = Limit::Rate(to),
            Binding::Global | Binding::WarmUp => pace.global = Limit::Rate(to),
            Binding::Relay | Binding::Quota => relays = vec![Limit::Rate(to)],
        }
        raises.retain(|raise| raise.limit != limit);
        raises.push(Raise { limit, to });
    }
    Vec::new()
}

/// The least rate of the same unit that is so much faster, and faster at all.
fn raised(old: Rate, takes: Duration, available: Duration) -> Option<Rate> {
    let factor = takes.as_secs_f64() / available.as_secs_f64();
    let count = (f64::from(old.count()) * factor).ceil().max(f64::from(old.count()) + 1.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was compared with the limit")]
    let count = (count < f64::from(u32::MAX)).then_some(count as u32)?;
    Rate::new(NonZeroU32::new(count)?, old.unit())
}

/// Officials who share a mailbox share its lane.
fn mailboxes(work: &Workload<'_>) -> Vec<Mailbox> {
    let (mut numbers, mut domains) = (HashMap::new(), HashMap::new());
    let mut found: Vec<Mailbox> = Vec::new();
    for tally in work.tallies {
        let official = work.officials.get(tally.official);
        let Some(address) = official.and_then(|o| o.official.mailbox.as_ref()) else { continue };
        let next = domains.len();
        let domain = *domains.entry(address.domain()).or_insert(next);
        let lane = Lane { letters: 0, domain };
        let number = *numbers.entry(EmailAddress::key(address)).or_insert_with(|| {
            found.push(Mailbox { official: tally.official, officials: 0, lane });
            found.len() - 1
        });
        found[number].lane.letters += tally.letters;
        found[number].officials += u64::from(tally.letters > 0);
    }
    found
}

/// What all messages share: the limit of the campaign, and of the relays together.
struct Shared {
    per_second: f64,
    binding: Binding,
    relays_together: Option<Rate>,
}

impl Shared {
    fn of(speed: &Speed<'_>) -> Self {
        let relays = speed.relays.iter().map(|relay| per_second(*relay)).sum::<f64>();
        let relays = if speed.relays.is_empty() { f64::INFINITY } else { relays };
        let global = per_second(speed.pace.global);
        let (per_second, binding) = if relays < global { (relays, Binding::Relay) } else { (global, Binding::Global) };
        Self { per_second, binding, relays_together: together(speed.relays) }
    }
}

/// The rates of several relays as one, in the unit of the first.
fn together(relays: &[Limit]) -> Option<Rate> {
    let unit = relays.first()?.rate()?.unit();
    let per_unit = |relay: &Limit| {
        let rate = relay.rate()?;
        Some(f64::from(rate.count()) * unit.duration().as_secs_f64() / rate.unit().duration().as_secs_f64())
    };
    let sum = relays.iter().map(per_unit).sum::<Option<f64>>()?.max(1.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast of floats stops at the ends")]
    let count = NonZeroU32::new(sum as u32)?;
    Rate::new(count, unit)
}

fn per_second(limit: Limit) -> f64 {
    steady_interval(limit).map_or(f64::INFINITY, |interval| interval.as_secs_f64().recip())
}

/// The rates of the letters: of what is shared, confirmations take their part.
#[expect(clippy::cast_precision_loss, reason = "a forecast needs no more than sixteen digits")]
fn rates(work: &Workload<'_>, speed: &Speed<'_>, shared: &Shared, lanes: &[Lane]) -> Rates {
    let letters: u64 = lanes.iter().map(|lane| lane.letters).sum();
    let part = letters as f64 / (letters + work.confirmations).max(1) as f64;
    Rates {
        mailbox: per_second(speed.pace.per_mailbox),
        domain: per_second(speed.pace.per_domain),
        shared: if shared.per_second.is_finite() { shared.per_second * part } else { f64::INFINITY },
    }
}

/// Letters go one by one: the last one goes when its turn comes, not when its turn would be over.
fn takes(letters: u64, end: End, speed: &Speed<'_>, shared: &Shared) -> Duration {
    let turn = match end.last {
        Holds::Mailbox => per_second(speed.pace.per_mailbox).recip(),
        Holds::Domain => per_second(speed.pace.per_domain).recip(),
        Holds::Shared => shared.per_second.recip(),
    };
    let flowing = Duration::try_from_secs_f64((end.seconds - turn).max(0.0)).unwrap_or(Duration::MAX);
    flowing.max(time_for(speed.pace.per_mailbox, letters))
}

fn binding(end: End, speed: &Speed<'_>, shared: &Shared) -> Option<Binding> {
    let (limit, binding) = match end.longest {
        Holds::Mailbox => (per_second(speed.pace.per_mailbox), Binding::Mailbox),
        Holds::Domain => (per_second(speed.pace.per_domain), Binding::Domain),
        Holds::Shared => (shared.per_second, shared.binding),
    };
    limit.is_finite().then_some(binding)
}
