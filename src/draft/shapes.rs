//! What looks like a blank on one line, and where. It must not decide what belongs there.

use std::ops::Range;

use super::context;
use super::escape::web_addresses;
use super::lines::Line;
use super::words::{Meaning, label, title_at_end, tokens};

/// How a blank looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// `____`, `......`, `------` or a box: a line to write on, without words.
    Rule,
    /// `{{name}}`, `<<Name>>`, `*|NAME|*`: nothing but a blank looks like this.
    Merge,
    /// `[Name]`, `{name}`, `%NAME%`, `$NAME`: a blank if the words in it are.
    Bracket,
    /// `(name)`: also a way of writing.
    Paren,
    /// `XXXX`, or a single `X` after a title.
    Cross,
    /// Nothing where something belongs: `Dear Mayor ,` or `Name:`.
    Gap,
}

/// Something that looks like a blank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// In the text of the line.
    pub(super) range: Range<usize>,
    pub(super) shape: Shape,
    /// What stands inside.
    pub(super) words: String,
}

/// Brackets in which other programs put names, the longest first.
const MERGES: [(&str, &str); 8] =
    [("{{{", "}}}"), ("{{", "}}"), ("*|", "|*"), ("<<", ">>"), ("[[", "]]"), ("${", "}"), ("#{", "}"), ("{!", "}")];
const BRACKETS: [(&str, &str, Shape); 11] = [
    ("«", "»", Shape::Bracket),
    ("[", "]", Shape::Bracket),
    ("{", "}", Shape::Bracket),
    ("<", ">", Shape::Bracket),
    ("%%", "%%", Shape::Bracket),
    ("%", "%", Shape::Bracket),
    ("##", "##", Shape::Bracket),
    ("@@", "@@", Shape::Bracket),
    ("~", "~", Shape::Bracket),
    ("|", "|", Shape::Bracket),
    ("(", ")", Shape::Paren),
];
const INSIDE_CHARS_MAX: usize = 200;

/// Everything on a line that is a blank for `means`, from left to right, without overlaps. What stands between
/// brackets that are no blank is looked through, too.
pub(super) fn on(line: &Line, means: &dyn Fn(&Found) -> bool) -> Vec<Found> {
    let text = line.text.as_str();
    let addresses = protected(line);
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let in_address = addresses.iter().find(|range| range.contains(&at));
        match shape_at(line, at, in_address.is_some()).filter(means) {
            Some(blank) => {
                at = blank.range.end.max(at + 1);
                found.push(blank);
            }
            None => at += text[at..].chars().next().map_or(1, char::len_utf8),
        }
    }
    found
}

fn shape_at(line: &Line, at: usize, in_address: bool) -> Option<Found> {
    let text = line.text.as_str();
    let rest = &text[at..];
    for (open, close) in MERGES {
        if let Some(found) = enclosed(text, at, open, close, Shape::Merge) {
            return Some(found);
        }
    }
    if in_address {
        return None;
    }
    if let Some(found) = rule(line, at) {
        return Some(found);
    }
    if rest.starts_with(['☐', '□', '▢']) {
        return Some(Found { range: at..at + '☐'.len_utf8(), shape: Shape::Bracket, words: String::new() });
    }
    for (open, close, shape) in BRACKETS {
        if rest.starts_with(open) && !is_link(line, at, open) {
            return enclosed(text, at, open, close, shape);
        }
    }
    dollar(text, at).or_else(|| cross(text, at)).or_else(|| capitals(text, at))
}

fn enclosed(text: &str, at: usize, open: &str, close: &str, shape: Shape) -> Option<Found> {
    let inside = text[at..].strip_prefix(open)?;
    let reach = inside.char_indices().nth(INSIDE_CHARS_MAX).map_or(inside.len(), |(n, _)| n);
    let len = inside[..reach].find(close)?;
    let words = inside[..len].trim().to_owned();
    let end = at + open.len() + len + close.len();
    Some(Found { range: at..end, shape, words })
}

