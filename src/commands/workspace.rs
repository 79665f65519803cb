//! The campaign folder, read: settings, people, texts, and the plan that they make together.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::cli::Place;
use crate::compose::{Composer, Signer};
use crate::config::{Config, DkimKeyConfig};
use crate::contacts::{ContactsError, ContactsSettings, RefusedWriter, Row, Survey, sweep_leftovers};
use crate::dispatch::{Press, RelayPlan, Settings};
use crate::ledger::sqlite::{Access, SqliteLedger};
use crate::ledger::{Addressee, Confirming, Enrolled, Enrolment, Ledger, Terms};
use crate::model::{CampaignTag, Constituent, PersonKey};
use crate::plan::{MatchReport, Origin, Seen, Texts, examine, lint};
use crate::report::{Findings, ProblemList, WrittenList, match_summary, match_text};
use crate::smtp::{Relay, RelaySettings};
use crate::template::{CampaignFields, Fields};

use super::columns::survey_asking;
use super::console::{note, say};
use super::outlook::Outlook;
use super::steps::Steps;
use super::texts::{FrozenTexts, Sources, fields};
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
    /// The texts as they are on disk.
    pub(super) sources: Sources,
    /// Where the refused rows were written, if any were.
    pub(super) refused_to: Option<PathBuf>,
    /// What became of the whole list of problems.
    pub(super) list: WrittenList,
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
    /// Reads the settings alone: the ledger is opened by whoever needs it.
    pub(super) fn open(place: &Place) -> Result<Self, Failure> {
        Ok(Self { config: Config::load(&place.dir, &place.overrides)? })
    }

    /// How to read its people: without those who were erased, whom the ledger knows.
    pub(super) fn people(&self) -> Result<ContactsSettings, Failure> {
        let mut people = self.config.contacts.clone();
        if self.config.ledger.exists() {
            people.left_out = SqliteLedger::open(&self.config.ledger, Access::Read)?.marks()?;
        }
        Ok(people)
    }

    /// Reads people and texts, joins and fills in everything once. Leaves the whole list of problems behind.
    pub(super) fn prepare(&self, bad_rows: BadRows) -> Result<Prepared, Failure> {
        let people = self.people()?;
        let prepared = self.try_to_prepare(people, bad_rows);
        if let Err(failure) = &prepared {
            let mut list = ProblemList::new(self.problems_path(), Vec::new(), b',');
            failure.reasons.iter().for_each(|reason| list.add_of_file(&reason.file, reason.line, &reason.what));
            if let WrittenList::Not(reason) = list.finish() {
                note(format!("The list of problems could not be written: {reason}"));
            }
        }
        prepared
    }

    fn try_to_prepare(&self, people: ContactsSettings, bad_rows: BadRows) -> Result<Prepared, Failure> {
        sweep_leftovers(&self.config.dir);
        let sources = Sources::read(&self.config)?;
        let used = sources.columns_named(&self.config);
        let survey = survey_asking(&self.config, ContactsSettings { used, ..people })?;
        let texts = sources.parse(&self.config, &survey, self.campaign_fields())?;
        let path = self.config.dir.join("refused.csv");
        let mut writer = match bad_rows {
            BadRows::Skip => Some(RefusedWriter::create(&path, &survey)?),
            BadRows::Stop => None,
        };
        let mut filling = Steps::of("filling in letters", survey.constituents());
        let mut list = self.problem_list(&survey);
        let mut report = examine(&survey, &texts, |seen| {
            list.note(seen);
            if let Seen::Row(row) = seen {
                filling.step();
                writer.as_mut().map(|writer| writer.write(row)).transpose()?;
            }
            Ok(())
        })?;
        report.advice = lint(&texts, &report, survey.officials(), &self.origin());
        drop(filling);
        let list = list.finish();
        let (written, kept) = writer.map(RefusedWriter::finish).transpose()?.unwrap_or_default();
        note_kept(&path, kept.as_deref());
        let refused_to = (written > 0).then_some(path);
        Ok(Prepared { survey, texts, report, sources, refused_to, list })
    }

    /// Where letters come from.
    fn origin(&self) -> Origin<'_> {
        let far = self.config.relays.iter().filter(|relay| !relay.is_loopback());
        let relays = far.map(|relay| (relay.host(), relay.username())).collect();
        Origin { sender: &self.config.identity.sender, relays }
    }

    fn campaign_fields(&self) -> CampaignFields {
        CampaignFields { name: self.config.identity.campaign.clone(), time_zone: self.config.timezone.clone() }
    }

    fn problem_list(&self, survey: &Survey) -> ProblemList {
        let mut list =
            ProblemList::new(self.problems_path(), survey.files().map(str::to_owned).collect(), survey.delimiter());
        list.add_all(survey.doubts_about_officials());
        list
    }

    /// Where the whole list of problems goes.
    fn problems_path(&self) -> PathBuf {
        self.config.dir.join("problems.csv")
    }

    /// Everything that was found, for a report of it.
    pub(super) fn with_findings<T>(&self, prepared: &Prepared, report: impl FnOnce(&Findings<'_>) -> T) -> T {
        let outlook = Outlook::of(&self.config, prepared);
        report(&Findings {
            survey: &prepared.survey,
            report: &prepared.report,
            forecasts: &outlook.forecasts(),
            start: self.start().as_ref(),
            deadline: self.deadline().as_ref(),
            raises: &outlook.raises(),
            beyond_total: outlook.beyond_total,
            suppressed: outlook.suppressed,
            zone: &self.config.timezone,
            window: &self.config.windows.letters,
            list: &prepared.list,
            refused: prepared.refused_to.as_deref(),
        })
    }

    /// Shows the figures where all is well; shows every finding, and refuses to go on, where it is not.
    pub(super) fn show_or_refuse(&self, prepared: &Prepared, bad_rows: BadRows) -> Result<(), Failure> {
        let launchable = prepared.must_be_launchable(bad_rows);
        say(self.with_findings(prepared, if launchable.is_ok() { match_summary } else { match_text }));
        launchable
    }

    /// The campaign's own time.
    pub(super) fn zone(&self) -> &TimeZone {
        &self.config.timezone
    }

    /// The start as people read it, where it is yet to come.
    pub(super) fn start(&self) -> Option<jiff::ZonedDateTime> {
        let start = self.config.start.filter(|at| *at > Timestamp::now());
        start.map(|at| at.to_zoned_datetime(self.config.timezone.clone()))
    }

    /// The deadline as people read it.
    pub(super) fn deadline(&self) -> Option<jiff::ZonedDateTime> {
        self.config.deadline.map(|at| at.to_zoned_datetime(self.config.timezone.clone()))
    }

    /// Puts everything that is new into the ledger, in one transaction.
    pub(super) fn enrol(&self, ledger: &SqliteLedger, prepared: &Prepared) -> Result<Enrolled, Failure> {
        let now = Timestamp::now();
        let frozen = prepared.sources.freeze(ledger, now)?;
        let enrolling = Enrolling::new(&frozen, prepared);
        let terms = enrolling.terms(self.config.confirming);
        let officials = prepared.survey.officials();
        let first = officials.iter().map(|listed| Ok(Enrolment::Official(listed.official.clone())));
        let rows = prepared.survey.rows()?;
        let mut steps = Steps::of("enrolling", prepared.survey.constituents());
        let then = rows.inspect(|_| steps.step()).filter_map(|row| enrolling.row(row));
        Ok(ledger.enrol(&terms, now, &mut first.chain(then))?)
    }

    /// What makes letters into messages, signed where that is configured.
    pub(super) fn composer(&self) -> Result<Composer, Failure> {
        Ok(Composer::new(self.config.identity.clone())?.signed_by(self.signers()?))
    }

    /// The keys that messages are signed with, read from their files.
    pub(super) fn signers(&self) -> Result<Vec<Signer>, Failure> {
        Ok(self.config.dkim.keys.iter().map(DkimKeyConfig::signer).collect::<Result<_, _>>()?)
    }

    /// What makes messages out of leases; `fields` are the columns that people have.
    pub(super) fn press(&self, fields: Fields) -> Result<Press, Failure> {
        Ok(Press::new(self.composer()?, self.campaign_fields(), fields))
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
            Ok(RelayPlan {
                relay: Arc::new(Relay::new(session)?),
                connections: relay.connections,
                rate: relay.rate,
                quota: relay.quota,
                replies: self.config.replies(relay),
                order: relay.order,
                weight: relay.weight,
                carries: relay.carries(&self.config.identity),
            })
        };
        self.config.relays.iter().map(plan).collect()
    }

    /// How to dispatch to these relays under the configured rules.
    pub(super) fn settings(&self, relays: Vec<RelayPlan>) -> Settings {
        Settings {
            relays,
            pace: self.config.pace.clone(),
            windows: self.config.windows.clone(),
            official_total: self.config.official_total,
            revise: None,
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
    /// The columns that people have.
    pub(super) fn fields(&self) -> Fields {
        fields(&self.survey)
    }

    /// Refuses to go on where something stands in the way that staff have not decided about.
    pub(super) fn must_be_launchable(&self, bad_rows: BadRows) -> Result<(), Failure> {
        let refuse = |what: &str| Err(Failure::new(Exit::Refused, what));
        if !self.report.letter_problems.is_empty() {
            return refuse(
                "some letters cannot be filled in; nothing was sent. Mend the letter or the rows named above",
            );
        }
        if bad_rows == BadRows::Stop && self.report.bad_rows() > 0 {
            return refuse(
                "some rows cannot be used; nothing was sent. Mend them, or go on without them with --skip-bad \
                 (they are then written to refused.csv)",
            );
        }
        if self.report.letters + self.report.forgotten + self.report.purged == 0 {
            return refuse("there is nobody to write for: no constituent is joined to an official");
        }
        Ok(())
    }
}

/// A list that is written anew is not to lose what staff mended in the old one.
pub(super) fn note_kept(path: &Path, old: Option<&Path>) {
    if let Some(old) = old {
        note(format!("{} is new; what it said before is in {}", path.display(), old.display()));
    }
}

type SourceError = Box<dyn std::error::Error + Send + Sync>;

/// What is enrolled, and with which of the frozen texts.
pub(super) struct Enrolling<'a> {
    keys: Vec<PersonKey>,
    frozen: &'a FrozenTexts,
    prepared: &'a Prepared,
}

