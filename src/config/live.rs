//! What staff may change while letters go, by the keys of `config.toml`: everything on pace, nothing else.
//!
//! A changed value is read by the same code as the file's own. Where changes are kept is the ledger's.

use super::document::{Document, Origin};
use super::{Config, ConfigError, Problem, RelayConfig};
use crate::policy::Limit;

/// A limit in force, as staff read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InForce {
    /// Its key in `config.toml`; a relay's with the name of the relay.
    pub key: String,
    /// Its value, as it would stand there.
    pub value: String,
    /// Where it comes from.
    pub origin: String,
}

impl Config {
    /// The whole name of a key on pace: `per_mailbox` is short for `pace.per_mailbox`.
    pub fn pace_key(&self, key: &str) -> Result<String, ConfigError> {
        let key = key.trim();
        let is_of_relay = key.strip_prefix("relay.").and_then(|rest| rest.rsplit_once('.'));
        match is_of_relay {
            Some((name, "rate" | "quota")) if self.relays.iter().any(|relay| relay.name() == name) => {
                Ok(key.to_owned())
            }
            Some((name, "rate" | "quota")) => {
                let names: Vec<&str> = self.relays.iter().map(RelayConfig::name).collect();
                let text = format!("there is no relay `{name}`; there is {}", names.join(", "));
                Err(ConfigError::single(Problem::new("pace", text)))
            }
            Some(_) => {
                let text =
                    format!("`{key}` cannot be changed while letters go; of a relay only `rate` and `quota` can");
                Err(ConfigError::single(Problem::new("pace", text)))
            }
            None if key.starts_with("pace.") => Ok(key.to_owned()),
            None => Ok(format!("pace.{key}")),
        }
    }

    /// These settings with other values for some keys on pace, each as `--set` takes it.
    pub fn revised<'a>(&self, changes: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, ConfigError> {
        let mut document = self.document.clone();
        for (key, value) in changes {
            document.set_live(key, value);
        }
        Self::read(&self.dir, document)
    }

    /// The value of a key as the file or the defaults have it; empty where neither does.
    pub fn written_value(&self, key: &str) -> String {
        let key = self.document.by_relay_name(key);
        self.document.entries.get(&key).map(|entry| entry.value.to_string()).unwrap_or_default()
    }

    /// Whether `--set` gives a key for this run.
    pub fn is_set_by_flag(&self, key: &str) -> bool {
        let key = self.document.by_relay_name(key);
        self.document.entries.get(&key).is_some_and(|entry| entry.origin == Origin::Flag)
    }

    /// One limit that is in force.
    pub fn limit_in_force(&self, key: &str) -> Option<InForce> {
        self.pace_in_force().into_iter().find(|limit| limit.key == key)
    }

    /// Every limit in force.
    pub fn pace_in_force(&self) -> Vec<InForce> {
        let of_pace = self.document.entries.iter().filter(|(key, _)| key.starts_with("pace."));
        let mut all: Vec<InForce> = of_pace
            .map(|(key, entry)| InForce {
                key: key.clone(),
                value: entry.value.to_string(),
                origin: entry.origin.to_string(),
            })
            .collect();
        for (n, relay) in self.relays.iter().enumerate() {
            let (rate, quota) = (("rate", relay.rate), ("quota", relay.quota));
            all.extend([rate, quota].map(|(name, limit)| self.document.of_relay(n, relay, name, limit)));
        }
        all
    }
}

impl Document {
    /// What nobody has written may be the provider's own limit.
    fn of_relay(&self, n: usize, relay: &RelayConfig, name: &str, limit: Limit) -> InForce {
        let key = format!("relay.{}.{name}", relay.name());
        match self.entries.get(&format!("relay.{n}.{name}")) {
            Some(entry) => InForce { key, value: entry.value.to_string(), origin: entry.origin.to_string() },
            None if limit == Limit::Unlimited => {
                InForce { key, value: limit.to_string(), origin: Origin::Default.to_string() }
            }
            None => InForce { key, value: limit.to_string(), origin: relay.profile.to_string() },
        }
    }
}
