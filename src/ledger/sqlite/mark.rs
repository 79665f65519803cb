//! How far a ledger has come, kept also beside it: the mark in the dispatcher's lock file only grows.
//!
//! It is written after the commit of a point of no return and before the first byte of the body, without waiting for
//! the disk. A kill does not lose it; after a power failure it may be older than the ledger, never newer. So a mark
//! that is ahead of its ledger says that an older copy was put in its place.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;

use rusqlite::Connection;

use crate::model::CampaignTag;

use super::fault::Work;

/// More than a mark has; whatever else stands in that file is none.
const BYTES_MAX: u64 = 64;

/// Every try that the ledger knows of, the open ones too. It grows by one with every point of no return and every
/// refusal before it; ending an open try does not change it. Rows of the retry log are never taken out.
pub(super) fn reached(db: &Connection) -> Work<u64> {
    Ok(db
        .prepare_cached(
            "SELECT (SELECT ifnull(max(id), 0) FROM attempt)
                  + (SELECT count(*) FROM message INDEXED BY message_state WHERE state = 'transmitting')",
        )?
        .query_row([], |row| super::read::number(row, 0))?)
}

/// Writes a mark. One that cannot be written is only older than it might be.
pub(super) fn write(lock: &File, tag: &CampaignTag, reached: u64) {
    if let Err(error) = lock.write_all_at(line(tag, reached).as_bytes(), 0) {
        tracing::debug!(%error, "the mark beside the ledger could not be written");
    }
}

/// The mark of the campaign of that tag; nothing where there is none, or one of a ledger that was here before.
pub(super) fn read(lock: File, tag: &CampaignTag) -> Option<u64> {
    let mut text = String::new();
    lock.take(BYTES_MAX).read_to_string(&mut text).ok()?;
    let (of, reached) = text.lines().next()?.split_once(' ')?;
    (of == tag.as_str()).then(|| reached.parse().ok())?
}

/// Always of the same length, so that a mark takes the place of the one before in one write.
fn line(tag: &CampaignTag, reached: u64) -> String {
    format!("{} {reached:020}\n", tag.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_as_it_was_written_and_only_for_its_own_campaign() {
        let (ours, other) = (CampaignTag::parse("k3m9x2").unwrap(), CampaignTag::parse("k3m9x3").unwrap());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let file = File::options().create_new(true).read(true).write(true).open(&path).unwrap();
        assert_eq!(read(File::open(&path).unwrap(), &ours), None);
        for reached in [0, 7, u64::MAX, 12] {
            write(&file, &ours, reached);
            assert_eq!(read(File::open(&path).unwrap(), &ours), Some(reached));
            assert_eq!(read(File::open(&path).unwrap(), &other), None);
        }
        for garbage in ["", "\n", "k3m9x2", "k3m9x2 ", "k3m9x2 -1\n", "k3m9x2 1e3\n", "\u{fffd}"] {
            std::fs::write(&path, garbage).unwrap();
            assert_eq!(read(File::open(&path).unwrap(), &ours), None, "{garbage:?}");
        }
    }
}
