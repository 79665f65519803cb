//! What the desk does when staff want something else: a pause, another pace, other hours.
//!
//! What is in transmission finishes; what was claimed or dealt out goes back and is claimed again under the new rules.

use std::time::Duration;

use super::{Chore, Claiming, Desk, MessageKind, Now, Opening, PaceRules, Pause, a_second_s_worth};

/// Whether the ledger lets no more letters wait than the total of each official. It can hold back only what waits, so
/// what is at hand goes back first, and nothing is claimed until that is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Totals {
    /// It does.
    Kept,
    /// It is to be told, once nothing of ours is on its way to it.
    Due,
    /// It was told.
    BeingKept,
}

/// Which kinds of message may go at all.
#[derive(Debug)]
pub(super) struct Hours {
    letters_may_go: bool,
    confirmations_may_go: bool,
    /// When they last became free to go, while the lanes begin one after the other.
    pub(super) opening: Option<Opening>,
}

impl Hours {
    /// At a start nobody waited for the hours.
    pub(super) fn open() -> Self {
        Self { letters_may_go: true, confirmations_may_go: true, opening: None }
    }
}

impl Desk {
    pub(super) fn paused(&mut self, pause: Option<Pause>) {
        self.pause = pause;
        if self.pause.is_some() {
            self.recall.call_back();
        }
        self.begin_anew();
    }

    pub(super) fn revised(&mut self, rules: PaceRules, now: Now) {
        self.recall.call_back();
        self.pace.change(now.since_start, rules.pace.clone());
        for (index, limits) in rules.relays.iter().enumerate().take(self.relays.len()) {
            self.pace.add_relay(index, *limits);
            self.relays[index].has_rate(limits.rate);
            self.chores.extend(self.relays[index].may_have_room(now).map(Chore::NoteRelay));
        }
        self.buffer_target = self.buffer_full.min(a_second_s_worth(&rules));
        self.windows = rules.windows;
        let interval = self.pace.mailbox_interval();
        self.lane_wait.set(interval);
        let latest = now.wall.checked_add(interval.unwrap_or(Duration::ZERO)).unwrap_or(now.wall);
        self.chores.push(Chore::PullLanesIn(latest));
        if rules.official_total != self.official_total {
            self.official_total = rules.official_total;
            self.totals = Totals::Due;
        }
        self.begin_anew();
    }

    /// What is at hand may be for a mailbox that gets nothing more; the ledger, asked again, sets it aside.
    pub(super) fn suppressed(&mut self) {
        self.recall.call_back();
        if self.claiming == Claiming::Yes {
            self.claiming = Claiming::Stale;
        }
        self.begin_anew();
    }

    /// A letter went back that counted as good as gone.
    pub(super) fn totals_may_be_off(&mut self) {
        if self.official_total.is_some() {
            self.totals = Totals::Due;
        }
    }

    pub(super) fn watch_the_totals(&mut self) {
        let is_settled = self.chores_open == 0 && self.chores.is_empty();
        match self.totals {
            Totals::Due if is_settled => {
                self.chores.push(Chore::KeepTotals(self.official_total));
                self.totals = Totals::BeingKept;
            }
            Totals::BeingKept if is_settled => self.totals = Totals::Kept,
            Totals::Due | Totals::BeingKept | Totals::Kept => {}
        }
    }

    fn begin_anew(&mut self) {
        self.give_back_all();
        self.stir();
        self.paced_until = None;
        self.progress.waiting = None;
        self.progress_is_new = true;
    }

    /// Notes when letters may go that could not before: then the lanes begin one after the other. When hours end, what
    /// was dealt out goes back.
    pub(super) fn watch_the_hours(&mut self, now: Now) {
        let open = self.windows.at(now.clock);
        let confirmations_may_go = open.lets(MessageKind::Confirmation);
        let may_go = self.pause.is_none() && open.lets(MessageKind::Letter);
        if (self.hours.letters_may_go && !may_go) || (self.hours.confirmations_may_go && !confirmations_may_go) {
            self.recall.call_back();
        }
        if may_go && !self.hours.letters_may_go {
            let interval = self.pace.mailbox_interval();
            let seed = self.chance.seed();
            self.hours.opening = interval.map(|interval| Opening::new(now.since_start, interval, seed));
        }
        (self.hours.letters_may_go, self.hours.confirmations_may_go) = (may_go, confirmations_may_go);
    }
}
