//! A number of a spreadsheet as its cell shows it: `00000` keeps the zeros of a postcode, a date has its own form.
//!
//! What is shown may depend on the country of whoever looks, or need a feature that is not known here. Then dates are
//! written as ISO 8601, numbers plainly, and it is said. This file must not guess.

use super::date_format::{self, DatePart, ISO_DATE, ISO_MOMENT, ISO_TIME};

/// How a cell shows its number.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum NumberFormat {
    /// As it is.
    General,
    /// In one of some forms: for positive numbers, negative ones and zero, or each under a condition of its own.
    Digits(Vec<Section>),
    /// A date or a time. No parts where the form is not known.
    Date(Vec<DatePart>),
    /// Not known here.
    Other,
}

/// A form for some numbers.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Section {
    condition: Option<Condition>,
    pieces: Vec<Piece>,
}

/// `[<=99999]`, as in Excel's form for ZIP codes.
#[derive(Debug, Clone, PartialEq)]
struct Condition {
    sign: String,
    bound: f64,
}

impl Condition {
    fn parse(inside: &str) -> Option<Self> {
        let bound = inside.trim_start_matches(['<', '>', '=']);
        let sign = inside[..inside.len() - bound.len()].to_owned();
        let is_known = ["<", "<=", ">", ">=", "=", "<>"].contains(&sign.as_str());
        bound.parse().ok().filter(|_| is_known).map(|bound| Self { sign, bound })
    }

    fn holds(&self, value: f64) -> bool {
        match self.sign.as_str() {
            "<" => value < self.bound,
            "<=" => value <= self.bound,
            ">" => value > self.bound,
            ">=" => value >= self.bound,
            sign => (value.total_cmp(&self.bound).is_eq()) == (sign == "="),
        }
    }
}

/// A piece of a form for numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// `0`, `#` or `?`.
    Digit(char),
    /// The decimal point.
    Point,
    /// `,`: groups of thousands, or thousands left out.
    Comma,
    /// `%`.
    Percent,
    /// Text as it stands.
    Text(String),
}

impl NumberFormat {
    /// Reads a format as workbooks write it.
    pub(super) fn parse(code: &str) -> Self {
        let sections = sections(code);
        let first = sections.first().map_or("", String::as_str);
        if first.trim().is_empty() || first.eq_ignore_ascii_case("general") || first.trim() == "@" {
            return Self::General;
        }
        if date_format::is_date(first) {
            return Self::Date(date_format::parse(first).unwrap_or_default());
        }
        // A fourth section is for text, which this is not about.
        let parsed: Option<Vec<Section>> = sections.iter().take(3).map(|s| section(s)).collect();
        match parsed {
            Some(all) if all.iter().flat_map(|s| &s.pieces).any(|p| matches!(p, Piece::Digit(_))) => Self::Digits(all),
            _ => Self::Other,
        }
    }

    /// The format of a built-in number. Those of dates that follow the reader's country are not known.
    pub(super) fn built_in(id: u32) -> Self {
        let code = match id {
            1 => "0",
            2 => "0.00",
            3 => "#,##0",
            4 => "#,##0.00",
            9 => "0%",
            10 => "0.00%",
            15 => "d-mmm-yy",
            16 => "d-mmm",
            17 => "mmm-yy",
            18 => "h:mm AM/PM",
            19 => "h:mm:ss AM/PM",
            20 => "h:mm",
            21 => "h:mm:ss",
            45 => "mm:ss",
            14 | 22 | 27..=36 | 50..=58 => return Self::Date(Vec::new()),
            0 | 49 => return Self::General,
            _ => return Self::Other,
        };
        Self::parse(code)
    }

    /// The number as the cell shows it, and whether that is certain.
    pub(super) fn show(&self, value: f64, is_1904: bool) -> (String, bool) {
        match self {
            Self::General => (plain(value), true),
            Self::Other => (plain(value), false),
            Self::Date(parts) => match date_format::moment(value, is_1904) {
                None => (plain(value), false),
                Some(moment) if parts.is_empty() => (date_format::show(usual(value), moment), false),
                Some(moment) => (date_format::show(parts, moment), true),
            },
            Self::Digits(sections) => (in_section(sections, value), true),
        }
    }
}

/// A number in the section that is for it.
fn in_section(sections: &[Section], value: f64) -> String {
    let signed = |section: &Section| {
        let text = filled(&section.pieces, value.abs());
        let is_negative = value < 0.0 && text.contains(|c: char| matches!(c, '1'..='9'));
        if is_negative { format!("-{text}") } else { text }
    };
    let fits = |s: &&Section| s.condition.as_ref().is_some_and(|c| c.holds(value));
    match sections {
        all if all.iter().any(|s| s.condition.is_some()) => {
            all.iter().find(fits).or(all.last()).map(signed).unwrap_or_default()
        }
        [_, _, zero, ..] if value == 0.0 => filled(&zero.pieces, value),
        [_, negative, ..] if value < 0.0 => filled(&negative.pieces, -value),
        [first, ..] => signed(first),
        [] => plain(value),
    }
}

