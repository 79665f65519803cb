//! `check --json`: one object with everything that `check` finds. The keys are an interface: they stay.
//!
//! | key | holds |
//! | --- | --- |
//! | `launchable`, `exit`, `reason` | whether `send` would start, the exit code of `check`, and why it is not 0 (or null) |
//! | `figures` | `letters`, `constituents`, `officials` (who get letters), `held`, `suppressed` (letters to suppressed mailboxes), `listed_twice`, `not_usable`, `forgotten`, `purged`, `blank_rows` |
//! | `files` | for each file its `name` and `notes`: texts with `kind` unsaid, as in the report |
//! | `problems` | by kind, the largest first: `kind`, `column`, `count`, `problem`, `advice` (null where it differs), `stops`, `examples` |
//! | `unmatched`, `ambiguous` | what constituents wrote who are joined to nobody: `written`, `by`, `count`, `first`, `problem`, `advice`, `suggestions` (`means`, `why`) |
//! | `letter_problems` | `count` and `examples` (`file`, `line`, `problem`) of letters that cannot be filled in |
//! | `empty_cells` | for each field that the letter uses: `field`, `count`, `lines` (the first ones) |
//! | `officials` | every one: `official`, `jurisdiction`, `letters`, `has_mailbox`, `line` |
//! | `forecast` | every mailbox, the latest first: `official`, `mailbox_of` (so many officials), `letters`, `seconds`, `last_letter_at`, `past_deadline` |
//! | `deadline` | the moment, or null |
//! | `advice` | what could be better: `place`, `what`, `action` |
//! | `problems_file` | where the whole list is, or null |
//! | `refused_file` | where `--skip-bad` wrote the rows that cannot be used, or null |
//! | `online` | with `--online` alone: `weight` (problem, advice, good), `about`, `what`, `action` (or null) of each finding |
//!
//! Where nothing can be checked, the object is `{"error": {"exit", "message", "problems": [{"file", "line", "problem"}]}}`.

use serde_json::{Value, json};

use crate::contacts::{ListedOfficial, Sought, Survey};
use crate::plan::{
    Example, LetterProblem, Listed, MatchReport, OfficialTally, ProblemGroup, ProblemGroups, UnjoinedGroup,
    UnjoinedGroups,
};

use super::matching::Findings;
use super::problem_list::WrittenList;

/// How many lines are named of cells that are empty.
const LINES: usize = 20;

/// The object. `refusal` is why the campaign cannot be launched, where it cannot.
pub fn check(found: &Findings<'_>, exit: u8, refusal: Option<&str>) -> Value {
    let Findings { survey, report, .. } = *found;
    json!({
        "launchable": refusal.is_none(),
        "exit": exit,
        "reason": refusal,
        "figures": figures(survey, report, found.suppressed),
        "files": files(survey),
        "problems": problems(&report.in_the_way, true).chain(problems(&report.told, false)).collect::<Vec<_>>(),
        "unmatched": unjoined(&report.unmatched_groups),
        "ambiguous": unjoined(&report.ambiguous_groups),
        "letter_problems": letter_problems(survey, &report.letter_problems),
        "empty_cells": report.empty_cells.iter().map(|(field, lines)| json!({
            "field": field,
            "count": lines.total(),
            "lines": lines.kept().iter().take(LINES).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "officials": officials(survey, report),
        "forecast": found.forecasts.iter().map(|f| json!({
            "official": f.official,
            "letters": f.letters,
            "mailbox_of": f.officials,
            "seconds": f.takes.as_secs(),
            "last_letter_at": f.last.to_string(),
            "past_deadline": f.past_deadline,
        })).collect::<Vec<_>>(),
        "deadline": found.deadline.map(|at| at.timestamp().to_string()),
        "advice": report.advice.iter().map(|a| json!({
            "place": a.place,
            "what": a.what,
            "action": a.action,
        })).collect::<Vec<_>>(),
        "problems_file": match found.list {
            WrittenList::At(path) => Some(path.display().to_string()),
            WrittenList::Nothing | WrittenList::Not(_) => None,
        },
        "refused_file": found.refused.map(|path| path.display().to_string()),
    })
}

fn figures(survey: &Survey, report: &MatchReport, suppressed: u64) -> Value {
    json!({
        "letters": report.letters,
        "constituents": report.joined,
        "officials": report.officials.iter().filter(|t| t.letters > 0).count(),
        "held": report.held,
        "suppressed": suppressed,
        "listed_twice": report.duplicates,
        "not_usable": report.bad_rows(),
        "forgotten": report.forgotten,
        "purged": report.purged,
        "blank_rows": survey.blank_rows(),
    })
}

fn files(survey: &Survey) -> Vec<Value> {
    let notes_of = |file: &str| {
        let notes = survey.notes().iter().filter(|note| &*note.file == file);
        notes.map(ToString::to_string).collect::<Vec<_>>()
    };
    survey.files().map(|file| json!({ "name": file, "notes": notes_of(file) })).collect()
}

fn problems(groups: &ProblemGroups, stops: bool) -> impl Iterator<Item = Value> {
    let one = move |group: &ProblemGroup| {
        json!({
            "kind": group.kind,
            "column": group.column,
            "count": group.count,
            "problem": group.head,
            "advice": group.advice,
            "stops": stops,
            "examples": group.examples.iter().map(example).collect::<Vec<_>>(),
        })
    };
    groups.largest_first().into_iter().map(one)
}

fn example(example: &Example) -> Value {
    let problem = &example.problem;
    json!({
        "file": &*problem.file,
        "line": problem.line,
        "value": problem.value,
        "problem": problem.kind.to_string(),
        "advice": problem.advice,
        "count": example.count,
    })
}

fn unjoined(groups: &UnjoinedGroups) -> Vec<Value> {
    let one = |group: &UnjoinedGroup| {
        let (by, written) = match &group.sought {
            Sought::Jurisdiction(text) => ("jurisdiction", text),
            Sought::Postcode(text) => ("postcode", text),
        };
        let first = group.first.iter().map(|place| json!({ "file": &*place.file, "line": place.line }));
        let meant = group.suggestions.iter().map(|s| json!({ "means": s.means, "why": s.why }));
        json!({
            "written": written,
            "by": by,
            "count": group.constituents,
            "first": first.collect::<Vec<_>>(),
            "problem": group.problem.kind.to_string(),
            "advice": group.problem.advice,
            "suggestions": meant.collect::<Vec<_>>(),
        })
    };
    groups.kept().iter().map(one).collect()
}

fn letter_problems(survey: &Survey, found: &Listed<LetterProblem>) -> Value {
    let files: Vec<&str> = survey.files().collect();
    let one = |p: &LetterProblem| json!({ "file": files.get(p.file), "line": p.line, "problem": p.what });
    let examples: Vec<Value> = found.kept().iter().take(ProblemGroup::EXAMPLES_MAX).map(one).collect();
    json!({ "count": found.total(), "examples": examples })
}

fn officials(survey: &Survey, report: &MatchReport) -> Vec<Value> {
    let listed = survey.officials().iter().zip(&report.officials);
    let one = |(listed, tally): (&ListedOfficial, &OfficialTally)| {
        json!({
            "official": listed.official.salutation(),
            "jurisdiction": listed.official.jurisdiction,
            "letters": tally.letters,
            "has_mailbox": listed.official.mailbox.is_some(),
            "line": listed.line,
        })
    };
    listed.map(one).collect()
}
