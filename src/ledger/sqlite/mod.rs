//! The ledger in one `SQLite` file: write-ahead log, full durability, one writer thread.
//!
//! What changes something goes through the writer and is answered after its commit; what reads has a connection
//! of its own and waits for nobody. This file only connects the contract with the files that keep it.

mod backup;
mod cells;
mod claim;
mod confirm;
mod decide;
mod doubts;
mod enrol;
mod erase;
mod examine;
mod fates;
mod fault;
mod file;
mod finish;
mod home;

mod from_log;
mod lanes;
mod mark;
mod marks;
mod moves;
mod notes;
mod people;
mod purge;
mod read;
mod schema;
mod scrub;
mod suppressions;
mod templates;
mod totals;
mod wishes;
mod writer;

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::{
    AttemptRecord, CampaignState, Claim, Counts, Decision, Ended, Enrolled, EnrolmentSource, Fate, HandOver, Kept,
    KeptTotals, Leased, Ledger, LedgerError, LogFilter, Marking, MessageRecord, OfficialFates, OfficialFigures, Open,
    Recovered, RelayRecord, Result, Terms, Unwritten, Wish, Wishes,
};
use crate::model::{Attempt, CampaignTag, MessageState, PersonKey, Role, Stamp, TemplateId};

pub use backup::Copied;
pub use erase::{Forgotten, Known};
pub use purge::{Purgeable, Purged};

use cells::Ms;
pub use examine::{Examined, examine, has_wal_reset_defect, version};
use fault::{Fault, Work, storage};
use file::DispatchLock;
use finish::Claimed;
use writer::Writer;

/// How long a call waits for another process that is writing.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// What a ledger is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// To plan and send: one process at a time; [`LedgerError::Busy`] when another has it.
    Dispatch,
    /// To decide, also while another process sends.
    Staff,
    /// To read, also while another process sends.
    Read,
}

/// A ledger in a `SQLite` file. Clones share it; the last one closes it, after what was sent to the writer.
#[derive(Clone)]
pub struct SqliteLedger {
    shared: Arc<Shared>,
}

// The order is the order in which they are closed.
struct Shared {
    writer: Option<Writer>,
    reader: Mutex<Connection>,
    lock: Option<DispatchLock>,
    path: PathBuf,
    tag: CampaignTag,
    name: String,
    busy_timeout: Duration,
}

impl SqliteLedger {
    /// Makes a ledger where there is none, and opens it to plan and send.
    pub fn create(path: &Path, campaign_name: &str, tag: &CampaignTag, now: Timestamp) -> Result<Self> {
        let lock = DispatchLock::take(path)?;
        file::create(path, campaign_name, tag, now.into(), BUSY_TIMEOUT)?;
        Self::connect(path, Access::Dispatch, Some(lock), BUSY_TIMEOUT)
    }

    /// Opens a ledger that is there.
    pub fn open(path: &Path, access: Access) -> Result<Self> {
        Self::open_waiting(path, access, BUSY_TIMEOUT)
    }

    /// Opens a ledger that is there; its calls wait so long for another process that is writing.
    pub fn open_waiting(path: &Path, access: Access, busy_timeout: Duration) -> Result<Self> {
        drop(file::connect(path, busy_timeout)?);
        let lock = if access == Access::Dispatch { Some(DispatchLock::take(path)?) } else { None };
        Self::connect(path, access, lock, busy_timeout)
    }

