//! `rehearse`: the whole campaign over real SMTP to a mailbox built into the program, with a ledger of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::cli::{Place, Rehearse};
use crate::dispatch::{Ending, RelayPlan};
use crate::ledger::sqlite::{Access, SqliteLedger};
use crate::ledger::{Ledger, LedgerError};
use crate::model::{MessageKind, MessageState};
use crate::policy::{PaceSettings, Windows};
use crate::report::{Figures, Gallery, counted, duration, officials_text, status_text};
use crate::smtp::{Mailbox, Relay, RelaySettings};

use super::console::say;
use super::workspace::{BadRows, Prepared, Workspace, new_tag};
use super::{Exit, Failure, campaign};

const CONNECTIONS: usize = 4;
const OFFICIALS_SHOWN: usize = 20;

pub(super) fn run(place: &Place, args: &Rehearse) -> Result<Exit, Failure> {
    let workspace = Workspace::open(place)?;
    let bad_rows = BadRows::from(args.skip_bad);
    let prepared = workspace.prepare(bad_rows)?;
    workspace.show_or_refuse(&prepared, bad_rows)?;

    let folder = fresh_folder(&workspace.config.dir)?;
    let runtime = campaign::runtime()?;
    let mailbox = runtime.block_on(Mailbox::open(&folder.join("mail"))).map_err(|e| Failure::file(&folder, &e))?;
    let ledger = SqliteLedger::create(
        &folder.join("ledger.db"),
        &workspace.config.identity.campaign,
        &new_tag()?,
        Timestamp::now(),
    )?;
    // Whoever gets nothing from the campaign gets nothing here.
    match SqliteLedger::open(&workspace.config.ledger, Access::Read) {
        Ok(real) => ledger.adopt_suppressions(&real)?,
        Err(LedgerError::Absent(_)) => {}
        Err(error) => return Err(error.into()),
    }
    workspace.enrol(&ledger, &prepared)?;

    let mut settings = workspace.settings(vec![to_mailbox(&mailbox)?]);
    if !args.paced {
        settings.pace = PaceSettings::unlimited();
        settings.windows = Windows::always();
    }
    let started = Instant::now();
    let ending = campaign::dispatch(&runtime, &ledger, settings, workspace.press(prepared.fields())?, None)?;
    let took = started.elapsed();
    runtime.block_on(mailbox.close());
    tell(&workspace, &prepared, &ledger, &folder, took, &ending)
}

/// Figures, officials, and where to look.
fn tell(
    workspace: &Workspace,
    prepared: &Prepared,
    ledger: &SqliteLedger,
    folder: &Path,
    took: Duration,
    ending: &Ending,
) -> Result<Exit, Failure> {
    let figures = campaign::figures(ledger)?;
    say(status_text(&figures));
    say(rate(&figures, took));
    say(officials_text(&ledger.officials(OFFICIALS_SHOWN)?, prepared.survey.officials().len()));
    let gallery = Gallery { folder, mail: &folder.join("mail/new"), campaign: &workspace.config.identity.campaign };
    let index = gallery.write(ledger).map_err(|e| Failure::new(Exit::Internal, e.to_string()))?;
    say(format!("Nothing left this machine. Look at every message: {}", index.display()));
    Ok(campaign::exit(ending, &figures))
}

fn rate(figures: &Figures, took: Duration) -> String {
    let sent = |kind| figures.counts.of(kind, MessageState::Sent);
    let messages = sent(MessageKind::Letter) + sent(MessageKind::Confirmation);
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = messages as f64 / took.as_secs_f64().max(0.001);
    format!("  {} in {}: {rate:.0} a second\n", counted(messages, "message"), duration(took))
}

fn to_mailbox(mailbox: &Mailbox) -> Result<RelayPlan, Failure> {
    let address = mailbox.address();
    let settings = RelaySettings::loopback("rehearsal", address);
    Ok(RelayPlan::alone(Relay::new(settings)?, CONNECTIONS))
}

/// An empty `rehearsal/`. What an earlier rehearsal left there is removed; anything else is not touched.
fn fresh_folder(dir: &Path) -> Result<PathBuf, Failure> {
    let folder = dir.join("rehearsal");
    let file = |e: std::io::Error| Failure::file(&folder, &e);
    if folder.exists() {
        let ours = folder.join("ledger.db").exists() || fs::read_dir(&folder).map_err(file)?.next().is_none();
        if !ours {
            let text = format!("{} holds something that is not a rehearsal; move it away first", folder.display());
            return Err(Failure::new(Exit::Usage, text));
        }
        if SqliteLedger::dispatcher_is_running(&folder.join("ledger.db")) {
            return Err(Failure::new(Exit::Busy, "another rehearsal is running in this folder"));
        }
        fs::remove_dir_all(&folder).map_err(file)?;
    }
    // Everybody's letters are in there.
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(&folder).map_err(file)?;
    Ok(folder)
}