/// `[text](address)` and `[text][name]` are links, unless their brackets are escaped.
fn is_link(line: &Line, at: usize, open: &str) -> bool {
    if open != "[" || line.is_escaped(at) {
        return false;
    }
    let rest = &line.text[at..];
    rest.find(']')
        .is_some_and(|end| rest[end + 1..].starts_with(['(', ':']) || (rest[end + 1..].starts_with('[') && end > 1))
}

/// A line to write on: a run of one sign, with or without spaces between.
fn rule(line: &Line, at: usize) -> Option<Found> {
    let text = line.text.as_str();
    let sign = text[at..].chars().next().filter(|c| matches!(c, '_' | '.' | '…' | '-' | '–' | '—' | '＿'))?;
    let before = text[..at].chars().next_back();
    if before == Some(sign) {
        return None;
    }
    let (mut count, mut end, mut cursor) = (0, at, at);
    let mut is_spaced = true;
    for c in text[at..].chars() {
        cursor += c.len_utf8();
        if c == sign {
            is_spaced = is_spaced && (count == 0 || cursor - end > c.len_utf8());
            count += 1;
            end = cursor;
        } else if c != ' ' || cursor - end > 1 {
            break;
        }
    }
    let after = text[end..].chars().next();
    let emphasised = !line.is_escaped(at) && after.is_some_and(char::is_alphanumeric);
    let is_emphasis =
        count <= 3 && emphasised && text[end..].contains(&text[at..end]) && before.is_none_or(|c| !c.is_alphanumeric());
    let enough = match sign {
        '_' if before == Some(':') && count > 1 && ends_with_label(&text[..at]) => true,
        '_' | '＿' if count >= 3 => !is_emphasis,
        '_' => stands_alone(before, after, count) && !is_emphasis,
        '.' => count >= 6 || (count >= 4 && ends_with_label(&text[..at])) || (count >= 3 && expects(&text[..at])),
        '…' => count >= 3 || (count >= 2 && ends_with_label(&text[..at])) || expects(&text[..at]),
        '—' | '–' => count >= 2 && expects(&text[..at]) || count >= 4 && !text[..at].trim().is_empty(),
        _ => count >= 4 && !is_spaced && expects(&text[..at]),
    };
    enough.then(|| Found { range: at..end, shape: Shape::Rule, words: String::new() })
}

/// One or two underscores are a blank only where nothing else can be meant.
fn stands_alone(before: Option<char>, after: Option<char>, count: usize) -> bool {
    let is_edge =
        |c: Option<char>, signs: &str| c.is_none_or(|c| c.is_whitespace() || (count > 1 && signs.contains(c)));
    let in_year = count == 2 && before == Some('0');
    (is_edge(before, ":(/$-") || in_year) && is_edge(after, ",./);:-")
}

/// Whether a text ends where something is to be written: after a label or a title.
fn expects(before: &str) -> bool {
    let before = before.trim_end();
    let last = before.rsplit([' ', '\t']).next().unwrap_or_default();
    let last_column = before.rsplit("   ").next().unwrap_or_default();
    label(last_column).is_some() || title_at_end(before).is_some() || last.eq_ignore_ascii_case("dear")
}

/// Whether the last word or two before are a label, whatever stands before them.
fn ends_with_label(before: &str) -> bool {
    let start = before.char_indices().rev().nth(40).map_or(0, |(at, _)| at);
    let words = tokens(&before[start..]);
    (1..=words.len().min(2)).any(|n| label(&words[words.len() - n..].join(" ")).is_some())
}

/// `$NAME`, but no amount of money.
fn dollar(text: &str, at: usize) -> Option<Found> {
    let inside = text[at..].strip_prefix('$')?;
    if !inside.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    let len = inside.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(inside.len());
    let closing = usize::from(inside[len..].starts_with('$'));
    let words = inside[..len].to_owned();
    let is_loud = len > 2 && words.chars().all(|c| !c.is_lowercase());
    let is_name = is_loud || label(&words).is_some();
    is_name.then(|| Found { range: at..at + 1 + len + closing, shape: Shape::Bracket, words })
}