    fn connect(path: &Path, access: Access, lock: Option<DispatchLock>, busy_timeout: Duration) -> Result<Self> {
        let reader = file::connect(path, busy_timeout)?;
        let (tag, name): (String, String) = reader
            .pragma_update(None, "query_only", true)
            .and_then(|()| reader.query_row("SELECT tag, name FROM campaign", [], |row| Ok((row.get(0)?, row.get(1)?))))
            .map_err(|e| Fault::from(e).at(path))?;
        let tag = CampaignTag::parse(&tag).ok_or_else(|| file::foreign(path, "its tag does not read as one"))?;
        let writer = match access {
            Access::Read => None,
            Access::Dispatch | Access::Staff => {
                let db = file::connect(path, busy_timeout)?;
                Some(Writer::start(db, path.to_owned()).map_err(|e| storage(path, e.to_string()))?)
            }
        };
        let path = path.to_owned();
        let shared = Shared { writer, reader: Mutex::new(reader), lock, path, tag, name, busy_timeout };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Whether a process is dispatching from the ledger at that path.
    pub fn dispatcher_is_running(path: &Path) -> bool {
        DispatchLock::is_taken(path)
    }

    /// From now on what is written waits no longer than this for another process: for a caller that has patience of
    /// its own, and tells staff what it waits for.
    pub fn answer_within(&self, limit: Duration) -> Result<()> {
        self.write_blocking(move |db| Ok(db.busy_timeout(limit)?))
    }

    /// The campaign's name, as given when the ledger was made.
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// Reads on the connection that never waits for the writer.
    fn read<T>(&self, work: impl FnOnce(&Connection) -> Work<T>) -> Result<T> {
        let db = self.shared.reader.lock().unwrap_or_else(PoisonError::into_inner);
        work(&db).map_err(|fault| fault.at(&self.shared.path))
    }

    /// A point of no return is on disk: the mark beside the ledger knows of it before the first byte goes out.
    fn passed(&self, reached: u64) {
        if let Some(lock) = &self.shared.lock {
            lock.raise(&self.shared.tag, reached);
        }
    }

    fn writer(&self) -> Result<&Writer> {
        self.shared.writer.as_ref().ok_or_else(|| storage(&self.shared.path, "it was opened for reading only"))
    }

    /// Has the writer do the work; returns after the commit.
    async fn write<T: Send + 'static>(&self, work: impl FnMut(&Connection) -> Work<T> + Send + 'static) -> Result<T> {
        let writer = self.writer()?;
        let (tell, told) = oneshot::channel();
        // A caller that has gone does not hear the answer; the work is done all the same.
        writer.send(work, move |result| drop(tell.send(result)))?;
        told.await.unwrap_or_else(|_| Err(writer.gone()))
    }

    /// The same for a caller that blocks.
    fn write_blocking<T: Send + 'static>(
        &self,
        work: impl FnMut(&Connection) -> Work<T> + Send + 'static,
    ) -> Result<T> {
        let writer = self.writer()?;
        let (tell, told) = std::sync::mpsc::sync_channel(1);
        writer.send(work, move |result| drop(tell.send(result)))?;
        told.recv().unwrap_or_else(|_| Err(writer.gone()))
    }

    /// Hands a list to `each`, page by page.
    fn pages<T>(
        &self,
        page: impl Fn(&Connection, i64) -> Work<Vec<(i64, T)>>,
        each: &mut dyn FnMut(T) -> std::io::Result<()>,
    ) -> Result<()> {
        let mut after = 0;
        loop {
            let rows = self.read(|db| page(db, after))?;
            let is_last = rows.len() < read::PAGE_ROWS;
            for (row, record) in rows {
                after = row;
                each(record).map_err(LedgerError::Output)?;
            }
            if is_last {
                return Ok(());
            }
        }
    }
}

impl Ledger for SqliteLedger {
    fn tag(&self) -> &CampaignTag {
        &self.shared.tag
    }

    fn freeze_template(&self, name: &str, source: &str, now: Timestamp) -> Result<TemplateId> {
        let (name, source) = (name.to_owned(), source.to_owned());
        self.write_blocking(move |db| templates::freeze(db, &name, &source, now.into()))
    }

    fn template(&self, id: TemplateId) -> Result<String> {
        self.read(|db| templates::source(db, id))
    }

    fn newest_template(&self, name: &str) -> Result<Option<(TemplateId, String)>> {
        self.read(|db| templates::newest(db, name))
    }

    fn enrol(&self, terms: &Terms, now: Timestamp, source: EnrolmentSource<'_>) -> Result<Enrolled> {
        self.writer()?;
        let path = &self.shared.path;
        // A connection of its own, because the source may not outlive this call and the writer does.
        let mut db = file::connect(path, self.shared.busy_timeout)?;
        let enrolled = enrol::enrol(&mut db, terms, now.into(), source).map_err(|fault| fault.at(path))?;
        // Empties the log of what was enrolled, so that the first letters do not pay for it. If that cannot be
        // done now, a later commit does it.
        let _ = db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        Ok(enrolled)
    }

    fn note_sources(&self, sources: &[u8]) -> Result<()> {
        let sources = sources.to_owned();
        self.write_blocking(move |db| enrol::note_sources(db, &sources))
    }

    fn sources(&self) -> Result<Option<Vec<u8>>> {
        self.read(enrol::sources)
    }

