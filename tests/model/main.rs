//! Random schedules of crashes, relay faults and orders of staff, driven against the real program, compared after each
//! step with a model of what may be true, the relay's own record being the oracle.
//!
//! What happens is bound to what the relay has seen, not to the clock, so that a seed repeats well. A failure prints its
//! seed and the shortest schedule that still fails; `UNDERSIGNED_PROVE_SEED` runs one seed again,
//! `UNDERSIGNED_PROVE_SCHEDULES` says how many.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test ends where it cannot go on")]
#![allow(missing_docs, unreachable_pub, reason = "names and signatures say it")]
#![cfg(unix)]

mod schedule;
#[path = "../support/mod.rs"]
mod support;
mod truth;
mod unruly;
mod world;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};
use serde_json::json;

use schedule::{Plan, Schedule, Step};
use support::proof;
use world::{Tally, World};

/// Schedules that are carried out at a time; most of the time they wait.
const AT_A_TIME: usize = 12;
const STEPS: std::ops::Range<usize> = 5..13;

/// What all schedules came to.
static TALLY: Mutex<(Tally, BTreeMap<&str, usize>)> =
    Mutex::new((Tally { kills: 0, runs: 0, letters: 0, in_doubt: 0, lost: 0, twice: 0 }, BTreeMap::new()));

struct Driven;

impl StateMachineTest for Driven {
    type SystemUnderTest = World;
    type Reference = Schedule;

    fn init_test(plan: &Plan) -> World {
        World::new(plan)
    }

    fn apply(mut world: World, _: &Plan, step: Step) -> World {
        world.make(&step);
        world
    }

    fn teardown(mut world: World, plan: Plan) {
        world.end(plan.retries_at_end);
        let mut tally = TALLY.lock().unwrap();
        let Tally { kills, runs, letters, in_doubt, lost, twice } = world.tally;
        tally.0.kills += kills;
        tally.0.runs += runs;
        tally.0.letters += letters;
        tally.0.in_doubt += in_doubt;
        tally.0.lost += lost;
        tally.0.twice += twice;
        for (kind, count) in world.faults() {
            *tally.1.entry(kind.name()).or_default() += count;
        }
    }
}

/// One schedule; in its error the shortest one that still fails.
fn run(seed: u64) -> Result<(), String> {
    let config = Config {
        cases: 1,
        failure_persistence: None,
        max_shrink_iters: 60,
        max_shrink_time: 90_000,
        ..Config::default()
    };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(config.clone(), rng);
    let ran = runner.run(&Schedule::sequential_strategy(STEPS), |(plan, steps, seen)| {
        Driven::test_sequential(config.clone(), plan, steps, seen);
        Ok(())
    });
    ran.map_err(|error| format!("again with UNDERSIGNED_PROVE_SEED={seed}\n{error}"))
}

#[test]
fn no_schedule_loses_a_letter_or_sends_one_twice() {
    let began = Instant::now();
    let given = std::env::var("UNDERSIGNED_PROVE_SEED").ok().map(|text| text.parse::<u64>().unwrap());
    let schedules = if given.is_some() { 1 } else { proof::schedules(50) };
    // A long run breaks new ground each time; a short one can be compared with the last.
    let is_long = std::env::var_os("UNDERSIGNED_PROVE_SCHEDULES").is_some();
    let first = given.unwrap_or(if is_long { rand::random::<u32>().into() } else { 1 });
    let (next, done) = (AtomicU64::new(first), AtomicUsize::new(0));
    let failures = Mutex::new(Vec::new());
    let end = first + schedules as u64;
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME.min(schedules) {
            scope.spawn(|| {
                while let Some(seed) = Some(next.fetch_add(1, Ordering::SeqCst)).filter(|seed| *seed < end) {
                    if let Err(failure) = run(seed) {
                        failures.lock().unwrap().push(failure);
                        next.store(end, Ordering::SeqCst);
                    }
                    done.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    tell(done.into_inner(), began);
}

fn tell(schedules: usize, began: Instant) {
    let (tally, faults) = &*TALLY.lock().unwrap();
    let Tally { kills, runs, letters, in_doubt, lost, twice } = tally;
    let figures = json!({
        "schedules": schedules, "runs": runs, "kills": kills, "faults": faults, "letters": letters,
        "lost": lost, "twice": twice, "in_doubt": in_doubt, "seconds": began.elapsed().as_secs(),
    });
    println!("{figures}");
    assert!(*kills > 0 && faults.len() >= 8 || schedules < 50, "the schedules prove nothing: {figures}");
    proof::tell("model", figures);
}
