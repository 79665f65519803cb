//! Every change of a message's state, and nothing else changes one: [`transition`] says where a move leads, and
//! the update compares the row with what the caller believes of it before it sets anything.

use rusqlite::{Connection, ToSql, params};

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
    step_setting(db, message, from, by, "", &[])
}

/// The same, and sets more of the row in the same statement: assignments, whose values are `?6` and on.
pub(super) fn step_setting(
    db: &Connection,
    message: MessageId,
    from: Standing,
    by: Move,
    set: &str,
    values: &[&dyn ToSql],
) -> Work<Standing> {
    let to = Standing {
        state: transition(from.state, by)?,
        token: match by {
            Move::Claim => Some(rand::random()),
            Move::MarkTransmitting => from.token,
            _ => None,
        },
    };
    let comma = if set.is_empty() { "" } else { ", " };
    let mut update = db.prepare_cached(&format!(
        "UPDATE message SET state = ?1, token = ?2{comma}{set} WHERE id = ?3 AND state = ?4 AND token IS ?5"
    ))?;
    let standing: [&dyn ToSql; 5] = [&to.state, &to.token, &message, &from.state, &from.token];
    let all: Vec<&dyn ToSql> = standing.into_iter().chain(values.iter().copied()).collect();
    if update.execute(all.as_slice())? == 1 {
        Ok(to)
    } else {
        Err(LedgerError::LostRow { message, expected: from.state.in_words() }.into())
    }
}

/// Moves every row of the table `temp.chosen`; those that cannot make the move were not chosen.
pub(super) fn step_chosen(db: &Connection, by: Move) -> Work<u64> {
    let mut moved = 0;
    for (from, to) in arrows(by) {
        moved += db.execute(
            "UPDATE message SET state = ?1, token = NULL WHERE +state = ?2 AND id IN (SELECT id FROM temp.chosen)",
            params![to, from],
        )?;
    }
    Ok(moved as u64)
}

/// From where to where a move leads.
pub(super) fn arrows(by: Move) -> impl Iterator<Item = (MessageState, MessageState)> {
    MessageState::ALL.into_iter().filter_map(move |from| transition(from, by).ok().map(|to| (from, to)))
}

#[cfg(test)]
mod tests {
    use super::super::{fault::Fault, schema};
    use super::*;

    /// A database with one letter that stands so.
    fn with_letter(standing: Standing) -> (Connection, MessageId) {
        let db = Connection::open_in_memory().unwrap();
        schema::create(&db).unwrap();
        db.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
        let insert = "INSERT INTO message (id, kind, constituent, template, state, due_at, token)
                      VALUES (1, 'letter', 1, 1, ?1, 0, ?2)";
        db.execute(insert, params![standing.state, standing.token]).unwrap();
        (db, MessageId(1))
    }

    fn standing(db: &Connection) -> (MessageState, Option<i64>) {
        db.query_row("SELECT state, token FROM message", [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
    }

    #[test]
    fn a_row_that_does_not_stand_as_believed_is_not_moved() {
        let real = Standing::under(MessageState::Leased, 7);
        for believed in [
            Standing::under(MessageState::Leased, 8),
            Standing::under(MessageState::Transmitting, 7),
            Standing::at(MessageState::Leased),
        ] {
            let (db, id) = with_letter(real);
            let lost = step(&db, id, believed, Move::Bounce).unwrap_err();
            assert!(matches!(lost, Fault::Refused(LedgerError::LostRow { .. })), "{believed:?}");
            assert_eq!(standing(&db), (MessageState::Leased, Some(7)));
        }
    }

    #[test]
    fn a_token_begins_with_the_claim_and_ends_with_the_receipt() {
        let (db, id) = with_letter(Standing::at(MessageState::Queued));
        let claimed = step(&db, id, Standing::at(MessageState::Queued), Move::Claim).unwrap();
        assert!(claimed.token.is_some());
        let marked = step(&db, id, claimed, Move::MarkTransmitting).unwrap();
        assert_eq!(marked.token, claimed.token);
        step(&db, id, marked, Move::Accept).unwrap();
        assert_eq!(standing(&db), (MessageState::Sent, None));
    }

    #[test]
    fn an_arrow_that_does_not_exist_is_refused_before_the_row_is_looked_at() {
        let (db, id) = with_letter(Standing::at(MessageState::Sent));
        let refused = step(&db, id, Standing::at(MessageState::Sent), Move::Retry).unwrap_err();
        assert!(matches!(refused, Fault::Refused(LedgerError::Illegal(_))));
    }
}