    fn adopt_template(&self, from_name: &str, to: TemplateId, now: Timestamp) -> Result<u64> {
        let from_name = from_name.to_owned();
        self.write_blocking(move |db| templates::adopt(db, &from_name, to, now.into()))
    }

    fn namesakes(&self, name: &str, jurisdiction: &str) -> Result<Vec<PersonKey>> {
        self.read(|db| fates::namesakes(db, name, jurisdiction))
    }

    fn officials_by_mailbox(&self) -> Result<HashMap<String, Vec<PersonKey>>> {
        self.read(fates::officials_by_mailbox)
    }

    fn knows(&self, key: PersonKey) -> Result<bool> {
        self.read(|db| read::knows(db, key))
    }

    async fn recover(&self, now: Timestamp, lane_wait_max: Duration) -> Result<Recovered> {
        let ready_at_max = now.checked_add(lane_wait_max).unwrap_or(Timestamp::MAX);
        self.write(move |db| finish::recover(db, now, ready_at_max.into())).await
    }

    async fn claim(&self, claim: Claim) -> Result<Vec<Leased>> {
        self.write(move |db| claim::claim(db, claim)).await
    }

    async fn give_back(&self, leased: Leased, lane_ready_at: Option<Timestamp>) -> Kept<(), Leased> {
        let claimed = Claimed::from(&leased);
        let done = self.write(move |db| finish::give_back(db, claimed, lane_ready_at.map(Ms::from))).await;
        done.map_err(|error| Box::new(Unwritten { receipt: leased, error }))
    }

    async fn postpone(&self, leased: Leased, due: Timestamp) -> Kept<(), Leased> {
        let claimed = Claimed { id: leased.id, token: leased.token, lane: leased.lane };
        let done = self.write(move |db| finish::postpone(db, claimed, due.into())).await;
        done.map_err(|error| Box::new(Unwritten { receipt: leased, error }))
    }

    async fn set_aside(&self, leased: Leased, reason: &str, now: Timestamp) -> Kept<(), Leased> {
        let claimed = Claimed::from(&leased);
        let reason = reason.to_owned();
        let done = self.write(move |db| finish::set_aside(db, claimed, &reason, now.into())).await;
        done.map_err(|error| Box::new(Unwritten { receipt: leased, error }))
    }

    async fn refuse(&self, leased: Leased, attempt: Attempt, news_at: Timestamp) -> Kept<(), Leased> {
        let claimed = Claimed::from(&leased);
        let work = move |db: &Connection| finish::end(db, MessageState::Leased, claimed, &attempt, news_at.into());
        self.write(work).await.map_err(|error| Box::new(Unwritten { receipt: leased, error }))
    }

    async fn mark_transmitting(
        &self,
        leased: Leased,
        relay: &str,
        stamp: Stamp,
        lane_ready_at: Option<Timestamp>,
    ) -> Kept<Open, Leased> {
        let claimed = Claimed::from(&leased);
        let (relay, ready) = (relay.to_owned(), lane_ready_at.map(Ms::from));
        let work = move |db: &Connection| {
            finish::mark_transmitting(db, claimed, &relay, &stamp, ready)?;
            mark::reached(db)
        };
        match self.write(work).await {
            Ok(reached) => {
                self.passed(reached);
                Ok(leased.into_open())
            }
            Err(error) => Err(Box::new(Unwritten { receipt: leased, error })),
        }
    }

    async fn close(&self, open: Open, attempt: Attempt, news_at: Timestamp) -> Kept<(), Open> {
        let claimed = Claimed::from(&open);
        let work =
            move |db: &Connection| finish::end(db, MessageState::Transmitting, claimed, &attempt, news_at.into());
        self.write(work).await.map_err(|error| Box::new(Unwritten { receipt: open, error }))
    }

    async fn close_and_mark(&self, ended: Ended, next: Marking<'_>) -> Kept<Open, (Ended, Leased)> {
        let Marking { leased, relay, stamp, lane_ready_at } = next;
        let (over, mark) = (Claimed::from(&ended.open), Claimed::from(&leased));
        let (attempt, news_at) = (ended.attempt.clone(), ended.news_at.into());
        let (relay, ready) = (relay.to_owned(), lane_ready_at.map(Ms::from));
        let work = move |db: &Connection| {
            finish::end(db, MessageState::Transmitting, over, &attempt, news_at)?;
            finish::mark_transmitting(db, mark, &relay, &stamp, ready)?;
            mark::reached(db)
        };
        match self.write(work).await {
            Ok(reached) => {
                self.passed(reached);
                Ok(leased.into_open())
            }
            Err(error) => Err(Box::new(Unwritten { receipt: (ended, leased), error })),
        }
    }

