//! What is still to be sent and how fast it may go, for a forecast: the plan, less what the ledger has settled.

use jiff::Timestamp;

use crate::config::Config;
use crate::ledger::sqlite::{Access, SqliteLedger};
use crate::ledger::{Confirming, Ledger, OfficialFates};
use crate::model::{MessageKind, MessageState, Official};
use crate::plan::{Forecast, OfficialTally, Raise, Speed, Used, Workload, forecast, raises};
use crate::policy::RelayLimits;

use super::workspace::Prepared;

const DAY: std::time::Duration = std::time::Duration::from_secs(24 * 60 * 60);

/// See the module.
pub(super) struct Outlook<'a> {
    config: &'a Config,
    prepared: &'a Prepared,
    relays: Vec<RelayLimits>,
    tallies: Vec<OfficialTally>,
    confirmations: u64,
    used: Used,
    /// Letters that are beyond the total of their official.
    pub(super) beyond_total: u64,
    /// Letters that still wait or would be planned, to mailboxes on the suppression list.
    pub(super) suppressed: u64,
}

impl<'a> Outlook<'a> {
    pub(super) fn of(config: &'a Config, prepared: &'a Prepared) -> Self {
        let report = &prepared.report;
        let confirmations = match config.confirming {
            Confirming::PerConstituent => report.joined,
            Confirming::PerLetter => report.letters - report.held,
            Confirming::Never => 0,
        };
        let relays = config.relays.iter().map(|relay| RelayLimits { rate: relay.rate, quota: relay.quota }).collect();
        let (tallies, used) = (report.officials.clone(), Used::default());
        let (beyond_total, suppressed) = (0, 0);
        let mut outlook = Self { config, prepared, relays, tallies, confirmations, used, beyond_total, suppressed };
        let ledger = config.ledger.exists().then(|| SqliteLedger::open(&config.ledger, Access::Read));
        // One that cannot be read is told of by whoever needs it.
        if let Some(Ok(ledger)) = ledger {
            let _ = outlook.look_into(&ledger);
        } else {
            outlook.tallies.iter_mut().for_each(|tally| outlook.beyond_total += keep_to(config, 0, tally));
        }
        outlook
    }

    /// Takes away what is settled, and notes what was used.
    fn look_into(&mut self, ledger: &SqliteLedger) -> Result<(), crate::ledger::LedgerError> {
        let fates = ledger.official_fates()?;
        let officials = self.prepared.survey.officials();
        for tally in &mut self.tallies {
            let official = officials.get(tally.official).map(|listed| &listed.official);
            let key = official.map(Official::key);
            let nothing = OfficialFates::default();
            let letters = &key.and_then(|key| fates.get(&key)).unwrap_or(&nothing).letters;
            let of =
                |these: &dyn Fn(MessageState) -> bool| letters.iter().filter(|(s, _)| these(**s)).map(|(_, n)| n).sum();
            let settled: u64 = of(&|state| !state.moves_by_itself());
            tally.letters = tally.letters.saturating_sub(settled);
            if let Some(mailbox) = official.and_then(|official| official.mailbox.as_ref())
                && ledger.is_suppressed(&mailbox.key())?
            {
                self.suppressed += std::mem::take(&mut tally.letters) + of(&|state| state == MessageState::Suppressed);
            }
            let out = of(&|state| matches!(state, MessageState::Sent | MessageState::InDoubt));
            self.beyond_total += keep_to(self.config, out, tally);
        }
        let counts = ledger.counts()?;
        let told = MessageState::ALL.into_iter().filter(|s| !s.moves_by_itself());
        let told: u64 = told.map(|state| counts.of(MessageKind::Confirmation, state)).sum();
        self.confirmations = self.confirmations.saturating_sub(told);
        let now = Timestamp::now();
        self.used.today = ledger.sent_since(now.checked_sub(DAY).unwrap_or(now))?;
        self.used.first = ledger.first_handed_over()?;
        Ok(())
    }

    pub(super) fn forecasts(&self) -> Vec<Forecast> {
        forecast(&self.work(), &self.speed(), self.begins(), self.config.deadline)
    }

    pub(super) fn raises(&self) -> Vec<Raise> {
        let raises = |deadline| raises(&self.work(), &self.speed(), self.begins(), deadline);
        self.config.deadline.map(raises).unwrap_or_default()
    }

    /// Nothing goes before the start.
    fn begins(&self) -> Timestamp {
        let now = Timestamp::now();
        self.config.start.map_or(now, |start| start.max(now))
    }

    fn work(&self) -> Workload<'_> {
        let officials = self.prepared.survey.officials();
        Workload { officials, tallies: &self.tallies, confirmations: self.confirmations }
    }

    fn speed(&self) -> Speed<'_> {
        let window = &self.config.windows.letters;
        Speed { pace: &self.config.pace, relays: &self.relays, window, used: self.used }
    }
}

/// No more than the total of one official, of which some are out; gives how many letters are beyond it.
fn keep_to(config: &Config, out: u64, tally: &mut OfficialTally) -> u64 {
    let room = config.official_total.map_or(u64::MAX, |total| total.saturating_sub(out));
    let beyond = tally.letters.saturating_sub(room);
    tally.letters -= beyond;
    beyond
}
