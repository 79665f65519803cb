//! What the letters of a ledger were planned from, kept in the ledger: where nothing of that has changed, the next
//! `send` has nothing to plan and goes on at once. It must not decide anything else, and keeps nothing personal.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::config::Config;
use crate::ledger::sqlite::SqliteLedger;
use crate::ledger::{Ledger, LedgerError};
use crate::template::Fields;

use super::texts::Sources;
use super::workspace::BadRows;

const BUFFER_BYTES: usize = 256 * 1024;

/// A hash of everything that planning reads: the same print gives the same plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Print([u8; 32]);

impl Print {
    /// As the campaign folder is now; nothing where something cannot be read, which planning tells of.
    pub(super) fn of(config: &Config, bad_rows: BadRows) -> Option<Self> {
        let mut parts = Parts::default();
        parts.add(env!("CARGO_PKG_VERSION").as_bytes());
        parts.add(&config.plan_hash);
        parts.add(&[u8::from(bad_rows == BadRows::Skip)]);
        for (name, text) in Sources::read(config).ok()?.texts() {
            parts.add(name.as_bytes());
            parts.add(text.as_bytes());
        }
        for file in &config.contacts.files {
            parts.add(&content(&file.path)?);
        }
        for table in [&config.contacts.aliases, &config.contacts.postcodes] {
            match table.as_ref().filter(|path| path.exists()) {
                Some(path) => parts.add(&content(path)?),
                None => parts.add(&[]),
            }
        }
        Some(Self(parts.0.finalize().into()))
    }
}

/// Each with its length before it, so that nothing can move from one to the next.
#[derive(Default)]
struct Parts(Sha256);

impl Parts {
    fn add(&mut self, part: &[u8]) {
        self.0.update((part.len() as u64).to_le_bytes());
        self.0.update(part);
    }
}

/// The hash of a file. A date and a size would be quicker, and would prove nothing.
fn content(path: &Path) -> Option<[u8; 32]> {
    // Before opening: a pipe would be waited for.
    path.metadata().ok().filter(std::fs::Metadata::is_file)?;
    let mut file = File::open(path).ok()?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        match file.read(&mut buffer).ok()? {
            0 => return Some(hash.finalize().into()),
            n => hash.update(&buffer[..n]),
        }
    }
}

/// What the ledger keeps.
#[derive(Serialize, Deserialize)]
struct Record {
    print: Print,
    /// What a frozen text may name, which only the files' headers tell.
    official: BTreeSet<String>,
    constituent: BTreeSet<String>,
}

/// The columns that people have, where the letters in the ledger were planned from just this.
pub(super) fn from_the_same(ledger: &SqliteLedger, print: &Print) -> Result<Option<Fields>, LedgerError> {
    let kept = ledger.sources()?.and_then(|kept| serde_json::from_slice::<Record>(&kept).ok());
    let same = kept.filter(|kept| kept.print == *print);
    Ok(same.map(|kept| Fields { official: kept.official, constituent: kept.constituent }))
}

/// Keeps in the ledger what its letters were planned from.
pub(super) fn remember(ledger: &SqliteLedger, print: &Print, fields: &Fields) -> Result<(), LedgerError> {
    let Fields { official, constituent } = fields.clone();
    // A record that cannot be written as JSON is one that is not known: then the next `send` plans again.
    let kept = serde_json::to_vec(&Record { print: print.clone(), official, constituent }).unwrap_or_default();
    ledger.note_sources(&kept)
}
