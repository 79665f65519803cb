//! Where every message stands, and what staff can do about it.

use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::ledger::{CampaignState, Counts, Ledger, LedgerError, OfficialFigures, Pause, RelayRecord, RelayState};
use crate::model::{MessageKind, MessageState};

use super::around::{self, Around};
use super::layout::paragraph;
use super::table::{Align, Table, count, counted, duration};

/// The state of a whole campaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overall {
    /// Enrolled; nothing was dispatched yet.
    Planned,
    /// A dispatcher is at work.
    Running,
    /// Something can still move, and nobody moves it.
    Paused,
    /// It stopped itself.
    Stopped,
    /// Nothing can move, and nothing failed.
    Finished,
    /// Nothing can move, and something failed.
    FinishedWithFailures,
}

impl Overall {
    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
            Self::Finished => "finished",
            Self::FinishedWithFailures => "finished_with_failures",
        }
    }

    /// The name in a sentence.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::FinishedWithFailures => "finished with failures",
            other => other.as_str(),
        }
    }
}

/// Everything that `status` tells, read from the ledger at one time.
#[derive(Debug)]
pub struct Figures {
    /// The campaign's name.
    pub campaign: String,
    /// Its state.
    pub overall: Overall,
    /// Why it stopped, if it did.
    pub reason: String,
    /// Staff want nothing handed over.
    pub pause: Option<Pause>,
    /// Messages by kind and state.
    pub counts: Counts,
    /// How many of those in doubt are of people who were erased: nobody waits for them.
    pub in_doubt_of_erased: u64,
    /// Relays as last noted.
    pub relays: Vec<RelayRecord>,
    /// Messages that were accepted in the last minute.
    pub sent_last_minute: u64,
    /// When these figures were read.
    pub at: Timestamp,
    /// In which times are told.
    pub zone: TimeZone,
    /// What else staff should know.
    pub around: Around,
}

impl Figures {
    /// Reads them. `is_running` is whether a dispatcher holds the ledger now.
    pub fn read<L: Ledger>(ledger: &L, campaign: &str, is_running: bool, now: Timestamp) -> Result<Self, LedgerError> {
        let (noted, reason) = ledger.campaign()?;
        let (counts, pause) = (ledger.counts()?, ledger.wishes()?.pause);
        let in_doubt_of_erased = ledger.in_doubt_of_erased()?;
        let minute_ago = now.checked_sub(Duration::from_secs(60)).unwrap_or(now);
        Ok(Self {
            campaign: campaign.to_owned(),
            overall: match overall(noted, &counts, in_doubt_of_erased, is_running) {
                Overall::Running if pause.is_some() => Overall::Paused,
                overall => overall,
            },
            reason,
            pause,
            relays: ledger.relays()?,
            sent_last_minute: ledger.sent_since(minute_ago)?,
            counts,
            in_doubt_of_erased,
            at: now,
            zone: TimeZone::UTC,
            around: Around::default(),
        })
    }

    /// The same, with times told in that zone.
    #[must_use]
    pub fn in_zone(self, zone: TimeZone) -> Self {
        Self { zone, ..self }
    }

    /// The same, with what stands around them. A relay that is not in the configuration any more is none.
    #[must_use]
    pub fn amid(mut self, around: Around) -> Self {
        if let Some(known) = &around.relays {
            self.relays.retain(|relay| known.contains(&relay.name));
        }
        Self { around, ..self }
    }

    /// Whether a relay takes messages just now, as far as is known.
    fn has_relay(&self) -> bool {
        let is_away = |relay: &RelayRecord| match relay.state {
            RelayState::Stopped => true,
            RelayState::Parked => relay.until.is_none_or(|until| until > self.at),
            RelayState::Up | RelayState::Slowed => false,
        };
        self.relays.is_empty() || !self.relays.iter().all(is_away)
    }

    /// How long the messages that move by themselves take at the rate of the last minute.
    pub fn time_left(&self) -> Option<Duration> {
        let moving = MessageState::ALL.into_iter().filter(|s| s.moves_by_itself());
        let left: u64 = moving.map(|s| self.counts.in_state(s)).sum();
        let seconds = left.saturating_mul(60).checked_div(self.sent_last_minute)?;
        (self.overall == Overall::Running && self.has_relay() && self.around.ledger_trouble.is_none())
            .then(|| Duration::from_secs(seconds))
    }
}

