//! Places where something belongs and nothing stands: `Dear Mayor ,`, `Name:`, `Your Name` alone on a line. It must not
//! decide what belongs there.

use super::context::Region;
use super::lines::Line;
use super::shapes::{Found, Shape};
use super::words::{self, Meaning, Owner};

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
