//! The dates and times of a spreadsheet, which keeps them as numbers of days, as their cells show them.
//! This file must not know in which country the reader is.

use jiff::civil::{Date, DateTime, Time};
use jiff::{Span, ToSpan};

/// A part of a form for dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DatePart {
    /// `d`, `dd`, `ddd`, `dddd`, by their number.
    Day(usize),
    /// `m` to `mmmm`.
    Month(usize),
    /// `yy` or `yyyy`.
    Year(usize),
    /// `h` or `hh`.
    Hour(usize),
    /// `m` or `mm` beside hours or seconds.
    Minute(usize),
    /// `s` or `ss`.
    Second(usize),
    /// `AM/PM`, which makes the hours twelve.
    Noon,
    /// A character as it stands.
    Text(char),
}

/// `2026-03-04`
pub(super) const ISO_DATE: &[DatePart] =
    &[DatePart::Year(4), DatePart::Text('-'), DatePart::Month(2), DatePart::Text('-'), DatePart::Day(2)];
/// `13:45:00`
pub(super) const ISO_TIME: &[DatePart] =
    &[DatePart::Hour(2), DatePart::Text(':'), DatePart::Minute(2), DatePart::Text(':'), DatePart::Second(2)];
/// Both.
pub(super) const ISO_MOMENT: &[DatePart] = &[
    DatePart::Year(4),
    DatePart::Text('-'),
    DatePart::Month(2),
    DatePart::Text('-'),
    DatePart::Day(2),
    DatePart::Text(' '),
    DatePart::Hour(2),
    DatePart::Text(':'),
    DatePart::Minute(2),
    DatePart::Text(':'),
    DatePart::Second(2),
];

/// Whether a form is one for dates or times: it has their letters, and no others.
pub(super) fn is_date(code: &str) -> bool {
    let mut has_letters = false;
    let mut chars = code.chars();
    while let Some(c) = chars.next() {
        match c.to_ascii_lowercase() {
            'd' | 'm' | 'y' | 'h' | 's' => has_letters = true,
            'a' | 'p' | 'g' | 'e' | 'b' => {} // noon, and the years of other calendars
            'a'..='z' => return false,
            '\\' | '_' | '*' => drop(chars.next()),
            '"' => chars.by_ref().take_while(|&c| c != '"').for_each(drop),
            '[' => {
                let inside: String = chars.by_ref().take_while(|&c| c != ']').collect();
                let all_of = |c: char| !inside.is_empty() && inside.chars().all(|i| i.eq_ignore_ascii_case(&c));
                has_letters |= all_of('h') || all_of('m') || all_of('s');
            }
            _ => {}
        }
    }
    has_letters
}

/// The parts of a form; `None` where it follows the reader's country or is not known here.
pub(super) fn parse(code: &str) -> Option<Vec<DatePart>> {
    let mut parts: Vec<DatePart> = Vec::new();
    let mut chars = code.chars().peekable();
    let mut is_english = true;
    while let Some(c) = chars.next() {
        let lower = c.to_ascii_lowercase();
        match lower {
            'd' | 'm' | 'y' | 'h' | 's' => {
                let mut n = 1;
                while chars.next_if(|next| next.eq_ignore_ascii_case(&c)).is_some() {
                    n += 1;
                }
                parts.push(part(lower, n, &parts)?);
            }
            'a' => {
                let rest: String = chars.by_ref().take(4).collect();
                if !rest.eq_ignore_ascii_case("m/pm") {
                    return None;
                }
                parts.push(DatePart::Noon);
            }
            '"' => parts.extend(chars.by_ref().take_while(|&c| c != '"').map(DatePart::Text)),
            '\\' => parts.push(DatePart::Text(chars.next()?)),
            '[' => {
                let inside: String = chars.by_ref().take_while(|&c| c != ']').collect();
                is_english &= is_english_locale(inside.strip_prefix('$')?)?;
            }
            ' ' | '-' | '/' | '.' | ',' | ':' | '\'' => parts.push(DatePart::Text(c)),
            _ => return None,
        }
    }
    let has_words = parts.iter().any(|p| matches!(p, DatePart::Day(3..) | DatePart::Month(3..)));
    (is_english || !has_words).then_some(parts)
}

