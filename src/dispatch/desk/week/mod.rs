//! A week of a campaign, simulated in seconds: the real desk, judge and ledger under all limits at once, with two relays
//! that fail, greylists, crashes, pauses, another pace, and the day on which the clock is put forward.
//!
//! The same seed gives the same week to the last event. A failure prints its seed; `UNDERSIGNED_PROVE_SEED` runs that
//! one again (with `UNDERSIGNED_PROVE_TRACE`, telling all that happens), `UNDERSIGNED_PROVE_WEEKS` says how many.

mod checks;
mod plan;
mod quiet;
mod relay;
mod sessions;
mod world;

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use serde_json::json;

use crate::ledger::Confirming;
use crate::ledger::sqlite::{Access, SqliteLedger};
use crate::model::{CampaignTag, Official, sample as model_people};

use super::sample;

use plan::{CONSTITUENTS, OFFICIALS, Plan, START, civil};
use world::World;

pub(super) fn official(n: usize) -> Official {
    model_people::official(&format!("Official {n}"), &format!("o{n}@county{}.example", n / 2))
}

/// So many, each of whom writes to every official.
struct People {
    officials: usize,
    constituents: usize,
    confirming: Confirming,
}

const ALL: People = People { officials: OFFICIALS, constituents: CONSTITUENTS, confirming: Confirming::PerConstituent };

fn enrolled(folder: &Path, people: &People) -> SqliteLedger {
    let (path, now) = (folder.join("ledger.db"), civil(START));
    drop(SqliteLedger::create(&path, "Test", &CampaignTag::parse("k3m9x2").unwrap(), now).unwrap());
    let ledger = SqliteLedger::open(&path, Access::Dispatch).unwrap();
    let officials: Vec<_> = (0..people.officials).map(official).collect();
    sample::enrol(&ledger, now, &officials, people.constituents, people.confirming);
    ledger
}

/// In memory where there is such a place: what is on disk after a power cut is not the matter here.
fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}

async fn simulated(seed: u64) -> (World, Vec<u8>) {
    let folder = folder();
    let mut world = World::new(seed, Plan::of(seed), enrolled(folder.path(), &ALL));
    let trace = world.run().await;
    (world, trace)
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

/// Tells which week it was, should that fail.
struct Seed(u64);

impl Drop for Seed {
    #[expect(clippy::print_stderr, reason = "for whoever runs it again")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("again with UNDERSIGNED_PROVE_SEED={}", self.0);
        }
    }
}

#[tokio::test]
async fn in_no_week_is_a_limit_exceeded_or_a_letter_lost() {
    let seeds = match (number("UNDERSIGNED_PROVE_SEED"), number("UNDERSIGNED_PROVE_WEEKS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, Some(count)) => 0..count,
        (None, None) => 0..8,
    };
    let began = Instant::now();
    let (mut weeks, mut hand_overs, mut in_doubt, mut crashes) = (0, 0, 0, 0);
    for seed in seeds {
        let told = Seed(seed);
        let (world, _) = simulated(seed).await;
        world.check();
        drop(told);
        weeks += 1;
        hand_overs += world.ended.len();
        in_doubt += world.in_doubt;
        crashes += world.plan.crashes();
    }
    tell(&json!({
        "proof": "weeks", "schedules": weeks, "hand_overs": hand_overs, "faults": crashes, "lost": 0, "twice": 0,
        "in_doubt": in_doubt, "seconds": began.elapsed().as_secs(),
    }));
}

/// As `tests/support/proof.rs` does, which a test in here cannot use.
fn tell(figures: &serde_json::Value) {
    let Some(path) = std::env::var_os("UNDERSIGNED_PROOF") else { return };
    let mut file = File::options().create(true).append(true).open(path).unwrap();
    file.write_all(format!("{figures}\n").as_bytes()).unwrap();
}

#[tokio::test]
async fn the_same_seed_gives_the_same_week() {
    let seed = number("UNDERSIGNED_PROVE_SEED").unwrap_or(7);
    let (first, again) = (simulated(seed).await.1, simulated(seed).await.1);
    assert_eq!(first, again);
}
