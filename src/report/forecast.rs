//! The forecast in sentences: how many letters, what holds them back, when the last one goes, what would do.

use std::fmt::Write as _;

use crate::plan::{Forecast, Raise};
use crate::policy::{Binding, Rate, RateUnit};

use super::layout::{block, paragraph};
use super::matching::{Findings, MOMENT, SHORT_MOMENT, too_late};
use super::problems;
use super::table::{count, counted};

/// How many mailboxes `forecast` tells of.
const SHOWN: usize = 20;

/// `forecast`: the mailboxes that are late or slowest, the latest first.
pub fn text(found: &Findings<'_>) -> String {
    let Some(latest) = found.forecasts.first() else {
        return format!("No letter is left to go.\n{}", staying(found));
    };
    let letters: u64 = found.forecasts.iter().map(|f| f.letters).sum();
    let mut out = String::new();
    let deadline = found.deadline.map_or_else(String::new, |at| format!("; the deadline is {}", at.strftime(MOMENT)));
    let mailboxes = mailboxes(found.forecasts.len() as u64);
    block(
        &mut out,
        0,
        &format!(
            "{} to {mailboxes}, if sent from {}: done {}{deadline}.",
            counted(letters, "letter"),
            found.start.map_or_else(|| "now".to_owned(), |at| at.strftime(MOMENT).to_string()),
            done(latest, found)
        ),
    );
    out.push_str(&staying(found));
    out.push('\n');
    out.push_str(&sentences(found, SHOWN));
    problems::more(&mut out, 2, found.forecasts.len() as u64, SHOWN);
    out.push_str(&too_late(found));
    out
}

/// One sentence for each of the first mailboxes.
pub(super) fn sentences(found: &Findings<'_>, shown: usize) -> String {
    let mut out = String::new();
    for forecast in found.forecasts.iter().take(shown) {
        paragraph(&mut out, 2, &sentence(forecast, found));
    }
    out
}

/// `Mayor Ruiz, Evanston: 4,100 letters, 30 an hour from 8 to 18 on weekdays: done on …; the deadline is …; 75 an hour
/// would do.`
fn sentence(forecast: &Forecast, found: &Findings<'_>) -> String {
    let mut text = format!("{}: {}, ", who(forecast), counted(forecast.letters, "letter"));
    let hours = found.window.in_words();
    let _ = write!(text, "{}{}{hours}: ", holds(forecast), if hours.is_empty() { "" } else { " " });
    let _ = write!(text, "done {}", done(forecast, found));
    if let (Some(deadline), true) = (found.deadline, forecast.past_deadline) {
        let _ = write!(text, "; the deadline is {}", deadline.strftime(SHORT_MOMENT));
        match (forecast.would_do, forecast.binding) {
            (Some(rate), _) => {
                let _ = write!(text, "; {} would do", per(rate));
            }
            (None, Some(Binding::WarmUp)) => text.push_str("; only a later deadline or fewer letters would do"),
            (None, _) => {}
        }
    }
    text.push('.');
    text
}

fn who(forecast: &Forecast) -> String {
    let others = match forecast.officials {
        0 | 1 => String::new(),
        n => format!(" and {} more at one mailbox", count(n - 1)),
    };
    let comma = if forecast.jurisdiction.is_empty() { "" } else { ", " };
    format!("{}{others}{comma}{}", forecast.official, forecast.jurisdiction)
}

/// The limit that binds, as a speed.
fn holds(forecast: &Forecast) -> String {
    let speed = forecast.limit.map_or_else(String::new, per);
    match (forecast.binding, &forecast.own) {
        (None, _) => "as fast as it goes".to_owned(),
        (Some(Binding::WarmUp), _) => "held back by the warm-up".to_owned(),
        (Some(Binding::Mailbox), None) => speed,
        (Some(Binding::Mailbox), Some(_)) => format!("{speed} by its own pace"),
        (Some(Binding::Domain), None) => format!("{speed} for its whole domain"),
        (Some(Binding::Domain), Some(own)) => format!("{speed} for all of {own}"),
        (Some(Binding::Global), _) => format!("{speed} for everything together"),
        (Some(Binding::Relay), _) => format!("{speed} through the relays"),
        (Some(Binding::Quota), _) => format!("{speed} by the relays' quota"),
    }
}

/// `30 an hour`.
fn per(rate: Rate) -> String {
    let unit = match rate.unit() {
        RateUnit::Second => "a second",
        RateUnit::Minute => "a minute",
        RateUnit::Hour => "an hour",
        RateUnit::Day => "a day",
    };
    format!("{} {unit}", count(u64::from(rate.count())))
}

fn done(forecast: &Forecast, found: &Findings<'_>) -> String {
    if forecast.takes.is_zero() && found.window.is_always() && found.start.is_none() {
        return "at once".to_owned();
    }
    format!("on {}", forecast.last.to_zoned_datetime(found.zone.clone()).strftime(SHORT_MOMENT))
}

/// What will not go: beyond the total of an official, or to a suppressed mailbox.
pub(super) fn staying(found: &Findings<'_>) -> String {
    let mut out = String::new();
    if found.beyond_total > 0 {
        let letters = counted(found.beyond_total, "letter");
        block(&mut out, 0, &format!("{letters} beyond pace.per_official_total will be held and not go."));
    }
    if found.suppressed > 0 {
        let letters = counted(found.suppressed, "letter");
        let text = format!("{letters} to suppressed mailboxes will not go (undersigned suppress list).");
        block(&mut out, 0, &text);
    }
    out
}

fn mailboxes(n: u64) -> String {
    if n == 1 { "1 mailbox".to_owned() } else { format!("{} mailboxes", count(n)) }
}

/// A limit that would have to be wider, by its key.
pub(super) fn raise(raise: &Raise) -> String {
    let key = match (raise.limit, &raise.own) {
        (Binding::Global | Binding::WarmUp, _) => "pace.global".to_owned(),
        (Binding::Relay, _) => "the rates of all relays together".to_owned(),
        (Binding::Quota, _) => "the quotas of all relays together".to_owned(),
        (Binding::Domain, None) => "pace.per_domain".to_owned(),
        (Binding::Domain, Some(own)) => format!("pace.domains.\"{own}\""),
        (Binding::Mailbox, None) => "pace.per_mailbox".to_owned(),
        (Binding::Mailbox, Some(own)) => format!("pace.mailboxes.\"{own}\""),
    };
    format!("{key} to {}", raise.to)
}
