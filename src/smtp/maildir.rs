//! A folder of messages, one file each, as many mail programs read it: written in `tmp`, then moved to `new`.
//!
//! For rehearsals: a message in here has gone nowhere. Nothing is forced to disk, so this is no ledger.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

use crate::model::MessageRef;

/// The folder, and the number of the next file.
#[derive(Debug)]
pub(super) struct Maildir {
    folder: PathBuf,
    next: AtomicU64,
}

impl Maildir {
    /// Makes the folder where it is not there; goes on after the highest number in it.
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        for part in ["tmp", "new", "cur"] {
            make_private_folder(&folder.join(part))?;
        }
        let mut highest = 0;
        for part in ["tmp", "new", "cur"] {
            for entry in fs::read_dir(folder.join(part))? {
                highest = highest.max(number_of(&entry?.file_name().to_string_lossy()).unwrap_or(0));
            }
        }
        Ok(Self { folder: folder.to_owned(), next: AtomicU64::new(highest + 1) })
    }

    /// Writes one message below the header lines that tell its envelope; gives the name it is known by.
    pub(super) fn store(&self, from: &str, to: &[String], message: &[u8]) -> io::Result<String> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let id = format!("{number:08}.{}", label(message));
        let name = format!("{id}.eml");
        let path = self.folder.join("tmp").join(&name);
        let mut whole = format!("Return-Path: <{from}>\r\n").into_bytes();
        for recipient in to {
            whole.extend_from_slice(format!("X-Original-To: {recipient}\r\n").as_bytes());
        }
        whole.extend_from_slice(message);
        create_private(&path)?.write_all(&whole)?;
        fs::rename(&path, self.folder.join("new").join(&name))?;
        Ok(id)
    }
}

fn number_of(file_name: &str) -> Option<u64> {
    file_name.split_once('.')?.0.parse().ok()
}

/// The message's own name where it has one of ours, else the start of its hash: nothing else of a message may
/// become part of a path.
fn label(message: &[u8]) -> String {
    let header = |line: &[u8]| {
        let value = line.strip_prefix(b"X-Campaign-Message:")?;
        std::str::from_utf8(value).ok()?.trim().parse::<MessageRef>().ok()
    };
    let mut lines = message.split(|&b| b == b'\n').take_while(|line| !matches!(line, [] | [b'\r']));
    lines.find_map(header).map_or_else(|| start_of_hash(message), |found| found.to_string())
}

fn start_of_hash(message: &[u8]) -> String {
    let number = Sha256::digest(message).iter().take(8).fold(0_u64, |number, &byte| (number << 8) | u64::from(byte));
    format!("{number:016x}")
}

/// Letters are personal data: for nobody but their owner.
fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn make_private_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_by_our_reference_or_by_a_hash_and_by_nothing_else() {
        for (message, expected) in [
            (&b"Subject: x\r\nX-Campaign-Message: k3m9x2-12\r\n\r\nbody"[..], Some("k3m9x2-12")),
            (b"X-Campaign-Message: ../../etc/passwd\r\n\r\n", None),
            (b"Subject: x\r\n\r\nX-Campaign-Message: k3m9x2-12\r\n", None),
            (b"", None),
        ] {
            let label = label(message);
            match expected {
                Some(expected) => assert_eq!(label, expected),
                None => assert!(label.len() == 16 && label.bytes().all(|b| b.is_ascii_hexdigit()), "{label}"),
            }
        }
    }

    #[test]
    fn numbers_go_on_where_an_earlier_run_ended() {
        let folder = tempfile::tempdir().unwrap();
        let to = ["b@x.example".to_owned()];
        let first = Maildir::open(folder.path()).unwrap().store("a@x.example", &to, b"x").unwrap();
        let second = Maildir::open(folder.path()).unwrap().store("a@x.example", &to, b"x").unwrap();
        assert!(first.starts_with("00000001.") && second.starts_with("00000002."), "{first} {second}");
        let stored = fs::read(folder.path().join("new").join(format!("{second}.eml"))).unwrap();
        assert_eq!(stored, b"Return-Path: <a@x.example>\r\nX-Original-To: b@x.example\r\nx");
    }

    #[cfg(unix)]
    #[test]
    fn a_letter_can_be_read_by_its_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let id = Maildir::open(folder.path()).unwrap().store("a@x.example", &[], b"x").unwrap();
        let file = folder.path().join("new").join(format!("{id}.eml"));
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(folder.path().join("new")).unwrap().permissions().mode() & 0o777, 0o700);
    }
}
