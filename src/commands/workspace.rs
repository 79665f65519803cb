//! The campaign folder, read: settings, people, texts, and the plan that they make together.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use crate::cli::Place;
use crate::compose::Composer;
use crate::config::Config;
use crate::contacts::{ContactsError, RefusedWriter, Row, Survey};
use crate::dispatch::{Press, RelayPlan, Settings};
use crate::ledger::sqlite::SqliteLedger;
use crate::ledger::{Enrolled, Enrolment, Ledger, Terms};
use crate::model::{CampaignTag, PersonKey, Role, TemplateId};
use crate::plan::{MatchReport, Texts, examine, forecast};
use crate::policy::{Limit, PaceSettings};
use crate::report::{match_summary, match_text};
use crate::smtp::{Relay, RelaySettings};
use crate::template::{CampaignFields, Fields, Purpose, Template};

use super::columns::survey_asking;
use super::console::say;
use super::steps::Steps;
use super::{Exit, Failure};

/// A campaign folder with its settings.
pub(super) struct Workspace {
    pub(super) config: Config,
}

/// Everything that stands before a launch.
pub(super) struct Prepared {
    pub(super) survey: Survey,
    pub(super) texts: Texts,
    pub(super) report: MatchReport,
    /// The texts as they are on disk: (name, source).
    pub(super) letter_source: String,
    pub(super) confirmation_source: String,
    /// Where the refused rows were written, if any were.
    pub(super) refused_to: Option<PathBuf>,
}

/// Whether rows that cannot be used stop a launch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BadRows {
    Stop,
    Skip,
}

impl From<bool> for BadRows {
    fn from(skip: bool) -> Self {
        if skip { Self::Skip } else { Self::Stop }
    }
}

impl Workspace {
    pub(super) fn open(place: &Place) -> Result<Self, Failure> {
        Ok(Self { config: Config::load(&place.dir, &place.overrides)? })
    }

    /// Reads people and texts, joins and fills in everything once.
    pub(super) fn prepare(&self, bad_rows: BadRows) -> Result<Prepared, Failure> {
        let survey = survey_asking(&self.config)?;
        let (letter_source, confirmation_source) = (read(&self.config.letter)?, read(&self.config.confirmation)?);
        let texts = self.texts(&survey, &letter_source, &confirmation_source)?;
        let path = self.config.dir.join("refused.csv");
        let mut writer = match bad_rows {
            BadRows::Skip => Some(RefusedWriter::create(&path, &survey)?),
            BadRows::Stop => None,
        };
        let mut filling = Steps::of("filling in letters", survey.constituents());
        let report = examine(&survey, &texts, writer.as_mut(), || filling.step())?;
        drop(filling);
        let written = writer.map(RefusedWriter::finish).transpose()?.unwrap_or(0);
        let refused_to = (written > 0).then_some(path);
        Ok(Prepared { survey, texts, report, letter_source, confirmation_source, refused_to })
    }

    fn texts(&self, survey: &Survey, letter: &str, confirmation: &str) -> Result<Texts, Failure> {
        let fields = fields(survey);
        let mut problems = Vec::new();
        let mut parse = |path: &Path, source, purpose| match Template::parse(&name(path), source, purpose, &fields) {
            Ok(template) => Some(template),
            Err(found) => {
                problems.extend(found.iter().map(ToString::to_string));
                None
            }
        };
        let letter = parse(&self.config.letter, letter, Purpose::Letter);
        let confirmation = parse(&self.config.confirmation, confirmation, Purpose::Confirmation);
        match (letter, confirmation) {
            (Some(letter), Some(confirmation)) => Ok(Texts { letter, confirmation, campaign: self.campaign_fields() }),
            _ => Err(Failure::new(Exit::Refused, problems.join("\n"))),
        }
    }

    fn campaign_fields(&self) -> CampaignFields {
        CampaignFields { name: self.config.identity.campaign.clone(), time_zone: self.config.timezone.clone() }
    }

    /// The match report with every finding.
    pub(super) fn whole_report(&self, prepared: &Prepared) -> String {
        match_text(&prepared.survey, &prepared.report, &self.forecasts(prepared), self.deadline().as_ref())
    }

    /// The figures of the match report.
    pub(super) fn summary(&self, prepared: &Prepared) -> String {
        match_summary(&prepared.survey, &prepared.report, &self.forecasts(prepared), self.deadline().as_ref())
    }

    /// Shows the figures where all is well; shows every finding, and refuses to go on, where it is not.
    pub(super) fn show_or_refuse(&self, prepared: &Prepared, bad_rows: BadRows) -> Result<(), Failure> {
        let launchable = prepared.must_be_launchable(bad_rows);
        say(if launchable.is_ok() { self.summary(prepared) } else { self.whole_report(prepared) });
        launchable
    }

    /// The deadline as people read it.
    pub(super) fn deadline(&self) -> Option<jiff::ZonedDateTime> {
        self.config.deadline.map(|at| at.to_zoned_datetime(self.config.timezone.clone()))
    }

    fn forecasts(&self, prepared: &Prepared) -> Vec<crate::plan::Forecast> {
        let Config { pace, deadline, .. } = &self.config;
        let relays: Vec<Limit> = self.config.relays.iter().map(|relay| relay.rate).collect();
        let officials = prepared.survey.officials();
        forecast(officials, &prepared.report.officials, pace, &relays, Timestamp::now(), *deadline)
    }

