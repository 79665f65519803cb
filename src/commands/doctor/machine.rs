//! The machine: its clock, its limits, and the `SQLite` that is built in.

use std::path::Path;

use jiff::Timestamp;

use crate::config::Config;
use crate::ledger::sqlite::{Examined, has_wal_reset_defect, version};
use crate::report::{MOMENT, Seen};

/// A ledger that is ahead of the clock by less was written by a clock that was set since.
const AHEAD_SECONDS_MAX: i64 = 120;
/// Files that a run has open besides its connections.
const FILES_BESIDES: u64 = 64;
/// Where systemd notes that the network has set the clock.
const SET_BY_NETWORK: &str = "/run/systemd/timesync/synchronized";

/// Whether it can be right: nothing in the ledger is yet to come.
pub(super) fn clock(config: &Config, ledger: Option<&Examined>, seen: &mut Vec<Seen>) {
    let now = Timestamp::now();
    let shown = now.to_zoned_datetime(config.timezone.clone()).strftime(MOMENT);
    let newest = ledger
        .and_then(|found| found.newest)
        .filter(|newest| newest.as_second() > now.as_second().saturating_add(AHEAD_SECONDS_MAX));
    seen.push(if let Some(newest) = newest {
        let newest = newest.to_zoned_datetime(config.timezone.clone()).strftime(MOMENT);
        Seen::bad(
            "clock",
            format!("it says {shown}, but the ledger knows of {newest}"),
            "set it right (timedatectl): hours, quotas and the deadline go by it",
        )
    } else if Path::new(SET_BY_NETWORK).exists() {
        Seen::ok("clock", format!("it says {shown}, and the network keeps it right"))
    } else {
        Seen::ok("clock", format!("it says {shown}; whether the network keeps it right, `timedatectl` tells"))
    });
}

/// A connection is a file that is open.
pub(super) fn open_files(config: &Config, seen: &mut Vec<Seen>) {
    let connections: usize = config.relays.iter().map(|relay| relay.connections).sum();
    let need = u64::try_from(connections).unwrap_or(u64::MAX).saturating_add(FILES_BESIDES);
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    seen.push(match limit.filter(|limit| *limit < need) {
        Some(limit) => Seen::bad(
            "open files",
            format!("at most {limit} may be open, and {connections} connections need {need}"),
            format!("ulimit -n {need}, or fewer connections in config.toml"),
        ),
        None => Seen::ok("open files", format!("as many as {connections} connections need")),
    });
}

pub(super) fn sqlite(seen: &mut Vec<Seen>) {
    let (text, number) = version();
    seen.push(if has_wal_reset_defect(number) {
        Seen::bad(
            "SQLite",
            format!("version {text} is built in, which can damage a ledger (its WAL-reset defect)"),
            "build this program with SQLite 3.51.3 or newer",
        )
    } else {
        Seen::ok("SQLite", format!("version {text} is built in, without the WAL-reset defect"))
    });
}
