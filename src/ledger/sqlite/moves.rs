//! Every change of a message's state, and nothing else changes one: [`transition`] says where a move leads, and
//! the update compares the row with what the caller believes of it before it sets anything.

use rusqlite::{Connection, params};

use crate::ledger::LedgerError;
use crate::model::{MessageId, MessageState, Move, transition};

use super::fault::Work;

/// Where a row is believed to stand: its state, and the token under which it was claimed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    /// The state.
    pub(super) state: MessageState,
    /// Of a lease or an open transmission.
    pub(super) token: Option<i64>,
}

impl Standing {
    /// In a state that nobody has a receipt for.
    pub(super) fn at(state: MessageState) -> Self {
        Self { state, token: None }
    }

    /// In a state that a receipt tells of.
    pub(super) fn under(state: MessageState, token: i64) -> Self {
        Self { state, token: Some(token) }
    }
}

/// Moves one row, when it stands as believed; otherwise [`LedgerError::LostRow`] and nothing has changed.
/// A claim draws a new token, the point of no return keeps it, every other move ends it.
pub(super) fn step(db: &Connection, message: MessageId, from: Standing, by: Move) -> Work<Standing> {
    let to = Standing {
        state: transition(from.state, by)?,
        token: match by {
            Move::Claim => Some(rand::random()),
            Move::MarkTransmitting => from.token,
            _ => None,
        },
    };
    let changed = db
        .prepare_cached("UPDATE message SET state = ?1, token = ?2 WHERE id = ?3 AND state = ?4 AND token IS ?5")?
        .execute(params![to.state, to.token, message, from.state, from.token])?;
    if changed == 1 { Ok(to) } else { Err(LedgerError::LostRow { message, expected: from.state.in_words() }.into()) }
}

/// Moves every row of the table `temp.chosen`; those that cannot make the move were not chosen.
pub(super) fn step_chosen(db: &Connection, by: Move) -> Work<u64> {
    let mut moved = 0;
    for (from, to) in arrows(by) {
        moved += db.execute(
            "UPDATE message SET state = ?1, token = NULL WHERE state = ?2 AND id IN (SELECT id FROM temp.chosen)",
            params![to, from],
        )?;
    }
    Ok(moved as u64)
}

/// From where to where a move leads.
pub(super) fn arrows(by: Move) -> impl Iterator<Item = (MessageState, MessageState)> {
    MessageState::ALL.into_iter().filter_map(move |from| transition(from, by).ok().map(|to| (from, to)))
}
