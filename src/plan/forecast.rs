//! When each lane would finish at the present pace.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::contacts::ListedOfficial;
use crate::policy::{Limit, PaceSettings};

use super::OfficialTally;

/// What one official's mailbox has before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forecast {
    /// Title and name of the first official of this mailbox.
    pub official: String,
    /// Letters to this mailbox.
    pub letters: u64,
    /// How long they take at the pace of one mailbox.
    pub takes: Duration,
    /// Whether the last of them would go after the deadline.
    pub past_deadline: bool,
}

/// The forecast of every mailbox that gets letters, the longest first.
pub fn forecast(
    officials: &[ListedOfficial],
    tallies: &[OfficialTally],
    pace: &PaceSettings,
    relays: &[Limit],
    now: Timestamp,
    deadline: Option<Timestamp>,
) -> Vec<Forecast> {
    let mut lanes: HashMap<String, (usize, u64)> = HashMap::new();
    for tally in tallies {
        let Some(mailbox) = officials.get(tally.official).and_then(|o| o.official.mailbox.as_ref()) else { continue };
        lanes.entry(mailbox.key()).or_insert((tally.official, 0)).1 += tally.letters;
    }
    let each = interval(pace.per_mailbox).unwrap_or_default();
    let all: u64 = tallies.iter().map(|t| t.letters).sum();
    // No lane can be done before its share of what everything may take together.
    let overall = interval(pace.global).unwrap_or_default().max(relay_interval(relays));
    let mut forecasts: Vec<Forecast> = lanes
        .into_values()
        .filter(|(_, letters)| *letters > 0)
        .map(|(official, letters)| {
            let steps = |n: u64| u32::try_from(n.saturating_sub(1)).unwrap_or(u32::MAX);
            let takes = each.saturating_mul(steps(letters)).max(overall.saturating_mul(steps(all)));
            let last = now.checked_add(takes).unwrap_or(Timestamp::MAX);
            Forecast {
                official: officials[official].official.salutation(),
                letters,
                takes,
                past_deadline: deadline.is_some_and(|d| last > d),
            }
        })
        .collect();
    forecasts.sort_by(|a, b| b.takes.cmp(&a.takes).then(b.letters.cmp(&a.letters)).then(a.official.cmp(&b.official)));
    forecasts
}

/// The time between two messages.
fn interval(limit: Limit) -> Option<Duration> {
    limit.rate().map(|rate| rate.unit().duration() / rate.count())
}

/// The time between two messages over all relays together; none where one of them has no limit.
fn relay_interval(relays: &[Limit]) -> Duration {
    let rates: Option<f64> = relays.iter().map(|relay| interval(*relay).map(|each| 1.0 / each.as_secs_f64())).sum();
    rates.filter(|rate| *rate > 0.0).map_or(Duration::ZERO, |rate| Duration::from_secs_f64(1.0 / rate))
}
