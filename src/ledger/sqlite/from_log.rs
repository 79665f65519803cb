//! What a relay's own log settles. Each message moves by compare-and-set: what a dispatcher has in its hands by then, or
//! staff have moved, stays where it is.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, ToSql, params};

use crate::ledger::{Doubtful, LedgerError, LogProof, Result, SettledByLog};
use crate::model::{Class, Disposition, MessageId, MessageKind, MessageState, Move, Phase, transition};

use super::cells::Ms;
use super::confirm::{self, Between};
use super::fault::{Fault, Work};
use super::moves::{Standing, step_setting};
use super::{SqliteLedger, finish, lanes};

/// Rows of a page.
const PAGE_ROWS: i64 = 5000;

impl SqliteLedger {
    /// Hands every message that a log may tell about to `each`: what is in doubt, and what still waits here, though a
    /// relay may have it since a copy of this ledger was made.
    pub fn doubtful(&self, each: &mut dyn FnMut(Doubtful)) -> Result<()> {
        let mut after = 0;
        loop {
            let page = self.read(|db| page(db, after))?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.message.0;
            page.into_iter().for_each(&mut *each);
        }
    }

    /// What a dispatcher that is gone left open is what a start calls it. The ledger must have been opened to dispatch.
    pub fn put_right(&self, now: Timestamp) -> Result<()> {
        self.write_blocking(move |db| finish::recover(db, now, Ms(i64::MAX)).map(drop))
    }

    /// The highest number of a message.
    pub fn newest(&self) -> Result<MessageId> {
        self.read(|db| Ok(db.query_row("SELECT ifnull(max(id), 0) FROM message", [], |row| row.get(0))?))
    }

    /// Messages that a log proves to be taken are sent from now on. `strangers` are those of this campaign that the
    /// ledger does not know: by their recipients, confirmations that come about now are known to be out already.
    /// `relay` is whose log it is. One transaction, recorded with the reason.
    pub fn settle_by_log(
        &self,
        proofs: &[LogProof],
        strangers: &[(String, LogProof)],
        relay: &str,
        reason: &str,
        now: Timestamp,
    ) -> Result<SettledByLog> {
        let (proofs, strangers) = (proofs.to_vec(), strangers.to_vec());
        let (relay, reason) = (relay.to_owned(), reason.to_owned());
        self.write_blocking(move |db| {
            let mut done = SettledByLog::default();
            for proof in &proofs {
                settle(db, proof, &relay, now.into(), &mut done)?;
            }
            for (mailbox, proof) in &strangers {
                settle_confirmation(db, mailbox, proof, &relay, now.into(), &mut done)?;
            }
            let SettledByLog { in_doubt, waiting, confirmations, .. } = done;
            let text = format!(
                "resolve from log: {in_doubt} in doubt and {waiting} that waited are sent, with them {confirmations} \
                 confirmations; {reason}"
            );
            db.execute("INSERT INTO decision (at, text) VALUES (?1, ?2)", params![Ms::from(now), text])?;
            Ok(done)
        })
    }
}

fn page(db: &Connection, after: i64) -> Work<Vec<Doubtful>> {
    let mut rows = db.prepare_cached(
        "SELECT m.id, m.kind, m.state, m.message_id, lane.mailbox, ifnull(m.relay, ''),
           (SELECT at FROM attempt a WHERE a.message = m.id ORDER BY a.number DESC LIMIT 1),
           max(m.date, ifnull((SELECT at FROM attempt a WHERE a.message = m.id ORDER BY a.number DESC LIMIT 1 OFFSET 1), 0))
           FROM message m LEFT JOIN lane ON lane.id = m.lane
          WHERE m.id > ?1 AND m.state IN ('in_doubt', 'queued', 'deferred', 'held') ORDER BY m.id LIMIT ?2",
    )?;
    let doubts = rows.query_map([after, PAGE_ROWS], |row| {
        Ok(Doubtful {
            message: row.get(0)?,
            kind: row.get(1)?,
            state: row.get(2)?,
            message_id: row.get(3)?,
            mailbox: row.get(4)?,
            relay: row.get(5)?,
            at: row.get::<_, Option<Ms>>(6)?.map(Ms::time),
            since: row.get::<_, Option<Ms>>(7)?.map(Ms::time),
        })
    })?;
    Ok(doubts.collect::<std::result::Result<_, _>>()?)
}

