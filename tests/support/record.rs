//! What a scripted relay has accepted: the oracle of every test about lost and repeated messages.
//!
//! An entry is made, and written to the file where there is one, before the first byte of the 250 leaves the
//! relay. So whatever a client can believe to be accepted is in here; and what is in here, a relay has.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

/// One accepted message.
#[derive(Debug, Clone)]
pub struct Entry {
    /// `X-Campaign-Message`, or empty.
    pub reference: String,
    pub from: String,
    pub to: Vec<String>,
    /// As the client meant it: dots unstuffed, without the final dot.
    pub bytes: Vec<u8>,
    /// The MAIL command as it came, with its parameters.
    pub mail: String,
    pub at: Instant,
    /// 1 for the first connection, and so on.
    pub connection: usize,
    /// Whether the script lets the client know.
    pub told: bool,
}

/// All accepted messages of one relay, in order.
#[derive(Debug, Default)]
pub struct Record {
    entries: Mutex<Vec<Entry>>,
    grown: Condvar,
    file: Mutex<Option<File>>,
}

impl Record {
    /// Appends a line for each message, too: `reference connection told recipient…`.
    pub fn with_file(path: &Path) -> std::io::Result<Self> {
        let file = File::options().create(true).append(true).open(path)?;
        Ok(Self { file: Mutex::new(Some(file)), ..Self::default() })
    }

    pub fn add(&self, entry: Entry) {
        if let Some(file) = self.file.lock().unwrap().as_mut() {
            let Entry { reference, connection, told, to, .. } = &entry;
            writeln!(file, "{reference} {connection} {told} {}", to.join(" ")).unwrap();
            file.flush().unwrap();
        }
        self.entries.lock().unwrap().push(entry);
        self.grown.notify_all();
    }

    pub fn entries(&self) -> Vec<Entry> {
        self.entries.lock().unwrap().clone()
    }

    pub fn count(&self) -> usize {
        self.entries.lock().unwrap().len()
    }

    /// How many copies of one message the relay has.
    pub fn copies(&self, reference: &str) -> usize {
        self.entries.lock().unwrap().iter().filter(|e| e.reference == reference).count()
    }

    /// The references, in order of acceptance.
    pub fn references(&self) -> Vec<String> {
        self.entries.lock().unwrap().iter().map(|e| e.reference.clone()).collect()
    }

    /// Waits until there are `count` entries; false when there are not in time.
    pub fn wait_for(&self, count: usize, limit: Duration) -> bool {
        let entries = self.entries.lock().unwrap();
        let (_entries, timeout) = self.grown.wait_timeout_while(entries, limit, |e| e.len() < count).unwrap();
        !timeout.timed_out()
    }

    /// Waits until there are `count` entries, however slow the machine: for two minutes at most.
    #[track_caller]
    pub fn must_reach(&self, count: usize) {
        assert!(self.wait_for(count, Duration::from_secs(120)), "{} of {count} messages came", self.count());
    }

    /// Waits until nothing has come for so long; gives how many entries there are then.
    pub fn at_rest(&self, quiet: Duration) -> usize {
        loop {
            let count = self.count();
            if !self.wait_for(count + 1, quiet) {
                return count;
            }
        }
    }
}