    async fn next_wake(&self) -> Result<Option<Timestamp>> {
        self.write(|db| Ok(lanes::next_wake(db)?.map(Ms::time))).await
    }

    async fn note_relay(&self, relay: RelayRecord) -> Result<()> {
        self.write(move |db| notes::note_relay(db, &relay)).await
    }

    async fn note_campaign(&self, state: CampaignState, reason: &str, now: Timestamp) -> Result<()> {
        let reason = reason.to_owned();
        self.write(move |db| notes::note_campaign(db, state, &reason, now.into())).await
    }

    async fn pull_lanes_in(&self, ready_at_max: Timestamp) -> Result<()> {
        self.write(move |db| lanes::pull_in(db, ready_at_max.into())).await
    }

    fn wish(&self, wish: &Wish, reason: &str, at: Timestamp) -> Result<bool> {
        let (wish, reason) = (wish.clone(), reason.to_owned());
        self.write_blocking(move |db| wishes::wish(db, &wish, &reason, at.into()))
    }

    fn keep_totals(&self, total: Option<u64>, at: Timestamp) -> Result<KeptTotals> {
        self.write_blocking(move |db| totals::set(db, total, at.into()))
    }

    fn decide(&self, decision: &Decision) -> Result<u64> {
        let decision = decision.clone();
        self.write_blocking(move |db| decide::decide(db, &decision))
    }

    fn counts(&self) -> Result<Counts> {
        self.read(read::counts)
    }

    fn campaign(&self) -> Result<(CampaignState, String)> {
        self.read(notes::campaign)
    }

    fn relays(&self) -> Result<Vec<RelayRecord>> {
        self.read(notes::relays)
    }

    fn officials(&self, limit: usize) -> Result<Vec<OfficialFigures>> {
        self.read(|db| read::officials(db, limit))
    }

    fn attempts(&self, filter: &LogFilter, each: &mut dyn FnMut(AttemptRecord) -> std::io::Result<()>) -> Result<()> {
        self.pages(|db, after| read::attempts(db, filter, after), each)
    }

    fn messages(&self, filter: &LogFilter, each: &mut dyn FnMut(MessageRecord) -> std::io::Result<()>) -> Result<()> {
        self.pages(|db, after| read::messages(db, filter, after), each)
    }

    fn fates(&self, constituent: PersonKey) -> Result<Vec<Fate>> {
        self.read(|db| fates::of_constituent(db, constituent))
    }

    fn official_fates(&self) -> Result<HashMap<PersonKey, OfficialFates>> {
        self.read(fates::of_officials)
    }

    fn people(&self, role: Role) -> Result<u64> {
        self.read(|db| fates::people(db, role))
    }

    fn in_doubt_of_erased(&self) -> Result<u64> {
        self.read(fates::in_doubt_of_erased)
    }

    fn sent_since(&self, since: Timestamp) -> Result<u64> {
        self.read(|db| read::sent_since(db, since.into()))
    }

    fn handed_over(&self, since: Timestamp, each: &mut dyn FnMut(HandOver)) -> Result<()> {
        self.read(|db| read::handed_over(db, since.into(), each))
    }

    fn handed_over_by_minute(&self, since: Timestamp, each: &mut dyn FnMut(&str, Timestamp, u64)) -> Result<()> {
        self.read(|db| read::handed_over_by_minute(db, since.into(), each))
    }

    fn first_handed_over(&self) -> Result<Option<Timestamp>> {
        self.read(read::first_handed_over)
    }

    fn wishes(&self) -> Result<Wishes> {
        self.read(wishes::wishes)
    }

    fn decisions(&self) -> Result<Vec<(Timestamp, String)>> {
        self.read(read::decisions)
    }
}

impl From<&Leased> for Claimed {
    fn from(leased: &Leased) -> Self {
        Self { id: leased.id, token: leased.token, lane: leased.lane }
    }
}

impl From<&Open> for Claimed {
    fn from(open: &Open) -> Self {
        Self { id: open.id, token: open.token, lane: open.lane }
    }
}

impl fmt::Debug for SqliteLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteLedger").field("path", &self.shared.path).finish_non_exhaustive()
    }
}
