//! What the person at the terminal sees: words on standard output, complaints on standard error, and progress.

use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use tokio::sync::watch;

use crate::dispatch::Progress;
use crate::model::mask_mailboxes;
use crate::report::{count, counted, duration, paragraph};

use super::steps::PLAIN_EVERY;

/// Prints a text. A closed pipe is the reader's way of saying that it is enough.
pub(super) fn say(text: impl Display) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// The same, broken into lines that fit a terminal.
pub(super) fn tell(text: impl Display) {
    for line in text.to_string().lines() {
        say(paragraph(line));
    }
}

/// Prints what went wrong.
pub(super) fn complain(text: impl Display) {
    let _ = writeln!(std::io::stderr(), "undersigned: {text}");
}

/// A word about what is going on, kept out of standard output so that that stays fit for programs.
pub(super) fn note(text: impl Display) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Diagnostics for developers, off unless `UNDERSIGNED_LOG` says so; never holds personal data or secrets.
pub(super) fn start_log() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("UNDERSIGNED_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("undersigned=warn"));
    let _ =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false).try_init();
}

/// Whether somebody is there to ask.
pub(super) fn can_ask() -> bool {
    std::io::stdin().is_terminal()
}

/// Asks, and gives what was typed; nothing where nobody can be asked.
pub(super) fn ask(question: &str) -> Option<String> {
    if !can_ask() {
        return None;
    }
    let mut stderr = std::io::stderr();
    let _ = write!(stderr, "{question} ");
    let _ = stderr.flush();
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).ok().filter(|&read| read > 0)?;
    Some(answer.trim().to_owned())
}

/// Shows a dispatch until it ends: a bar on a terminal, a plain line every few seconds otherwise.
pub(super) async fn show_progress(mut progress: watch::Receiver<Progress>) {
    if std::io::stderr().is_terminal() {
        let bar = bar("{prefix} {bar:24} {pos}/{len} letters, {per_sec}, {eta} left {msg}");
        bar.set_prefix("sending");
        while progress.changed().await.is_ok() {
            let now = progress.borrow_and_update().clone();
            bar.set_length(now.letters_to_do().max(now.letters_settled));
            bar.set_position(now.letters_settled);
            bar.set_message(tail(&now));
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bar.finish_and_clear();
    } else {
        while progress.changed().await.is_ok() {
            let before = progress.borrow().letters_settled;
            tokio::time::sleep(PLAIN_EVERY).await;
            if progress.has_changed().is_err() {
                return; // it ended while we slept: the summary tells the rest
            }
            let now = progress.borrow_and_update().clone();
            note(plain(&now, now.letters_settled.saturating_sub(before)));
        }
    }
}

/// A bar that moves on its own; hidden where there is no terminal.
pub(super) fn bar(template: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style.with_key("per_sec", |state: &ProgressState, out: &mut dyn std::fmt::Write| {
        let _ = write!(out, "{:.0}/s", state.per_sec()); // a bar that cannot be drawn is no harm
    }));
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}

fn tail(now: &Progress) -> String {
    let mut parts = Vec::new();
    for (n, word) in [(now.failed, "failed"), (now.deferrals, "deferred"), (now.in_doubt, "in doubt")] {
        if n > 0 {
            parts.push(format!("{} {word}", count(n)));
        }
    }
    if let Some(waiting) = &now.waiting {
        let time = waiting.until.map_or_else(String::new, |at| format!(" for {}", until(at)));
        parts.push(format!("waiting{time}: {}", mask_mailboxes(&waiting.reason)));
    }
    parts.join(", ")
}

fn until(at: jiff::Timestamp) -> String {
    let left = Duration::try_from(at.duration_since(jiff::Timestamp::now())).unwrap_or_default();
    duration(left)
}

fn plain(now: &Progress, since_last: u64) -> String {
    let rate = since_last / PLAIN_EVERY.as_secs();
    let to_do = now.letters_to_do().max(now.letters_settled);
    let left = (to_do - now.letters_settled).checked_div(rate);
    let left = left
        .filter(|_| now.waiting.is_none())
        .map_or_else(String::new, |s| format!(", about {} left", duration(Duration::from_secs(s))));
    let tail = tail(now);
    let tail = if tail.is_empty() { tail } else { format!("; {tail}") };
    format!(
        "{} of {} settled, {} sent, {rate}/s{left}{tail}",
        count(now.letters_settled),
        counted(to_do, "letter"),
        counted(now.confirmations_sent, "confirmation"),
    )
}
