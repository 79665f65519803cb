//! Reads logs and keeps what they tell of the messages that are sought. What is kept grows with our messages, never with
//! the log.

use std::collections::HashMap;
use std::io::{self, BufRead};

use jiff::{SignedDuration, Timestamp};

use super::finding::{Fate, Finding, Found, Place, Proof};
use super::line::{Says, says};
use super::moment::{HEAD_BYTES, Zone, latest_moment, moment};
use crate::model::{CampaignTag, EmailAddress, MessageId, MessageRef};

/// So much of a line is looked at.
const LINE_BYTES_MAX: usize = 4096;
/// How many open sessions are remembered.
const SESSIONS_MAX: usize = 1 << 16;
/// How many copies of one message, and how many messages that nobody seeks, are remembered.
const COPIES_MAX: usize = 16;
const STRANGERS_MAX: usize = 1 << 21;
/// The log must go on for so long after a hand-over before its silence tells anything.
const SILENCE: SignedDuration = SignedDuration::from_mins(10);
/// So long before the hand-over it must have begun; and between two files of one log there may be so much time.
const BEFORE: SignedDuration = SignedDuration::from_mins(1);
const GAP_MAX: SignedDuration = SignedDuration::from_mins(10);

/// A message to look for.
#[derive(Debug, Clone)]
pub struct Sought {
    /// Its number.
    pub message: MessageId,
    /// Its Message-ID without angle brackets; nothing where the ledger never fixed one: then the recipient must be right.
    pub message_id: Option<String>,
    /// Its recipient, by [`EmailAddress::key`].
    pub mailbox: Option<String>,
    /// When it was last handed over, where it was: not before this moment,
    pub since: Option<Timestamp>,
    /// and not after this one.
    pub at: Option<Timestamp>,
}

/// A log whose first lines were looked at, so that the files of one log can be put in order.
pub struct LogFile<R> {
    /// As it was named.
    pub name: String,
    input: R,
    first: Option<Timestamp>,
}

impl<R> std::fmt::Debug for LogFile<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogFile").field("name", &self.name).field("first", &self.first).finish_non_exhaustive()
    }
}

impl<R: BufRead> LogFile<R> {
    /// Looks at the beginning.
    pub fn new(name: String, mut input: R, zone: &Zone) -> io::Result<Self> {
        let first = input.fill_buf()?.split(|b| *b == b'\n').find_map(|line| latest_moment(line, zone));
        Ok(Self { name, input, first })
    }

    /// Earliest first; those without a time stay where they are.
    pub fn in_order(mut files: Vec<Self>) -> Vec<Self> {
        files.sort_by_key(|file| file.first);
        files
    }

