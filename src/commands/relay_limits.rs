//! Tells which limits hold because the relay's provider publishes them and staff set none of their own.

use crate::config::RelayConfig;
use crate::policy::{Limit, Rate, RateUnit};
use crate::report::{count, counted, paragraph};

use super::console::note;

/// One line for each relay of which there is something to tell.
pub(super) fn tell(relays: &[RelayConfig]) {
    for relay in relays {
        if let Some(words) = in_words(relay) {
            note(paragraph(&words));
        }
    }
}

/// ``relay `main` is Microsoft 365: at most 3 connections, 30 messages a minute; change with …``
fn in_words(relay: &RelayConfig) -> Option<String> {
    let limits = relay.from_profile;
    let connections = limits.connections.map(|n| ("connections", counted(u64::from(n), "connection")));
    let session = limits.messages_per_connection;
    let session = session.map(|n| ("messages_per_connection", format!("{} in each", counted(u64::from(n), "message"))));
    let rate = limits.rate.and_then(Limit::rate).map(|rate| ("rate", per_unit(rate)));
    let quota = limits.quota.and_then(Limit::rate).map(|quota| ("quota", per_unit(quota)));
    let kept: Vec<(&str, String)> = [connections, session, rate, quota].into_iter().flatten().collect();
    if kept.is_empty() {
        return None;
    }
    let at_most: Vec<&str> = kept.iter().map(|(_, words)| words.as_str()).collect();
    let keys: Vec<String> = kept.iter().map(|(key, _)| format!("`{key}`")).collect();
    let (name, at_most, keys) = (relay.name(), at_most.join(", "), keys.join(", "));
    Some(format!("relay `{name}` is {}: at most {at_most}; change with {keys}.", relay.profile))
}

fn per_unit(rate: Rate) -> String {
    let unit = match rate.unit() {
        RateUnit::Second => "second",
        RateUnit::Minute => "minute",
        RateUnit::Hour => "hour",
        RateUnit::Day => "day",
    };
    let messages = if rate.count() == 1 { "message" } else { "messages" };
    format!("{} {messages} a {unit}", count(u64::from(rate.count())))
}
