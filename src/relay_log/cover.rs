//! Over which times the logs tell something, so that their silence does, too. It must not know what lines mean.

use jiff::{SignedDuration, Timestamp};

/// The log must go on for so long after a hand-over before its silence tells anything.
const SILENCE: SignedDuration = SignedDuration::from_mins(10);
/// So long before the hand-over it must have begun; and a hand-over leaves lines within so much time.
const NEAR: SignedDuration = SignedDuration::from_mins(1);
/// Between two files of one log there may be so much time; what comes through a pipe may be silent for so long.
const GAP_MAX: SignedDuration = SignedDuration::from_mins(10);
/// How many stretches without a silence of a minute are remembered: years of them.
const STRETCHES_MAX: usize = 1 << 20;

type Span = (Timestamp, Timestamp);

/// Over which times there are lines.
#[derive(Debug, Default)]
pub(super) struct Cover {
    /// From the first line of a file to its last; of what came through a pipe, without its long silences.
    files: Vec<Span>,
    /// Lines that follow each other within a minute.
    heard: Vec<Span>,
    is_full: bool,
}

impl Cover {
    /// A line of that time.
    pub(super) fn hear(&mut self, at: Timestamp) {
        if let Some((first, last)) = self.heard.last_mut()
            && at.duration_since(*last) <= NEAR
            && first.duration_since(at) <= NEAR
        {
            (*first, *last) = ((*first).min(at), (*last).max(at));
        } else if self.heard.len() < STRETCHES_MAX {
            self.heard.push((at, at));
        } else {
            self.is_full = true;
        }
    }

    /// How much was heard until now.
    pub(super) fn so_far(&self) -> usize {
        self.heard.len()
    }

    /// A file was read to its end.
    pub(super) fn file(&mut self, first: Timestamp, last: Timestamp) {
        self.files.push((first, last));
    }

    /// What came through a pipe was read to its end; before it, so much had been heard.
    pub(super) fn pipe(&mut self, before: usize) {
        let stretches = self.heard.get(before.saturating_sub(1)..).unwrap_or_default();
        self.files.extend(joined(stretches.to_vec(), GAP_MAX));
    }

    /// Nothing more is to come.
    pub(super) fn sort(&mut self) {
        self.files.sort_unstable();
        self.heard = joined(std::mem::take(&mut self.heard), NEAR);
    }

    /// Whether the silence of the logs about a hand-over between these times tells anything.
    pub(super) fn covers(&self, since: Timestamp, at: Timestamp) -> bool {
        let since = since.min(at);
        let around = (since.checked_sub(NEAR), at.checked_add(NEAR), at.checked_add(SILENCE));
        let (Ok(from), Ok(near), Ok(to)) = around else { return false };
        // The hand-over itself left lines, so a silence of that moment is one of the log.
        let is_heard = self.heard.iter().any(|(first, last)| *first <= near && *last >= from);
        let longest = |end: Timestamp, begin: Timestamp| if end < at && since < begin { NEAR } else { GAP_MAX };
        let mut covered_to: Option<Timestamp> = None;
        for (first, last) in self.files.iter().filter(|(_, last)| *last >= from) {
            match covered_to {
                None if *first <= from => covered_to = Some(*last),
                Some(so_far) if first.duration_since(so_far) <= longest(so_far, *first) => {
                    covered_to = Some(so_far.max(*last));
                }
                None | Some(_) => break,
            }
        }
        is_heard && !self.is_full && covered_to.is_some_and(|last| last >= to)
    }
}

/// In order, those with so little time between them as one.
fn joined(mut spans: Vec<Span>, gap: SignedDuration) -> Vec<Span> {
    spans.sort_unstable();
    let mut whole: Vec<Span> = Vec::new();
    for (first, last) in spans {
        match whole.last_mut() {
            Some((_, end)) if first.duration_since(*end) <= gap => *end = (*end).max(last),
            _ => whole.push((first, last)),
        }
    }
    whole
}
