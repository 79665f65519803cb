//! Which limits would have to be higher, and how far, for letters to go before the deadline.

use std::num::NonZeroU32;
use std::time::Duration;

use jiff::Timestamp;

use crate::policy::{Binding, Limit, Rate, RelayLimits};

use super::forecast::{Forecast, Speed, Workload, forecast};
use super::shared::together;

/// A limit that would have to be higher for all letters to go in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raise {
    /// Which; of the relays it is what all of them together may do.
    pub limit: Binding,
    /// Whose limit of their own it is, where it is not the one that all have: a mailbox, a domain or a group.
    pub own: Option<String>,
    /// The rate that would do.
    pub to: Rate,
}

/// Which limits would have to be raised for every letter to go before the deadline. Empty where none has to, and
/// where no rate would do.
pub fn raises(work: &Workload<'_>, speed: &Speed<'_>, now: Timestamp, deadline: Timestamp) -> Vec<Raise> {
    const ROUNDS_MAX: usize = 20;
    let mut raises: Vec<Raise> = Vec::new();
    let (mut pace, mut relays) = (speed.pace.clone(), speed.relays.to_vec());
    let available = speed.window.open_between(now, deadline);
    for _ in 0..ROUNDS_MAX {
        let late = forecast(work, &Speed { pace: &pace, relays: &relays, ..*speed }, now, Some(deadline));
        let Some(latest) = late.first().filter(|f| f.past_deadline) else { return raises };
        let Some(raise) = raise(latest, available) else { return Vec::new() };
        let to = Limit::Rate(raise.to);
        match (raise.limit, raise.own.clone()) {
            (Binding::Mailbox, None) => pace.per_mailbox = to,
            (Binding::Mailbox, Some(own)) => drop(pace.mailboxes.insert(own, to)),
            (Binding::Domain, None) => pace.per_domain = to,
            (Binding::Domain, Some(own)) => drop(pace.domains.insert(own, to)),
            (Binding::Global | Binding::WarmUp, _) => pace.global = to,
            (Binding::Relay, _) => {
                let quotas: Vec<Limit> = relays.iter().map(|relay| relay.quota).collect();
                relays = vec![RelayLimits { rate: to, quota: of_all(&quotas) }];
            }
            (Binding::Quota, _) => {
                let rates: Vec<Limit> = relays.iter().map(|relay| relay.rate).collect();
                relays = vec![RelayLimits { rate: of_all(&rates), quota: to }];
            }
        }
        raises.retain(|known| (known.limit, &known.own) != (raise.limit, &raise.own));
        raises.push(raise);
    }
    Vec::new()
}

fn of_all(limits: &[Limit]) -> Limit {
    together(limits).map_or(Limit::Unlimited, Limit::Rate)
}

/// The raise of the limit that binds by which this mailbox would be done in the time that there is. The warm-up has
/// none: a sender is not known sooner by being faster.
pub(super) fn raise(latest: &Forecast, available: Duration) -> Option<Raise> {
    let limit = latest.binding.filter(|binding| *binding != Binding::WarmUp)?;
    let to = raised(latest.limit?, latest.takes, available)?;
    Some(Raise { limit, own: latest.own.clone(), to })
}

/// The least rate of the same unit that is so much faster, and faster at all.
fn raised(old: Rate, takes: Duration, available: Duration) -> Option<Rate> {
    let factor = takes.as_secs_f64() / available.as_secs_f64();
    let count = (f64::from(old.count()) * factor).ceil().max(f64::from(old.count()) + 1.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was compared with the limit")]
    let count = (count < f64::from(u32::MAX)).then_some(count as u32)?;
    Rate::new(NonZeroU32::new(count)?, old.unit())
}
