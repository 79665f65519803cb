//! When the last letter of each mailbox would go, under all limits together.
//!
//! Pure: the moment of the start is passed in. Times are counted as time of sending and only at the end put on the
//! calendar, where the hours of rest are skipped.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::contacts::ListedOfficial;
use crate::model::EmailAddress;
use crate::policy::{Binding, Limit, PaceSettings, Rate, RelayLimits, Window, jittered, time_for};

use super::OfficialTally;
use super::raises::raise;
use super::shared::{Shared, as_number, mailbox_per_second, per_second};
use super::sharing::{self, End, Holds, Lane, Rates};

/// What there is to send.
#[derive(Debug, Clone, Copy)]
pub struct Workload<'a> {
    /// Who gets letters.
    pub officials: &'a [ListedOfficial],
    /// How many each still gets.
    pub tallies: &'a [OfficialTally],
    /// Confirmations, which use up what all messages share.
    pub confirmations: u64,
}

/// What earlier runs have used.
#[derive(Debug, Clone, Copy, Default)]
pub struct Used {
    /// Hand-overs of the last 24 hours.
    pub today: u64,
    /// When the first of all was.
    pub first: Option<Timestamp>,
}

/// How fast it may go.
#[derive(Debug, Clone, Copy)]
pub struct Speed<'a> {
    /// The limits of the campaign.
    pub pace: &'a PaceSettings,
    /// The limits of each relay.
    pub relays: &'a [RelayLimits],
    /// The hours of letters.
    pub window: &'a Window,
    /// What of them is used already.
    pub used: Used,
}

/// What one mailbox has before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forecast {
    /// Title and name of the first official of this mailbox.
    pub official: String,
    /// Their jurisdiction.
    pub jurisdiction: String,
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
    /// That limit; of the relays, what all of them together may do.
    pub limit: Option<Rate>,
    /// Whose limit of their own it is, where it is not the one that all have: the mailbox, its domain or group.
    pub own: Option<String>,
    /// Whether the last of them would go after the deadline.
    pub past_deadline: bool,
    /// The rate that the limit would need for these letters to make the deadline, where they do not.
    pub would_do: Option<Rate>,
}

struct Mailbox {
    official: usize,
    officials: u64,
    lane: Lane,
    /// What its domain counts as.
    domain: String,
    key: String,
}

/// The forecast of every mailbox that gets letters, the latest first.
pub fn forecast(work: &Workload<'_>, speed: &Speed<'_>, now: Timestamp, deadline: Option<Timestamp>) -> Vec<Forecast> {
    let (mailboxes, rates) = mailboxes(work, speed.pace);
    let lanes: Vec<Lane> = mailboxes.iter().map(|m| m.lane).collect();
    let letters: u64 = lanes.iter().map(|lane| lane.letters).sum();
    let shared = Shared::of(speed, letters.saturating_add(work.confirmations), now);
    let phases = shared.phases(speed, now, part_of_letters(work, &lanes, shared.used(&speed.used)));
    let ends = sharing::ends(&lanes, &rates, &phases);
    let one = |(mailbox, end): (&Mailbox, Option<End>)| {
        let end = end?;
        let listed = &work.officials.get(mailbox.official)?.official;
        let takes = takes(mailbox, end, rates[mailbox.lane.domain], speed, &shared);
        let last = speed.window.after(now, takes);
        let (binding, limit, own) = binding(mailbox, end.longest, speed, &shared);
        let mut forecast = Forecast {
            official: listed.salutation(),
            jurisdiction: listed.jurisdiction.clone(),
            officials: mailbox.officials,
            letters: mailbox.lane.letters,
            takes,
            last,
            binding,
            limit,
            own,
            past_deadline: deadline.is_some_and(|d| last > d),
            would_do: None,
        };
        if let Some(deadline) = deadline.filter(|_| forecast.past_deadline) {
            forecast.would_do = raise(&forecast, speed.window.open_between(now, deadline)).map(|raise| raise.to);
        }
        Some(forecast)
    };
    let mut forecasts: Vec<Forecast> = mailboxes.iter().zip(ends).filter_map(one).collect();
    forecasts.sort_by(|a, b| b.takes.cmp(&a.takes).then(b.letters.cmp(&a.letters)).then(a.official.cmp(&b.official)));
    forecasts
}

