//! Enrolment: people and their letters, in one transaction that a kill at any moment undoes.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use crate::failpoint;
use crate::ledger::{Addressee, Confirming, Enrolled, Enrolment, EnrolmentSource, LedgerError, Terms};
use crate::model::{Constituent, EmailAddress, MessageId, MessageKind, MessageState, Move, Official, PersonKey};

use super::cells::Ms;
use super::confirm::{self, Between};
use super::fault::Work;
use super::marks::Marked;
use super::moves::{Standing, step};
use super::suppressions::about;
use super::{lanes, people};

/// See [`crate::ledger::Ledger::enrol`].
pub(super) fn enrol(db: &mut Connection, terms: &Terms, now: Ms, source: EnrolmentSource<'_>) -> Work<Enrolled> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    agree_on_terms(&tx, terms)?;
    let newest: i64 = tx.query_row("SELECT ifnull(max(id), 0) FROM message", [], |row| row.get(0))?;
    let mut enrolled = Enrolled::default();
    let marked = Marked::read(&tx)?;
    failpoint::reached("enrol.begun");
    for item in source {
        match item.map_err(LedgerError::Source)? {
            Enrolment::Official(official) => add_official(&tx, &official, &mut enrolled)?,
            Enrolment::Constituent { constituent, .. } if marked.has(&tx, &constituent)? => enrolled.left_out += 1,
            Enrolment::Constituent { constituent, officials } => {
                add_constituent(&tx, terms, now, &constituent, &officials, &mut enrolled)?;
            }
        }
        failpoint::reached("enrol.row");
    }
    lanes::repair_those(&tx, &format!("SELECT DISTINCT lane FROM message WHERE id > {newest}"))?;
    failpoint::reached("enrol.commits");
    tx.commit()?;
    failpoint::reached("enrol.committed");
    Ok(enrolled)
}

/// The first enrolment says when constituents are told; later ones cannot change that under way.
fn agree_on_terms(db: &Connection, terms: &Terms) -> Work<()> {
    let agreed: Option<Confirming> = db.query_row("SELECT confirming FROM campaign", [], |row| row.get(0))?;
    if agreed.is_some_and(|agreed| agreed != terms.confirming) {
        return Err(LedgerError::Conflict(
            "the letters that are enrolled here confirm in another way than the configuration now says; \
             set `confirm` back to what it was, or begin a campaign of its own"
                .into(),
        )
        .into());
    }
    // What was noted of the sources is not true of this enrolment until the planner says so again.
    db.execute(
        "UPDATE campaign SET confirming = ?1, confirmation = ?2, sources = NULL",
        params![terms.confirming, terms.confirmation.0],
    )?;
    Ok(())
}

/// See [`crate::ledger::Ledger::note_sources`].
pub(super) fn note_sources(db: &Connection, sources: &[u8]) -> Work<()> {
    db.execute("UPDATE campaign SET sources = ?1", [sources])?;
    Ok(())
}

/// See [`crate::ledger::Ledger::sources`].
pub(super) fn sources(db: &Connection) -> Work<Option<Vec<u8>>> {
    Ok(db.query_row("SELECT sources FROM campaign", [], |row| row.get(0))?)
}

fn add_official(db: &Connection, official: &Official, enrolled: &mut Enrolled) -> Work<()> {
    let is_known = super::read::knows(db, official.key())?;
    if is_known && people::restore_mailbox(db, official)? {
        return Ok(());
    }
    if let (false, Some(mailbox)) = (is_known, &official.mailbox)
        && let Some(id) = people::house(db, official)?
    {
        let lane = lanes::of_mailbox(db, &mailbox.key(), MessageKind::Letter)?;
        enrolled.housed += house_letters(db, id, lane)?;
        return Ok(());
    }
    let frozen = people::freeze_official(db, official)?;
    enrolled.changed += u64::from(frozen.differs);
    if frozen.new
        && let Some(mailbox) = &official.mailbox
    {
        lanes::of_mailbox(db, &EmailAddress::key(mailbox), MessageKind::Letter)?;
    }
    Ok(())
}

/// The letters of an official who has a mailbox now wait for their turn in its lane.
fn house_letters(db: &Connection, official: i64, lane: i64) -> Work<u64> {
    let waiting: Vec<MessageId> = db
        .prepare_cached("SELECT id FROM message WHERE official = ?1 AND kind = 'letter' AND lane IS NULL")?
        .query_map([official], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    db.prepare_cached("UPDATE message SET lane = ?2 WHERE official = ?1 AND lane IS NULL")?
        .execute(params![official, lane])?;
    let mut housed = 0;
    for letter in waiting {
        // One that staff cancelled meanwhile stays where it is.
        if step(db, letter, Standing::at(MessageState::Held), Move::Release).is_ok() {
            housed += 1;
        }
    }
    lanes::repair(db, lane)?;
    Ok(housed)
}

fn add_constituent(
    db: &Connection,
    terms: &Terms,
    now: Ms,
    constituent: &Constituent,
    officials: &[Addressee],
    enrolled: &mut Enrolled,
) -> Work<()> {
    let frozen = people::freeze_constituent(db, constituent)?;
    enrolled.changed += u64::from(frozen.differs);
    let mut settled = Vec::new();
    for addressee in officials {
        let to = recipient(db, addressee.official)?;
        let letter = addressee.letter.unwrap_or(terms.letter);
        let state = to.first_state();
        let new = db
            .prepare_cached(
                "INSERT OR IGNORE INTO message (kind, constituent, official, lane, template, state, due_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![MessageKind::Letter, frozen.id, to.official, to.lane, letter.0, state, now])?;
        if new > 0 && state.is_settled() {
            settled.push(Between { constituent: frozen.id, official: to.official });
        }
        *match (new, state) {
            (0, _) => &mut enrolled.known,
            (_, MessageState::Held) => &mut enrolled.held,
            (_, MessageState::Suppressed) => &mut enrolled.suppressed,
            (..) => &mut enrolled.queued,
        } += 1;
    }
    // What is suppressed from the start is news, too; once the others are there.
    settled.into_iter().try_for_each(|letter| confirm::letter_settled(db, letter, now))
}

/// Where the letters to an official go.
struct Recipient {
    official: i64,
    lane: Option<i64>,
    suppressed: bool,
}

impl Recipient {
    fn first_state(&self) -> MessageState {
        match self.lane {
            None => MessageState::Held,
            Some(_) if self.suppressed => MessageState::Suppressed,
            Some(_) => MessageState::Queued,
        }
    }
}

fn recipient(db: &Connection, key: PersonKey) -> Work<Recipient> {
    let found = db
        .prepare_cached(concat!(
            "SELECT p.id, l.id, EXISTS (SELECT 1 FROM suppression WHERE ",
            about!("p.lane_key"),
            ") FROM person p LEFT JOIN lane l ON l.mailbox = p.lane_key WHERE p.key = ?1 AND p.role = 'official'"
        ))?
        .query_row(params![key], |row| {
            Ok(Recipient { official: row.get(0)?, lane: row.get(1)?, suppressed: row.get(2)? })
        })
        .optional()?;
    found.ok_or_else(|| {
        LedgerError::Conflict("a constituent writes to an official who is not enrolled; nothing was enrolled".into())
            .into()
    })
}
