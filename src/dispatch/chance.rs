//! The chance of one dispatch, drawn in one place: the same seed draws the same again, so that a simulation can be run
//! again. Must not be used where a stranger must not guess.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// See the module.
#[derive(Debug)]
pub(super) struct Chance(StdRng);

impl Chance {
    /// Nobody knows what it draws.
    pub(super) fn fresh() -> Self {
        Self::seeded(rand::random())
    }

    /// Draws what that seed always draws.
    pub(super) fn seeded(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }

    /// From 0 to 1, for policy.
    pub(super) fn jitter(&mut self) -> f64 {
        self.0.random_range(0.0..1.0)
    }

    /// A seed for something else.
    pub(super) fn seed(&mut self) -> u64 {
        self.0.random()
    }
}
