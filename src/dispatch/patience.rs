//! When the ledger cannot be written, sending stops, and goes on by itself once it can be again.
//!
//! A disk that is full or a lock that another process holds is no reason to lose what is known about a message:
//! whoever holds a receipt keeps it and tries again. Nothing new is claimed meanwhile, since claims wait here too.

use std::future::Future;
use std::time::Duration;

use crate::ledger::{Kept, LedgerError};

const TRY_AGAIN_EVERY: Duration = Duration::from_secs(1);
/// After so many tries the campaign stops; the rows stay as they are on disk.
const TRIES_MAX: u32 = 600;

/// Ends a receipt, however long the ledger takes to be writable again.
pub(super) async fn until_written<R, T, F>(mut receipt: R, mut end: impl FnMut(R) -> F) -> Result<T, LedgerError>
where
    F: Future<Output = Kept<T, R>>,
{
    let mut tries = 0;
    loop {
        match end(receipt).await {
            Ok(done) => return Ok(done),
            Err(unwritten) if is_passing(&unwritten.error) && tries < TRIES_MAX => {
                tries += 1;
                wait(&unwritten.error).await;
                receipt = unwritten.receipt;
            }
            Err(unwritten) => return Err(unwritten.error),
        }
    }
}

/// The same for a call without a receipt.
pub(super) async fn until_done<T, F>(mut call: impl FnMut() -> F) -> Result<T, LedgerError>
where
    F: Future<Output = Result<T, LedgerError>>,
{
    let mut tries = 0;
    loop {
        match call().await {
            Err(error) if is_passing(&error) && tries < TRIES_MAX => {
                tries += 1;
                wait(&error).await;
            }
            result => return result,
        }
    }
}

fn is_passing(error: &LedgerError) -> bool {
    matches!(error, LedgerError::Storage { .. })
}

async fn wait(error: &LedgerError) {
    tracing::warn!("{error}; nothing more is sent until it can be written again");
    tokio::time::sleep(TRY_AGAIN_EVERY).await;
}