struct Row {
    state: MessageState,
    kind: MessageKind,
    constituent: i64,
    official: Option<i64>,
    lane: Option<i64>,
}

fn settle(db: &Connection, proof: &LogProof, relay: &str, now: Ms, done: &mut SettledByLog) -> Work<()> {
    let row = db
        .prepare_cached("SELECT state, kind, constituent, official, lane FROM message WHERE id = ?1")?
        .query_row([proof.message], |row| {
            Ok(Row {
                state: row.get(0)?,
                kind: row.get(1)?,
                constituent: row.get(2)?,
                official: row.get(3)?,
                lane: row.get(4)?,
            })
        })
        .optional()?;
    let Some(Row { state, kind, constituent, official, lane }) = row else {
        done.moved_meanwhile += 1;
        return Ok(());
    };
    if transition(state, Move::FoundInLog).is_err() {
        done.moved_meanwhile += 1;
        return Ok(());
    }
    let at = proof.at.map(Ms::from);
    let set = "accepted_at = ifnull(?6, (SELECT at FROM attempt WHERE attempt.message = message.id ORDER BY number DESC LIMIT 1)),
         queue_id = ?7, last_reply = ?8, relay = ifnull(relay, ?9), withheld = 0";
    let values: [&dyn ToSql; 4] = [&at, &proof.queue_id, &WHAT, &relay];
    match step_setting(db, proof.message, Standing::at(state), Move::FoundInLog, set, &values) {
        Err(Fault::Refused(LedgerError::LostRow { .. })) => {
            done.moved_meanwhile += 1;
            return Ok(());
        }
        moved => moved?,
    };
    if state == MessageState::InDoubt {
        done.in_doubt += 1;
    } else {
        done.waiting += 1;
        // The hand-over counts towards pace and quotas; one in doubt is in the log already.
        log(db, proof, relay, at.unwrap_or(now))?;
        db.prepare_cached("DELETE FROM beyond_total WHERE message = ?1")?.execute([proof.message])?;
    }
    if let Some(lane) = lane {
        lanes::repair(db, lane)?;
    }
    match (kind, official) {
        (MessageKind::Letter, Some(official)) => confirm::letter_settled(db, Between { constituent, official }, now),
        _ => Ok(()),
    }
}

/// What `log` and `export` show in place of a reply.
pub(super) const WHAT: &str = "found in the mail server's log";

fn log(db: &Connection, proof: &LogProof, relay: &str, at: Ms) -> Work<()> {
    db.prepare_cached(
        "INSERT INTO attempt (message, number, at, relay, phase, text, class, disposition, queue_id, rule)
         VALUES (?1, (SELECT ifnull(max(number), 0) + 1 FROM attempt WHERE message = ?1), ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?5)",
    )?
    .execute(params![
        proof.message,
        at,
        relay,
        Phase::Dot,
        WHAT,
        Class::Accepted.as_str(),
        Disposition::Sent.as_str(),
        proof.queue_id,
    ])?;
    Ok(())
}

/// A constituent who was told by a message of which this ledger knows nothing is not told again.
fn settle_confirmation(
    db: &Connection,
    mailbox: &str,
    proof: &LogProof,
    relay: &str,
    now: Ms,
    done: &mut SettledByLog,
) -> Work<()> {
    let message: Option<MessageId> = db
        .prepare_cached(
            "SELECT message.id FROM lane JOIN message INDEXED BY message_queue ON message.lane = lane.id
              WHERE lane.mailbox = ?1 AND state = 'queued' AND kind = 'confirmation' AND message_id IS NULL
              ORDER BY message.due_at, message.id LIMIT 1",
        )?
        .query_row([mailbox], |row| row.get(0))
        .optional()?;
    let Some(message) = message else {
        done.unknown += 1;
        return Ok(());
    };
    let before = *done;
    settle(db, &LogProof { message, ..proof.clone() }, relay, now, done)?;
    done.confirmations += done.waiting - before.waiting;
    done.waiting = before.waiting;
    Ok(())
}