impl<'a> Enrolling<'a> {
    pub(super) fn new(frozen: &'a FrozenTexts, prepared: &'a Prepared) -> Self {
        let keys = prepared.survey.officials().iter().map(|listed| listed.official.key()).collect();
        Self { keys, frozen, prepared }
    }

    pub(super) fn terms(&self, confirming: Confirming) -> Terms {
        Terms { letter: self.frozen.letter, confirmation: self.frozen.confirmation, confirming }
    }

    /// A constituent who writes to the officials of these numbers.
    pub(super) fn constituent(&self, constituent: Constituent, officials: &[usize]) -> Enrolment {
        let known = self.prepared.survey.officials();
        let addressee = |&index: &usize| {
            let number = self.prepared.texts.number_for(&known[index].official, &constituent);
            Addressee { official: self.keys[index], letter: self.frozen.other(number) }
        };
        Enrolment::Constituent { officials: officials.iter().map(addressee).collect(), constituent }
    }

    fn row(&self, row: Result<Row, ContactsError>) -> Option<Result<Enrolment, SourceError>> {
        match row {
            Ok(Row::Joined { constituent, officials, .. }) => Some(Ok(self.constituent(*constituent, &officials))),
            Ok(_) => None,
            Err(error) => Some(Err(Box::new(error))),
        }
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
