//! The hours in which mail may go: weekdays and times of day in a named time zone, daylight saving included.
//!
//! Pure: the moment is passed in. It must not wait and must not know what is sent.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};

const ALWAYS: &str = "always";
const DAY_MINUTES: u16 = 24 * 60;
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// Beyond this nobody plans a campaign.
const DAYS_AHEAD_MAX: usize = 20 * 366;

/// When mail may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// As it was written.
    text: String,
    zone: TimeZone,
    /// The spans of each weekday from Monday on, in order and apart; none at all: always.
    week: Option<[Vec<Span>; 7]>,
}

/// Minutes of a day, the end not included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Span {
    from: u16,
    to: u16,
}

/// How a window stands at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowState {
    /// Mail may go; until then, where there is an end.
    Open {
        /// The end of these hours.
        until: Option<Timestamp>,
    },
    /// No mail may go before then.
    Closed {
        /// The beginning of the next hours.
        until: Timestamp,
    },
}

/// Why a text is not a window. Holds the text, which comes from the configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WindowError {
    /// Nothing there.
    #[error("it is empty; write \"always\", or days and hours like \"mon-fri 08:00-18:00\"")]
    Empty,
    /// `moon-fri`
    #[error("`{0}` is neither a day nor hours; write it like \"mon-fri 08:00-18:00\", several separated by commas")]
    Word(String),
    /// `25:00-26:00`
    #[error("`{0}` is not a time of day; write hours like 8-18 or 08:00-18:30")]
    Time(String),
    /// `08:00-08:00`
    #[error("`{0}` is no time at all; the second time must differ from the first")]
    NoHours(String),
}

impl Window {
    /// Around the clock.
    pub fn always() -> Self {
        Self { text: ALWAYS.to_owned(), zone: TimeZone::UTC, week: None }
    }

    /// Reads `always`, or rules like `mon-fri 08:00-18:00, sat 9-12`; days alone mean the whole day, hours alone
    /// every day. Hours that end before they begin go on over midnight.
    pub fn parse(text: &str, zone: TimeZone) -> Result<Self, WindowError> {
        let text = text.trim().to_lowercase();
        if text == ALWAYS {
            return Ok(Self { text, zone, week: None });
        }
        if text.is_empty() {
            return Err(WindowError::Empty);
        }
        let mut week: [Vec<Span>; 7] = Default::default();
        for rule in text.split(',') {
            add_rule(rule, &mut week)?;
        }
        week.iter_mut().for_each(merge);
        Ok(Self { text, zone, week: Some(week) })
    }

    /// Whether mail may go at a moment, and when that changes.
    pub fn at(&self, now: Timestamp) -> WindowState {
        if self.week.is_none() {
            return WindowState::Open { until: None };
        }
        let hours = self.hours_from(now).next();
        hours.map_or(WindowState::Closed { until: Timestamp::MAX }, |(from, to)| {
            if from <= now { WindowState::Open { until: Some(to) } } else { WindowState::Closed { until: from } }
        })
    }

    /// The first moment from `now` on at which mail may go.
    pub fn opens(&self, now: Timestamp) -> Timestamp {
        match self.at(now) {
            WindowState::Open { .. } => now,
            WindowState::Closed { until } => until,
        }
    }

    /// The moment at which the window has been open for so long since `now`.
    pub fn after(&self, now: Timestamp, open_for: Duration) -> Timestamp {
        if self.week.is_none() {
            return now.checked_add(open_for).unwrap_or(Timestamp::MAX);
        }
        let mut left = open_for;
        for (from, to) in self.hours_from(now) {
            let from = from.max(now);
            let length = Duration::try_from(to.duration_since(from)).unwrap_or_default();
            if left < length {
                return from.checked_add(left).unwrap_or(Timestamp::MAX);
            }
            left -= length;
        }
        Timestamp::MAX
    }

    /// For how long it is open between two moments.
    pub fn open_between(&self, from: Timestamp, to: Timestamp) -> Duration {
        let length = |from, to: Timestamp| Duration::try_from(to.duration_since(from)).unwrap_or_default();
        if self.week.is_none() {
            return length(from, to);
        }
        let hours = self.hours_from(from).take_while(|(begin, _)| *begin < to);
        hours.map(|(begin, end)| length(begin.max(from), end.min(to))).sum()
    }

