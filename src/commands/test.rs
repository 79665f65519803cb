//! `test`: real letters through the real relay, readdressed to staff, marked as tests.
//!
//! Never in the ledger of the campaign: they have a ledger of their own, gone when the command ends.

use std::path::PathBuf;

use jiff::Timestamp;

use crate::cli::{Place, Test};
use crate::contacts::{Row, sweep_leftovers};
use crate::dispatch::Ending;
use crate::ledger::sqlite::SqliteLedger;
use crate::ledger::{AttemptRecord, Confirming, Enrolment, Ledger, LogFilter};
use crate::model::{EmailAddress, mask_mailboxes};
use crate::policy::{PaceSettings, Windows};
use crate::report::log_text;

use super::console::say;
use super::workspace::{BadRows, Enrolling, Prepared, Workspace, new_tag};
use super::{Exit, Failure, campaign};

pub(super) fn run(place: &Place, args: &Test) -> Result<Exit, Failure> {
    let workspace = Workspace::open(place)?;
    let to = EmailAddress::parse(&args.to)
        .map_err(|e| Failure::new(Exit::Usage, format!("--to {} is not an address: {e}", args.to)))?;
    let relays = workspace.relays()?;
    let prepared = workspace.prepare(BadRows::Stop)?;
    prepared.must_be_launchable(BadRows::Skip)?;

    let scratch = Scratch::new()?;
    let ledger = SqliteLedger::create(
        &scratch.0.join("test.db"),
        &workspace.config.identity.campaign,
        &new_tag()?,
        Timestamp::now(),
    )?;
    enrol_some(&prepared, &ledger, usize::from(args.count))?;
    let mut settings = workspace.settings(relays);
    settings.pace = PaceSettings::unlimited();
    settings.windows = Windows::always();
    settings.is_patient = false;
    let ending = campaign::dispatch(
        &campaign::runtime()?,
        &ledger,
        settings,
        workspace.press(prepared.fields())?.readdressed(to),
        None,
    )?;

    ledger.attempts(&LogFilter::default(), &mut |record| {
        // The ledger names the official whom the letter is for; it went to staff.
        say(log_text(
            &AttemptRecord { recipient: args.to.clone(), text: mask_mailboxes(&record.text), ..record },
            &workspace.config.timezone,
        ));
        Ok(())
    })?;
    if let Ending::Stopped(reason) = &ending {
        return Err(Failure::new(
            Exit::Stopped,
            format!("the test did not get through: {}", mask_mailboxes(&reason.to_string())),
        ));
    }
    let figures = campaign::figures(&ledger)?;
    say(format!("These were tests, addressed to {} alone; the campaign's own ledger knows nothing of them.", args.to));
    Ok(campaign::exit(&ending, &figures))
}

/// The first letters that have a mailbox to go to, each constituent with one official.
fn enrol_some(prepared: &Prepared, ledger: &SqliteLedger, count: usize) -> Result<(), Failure> {
    let now = Timestamp::now();
    let frozen = prepared.sources.freeze(ledger, now)?;
    let enrolling = Enrolling::new(&frozen, prepared);
    let mut items = Vec::new();
    for row in prepared.survey.rows()? {
        let Row::Joined { constituent, officials, .. } = row? else { continue };
        let known = prepared.survey.officials();
        let Some(index) = officials.into_iter().find(|index| known[*index].official.mailbox.is_some()) else {
            continue;
        };
        items.push(Ok(Enrolment::Official(known[index].official.clone())));
        items.push(Ok(enrolling.constituent(*constituent, &[index])));
        if items.len() >= count.saturating_mul(2) {
            break;
        }
    }
    let terms = enrolling.terms(Confirming::Never);
    ledger.enrol(&terms, now, &mut items.into_iter())?;
    Ok(())
}

/// A folder for the length of one command, readable for us alone.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self, Failure> {
        let path =
            std::env::temp_dir().join(format!(".undersigned-test.{}-{}", std::process::id(), rand::random::<u32>()));
        sweep_leftovers(&std::env::temp_dir());
        let mut builder = std::fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path).map_err(|e| Failure::file(&path, &e))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0); // in the system's temporary folder, nobody needs it
    }
}
