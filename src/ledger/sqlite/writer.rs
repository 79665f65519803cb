//! The one writer: a thread that owns the connection that writes, and shares the cost of a flush.
//!
//! It takes what is waiting, carries all of it out in one transaction, commits, and only then answers. A piece of work
//! that is refused is undone alone: the batch is begun anew, with a way back before each piece. When the database fails,
//! the whole batch is undone and every caller is told. The thread outlives failures: the next batch is a new try.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use rusqlite::{Connection, ErrorCode};

use crate::failpoint;
use crate::ledger::{LedgerError, Result};

use super::fault::{Fault, Work, in_words, spoils_batch, storage};

const BATCH_JOBS_MAX: usize = 256;
/// Every caller waits for its answer, so this is reached only by more callers than any campaign has workers.
const QUEUE_JOBS_MAX: usize = 4096;

/// The handle of the thread. Dropping it lets the thread finish what was sent to it, and waits for that.
pub(super) struct Writer {
    path: PathBuf,
    queue: Option<SyncSender<Box<dyn Job>>>,
    thread: Option<JoinHandle<()>>,
}

/// A piece of work in the queue, whatever its answer's type.
trait Job: Send {
    /// Does the work inside the batch's transaction, perhaps again; an error spoils the batch. Gives whether the work
    /// was done: what is refused has still to be undone.
    fn run(&mut self, db: &Connection) -> rusqlite::Result<bool>;
    /// Tells the caller, after the commit or after `failure` undid the batch.
    fn answer(self: Box<Self>, failure: Option<&str>);
}

struct Task<T, W, A> {
    path: PathBuf,
    work: W,
    result: Option<Result<T>>,
    answer: A,
}

