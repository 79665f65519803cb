//! What can be seen of a ledger's disk from outside: how much room there is, and who else has the file open.

use std::fs;
use std::path::{Path, PathBuf};

/// Below this the next commits of a ledger do not fit.
const ROOM_MIN: u64 = 1 << 20;

/// The folder of a file, from the root where that can be told.
pub(super) fn folder(file: &Path) -> PathBuf {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    folder.canonicalize().unwrap_or_else(|_| folder.to_owned())
}

/// The bytes that this user may still write there, where the system tells.
pub(super) fn room(file: &Path) -> Option<u64> {
    let about = rustix::fs::statvfs(folder(file)).ok()?;
    Some(about.f_bavail.saturating_mul(about.f_frsize))
}

/// `12 KB`, `3.4 GB`.
pub(super) fn bytes(n: u64) -> String {
    let units = [("GB", 1u64 << 30), ("MB", 1 << 20), ("KB", 1 << 10)];
    let Some((unit, size)) = units.into_iter().find(|(_, size)| n >= *size) else { return format!("{n} bytes") };
    let tenths = n / (size / 10).max(1);
    if tenths < 100 { format!("{}.{} {unit}", tenths / 10, tenths % 10) } else { format!("{} {unit}", n / size) }
}

/// Why a ledger can hardly be written, where that shows.
pub(super) fn trouble(ledger: &Path) -> Option<String> {
    let room = room(ledger).filter(|room| *room < ROOM_MIN)?;
    Some(format!(
        "the disk of the ledger's folder {} is full ({} free): nothing can be recorded, so nothing is sent; make room, \
         and a `send` that runs goes on by itself",
        folder(ledger).display(),
        bytes(room)
    ))
}

/// What to say while a ledger cannot be written: the reason, what can be seen, and that it goes on by itself.
pub(super) fn in_words(reason: &str, ledger: &Path) -> String {
    let seen = match (room(ledger), others(ledger)) {
        (Some(room), _) if room < ROOM_MIN => {
            format!(" Its folder {} has {} left.", folder(ledger).display(), bytes(room))
        }
        (_, others) if !others.is_empty() => format!(" It is open in: {}.", others.join(", ")),
        _ => String::new(),
    };
    format!("Nothing is sent just now: {reason}.{seen} It goes on by itself when that is over.")
}

/// Other programs that have the file open, by name and number, as far as this user may see them.
pub(super) fn others(file: &Path) -> Vec<String> {
    let Ok(file) = file.canonicalize() else { return Vec::new() };
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let others = numbers.filter(|number| *number != std::process::id() && has_open(*number, &file));
    others.map(named).collect()
}

fn has_open(process: u32, file: &PathBuf) -> bool {
    let open = fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten();
    open.filter_map(|entry| fs::read_link(entry.path()).ok()).any(|target| target == *file)
}

fn named(process: u32) -> String {
    let name = fs::read_to_string(format!("/proc/{process}/comm")).unwrap_or_default();
    format!("{} (process {process})", name.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_told_in_few_figures() {
        for (n, text) in
            [(0, "0 bytes"), (1023, "1023 bytes"), (1536, "1.5 KB"), (52 << 20, "52 MB"), (7 << 30, "7.0 GB")]
        {
            assert_eq!(bytes(n), text);
        }
    }
}
