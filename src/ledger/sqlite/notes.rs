//! What the dispatcher notes for `status`: the state of the campaign and of each relay.

use rusqlite::{Connection, params};

use crate::ledger::{CampaignState, RelayRecord};

use crate::model::mask_mailboxes;

use super::cells::Ms;
use super::fault::Work;

/// See [`crate::ledger::Ledger::note_relay`].
pub(super) fn note_relay(db: &Connection, relay: &RelayRecord) -> Work<()> {
    db.prepare_cached(
        "INSERT INTO relay (name, state, since, until, reason, slowed_to) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (name) DO UPDATE SET state = ?2, since = ?3, until = ?4, reason = ?5, slowed_to = ?6",
    )?
    .execute(params![
        relay.name,
        relay.state,
        Ms::from(relay.since),
        relay.until.map(Ms::from),
        mask_mailboxes(&relay.reason),
        relay.slowed_to
    ])?;
    Ok(())
}

/// See [`crate::ledger::Ledger::note_campaign`].
pub(super) fn note_campaign(db: &Connection, state: CampaignState, reason: &str, now: Ms) -> Work<()> {
    db.prepare_cached("UPDATE campaign SET state = ?1, reason = ?2, state_at = ?3")?.execute(params![
        state,
        mask_mailboxes(reason),
        now
    ])?;
    Ok(())
}

/// See [`crate::ledger::Ledger::campaign`].
pub(super) fn campaign(db: &Connection) -> Work<(CampaignState, String)> {
    Ok(db.prepare_cached("SELECT state, reason FROM campaign")?.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?)
}

/// See [`crate::ledger::Ledger::relays`].
pub(super) fn relays(db: &Connection) -> Work<Vec<RelayRecord>> {
    let mut relays =
        db.prepare_cached("SELECT name, state, since, until, reason, slowed_to FROM relay ORDER BY name")?;
    let records = relays.query_map([], |row| {
        Ok(RelayRecord {
            name: row.get(0)?,
            state: row.get(1)?,
            since: row.get::<_, Ms>(2)?.time(),
            until: row.get::<_, Option<Ms>>(3)?.map(Ms::time),
            reason: row.get(4)?,
            slowed_to: row.get(5)?,
        })
    })?;
    Ok(records.collect::<Result<_, _>>()?)
}
