//! Files and the disk that they are on: who may read them, what killed runs left behind, whether there is room.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::ledger::sqlite::{Examined, SqliteLedger};
use crate::report::{Seen, count};

use super::super::disk;

const BY_OTHERS: u32 = 0o077;
const WRITTEN_BY_EVERYBODY: u32 = 0o002;
/// What one message still writes: its tries, its row, its confirmation, and copies of pages on the way.
const BYTES_A_MESSAGE: u64 = 4 * 1024;
/// What the write-ahead log takes at most before it is emptied.
const BYTES_OF_LOG: u64 = 64 << 20;

fn mode(path: &Path) -> Option<u32> {
    fs::metadata(path).ok().map(|about| about.mode() & 0o7777)
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// The ledger has everybody's letters: its files are for their owner alone, and so are the lists.
pub(super) fn modes(config: &Config, seen: &mut Vec<Seen>) {
    let before = seen.len();
    for suffix in ["", "-wal", "-shm", ".lock"] {
        let path = beside(&config.ledger, suffix);
        if let Some(mode) = mode(&path).filter(|mode| mode & BY_OTHERS != 0) {
            let what = format!("{} can be opened by others (mode {mode:o})", path.display());
            seen.push(Seen::bad("ledger's files", what, format!("chmod 600 {}", path.display())));
        }
    }
    if let Some(mode) = mode(&config.dir).filter(|mode| mode & WRITTEN_BY_EVERYBODY != 0) {
        let what = format!("everybody can write into the campaign folder (mode {mode:o})");
        seen.push(Seen::bad("folder", what, format!("chmod o-w {}", config.dir.display())));
    }
    let is_closed = mode(&config.dir).is_some_and(|mode| mode & BY_OTHERS == 0);
    let lists = config.contacts.files.iter().map(|file| file.path.clone());
    let made = ["problems.csv", "refused.csv", "failed.csv"].map(|name| config.dir.join(name));
    let open: Vec<PathBuf> =
        lists.chain(made).filter(|path| mode(path).is_some_and(|mode| mode & 0o004 != 0)).collect();
    if !is_closed && !open.is_empty() {
        let named: Vec<String> = open.iter().map(|path| path.display().to_string()).collect();
        seen.push(Seen::warn(
            "lists",
            format!("every user of this machine can read {}", named.join(", ")),
            format!("chmod 700 {}", config.dir.display()),
        ));
    }
    if seen.len() == before {
        seen.push(Seen::ok("files", "nobody else can read the ledger or the lists"));
    }
}

/// Passwords, tokens and keys lie as secrets must.
pub(super) fn secrets(config: &Config, seen: &mut Vec<Seen>) {
    let before = seen.len();
    let mut looked_at = 0;
    for relay in &config.relays {
        if let Some(looked) = relay.look_at_secret_file() {
            looked_at += 1;
            if let Err(error) = looked {
                seen.push(Seen::bad(
                    "secrets",
                    format!("relay `{}`: {error}", relay.name()),
                    "mend that, then look again",
                ));
            }
        }
    }
    for key in &config.dkim.keys {
        looked_at += 1;
        if let Err(error) = key.signer() {
            seen.push(Seen::bad("secrets", error.to_string(), "mend that, then look again"));
        }
    }
    if seen.len() == before {
        seen.push(Seen::ok(
            "secrets",
            if looked_at > 0 { "they can be read by you alone" } else { "none are in files" },
        ));
    }
}

/// What runs that were killed left behind with people's data in it.
pub(super) fn leftovers(config: &Config, seen: &mut Vec<Seen>) {
    let draft = beside(&config.ledger, ".new");
    let tests = fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten();
    let tests = tests.filter(|entry| entry.file_name().to_string_lossy().starts_with("undersigned-test-"));
    let me = rustix::process::geteuid().as_raw();
    let ours = tests.filter(|entry| entry.metadata().is_ok_and(|about| about.uid() == me)).map(|entry| entry.path());
    let mut found: Vec<String> = ours.map(|path| path.display().to_string()).collect();
    if draft.exists() && !SqliteLedger::dispatcher_is_running(&config.ledger) {
        found.push(draft.display().to_string());
    }
    seen.push(if found.is_empty() {
        Seen::ok("leftovers", "none of runs that were killed")
    } else {
        let what = format!("runs that were killed left {}", found.join(", "));
        Seen::warn("leftovers", what, "when no `undersigned` is running, remove them: they hold people's data")
    });
}

/// The kind of file system and the room on it.
pub(super) fn disk(config: &Config, ledger: Option<&Examined>, seen: &mut Vec<Seen>) {
    let folder = disk::folder(&config.ledger);
    seen.push(match kind(&folder) {
        Some((name, Suits::Not)) => Seen::bad(
            "file system",
            format!("{} is on {name}, which does not lock files as the ledger needs it", folder.display()),
            "move the campaign folder to a disk of this machine",
        ),
        Some((name, Suits::Perhaps)) => Seen::warn(
            "file system",
            format!("{} is on {name}", folder.display()),
            "a ledger is safe there only if it flushes to a disk that lasts; a disk of this machine is sure",
        ),
        Some((name, Suits::Yes)) => Seen::ok("file system", format!("the ledger is on {name}")),
        None => Seen::ok("file system", "not one that is known to be unfit"),
    });
    let Some(room) = disk::room(&config.ledger) else { return };
    let messages = ledger.map_or(0, |found| found.moving);
    let need = messages.saturating_mul(BYTES_A_MESSAGE).saturating_add(BYTES_OF_LOG);
    let free = format!("{} free for the ledger", disk::bytes(room));
    seen.push(if disk::trouble(&config.ledger).is_some() {
        Seen::bad("room", format!("only {free}: nothing can be recorded"), "make room on its disk")
    } else if room < need {
        let what = format!("{free}; the {} messages that still move may need {}", count(messages), disk::bytes(need));
        Seen::warn("room", what, "make room on its disk before it runs full")
    } else {
        Seen::ok("room", free)
    });
}

/// Whether a file system keeps what a ledger needs of it: locks, shared memory, flushes.
#[derive(Clone, Copy)]
enum Suits {
    Yes,
    Perhaps,
    Not,
}

#[cfg(target_os = "linux")]
fn kind(folder: &Path) -> Option<(&'static str, Suits)> {
    // By the numbers of `statfs(2)`.
    let magic = rustix::fs::statfs(folder).ok()?.f_type;
    let known = [
        (0x6969, "NFS", Suits::Not),
        (0x517b, "a Windows share (SMB)", Suits::Not),
        (0xff53_4d42, "a Windows share (CIFS)", Suits::Not),
        (0xfe53_4d42, "a Windows share (SMB)", Suits::Not),
        (0x0102_1997, "a shared folder of a virtual machine (9p)", Suits::Not),
        (0x786f_4256, "a shared folder of VirtualBox", Suits::Not),
        (0x00c3_6400, "Ceph", Suits::Not),
        (0x5346_414f, "AFS", Suits::Not),
        (0x6573_5546, "FUSE", Suits::Perhaps),
        (0x794c_7630, "a container's layers (overlay)", Suits::Perhaps),
        (0x0102_1994, "a disk in memory (tmpfs)", Suits::Perhaps),
        (0xef53, "ext4", Suits::Yes),
        (0x5846_5342, "XFS", Suits::Yes),
        (0x9123_683e, "Btrfs", Suits::Yes),
        (0x2fc1_2fc1, "ZFS", Suits::Yes),
    ];
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "magic numbers have 32 bits")]
    let magic = magic as u32;
    known.into_iter().find(|(number, ..)| *number == magic).map(|(_, name, suits)| (name, suits))
}

#[cfg(not(target_os = "linux"))]
fn kind(_: &Path) -> Option<(&'static str, Suits)> {
    None
}
