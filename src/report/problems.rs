//! Problems of rows as text for people: by kind, the largest first, with a few examples and what to do.

use std::fmt::Write as _;

use crate::contacts::Problem;
use crate::plan::{Example, LetterProblem, Listed, ProblemGroup, ProblemGroups};

use super::layout::{block, paragraph, sentence};
use super::table::{count, counted};

/// Adds every group; `with_files` is whether the file must be said because there are several.
pub(super) fn groups(out: &mut String, groups: &ProblemGroups, with_files: bool) {
    for group in groups.largest_first() {
        self::group(out, group, with_files);
        out.push('\n');
    }
}

fn group(out: &mut String, group: &ProblemGroup, with_files: bool) {
    let column = group.column.as_ref().map(|column| format!(", column “{column}”")).unwrap_or_default();
    paragraph(out, 2, &format!("{}{column}: {}", counted(group.count, "row"), group.head));
    if let Some(advice) = &group.advice {
        block(out, 4, &sentence(advice));
    }
    for example in &group.examples {
        paragraph(out, 6, &line(example, group.advice.is_none(), with_files));
    }
    if group.left_out() > 0 {
        let _ = writeln!(out, "      … and {} more", count(group.left_out()));
    }
}

fn line(example: &Example, with_advice: bool, with_files: bool) -> String {
    let Problem { value, advice, .. } = &example.problem;
    let mut line = place(with_files.then_some(&*example.problem.file), example.problem.line);
    if example.count > 1 {
        let _ = write!(line, " and {}", counted(example.count - 1, "more row"));
    }
    if !value.is_empty() {
        let _ = write!(line, ": “{value}”");
    }
    if with_advice {
        let _ = write!(line, ": {advice}");
    }
    line
}

/// Where a row stands; the file is named where there are several.
pub(super) fn place(file: Option<&str>, line: u64) -> String {
    file.map_or_else(|| format!("line {line}"), |file| format!("{file}, line {line}"))
}

/// Adds the letters that cannot be filled in.
pub(super) fn letters(out: &mut String, found: &Listed<LetterProblem>, files: &[&str]) {
    if found.is_empty() {
        return;
    }
    block(out, 0, &format!("{} cannot be filled in.", counted(found.total(), "letter")));
    out.push('\n');
    let shown = ProblemGroup::EXAMPLES_MAX;
    for problem in found.kept().iter().take(shown) {
        let file = files.get(problem.file).filter(|_| files.len() > 1);
        paragraph(out, 2, &format!("{}: {}", place(file.copied(), problem.line), problem.what));
    }
    more(out, 2, found.total(), shown);
    out.push('\n');
}

/// Says how many were not shown.
pub(super) fn more(out: &mut String, indent: usize, total: u64, shown: usize) {
    let left = total.saturating_sub(shown as u64);
    if left > 0 {
        let _ = writeln!(out, "{:indent$}… and {} more", "", count(left));
    }
}