/// Whether names are English in `-409` and the like; `None` where the whole form follows the reader's country.
fn is_english_locale(locale: &str) -> Option<bool> {
    let code = locale.rsplit('-').next().unwrap_or_default();
    match u32::from_str_radix(code, 16) {
        Ok(0xf800 | 0xf400) => None,
        // The low ten bits are the language, and 9 is English.
        Ok(number) if number <= 0xffff => Some(number & 0x3ff == 9),
        Ok(_) => None,
        Err(_) => Some(locale.to_ascii_lowercase().contains("en")),
    }
}

fn part(letter: char, n: usize, before: &[DatePart]) -> Option<DatePart> {
    let last_number = before.iter().rev().find(|p| !matches!(p, DatePart::Text(_)));
    Some(match (letter, n) {
        ('d', 1..=4) => DatePart::Day(n),
        ('m', 1..=2) if matches!(last_number, Some(DatePart::Hour(_))) => DatePart::Minute(n),
        ('m', 1..=4) => DatePart::Month(n),
        ('y', 1..=2) => DatePart::Year(2),
        ('y', 3..=4) => DatePart::Year(4),
        ('h', 1..=2) => DatePart::Hour(n),
        ('s', 1..=2) => DatePart::Second(n),
        _ => return None,
    })
}

/// The moment that a number of days means; `None` where there is no such day.
pub(super) fn moment(days: f64, is_1904: bool) -> Option<DateTime> {
    if !(0.0..3_000_000.0).contains(&days) {
        return None;
    }
    let seconds = (days * 86_400.0).round();
    #[expect(clippy::cast_possible_truncation, reason = "checked to be small just above")]
    let (whole, rest) = ((seconds / 86_400.0).floor() as i64, (seconds % 86_400.0) as i64);
    let first = match (is_1904, whole) {
        (true, _) => Date::constant(1904, 1, 1),
        // 1900 had no 29th of February, but spreadsheets count one.
        // Spreadsheets show a day before the first, which is no date.
        (false, 0) if rest == 0 => return None,
        (false, 0..60) => Date::constant(1899, 12, 31),
        (false, 60) => return None,
        (false, _) => Date::constant(1899, 12, 30),
    };
    let span: Span = whole.days().seconds(rest);
    first.to_datetime(Time::midnight()).checked_add(span).ok()
}

/// A moment in a form.
pub(super) fn show(parts: &[DatePart], moment: DateTime) -> String {
    let has_noon = parts.contains(&DatePart::Noon);
    let mut text = String::new();
    for (i, part) in parts.iter().enumerate() {
        let before_seconds =
            matches!(parts[i + 1..].iter().find(|p| !matches!(p, DatePart::Text(_))), Some(DatePart::Second(_)));
        let shown = match *part {
            DatePart::Day(3) => moment.strftime("%a").to_string(),
            DatePart::Day(4..) => moment.strftime("%A").to_string(),
            DatePart::Month(n @ 1..=2) if before_seconds => format!("{:01$}", moment.minute(), n),
            DatePart::Month(3) => moment.strftime("%b").to_string(),
            DatePart::Month(4..) => moment.strftime("%B").to_string(),
            DatePart::Year(2) => format!("{:02}", moment.year().rem_euclid(100)),
            DatePart::Year(_) => format!("{:04}", moment.year()),
            DatePart::Day(n) => format!("{:01$}", moment.day(), n),
            DatePart::Month(n) => format!("{:01$}", moment.month(), n),
            DatePart::Hour(n) if has_noon => format!("{:01$}", (moment.hour() + 11) % 12 + 1, n),
            DatePart::Hour(n) => format!("{:01$}", moment.hour(), n),
            DatePart::Minute(n) => format!("{:01$}", moment.minute(), n),
            DatePart::Second(n) => format!("{:01$}", moment.second(), n),
            DatePart::Noon => if moment.hour() < 12 { "AM" } else { "PM" }.to_owned(),
            DatePart::Text(c) => c.to_string(),
        };
        text.push_str(&shown);
    }
    text
}