    /// For a sentence: `from 8 to 18 on weekdays`, or the rules as they were written; empty where it is always open.
    pub fn in_words(&self) -> String {
        if self.is_always() {
            return String::new();
        }
        let plain = || {
            let (days, hours) = self.text.split_once(' ').unwrap_or(("", self.text.as_str()));
            let days = match days {
                "" => "",
                "mon-fri" => " on weekdays",
                "sat-sun" => " on weekends",
                _ => return None,
            };
            let (from, to) = hours.split_once('-').filter(|_| !hours.contains([' ', ',']))?;
            let hour = |text: &str| text.trim_start_matches('0').trim_end_matches(":00").to_owned();
            from.starts_with(|c: char| c.is_ascii_digit()).then(|| format!("from {} to {}{days}", hour(from), hour(to)))
        };
        plain().unwrap_or_else(|| format!("within {}", self.text))
    }

    /// Whether it is open around the clock.
    pub fn is_always(&self) -> bool {
        self.week.is_none()
    }

    /// The hours that end after `now`, in order.
    fn hours_from(&self, now: Timestamp) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        // Hours of the day before may reach into this one where a zone skips midnight.
        let first = now.to_zoned_datetime(self.zone.clone()).date().yesterday().unwrap_or(Date::MIN);
        let days = first.series(jiff::Span::new().days(1)).take(DAYS_AHEAD_MAX);
        days.flat_map(move |day| self.spans(day).iter().filter_map(move |span| self.moments(day, *span)))
            .filter(move |(_, to)| *to > now)
    }

    fn spans(&self, day: Date) -> &[Span] {
        let week = self.week.as_ref();
        let number = usize::from(day.weekday().to_monday_zero_offset().unsigned_abs());
        week.and_then(|week| week.get(number)).map_or(&[], Vec::as_slice)
    }

    /// When a span of a day begins and ends; nothing where the change to summer time leaves nothing of it.
    fn moments(&self, day: Date, span: Span) -> Option<(Timestamp, Timestamp)> {
        let moment = |minutes: u16| {
            let (day, minutes) = if minutes >= DAY_MINUTES { (day.tomorrow().ok()?, 0) } else { (day, minutes) };
            let time = Time::new(i8::try_from(minutes / 60).ok()?, i8::try_from(minutes % 60).ok()?, 0, 0).ok()?;
            self.moment(day.to_datetime(time))
        };
        let (from, to) = (moment(span.from)?, moment(span.to)?);
        (from < to).then_some((from, to))
    }

    /// A time of the wall clock; one that is skipped is the moment at which the clock is put forward.
    fn moment(&self, civil: DateTime) -> Option<Timestamp> {
        let ambiguous = self.zone.clone().into_ambiguous_zoned_datetime(civil);
        let is_skipped = matches!(ambiguous.offset(), AmbiguousOffset::Gap { .. });
        let moment = ambiguous.compatible().ok()?.timestamp();
        let put_forward = || self.zone.preceding(moment).next().map(|transition| transition.timestamp());
        if is_skipped { put_forward() } else { Some(moment) }
    }
}

/// As it was written.
impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn add_rule(rule: &str, week: &mut [Vec<Span>; 7]) -> Result<(), WindowError> {
    let mut days: Vec<usize> = Vec::new();
    let mut hours: Vec<(u16, u16)> = Vec::new();
    for word in rule.split_whitespace() {
        match (day_range(word), word.starts_with(|c: char| c.is_ascii_digit())) {
            (Some(range), _) => days.extend(range),
            (None, true) => hours.push(hour_range(word)?),
            (None, false) => return Err(WindowError::Word(word.to_owned())),
        }
    }
    if days.is_empty() && hours.is_empty() {
        return Err(WindowError::Empty);
    }
    if days.is_empty() {
        days.extend(0..7);
    }
    if hours.is_empty() {
        hours.push((0, DAY_MINUTES));
    }
    for day in days {
        for &(from, to) in &hours {
            if from < to {
                week[day].push(Span { from, to });
            } else {
                week[day].push(Span { from, to: DAY_MINUTES });
                week[(day + 1) % 7].extend((to > 0).then_some(Span { from: 0, to }));
            }
        }
    }
    Ok(())
}