/// The form of ISO 8601 that loses nothing.
fn usual(value: f64) -> &'static [DatePart] {
    match (value < 1.0, value.fract() == 0.0) {
        (true, false) => ISO_TIME,
        (_, true) => ISO_DATE,
        _ => ISO_MOMENT,
    }
}

/// A number without any form: as many digits as spreadsheets keep, no exponent, no needless point.
pub(super) fn plain(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return "0".to_owned();
    }
    let rounded: f64 = format!("{value:.14e}").parse().unwrap_or(value);
    if (1e-9..1e21).contains(&rounded.abs()) { format!("{rounded}") } else { format!("{rounded:E}") }
}

/// The sections of a format, cut at `;` outside of quotes and escapes.
fn sections(code: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    let (mut is_quoted, mut is_escaped) = (false, false);
    for c in code.chars() {
        if c == ';' && !is_quoted && !is_escaped {
            all.push(String::new());
            continue;
        }
        is_quoted ^= c == '"' && !is_escaped;
        is_escaped = matches!(c, '\\' | '_' | '*') && !is_quoted && !is_escaped;
        if let Some(section) = all.last_mut() {
            section.push(c);
        }
    }
    all
}

/// One section; `None` for what is not known here.
fn section(section: &str) -> Option<Section> {
    let (mut found, mut condition) = (Vec::new(), None);
    let mut chars = section.chars();
    while let Some(c) = chars.next() {
        match c {
            '0' | '#' | '?' => found.push(Piece::Digit(c)),
            '.' => found.push(Piece::Point),
            ',' => found.push(Piece::Comma),
            '%' => found.push(Piece::Percent),
            '"' => found.push(Piece::Text(chars.by_ref().take_while(|&c| c != '"').collect())),
            '\\' => found.push(Piece::Text(chars.next()?.to_string())),
            '_' => {
                chars.next();
                found.push(Piece::Text(" ".to_owned()));
            }
            '*' => {
                chars.next();
            }
            '[' => {
                let inside: String = chars.by_ref().take_while(|&c| c != ']').collect();
                condition = condition.or(Condition::parse(&inside));
                if condition.is_none() {
                    found.extend(bracket(&inside)?);
                }
            }
            ' ' | '-' | '+' | '(' | ')' | ':' | '$' | '€' | '£' | '\'' | '{' | '}' => {
                found.push(Piece::Text(c.to_string()));
            }
            _ => return None,
        }
    }
    let points = found.iter().filter(|p| **p == Piece::Point).count();
    (points <= 1).then_some(Section { condition, pieces: found })
}

/// What a bracket shows: nothing for a colour, the sign of a currency; anything else is not known here.
fn bracket(inside: &str) -> Option<Vec<Piece>> {
    const COLOURS: [&str; 8] = ["black", "blue", "cyan", "green", "magenta", "red", "white", "yellow"];
    if let Some(currency) = inside.strip_prefix('$') {
        let sign = currency.split('-').next().unwrap_or_default();
        return Some(vec![Piece::Text(sign.to_owned())]);
    }
    let lower = inside.to_ascii_lowercase();
    (COLOURS.contains(&lower.as_str()) || lower.starts_with("color")).then(Vec::new)
}

/// A number that is not negative, in a form.
fn filled(pieces: &[Piece], value: f64) -> String {
    let count = |wanted: &Piece| pieces.iter().filter(|p| *p == wanted).count();
    let is_digit = |p: &Piece| matches!(p, Piece::Digit(_));
    let point = pieces.iter().position(|p| *p == Piece::Point).unwrap_or(pieces.len());
    let decimals = pieces[point..].iter().filter(|p| is_digit(p)).count();
    let last_whole = pieces[..point].iter().rposition(is_digit);
    // Commas behind the last digit leave out thousands; others group them.
    let behind = last_whole.map_or(0, |at| pieces[at..point].iter().filter(|p| **p == Piece::Comma).count());
    let groups = count(&Piece::Comma) > behind;
    let mut scaled = value;
    (0..count(&Piece::Percent)).for_each(|_| scaled *= 100.0);
    (0..behind).for_each(|_| scaled /= 1000.0);
    let digits = format!("{scaled:.decimals$}");
    let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
    let whole = if whole == "0" { "" } else { whole };
    let mut text = whole_part(&pieces[..point], whole, groups);
    let kept = pieces[point..].iter().filter(|p| is_digit(p)).zip(fraction.chars());
    let kept =
        kept.enumerate().filter(|(_, (p, c))| **p == Piece::Digit('0') || *c != '0').last().map_or(0, |(i, _)| i + 1);
    let mut fraction = fraction.chars().take(kept);
    for piece in &pieces[point..] {
        match piece {
            Piece::Digit(_) => text.extend(fraction.next()),
            Piece::Point => text.push('.'),
            Piece::Percent => text.push('%'),
            Piece::Text(t) => text.push_str(t),
            Piece::Comma => {}
        }
    }
    text.trim().to_owned()
}

