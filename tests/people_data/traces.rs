//! Somebody with words of their own in every column, and a search for these in every file, however it is encoded.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::support::campaign::Campaign;

pub(crate) const ADDRESS: &str = "zebulon.quixote@mail.example";
pub(crate) const NAME: &str = "Zebulon Quixote";
const STREET: &str = "77 Marmalade Way";
const NOTE: &str = "Grandmother planted it";
/// Who shares the mailbox.
pub(crate) const PARTNER: &str = "Philippa Quixote";

/// A row of a contact list.
pub(crate) fn row(name: &str, address: &str, town: usize) -> String {
    format!("constituent,,{name},{address},Town {town},{STREET},60000,2026-10-01,{NOTE}\n")
}

/// Adds them to the list of a campaign.
pub(crate) fn add(campaign: &Campaign, rows: &[String]) {
    let path = campaign.path().join("contacts.csv");
    let list = fs::read_to_string(&path).unwrap() + &rows.concat();
    fs::write(path, list).unwrap();
}

/// Every file below a folder.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let is_folder = entry.file_type().unwrap().is_dir();
            if is_folder { &mut folders } else { &mut found }.push(entry.path());
        }
    }
    found
}

/// Where any of their words is left: file and word.
pub(crate) fn left(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for path in files(folder) {
        let bytes = fs::read(&path).unwrap();
        for word in [ADDRESS, NAME, PARTNER, STREET, NOTE] {
            if is_in(word, &bytes) {
                found.push(format!("{}: {word}", path.display()));
            }
        }
    }
    found
}

fn is_in(word: &str, bytes: &[u8]) -> bool {
    let has = |bytes: &[u8], form: &[u8]| {
        memchr::memmem::find(&bytes.to_ascii_lowercase(), &form.to_ascii_lowercase()).is_some()
    };
    let wide = |to: fn(u16) -> [u8; 2]| word.encode_utf16().flat_map(to).collect::<Vec<u8>>();
    let unfolded: Vec<u8> = bytes.iter().copied().filter(|b| !matches!(b, b'\r' | b'\n')).collect();
    let soft = String::from_utf8_lossy(bytes).replace("=\r\n", "").replace("=\n", "").replace("=20", " ");
    let spaced = String::from_utf8_lossy(bytes).replace("\r\n", " ").replace('\n', " ");
    let in_base64 = (0..3).any(|shift| {
        let text = STANDARD.encode([&b"xyz"[..shift], word.as_bytes()].concat());
        // The letters at both ends depend on what stands beside the word.
        let inner = text.trim_end_matches('=');
        let inner = &inner[if shift == 0 { 0 } else { 4 }..inner.len() - 2];
        memchr::memmem::find(&unfolded, inner.as_bytes()).is_some()
    });
    has(bytes, word.as_bytes())
        || has(bytes, &wide(u16::to_le_bytes))
        || has(bytes, &wide(u16::to_be_bytes))
        || has(soft.as_bytes(), word.as_bytes())
        || has(spaced.as_bytes(), word.as_bytes())
        || in_base64
}

#[test]
fn the_search_finds_what_is_there_in_every_encoding() {
    let text = format!("Dear neighbour, {NAME} lives at {STREET}. {NOTE}");
    for encoded in [
        text.clone().into_bytes(),
        text.to_uppercase().into_bytes(),
        text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        STANDARD.encode(&text).into_bytes(),
        STANDARD.encode(format!(" {text}")).into_bytes(),
        STANDARD.encode(format!("  {text}")).into_bytes(),
        text.replace("Marmalade", "Marma=\r\nlade")
            .replace("Zebulon", "Zebu=\r\nlon")
            .replace("planted", "plan=\r\nted")
            .into_bytes(),
    ] {
        for word in [NAME, STREET, NOTE] {
            assert!(is_in(word, &encoded), "{word} in {}", String::from_utf8_lossy(&encoded));
        }
    }
    assert!(!is_in(NAME, b"Zebulon Q."));
}