/// `mon`, `mon-fri`, `sat-mon`: the numbers of the days, Monday being 0.
fn day_range(word: &str) -> Option<Vec<usize>> {
    let number = |name: &str| DAYS.iter().position(|day| name.starts_with(day) && full_name(day).starts_with(name));
    let (first, last) = word.split_once('-').unwrap_or((word, word));
    let (first, last) = (number(first)?, number(last)?);
    let length = (last + 7 - first) % 7 + 1;
    Some((first..first + length).map(|day| day % 7).collect())
}

fn full_name(day: &str) -> &'static str {
    match day {
        "mon" => "monday",
        "tue" => "tuesday",
        "wed" => "wednesday",
        "thu" => "thursday",
        "fri" => "friday",
        "sat" => "saturday",
        _ => "sunday",
    }
}

/// `8-18`, `08:00-18:30`, `22:00-06:00`, `0-24`: minutes of the day.
fn hour_range(word: &str) -> Result<(u16, u16), WindowError> {
    let bad = || WindowError::Time(word.to_owned());
    let (from, to) = word.split_once('-').ok_or_else(bad)?;
    let (from, to) = (minutes(from).ok_or_else(bad)?, minutes(to).ok_or_else(bad)?);
    if from == DAY_MINUTES {
        return Err(bad());
    }
    if from == to { Err(WindowError::NoHours(word.to_owned())) } else { Ok((from, to)) }
}

fn minutes(time: &str) -> Option<u16> {
    let (hour, minute) = time.split_once(':').unwrap_or((time, "0"));
    let is_number = |t: &str| (1..=2).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_digit());
    if !is_number(hour) || !is_number(minute) {
        return None;
    }
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    let minutes = hour * 60 + minute;
    (minute < 60 && minutes <= DAY_MINUTES).then_some(minutes)
}