impl<T, W, A> Job for Task<T, W, A>
where
    T: Send,
    W: FnMut(&Connection) -> Work<T> + Send,
    A: FnOnce(Result<T>) + Send,
{
    fn run(&mut self, db: &Connection) -> rusqlite::Result<bool> {
        let result = match (self.work)(db) {
            Err(Fault::Database(error)) if spoils_batch(&error) => return Err(error),
            result => result,
        };
        let is_done = result.is_ok();
        self.result = Some(result.map_err(|fault| fault.at(&self.path)));
        Ok(is_done)
    }

    fn answer(self: Box<Self>, failure: Option<&str>) {
        let result = match (failure, self.result) {
            (Some(reason), _) => Err(storage(&self.path, reason)),
            (None, Some(result)) => result,
            (None, None) => Err(storage(&self.path, "the work was not done")),
        };
        (self.answer)(result);
    }
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(db: Connection, path: PathBuf) -> std::io::Result<Self> {
        let (queue, jobs) = sync_channel(QUEUE_JOBS_MAX);
        let thread = std::thread::Builder::new().name("ledger".into()).spawn(move || serve(&db, &jobs))?;
        Ok(Self { path, queue: Some(queue), thread: Some(thread) })
    }

    /// Queues the work; `answer` is called from the thread once the result is on disk.
    pub(super) fn send<T: Send + 'static>(
        &self,
        work: impl FnMut(&Connection) -> Work<T> + Send + 'static,
        answer: impl FnOnce(Result<T>) + Send + 'static,
    ) -> Result<()> {
        let task = Task { path: self.path.clone(), work, result: None, answer };
        let queue = self.queue.as_ref().ok_or_else(|| self.gone())?;
        queue.send(Box::new(task)).map_err(|_| self.gone())
    }

    /// The error when the thread is no more.
    pub(super) fn gone(&self) -> LedgerError {
        storage(&self.path, "its writer has ended; start again")
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(db: &Connection, jobs: &Receiver<Box<dyn Job>>) {
    while let Ok(first) = jobs.recv() {
        let mut batch = vec![first];
        batch.extend(jobs.try_iter().take(BATCH_JOBS_MAX - 1));
        let failed = commit_together(db, &mut batch).err();
        if failed.as_ref().is_some_and(|error| error.sqlite_error_code() == Some(ErrorCode::DiskFull)) {
            // The log may be what fills the disk: what is in it already needs no new room in the database.
            let _ = db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        }
        let failure = failed.map(|error| in_words(&error));
        for job in batch {
            job.answer(failure.as_deref());
        }
    }
}

fn commit_together(db: &Connection, batch: &mut [Box<dyn Job>]) -> rusqlite::Result<()> {
    let is_done = transaction(db, || {
        for job in batch.iter_mut() {
            if !job.run(db)? {
                return Ok(false);
            }
        }
        Ok(true)
    })?;
    if is_done { Ok(()) } else { commit_one_by_one(db, batch) }
}

/// With a way back before each piece of work, which costs a copy of every page that it changes.
fn commit_one_by_one(db: &Connection, batch: &mut [Box<dyn Job>]) -> rusqlite::Result<()> {
    transaction(db, || {
        for job in batch.iter_mut() {
            db.prepare_cached("SAVEPOINT job")?.execute([])?;
            if !job.run(db)? {
                db.prepare_cached("ROLLBACK TO job")?.execute([])?;
            }
            db.prepare_cached("RELEASE job")?.execute([])?;
        }
        Ok(true)
    })
    .map(|_| ())
}

/// Commits what `work` did, where it says that all is done; undoes it otherwise.
fn transaction(db: &Connection, work: impl FnOnce() -> rusqlite::Result<bool>) -> rusqlite::Result<bool> {
    let done = (|| {
        db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let is_done = work()?;
        if is_done {
            failpoint::reached("writer.commits");
            db.prepare_cached("COMMIT")?.execute([])?;
            failpoint::reached("writer.committed");
        }
        Ok(is_done)
    })();
    if !matches!(done, Ok(true)) && !db.is_autocommit() {
        // If this fails too, the transaction is gone with the connection's next error.
        let _ = db.execute_batch("ROLLBACK");
    }
    done
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::model::MessageId;

    fn start(dir: &tempfile::TempDir) -> Writer {
        let path = dir.path().join("t");
        let db = Connection::open(&path).unwrap();
        db.execute_batch("PRAGMA journal_mode=WAL; CREATE TABLE t (n INTEGER, blob BLOB)").unwrap();
        Writer::start(db, path).unwrap()
    }

    fn ask<T: Send + 'static>(
        writer: &Writer,
        work: impl FnMut(&Connection) -> Work<T> + Send + 'static,
    ) -> mpsc::Receiver<Result<T>> {
        let (tell, told) = mpsc::channel();
        writer.send(work, move |result| drop(tell.send(result))).unwrap();
        told
    }

    fn insert(n: i64) -> impl FnMut(&Connection) -> Work<()> {
        move |db| {
            db.execute("INSERT INTO t (n) VALUES (?1)", [n])?;
            Ok(())
        }
    }

    fn numbers(writer: &Writer) -> Vec<i64> {
        ask(writer, |db| {
            Ok(db
                .prepare("SELECT n FROM t ORDER BY n")?
                .query_map([], |r| r.get(0))?
                .collect::<rusqlite::Result<_>>()?)
        })
        .recv()
        .unwrap()
        .unwrap()
    }

    /// Holds the thread inside a piece of work until the sender is dropped, so that what follows is one batch.
    fn pause(writer: &Writer) -> mpsc::Sender<()> {
        let (go, wait) = mpsc::channel::<()>();
        let _ = ask(writer, move |_| {
            let _ = wait.recv();
            Ok(())
        });
        go
    }

    #[test]
    fn work_that_is_refused_is_undone_alone() {
        let dir = tempfile::tempdir().unwrap();
        let writer = start(&dir);
        let go = pause(&writer);
        let first = ask(&writer, insert(1));
        let refused = ask(&writer, |db| {
            insert(2)(db)?;
            Err::<(), _>(LedgerError::LostRow { message: MessageId(1), expected: "leased" }.into())
        });
        let last = ask(&writer, insert(3));
        drop(go);
        first.recv().unwrap().unwrap();
        assert!(matches!(refused.recv().unwrap(), Err(LedgerError::LostRow { .. })));
        last.recv().unwrap().unwrap();
        assert_eq!(numbers(&writer), [1, 3]);
    }

    #[test]
    fn a_full_disk_fails_the_whole_batch_and_the_writer_carries_on_afterwards() {
        let dir = tempfile::tempdir().unwrap();
        let writer = start(&dir);
        ask(&writer, |db| Ok(db.pragma_update(None, "max_page_count", 10)?)).recv().unwrap().unwrap();
        let go = pause(&writer);
        let small = ask(&writer, insert(1));
        let large = ask(&writer, |db| {
            db.execute("INSERT INTO t (n, blob) VALUES (2, zeroblob(1000000))", [])?;
            Ok(())
        });
        drop(go);
        for answer in [small, large] {
            let error = answer.recv().unwrap().unwrap_err();
            assert!(matches!(&error, LedgerError::Storage { reason, .. } if reason.contains("full")), "{error}");
        }
        assert!(numbers(&writer).is_empty());
        ask(&writer, insert(3)).recv().unwrap().unwrap();
        assert_eq!(numbers(&writer), [3]);
    }

    #[test]
    fn what_was_sent_before_the_drop_is_done() {
        let dir = tempfile::tempdir().unwrap();
        let writer = start(&dir);
        let answers: Vec<_> = (0..1000).map(|n| ask(&writer, insert(n))).collect();
        drop(writer);
        assert!(answers.into_iter().all(|answer| answer.recv().unwrap().is_ok()));
    }
}
