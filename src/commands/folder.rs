//! The files of a campaign folder, for whoever looks through all of them: which are ledgers, tables, archives, and
//! whether the bytes of an address are in one. Changes nothing.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use memchr::memmem::Finder;

use crate::model::Mention;

const BLOCK_BYTES: usize = 1 << 20;
/// `SQLite`'s first bytes, and where it keeps the number by which a program knows its own files.
const DATABASE: &[u8] = b"SQLite format 3\0";
const APPLICATION_AT: usize = 68;
const APPLICATION: &[u8] = b"undr";

/// What a file is, as far as people's data is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A ledger, or a copy of one.
    Ledger,
    /// What a database keeps beside itself.
    BesideLedger,
    /// A table of text.
    Csv,
    /// A spreadsheet's own file.
    Workbook,
    /// Packed: its bytes tell nothing.
    Archive,
    /// Anything else.
    Other,
}

/// Every file below the folder, without what version control keeps; links are not followed.
pub(super) fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() && entry.file_name() != ".git" {
                folders.push(entry.path());
            } else if kind.is_file() {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

impl Kind {
    /// Of that file, by its first bytes and its name.
    pub(super) fn of(path: &Path) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
        if is_ledger(path) {
            Self::Ledger
        } else if ends(&["-wal", "-shm", "-journal"]) && is_ledger(&without_ending(path)) {
            Self::BesideLedger
        } else if ends(&[".csv", ".tsv"]) {
            Self::Csv
        } else if crate::contacts::is_workbook(path) {
            Self::Workbook
        } else if ends(&[".zip", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar"]) {
            Self::Archive
        } else {
            Self::Other
        }
    }
}

fn without_ending(path: &Path) -> PathBuf {
    let text = path.to_string_lossy();
    PathBuf::from(text.rsplit_once('-').map_or(&*text, |(start, _)| start))
}

fn is_ledger(path: &Path) -> bool {
    let mut head = [0; APPLICATION_AT + 4];
    File::open(path).and_then(|mut file| file.read_exact(&mut head)).is_ok()
        && head.starts_with(DATABASE)
        && &head[APPLICATION_AT..] == APPLICATION
}

/// The bytes of addresses in the encodings that a file may be in.
#[derive(Debug)]
pub(super) struct Bytes(Vec<Finder<'static>>);

impl Bytes {
    pub(super) fn of(mentions: &[Mention]) -> Self {
        let mut forms: Vec<Vec<u8>> = Vec::new();
        for form in mentions.iter().flat_map(Mention::forms) {
            let units: Vec<u16> = form.encode_utf16().collect();
            forms.push(units.iter().flat_map(|u| u.to_le_bytes()).collect());
            forms.push(units.iter().flat_map(|u| u.to_be_bytes()).collect());
            // The usual letters have the same number in Windows-1252.
            forms.extend(form.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect::<Option<Vec<u8>>>());
            forms.push(form.into_bytes());
        }
        forms.sort();
        forms.dedup();
        Self(forms.iter().map(|form| Finder::new(form).into_owned()).collect())
    }

    /// Whether one of them is in that file, in whatever case and standing for itself.
    pub(super) fn are_in(&self, path: &Path) -> io::Result<bool> {
        let longest = self.0.iter().map(|form| form.needle().len()).max().unwrap_or(0);
        let mut file = File::open(path)?;
        let (mut window, mut block) = (Vec::new(), vec![0; BLOCK_BYTES]);
        loop {
            let n = file.read(&mut block)?;
            if n == 0 {
                return Ok(false);
            }
            window.extend(block[..n].iter().map(u8::to_ascii_lowercase));
            if self.0.iter().any(|form| is_named(form, &window)) {
                return Ok(true);
            }
            // An address, with what stands before it, may lie across two blocks.
            window.drain(..window.len().saturating_sub(2 * longest));
        }
    }
}

fn is_named(form: &Finder<'_>, bytes: &[u8]) -> bool {
    form.find_iter(bytes).any(|at| {
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        let after = bytes.get(at + form.needle().len());
        let joins = |b: Option<&u8>, more: &[u8]| b.is_some_and(|b| b.is_ascii_alphanumeric() || more.contains(b));
        !joins(before, b"._+-") && !joins(after, b"-_")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::EmailAddress;

    #[test]
    fn the_bytes_of_an_address_are_found_in_every_usual_encoding_and_across_blocks() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let bytes = Bytes::of(&[Mention::of(&EmailAddress::parse("jörg@x.example").unwrap(), None)]);
        let wide = |to: fn(u16) -> [u8; 2]| "<Jörg@x.example>".encode_utf16().flat_map(to).collect::<Vec<u8>>();
        for text in [
            "to: jörg@X.example,".as_bytes().to_vec(),
            b"j\xf6rg@x.example".to_vec(),
            wide(u16::to_le_bytes),
            wide(u16::to_be_bytes),
        ] {
            for before in [0, BLOCK_BYTES - 6] {
                fs::write(&path, [vec![b'\n'; before], text.clone()].concat()).unwrap();
                assert!(bytes.are_in(&path).unwrap(), "{text:?} after {before}");
            }
        }
        for text in ["xjörg@x.example", "jörg@x.examples", "jorg@x.example"] {
            fs::write(&path, text).unwrap();
            assert!(!bytes.are_in(&path).unwrap(), "{text}");
        }
    }
}
