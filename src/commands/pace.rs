//! `pace`: every limit in force and where it comes from; `pace set` and `pace unset` change them while letters go.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::cli::{Pace, PaceChange, PaceSet, PaceUnset, Place};
use crate::config::{Config, InForce};
use crate::ledger::sqlite::{Access, SqliteLedger};
use crate::ledger::{Ledger, LiveSetting, Wish};
use crate::report::{Align, SHORT_MOMENT, Table, counted, paragraph};

use super::console::say;
use super::live::Live;
use super::workspace::Workspace;
use super::{Exit, Failure};

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) fn run(place: &Place, args: &Pace) -> Result<Exit, Failure> {
    let config = Workspace::open(place)?.config;
    match &args.change {
        None => show(&config),
        Some(PaceChange::Set(args)) => set(&config, args),
        Some(PaceChange::Unset(args)) => unset(&config, args),
    }
}

fn show(config: &Config) -> Result<Exit, Failure> {
    let live = Live::of(config);
    let mut table = Table::new(&[("limit", Align::Left, 32), ("in force", Align::Left, 20), ("from", Align::Left, 24)]);
    for limit in live.over(config)?.pace_in_force() {
        let from = origin(config, &limit, &live.holding);
        table.row([limit.key, limit.value.trim_matches('"').to_owned(), from]);
    }
    say(table.text());
    for setting in &live.stale {
        say(paragraph(&format!(
            "{} was set to {} by staff, and has been changed in config.toml since: that holds.",
            setting.key, setting.value
        )));
    }
    if config.ledger.exists() {
        used(config, &SqliteLedger::open(&config.ledger, Access::Read)?)?;
    }
    Ok(Exit::Done)
}

fn origin(config: &Config, limit: &InForce, holding: &[LiveSetting]) -> String {
    let of_staff = holding.iter().find(|setting| setting.key == limit.key);
    match of_staff {
        // Shorter than elsewhere, so that the time of day has room.
        Some(setting) => {
            setting.at.to_zoned_datetime(config.timezone.clone()).strftime("staff, %-d %b %Y %H:%M").to_string()
        }
        None => short(&limit.origin),
    }
}

/// The folder is known; the line is what is looked for.
fn short(origin: &str) -> String {
    origin.rsplit('/').next().unwrap_or_default().replace("the built-in ", "")
}

/// What was handed over of late, which is what limits count; and a pause.
fn used(config: &Config, ledger: &SqliteLedger) -> Result<(), Failure> {
    let now = Timestamp::now();
    let mut by_relay: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let ago = |span| now.checked_sub(span).unwrap_or(now);
    ledger.handed_over_by_minute(ago(DAY), &mut |relay, at, hand_overs| {
        let (hour, day) = by_relay.entry(relay.to_owned()).or_default();
        *day += hand_overs;
        if at >= ago(HOUR) {
            *hour += hand_overs;
        }
    })?;
    for (relay, (hour, day)) in by_relay {
        let text = format!("Relay {relay}: {} in the last hour, {} in the last 24.", counted(hour, "message"), day);
        say(paragraph(&text));
    }
    if let Some(pause) = ledger.wishes()?.pause {
        let since = pause.since.to_zoned_datetime(config.timezone.clone());
        say(format!("Paused by staff since {}.", since.strftime(SHORT_MOMENT)));
    }
    Ok(())
}

fn set(config: &Config, args: &PaceSet) -> Result<Exit, Failure> {
    let ledger = SqliteLedger::open(&config.ledger, Access::Staff)?;
    let mut changes = Vec::new();
    for assignment in &args.assignments {
        let Some((key, value)) = assignment.split_once('=') else {
            let text = format!("`{assignment}` is not of the form KEY=VALUE; for example per_mailbox=60/h");
            return Err(Failure::new(Exit::Usage, text));
        };
        changes.push((config.pace_key(key)?, value.trim().to_owned()));
    }
    // Read together with what was set before, so that a change that makes no sense is refused here and now.
    let live = Live::of(config);
    let before = live.holding.iter().map(|setting| (setting.key.as_str(), setting.value.as_str()));
    config.revised(before.chain(changes.iter().map(|(key, value)| (key.as_str(), value.as_str()))))?;
    for (key, value) in changes {
        let was = live.holding.iter().find(|setting| setting.key == key).map(|setting| setting.value.clone());
        let instead_of = config.written_value(&key);
        let was = was.or_else(|| Some(config.limit_in_force(&key)?.value));
        let was = was.map(|was| format!(" (it was {})", was.trim_matches('"'))).unwrap_or_default();
        say(format!("{key} is {value} from now on{was}."));
        ledger.wish(&Wish::Set { key, value, instead_of }, &args.reason, Timestamp::now())?;
    }
    tell_when(config);
    say(paragraph("It holds over config.toml until that says something else for it, or: undersigned pace unset"));
    Ok(Exit::Done)
}

fn unset(config: &Config, args: &PaceUnset) -> Result<Exit, Failure> {
    let ledger = SqliteLedger::open(&config.ledger, Access::Staff)?;
    // A relay that is gone from the file may still have something set.
    let key = |key: &String| config.pace_key(key).unwrap_or_else(|_| key.clone());
    let keys: Vec<String> = if args.all {
        ledger.wishes()?.settings.into_iter().map(|setting| setting.key).collect()
    } else {
        args.keys.iter().map(key).collect()
    };
    for key in keys {
        let was_set = ledger.wish(&Wish::Unset { key: key.clone() }, &args.reason, Timestamp::now())?;
        say(match (was_set, config.limit_in_force(&key)) {
            (false, _) => format!("{key} was not set by staff."),
            (true, None) => format!("{key} is no longer set."),
            (true, Some(InForce { value, origin, .. })) => {
                format!("{key} is {} again ({}).", value.trim_matches('"'), short(&origin))
            }
        });
    }
    tell_when(config);
    Ok(Exit::Done)
}

fn tell_when(config: &Config) {
    say(if SqliteLedger::dispatcher_is_running(&config.ledger) {
        "The `send` that runs keeps to it within a second."
    } else {
        "Nothing is sending now; the next `send` keeps to it."
    });
}