/// `XXXX`; or `X` where a title stands before.
fn cross(text: &str, at: usize) -> Option<Found> {
    let rest = &text[at..];
    let sign = rest.chars().next().filter(|c| matches!(c, 'X' | 'x'))?;
    let len = rest.len() - rest.trim_start_matches(sign).len();
    let in_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let stands_alone = !in_word(text[..at].chars().next_back()) && !in_word(rest[len..].chars().next());
    let after_title = title_at_end(&text[..at]).is_some() && text[..at].ends_with(' ');
    let is_blank = stands_alone && (len >= 4 || (len == 3 && sign == 'x') || (after_title && len <= 3));
    is_blank.then(|| Found { range: at..at + len, shape: Shape::Cross, words: String::new() })
}

/// `LASTNAME`, `YOUR NAME`, or `CITY` where the words before ask for it.
fn capitals(text: &str, at: usize) -> Option<Found> {
    let is_part = |c: char| c.is_ascii_uppercase() || matches!(c, ' ' | '_' | '\'' | '’');
    let rest = &text[at..];
    if !rest.starts_with(|c: char| c.is_ascii_uppercase())
        || text[..at].trim_end_matches(' ').ends_with(|c: char| c.is_alphanumeric() && !c.is_lowercase())
        || text[..at].ends_with(char::is_alphanumeric)
    {
        return None;
    }
    let run = &rest[..rest.find(|c: char| !is_part(c)).unwrap_or(rest.len())];
    let run = run.trim_end();
    let after = &rest[run.len()..];
    let is_label = after.trim_start().starts_with([':', '_', '.', '[']) && !after.starts_with(". ") && after != ".";
    if after.starts_with(char::is_alphanumeric) || is_label || run.len() > 60 {
        return None;
    }
    label(run).filter(|label| !matches!(label.meaning, Meaning::NoField | Meaning::Title))?;
    let is_alone = text.trim() == run;
    let first = run.split([' ', '_']).next().unwrap_or_default();
    let says_so = matches!(first, "YOUR" | "INSERT" | "ENTER") || run.contains("NAME") || run.ends_with(" HERE");
    let is_asked = context::asks(&text[..at]).is_some() || title_at_end(&text[..at]).is_some();
    let is_quiet = text.contains(char::is_lowercase);
    let is_blank = (says_so && (is_quiet || is_alone)) || (is_asked && is_quiet);
    is_blank.then(|| Found { range: at..at + run.len(), shape: Shape::Cross, words: run.to_owned() })
}

/// Web addresses, addresses of links and mail addresses: what stands in them is no blank to write on.
fn protected(line: &Line) -> Vec<Range<usize>> {
    let text = line.text.as_str();
    let mut ranges = web_addresses(text);
    for (start, _) in text.match_indices("](").filter(|(at, _)| !line.is_escaped(*at)) {
        let end = text[start..].find(')').map_or(text.len(), |n| start + n);
        ranges.push(start + 1..end + 1);
    }
    let is_part = |c: char| c.is_alphanumeric() || "._%+-".contains(c);
    for (at, _) in text.match_indices('@') {
        let start = at - (text[..at].len() - text[..at].trim_end_matches(is_part).len()).min(at);
        let after = &text[at + 1..];
        let is_host = |c: char| c.is_alphanumeric() || ".-".contains(c);
        let len = after.find(|c: char| !is_host(c)).unwrap_or(after.len());
        let start = text[start..at].rfind("___").map_or(start, |n| start + n + 3);
        if start < at && after[..len].trim_matches('.').contains('.') && after.starts_with(char::is_alphanumeric) {
            let has_name = text[start..at].contains(char::is_alphanumeric);
            ranges.extend(has_name.then_some(start..at + 1 + len));
        }
    }
    ranges
}
