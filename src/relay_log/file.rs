//! One log as it lies there: text, or packed by gzip, told apart by its first bytes. It must not know what lines mean.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use jiff::Timestamp;

use super::journal::Line;
use super::moment::{Zone, latest_moment};

/// So much of a log is looked at before it is read.
const HEAD_BYTES: usize = 1 << 16;
const BUFFER_BYTES: usize = 1 << 18;
const GZIP: &[u8] = b"\x1f\x8b";
/// bzip2, xz, zstd.
const PACKED_OTHERWISE: [&[u8]; 3] = [b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd"];

/// A log whose first lines were looked at, so that the files of one log can be put in order.
pub struct LogFile<'a> {
    /// As it was named.
    pub name: String,
    pub(super) input: Box<dyn BufRead + 'a>,
    pub(super) first: Option<Timestamp>,
    is_packed: bool,
    is_packed_otherwise: bool,
    pub(super) is_stream: bool,
}

impl std::fmt::Debug for LogFile<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogFile").field("name", &self.name).field("first", &self.first).finish_non_exhaustive()
    }
}

/// Why a log cannot be read to its end.
pub(super) enum Broken {
    /// It is packed, and breaks off.
    Cut,
    /// It is packed, and damaged.
    Damaged,
    Input(io::Error),
}

impl<'a> LogFile<'a> {
    /// Looks at the beginning.
    pub fn new(name: String, input: impl BufRead + 'a, zone: &Zone) -> Self {
        let file = Looked::at(input);
        if file.head.starts_with(GZIP) {
            let text = Looked::at(BufReader::with_capacity(BUFFER_BYTES, MultiGzDecoder::new(file)));
            return Self::of(name, text, true, zone);
        }
        Self::of(name, file, false, zone)
    }

    fn of(name: String, text: Looked<impl BufRead + 'a>, is_packed: bool, zone: &Zone) -> Self {
        let first = first_moment(&text.head, zone);
        let is_packed_otherwise = PACKED_OTHERWISE.iter().any(|magic| text.head.starts_with(magic));
        Self { name, input: Box::new(text), first, is_packed, is_packed_otherwise, is_stream: false }
    }

    /// It came through a pipe: where one file of the log ends in it and the next begins cannot be seen.
    #[must_use]
    pub fn through_a_pipe(self) -> Self {
        Self { is_stream: true, ..self }
    }

    /// See [`Self::through_a_pipe`].
    pub fn is_through_a_pipe(&self) -> bool {
        self.is_stream
    }

    /// Earliest first; those without a time stay where they are.
    pub fn in_order(mut files: Vec<Self>) -> Vec<Self> {
        files.sort_by_key(|file| file.first);
        files
    }

    /// Whether it is packed in a way that is not read here.
    pub fn is_packed_otherwise(&self) -> bool {
        self.is_packed_otherwise
    }

    /// What an error at reading means.
    pub(super) fn why(&self, error: io::Error) -> Broken {
        match error.kind() {
            io::ErrorKind::UnexpectedEof if self.is_packed => Broken::Cut,
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData if self.is_packed => Broken::Damaged,
            _ => Broken::Input(error),
        }
    }
}

/// The time of the first line that has one.
fn first_moment(head: &[u8], zone: &Zone) -> Option<Timestamp> {
    // The last line of it may be cut.
    let end = if head.len() < HEAD_BYTES { None } else { memchr::memrchr(b'\n', head) };
    let lines = head[..end.unwrap_or(head.len())].split(|b| *b == b'\n');
    lines.filter_map(|line| Line::read(line).text()).find_map(|line| latest_moment(&line, zone))
}

/// An input of which the first bytes are known, and then the rest.
struct Looked<R> {
    head: Vec<u8>,
    at: usize,
    /// What came after them instead of more.
    failed: Option<io::Error>,
    rest: R,
}

impl<R: BufRead> Looked<R> {
    fn at(mut rest: R) -> Self {
        let mut head = Vec::new();
        let failed = rest.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut head).err();
        Self { head, at: 0, failed, rest }
    }
}

impl<R: BufRead> Read for Looked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.fill_buf()?.read(buffer)?;
        self.consume(n);
        Ok(n)
    }
}

impl<R: BufRead> BufRead for Looked<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at < self.head.len() {
            return Ok(&self.head[self.at..]);
        }
        match self.failed.take() {
            Some(error) => Err(error),
            None => self.rest.fill_buf(),
        }
    }

    fn consume(&mut self, n: usize) {
        if self.at < self.head.len() { self.at += n } else { self.rest.consume(n) }
    }
}
