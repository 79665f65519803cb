//! What the desk learns from how hand-overs and connections went: the relays' state, the breaker, reasons to stop.

use super::{Chore, Class, Desk, Disposition, Ending, MessageKind, Now, Outcome, RelayEffect, Report, StopReason};
use super::{Verdict, refusal_in_common};

impl Desk {
    pub(super) fn connect_failed(&mut self, relay: usize, outcome: &Outcome, effect: RelayEffect, now: Now) {
        let (desk, jitter) = (&mut self.relays[relay], self.chance.jitter());
        desk.connecting -= 1;
        let effect = if desk.token_may_be_stale(outcome, effect, now) { RelayEffect::Reconnect } else { effect };
        let record = match effect {
            RelayEffect::None | RelayEffect::Reconnect => desk.unreachable(outcome, now, jitter),
            effect => desk.suffers(effect, outcome, now, jitter),
        };
        self.chores.extend(record.map(Chore::NoteRelay));
        self.look_after(relay, effect, outcome, now);
    }

    /// What follows from a relay's trouble for the others and for what is at hand.
    fn look_after(&mut self, relay: usize, effect: RelayEffect, outcome: &Outcome, now: Now) {
        if effect == RelayEffect::Stop {
            self.stop_for_account(relay, outcome, now);
        }
        if !self.relays[relay].standing(now).is_usable() {
            self.sort_out(now);
        }
    }

    pub(super) fn handed_over(&mut self, report: &Report, now: Now) {
        let desk = &mut self.relays[report.relay];
        desk.is_done_with_one(report.goes_on, now);
        let Verdict { class, disposition, effect, .. } = report.verdict;
        let record = match effect {
            RelayEffect::None => desk.works(now),
            effect => desk.suffers(effect, &report.outcome, now, self.chance.jitter()),
        };
        let factor = desk.rate_factor(now);
        self.pace.set_relay_factor(report.relay, factor);
        self.chores.extend(record.map(Chore::NoteRelay));
        self.progress.count(report.kind, disposition);
        if !matches!(disposition, Disposition::Sent | Disposition::InDoubt) {
            self.was_refused(report.relay, now);
        }
        if matches!(disposition, Disposition::Deferred { .. }) {
            self.was_no_letter_out(report.kind);
        }
        self.progress.waiting = None;
        self.progress_is_new = true;
        self.stir();
        self.look_after(report.relay, effect, &report.outcome, now);
        self.watch_breaker(report, class);
    }

    /// What was let go and refused counts towards no quota.
    pub(super) fn was_refused(&mut self, relay: usize, now: Now) {
        self.pace.was_refused(relay);
        self.chores.extend(self.relays[relay].may_have_room(now).map(Chore::NoteRelay));
    }

    /// The breaker says that a refusal is not about its recipient: those that got it return to the queue, also the
    /// ones that were in other sessions' hands when it tripped.
    pub(super) fn watch_breaker(&mut self, report: &Report, class: Class) {
        let is_permanent = matches!(class, Class::RecipientPermanent | Class::MessagePermanent);
        if let Some(text) = self.tripped.as_deref().filter(|_| is_permanent) {
            if refusal_in_common(&report.outcome) == text {
                self.chores.push(Chore::Reinstate(vec![report.message], "the breaker had tripped".to_owned()));
            }
            return;
        }
        let tripped =
            self.breaker.as_mut().and_then(|b| b.observe(report.message, report.lane, &report.outcome, class));
        if let Some(tripped) = tripped {
            self.tripped = Some(tripped.text.clone());
            let reason = StopReason::Breaker { messages: tripped.messages.len(), text: tripped.text };
            self.chores.push(Chore::Reinstate(tripped.messages, reason.to_string()));
            self.leave(Ending::Stopped(reason));
        }
    }

    /// A limit counts letters that are out, not tries.
    pub(super) fn was_no_letter_out(&mut self, kind: MessageKind) {
        if let (Some(left), MessageKind::Letter) = (&mut self.letters_left, kind) {
            *left += 1;
        }
    }
}
