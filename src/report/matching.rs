//! The match report as text: who is joined to whom, who is not, and what to do about it.

use std::fmt::{Display, Write as _};

use jiff::ZonedDateTime;

use crate::contacts::Survey;
use crate::plan::{Forecast, Listed, MatchReport};

use super::table::{Align, Table, count, counted, duration};

/// How many lines of a finding that stops nothing are named.
const SHOWN: usize = 20;
/// A moment as people write it.
pub const MOMENT: &str = "%-d %B %Y, %H:%M %Z";

/// How many officials a summary names.
const BUSIEST: usize = 10;

/// The whole report: every finding with its line, then [`summary`].
pub fn text(survey: &Survey, report: &MatchReport, forecasts: &[Forecast], deadline: Option<&ZonedDateTime>) -> String {
    let mut out = String::new();
    section(&mut out, "row that cannot be used", &report.refused, ToString::to_string);
    section(&mut out, "constituent without an official", &report.unmatched, ToString::to_string);
    section(&mut out, "constituent whose official is not certain", &report.ambiguous, ToString::to_string);
    section(&mut out, "letter that cannot be filled in", &report.letter_problems, |p| {
        format!("line {}: {}", p.line, p.what)
    });
    section(
        &mut out,
        "row of somebody who is there already (one letter goes out)",
        &report.duplicates,
        ToString::to_string,
    );
    for (field, lines) in &report.empty_cells {
        let shown: Vec<String> = lines.kept().iter().take(SHOWN).map(u64::to_string).collect();
        let more = if lines.total() > SHOWN as u64 { ", …" } else { "" };
        let _ = writeln!(
            out,
            "The letter uses `{field}`, which is empty in {}: line {}{more}\n",
            counted(lines.total(), "row"),
            shown.join(", ")
        );
    }
    out.push_str(&report.choices.to_string());
    let notes: Vec<String> = survey.notes().iter().map(ToString::to_string).collect();
    plain_section(&mut out, "Noticed in the files", &notes);
    let name = |&index: &usize| {
        let official = &survey.officials()[index].official;
        format!("{}, {}", official.salutation(), official.jurisdiction)
    };
    let without: Vec<String> = survey.without_mailbox().map(|i| name(&i)).collect();
    plain_section(&mut out, "Officials without a mailbox: their letters wait as `held`", &without);
    let idle: Vec<String> = report.idle_officials().map(|i| name(&i)).collect();
    plain_section(&mut out, "Officials nobody wrote to", &idle);
    let both: Vec<String> = survey.also_constituents().iter().map(name).collect();
    plain_section(&mut out, "Officials who are also constituents (same mailbox)", &both);
    plain_section(&mut out, "Advice, which stops nothing", &report.advice);
    out.push_str(&summary(survey, report, forecasts, deadline));
    out
}

/// The figures and the forecast.
pub fn summary(
    survey: &Survey,
    report: &MatchReport,
    forecasts: &[Forecast],
    deadline: Option<&ZonedDateTime>,
) -> String {
    let mut out = format!(
        "{} from {} to {}",
        counted(report.letters, "letter"),
        counted(report.joined, "constituent"),
        counted(report.officials.iter().filter(|t| t.letters > 0).count() as u64, "official"),
    );
    let left_out = report.refused.total() + report.unmatched.total() + report.ambiguous.total();
    for (n, what) in [
        (report.held, "to officials without a mailbox"),
        (report.duplicates.total(), "listed twice"),
        (left_out, "with problems"),
        (survey.blank_rows(), "empty rows"),
    ] {
        if n > 0 {
            let _ = write!(out, "; {} {what}", count(n));
        }
    }
    out.push_str("\n\n");
    out.push_str(&forecast_text(forecasts, deadline));
    out
}

fn forecast_text(forecasts: &[Forecast], deadline: Option<&ZonedDateTime>) -> String {
    let mut table = Table::new(&[
        ("busiest officials", Align::Left, 38),
        ("letters", Align::Right, 10),
        ("last one goes", Align::Left, 26),
    ]);
    for forecast in forecasts.iter().take(BUSIEST) {
        let when =
            if forecast.takes.is_zero() { "at once".to_owned() } else { format!("after {}", duration(forecast.takes)) };
        let late = if forecast.past_deadline { ", TOO LATE" } else { "" };
        table.row([forecast.official.clone(), count(forecast.letters), format!("{when}{late}")]);
    }
    let mut out = table.text();
    if forecasts.len() > BUSIEST {
        let _ = writeln!(out, "  … and {} more", counted((forecasts.len() - BUSIEST) as u64, "official"));
    }
    let late = forecasts.iter().filter(|f| f.past_deadline).count() as u64;
    if let (Some(deadline), true) = (deadline, late > 0) {
        let _ = writeln!(
            out,
            "\n  {} will not be done by the deadline ({}); raise pace.per_mailbox or move the deadline",
            counted(late, "official"),
            deadline.strftime(MOMENT)
        );
    }
    out
}

fn section<T>(out: &mut String, what: &str, found: &Listed<T>, line: impl Fn(&T) -> String) {
    if found.is_empty() {
        return;
    }
    let _ = writeln!(out, "{} × {what}", count(found.total()));
    for item in found.kept() {
        let _ = writeln!(out, "  {}", line(item));
    }
    if found.left_out() > 0 {
        let _ = writeln!(out, "  … and {} more", count(found.left_out()));
    }
    out.push('\n');
}

fn plain_section(out: &mut String, head: &str, lines: &[impl Display]) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(out, "{head}: {}", lines.len());
    for line in lines.iter().take(SHOWN) {
        let _ = writeln!(out, "  {line}");
    }
    if lines.len() > SHOWN {
        let _ = writeln!(out, "  … and {} more", lines.len() - SHOWN);
    }
    out.push('\n');
}
