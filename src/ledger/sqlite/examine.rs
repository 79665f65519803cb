//! A ledger looked over without being changed: by `SQLite`'s own checks, and by the rules that every transaction keeps.
//!
//! Everything is read in one transaction, so that it holds also while letters go. What is found names tables, indexes and
//! numbers of rows; never what stands in a cell.

use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags};

use crate::ledger::{Confirming, Result};
use crate::model::MessageState;

use super::cells::Ms;
use super::fault::{Fault, Work, in_words};
use super::from_log::WHAT;
use super::read::number;
use super::{BUSY_TIMEOUT, SqliteLedger, file, schema};

/// Lines of damage that are told; who sees these needs no more.
const LINES_MAX: usize = 20;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examined {
    /// The version of its tables, and the one that this program makes.
    pub version: (i32, i32),
    /// Damage of the file, in `SQLite`'s words; nothing else can be told where there is any.
    pub damage: Vec<String>,
    /// The rules that some rows break: which, and how many rows.
    pub broken: Vec<(&'static str, u64)>,
    /// Messages that a process has in hand, or had when it ended: leased and transmitting.
    pub open: (u64, u64),
    /// When the ledger was made, and the newest moment that it knows of.
    pub made: Option<Timestamp>,
    /// The newest moment that it knows of.
    pub newest: Option<Timestamp>,
    /// Messages that still move by themselves.
    pub moving: u64,
}

/// Looks over the ledger at that path. An error says that it cannot be opened at all.
pub fn examine(path: &Path) -> Result<Examined> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    file::must_be_there(path)?;
    let opened = Connection::open_with_flags(path, flags).and_then(|db| {
        db.busy_timeout(BUSY_TIMEOUT)?;
        file::identity(&db).map(|identity| (db, identity))
    });
    let (db, (application, version)) = opened.map_err(|error| Fault::from(error).at(path))?;
    if application != schema::APPLICATION_ID {
        return Err(file::foreign(path, "it is another program's database"));
    }
    look_over(&db, version).map_err(|fault| fault.at(path))
}

