//! The time at the start of a line, behind the priority where there is one. Syslog's own form names neither year nor zone: the year is the last that is not to
//! come, the zone is told by whoever reads.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousTimestamp, Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

/// So much of a line holds its time.
const HEAD_BYTES: usize = 64;
/// Lines that begin with the same bytes are of the same minute.
const SAME_BYTES: usize = 20;
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// What a line without year and zone is read by.
#[derive(Debug, Clone)]
pub struct Zone {
    /// The relay's time zone.
    pub zone: TimeZone,
    /// The time now: no line is from later, but for a clock that is off.
    pub now: Timestamp,
}

/// Which of two moments is meant by an hour that comes twice in autumn.
type Pick = fn(AmbiguousTimestamp) -> Result<Timestamp, jiff::Error>;

/// When a line was written, the earliest that it can be; nothing where it does not say so in a form that is known.
pub(super) fn moment(line: &[u8], zone: &Zone) -> Option<Timestamp> {
    picked(line, zone, AmbiguousTimestamp::earlier)
}

/// The latest that it can be.
pub(super) fn latest_moment(line: &[u8], zone: &Zone) -> Option<Timestamp> {
    picked(line, zone, AmbiguousTimestamp::later)
}

/// The times of lines that follow each other: most are of the same second as the one before.
#[derive(Debug, Default)]
pub(super) struct Clock {
    head: Vec<u8>,
    /// Of the last line that had one.
    pub(super) last: Option<Timestamp>,
}

impl Clock {
    /// See [`moment`]; up to a minute early.
    pub(super) fn at(&mut self, line: &[u8], zone: &Zone) -> Option<Timestamp> {
        let head = without_priority(line).get(..SAME_BYTES)?;
        if self.head != head {
            self.last = Some(moment(line, zone)?);
            self.head.clear();
            self.head.extend_from_slice(head);
        }
        self.last
    }
}

/// Without the `<22>` or `<22>1 ` that a line has as it goes over a network.
pub(super) fn without_priority(line: &[u8]) -> &[u8] {
    let Some(rest) = line.strip_prefix(b"<") else { return line };
    let digits = rest.iter().take(4).take_while(|b| b.is_ascii_digit()).count();
    match rest[digits..].strip_prefix(b">") {
        Some(rest) if digits > 0 => rest.strip_prefix(b"1 ").unwrap_or(rest),
        _ => line,
    }
}

fn picked(line: &[u8], zone: &Zone, pick: Pick) -> Option<Timestamp> {
    let line = without_priority(line);
    let head = line.get(..line.len().min(HEAD_BYTES))?;
    let head = std::str::from_utf8(head).or_else(|e| std::str::from_utf8(&head[..e.valid_up_to()])).ok()?;
    if head.starts_with(|c: char| c.is_ascii_digit()) {
        iso(head, zone, pick)
    } else if is_weekday(head.get(..3)?.as_bytes()) {
        full(head, zone, pick)
    } else {
        syslog(head, zone, pick)
    }
}

