//! From what happened to what is done about it: one function, [`decide`].
//!
//! The order of evaluation is: the phase, what relays are known to say (`replies`), the enhanced code, the basic
//! code (`codes`). A failure has two axes, permanence and scope; only what is about one recipient or one message,
//! for good, is bounced. The breaker looks at many verdicts together and is a decision of its own.

use std::borrow::Cow;
use std::time::Duration;

use jiff::Timestamp;

use super::asked_wait::asked_wait;
use super::codes;
use super::replies::Replies;
use super::reply_rule::NamedEffect;
use super::retry::RetrySchedule;
use crate::model::{Class, Disposition, LossCause, Outcome, Phase, Reply};

/// Under what circumstances an outcome is judged.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// The time now.
    pub now: Timestamp,
    /// How many tries of this message counted, before this one.
    pub tries_counted: u32,
    /// When its first try was made; `None` if this is the first.
    pub first_attempt_at: Option<Timestamp>,
    /// When the campaign ends.
    pub deadline: Option<Timestamp>,
    /// What this relay's replies are looked up in.
    pub replies: &'a Replies,
    /// Whether the relay has broken off at this message again and again: see [`super::BreakOffs`].
    pub is_suspect: bool,
    /// When to try a recipient again.
    pub retry: &'a RetrySchedule,
    /// From 0 to 1, drawn anew for every decision.
    pub jitter: f64,
}

/// What the dispatcher does to the relay. A relay's own waits are the [`super::RelayClock`]'s.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelayEffect {
    /// Nothing; the session goes on.
    None,
    /// A new connection, when the relay's clock says so.
    Reconnect,
    /// Lower its rate.
    SlowDown,
    /// Lower the number of its connections.
    FewerConnections,
    /// Leave it alone for a long time, and tell staff.
    Park {
        /// For at least so long.
        at_least: Duration,
    },
    /// Stop the campaign: only staff can help.
    Stop,
}

/// What is done about an outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Verdict {
    /// What kind of trouble it is.
    pub class: Class,
    /// What becomes of the message.
    pub disposition: Disposition,
    /// What becomes of the relay.
    pub effect: RelayEffect,
    /// Whether the connection is of no more use and must be closed.
    pub ends_session: bool,
    /// Which rule decided, for the log.
    pub rule: Cow<'static, str>,
}

impl Verdict {
    /// Whether the connection broke off and the message is blamed for it.
    pub fn is_blamed(&self) -> bool {
        self.class == Class::RecipientTransient && self.effect == RelayEffect::Reconnect
    }
}

/// Decides what an outcome means for its message and for its relay.
///
/// Never [`Disposition::Bounced`] for what is about the relay, the connection or our account there, and never
/// anything but [`Disposition::InDoubt`] where the relay may have the message and nobody can tell.
pub fn decide(outcome: &Outcome, situation: &Situation<'_>) -> Verdict {
    let reading = match outcome {
        Outcome::Replied(reply) => replied(reply, situation.replies),
        Outcome::Lost { phase, cause, .. } => lost(*phase, *cause),
    };
    let reading = if situation.is_suspect { blamed(reading, outcome) } else { reading };
    let effect = reading.effect.unwrap_or_else(|| usual_effect(reading.class, outcome));
    Verdict {
        class: reading.class,
        disposition: dispose(reading.class, outcome, situation),
        effect,
        ends_session: ends_session(reading.class, effect, outcome),
        rule: reading.rule,
    }
}

struct Reading {
    class: Class,
    effect: Option<RelayEffect>,
    rule: Cow<'static, str>,
}

impl Reading {
    fn usual(class: Class, rule: &'static str) -> Self {
        Self { class, effect: None, rule: Cow::Borrowed(rule) }
    }
}

/// A connection that breaks off at one message again and again is that message's trouble: it counts against it, so that
/// it is not tried without end.
fn blamed(reading: Reading, outcome: &Outcome) -> Reading {
    if reading.class != Class::Connection || outcome.phase() < Phase::Mail {
        return reading;
    }
    Reading {
        class: Class::RecipientTransient,
        effect: Some(RelayEffect::Reconnect),
        rule: Cow::Borrowed("the relay breaks off at this message each time"),
    }
}

fn lost(phase: Phase, cause: LossCause) -> Reading {
    if phase == Phase::Dot || cause == LossCause::ProcessEnded {
        return Reading::usual(Class::InDoubt, "no readable reply to the dot");
    }
    match cause {
        LossCause::Certificate => Reading::usual(Class::Account, "certificate not valid"),
        LossCause::NotOffered if phase < Phase::Mail => Reading::usual(Class::Account, "not offered by the relay"),
        LossCause::NotOffered => Reading::usual(Class::MessagePermanent, "needs what the relay does not offer"),
        LossCause::DeadlinePassed => Reading {
            class: Class::RecipientTransient,
            effect: Some(RelayEffect::None),
            rule: Cow::Borrowed("the deadline has passed"),
        },
        _ => Reading::usual(Class::Connection, "lost before the dot"),
    }
}

fn replied(reply: &Reply, replies: &Replies) -> Reading {
    if reply.accepts_message() {
        return Reading::usual(Class::Accepted, "250 to the dot");
    }
    if !(400..600).contains(&reply.code) {
        return match reply.phase {
            Phase::Dot => Reading::usual(Class::InDoubt, "neither 250 nor a refusal at the dot"),
            _ => Reading::usual(Class::Connection, "reply out of place"),
        };
    }
    refused(reply, replies)
}

