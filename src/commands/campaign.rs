//! What `send`, `rehearse` and `test` share: run a dispatch under the eyes of staff, and tell how it ended.

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::dispatch::{self, Ending, Press, Progress, Settings, Stop};
use crate::ledger::LedgerError;
use crate::ledger::sqlite::SqliteLedger;
use crate::report::{Figures, awaits_staff, has_failures, paragraph};

use super::console::{note, show_progress};
use super::{Exit, Failure, disk};

/// So long a write waits for another program that holds the ledger's lock, before staff are told and it is tried again.
const LOCKED_MAX: Duration = Duration::from_secs(5);

/// What sessions and timers run on.
pub(super) fn runtime() -> Result<Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::new(Exit::Internal, format!("the runtime cannot be started: {e}")))
}

/// Dispatches to the end, showing progress and listening for Ctrl-C, which may have been waited for before.
pub(super) fn dispatch(
    runtime: &Runtime,
    ledger: &SqliteLedger,
    settings: Settings,
    press: Press,
    asked: Option<Asked>,
) -> Result<Ending, Failure> {
    ledger.answer_within(LOCKED_MAX)?;
    runtime.block_on(async {
        let (stop, stopped) = watch::channel(Stop::No);
        let (progress, shown) = watch::channel(Progress::idle());
        let wish = stop.subscribe();
        let telling = tokio::spawn(tell_trouble(shown.clone(), ledger.path().to_owned()));
        let mut display = tokio::spawn(show_progress(shown));
        listen(stop, asked.map_or_else(Asked::catch, Ok)?);
        // On the threads of the sessions: from this one every word between them would wake another thread.
        let running = tokio::spawn(dispatch::run(ledger.clone(), settings, press, stopped, progress));
        let ending = running.await.map_err(|e| Failure::new(Exit::Internal, format!("the dispatch ended: {e}")))?;
        // It ends by itself once nothing reports any more, and takes its bar away.
        if tokio::time::timeout(Duration::from_millis(300), &mut display).await.is_err() {
            display.abort();
        }
        telling.abort();
        ending.map_err(|error| left_unwritten(error, *wish.borrow()))
    })
}

/// Says once that the ledger cannot be written, and why, and once that it can be again.
async fn tell_trouble(mut shown: watch::Receiver<Progress>, ledger: PathBuf) {
    let mut told = false;
    while shown.changed().await.is_ok() {
        let trouble = shown.borrow_and_update().ledger_trouble.clone();
        match trouble {
            Some(reason) if !told => note(paragraph(&disk::in_words(&reason, &ledger))),
            None if told => note("The ledger can be written again: going on."),
            _ => continue,
        }
        told = !told;
    }
}

/// Staff asked to end while the ledger could not be written: what is open stays so until the next start.
fn left_unwritten(error: LedgerError, stop: Stop) -> Failure {
    match &error {
        LedgerError::Storage { reason, .. } if stop == Stop::Gently => Failure::new(
            Exit::Stopped,
            paragraph(&format!(
                "Left as you asked, while the ledger could not be written ({reason}). What was in transmission is in \
                 doubt at the next start, and nothing is lost. When that is mended: undersigned send"
            )),
        ),
        _ => error.into(),
    }
}

/// Ctrl-C or SIGTERM once: finish what is in transmission. Twice: out at once.
fn listen(stop: watch::Sender<Stop>, mut asked: Asked) {
    tokio::spawn(async move {
        asked.again().await;
        note(
            "\nFinishing what is in transmission; press Ctrl-C again to leave at once (at most one message a connection is then in doubt).",
        );
        stop.send_replace(Stop::Gently);
        // Some callers signal twice at once, the process and its group; that is one wish.
        tokio::time::sleep(ONE_WISH).await;
        asked.drain().await;
        asked.again().await;
        note("Left at once. See what is in doubt with: undersigned status");
        std::process::exit(Exit::Interrupted as i32);
    });
}

/// Signals that come so soon after the first are the same wish.
const ONE_WISH: std::time::Duration = std::time::Duration::from_millis(200);

/// Ctrl-C and SIGTERM. From the first time that they are caught on they end nothing by themselves, so whoever has waited for
/// them hands them on: one that comes in between is not lost.
#[derive(Debug)]
pub(super) struct Asked {
    interrupt: Signal,
    terminate: Signal,
}

impl Asked {
    /// Must be called on the runtime.
    pub(super) fn catch() -> Result<Self, Failure> {
        let catch =
            |kind| signal(kind).map_err(|e| Failure::new(Exit::Internal, format!("signals cannot be caught: {e}")));
        Ok(Self { interrupt: catch(SignalKind::interrupt())?, terminate: catch(SignalKind::terminate())? })
    }

    /// Waits for the next.
    pub(super) async fn again(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    async fn drain(&mut self) {
        let all = async {
            loop {
                self.again().await;
            }
        };
        let _ = tokio::time::timeout(std::time::Duration::from_millis(1), all).await;
    }
}

/// The figures after a dispatch.
pub(super) fn figures(ledger: &SqliteLedger) -> Result<Figures, Failure> {
    Ok(Figures::read(ledger, ledger.name(), false, Timestamp::now())?)
}

/// The exit code that an ending means.
pub(super) fn exit(ending: &Ending, figures: &Figures) -> Exit {
    match ending {
        Ending::Stopped(_) => Exit::Stopped,
        Ending::Settled if awaits_staff(figures) => Exit::WaitingForStaff,
        Ending::Settled if has_failures(&figures.counts) => Exit::FinishedWithFailures,
        Ending::Settled | Ending::Interrupted | Ending::LimitReached => Exit::Done,
    }
}
