//! Places where something belongs and nothing stands: `Dear Mayor ,`, `Name:`, `Your Name` alone on a line. It must not
//! decide what belongs there.

use super::context::Region;
use super::lines::Line;
use super::shapes::{Found, Shape};
use super::words::{self, Meaning, Owner};

/// Nobody types so many spaces between two words of a sentence.
const WIDE_CHARS_MIN: usize = 6;

/// `Dear Mayor ,` and `Name:` with nothing behind it.
pub(super) fn on(lines: &[Line], regions: &[Region], n: usize, found: &[Found]) -> Vec<Found> {
    let text = lines[n].text.as_str();
    let mut gaps = Vec::new();
    for (at, _) in text.match_indices([',', ':']) {
        let before = text[..at].trim_end();
        let is_gap = before.len() < at;
        let is_dear = ["dear", "estimado", "estimada", "hello"].iter().any(|word| before.eq_ignore_ascii_case(word));
        if is_gap && (is_dear || words::title_at_end(before).is_some()) {
            gaps.push(Found { range: before.len() + 1..at, shape: Shape::Gap, words: String::new() });
        }
    }
    if regions[n] != Region::Subject {
        let colons = text.match_indices(':').map(|(at, _)| at);
        gaps.extend(colons.filter_map(|at| label_gap(lines, regions, n, at)));
    }
    gaps.extend(bare_label(lines, regions, n));
    if regions[n] == Region::Body {
        gaps.extend(wide_gaps(text));
    }
    let is_free = |gap: &Found| !found.iter().any(|f| f.range.start <= gap.range.end && gap.range.start < f.range.end);
    gaps.retain(is_free);
    gaps
}

fn label_gap(lines: &[Line], regions: &[Region], n: usize, colon: usize) -> Option<Found> {
    let text = lines[n].text.as_str();
    let start = text[..colon].rfind("   ").map_or(0, |at| at + 3);
    let label = words::label(&text[start..colon])?;
    let rest = text[colon + 1..].trim_start_matches('*');
    let at = text.len() - rest.len();
    let is_alone = text[..start].trim().is_empty() && rest.trim().is_empty();
    let is_open = rest.trim().is_empty() || rest.starts_with("   ");
    let in_form = matches!(regions[n], Region::Close | Region::Head) || is_alone;
    let is_asked = !matches!(label.meaning, Meaning::Note | Meaning::Campaign | Meaning::Title);
    let goes_on = rest.trim().is_empty() && goes_on_below(lines, n);
    (is_open && in_form && is_asked && !goes_on).then(|| Found {
        range: at..at,
        shape: Shape::Gap,
        words: String::new(),
    })
}

/// `I live in            and vote`, `our town (       )`: spaces to write on, and no columns.
fn wide_gaps(text: &str) -> Vec<Found> {
    let mut gaps = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find("    ").map(|n| at + n) {
        let end = text.len() - text[start..].trim_start_matches(' ').len();
        at = end.max(start + 1);
        let before = text[..start].chars().next_back();
        let after = text[end..].chars().next();
        let is_empty_paren = before == Some('(') && after == Some(')');
        let goes_on = after.is_some_and(|c| c.is_lowercase() || matches!(c, ',' | '.' | ';'));
        let is_gap = end - start >= WIDE_CHARS_MIN && goes_on && before.is_some_and(char::is_alphanumeric);
        if is_gap || is_empty_paren {
            let from = start + usize::from(is_gap);
            let to = end - usize::from(is_gap && after.is_some_and(char::is_alphanumeric));
            gaps.push(Found { range: from..to, shape: Shape::Gap, words: String::new() });
        }
    }
    gaps
}

/// `Your Name` alone on a line below the closing words.
fn bare_label(lines: &[Line], regions: &[Region], n: usize) -> Option<Found> {
    let line = lines.get(n).filter(|_| regions[n] == Region::Close)?;
    let words = line.text.trim();
    let label = words::label(words).filter(|label| label.owner != Some(Owner::Official))?;
    let is_told = !matches!(label.meaning, Meaning::Note | Meaning::Campaign | Meaning::Title);
    let below = lines.get(n + 1).map(|line| line.text.trim()).unwrap_or_default();
    let is_written_below = below.starts_with("__") || below.starts_with("..");
    let start = line.text.len() - line.text.trim_start().len();
    (is_told && !words.ends_with(':') && !is_written_below).then(|| Found {
        range: start..start + words.len(),
        shape: Shape::Cross,
        words: words.to_owned(),
    })
}

/// Whether the line below says what the label asks for.
fn goes_on_below(lines: &[Line], n: usize) -> bool {
    let Some(below) = lines.get(n + 1).filter(|line| !line.is_empty()) else { return false };
    let first = below.text.split(':').next().unwrap_or_default();
    words::label(first).is_none()
}