/// Officials who share a mailbox share its lane, domains of one group their limit. A mailbox with a limit of its own
/// stands apart from its domain, so that all lanes of one go at the same speed.
fn mailboxes(work: &Workload<'_>, pace: &PaceSettings) -> (Vec<Mailbox>, Vec<Rates>) {
    let (mut numbers, mut domains) = (HashMap::new(), HashMap::new());
    let (mut found, mut rates): (Vec<Mailbox>, Vec<Rates>) = (Vec::new(), Vec::new());
    for tally in work.tallies {
        let official = work.officials.get(tally.official);
        let Some(address) = official.and_then(|o| o.official.mailbox.as_ref()) else { continue };
        let key = EmailAddress::key(address);
        let number = *numbers.entry(key.clone()).or_insert_with(|| {
            let name = pace.groups.of(address.domain()).to_owned();
            let own = pace.mailboxes.contains_key(&key).then(|| key.clone());
            let domain = *domains.entry((name.clone(), own)).or_insert_with(|| {
                let domain = pace.domains.get(&name).copied().unwrap_or(pace.per_domain);
                rates.push(Rates { mailbox: mailbox_per_second(limit_of(&key, pace)), domain: per_second(domain) });
                rates.len() - 1
            });
            let lane = Lane { letters: 0, domain };
            found.push(Mailbox { official: tally.official, officials: 0, lane, domain: name, key: key.clone() });
            found.len() - 1
        });
        found[number].lane.letters += tally.letters;
        found[number].officials += u64::from(tally.letters > 0);
    }
    (found, rates)
}

fn limit_of(mailbox: &str, pace: &PaceSettings) -> Limit {
    pace.mailboxes.get(mailbox).copied().unwrap_or(pace.per_mailbox)
}

/// Of what is shared, confirmations and what was used take their part.
fn part_of_letters(work: &Workload<'_>, lanes: &[Lane], used: u64) -> f64 {
    let letters: u64 = lanes.iter().map(|lane| lane.letters).sum();
    as_number(letters) / as_number((letters + work.confirmations + used).max(1))
}

/// Letters go one by one: the last one goes when its turn comes, not when its turn would be over.
fn takes(mailbox: &Mailbox, end: End, rates: Rates, speed: &Speed<'_>, shared: &Shared) -> Duration {
    let turn = match end.last {
        Holds::Mailbox => rates.mailbox.recip(),
        Holds::Domain => rates.domain.recip(),
        Holds::Shared | Holds::WarmUp => shared.per_second.recip(),
    };
    let flowing = Duration::try_from_secs_f64((end.seconds - turn).max(0.0)).unwrap_or(Duration::MAX);
    let of_mailbox = time_for(limit_of(&mailbox.key, speed.pace), mailbox.lane.letters);
    flowing.max(jittered(of_mailbox, 0.5))
}

/// Which limit holds a mailbox back, how wide it is, and whose own it is.
fn binding(
    mailbox: &Mailbox,
    longest: Holds,
    speed: &Speed<'_>,
    shared: &Shared,
) -> (Option<Binding>, Option<Rate>, Option<String>) {
    let own = |binding, own: Option<&Limit>, all: Limit, name: &str| {
        let limit = own.copied().unwrap_or(all).rate();
        (limit.map(|_| binding), limit, own.map(|_| name.to_owned()))
    };
    let PaceSettings { per_mailbox, per_domain, mailboxes, domains, .. } = speed.pace;
    match longest {
        Holds::Mailbox => own(Binding::Mailbox, mailboxes.get(&mailbox.key), *per_mailbox, &mailbox.key),
        Holds::Domain => own(Binding::Domain, domains.get(&mailbox.domain), *per_domain, &mailbox.domain),
        Holds::WarmUp => (Some(Binding::WarmUp), None, None),
        Holds::Shared => (shared.per_second.is_finite().then_some(shared.binding), shared.limit, None),
    }
}
