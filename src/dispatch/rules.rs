//! What staff may change while letters go, and how the dispatcher hears of it.
//!
//! Looks at the ledger and tells what is new; must not decide what becomes of it: that is the desk's.

use std::fmt;
use std::time::Duration;

use crate::ledger::{LiveSetting, Pause, Wishes};
use crate::policy::{Limit, PaceSettings, RelayLimits, Windows};

/// Every rule on speed that staff may change while letters go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaceRules {
    /// The limits of the campaign.
    pub pace: PaceSettings,
    /// The limits of each relay, in their order.
    pub relays: Vec<RelayLimits>,
    /// Hours in which messages may go.
    pub windows: Windows,
    /// At most so many letters to one official.
    pub official_total: Option<u64>,
}

type Reading = dyn Fn(&[LiveSetting]) -> Result<PaceRules, String> + Send;

/// Reads the rules that settings of staff make of the configuration; in its error, what cannot be read.
pub struct Revise(Box<Reading>);

impl Revise {
    /// By this function.
    pub fn new(read: impl Fn(&[LiveSetting]) -> Result<PaceRules, String> + Send + 'static) -> Self {
        Self(Box::new(read))
    }
}

impl fmt::Debug for Revise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Revise")
    }
}

/// Something new.
#[derive(Debug)]
pub(super) enum Heard {
    /// A pause, or its end.
    Pause(Option<Pause>),
    /// Other rules.
    Rules(Box<PaceRules>),
    /// A mailbox to which nothing more goes.
    Suppressed,
}

/// Whoever listens to what staff want.
#[derive(Debug)]
pub(super) struct Listener {
    revise: Revise,
    known: Wishes,
}

impl Listener {
    pub(super) fn new(revise: Revise) -> Self {
        Self { revise, known: Wishes::default() }
    }

    /// What is new in what staff want.
    pub(super) fn hear(&mut self, wishes: Wishes) -> Vec<Heard> {
        let mut heard = Vec::new();
        if wishes.pause != self.known.pause {
            heard.push(Heard::Pause(wishes.pause.clone()));
        }
        if wishes.settings != self.known.settings {
            match (self.revise.0)(&wishes.settings) {
                Ok(rules) => heard.push(Heard::Rules(Box::new(rules))),
                Err(why) => tracing::warn!("the pace stays as it was: {why}"),
            }
        }
        if wishes.suppressed_at != self.known.suppressed_at {
            heard.push(Heard::Suppressed);
        }
        self.known = wishes;
        heard
    }
}

impl PaceRules {
    /// Whether anything counts hand-overs by the day.
    pub(super) fn counts_days(&self) -> bool {
        self.pace.warm_up.days() > 0 || self.relays.iter().any(|relay| relay.quota != Limit::Unlimited)
    }

    /// The longest time over which any smooth limit counts; nothing where nothing is limited.
    pub(super) fn longest_unit(&self) -> Option<Duration> {
        let PaceSettings { global, per_mailbox, per_domain, domains, mailboxes, .. } = &self.pace;
        let own = domains.values().chain(mailboxes.values());
        let limits = [global, per_mailbox, per_domain].into_iter().chain(own).copied();
        let relays = self.relays.iter().map(|relay| relay.rate);
        longest(limits.chain(relays))
    }

    /// The longest time over which any mailbox is limited.
    pub(super) fn longest_of_mailboxes(&self) -> Duration {
        let limits = self.pace.mailboxes.values().copied().chain([self.pace.per_mailbox]);
        longest(limits).unwrap_or_default()
    }
}

fn longest(limits: impl Iterator<Item = Limit>) -> Option<Duration> {
    limits.filter_map(Limit::rate).map(|rate| rate.unit().duration()).max()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn setting(value: &str) -> LiveSetting {
        let (key, value) = ("pace.global".to_owned(), value.to_owned());
        LiveSetting { key, value, instead_of: String::new(), at: Timestamp::UNIX_EPOCH, reason: String::new() }
    }

    #[test]
    fn only_what_is_new_is_heard_and_what_cannot_be_read_changes_nothing() {
        let mut listener = Listener::new(Revise::new(|settings| {
            let mut pace = PaceSettings::unlimited();
            for setting in settings {
                pace.global = setting.value.parse().map_err(|e: crate::policy::RateError| e.to_string())?;
            }
            Ok(PaceRules { pace, relays: Vec::new(), windows: Windows::always(), official_total: None })
        }));
        let pause = Pause { since: Timestamp::UNIX_EPOCH, reason: "a phone call".to_owned() };
        let wishes = |pause: Option<&Pause>, values: &[&str]| Wishes {
            pause: pause.cloned(),
            settings: values.iter().map(|value| setting(value)).collect(),
            suppressed_at: None,
        };
        assert!(listener.hear(wishes(None, &[])).is_empty());
        assert!(matches!(&listener.hear(wishes(Some(&pause), &[]))[..], [Heard::Pause(Some(_))]));
        let heard = listener.hear(wishes(None, &["3/h"]));
        assert!(
            matches!(&heard[..], [Heard::Pause(None), Heard::Rules(rules)] if rules.pace.global.to_string() == "3/h")
        );
        assert!(listener.hear(wishes(None, &["3/h"])).is_empty());
        assert!(listener.hear(wishes(None, &["soon"])).is_empty());
        assert!(
            matches!(&listener.hear(wishes(None, &[]))[..], [Heard::Rules(rules)] if rules.pace.global == Limit::Unlimited)
        );
        let list = || Wishes { suppressed_at: Some(Timestamp::UNIX_EPOCH), ..Wishes::default() };
        assert!(matches!(&listener.hear(list())[..], [Heard::Suppressed]));
        assert!(listener.hear(list()).is_empty());
    }
}
