//! What is wrong with a template, said so that its author can find and mend it.
//!
//! This file must not find problems itself; it only says where and what they are.

/// One problem of a template: where, what, and the nearest real name where there is one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("{template}:{line}:{column}: {what}{}", hint(nearest.as_deref()))]
pub struct TemplateProblem {
    /// The template's name.
    pub template: String,
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in characters.
    pub column: usize,
    /// What is wrong and what to do, in plain words.
    pub what: String,
    /// The real name that comes nearest.
    pub nearest: Option<String>,
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}

/// A problem at a byte of the source, before it has a line and a column.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Finding {
    pub(super) at: usize,
    pub(super) what: String,
    pub(super) nearest: Option<String>,
}

impl Finding {
    pub(super) fn new(at: usize, what: impl Into<String>) -> Self {
        Self { at, what: what.into(), nearest: None }
    }
}

/// Line and column (in characters), both from 1, of a byte of the source.
pub(super) fn position(source: &str, at: usize) -> (usize, usize) {
    let before = source.get(..at).unwrap_or(source);
    let line_start = before.rfind('\n').map_or(0, |n| n + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// The byte of the source at a line and a column, both from 1: what [`position`] undoes.
pub(super) fn offset(source: &str, line: usize, column: usize) -> usize {
    let start: usize = source.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let rest = source.get(start..).unwrap_or_default();
    start + rest.char_indices().nth(column.saturating_sub(1)).map_or(rest.len(), |(n, _)| n)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::Source;

    #[test]
    fn a_problem_says_where_and_offers_the_nearest_name() {
        let mut finding = Finding::new(10, "no column is named `x`");
        finding.nearest = Some("official.name".into());
        let problem = Source::whole("letter.md", "Grüße\n{{ x }}").locate(finding);
        assert_eq!(problem.to_string(), "letter.md:2:3: no column is named `x`; did you mean `official.name`?");
    }

    #[test]
    fn positions_and_offsets_undo_each_other() {
        let source = "Grüße\n\nab";
        for (at, _) in source.char_indices() {
            let (line, column) = position(source, at);
            assert_eq!(offset(source, line, column), at);
        }
    }
}
