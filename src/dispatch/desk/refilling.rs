//! What the desk wants out of the ledger, and when: nothing more than can go soon.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    Carries, Chore, Claim, Claimed, Claiming, Desk, Ending, HEARTBEAT, MessageKind, Now, Open, Pause, Standing,
    StopReason, Totals, Waiting,
};

impl Desk {
    pub(super) fn claimed(&mut self, claimed: Claimed, now: Now) {
        let is_stale = std::mem::replace(&mut self.claiming, Claiming::No) == Claiming::Stale;
        self.chores_open -= 1;
        if claimed.leased.is_empty() && claimed.round == self.round {
            // Looks again after a heartbeat at the latest: staff may have released something.
            let soon = now.wall.checked_add(HEARTBEAT).unwrap_or(now.wall);
            let opens_at = self.windows.at(now.clock).changes_at();
            let all_kinds = self.kinds_with_a_relay(now) == Carries::ALL;
            let may_go = !self.limit_is_reached() && opens_at.is_none() && self.pause.is_none() && all_kinds;
            let next = claimed.next_wake.filter(|_| may_go);
            self.dry_until = Some(next.map_or(soon, |at| at.min(soon)));
            match claimed.next_wake {
                _ if self.is_quiet() && self.limit_is_reached() => self.leave(Ending::LimitReached),
                Some(until) if self.is_quiet() => match (opens_at, &self.pause) {
                    (_, Some(pause)) => {
                        let reason = pause_in_words(pause);
                        self.wait_for(None, reason);
                    }
                    (Some(at), None) => self.wait_for(Some(until.max(at)), "the hours in which they may go".to_owned()),
                    (None, None) => self.wait_for(Some(until), "the next messages come due".to_owned()),
                },
                None if self.is_quiet() => self.leave(Ending::Settled),
                _ => {}
            }
        }
        self.buffer.extend(claimed.leased);
        if is_stale || self.pause.is_some() || self.totals != Totals::Kept {
            // They were asked for before.
            self.give_back_all();
        }
        self.sort_out(now);
    }

    /// Something may have become ready: an empty claim from before no longer counts.
    pub(super) fn stir(&mut self) {
        self.round += 1;
        self.dry_until = None;
    }

    pub(super) fn is_quiet(&self) -> bool {
        self.buffer.is_empty() && self.chores_open == 0 && self.relays.iter().all(|r| r.busy == 0)
    }

    /// Whether as many letters as were asked for are out; what is left of the run is their confirmations.
    pub(super) fn limit_is_reached(&self) -> bool {
        self.letters_left == Some(0)
    }

    pub(super) fn wake_in(&mut self, now: Now, wait: Duration) {
        let at = now.since_start + wait;
        self.wake = Some(self.wake.map_or(at, |earlier| earlier.min(at)));
    }

    pub(super) fn refill(&mut self, now: Now) {
        let some_relay_works = self.relays.iter().any(|r| r.standing(now).is_usable());
        if !some_relay_works {
            self.give_back_all();
            let paused = self.relays.iter().filter(|r| r.standing(now) != Standing::Stopped);
            let next = paused.filter_map(|r| Some((r.not_before(now)?, r))).min_by_key(|(at, _)| *at);
            if let Some((until, relay)) = next {
                let reason = format!("relay `{}` cannot be used: {}", relay.name, relay.trouble);
                self.wait_for(Some(until), reason);
                self.wake_in(now, Duration::try_from(until.duration_since(now.wall)).unwrap_or_default());
            }
            return;
        }
        let later = self.dry_until.max(self.paced_until).filter(|until| *until > now.wall);
        if self.claiming == Claiming::No
            && self.totals == Totals::Kept
            && later.is_none()
            && self.buffer.len() * 2 < self.buffer_target
        {
            self.claiming = Claiming::Yes;
            self.chores.push(Chore::Claim(self.wanted(now), self.round));
        }
        if let Some(until) = later {
            self.wake_in(now, Duration::try_from(until.duration_since(now.wall)).unwrap_or_default());
        }
    }

    /// What to claim now. Where nothing may go, a claim of nothing still tells whether anything waits.
    pub(super) fn wanted(&self, now: Now) -> Claim {
        let (limit, kind) = match self.windows.at(now.clock) {
            _ if self.pause.is_some() => (0, None),
            Open::All => (self.buffer_target, self.limit_is_reached().then_some(MessageKind::Confirmation)),
            Open::Only { kind: MessageKind::Letter, .. } if self.limit_is_reached() => (0, None),
            Open::Only { kind, .. } => (self.buffer_target, Some(kind)),
            Open::Nothing { .. } => (0, None),
        };
        let (limit, kind) = narrowed(limit, kind, self.kinds_with_a_relay(now));
        Claim { now: now.wall, limit, one_per_lane: self.pace.mailbox_interval().is_some(), kind }
    }

    pub(super) fn wait_for(&mut self, until: Option<Timestamp>, reason: String) {
        if !self.is_patient {
            self.leave(Ending::Stopped(StopReason::Impatient { reason }));
            return;
        }
        let waiting = Some(Waiting { until, reason });
        if self.progress.waiting != waiting {
            self.progress.waiting = waiting;
            self.progress_is_new = true;
        }
    }
}

/// A claim of what some relay can carry now.
fn narrowed(limit: usize, kind: Option<MessageKind>, kinds: Carries) -> (usize, Option<MessageKind>) {
    let only = match (kinds.letters, kinds.confirmations) {
        (true, true) => return (limit, kind),
        (true, false) => MessageKind::Letter,
        (false, true) => MessageKind::Confirmation,
        (false, false) => return (0, None),
    };
    if kind.is_none_or(|kind| kind == only) { (limit, Some(only)) } else { (0, None) }
}

fn pause_in_words(pause: &Pause) -> String {
    let why = if pause.reason.is_empty() { String::new() } else { format!(" ({})", pause.reason) };
    format!("paused by staff{why}; go on with: undersigned resume")
}