/// Sorts spans and makes one of those that touch.
fn merge(spans: &mut Vec<Span>) {
    spans.sort_unstable();
    let mut apart: Vec<Span> = Vec::new();
    for span in spans.drain(..) {
        match apart.last_mut() {
            Some(last) if span.from <= last.to => last.to = last.to.max(span.to),
            _ => apart.push(span),
        }
    }
    *spans = apart;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn chicago() -> TimeZone {
        TimeZone::get("America/Chicago").unwrap()
    }

    fn window(text: &str) -> Window {
        Window::parse(text, chicago()).unwrap()
    }

    /// A moment in Chicago.
    fn at(civil: &str) -> Timestamp {
        civil.parse::<jiff::civil::DateTime>().unwrap().to_zoned_datetime(chicago()).unwrap().timestamp()
    }

    #[test]
    fn a_window_is_open_within_its_hours_and_closed_outside() {
        let office = "mon-fri 08:00-18:00";
        for (text, now, open, changes) in [
            (office, "2026-11-24T07:59", false, "2026-11-24T08:00"),
            (office, "2026-11-24T08:00", true, "2026-11-24T18:00"),
            (office, "2026-11-24T18:00", false, "2026-11-25T08:00"),
            (office, "2026-11-27T18:00", false, "2026-11-30T08:00"),
            ("sat 9-12, sun 10-11", "2026-11-24T10:00", false, "2026-11-28T09:00"),
            ("sat-mon 9-10", "2026-11-29T09:30", true, "2026-11-29T10:00"),
            ("Saturday", "2026-11-28T13:00", true, "2026-11-29T00:00"),
            ("22:00-06:00", "2026-11-24T23:00", true, "2026-11-25T00:00"),
            ("22:00-06:00", "2026-11-25T05:59", true, "2026-11-25T06:00"),
            ("fri 22:00-06:00", "2026-11-28T05:00", true, "2026-11-28T06:00"),
            ("8-12 11-18", "2026-11-24T11:30", true, "2026-11-24T18:00"),
        ] {
            let state = window(text).at(at(now));
            let changes = at(changes);
            let expected =
                if open { WindowState::Open { until: Some(changes) } } else { WindowState::Closed { until: changes } };
            assert_eq!(state, expected, "{text} at {now}");
        }
        assert_eq!(window("always").at(at("2026-11-24T03:00")), WindowState::Open { until: None });
    }

    #[test]
    fn what_is_no_window_is_refused_with_what_is_wrong() {
        for (text, expected) in [
            ("", WindowError::Empty),
            ("mon-fri 8-18,", WindowError::Empty),
            ("moon", WindowError::Word("moon".into())),
            ("mon-fry 8-18", WindowError::Word("mon-fry".into())),
            ("mon 8:00", WindowError::Time("8:00".into())),
            ("8-25", WindowError::Time("8-25".into())),
            ("08:60-09:00", WindowError::Time("08:60-09:00".into())),
            ("24:00-08:00", WindowError::Time("24:00-08:00".into())),
            ("mon 08:00-8", WindowError::NoHours("08:00-8".into())),
        ] {
            assert_eq!(Window::parse(text, chicago()).unwrap_err(), expected, "{text}");
        }
    }

    #[test]
    fn hours_are_those_of_the_wall_clock_also_when_it_is_put_forward_or_back() {
        // 8 March and 1 November 2026: 23 and 25 hours long.
        let day = window("0-24");
        for (date, hours) in [("2026-03-08", 23), ("2026-11-01", 25), ("2026-11-02", 24)] {
            let midnight = at(&format!("{date}T00:00"));
            let until = midnight.checked_add(Duration::from_secs(hours * 3600)).unwrap();
            assert_eq!(day.at(midnight), WindowState::Open { until: Some(until) }, "{date}");
        }
        // 02:15 to 02:45 is not there on 8 March.
        let gap = window("02:15-02:45");
        assert_eq!(gap.opens(at("2026-03-08T01:00")), at("2026-03-09T02:15"));
        assert_eq!(window("8-18").opens(at("2026-03-08T00:00")), at("2026-03-08T08:00"));
    }

    #[test]
    fn open_time_is_counted_over_nights_and_weekends() {
        let office = window("mon-fri 08:00-18:00");
        let hours = |n: u64| Duration::from_secs(n * 3600);
        for (now, open_for, end) in [
            ("2026-11-24T09:00", 0, "2026-11-24T09:00"),
            ("2026-11-24T06:00", 0, "2026-11-24T08:00"),
            ("2026-11-24T09:00", 8, "2026-11-24T17:00"),
            ("2026-11-24T09:00", 9, "2026-11-25T08:00"),
            ("2026-11-27T17:00", 2, "2026-11-30T09:00"),
            ("2026-11-23T08:00", 50, "2026-11-30T08:00"),
        ] {
            assert_eq!(office.after(at(now), hours(open_for)), at(end), "{open_for} h from {now}");
        }
        assert_eq!(Window::always().after(at("2026-11-24T09:00"), hours(30)), at("2026-11-25T15:00"));
        assert_eq!(office.after(at("2026-11-24T09:00"), Duration::MAX), Timestamp::MAX);
        for (from, to, open_for) in [
            ("2026-11-24T09:00", "2026-11-24T12:00", 3),
            ("2026-11-24T06:00", "2026-11-25T09:00", 11),
            ("2026-11-27T17:00", "2026-11-30T09:00", 2),
            ("2026-11-24T09:00", "2026-11-24T06:00", 0),
        ] {
            assert_eq!(office.open_between(at(from), at(to)), hours(open_for), "{from} to {to}");
        }
    }

    #[test]
    fn a_window_is_told_in_words() {
        for (text, words) in [
            ("always", ""),
            ("mon-fri 08:00-18:00", "from 8 to 18 on weekdays"),
            ("mon-fri 8-18:30", "from 8 to 18:30 on weekdays"),
            ("9-12", "from 9 to 12"),
            ("mon-fri 8-18, sat 9-12", "within mon-fri 8-18, sat 9-12"),
            ("mon", "within mon"),
            ("tue-thu 8-18", "within tue-thu 8-18"),
        ] {
            assert_eq!(Window::parse(text, TimeZone::UTC).unwrap().in_words(), words, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[a-z0-9:, -]{0,40}") {
            let _ = Window::parse(&text, chicago());
        }

        #[test]
        fn a_window_is_open_at_the_moment_that_it_names(minutes in 0..1_000_000_i64, days in 0..7_usize, from in 0..23_u16, hours in 1..23_u16) {
            let to = (from + hours) % 24;
            prop_assume!(to != from);
            let window = window(&format!("{} {from}-{to}", DAYS[days]));
            let now = at("2026-01-01T00:00").checked_add(jiff::SignedDuration::from_mins(minutes)).unwrap();
            let opens = window.opens(now);
            prop_assert!(opens >= now);
            let is_open = matches!(window.at(opens), WindowState::Open { .. });
            prop_assert!(is_open);
        }
    }
}