/// The digits before the point, laid into their places from the right.
fn whole_part(pieces: &[Piece], whole: &str, groups: bool) -> String {
    let mut left: Vec<char> = whole.chars().collect();
    let first = pieces.iter().position(|p| matches!(p, Piece::Digit(_)));
    let mut reversed = String::new();
    let mut placed = 0;
    let mut place = |c: char, reversed: &mut String| {
        if groups && placed > 0 && placed % 3 == 0 {
            reversed.push(',');
        }
        placed += 1;
        reversed.push(c);
    };
    for (i, piece) in pieces.iter().enumerate().rev() {
        match piece {
            Piece::Digit(kind) => {
                match left.pop() {
                    Some(c) => place(c, &mut reversed),
                    None if *kind == '0' => place('0', &mut reversed),
                    None if *kind == '?' => reversed.push(' '),
                    None => {}
                }
                if Some(i) == first {
                    while let Some(c) = left.pop() {
                        place(c, &mut reversed);
                    }
                }
            }
            Piece::Text(t) => reversed.extend(t.chars().rev()),
            Piece::Percent => reversed.push('%'),
            Piece::Comma | Piece::Point => {}
        }
    }
    reversed.chars().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_shown_as_their_cells_show_them() {
        for (code, value, expected) in [
            ("General", 60_612.0, "60612"),
            ("General", 0.1 + 0.2, "0.3"),
            ("General", 2_175_550_123.0, "2175550123"),
            ("General", -1.5, "-1.5"),
            ("@", 7.0, "7"),
            ("0", 60_612.0, "60612"),
            ("00000", 1_234.0, "01234"),
            ("00000", 60_612.0, "60612"),
            ("00000\\-0000", 12_345_678.0, "01234-5678"),
            ("[<=99999]00000;00000\\-0000", 1_234.0, "01234"),
            ("[<=99999]00000;00000\\-0000", 12_345_678.0, "01234-5678"),
            ("[<=9999999]###\\-####;\\(###\\)\\ ###\\-####", 2_175_550_123.0, "(217) 555-0123"),
            ("(###) ###-####", 2_175_550_123.0, "(217) 555-0123"),
            ("000\\-00\\-0000", 12_345_678.0, "012-34-5678"),
            ("#,##0", 1_234_567.0, "1,234,567"),
            ("#,##0.00", 1_234.5, "1,234.50"),
            ("0.0#", 1.5, "1.5"),
            ("0.00%", 0.125, "12.50%"),
            ("\"No. \"0", 7.0, "No. 7"),
            ("[$€-407] #,##0.00", 5.0, "€ 5.00"),
            ("#,##0.00;[Red](#,##0.00)", -5.0, "(5.00)"),
            ("0;-0;\"none\"", 0.0, "none"),
            ("0", -0.2, "0"),
            ("0.00E+00", 1_234.0, "1234"),
            ("Standard", 60_612.0, "60612"),
            ("0 \"days\"", 3.0, "3 days"),
            ("yyyy-mm-dd", 0.0, "0"),
        ] {
            assert_eq!(NumberFormat::parse(code).show(value, false).0, expected, "{code}");
        }
    }

    #[test]
    fn dates_are_shown_in_their_own_form_and_as_iso_where_it_is_not_known() {
        for (code, value, expected, is_certain) in [
            ("yyyy\\-mm\\-dd", 46_085.0, "2026-03-04", true),
            ("mm/dd/yyyy", 46_085.0, "03/04/2026", true),
            ("d. m. yy", 46_085.0, "4. 3. 26", true),
            ("[$-409]mmmm d, yyyy;@", 46_085.0, "March 4, 2026", true),
            ("[$-409]ddd d-mmm-yy", 46_085.0, "Wed 4-Mar-26", true),
            ("[$-407]d. mmmm yyyy", 46_085.0, "2026-03-04", false),
            ("[$-F800]dddd, mmmm dd, yyyy", 46_085.0, "2026-03-04", false),
            ("m/d/yyyy h:mm AM/PM", 46_085.572_916_666_664, "3/4/2026 1:45 PM", true),
            ("yyyy-mm-dd hh:mm:ss", 46_085.572_916_666_664, "2026-03-04 13:45:00", true),
            ("[h]:mm", 1.5, "1900-01-01 12:00:00", false),
        ] {
            assert_eq!(NumberFormat::parse(code).show(value, false), (expected.to_owned(), is_certain), "{code}");
        }
        assert_eq!(NumberFormat::built_in(14).show(46_085.0, false), ("2026-03-04".to_owned(), false));
        assert_eq!(NumberFormat::built_in(14).show(44_623.0, true), ("2026-03-04".to_owned(), false));
        assert_eq!(NumberFormat::parse("yyyy-mm-dd").show(1.0, false).0, "1900-01-01");
        assert_eq!(NumberFormat::parse("yyyy-mm-dd").show(1e18, false), ("1000000000000000000".to_owned(), false));
    }
}