fn overall(noted: CampaignState, counts: &Counts, in_doubt_of_erased: u64, is_running: bool) -> Overall {
    if is_running {
        return Overall::Running;
    }
    match noted {
        CampaignState::Stopped => Overall::Stopped,
        CampaignState::Planned => Overall::Planned,
        // Held and in doubt wait for staff: that is not the end either.
        _ if counts.can_move() || waits_for_staff(counts, in_doubt_of_erased) => Overall::Paused,
        _ if has_failures(counts) => Overall::FinishedWithFailures,
        _ => Overall::Finished,
    }
}

/// Whether anything is held, or in doubt and of somebody who is still there.
pub fn awaits_staff(figures: &Figures) -> bool {
    waits_for_staff(&figures.counts, figures.in_doubt_of_erased)
}

fn waits_for_staff(counts: &Counts, in_doubt_of_erased: u64) -> bool {
    counts.in_state(MessageState::InDoubt) > in_doubt_of_erased || counts.in_state(MessageState::Held) > 0
}

/// Whether anything bounced or expired.
pub fn has_failures(counts: &Counts) -> bool {
    MessageState::ALL.into_iter().any(|s| s.is_failure() && counts.in_state(s) > 0)
}

/// The figures as text.
pub fn text(figures: &Figures) -> String {
    let mut out = format!("{}: {}\n", figures.campaign, figures.overall.in_words());
    if figures.overall == Overall::Stopped && !figures.reason.is_empty() {
        paragraph(&mut out, 2, &format!("because {}", figures.reason));
    }
    if let Some(pause) = &figures.pause {
        let ago = Duration::try_from(figures.at.duration_since(pause.since)).unwrap_or_default();
        let why = if pause.reason.is_empty() { String::new() } else { format!(": {}", pause.reason) };
        paragraph(&mut out, 2, &format!("paused by staff {} ago{why}", duration(ago)));
        out.push_str("  go on with: undersigned resume\n");
    }
    out.push_str(&around::before(figures));
    out.push('\n');
    out.push_str(&standing(&figures.counts));
    if figures.overall == Overall::Running {
        let _ = write!(out, "\n  {} in the last minute", counted(figures.sent_last_minute, "message"));
        if let Some(left) = figures.time_left() {
            let _ = write!(out, "; about {} left at this rate", duration(left));
        }
        out.push('\n');
    }
    let is_at_work = matches!(figures.overall, Overall::Running | Overall::Stopped);
    let is_news = |relay: &&RelayRecord| is_at_work || relay.state == RelayState::Stopped;
    let mut told = figures.relays.iter().filter(is_news).peekable();
    if told.peek().is_some() {
        out.push('\n');
        told.for_each(|relay| relay_line(&mut out, relay, figures));
    }
    out.push_str(&advice(figures));
    out
}

/// How many messages are in each state, as a table.
pub fn standing(counts: &Counts) -> String {
    let mut table =
        Table::new(&[("", Align::Left, 20), ("letters", Align::Right, 14), ("confirmations", Align::Right, 14)]);
    let kinds = [MessageKind::Letter, MessageKind::Confirmation];
    for state in MessageState::ALL {
        if counts.in_state(state) > 0 || state == MessageState::Sent {
            let cells = kinds.map(|kind| count(counts.of(kind, state)));
            table.row([state.in_words().to_owned()].into_iter().chain(cells));
        }
    }
    let totals = kinds.map(|kind| count(counts.total(kind)));
    table.row(["total".to_owned()].into_iter().chain(totals));
    table.text()
}

/// `relay `main` is parked until 14:05 CST (20 minutes): 550 5.4.5 Daily …`
fn relay_line(out: &mut String, relay: &RelayRecord, figures: &Figures) {
    let until = relay.until.filter(|until| *until > figures.at).map(|until| {
        let wait = Duration::try_from(until.duration_since(figures.at)).unwrap_or_default();
        format!(" until {} ({})", until.to_zoned_datetime(figures.zone.clone()).strftime("%H:%M %Z"), duration(wait))
    });
    let pause = until.clone().unwrap_or_default();
    let state = match (relay.state, &relay.slowed_to) {
        (RelayState::Up, _) => "up".to_owned(),
        (RelayState::Slowed, Some(to)) if until.is_some() => format!("slowed to {to} and paused{pause}"),
        (RelayState::Slowed, Some(to)) => format!("slowed to {to}"),
        (RelayState::Slowed, None) => format!("slowed{pause}"),
        (RelayState::Parked, _) if until.is_some() => format!("parked{pause}"),
        (RelayState::Parked, _) => "parked, and tried again now".to_owned(),
        (RelayState::Stopped, _) => "stopped".to_owned(),
    };
    let because = match relay.state {
        RelayState::Up => String::new(),
        _ => format!(": {}", relay.reason),
    };
    paragraph(out, 2, &format!("relay `{}` is {state}{because}", relay.name));
    match relay.state {
        RelayState::Up | RelayState::Slowed => {}
        RelayState::Parked => paragraph(out, 4, "nothing to do: it is tried again by itself"),
        RelayState::Stopped => {
            paragraph(
                out,
                4,
                "mend its account or settings, look with: undersigned check --online; then: undersigned send",
            );
        }
    }
}

