//! The lanes that wait for one recipient domain, each with a time of its own to ask again.
//!
//! Only the times; the domain's limit itself is a `gate` of `pace`.

use std::collections::HashMap;
use std::time::Duration;

use super::gate::{Moment, moment, shrink};

/// Which lane may ask again when, for lanes that wait for their domain.
///
/// Without it a hundred thousand lanes of one domain would all wake at its next free moment, and all but one
/// would go back to sleep. A slot is not a reservation: whoever asks at a free moment goes, so that no moment is
/// lost when a lane does not come. A lane that came at its slot and was overtaken waits for the next free moment,
/// not at the end of the line again.
#[derive(Debug, Default)]
pub(super) struct WaitingLine {
    /// The first slot of a domain that is not given away.
    ends: HashMap<Box<str>, Moment>,
    slots: HashMap<i64, Moment>,
}

impl WaitingLine {
    /// How long a lane's slot is remembered after its time.
    const LATE_MAX: Duration = Duration::from_secs(60 * 60);

    /// The lane's slot: the one it has, or the one it would get.
    pub(super) fn slot(&self, domain: &str, lane: i64, earliest: Moment, now: Moment) -> Moment {
        match self.slots.get(&lane) {
            Some(slot) if *slot > now => earliest.max(*slot),
            Some(_) => earliest,
            None => self.ends.get(domain).copied().unwrap_or(0).max(earliest),
        }
    }

    pub(super) fn join(&mut self, domain: &str, lane: i64, slot: Moment, interval: Duration) {
        if self.slots.contains_key(&lane) {
            return;
        }
        self.slots.insert(lane, slot);
        self.ends.insert(domain.into(), slot.saturating_add(moment(interval)));
    }

    pub(super) fn leave(&mut self, lane: i64) {
        self.slots.remove(&lane);
    }

    pub(super) fn prune(&mut self, now: Moment) {
        self.ends.retain(|_, end| *end > now);
        self.slots.retain(|_, slot| slot.saturating_add(moment(Self::LATE_MAX)) > now);
        shrink(&mut self.ends);
        shrink(&mut self.slots);
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len() + self.slots.len()
    }
}