fn refused(reply: &Reply, replies: &Replies) -> Reading {
    let Some(known) = replies.look_up(reply) else {
        let (class, rule) = codes::read(reply);
        return Reading::usual(class, rule);
    };
    let effect = known.effect.map(|effect| match effect {
        NamedEffect::FewerConnections => RelayEffect::FewerConnections,
        NamedEffect::Park => park(reply),
    });
    Reading { class: known.class, effect, rule: known.rule }
}

fn usual_effect(class: Class, outcome: &Outcome) -> RelayEffect {
    match class {
        Class::Accepted
        | Class::RecipientTransient
        | Class::RecipientPermanent
        | Class::MessagePermanent
        | Class::Breaker => RelayEffect::None,
        Class::Connection | Class::InDoubt => RelayEffect::Reconnect,
        Class::SlowDown => RelayEffect::SlowDown,
        Class::Quota => outcome.reply().map_or(RelayEffect::Park { at_least: Duration::ZERO }, park),
        Class::Account => RelayEffect::Stop,
    }
}

fn park(reply: &Reply) -> RelayEffect {
    let asked = asked_wait(&reply.text).unwrap_or_default();
    RelayEffect::Park { at_least: asked.min(RetrySchedule::ASKED_MAX) }
}

fn ends_session(class: Class, effect: RelayEffect, outcome: &Outcome) -> bool {
    let closing = outcome.reply().is_none_or(|reply| reply.code == 421);
    let broken = matches!(class, Class::Connection | Class::InDoubt | Class::Account | Class::Quota);
    closing || broken || matches!(effect, RelayEffect::FewerConnections | RelayEffect::Reconnect)
}

fn dispose(class: Class, outcome: &Outcome, situation: &Situation<'_>) -> Disposition {
    match class {
        Class::Accepted => Disposition::Sent,
        Class::RecipientTransient => try_again(outcome, situation),
        Class::RecipientPermanent | Class::MessagePermanent => Disposition::Bounced,
        Class::InDoubt => Disposition::InDoubt,
        // The relay's clock governs: the message is ready whenever the relay is.
        Class::Connection | Class::SlowDown | Class::Quota | Class::Account | Class::Breaker => {
            Disposition::Deferred { due: situation.now, counted: false }
        }
    }
}

/// The recipient's clock.
fn try_again(outcome: &Outcome, situation: &Situation<'_>) -> Disposition {
    let Situation { now, tries_counted, first_attempt_at, deadline, retry, jitter, .. } = *situation;
    let due = match outcome.reply().and_then(|reply| asked_wait(&reply.text)) {
        Some(asked) => retry.next_due_as_asked(asked, tries_counted, now, jitter),
        None => retry.next_due(tries_counted, now, jitter),
    };
    if due > retry.give_up_at(first_attempt_at.unwrap_or(now), deadline) {
        Disposition::Expired
    } else {
        Disposition::Deferred { due, counted: true }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn phases() -> impl Strategy<Value = Phase> {
        prop::sample::select(Phase::ALL.to_vec())
    }

    /// Words that rules look for, in any order, among others.
    fn texts() -> impl Strategy<Value = String> {
        let words = [
            "5.1.1",
            "4.2.2",
            "5.7.57",
            "quota",
            "exceeded",
            "daily",
            "over",
            "user",
            "unknown",
            "try",
            "again",
            "in",
            "00:04:59",
            "99999999999999999999",
            "seconds",
            "greylisted",
            "relay access denied",
            "too many connections",
            "message size exceeds",
            "\u{202e}",
            "é",
            "*",
            "",
        ];
        prop::collection::vec(
            prop_oneof![4 => prop::sample::select(words.to_vec()).prop_map(str::to_owned), 1 => ".*"],
            0..8,
        )
        .prop_map(|words| words.join(" "))
    }

    proptest! {
        #[test]
        fn whatever_a_relay_says_no_message_is_lost_or_sent_twice_by_the_verdict(
            phase in phases(),
            code in 0..1100_u16,
            text in texts(),
            tries_counted: u32,
            is_suspect: bool,
            second in -377_705_023_201..253_402_207_200_i64,
            jitter in 0.0..1.0_f64,
        ) {
            let retry = RetrySchedule::default();
            let now = Timestamp::from_second(second).unwrap();
            let replies = Replies::default();
            let situation = Situation {
                now,
                tries_counted,
                first_attempt_at: None,
                deadline: None,
                replies: &replies,
                is_suspect,
                retry: &retry,
                jitter,
            };
            let reply = Reply::new(phase, code, [text.as_str()]);
            let refusal = (400..600).contains(&code);
            let verdict = decide(&Outcome::Replied(reply), &situation);
            let (class, disposition) = (verdict.class, verdict.disposition);
            prop_assert_eq!(disposition == Disposition::Sent, phase == Phase::Dot && code == 250);
            prop_assert_eq!(disposition == Disposition::InDoubt, phase == Phase::Dot && code != 250 && !refusal);
            if disposition == Disposition::Bounced {
                prop_assert!(matches!(class, Class::RecipientPermanent | Class::MessagePermanent));
                prop_assert!(phase >= Phase::Mail && code >= 500);
                prop_assert_eq!(verdict.effect, RelayEffect::None);
            }
            if let Disposition::Deferred { due, counted } = disposition {
                prop_assert!(due >= now);
                prop_assert_eq!(counted, class == Class::RecipientTransient);
                prop_assert!(!counted || phase >= Phase::Mail);
            }
            if code == 421 || class == Class::InDoubt {
                prop_assert!(verdict.ends_session);
            }
        }
    }
}
