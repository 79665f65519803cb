//! After people were erased: no byte of them stays in what the database does not use any more, and that is looked at
//! rather than believed. Must not erase anything that is still in use.

use std::collections::{BTreeSet, HashSet};
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use rusqlite::Connection;

use crate::ledger::Result;
use crate::model::{EmailAddress, Mention};

use super::fault::{Fault, Work, storage};
use super::file::{beside, connect};
use super::{BUSY_TIMEOUT, SqliteLedger};

const BLOCK_BYTES: usize = 1 << 20;
/// No address is longer.
const ADDRESS_BYTES_MAX: usize = 256;

/// Every text in which an address may be.
const TEXTS: [(&str, &str); 15] = [
    ("person", "mailbox"),
    ("person", "extra"),
    ("person", "note"),
    ("lane", "mailbox"),
    ("message", "last_reply"),
    ("message", "queue_id"),
    ("attempt", "text"),
    ("attempt", "queue_id"),
    ("suppression", "mailbox"),
    ("campaign", "reason"),
    ("relay", "reason"),
    ("decision", "text"),
    ("suppression", "reason"),
    ("pause", "reason"),
    ("template", "source"),
];

impl SqliteLedger {
    /// Writes the file anew without what was deleted, empties its write-ahead log, and looks for these mailboxes in
    /// what is left; gives where one was found, in words. The ledger must have been opened to dispatch.
    pub fn scrub(&self, mailboxes: &[EmailAddress]) -> Result<Vec<String>> {
        let path = &self.shared.path;
        let mut db = connect(path, BUSY_TIMEOUT)?;
        let mut found = rewrite(&db).map_err(|fault| fault.at(path))?;
        for mailbox in left_in_files(path, mailboxes).map_err(|e| storage(path, e.to_string()))? {
            found.extend(where_in(&mut db, &mailbox).map_err(|fault| fault.at(path))?);
        }
        Ok(found)
    }
}

fn rewrite(db: &Connection) -> Work<Vec<String>> {
    db.pragma_update(None, "secure_delete", true)?;
    db.execute_batch("VACUUM")?;
    let is_in_use: bool = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    let advice = "its write-ahead log is still read by another program; end that (status --watch?) and do this again";
    Ok(if is_in_use { vec![advice.to_owned()] } else { Vec::new() })
}

/// Those of the mailboxes whose bytes are in the ledger or its side files.
fn left_in_files(ledger: &Path, mailboxes: &[EmailAddress]) -> std::io::Result<BTreeSet<EmailAddress>> {
    let wanted = Wanted::new(mailboxes);
    let mut found = BTreeSet::new();
    for suffix in ["", "-wal", "-shm"] {
        match File::open(beside(ledger, suffix)) {
            Ok(file) => wanted.look_through(file, &mut found)?,
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(mailboxes.iter().filter(|mailbox| found.contains(&mailbox.key())).cloned().collect())
}

/// Many mailboxes, found in one reading: at every `@` it is asked whether one of them stands around it.
struct Wanted {
    keys: HashSet<Vec<u8>>,
    locals: BTreeSet<usize>,
    domains: HashSet<Vec<u8>>,
    domain_lengths: BTreeSet<usize>,
}

impl Wanted {
    fn new(mailboxes: &[EmailAddress]) -> Self {
        let mut wanted = Self {
            keys: HashSet::new(),
            locals: BTreeSet::new(),
            domains: HashSet::new(),
            domain_lengths: BTreeSet::new(),
        };
        for mailbox in mailboxes {
            let (key, domain) = (mailbox.key().into_bytes(), mailbox.domain().as_bytes().to_vec());
            wanted.locals.insert(key.len() - domain.len() - 1);
            wanted.domain_lengths.insert(domain.len());
            wanted.domains.insert(domain);
            wanted.keys.insert(key);
        }
        wanted
    }

    fn look_through(&self, mut file: File, found: &mut BTreeSet<String>) -> std::io::Result<()> {
        let (mut window, mut block) = (Vec::new(), vec![0; BLOCK_BYTES]);
        loop {
            let n = file.read(&mut block)?;
            if n == 0 {
                return Ok(());
            }
            window.extend(block[..n].iter().map(u8::to_ascii_lowercase));
            self.look_at(&window, found);
            // An address may lie across two blocks.
            window.drain(..window.len().saturating_sub(2 * ADDRESS_BYTES_MAX));
        }
    }

    fn look_at(&self, bytes: &[u8], found: &mut BTreeSet<String>) {
        for at in memchr::memchr_iter(b'@', bytes) {
            let domains = self.domain_lengths.iter().filter_map(|&n| bytes.get(at + 1..at + 1 + n));
            for domain in domains.filter(|domain| self.domains.contains(*domain)) {
                let end = at + 1 + domain.len();
                let keys = self.locals.iter().filter_map(|n| bytes.get(at.checked_sub(*n)?..end));
                found.extend(keys.filter(|key| self.keys.contains(*key)).map(|k| String::from_utf8_lossy(k).into()));
            }
        }
    }
}

/// Where those bytes are: in a text that is in use, or in a part of the file that is not. Nothing where they are only
/// the end of somebody else's longer address.
fn where_in(db: &mut Connection, mailbox: &EmailAddress) -> Work<Option<String>> {
    let (key, mention) = (mailbox.key(), Mention::of(mailbox, None));
    let mut is_of_another = false;
    for (table, column) in TEXTS {
        let sql = format!("SELECT {column} FROM {table} WHERE instr(lower({column}), ?1) > 0");
        let mut texts = db.prepare(&sql)?;
        let mut rows = texts.query([&key]).map_err(Fault::from)?;
        while let Some(row) = rows.next()? {
            if mention.is_in(&row.get::<_, String>(0)?) {
                return Ok(Some(format!("the address is still in the ledger, in {table}.{column}")));
            }
            is_of_another = true;
        }
    }
    let unused = "the address is still in a part of the ledger's file that is not in use; do this again";
    Ok((!is_of_another).then(|| unused.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_a_mailbox_are_found_wherever_they_lie_and_whatever_their_case() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let mailboxes = ["ana@x.example", "ben@y.example"].map(|m| EmailAddress::parse(m).unwrap());
        for before in [0, 5, BLOCK_BYTES - 5, BLOCK_BYTES - 13] {
            let mut bytes = vec![b'z'; before];
            bytes.extend_from_slice(b"7Ana@X.EXAMPLETown");
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(left_in_files(&path, &mailboxes).unwrap(), BTreeSet::from([mailboxes[0].clone()]), "{before}");
        }
        std::fs::write(&path, b"na@x.example ben@x.example @").unwrap();
        assert!(left_in_files(&path, &mailboxes).unwrap().is_empty());
    }
}
