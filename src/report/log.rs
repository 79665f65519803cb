//! One attempt as a line for people.

use std::fmt::Write as _;

use jiff::tz::TimeZone;

use crate::ledger::AttemptRecord;
use crate::model::Class;

/// `2026-03-14 10:05:00  letter 1042 to mayor@town.example, try 2, relay main: deferred at rcpt: 450 4.2.0 Greylisted …
/// [recipient_transient: greylisted]`, all in one line.
///
/// Names the mailbox as it is given: whoever shows the line masks it, or knows why not.
pub fn line(record: &AttemptRecord, zone: &TimeZone) -> String {
    let at = record.at.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d %H:%M:%S");
    let mut out = format!(
        "{at}  {} {} to {}, try {}, relay {}: {} at {}",
        record.kind, record.message, record.recipient, record.attempt, record.relay, record.disposition, record.phase
    );
    if let Some(code) = record.code {
        let _ = write!(out, ": {code}");
    }
    if let Some(enhanced) = record.enhanced {
        let _ = write!(out, " {enhanced}");
    }
    let separator = if record.code.is_some() { " " } else { ": " };
    let _ = write!(out, "{separator}{}", record.text);
    if record.class != Class::Accepted.as_str() {
        let rule = if record.rule.is_empty() { String::new() } else { format!(": {}", record.rule) };
        let _ = write!(out, " [{}{rule}]", record.class);
    }
    out
}
