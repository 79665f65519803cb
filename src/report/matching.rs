//! What `check` found, as text: what stands in the way and what to do about it, then who writes to whom.

use std::fmt::Write as _;
use std::path::Path;

use jiff::ZonedDateTime;

use crate::contacts::Survey;
use crate::plan::{Forecast, MatchReport};

use super::layout::{block, paragraph};
use super::problem_list::WrittenList;
use super::problems;
use super::table::{Align, Table, count, counted, duration};

/// How many lines of a list that stops nothing are named.
const SHOWN: usize = 10;
/// How many lines are named in which a cell is empty.
const LINES: usize = 20;
/// A moment as people write it.
pub const MOMENT: &str = "%-d %B %Y, %H:%M %Z";

/// How many officials a summary names.
const BUSIEST: usize = 10;

/// Everything that was found before a launch.
#[derive(Debug, Clone, Copy)]
pub struct Findings<'a> {
    /// The people.
    pub survey: &'a Survey,
    /// Who is joined to whom.
    pub report: &'a MatchReport,
    /// When each mailbox has its last letter.
    pub forecasts: &'a [Forecast],
    /// No letter is tried after this.
    pub deadline: Option<&'a ZonedDateTime>,
    /// The whole list of problems.
    pub list: &'a WrittenList,
    /// Where the rows that cannot be used were written, if they were.
    pub refused: Option<&'a Path>,
}

/// The whole report: every finding, then [`summary`].
pub fn text(found: &Findings<'_>) -> String {
    let Findings { survey, report, .. } = *found;
    let files: Vec<&str> = survey.files().collect();
    let mut out = String::new();
    if report.has_bad_rows() {
        let rows = survey.problems().rows() + report.unmatched.total() + report.ambiguous.total();
        block(&mut out, 0, &format!("{} cannot be used, so nothing of them is sent.", counted(rows, "row")));
        out.push('\n');
        problems::groups(&mut out, &report.in_the_way, files.len() > 1);
    }
    problems::letters(&mut out, &report.letter_problems, &files);
    if !report.told.is_empty() {
        out.push_str("These rows stop nothing, but look at them:\n\n");
        problems::groups(&mut out, &report.told, files.len() > 1);
    }
    empty_cells(&mut out, report);
    match found.list {
        WrittenList::At(path) => {
            let text = format!("The whole list is in {}; open it in a spreadsheet.", path.display());
            block(&mut out, 0, &text);
            out.push('\n');
        }
        WrittenList::Not(reason) => {
            block(&mut out, 0, &format!("The whole list could not be written: {reason}"));
            out.push('\n');
        }
        WrittenList::Nothing => {}
    }
    out.push_str(&report.choices.to_string());
    let notes: Vec<String> = survey.notes().iter().map(ToString::to_string).collect();
    list(&mut out, "Noticed in the files", &notes);
    officials(&mut out, survey, report);
    let advice: Vec<String> = report.advice.iter().map(ToString::to_string).collect();
    list(&mut out, "Worth a look", &advice);
    out.push_str(&summary(found));
    out
}

fn empty_cells(out: &mut String, report: &MatchReport) {
    for (field, lines) in &report.empty_cells {
        let shown: Vec<String> = lines.kept().iter().take(LINES).map(u64::to_string).collect();
        let more = if lines.total() > LINES as u64 { ", …" } else { "" };
        let rows = counted(lines.total(), "row");
        let text = format!("The letter uses `{field}`, which is empty in {rows}: line {}{more}", shown.join(", "));
        paragraph(out, 0, &text);
        out.push('\n');
    }
}

fn officials(out: &mut String, survey: &Survey, report: &MatchReport) {
    let name = |&index: &usize| {
        let official = &survey.officials()[index].official;
        format!("{}, {}", official.salutation(), official.jurisdiction)
    };
    let without: Vec<String> = survey.without_mailbox().map(|i| name(&i)).collect();
    list(out, "Officials without a mailbox: their letters wait as `held`", &without);
    let idle: Vec<String> = report.idle_officials().map(|i| name(&i)).collect();
    list(out, "Officials nobody wrote to", &idle);
    let both: Vec<String> = survey.also_constituents().iter().map(name).collect();
    list(out, "Officials who are also constituents (same mailbox)", &both);
}

/// The figures and the forecast.
pub fn summary(found: &Findings<'_>) -> String {
    let Findings { survey, report, .. } = *found;
    let mut line = format!(
        "{} from {} to {}",
        counted(report.letters, "letter"),
        counted(report.joined, "constituent"),
        counted(report.officials.iter().filter(|t| t.letters > 0).count() as u64, "official"),
    );
    let left_out = survey.problems().rows() + report.unmatched.total() + report.ambiguous.total();
    for (n, what) in [
        (report.held, "to officials without a mailbox"),
        (report.duplicates.total(), "listed twice"),
        (left_out, "that cannot be used"),
        (survey.blank_rows(), "empty rows"),
    ] {
        if n > 0 {
            let _ = write!(line, "; {} {what}", count(n));
        }
    }
    let mut out = String::new();
    block(&mut out, 0, &line);
    out.push('\n');
    out.push_str(&forecast_text(found.forecasts, found.deadline));
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
        out.push('\n');
        let text = format!(
            "{} will not be done by the deadline ({}); raise pace.per_mailbox or move the deadline",
            counted(late, "official"),
            deadline.strftime(MOMENT)
        );
        block(&mut out, 2, &text);
    }
    out
}

/// A list that stops nothing, with its head; nothing where it is empty.
fn list(out: &mut String, head: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(out, "{head}: {}", count(lines.len() as u64));
    for line in lines.iter().take(SHOWN) {
        paragraph(out, 2, line);
    }
    problems::more(out, 2, lines.len() as u64, SHOWN);
    out.push('\n');
}
