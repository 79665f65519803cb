//! The `[pace]` table: every limit on speed, and the hours in which messages may go.
//!
//! Only reads; what keeps to them is `policy`'s.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use crate::model::EmailAddress;
use crate::policy::{Groups, Limit, PaceSettings, RateUnit, WarmUp, Window, Windows, ascii_domain};

use super::reader::Reader;

pub(super) fn read_settings(reader: &mut Reader<'_>) -> Option<PaceSettings> {
    let mut limit = |key| reader.text(key, str::parse::<Limit>);
    let (global, per_mailbox, per_domain) = (limit("pace.global"), limit("pace.per_mailbox"), limit("pace.per_domain"));
    let groups = read_groups(reader);
    let domains = read_own(reader, "pace.domains.", |name| {
        if groups.has(name) {
            return Ok(name.to_owned());
        }
        ascii_domain(name).ok_or_else(|| format!("`{name}` is neither a domain nor a group of [pace.groups]"))
    });
    let mailboxes = read_own(reader, "pace.mailboxes.", |name| {
        EmailAddress::parse(name)
            .map(|address| address.key())
            .map_err(|e| format!("expected an e-mail address, but {e}"))
    });
    let warm_up = read_warm_up(reader);
    Some(PaceSettings {
        global: global?,
        per_mailbox: per_mailbox?,
        per_domain: per_domain?,
        groups,
        domains,
        mailboxes,
        warm_up,
    })
}

/// A group that is refused is left out; the complaint stops the program anyway.
fn read_groups(reader: &mut Reader<'_>) -> Groups {
    let mut groups = Groups::default();
    for (name, domains) in reader.below("pace.groups.") {
        if let Err(error) = groups.add(&name, &domains) {
            reader.complain(&format!("pace.groups.{name}"), &error.to_string());
        }
    }
    groups
}

/// Limits by the names of those who have one of their own.
fn read_own(
    reader: &mut Reader<'_>,
    prefix: &str,
    key: impl Fn(&str) -> Result<String, String>,
) -> BTreeMap<String, Limit> {
    let mut own = BTreeMap::new();
    for (name, _) in reader.below(prefix) {
        let written = format!("{prefix}{name}");
        let limit = reader.text(&written, str::parse::<Limit>);
        match (key(&name), limit) {
            (Ok(key), Some(limit)) => drop(own.insert(key, limit)),
            (Err(why), _) => reader.complain(&written, &why),
            (Ok(_), None) => {}
        }
    }
    own
}

fn read_warm_up(reader: &mut Reader<'_>) -> WarmUp {
    let mut warm_up = WarmUp::default();
    let steps = reader.texts("pace.warm_up", |step| {
        WarmUp::default().add(step).map_err(|e| e.to_string())?;
        Ok(step.to_owned())
    });
    for step in steps.unwrap_or_default() {
        let _ = warm_up.add(&step); // it was read above
    }
    warm_up
}

/// How many letters one official gets in all; nothing where there is no limit.
pub(super) fn read_official_total(reader: &mut Reader<'_>) -> Option<u64> {
    reader.word("pace.beyond_total", &[("hold", ())]);
    reader.text("pace.per_official_total", |text| match text.parse::<u64>() {
        _ if text == "unlimited" => Ok(None),
        Ok(total) if total > 0 => Ok(Some(total)),
        _ => Err("expected \"unlimited\", or a whole number of 1 or more"),
    })?
}

pub(super) fn read_windows(reader: &mut Reader<'_>, zone: Option<&TimeZone>) -> Option<Windows> {
    let zone = zone.cloned().unwrap_or(TimeZone::UTC);
    let mut window = |key| reader.text(key, |text| Window::parse(text, zone.clone()));
    let (letters, confirmations) = (window("pace.window"), window("pace.confirmation_window"));
    Some(Windows { letters: letters?, confirmations: confirmations? })
}

/// A quota: so many a day, which may be used up at once.
pub(super) fn quota(text: &str) -> Result<Limit, String> {
    let limit: Limit = text.parse().map_err(|e: crate::policy::RateError| e.to_string())?;
    match limit.rate() {
        Some(rate) if rate.unit() != RateUnit::Day => {
            Err("expected so many a day, like \"2000/d\"; for a shorter time there is `rate`".to_owned())
        }
        _ => Ok(limit),
    }
}
