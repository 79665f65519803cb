//! strace's injection: a system call of the program that fails, or that is its last, at the N-th time.
//!
//! strace counts for each thread by itself. So the faults while people are enrolled (the main thread writes) and those
//! while letters go (the ledger's own thread writes) are two rows.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use crate::support::campaign::Campaign;
use crate::support::proof;
use crate::support::relay::ScriptedRelay;
use crate::world::{SEND_LETTERS, campaign, run_killed_at, start, watch};

/// What `SQLite` and the program's own files are written with; `write` also wakes its threads.
pub const CALLS: [&str; 4] = ["fdatasync", "fsync", "pwrite64", "write"];

pub const LETTERS: usize = 6;

/// When the faults come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum During {
    /// From an empty folder on: the ledger is made, and people are enrolled.
    Planning,
    /// Everything is planned; letters go out.
    Sending,
}

/// A campaign that stands where the faults are to come.
pub fn campaign_for(during: During, relay: &ScriptedRelay) -> Campaign {
    let campaign = campaign(LETTERS, 2, relay);
    if during == During::Sending {
        run_killed_at(&campaign, SEND_LETTERS, "dispatch.claimed");
    }
    campaign
}

/// Whether it is there and may trace; says so where not.
pub fn is_there() -> bool {
    let there =
        Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).output().is_ok_and(|o| o.status.success());
    if !there {
        println!("skipped: strace is not there, or may not trace here");
    }
    there
}

/// The program under strace: what is traced goes to that file; `injected` as in `-e inject=`.
pub fn under_strace(campaign: &Campaign, calls: &[&str], trace: &Path, injected: Option<&str>) -> Command {
    let program = campaign.command(SEND_LETTERS);
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-s", "2000", "-e"]).arg(format!("trace={}", calls.join(",")));
    if let Some(injected) = injected {
        command.arg("-e").arg(format!("inject={injected}"));
    }
    command.arg("-o").arg(trace).arg(program.get_program()).args(program.get_args());
    command.env("UNDERSIGNED_LOG", "trace");
    command
}

/// How often the busiest thread makes each call in a run in which nothing is wrong.
pub fn counted(during: During) -> BTreeMap<&'static str, usize> {
    let relay = ScriptedRelay::kind();
    let campaign = campaign_for(during, &relay);
    let trace = campaign.path().join("trace");
    let (_, ran) = watch(under_strace(&campaign, &CALLS, &trace, None));
    assert_eq!(ran.code, 0, "{ran:?}");
    let mut by_thread: BTreeMap<(&str, String), usize> = BTreeMap::new();
    for line in std::fs::read_to_string(&trace).unwrap().lines() {
        let Some((thread, call)) = line.split_once(' ') else { continue };
        if let Some(name) = CALLS.into_iter().find(|name| call.trim_start().starts_with(&format!("{name}("))) {
            *by_thread.entry((name, thread.to_owned())).or_default() += 1;
        }
    }
    let mut most = BTreeMap::new();
    for ((name, _), n) in by_thread {
        let entry = most.entry(name).or_insert(0);
        *entry = n.max(*entry);
    }
    most
}

/// Every N of every call in the long run; in CI so many of all, evenly spread.
pub fn schedule(during: During, calls: &[&str], in_ci: usize) -> Vec<(&'static str, usize)> {
    let all: Vec<_> = counted(during)
        .into_iter()
        .filter(|(call, _)| calls.contains(call))
        .flat_map(|(call, most)| (1..=most).map(move |n| (call, n)))
        .collect();
    let wanted = proof::long_run().map_or(in_ci, |_| all.len()).min(all.len());
    (0..wanted).map(|n| all[n * all.len() / wanted]).collect()
}

/// Runs the program so, to its end.
pub fn run_injected(campaign: &Campaign, call: &str, injected: &str) -> (Option<i32>, crate::support::campaign::Ran) {
    let trace = campaign.path().join("trace");
    let (status, ran) = start(under_strace(campaign, &[call], &trace, Some(injected))).end();
    (status.code(), ran)
}
