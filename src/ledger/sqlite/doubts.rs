//! Why messages are in doubt. Reads only.

use std::collections::BTreeMap;

use crate::ledger::{Doubt, Result};

use super::SqliteLedger;
use super::read::number;

impl SqliteLedger {
    /// How the messages that are in doubt came to be so, and how many of each; not those of people who were erased.
    pub fn doubts(&self) -> Result<BTreeMap<Doubt, u64>> {
        self.read(|db| {
            let mut sums = db.prepare_cached(
                "SELECT ifnull(last_reply, ''), count(*) FROM message INDEXED BY message_state
                  WHERE state = 'in_doubt' AND constituent NOT IN (SELECT id FROM person WHERE erased_at IS NOT NULL)
                  GROUP BY 1",
            )?;
            let mut doubts = BTreeMap::new();
            let mut rows = sums.query([])?;
            while let Some(row) = rows.next()? {
                let last_reply: String = row.get(0)?;
                *doubts.entry(Doubt::of(&last_reply)).or_default() += number(row, 1)?;
            }
            Ok(doubts)
        })
    }
}
