//! What stands around the figures of `status`: trouble that only staff can end, each with what happened and what to do.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;

use crate::ledger::{Doubt, Restored};
use crate::policy::LATE_AFTER;

use super::layout::paragraph;
use super::matching::MOMENT;
use super::restored;
use super::status::{Figures, Overall};
use super::table::{count, counted, duration};

/// What a ledger's rows do not tell, or only when asked.
#[derive(Debug, Default)]
pub struct Around {
    /// The relays of the configuration; another that the ledger knows is gone.
    pub relays: Option<Vec<String>>,
    /// When the campaign is to start, and from when on its hours let letters go.
    pub start: Option<(Timestamp, Timestamp)>,
    /// Whether anything was ever handed over.
    pub has_begun: bool,
    /// Signs that the ledger was restored or cloned.
    pub restored: Vec<Restored>,
    /// How messages came to be in doubt.
    pub doubts: BTreeMap<Doubt, u64>,
    /// Why the ledger cannot be written, as far as can be seen from outside.
    pub ledger_trouble: Option<String>,
}

/// What stands before the table.
pub(super) fn before(figures: &Figures) -> String {
    let mut out = String::new();
    let Around { restored: signs, ledger_trouble, .. } = &figures.around;
    if !signs.is_empty() {
        paragraph(&mut out, 2, &format!("this ledger {}", restored::signs(signs, &figures.zone)));
        paragraph(&mut out, 2, "`undersigned send` sends nothing before you say so: it tells what to do");
    }
    if let Some(trouble) = ledger_trouble {
        paragraph(&mut out, 2, trouble);
    }
    out.push_str(&start(figures));
    out
}

fn start(figures: &Figures) -> String {
    let Around { start: Some((at, opens)), has_begun, .. } = figures.around else { return String::new() };
    let span = |from: Timestamp, to: Timestamp| Duration::try_from(to.duration_since(from)).unwrap_or_default();
    let mut out = String::new();
    if figures.at < at {
        let moment = at.to_zoned_datetime(figures.zone.clone()).strftime(MOMENT).to_string();
        let left = duration(span(figures.at, at));
        let who = if figures.overall == Overall::Running { "`send` waits" } else { "waits" };
        paragraph(&mut out, 2, &format!("{who} for its start on {moment}, in {left}; nothing goes before"));
    } else if !has_begun && span(opens, figures.at) > LATE_AFTER && figures.overall != Overall::Running {
        let ago = duration(span(opens, figures.at));
        paragraph(
            &mut out,
            2,
            &format!("its start was {ago} ago, and nothing has gone yet: `undersigned send` asks first"),
        );
    }
    out
}

/// Why messages are in doubt, and how to settle them.
pub(super) fn doubts(figures: &Figures, in_doubt: u64) -> String {
    if in_doubt == 0 {
        return String::new();
    }
    let mut out =
        format!("\n  {} in doubt: the mail server may have taken them, or not.\n", counted(in_doubt, "message"));
    for (doubt, n) in &figures.around.doubts {
        paragraph(&mut out, 4, &format!("{}: {}", count(*n), in_words(*doubt)));
    }
    paragraph(
        &mut out,
        2,
        "They wait for you and are not sent again by themselves. Settle them by your mail server's log:",
    );
    let _ = writeln!(out, "    undersigned resolve --from-log FILE");
    let _ = writeln!(out, "  or one by one (which: undersigned log --state in_doubt):");
    let _ = writeln!(out, "    undersigned resolve --as sent|resend ID…");
    out
}

fn in_words(doubt: Doubt) -> &'static str {
    match doubt {
        Doubt::ProcessEnded => "this program or its machine ended in the middle (found open at the next start)",
        Doubt::ConnectionLost => "the connection was lost after the whole message, before the answer",
        Doubt::TimedOut => "the answer to the whole message did not come in time",
        Doubt::Unclear => "the answer to the whole message could not be understood",
    }
}
