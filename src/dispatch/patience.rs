//! When the ledger cannot be written, sending stops, and goes on by itself once it can be again.
//!
//! A disk that is full or a lock that another process holds is no reason to lose what is known about a message:
//! whoever holds a receipt keeps it and tries again. Nothing new is claimed meanwhile, since claims wait here too.
//! Staff see why nothing moves; when they ask to end, nobody waits for long any more.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::ledger::{Kept, LedgerError};

use super::{Progress, Stop, asked};

const TRY_AGAIN_EVERY: Duration = Duration::from_secs(1);
/// After so many tries the campaign stops; the rows stay as they are on disk.
const TRIES_MAX: u32 = 600;
/// So long the ledger has left when staff ask to end.
const GRACE: Duration = Duration::from_secs(3);

/// What everybody waits with who writes into the ledger. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Patience {
    progress: watch::Sender<Progress>,
    stop: watch::Receiver<Stop>,
    waiting: Arc<AtomicUsize>,
}

impl Patience {
    pub(super) fn new(progress: watch::Sender<Progress>, stop: watch::Receiver<Stop>) -> Self {
        Self { progress, stop, waiting: Arc::default() }
    }

    /// Ends a receipt, however long the ledger takes to be writable again.
    pub(super) async fn until_written<R, T, F>(
        &self,
        mut receipt: R,
        mut end: impl FnMut(R) -> F,
    ) -> Result<T, LedgerError>
    where
        F: Future<Output = Kept<T, R>>,
    {
        let mut wait = Wait::new(self);
        loop {
            match end(receipt).await {
                Ok(done) => return Ok(done),
                Err(unwritten) if wait.before_another_try(&unwritten.error).await => receipt = unwritten.receipt,
                Err(unwritten) => return Err(unwritten.error),
            }
        }
    }

    /// The same for a call without a receipt.
    pub(super) async fn until_done<T, F>(&self, mut call: impl FnMut() -> F) -> Result<T, LedgerError>
    where
        F: Future<Output = Result<T, LedgerError>>,
    {
        let mut wait = Wait::new(self);
        loop {
            match call().await {
                Err(error) if wait.before_another_try(&error).await => {}
                result => return result,
            }
        }
    }
}

/// The tries of one call. What staff see lasts as long as anybody waits.
struct Wait<'a> {
    patience: &'a Patience,
    stop: watch::Receiver<Stop>,
    tries: u32,
    asked_at: Option<Instant>,
    gave_up: bool,
}

impl<'a> Wait<'a> {
    fn new(patience: &'a Patience) -> Self {
        Self { patience, stop: patience.stop.clone(), tries: 0, asked_at: None, gave_up: false }
    }

    /// Waits, where another try makes sense; gives whether it does.
    async fn before_another_try(&mut self, error: &LedgerError) -> bool {
        self.gave_up = !self.is_another_try_due(error).await;
        !self.gave_up
    }

    async fn is_another_try_due(&mut self, error: &LedgerError) -> bool {
        if !matches!(error, LedgerError::Storage { .. }) || self.tries >= TRIES_MAX {
            return false;
        }
        if self.tries == 0 {
            self.patience.waiting.fetch_add(1, Ordering::AcqRel);
        }
        self.tries += 1;
        self.show(Some(error.to_string()));
        let pause = tokio::time::sleep(TRY_AGAIN_EVERY);
        if self.asked_at.is_none() {
            tokio::select! {
                () = pause => {}
                () = asked(&mut self.stop) => self.asked_at = Some(Instant::now()),
            }
        } else {
            pause.await;
        }
        self.asked_at.is_none_or(|asked| asked.elapsed() < GRACE)
    }

    fn show(&self, trouble: Option<String>) {
        self.patience.progress.send_if_modified(|shown| {
            let is_new = shown.ledger_trouble != trouble;
            shown.ledger_trouble = trouble;
            is_new
        });
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        if self.tries == 0 {
            return;
        }
        let is_last = self.patience.waiting.fetch_sub(1, Ordering::AcqRel) == 1;
        if is_last && !self.gave_up {
            self.show(None);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn full() -> LedgerError {
        LedgerError::Storage { path: "ledger.db".into(), reason: "full".into() }
    }

    fn patience() -> (Patience, watch::Sender<Stop>, watch::Receiver<Progress>) {
        let (stop, stopped) = watch::channel(Stop::No);
        let (progress, shown) = watch::channel(Progress::idle());
        (Patience::new(progress, stopped), stop, shown)
    }

    #[tokio::test(start_paused = true)]
    async fn a_ledger_that_cannot_be_written_is_waited_for_and_shown_for_as_long() {
        let (patience, _stop, shown) = patience();
        let tries = Cell::new(0);
        let call = || {
            tries.set(tries.get() + 1);
            let seen = shown.borrow().ledger_trouble.is_some();
            assert_eq!(seen, tries.get() > 1);
            std::future::ready(if tries.get() < 100 { Err(full()) } else { Ok(()) })
        };
        patience.until_done(call).await.unwrap();
        assert_eq!((tries.get(), shown.borrow().ledger_trouble.clone()), (100, None));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_the_ledger_for_long_once_staff_ask_to_end() {
        for asked_before in [true, false] {
            let (patience, stop, _shown) = patience();
            let began = Instant::now();
            let asking = async {
                tokio::time::sleep(Duration::from_secs(if asked_before { 0 } else { 60 })).await;
                stop.send_replace(Stop::Gently);
                Instant::now()
            };
            let (failed, asked) =
                tokio::join!(patience.until_done(|| std::future::ready(Err::<(), _>(full()))), asking);
            assert!(failed.is_err());
            assert!(asked.elapsed() <= Duration::from_secs(4), "{:?} of {:?}", asked.elapsed(), began.elapsed());
        }
    }
}
