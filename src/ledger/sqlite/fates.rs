//! What became of people's messages, asked by the people's keys. Nothing here changes anything.

use std::collections::HashMap;

use rusqlite::{Connection, params};

use crate::ledger::{Fate, OfficialFates};
use crate::model::{MessageState, PersonKey, Role};

use super::cells::Ms;
use super::fault::Work;
use super::read::number;

/// When something last became of the message `m`.
const AT: &str =
    "ifnull(m.accepted_at, (SELECT a.at FROM attempt a WHERE a.message = m.id ORDER BY a.number DESC LIMIT 1))";

/// See [`crate::ledger::Ledger::fates`].
pub(super) fn of_constituent(db: &Connection, key: PersonKey) -> Work<Vec<Fate>> {
    let mut fates = db.prepare_cached(&format!(
        "SELECT m.kind, m.state, trim(o.title || ' ' || o.name), m.lane IS NOT NULL, {AT}, m.last_reply, o.key
           FROM person c JOIN message m ON m.constituent = c.id LEFT JOIN person o ON o.id = m.official
          WHERE c.key = ?1 AND c.role = 'constituent' ORDER BY m.kind DESC, m.id"
    ))?;
    let rows = fates.query_map(params![key], |row| {
        Ok(Fate {
            kind: row.get(0)?,
            state: row.get(1)?,
            official: row.get(2)?,
            has_mailbox: row.get(3)?,
            at: row.get::<_, Option<Ms>>(4)?.map(Ms::time),
            last_reply: row.get(5)?,
            official_key: row.get::<_, Option<[u8; 16]>>(6)?.map(PersonKey),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// See [`crate::ledger::Ledger::official_fates`].
pub(super) fn of_officials(db: &Connection) -> Work<HashMap<PersonKey, OfficialFates>> {
    // With max(), SQLite takes the other columns of a group from the row that has it.
    let mut sums = db.prepare_cached(&format!(
        "WITH latest AS (SELECT m.official, m.state, count(*) AS n, max({AT}) AS at, m.last_reply
                           FROM message m WHERE m.kind = 'letter' GROUP BY 1, 2)
         SELECT p.key, latest.state, n, at, last_reply
           FROM person p LEFT JOIN latest ON latest.official = p.id WHERE p.role = 'official'"
    ))?;
    let mut rows = sums.query([])?;
    let mut fates: HashMap<PersonKey, OfficialFates> = HashMap::new();
    let mut told_by: HashMap<PersonKey, (bool, Option<Ms>)> = HashMap::new();
    while let Some(row) = rows.next()? {
        let key: PersonKey = row.get(0).map(PersonKey)?;
        let official = fates.entry(key).or_default();
        let Some(state) = row.get::<_, Option<MessageState>>(1)? else { continue };
        let at: Option<Ms> = row.get(3)?;
        official.letters.insert(state, number(row, 2)?);
        official.at = official.at.max(at.map(Ms::time));
        let weight = (state.is_failure(), at);
        if told_by.get(&key).is_none_or(|told| *told < weight) {
            told_by.insert(key, weight);
            official.last_reply = row.get(4)?;
        }
    }
    Ok(fates)
}

/// See [`crate::ledger::Ledger::people`].
pub(super) fn people(db: &Connection, role: Role) -> Work<u64> {
    let role = match role {
        Role::Official => "official",
        Role::Constituent => "constituent",
    };
    Ok(db
        .prepare_cached("SELECT count(*) FROM person WHERE role = ?1 AND (erased_at IS NULL OR role = 'official')")?
        .query_row([role], |row| number(row, 0))?)
}

/// See [`crate::ledger::Ledger::in_doubt_of_erased`].
pub(super) fn in_doubt_of_erased(db: &Connection) -> Work<u64> {
    let sql = "SELECT count(*) FROM message m JOIN person c ON c.id = m.constituent
                WHERE m.state = 'in_doubt' AND c.erased_at IS NOT NULL";
    Ok(db.prepare_cached(sql)?.query_row([], |row| number(row, 0))?)
}

/// See [`crate::ledger::Ledger::namesakes`].
pub(super) fn namesakes(db: &Connection, name: &str, jurisdiction: &str) -> Work<Vec<PersonKey>> {
    let mut keys = db.prepare_cached(
        "SELECT key FROM person p WHERE name = ?1 AND jurisdiction = ?2 AND iif(p.role = 'official',
           EXISTS (SELECT 1 FROM message m WHERE m.official = p.id AND m.kind = 'letter'
                      AND m.state NOT IN ('bounced', 'expired', 'suppressed', 'cancelled')),
           EXISTS (SELECT 1 FROM message m WHERE m.constituent = p.id AND m.kind = 'letter'
                      AND m.state NOT IN ('bounced', 'expired', 'suppressed', 'cancelled')))",
    )?;
    let rows = keys.query_map(params![name, jurisdiction], |row| row.get(0).map(PersonKey))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// See [`crate::ledger::Ledger::officials_by_mailbox`].
pub(super) fn officials_by_mailbox(db: &Connection) -> Work<HashMap<String, Vec<PersonKey>>> {
    let mut officials =
        db.prepare_cached("SELECT lane_key, key FROM person WHERE role = 'official' AND lane_key IS NOT NULL")?;
    let mut rows = officials.query([])?;
    let mut found: HashMap<String, Vec<PersonKey>> = HashMap::new();
    while let Some(row) = rows.next()? {
        found.entry(row.get(0)?).or_default().push(PersonKey(row.get(1)?));
    }
    Ok(found)
}