/// What staff can do now, one line for each thing; empty when there is nothing.
pub fn advice(figures: &Figures) -> String {
    let counts = &figures.counts;
    let mut out =
        around::doubts(figures, counts.in_state(MessageState::InDoubt).saturating_sub(figures.in_doubt_of_erased));
    let mut say = |n: u64, what: &str, command: &str| {
        if n > 0 {
            out.push('\n');
            paragraph(&mut out, 2, &format!("{} {what}", counted(n, "message")));
            paragraph(&mut out, 4, command);
        }
    };
    say(
        figures.in_doubt_of_erased,
        "in doubt, of people who were erased: not sent again, and the campaign ends without them.",
        "if the mail server has them: undersigned resolve --as sent ID…",
    );
    say(
        counts.in_state(MessageState::Bounced) + counts.in_state(MessageState::Expired),
        "failed; who and why: undersigned log --state bounced (or expired).",
        "when the cause is mended: undersigned retry, then undersigned send",
    );
    say(
        counts.in_state(MessageState::Suppressed),
        "to a suppressed mailbox, refused for good before or on your list, so not tried.",
        "when the mailbox is right after all: undersigned retry --state suppressed, then undersigned send   (on your list: undersigned suppress remove first)",
    );
    say(
        counts.in_state(MessageState::Held),
        "held: for you, or for an official without a mailbox.",
        "undersigned release, or undersigned cancel",
    );
    let is_idle = matches!(figures.overall, Overall::Paused | Overall::Planned | Overall::Stopped);
    if is_idle && figures.pause.is_none() && counts.can_move() {
        out.push_str("\n  Go on with: undersigned send\n");
    }
    out
}

/// Letters by official, the busiest first; `total` is how many officials there are.
pub fn officials(figures: &[OfficialFigures], total: usize) -> String {
    let mut table = Table::new(&[
        ("official", Align::Left, 30),
        ("of", Align::Left, 18),
        ("letters", Align::Right, 9),
        ("sent", Align::Right, 9),
        ("other", Align::Right, 9),
    ]);
    for official in figures {
        let all: u64 = official.letters.values().sum();
        let sent = official.letters.get(&MessageState::Sent).copied().unwrap_or(0);
        table.row([
            official.official.clone(),
            official.jurisdiction.clone(),
            count(all),
            count(sent),
            count(all - sent),
        ]);
    }
    let mut out = table.text();
    if total > figures.len() {
        let _ = writeln!(out, "  … and {} more officials", total - figures.len());
    }
    out
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;

    #[test]
    fn why_a_campaign_stopped_or_is_paused_fits_a_terminal() {
        let reason = "relay `main` refuses our account: 535 5.7.8 not accepted, whatever the reason is ".repeat(3);
        let figures = Figures {
            campaign: "Ours".to_owned(),
            overall: Overall::Stopped,
            reason: reason.clone(),
            pause: Some(Pause { since: Timestamp::UNIX_EPOCH, reason }),
            counts: Counts::zero(),
            in_doubt_of_erased: 0,
            relays: Vec::new(),
            sent_last_minute: 0,
            at: Timestamp::UNIX_EPOCH,
            zone: TimeZone::UTC,
            around: Around::default(),
        };
        let text = text(&figures);
        assert!(text.lines().all(|line| line.width() <= 80), "{text}");
        assert!(text.starts_with("Ours: stopped\n  because relay `main`"), "{text}");
        assert!(text.contains("ago: relay") && text.contains("\n  go on with: undersigned resume\n\n"), "{text}");
    }
}
