//! Which messages a relay may be given now, and what becomes of those that none may.
//!
//! A message that one relay may have already is for that relay alone; it waits for it by itself, so that its lane and
//! the other relays go on. Must not deal out anything: that is `serving`.

use jiff::Timestamp;

use super::{
    Candidate, Carries, Chore, Desk, Ending, Leased, MessageKind, Now, Outcome, RelayDesk, Standing, StopReason,
};

/// So many messages of each kind, the last at hand, are left to other relays. One that is bound to a relay never is.
pub(super) struct Left([usize; 2]);

impl Left {
    /// Whether a message is among them that has these behind it.
    pub(super) fn includes<'a>(&self, leased: &Leased, behind: impl IntoIterator<Item = &'a Leased>) -> bool {
        let (left, kind) = (self.0[leased.kind() as usize], leased.kind());
        let others = behind.into_iter().filter(|other| other.only_relay.is_none() && other.kind() == kind);
        left > 0 && leased.only_relay.is_none() && others.take(left).count() < left
    }
}

/// Where a message belongs that nobody was given yet.
enum Place {
    /// At hand: a relay may be given it.
    Here,
    /// In its lane, until a relay for its kind is back.
    Queue,
    /// In its lane, not before that time, when its relay is back.
    Later(Timestamp),
    /// With staff, for that reason.
    Staff(String),
}

impl Desk {
    /// The kinds of message that it is the relay's turn to take.
    pub(super) fn turn_of(&self, relay: usize, now: Now) -> Carries {
        let has_turn = |kind| {
            let me = &self.relays[relay];
            me.carries.includes(kind) && me.candidate(kind, now).may_take(self.others(relay, kind, now))
        };
        Carries { letters: has_turn(MessageKind::Letter), confirmations: has_turn(MessageKind::Confirmation) }
    }

    /// The other relays that carry that kind.
    fn others(&self, relay: usize, kind: MessageKind, now: Now) -> impl Iterator<Item = Candidate> {
        let others =
            self.relays.iter().enumerate().filter(move |(n, other)| *n != relay && other.carries.includes(kind));
        others.map(move |(_, other)| other.candidate(kind, now))
    }

    /// What of the messages at hand the relay leaves to others that are to be tried again.
    pub(super) fn left_by(&self, relay: usize, now: Now) -> Left {
        let of = |kind| self.relays[relay].candidate(kind, now).leaves_to(self.others(relay, kind, now));
        Left([MessageKind::Letter, MessageKind::Confirmation].map(of))
    }

    /// The messages at hand that the relay may be given.
    pub(super) fn fitting(&self, relay: usize, turn: Carries, now: Now) -> impl Iterator<Item = &Leased> {
        let left = self.left_by(relay, now);
        let is_left = move |n: usize, leased| left.includes(leased, self.buffer.range(n + 1..));
        let mine = self.buffer.iter().enumerate().filter(move |(n, leased)| !is_left(*n, leased));
        mine.map(|(_, leased)| leased).filter(move |leased| self.may_be_given(relay, turn, leased))
    }

    /// Whether the relay, whose turn it is to take these kinds, may be given that message.
    pub(super) fn may_be_given(&self, relay: usize, turn: Carries, leased: &Leased) -> bool {
        match &leased.only_relay {
            Some(only) => **only == *self.relays[relay].name,
            None => turn.includes(leased.kind()),
        }
    }

    /// The kinds of message for which there is a relay, be it with a short pause.
    pub(super) fn kinds_with_a_relay(&self, now: Now) -> Carries {
        let at_work = |relay: &&RelayDesk| !matches!(relay.standing(now), Standing::Away | Standing::Stopped);
        self.relays.iter().filter(at_work).map(|relay| relay.carries).fold(Carries::NOTHING, Carries::or)
    }

    /// Counts a message as given, for the shares.
    pub(super) fn given(&mut self, relay: usize, kind: MessageKind, now: Now) {
        self.relays[relay].given(kind, now);
        let me = self.relays[relay].candidate(kind, now);
        for (n, other) in self.relays.iter_mut().enumerate() {
            if n != relay && !other.candidate(kind, now).takes_part {
                other.level(kind, me.level_for(other.candidate(kind, now)));
            }
        }
    }

    /// Keeps at hand what some relay may be given; called when messages come and when a relay goes.
    pub(super) fn sort_out(&mut self, now: Now) {
        let kinds = self.kinds_with_a_relay(now);
        for leased in std::mem::take(&mut self.buffer) {
            let place = self.place_of(&leased, kinds, now);
            let leased = Box::new(leased);
            match place {
                Place::Here => self.buffer.push_back(*leased),
                Place::Queue => self.chores.push(Chore::GiveBack(leased, None)),
                Place::Later(due) => self.chores.push(Chore::Postpone(leased, due)),
                Place::Staff(reason) => self.chores.push(Chore::SetAside(leased, reason)),
            }
        }
        self.bound = self.buffer.iter().filter(|leased| leased.only_relay.is_some()).count();
    }

    fn place_of(&self, leased: &Leased, kinds: Carries, now: Now) -> Place {
        let Some(only) = leased.only_relay.as_deref() else {
            return if kinds.includes(leased.kind()) { Place::Here } else { Place::Queue };
        };
        let staff = |why: &str| {
            let advice = format!("to send it by another all the same: undersigned release {}", leased.id());
            Place::Staff(format!("relay `{only}` may have it already, and {why}; {advice}"))
        };
        let relay = self.relays.iter().find(|relay| relay.name == only && relay.carries.includes(leased.kind()));
        match relay.map(|relay| (relay.standing(now), relay.not_before(now))) {
            None => staff("is not in config.toml any more, or not for this sender"),
            Some((Standing::Stopped, _)) => staff("refuses us"),
            Some((Standing::Away, Some(until))) => Place::Later(until),
            Some(_) => Place::Here,
        }
    }

    /// A relay that refuses our account ends the campaign, unless others can carry all that it carried.
    pub(super) fn stop_for_account(&mut self, relay: usize, outcome: &Outcome, now: Now) {
        let name = &self.relays[relay].name;
        let reason = StopReason::Account { relay: name.clone(), reply: outcome.masked() };
        let is_left = |relay: &&RelayDesk| relay.standing(now) != Standing::Stopped;
        let left = self.relays.iter().filter(is_left).map(|relay| relay.carries).fold(Carries::NOTHING, Carries::or);
        if left.or(self.relays[relay].carries) == left {
            tracing::warn!("{reason}; the other relays go on without it");
        } else {
            self.leave(Ending::Stopped(reason));
        }
    }
}
