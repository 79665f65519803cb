//! The time at the start of a line. Syslog's own form names neither year nor zone: the year is the last that is not to
//! come, the zone is told by whoever reads.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousTimestamp, TimeZone};
use jiff::{SignedDuration, Timestamp};

/// So much of a line holds its time.
pub(super) const HEAD_BYTES: usize = 48;
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

fn picked(line: &[u8], zone: &Zone, pick: Pick) -> Option<Timestamp> {
    let head = line.get(..line.len().min(HEAD_BYTES))?;
    let head = std::str::from_utf8(head).or_else(|e| std::str::from_utf8(&head[..e.valid_up_to()])).ok()?;
    if head.starts_with(|c: char| c.is_ascii_digit()) { iso(head, zone, pick) } else { syslog(head, zone, pick) }
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
    fn an_hour_that_comes_twice_may_be_either() {
        let zone = Zone { zone: TimeZone::get("Europe/Berlin").unwrap(), now: "2026-10-26T00:00:00Z".parse().unwrap() };
        for line in ["Oct 25 02:30:00 host postfix/qmgr[1]: x", "2026-10-25 02:30:00 1abcde-000001-AB <= a@b"] {
            let (earliest, latest) = (moment(line.as_bytes(), &zone), latest_moment(line.as_bytes(), &zone));
            assert_eq!(earliest, "2026-10-25T00:30:00Z".parse().ok());
            assert_eq!(latest, "2026-10-25T01:30:00Z".parse().ok());
        }
    }
}
