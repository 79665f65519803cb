//! Where this ledger is at home, and the signs that it is a copy or was restored.
//!
//! The home is a salted hash of the machine and of what tells the file from a copy of it: its inode and, where the file
//! system keeps it, when it was made. A file that is moved or renamed keeps both. Its device is left out: that number
//! may change with every start of the machine.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::UNIX_EPOCH;

use jiff::Timestamp;
use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};

use crate::ledger::{Machine, Restored, Result};

use super::cells::Ms;
use super::fault::{Work, storage};
use super::{SqliteLedger, file, mark};

const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 16;

/// Salt, hash of the machine, hash of the machine and the file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Home(Vec<u8>);

impl Home {
    fn of(machine: &Machine, file: &[u8], salt: &[u8]) -> Self {
        let of_machine = Sha256::new_with_prefix(salt).chain_update(machine.as_bytes());
        let (machine_alone, both) = (of_machine.clone().finalize(), of_machine.chain_update(file).finalize());
        Self([salt, &machine_alone[..HASH_BYTES], &both[..HASH_BYTES]].concat())
    }

    /// Whether this is the home of that file on that machine, and if not, why.
    fn differs(&self, machine: &Machine, file: &[u8]) -> Option<Restored> {
        let salt = &self.0[..SALT_BYTES.min(self.0.len())];
        let now = Self::of(machine, file, salt);
        let end_of_machine = SALT_BYTES + HASH_BYTES;
        if now == *self {
            None
        } else if now.0.get(..end_of_machine) == self.0.get(..end_of_machine) {
            Some(Restored::OtherFile)
        } else {
            Some(Restored::OtherMachine)
        }
    }
}

/// What tells a file from a copy of it.
fn identity(path: &Path) -> std::io::Result<Vec<u8>> {
    let about = std::fs::metadata(path)?;
    let born = about.created().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok()).map_or(0, |age| age.as_nanos());
    Ok([&about.ino().to_le_bytes()[..], &born.to_le_bytes()].concat())
}

impl SqliteLedger {
    /// The signs that this ledger is not the one that was last sent from; none where it is, or never was sent from.
    pub fn restored(&self, machine: &Machine) -> Result<Vec<Restored>> {
        let path = &self.shared.path;
        let this = identity(path).map_err(|e| storage(path, e.to_string()))?;
        // Before the ledger is read: a dispatcher at work moves both on, the ledger first.
        let mark = file::mark(path, &self.shared.tag);
        self.read(|db| {
            let (home, copied_at): (Option<Vec<u8>>, Option<Ms>) =
                db.query_row("SELECT home, copied_at FROM campaign", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let reached = mark::reached(db)?;
            let copied = copied_at.map(|at| Restored::Copied { at: at.time() });
            let moved = home.and_then(|home| Home(home).differs(machine, &this));
            let missing = mark.unwrap_or(0).saturating_sub(reached);
            let older = (missing > 0).then_some(Restored::Older { missing });
            Ok(copied.into_iter().chain(moved).chain(older).collect())
        })
    }

    /// This machine and this file are its home from now on, and it is not older than what was sent from it. Where staff
    /// had to say so, their word is a decision.
    pub fn settle(&self, machine: &Machine, accepted: &[Restored], now: Timestamp) -> Result<()> {
        let path = &self.shared.path;
        let this = identity(path).map_err(|e| storage(path, e.to_string()))?;
        let (machine, decision) = (machine.clone(), (!accepted.is_empty()).then(|| line(accepted)));
        let settle = move |db: &Connection| settle(db, &machine, &this, decision.as_deref(), now.into());
        let reached = self.write_blocking(settle)?;
        if let Some(lock) = &self.shared.lock {
            lock.renew(&self.shared.tag, reached);
        }
        Ok(())
    }
}

fn settle(db: &Connection, machine: &Machine, this: &[u8], decision: Option<&str>, now: Ms) -> Work<u64> {
    let known: Option<Vec<u8>> = db.query_row("SELECT home FROM campaign", [], |row| row.get(0))?;
    if known.is_none_or(|home| Home(home).differs(machine, this).is_some()) {
        let salt: [u8; SALT_BYTES] = rand::random();
        db.execute("UPDATE campaign SET home = ?1", [Home::of(machine, this, &salt).0])?;
    }
    if let Some(text) = decision {
        db.execute("UPDATE campaign SET copied_at = NULL", [])?;
        db.execute("INSERT INTO decision (at, text) VALUES (?1, ?2)", params![now, text])?;
    }
    mark::reached(db)
}

/// The line that stays.
fn line(accepted: &[Restored]) -> String {
    let sign = |sign: &Restored| match sign {
        Restored::Copied { at } => format!("a copy of {at}"),
        Restored::OtherMachine => "last sent from another machine".to_owned(),
        Restored::OtherFile => "last sent from another file".to_owned(),
        Restored::Older { missing } => format!("older than what was sent from it by {missing}"),
    };
    let signs: Vec<String> = accepted.iter().map(sign).collect();
    format!("accept a restored ledger: {}", signs.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_tells_machine_and_file_and_keeps_neither() {
        let (machine, other) = (Machine::named("machine one"), Machine::named("machine two"));
        let home = Home::of(&machine, b"file", &[7; SALT_BYTES]);
        assert_eq!(home.differs(&machine, b"file"), None);
        assert_eq!(home.differs(&machine, b"copy"), Some(Restored::OtherFile));
        assert_eq!(home.differs(&other, b"file"), Some(Restored::OtherMachine));
        assert_ne!(home, Home::of(&machine, b"file", &[8; SALT_BYTES]));
        assert_eq!(Home(Vec::new()).differs(&machine, b"file"), Some(Restored::OtherMachine));
        assert!(!home.0.windows(7).any(|bytes| bytes == b"machine"));
    }
}