/// Whether a line begins as one of `journalctl -o short-full`.
pub(super) fn is_weekday(word: &[u8]) -> bool {
    [&b"Mon"[..], b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"].contains(&word)
}

/// `Tue 2026-11-24 22:59:31 CET …`: letters of a zone mean something in that zone alone.
fn full(head: &str, zone: &Zone, pick: Pick) -> Option<Timestamp> {
    let mut words = head.split(' ').skip(1);
    let local: DateTime = format!("{}T{}", words.next()?, words.next()?).parse().ok()?;
    let letters = words.next()?;
    if letters == "UTC" {
        return Offset::UTC.to_timestamp(local).ok();
    }
    if letters.starts_with(['+', '-']) {
        return format!("{local}{letters}").parse().ok();
    }
    let is_meant = |at: &Timestamp| zone.zone.to_offset_info(*at).abbreviation() == letters;
    let either = [pick, AmbiguousTimestamp::earlier, AmbiguousTimestamp::later];
    either.iter().filter_map(|pick| pick(zone.zone.to_ambiguous_timestamp(local)).ok()).find(is_meant)
}

/// `2026-11-24T22:59:31.123456+01:00 …`, or Exim's `2026-11-24 22:59:31 [+0100] …`.
fn iso(head: &str, zone: &Zone, pick: Pick) -> Option<Timestamp> {
    let first = head.split(' ').next()?;
    if let Ok(at) = first.parse::<Timestamp>() {
        return Some(at);
    }
    let mut words = head.split(' ');
    let local =
        if first.contains('T') { words.next()?.to_owned() } else { format!("{}T{}", words.next()?, words.next()?) };
    let offset = words.next().filter(|word| word.len() == 5 && word.starts_with(['+', '-']));
    if let Some(at) = offset.and_then(|offset| format!("{local}{offset}").parse::<Timestamp>().ok()) {
        return Some(at);
    }
    pick(zone.zone.to_ambiguous_timestamp(local.parse::<DateTime>().ok()?)).ok()
}

/// `Nov 24 22:59:31 …`, the day padded with a space.
fn syslog(head: &str, zone: &Zone, pick: Pick) -> Option<Timestamp> {
    let mut words = head.split_ascii_whitespace();
    let month = words.next()?;
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    let day: i8 = words.next()?.parse().ok()?;
    let time: Time = words.next()?.parse().ok()?;
    let newest = zone.now.checked_add(SignedDuration::from_hours(24)).ok()?;
    let this_year = newest.to_zoned_datetime(zone.zone.clone()).year();
    let in_year = |year| {
        let date = Date::new(year, i8::try_from(month).ok()?, day).ok()?;
        pick(zone.zone.to_ambiguous_timestamp(date.to_datetime(time))).ok()
    };
    [this_year, this_year - 1].into_iter().filter_map(in_year).find(|at| *at <= newest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_line_is_read_in_every_form_that_logs_have() {
        let zone = Zone { zone: TimeZone::UTC, now: "2026-01-02T00:00:00Z".parse().unwrap() };
        for (line, at) in [
            ("2025-11-24T22:59:31.5+01:00 host postfix/qmgr[1]: x", "2025-11-24T21:59:31.5Z"),
            ("2025-11-24T22:59:31+0100 host postfix/qmgr[1]: x", "2025-11-24T21:59:31Z"),
            ("2025-11-24 22:59:31 1abcde-000001-AB <= a@b", "2025-11-24T22:59:31Z"),
            ("2025-11-24 22:59:31.250 +0100 1abcde-000001-AB <= a@b", "2025-11-24T21:59:31.25Z"),
            ("Nov 24 22:59:31 host postfix/qmgr[1]: x", "2025-11-24T22:59:31Z"),
            ("Jan  2 01:00:00 host postfix/qmgr[1]: x", "2026-01-02T01:00:00Z"),
            ("<22>1 2025-11-24T22:59:31.123456+01:00 host postfix/qmgr 1 - - x", "2025-11-24T21:59:31.123456Z"),
            ("<22>Nov 24 22:59:31 host postfix/qmgr[1]: x", "2025-11-24T22:59:31Z"),
            ("2025-11-24T22:59:31.123456+0100 host postfix/qmgr[1]: x", "2025-11-24T21:59:31.123456Z"),
            ("Mon 2025-11-24 22:59:31 UTC host postfix/qmgr[1]: x", "2025-11-24T22:59:31Z"),
            ("Mon 2025-11-24 22:59:31 -03 host postfix/qmgr[1]: x", "2025-11-25T01:59:31Z"),
            ("Mon 2025-11-24 22:59:31 CET host postfix/qmgr[1]: x", ""),
            ("<>1 2025-11-24T22:59:31Z host", ""),
            ("Feb 29 01:00:00 host postfix/qmgr[1]: x", ""),
            ("2025-13-24T22:59:31+0100 host", ""),
            (
                "\u{fe}\u{ff} rubbish \u{20ac}\u{20ac}\u{20ac}\u{20ac}\u{20ac}\u{20ac}\u{20ac}\u{20ac}\u{20ac}\u{20ac}\u{20ac}",
                "",
            ),
            ("", ""),
        ] {
            assert_eq!(moment(line.as_bytes(), &zone), at.parse().ok(), "{line}");
        }
    }

    #[test]
    fn the_letters_of_a_zone_tell_which_of_two_hours_is_meant() {
        let zone = Zone { zone: TimeZone::get("Europe/Berlin").unwrap(), now: "2026-10-26T00:00:00Z".parse().unwrap() };
        for (letters, at) in [("CEST", "2026-10-25T00:30:00Z"), ("CET", "2026-10-25T01:30:00Z"), ("EST", "")] {
            let line = format!("Sun 2026-10-25 02:30:00 {letters} host postfix/qmgr[1]: x");
            assert_eq!(moment(line.as_bytes(), &zone), at.parse().ok(), "{letters}");
            assert_eq!(latest_moment(line.as_bytes(), &zone), at.parse().ok(), "{letters}");
        }
    }

    #[test]
    fn an_hour_that_comes_twice_may_be_either() {
        let zone = Zone { zone: TimeZone::get("Europe/Berlin").unwrap(), now: "2026-10-26T00:00:00Z".parse().unwrap() };
        for line in ["Oct 25 02:30:00 host postfix/qmgr[1]: x", "2026-10-25 02:30:00 1abcde-000001-AB <= a@b"] {
            let (earliest, latest) = (moment(line.as_bytes(), &zone), latest_moment(line.as_bytes(), &zone));
            assert_eq!(earliest, "2026-10-25T00:30:00Z".parse().ok());
            assert_eq!(latest, "2026-10-25T01:30:00Z".parse().ok());
        }
    }
}
