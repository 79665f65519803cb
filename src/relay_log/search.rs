//! Reads logs and keeps what they tell of the messages that are sought. What is kept grows with our messages, never with
//! the log.

use std::collections::HashMap;
use std::io::{self, BufRead};

use jiff::Timestamp;

use super::cover::Cover;
use super::file::{Broken, LogFile};
use super::finding::{Fate, Finding, Found, Hole, Place, Proof};
use super::journal::Line;
use super::line::{Says, says};
use super::moment::{Clock, Zone, moment};
use crate::model::{CampaignTag, EmailAddress, MessageId, MessageRef};

/// So much of a line is looked at.
const LINE_BYTES_MAX: usize = 1 << 16;
/// How many open sessions are remembered.
const SESSIONS_MAX: usize = 1 << 16;
/// How many copies of one message, and how many messages that nobody seeks, are remembered.
const COPIES_MAX: usize = 16;
const STRANGERS_MAX: usize = 1 << 21;
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

/// Why reading cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is packed, and what comes from that line on is not as it was packed.
    #[error("it is damaged at its line {line}, so that nothing in it can be relied upon")]
    Damaged {
        /// As far as it could be unpacked.
        line: u64,
    },
    /// The system says why.
    #[error(transparent)]
    Input(#[from] io::Error),
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
    cover: Cover,
    holes: Vec<Hole>,
    /// Lines read.
    pub lines: u64,
}

impl Search {
    /// For these messages of that campaign, whose newest message has that number.
    pub fn new(tag: &CampaignTag, sought: Vec<Sought>, newest: MessageId, zone: Zone) -> Self {
        let sought = sought.into_iter().map(|sought| (sought.message, sought)).collect();
        let (threads, queue, sessions) = (HashMap::new(), HashMap::new(), HashMap::new());
        let (tag, cover, holes) = (tag.clone(), Cover::default(), Vec::new());
        Self { tag, zone, sought, newest, threads, queue, sessions, cover, holes, lines: 0 }
    }

    /// Why their silence proves nothing, where that is so.
    pub fn holes(&self) -> &[Hole] {
        &self.holes
    }

    fn hole(&mut self, hole: Hole) {
        if !self.holes.contains(&hole) {
            self.holes.push(hole);
        }
    }

    /// Reads one file to its end. Files of one log must come in order.
    pub fn read(&mut self, number: usize, file: &mut LogFile<'_>) -> Result<(), ReadError> {
        let (mut line, mut place) = (Vec::with_capacity(4096), Place { file: number, line: 0 });
        let (mut clock, heard) = (Clock::default(), self.cover.so_far());
        loop {
            match next_line(&mut file.input, &mut line).map_err(|error| file.why(error)) {
                Ok(true) => place.line += 1,
                Ok(false) => break,
                // The last line of it is cut, too.
                Err(Broken::Cut) => break self.hole(Hole::Cut(number)),
                Err(Broken::Damaged) => return Err(ReadError::Damaged { line: place.line + 1 }),
                Err(Broken::Input(error)) => return Err(ReadError::Input(error)),
            }
            // Where a machine broke down there are zeros in place of its last lines.
            if memchr::memchr(0, &line).is_some() {
                self.hole(Hole::Lost);
            }
            let Line::Text(text) = Line::read(&line) else {
                self.hole(Hole::Unread);
                continue;
            };
            if let Some(says) = says(&text) {
                self.note(&says, place, &text);
            }
            if let Some(at) = clock.at(&text, &self.zone) {
                self.cover.hear(at);
            }
        }
        self.lines += place.line;
        match file.first.zip(clock.last) {
            Some(_) if file.is_stream => self.cover.pipe(heard),
            Some((first, last)) => self.cover.file(first, last),
            None if place.line > 0 => self.hole(Hole::NoTimes(number)),
            None => {}
        }
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
            Says::Hole => self.hole(Hole::Lost),
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
        self.cover.sort();
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
        self.holes.is_empty() && since.zip(at).is_some_and(|(since, at)| self.cover.covers(since, at))
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
