//! Constituents who are joined to nobody, as text for people: by what they wrote, the most first, with what may be meant.

use crate::contacts::Sought;
use crate::plan::{UnjoinedGroup, UnjoinedGroups};

use super::layout::{block, paragraph};
use super::problems::{more, place};
use super::table::counted;

/// How many spellings are named.
const SHOWN: usize = 10;

/// Adds those whom no official is for.
pub(super) fn unmatched(out: &mut String, groups: &UnjoinedGroups, rows: u64, with_files: bool) {
    if rows == 0 {
        return;
    }
    paragraph(out, 2, &format!("{} with no official for them", counted(rows, "row")));
    let may_be_meant = groups.kept().iter().any(|group| !group.suggestions.is_empty());
    let advice = if may_be_meant {
        "Say once what is meant, for all rows that write it so, with: undersigned match. Or correct the rows, or add \
         the official."
    } else {
        "Correct the rows, or add the official."
    };
    block(out, 4, advice);
    let advice_of = |group: &UnjoinedGroup| group.problem.advice.clone();
    let is_the_same = groups.kept().iter().all(|g| Some(advice_of(g)) == groups.kept().first().map(advice_of));
    for group in groups.kept().iter().take(SHOWN) {
        paragraph(out, 6, &head(group, with_files));
        for suggestion in &group.suggestions {
            paragraph(out, 8, &format!("perhaps “{}”: {}", suggestion.means, suggestion.why));
        }
        if group.suggestions.is_empty() && !is_the_same {
            paragraph(out, 8, &group.problem.advice);
        }
    }
    more(out, 6, groups.kept().len() as u64 + groups.left_out(), SHOWN);
    out.push('\n');
}

/// Adds those for whom more than one official might be the right one.
pub(super) fn ambiguous(out: &mut String, groups: &UnjoinedGroups, rows: u64, with_files: bool) {
    if rows == 0 {
        return;
    }
    paragraph(out, 2, &format!("{} whose official is not certain", counted(rows, "row")));
    for group in groups.kept().iter().take(SHOWN) {
        paragraph(out, 6, &head(group, with_files));
        paragraph(out, 8, &format!("{}; {}", group.problem.kind, group.problem.advice));
    }
    more(out, 6, groups.kept().len() as u64 + groups.left_out(), SHOWN);
    out.push('\n');
}

fn head(group: &UnjoinedGroup, with_files: bool) -> String {
    let sought = match &group.sought {
        Sought::Jurisdiction(written) => format!("“{written}”"),
        Sought::Postcode(written) => format!("postcode “{written}”"),
    };
    let places = group.first.first().map(|first| place(with_files.then_some(&*first.file), first.line));
    let first = if group.constituents > 1 { "the first in " } else { "" };
    format!("{sought} in {}, {first}{}", counted(group.constituents, "row"), places.unwrap_or_default())
}