    /// Puts everything that is new into the ledger, in one transaction.
    pub(super) fn enrol(&self, ledger: &SqliteLedger, prepared: &Prepared) -> Result<Enrolled, Failure> {
        let now = Timestamp::now();
        let terms = Terms {
            letter: self.freeze(ledger, &self.config.letter, &prepared.letter_source, now)?,
            confirmation: self.freeze(ledger, &self.config.confirmation, &prepared.confirmation_source, now)?,
            confirming: self.config.confirming,
        };
        let officials = prepared.survey.officials();
        let keys: Vec<PersonKey> = officials.iter().map(|listed| listed.official.key()).collect();
        let first = officials.iter().map(|listed| Ok(Enrolment::Official(listed.official.clone())));
        let rows = prepared.survey.rows()?;
        let mut enrolling = Steps::of("enrolling", prepared.survey.constituents());
        let then = rows.inspect(|_| enrolling.step()).filter_map(|row| enrolment(row, &keys));
        Ok(ledger.enrol(&terms, now, &mut first.chain(then))?)
    }

    fn freeze(&self, ledger: &SqliteLedger, path: &Path, source: &str, now: Timestamp) -> Result<TemplateId, Failure> {
        Ok(ledger.freeze_template(&self.template_name(path), source, now)?)
    }

    /// A template's name in the ledger: its path inside the campaign folder.
    pub(super) fn template_name(&self, path: &Path) -> String {
        path.strip_prefix(&self.config.dir).unwrap_or(path).display().to_string()
    }

    /// What makes messages out of leases.
    pub(super) fn press(&self, prepared: &Prepared) -> Result<Press, Failure> {
        let composer = Composer::new(self.config.identity.clone())?;
        Ok(Press::new(composer, self.campaign_fields(), fields(&prepared.survey)))
    }

    /// The configured relays, ready to connect; asks for passwords where it must.
    pub(super) fn relays(&self) -> Result<Vec<RelayPlan>, Failure> {
        if self.config.relays.is_empty() {
            return Err(Failure::new(
                Exit::Usage,
                format!(
                    "no relay is configured, so nothing can leave this machine: fill in a [[relay]] table in {}, \
                     or try everything here first with: undersigned rehearse",
                    self.config.dir.join("config.toml").display()
                ),
            ));
        }
        let plan = |relay: &crate::config::RelayConfig| {
            let session: RelaySettings = relay.session()?;
            Ok(RelayPlan { relay: Arc::new(Relay::new(session)?), connections: relay.connections, rate: relay.rate })
        };
        self.config.relays.iter().map(plan).collect()
    }

    /// How to dispatch to these relays under the configured rules.
    pub(super) fn settings(&self, relays: Vec<RelayPlan>) -> Settings {
        Settings {
            relays,
            pace: self.config.pace,
            retry: self.config.retry.clone(),
            deadline: self.config.deadline,
            on_doubt: self.config.on_doubt,
            letters_max: None,
            is_patient: true,
            accept_refusals: false,
        }
    }
}

impl Prepared {
    /// Refuses to go on where something stands in the way that staff have not decided about.
    pub(super) fn must_be_launchable(&self, bad_rows: BadRows) -> Result<(), Failure> {
        let refuse = |what: &str| Err(Failure::new(Exit::Refused, what));
        if !self.report.letter_problems.is_empty() {
            return refuse(
                "some letters cannot be filled in; nothing was sent. Mend the letter or the rows named above",
            );
        }
        if bad_rows == BadRows::Stop && self.report.has_bad_rows() {
            return refuse(
                "some rows cannot be used; nothing was sent. Mend them, or go on without them with --skip-bad \
                 (they are then written to refused.csv)",
            );
        }
        if self.report.letters == 0 {
            return refuse("there is nobody to write for: no constituent is joined to an official");
        }
        Ok(())
    }
}

type SourceError = Box<dyn std::error::Error + Send + Sync>;

fn enrolment(row: Result<Row, ContactsError>, keys: &[PersonKey]) -> Option<Result<Enrolment, SourceError>> {
    match row {
        Ok(Row::Joined { constituent, officials, .. }) => {
            let officials = officials.into_iter().map(|index| keys[index]).collect();
            Some(Ok(Enrolment::Constituent { constituent: *constituent, officials }))
        }
        Ok(_) => None,
        Err(error) => Some(Err(Box::new(error))),
    }
}

/// A new campaign tag.
pub(super) fn new_tag() -> Result<CampaignTag, Failure> {
    let letter = || {
        let at = rand::random_range(0..CampaignTag::ALPHABET.len());
        char::from(CampaignTag::ALPHABET[at])
    };
    let text: String = std::iter::repeat_with(letter).take(CampaignTag::LEN).collect();
    CampaignTag::parse(&text).ok_or_else(|| Failure::new(Exit::Internal, "no tag could be drawn"))
}

/// No limit on anything: for rehearsals, which disturb nobody.
pub(super) const UNPACED: PaceSettings =
    PaceSettings { global: Limit::Unlimited, per_mailbox: Limit::Unlimited, per_domain: Limit::Unlimited };

/// The columns that people have besides the usual ones.
fn fields(survey: &Survey) -> Fields {
    Fields { official: survey.known_fields(Role::Official), constituent: survey.known_fields(Role::Constituent) }
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|e| {
        let advice = match e.kind() {
            std::io::ErrorKind::NotFound => {
                "there is no such file; campaign.letter and campaign.confirmation in config.toml name the texts"
            }
            std::io::ErrorKind::PermissionDenied => "this user may not read it",
            std::io::ErrorKind::InvalidData => "it is not UTF-8 text; save it as plain text in UTF-8",
            _ => return Failure::file(path, &e),
        };
        Failure::new(Exit::Refused, format!("{}: {advice}", path.display()))
    })
}

fn name(path: &Path) -> String {
    path.display().to_string()
}
