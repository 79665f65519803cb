//! Progress of long work that is counted: a bar on a terminal, a plain line every few seconds otherwise.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use crate::report::{count, duration};

use super::console::{bar, note};

/// So often a plain line is printed where there is no terminal for a bar.
pub(super) const PLAIN_EVERY: Duration = Duration::from_secs(5);
/// Looking at the clock for every row would cost more than many a row.
const LOOK_EVERY: u64 = 1024;

/// One long piece of work. The bar goes when this is dropped.
pub(super) struct Steps {
    what: &'static str,
    total: u64,
    done: u64,
    began: Instant,
    told: Instant,
    bar: Option<ProgressBar>,
}

impl Steps {
    /// Work of so many steps; a total of zero is one that is not known.
    pub(super) fn of(what: &'static str, total: u64) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let template =
                if total > 0 { "{prefix} {bar:24} {pos}/{len}, {per_sec}, {eta} left" } else { "{spinner} {prefix}" };
            let bar = bar(template);
            bar.set_prefix(what);
            bar.set_length(total);
            bar
        });
        let now = Instant::now();
        Self { what, total, done: 0, began: now, told: now, bar }
    }

    /// One more step is done.
    pub(super) fn step(&mut self) {
        self.done += 1;
        if !self.done.is_multiple_of(LOOK_EVERY) {
            return;
        }
        match &self.bar {
            Some(bar) => bar.set_position(self.done),
            None if self.told.elapsed() >= PLAIN_EVERY => {
                self.told = Instant::now();
                note(self.line());
            }
            None => {}
        }
    }

    fn line(&self) -> String {
        let seconds = self.began.elapsed().as_secs().max(1);
        let rate = self.done / seconds;
        let left = self.total.saturating_sub(self.done).checked_div(rate).unwrap_or_default();
        let left = duration(Duration::from_secs(left));
        format!("{}: {} of {}, {}/s, about {left} left", self.what, count(self.done), count(self.total), count(rate))
    }
}

impl Drop for Steps {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
