//! What `check` found, as text: what stands in the way and what to do about it, then who writes to whom.

use std::fmt::Write as _;
use std::path::Path;

use jiff::ZonedDateTime;
use jiff::tz::TimeZone;

use crate::contacts::Survey;
use crate::plan::{Forecast, MatchReport, Raise};
use crate::policy::Window;

use super::layout::{block, paragraph};
use super::problem_list::WrittenList;
use super::table::{Align, Table, count, counted};
use super::{forecast, problems, unjoined};

/// How many lines of a list that stops nothing are named.
const SHOWN: usize = 10;
/// How many lines are named in which a cell is empty.
const LINES: usize = 20;
/// From here on it is worth a sentence what the slowest mailbox waits for.
const LONG: std::time::Duration = std::time::Duration::from_secs(4 * 60 * 60);
/// A moment as people write it.
pub const MOMENT: &str = "%-d %B %Y, %H:%M %Z";

/// The same where there is little room.
pub const SHORT_MOMENT: &str = "%a %-d %b %Y, %H:%M";
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
    /// No letter goes before this, where it is yet to come.
    pub start: Option<&'a ZonedDateTime>,
    /// No letter is tried after this.
    pub deadline: Option<&'a ZonedDateTime>,
    /// What would have to be faster for all letters to go before the deadline.
    pub raises: &'a [Raise],
    /// Letters beyond the total of their official.
    pub beyond_total: u64,
    /// Letters to mailboxes on the suppression list.
    pub suppressed: u64,
    /// The campaign's own time.
    pub zone: &'a TimeZone,
    /// The hours of letters.
    pub window: &'a Window,
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
    if report.bad_rows() > 0 {
        let rows = counted(report.bad_rows(), "row");
        block(&mut out, 0, &format!("{rows} cannot be used, so nothing of them is sent."));
        out.push('\n');
        problems::groups(&mut out, &report.in_the_way, files.len() > 1);
        unjoined::unmatched(&mut out, &report.unmatched_groups, report.unmatched, files.len() > 1);
        unjoined::ambiguous(&mut out, &report.ambiguous_groups, report.ambiguous, files.len() > 1);
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
    list(&mut out, "Joined by something else than an equal jurisdiction", &ways(survey, report));
    officials(&mut out, survey, report);
    let advice: Vec<String> = report.advice.iter().map(ToString::to_string).collect();
    list(&mut out, "Worth a look", &advice);
    out.push_str(&summary(found));
    out
}

/// How constituents were joined whose jurisdiction is not written as their official's.
fn ways(survey: &Survey, report: &MatchReport) -> Vec<String> {
    let used = survey.aliases().iter().zip(&report.by_alias).filter(|(_, rows)| **rows > 0);
    let one = |(alias, rows): (&crate::contacts::Alias, &u64)| {
        format!("“{}” means “{}”, as you accepted: {}", alias.written, alias.means, counted(*rows, "row"))
    };
    let mut ways: Vec<String> = used.map(one).collect();
    if report.by_postcode > 0 {
        ways.push(format!("by their postcode: {}", counted(report.by_postcode, "row")));
    }
    ways
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
    let several: Vec<String> = survey
        .of_several_jurisdictions()
        .iter()
        .map(|one| {
            let official = survey.officials()[one.official].official.salutation();
            format!("{official}: {}", one.jurisdictions.join(", "))
        })
        .collect();
    list(out, "Officials of several jurisdictions: they get letters from each", &several);
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
    for (n, what) in [
        (report.held, "to officials without a mailbox"),
        (report.duplicates, "listed twice"),
        (report.bad_rows(), "that cannot be used"),
        (
            report.forgotten,
            if report.forgotten == 1 { "person who was forgotten" } else { "people who were forgotten" },
        ),
        (report.purged, if report.purged == 1 { "person who was purged" } else { "people who were purged" }),
        (survey.blank_rows(), if survey.blank_rows() == 1 { "empty row" } else { "empty rows" }),
    ] {
        if n > 0 {
            let _ = write!(line, "; {} {what}", count(n));
        }
    }
    let mut out = String::new();
    block(&mut out, 0, &line);
    out.push('\n');
    out.push_str(&forecast_text(found));
    out
}

fn forecast_text(found: &Findings<'_>) -> String {
    let forecasts = found.forecasts;
    if forecasts.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&[
        ("busiest officials", Align::Left, 34),
        ("letters", Align::Right, 9),
        ("last one, if sent from now", Align::Left, 32),
    ]);
    for forecast in forecasts.iter().take(BUSIEST) {
        let when = if forecast.takes.is_zero() && found.window.is_always() {
            "at once".to_owned()
        } else {
            forecast.last.to_zoned_datetime(found.zone.clone()).strftime(SHORT_MOMENT).to_string()
        };
        let late = if forecast.past_deadline { ", TOO LATE" } else { "" };
        table.row([name(forecast), count(forecast.letters), format!("{when}{late}")]);
    }
    let mut out = table.text();
    problems::more(&mut out, 2, forecasts.len() as u64, BUSIEST);
    if !found.window.is_always() {
        out.push('\n');
        block(&mut out, 2, &format!("Letters go {}, by pace.window.", found.window));
    }
    let staying = forecast::staying(found);
    if !staying.is_empty() {
        out.push('\n');
        out.push_str(&staying);
    }
    if forecasts.iter().any(|f| f.past_deadline || f.takes >= LONG) {
        out.push('\n');
        out.push_str(&forecast::sentences(found, 1));
    }
    out.push_str(&too_late(found));
    out
}

/// The official of a mailbox, and how many share it.
fn name(forecast: &Forecast) -> String {
    match forecast.officials {
        0 | 1 => forecast.official.clone(),
        n => format!("{} and {} more", forecast.official, count(n - 1)),
    }
}

/// Whether the deadline is made, and what would make it.
pub(super) fn too_late(found: &Findings<'_>) -> String {
    let late = found.forecasts.iter().filter(|f| f.past_deadline).count() as u64;
    let (Some(deadline), true) = (found.deadline, late > 0) else { return String::new() };
    let raises: Vec<String> = found.raises.iter().map(forecast::raise).collect();
    let remedy =
        if raises.is_empty() { "move the deadline".to_owned() } else { format!("raise {}", raises.join(" and ")) };
    let or = if raises.is_empty() { "" } else { ", or move the deadline" };
    let mailboxes = if late == 1 { "1 mailbox".to_owned() } else { format!("{} mailboxes", count(late)) };
    let deadline = deadline.strftime(MOMENT);
    let text = format!("The letters to {mailboxes} will not all go by the deadline ({deadline}): {remedy}{or}.");
    let mut out = String::from("\n");
    block(&mut out, 2, &text);
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