    /// Whether it begins as a file that is compressed.
    pub fn is_compressed(&mut self) -> io::Result<bool> {
        let head = self.input.fill_buf()?;
        Ok([&b"\x1f\x8b"[..], b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd"].iter().any(|magic| head.starts_with(magic)))
    }
}

/// One copy of a message in the relay's queues.
#[derive(Debug)]
struct Copy {
    queue_id: Box<str>,
    begun: Place,
    taken: Option<(Place, Option<Timestamp>)>,
    thrown_away: bool,
    to: Option<String>,
    fate: Option<Fate>,
    onward: Option<Box<str>>,
}

/// All copies with one Message-ID.
#[derive(Debug)]
struct Thread {
    id: MessageId,
    copies: Vec<Copy>,
}

/// See the module.
#[derive(Debug)]
pub struct Search {
    tag: CampaignTag,
    zone: Zone,
    sought: HashMap<MessageId, Sought>,
    newest: MessageId,
    threads: HashMap<Box<str>, Thread>,
    /// Queue ids of ours that are in use: the Message-ID and which of its copies.
    queue: HashMap<Box<str>, (Box<str>, usize)>,
    sessions: HashMap<u32, Box<str>>,
    spans: Vec<(Timestamp, Timestamp)>,
    has_hole: bool,
    /// Lines read.
    pub lines: u64,
}

impl Search {
    /// For these messages of that campaign, whose newest message has that number.
    pub fn new(tag: &CampaignTag, sought: Vec<Sought>, newest: MessageId, zone: Zone) -> Self {
        let sought = sought.into_iter().map(|sought| (sought.message, sought)).collect();
        let (threads, queue, sessions) = (HashMap::new(), HashMap::new(), HashMap::new());
        let (tag, spans) = (tag.clone(), Vec::new());
        Self { tag, zone, sought, newest, threads, queue, sessions, spans, has_hole: false, lines: 0 }
    }

    /// Whether the log itself says that lines are missing from it.
    pub fn has_hole(&self) -> bool {
        self.has_hole
    }

    /// Reads one file to its end. Files of one log must come in order.
    pub fn read<R: BufRead>(&mut self, number: usize, file: &mut LogFile<R>) -> io::Result<()> {
        let (mut line, mut place) = (Vec::with_capacity(LINE_BYTES_MAX), Place { file: number, line: 0 });
        let mut last = Vec::with_capacity(HEAD_BYTES);
        while next_line(&mut file.input, &mut line)? {
            place.line += 1;
            // Where a machine broke down there are zeros in place of its last lines.
            self.has_hole |= memchr::memchr(0, &line).is_some();
            if let Some(says) = says(&line) {
                self.note(&says, place, &line);
            }
            if moment_like(&line) {
                last.clear();
                last.extend_from_slice(&line[..line.len().min(HEAD_BYTES)]);
            }
        }
        self.lines += place.line;
        self.spans.extend(file.first.zip(moment(&last, &self.zone)));
        Ok(())
    }

    fn note(&mut self, says: &Says<'_>, place: Place, line: &[u8]) {
        match *says {
            Says::Named { queue_id, message_id } => self.named(queue_id, message_id, place),
            Says::Taken { queue_id, message_id } => {
                self.named(queue_id, message_id, place);
                self.taken(queue_id, place, line);
            }
            Says::Queued { queue_id } => self.taken(queue_id, place, line),
            Says::Begun { queue_id, session } => {
                if self.sessions.len() >= SESSIONS_MAX {
                    self.sessions.clear();
                }
                self.sessions.insert(session, queue_id.into());
            }
            Says::BrokeOff { session } => {
                if let Some(queue_id) = self.sessions.remove(&session) {
                    self.copy(&queue_id, |copy| copy.thrown_away = true);
                }
            }
            Says::Over { session } => drop(self.sessions.remove(&session)),
            Says::Refused { queue_id } => self.copy(queue_id, |copy| copy.thrown_away = true),
            Says::Became { queue_id, fate, to, onward } => self.copy(queue_id, |copy| {
                copy.fate = Some(fate);
                copy.onward = onward.map(Into::into).or_else(|| copy.onward.take());
                if let Some(to) = to.and_then(|to| EmailAddress::parse(to).ok()) {
                    copy.to = Some(to.key());
                }
            }),
            Says::Removed { queue_id } => drop(self.queue.remove(queue_id)),
            Says::Hole => self.has_hole = true,
        }
    }

    fn copy(&mut self, queue_id: &str, change: impl FnOnce(&mut Copy)) {
        let Some((message_id, at)) = self.queue.get(queue_id) else { return };
        if let Some(copy) = self.threads.get_mut(message_id).and_then(|thread| thread.copies.get_mut(*at)) {
            change(copy);
        }
    }

    fn named(&mut self, queue_id: &str, message_id: &str, place: Place) {
        // Queue ids are used again: what is told of it from here on is about this message.
        self.queue.remove(queue_id);
        let Some(id) = self.ours(message_id) else { return };
        if !self.threads.contains_key(message_id) && self.threads.len() >= STRANGERS_MAX {
            return;
        }
        let thread = self.threads.entry(message_id.into()).or_insert_with(|| Thread { id, copies: Vec::new() });
        let known = thread.copies.iter().position(|copy| *copy.queue_id == *queue_id);
        let at = match known {
            Some(at) => at,
            None if thread.copies.len() >= COPIES_MAX => return,
            None => {
                let (queue_id, begun) = (queue_id.into(), place);
                let copy =
                    Copy { queue_id, begun, taken: None, thrown_away: false, to: None, fate: None, onward: None };
                thread.copies.push(copy);
                thread.copies.len() - 1
            }
        };
        self.queue.insert(queue_id.into(), (message_id.into(), at));
    }

    fn taken(&mut self, queue_id: &str, place: Place, line: &[u8]) {
        if self.queue.contains_key(queue_id) {
            let at = moment(line, &self.zone);
            self.copy(queue_id, |copy| {
                copy.taken.get_or_insert((place, at));
            });
        }
    }

    /// The number in a Message-ID of this campaign, where it is sought, or the ledger does not know it.
    fn ours(&self, message_id: &str) -> Option<MessageId> {
        let rest = message_id.strip_prefix(self.tag.as_str())?;
        let number = rest.strip_prefix('-')?.split_once('.')?.0;
        let id = format!("{}-{number}", self.tag.as_str()).parse::<MessageRef>().ok()?.id;
        (id > self.newest || self.sought.contains_key(&id)).then_some(id)
    }

    /// What was found of each message that was sought, by number; and the messages of this campaign that the relay took
    /// and the ledger does not know: to whom, and the proof.
    pub fn finish(mut self) -> (Vec<Finding>, Vec<(String, Proof)>) {
        self.spans.sort_unstable();
        let mut by_number: HashMap<MessageId, Vec<(&str, &Thread)>> = HashMap::new();
        for (message_id, thread) in &self.threads {
            by_number.entry(thread.id).or_default().push((message_id, thread));
        }
        let mut findings = Vec::new();
        let mut used: Vec<&str> = Vec::new();
        for sought in self.sought.values() {
            let threads = by_number.get(&sought.message).map_or(&[][..], Vec::as_slice);
            let is_its = |thread: &&(&str, &Thread)| match &sought.message_id {
                Some(message_id) => thread.0 == message_id,
                None => thread.1.is_to(sought.mailbox.as_deref()),
            };
            let its: Vec<_> = threads.iter().filter(is_its).collect();
            used.extend(its.iter().map(|thread| thread.0));
            let found = its.iter().find_map(|(_, thread)| thread.proof()).map(Found::Taken);
            let has_name = sought.message_id.is_some();
            let is_covered = || self.covers(sought.since, sought.at);
            // What was thrown away may be an earlier try; and a name that is not quite its own is no silence.
            let unclear = |place| Found::Unclear(place);
            let found = found.or_else(|| match its.iter().find_map(|(_, thread)| thread.arrival())? {
                Found::ThrownAway(place) if !is_covered() => Some(unclear(place)),
                arrival => Some(arrival),
            });
            let found = found
                .or_else(|| threads.iter().find_map(|(_, thread)| thread.begun()).filter(|_| has_name).map(unclear));
            let found = found.unwrap_or_else(|| Found::Nothing { is_covered: is_covered() });
            findings.push(Finding { message: sought.message, found });
        }
        findings.sort_by_key(|finding| finding.message);
        let used: std::collections::HashSet<&str> = used.into_iter().collect();
        let unknown = self.threads.iter().filter(|(message_id, _)| !used.contains(&***message_id));
        let mut strangers: Vec<_> = unknown.filter_map(|(_, thread)| Some((thread.to()?, thread.proof()?))).collect();
        strangers.sort_by(|a, b| (&a.0, &a.1.queue_id).cmp(&(&b.0, &b.1.queue_id)));
        (findings, strangers)
    }

    /// Whether the log's silence about a hand-over between these times tells anything.
    fn covers(&self, since: Option<Timestamp>, at: Option<Timestamp>) -> bool {
        let Some((since, at)) = since.zip(at) else { return false };
        let (Ok(from), Ok(to)) = (since.min(at).checked_sub(BEFORE), at.checked_add(SILENCE)) else { return false };
        // The hand-over itself left lines, so a silence of that moment is one of the log.
        let longest = |end: Timestamp, begin: Timestamp| if end < at && since < begin { BEFORE } else { GAP_MAX };
        let mut covered_to: Option<Timestamp> = None;
        for (first, last) in self.spans.iter().filter(|(_, last)| *last >= from) {
            match covered_to {
                None if *first <= from => covered_to = Some(*last),
                Some(so_far) if first.duration_since(so_far) <= longest(so_far, *first) => {
                    covered_to = Some(so_far.max(*last));
                }
                None | Some(_) => break,
            }
        }
        !self.has_hole && covered_to.is_some_and(|last| last >= to)
    }
}

impl Thread {
    fn begun(&self) -> Option<Place> {
        self.copies.first().map(|copy| copy.begun)
    }

    fn to(&self) -> Option<String> {
        self.copies.iter().find_map(|copy| copy.to.clone())
    }

    fn is_to(&self, mailbox: Option<&str>) -> bool {
        mailbox.is_some() && self.copies.iter().any(|copy| copy.to.as_deref() == mailbox)
    }

    fn proof(&self) -> Option<Proof> {
        let taken = || self.copies.iter().filter_map(|copy| Some((copy, copy.taken?)));
        let (first, (place, at)) = taken().next()?;
        // One that another queue of the same relay passed on is no copy of its own.
        let passed_on = |copy: &Copy| taken().any(|(other, _)| other.onward.as_ref() == Some(&copy.queue_id));
        let copies = taken().filter(|(copy, _)| !passed_on(copy)).count().max(1);
        // What came last in the chain tells what became of it.
        let fate = taken().filter_map(|(copy, _)| copy.fate).next_back();
        Some(Proof { queue_id: first.queue_id.to_string(), at, place, fate, copies })
    }

    /// It began to arrive; no copy of it was queued.
    fn arrival(&self) -> Option<Found> {
        let unclear = self.copies.iter().find(|copy| !copy.thrown_away);
        unclear
            .map(|copy| Found::Unclear(copy.begun))
            .or_else(|| self.copies.first().map(|c| Found::ThrownAway(c.begun)))
    }
}

/// Whether a line may begin with a time. Most do, so that the last one is found without reading each.
fn moment_like(line: &[u8]) -> bool {
    line.len() > 14 && line.iter().take(HEAD_BYTES).filter(|b| **b == b':').count() >= 2
}

/// The next line without its end, cut where it is too long; false at the end of the input.
fn next_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    let mut is_any = false;
    loop {
        let chunk = match input.fill_buf() {
            Ok(chunk) => chunk,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if chunk.is_empty() {
            return Ok(is_any);
        }
        is_any = true;
        let end = memchr::memchr(b'\n', chunk);
        let text = &chunk[..end.unwrap_or(chunk.len())];
        line.extend_from_slice(&text[..text.len().min(LINE_BYTES_MAX - line.len())]);
        let taken = text.len() + usize::from(end.is_some());
        input.consume(taken);
        if end.is_some() {
            if line.last() == Some(&b'\r') {
                line.pop();
            }
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests;