fn look_over(db: &Connection, version: i32) -> Work<Examined> {
    let mut found = Examined {
        version: (version, schema::VERSION),
        damage: damage(db),
        broken: Vec::new(),
        open: (0, 0),
        made: None,
        newest: None,
        moving: 0,
    };
    // Tables of another version are not those that the rules are about.
    if !found.damage.is_empty() || version != schema::VERSION {
        return Ok(found);
    }
    let tx = db.unchecked_transaction()?;
    for (rule, count) in rules() {
        let rows = tx.query_row(&count, [], |row| number(row, 0))?;
        if rows > 0 {
            found.broken.push((rule, rows));
        }
    }
    let count = |state: MessageState| {
        tx.query_row("SELECT count(*) FROM message WHERE state = ?1", [state], |row| number(row, 0))
    };
    found.open = (count(MessageState::Leased)?, count(MessageState::Transmitting)?);
    for state in MessageState::ALL.into_iter().filter(|state| state.moves_by_itself()) {
        found.moving += count(state)?;
    }
    let times = "SELECT (SELECT created_at FROM campaign), (SELECT max(at) FROM attempt)";
    let (made, newest): (Option<Ms>, Option<Ms>) = tx.query_row(times, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    (found.made, found.newest) = (made.map(Ms::time), newest.or(made).map(Ms::time));
    Ok(found)
}

impl SqliteLedger {
    /// Checks the whole database; gives what is wrong with it, nothing when all is well.
    pub fn check(&self) -> Result<Vec<String>> {
        let found = self.read(|db| look_over(db, schema::VERSION))?;
        let broken = found.broken.into_iter().map(|(rule, rows)| format!("{rule}: {rows}"));
        Ok(found.damage.into_iter().chain(broken).collect())
    }
}

/// What is wrong with the file; an error on the way is damage, too.
pub(super) fn damage(db: &Connection) -> Vec<String> {
    let look = || {
        let mut check = db.prepare(
            "SELECT integrity_check FROM pragma_integrity_check WHERE integrity_check <> 'ok'
             UNION ALL SELECT 'a row of ' || \"table\" || ' points to nothing' FROM pragma_foreign_key_check",
        )?;
        let lines = check.query_map([], |row| row.get::<_, String>(0))?;
        lines.collect::<rusqlite::Result<Vec<_>>>()
    };
    let found = look().unwrap_or_else(|error| vec![in_words(&error)]);
    found.iter().flat_map(|lines| lines.lines()).take(LINES_MAX).map(str::to_owned).collect()
}

/// The rules, each with what counts the rows that break it.
fn rules() -> Vec<(&'static str, String)> {
    let list = |these: fn(MessageState) -> bool| {
        let names: Vec<String> =
            MessageState::ALL.into_iter().filter(|s| these(*s)).map(|s| format!("'{s}'")).collect();
        names.join(", ")
    };
    let settled = list(MessageState::is_settled);
    // Of these a constituent need not be told.
    let no_news = "('cancelled', 'suppressed')";
    let erased = "SELECT id FROM person WHERE erased_at IS NOT NULL"; // there is nobody to tell
    let in_hand = "('leased', 'transmitting')";
    let [per_constituent, per_letter] = [Confirming::PerConstituent, Confirming::PerLetter].map(Confirming::as_str);
    vec![
        (
            "the counts by state do not add up to the messages",
            "SELECT abs((SELECT count(*) FROM message NOT INDEXED)
                      - (SELECT ifnull(sum(n), 0) FROM (SELECT count(*) AS n FROM message INDEXED BY message_state GROUP BY state, kind)))"
                .to_owned(),
        ),
        (
            "lanes have waiting messages but no turn",
            "SELECT count(*) FROM lane WHERE next_at IS NULL AND occupied_by IS NULL
                AND EXISTS (SELECT 1 FROM message m WHERE m.lane = lane.id AND m.state = 'queued')"
                .to_owned(),
        ),
        (
            "lanes wait for a message that nobody has in hand",
            format!(
                "SELECT count(*) FROM lane WHERE occupied_by IS NOT NULL
                    AND NOT EXISTS (SELECT 1 FROM message m WHERE m.id = occupied_by AND m.state IN {in_hand})"
            ),
        ),
        (
            "messages wait, but for no mailbox",
            "SELECT count(*) FROM message WHERE lane IS NULL AND state IN ('queued', 'deferred')".to_owned(),
        ),
        (
            "messages are in hand without a receipt, or have one without being in hand",
            format!("SELECT count(*) FROM message WHERE (token IS NOT NULL) <> (state IN {in_hand})"),
        ),
        (
            "messages were handed over without what identifies them",
            // But those that the newer ledger handed over, of which this copy of it knows by a relay's log alone.
            format!(
                "SELECT count(*) FROM message WHERE state IN ('transmitting', 'sent', 'in_doubt')
                    AND (message_id IS NULL OR date IS NULL OR body_hash IS NULL)
                    AND NOT EXISTS (SELECT 1 FROM attempt WHERE attempt.message = message.id AND rule = '{}')",
                WHAT.replace('\'', "''")
            ),
        ),
        (
            "messages are sent, but not since when",
            "SELECT count(*) FROM message WHERE state = 'sent' AND accepted_at IS NULL".to_owned(),
        ),
        (
            "messages are settled by tries that are not in the log",
            "SELECT count(*) FROM message WHERE state IN ('sent', 'bounced', 'in_doubt')
                AND NOT EXISTS (SELECT 1 FROM attempt WHERE attempt.message = message.id)"
                .to_owned(),
        ),
        (
            "messages have gaps among their tries",
            "SELECT count(*) FROM (SELECT 1 FROM attempt GROUP BY message
                HAVING max(number) <> count(*) OR min(number) <> 1)"
                .to_owned(),
        ),
        (
            "constituents whose letters are settled have no confirmation",
            format!(
                "SELECT count(*) FROM (SELECT constituent FROM message WHERE kind = 'letter' GROUP BY constituent
                    HAVING sum(state NOT IN ({settled})) = 0 AND sum(state NOT IN {no_news}) > 0) AS told
                  WHERE (SELECT confirming FROM campaign) = '{per_constituent}' AND constituent NOT IN ({erased})
                    AND NOT EXISTS
                    (SELECT 1 FROM message c WHERE c.constituent = told.constituent AND c.kind = 'confirmation')"
            ),
        ),
        (
            "letters that are settled have no confirmation",
            format!(
                "SELECT count(*) FROM message l WHERE kind = 'letter' AND state IN ({settled}) AND state NOT IN {no_news}
                    AND (SELECT confirming FROM campaign) = '{per_letter}' AND constituent NOT IN ({erased}) AND NOT EXISTS
                    (SELECT 1 FROM message c WHERE c.constituent = l.constituent AND c.kind = 'confirmation'
                        AND c.official = l.official)"
            ),
        ),
    ]
}

/// `SQLite`'s version: as text, and as its number.
pub fn version() -> (&'static str, i32) {
    (rusqlite::version(), rusqlite::version_number())
}

/// Whether a version of `SQLite` can lose commits or damage a file where two connections write and checkpoint at the
/// same moment: <https://sqlite.org/wal.html#walresetbug>, since 3.7.0, mended in 3.51.3, 3.50.7 and 3.44.6.
pub fn has_wal_reset_defect(version_number: i32) -> bool {
    !matches!(version_number, ..3_007_000 | 3_044_006..3_045_000 | 3_050_007..3_051_000 | 3_051_003..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_versions_with_the_wal_reset_defect_are_known_and_ours_is_none() {
        for (number, has) in [
            (3_006_023, false),
            (3_007_000, true),
            (3_044_005, true),
            (3_044_006, false),
            (3_045_000, true),
            (3_050_006, true),
            (3_050_007, false),
            (3_051_002, true),
            (3_051_003, false),
            (3_053_000, false),
        ] {
            assert_eq!(has_wal_reset_defect(number), has, "{number}");
        }
        assert!(!has_wal_reset_defect(version().1), "{}", version().0);
    }
}
