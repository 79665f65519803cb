//! The ledger's contract: what every backend must keep, whatever database it stands on.
//!
//! Each test is a function over any [`world::Backend`]; the list at the end runs all of them for a backend. The
//! last part, `random_walks`, compares a ledger with a small model over random sequences of calls.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking, their helpers too")]

mod claiming;
mod closing;
mod confirming;
mod deciding;
mod enrolling;
mod random_walks;
mod reading;
mod sqlite;
mod wishing;
mod world;

/// Runs the contract for a backend.
macro_rules! contract {
    ($backend:ty: $($part:ident { $($name:ident)* })*) => {$($(
        #[tokio::test]
        async fn $name() {
            crate::$part::$name(<$backend as crate::world::Backend>::fresh()).await;
        }
    )*)*};
}
pub(crate) use contract;
