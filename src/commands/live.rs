//! What staff changed while letters went, laid over the configuration: which of it still holds, and the rules that
//! come of both.

use std::fmt::Write as _;

use jiff::Timestamp;

use crate::config::{Config, ConfigError};
use crate::dispatch::{PaceRules, RelayPlan, Revise, Settings};
use crate::ledger::sqlite::{Access, SqliteLedger};
use crate::ledger::{Ledger, LiveSetting, Wish};
use crate::policy::RelayLimits;
use crate::report::SHORT_MOMENT;

use super::console::note;
use super::{Exit, Failure};

/// Settings that staff changed, apart by whether they hold.
#[derive(Debug, Default)]
pub(super) struct Live {
    /// These hold.
    pub(super) holding: Vec<LiveSetting>,
    /// The configuration says something else since.
    pub(super) stale: Vec<LiveSetting>,
}

impl Live {
    /// What the campaign's ledger has, where there is one that can be read.
    pub(super) fn of(config: &Config) -> Self {
        let ledger = config.ledger.exists().then(|| SqliteLedger::open(&config.ledger, Access::Read));
        let wishes = ledger.and_then(Result::ok).and_then(|ledger| ledger.wishes().ok());
        Self::among(config, wishes.unwrap_or_default().settings)
    }

    /// Those of these. What `--set` says for one run holds over all of them.
    pub(super) fn among(config: &Config, settings: Vec<LiveSetting>) -> Self {
        let settings = settings.into_iter().filter(|setting| !config.is_set_by_flag(&setting.key));
        let (holding, stale) = settings.partition(|setting| config.written_value(&setting.key) == setting.instead_of);
        Self { holding, stale }
    }

    /// The configuration with what holds.
    pub(super) fn over(&self, config: &Config) -> Result<Config, Failure> {
        revised(config, &self.holding).map_err(|error| {
            let text = format!("{error}\nTake back what staff set with: undersigned pace unset --all");
            Failure::new(Exit::Usage, text)
        })
    }

    /// Tells staff at a start what is in force besides the file, and forgets what is not any more.
    pub(super) fn tell(&self, config: &Config, ledger: &SqliteLedger) -> Result<(), Failure> {
        for setting in &self.holding {
            note(format!(
                "{}; back to config.toml with: undersigned pace unset {}",
                line(config, setting),
                setting.key
            ));
        }
        for setting in &self.stale {
            ledger.wish(
                &Wish::Unset { key: setting.key.clone() },
                "config.toml says otherwise now",
                Timestamp::now(),
            )?;
            note(format!(
                "{} is as config.toml says now: it was changed there since staff set it to {}",
                setting.key, setting.value
            ));
        }
        Ok(())
    }
}

fn revised(config: &Config, settings: &[LiveSetting]) -> Result<Config, ConfigError> {
    config.revised(settings.iter().map(|setting| (setting.key.as_str(), setting.value.as_str())))
}

/// `pace.per_mailbox is 60/h since …, as staff set it (why)`.
fn line(config: &Config, setting: &LiveSetting) -> String {
    let mut line = format!("{} is {}, as {}", setting.key, setting.value, set_by_staff(config, setting));
    if !setting.reason.is_empty() {
        let _ = write!(line, " ({})", setting.reason);
    }
    line
}

/// Where a value comes from that staff set.
fn set_by_staff(config: &Config, setting: &LiveSetting) -> String {
    format!("set by staff on {}", setting.at.to_zoned_datetime(config.timezone.clone()).strftime(SHORT_MOMENT))
}

/// Settings that keep to these rules from the start.
pub(super) fn apply(settings: &mut Settings, rules: PaceRules) {
    for (plan, limits) in settings.relays.iter_mut().zip(&rules.relays) {
        (plan.rate, plan.quota) = (limits.rate, limits.quota);
    }
    (settings.pace, settings.windows) = (rules.pace, rules.windows);
    settings.official_total = rules.official_total;
}

/// How a running dispatch reads what staff change. What was set after `began` holds over `--set`, too.
pub(super) fn reading(config: Config, relays: &[RelayPlan], began: Timestamp) -> Revise {
    let plans: Vec<RelayLimits> = relays.iter().map(|p| RelayLimits { rate: p.rate, quota: p.quota }).collect();
    Revise::new(move |settings| {
        let holds = |setting: &&LiveSetting| {
            let over_flag = config.is_set_by_flag(&setting.key) && setting.at >= began;
            over_flag || Live::among(&config, vec![(*setting).clone()]).holding.len() == 1
        };
        let holding: Vec<LiveSetting> = settings.iter().filter(holds).cloned().collect();
        let now = revised(&config, &holding).map_err(|error| error.to_string())?;
        Ok(rules(&config, &now, &plans))
    })
}

/// The rules that a changed configuration makes; of relays, only what differs from what they began with.
pub(super) fn rules(before: &Config, now: &Config, plans: &[RelayLimits]) -> PaceRules {
    let changed = |before, now, plan| if before == now { plan } else { now };
    let relays = plans.iter().zip(&before.relays).zip(&now.relays).map(|((plan, before), now)| RelayLimits {
        rate: changed(before.rate, now.rate, plan.rate),
        quota: changed(before.quota, now.quota, plan.quota),
    });
    PaceRules {
        relays: relays.collect(),
        pace: now.pace.clone(),
        windows: now.windows.clone(),
        official_total: now.official_total,
    }
}
