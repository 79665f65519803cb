//! Opens a contact file as a stream of UTF-8 text, whatever it is in; says what it is when it is no table; and takes
//! its fingerprint, so that a change between two readings is noticed. This file must not know about columns.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek};
use std::path::Path;
use std::time::SystemTime;

use encoding_rs::UTF_8;
use sha2::{Digest, Sha256};

use super::decoder::Decoded;
use super::encoding::{self, Known};
use super::error::FileFault;
use super::kind;
use super::settings::Reading;
use super::spreadsheet::{self, SheetFacts};

const BUFFER_BYTES: usize = 64 * 1024;

/// What tells whether a file is still the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fingerprint {
    stamp: Stamp,
    content: [u8; 32],
}

/// What the system says about a file without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp {
    bytes: u64,
    modified: Option<SystemTime>,
}

/// An open file: decoded, its byte-order mark and `sep=` line already taken.
pub(super) struct Source {
    input: Input,
    stamp: Stamp,
    /// The encoding, with some words as it reads them.
    pub(super) encoding: Known,
    /// The delimiter that the file itself names, in a `sep=` line or by being a spreadsheet.
    pub(super) delimiter: Option<u8>,
    /// What there is to tell about a spreadsheet.
    pub(super) sheet: Option<SheetFacts>,
    /// The line at which the text goes on: 2 after a `sep=` line.
    pub(super) line: u64,
}

/// Text as it is, text that must be decoded first, and the text of a spreadsheet, which was read already.
enum Input {
    Utf8(BufReader<Hashed>),
    Other(Box<Decoded<BufReader<Hashed>>>),
    Sheet { csv: BufReader<File>, read: Hashed },
}

struct Hashed {
    file: File,
    hash: Sha256,
    bytes: u64,
}

impl Hashed {
    fn new(file: File) -> Self {
        Self { file, hash: Sha256::new(), bytes: 0 }
    }
}

impl Read for Hashed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read(buffer)?;
        self.hash.update(&buffer[..n]);
        self.bytes += n as u64;
        Ok(n)
    }
}

impl Stamp {
    fn of(meta: &fs::Metadata) -> Self {
        Self { bytes: meta.len(), modified: meta.modified().ok() }
    }
}

impl Fingerprint {
    /// Whether the file there looks untouched, without reading it.
    pub(super) fn still_matches(&self, path: &Path) -> bool {
        fs::metadata(path).is_ok_and(|meta| Stamp::of(&meta) == self.stamp)
    }
}

impl Source {
    /// Opens a file and looks at its first bytes.
    pub(super) fn open(path: &Path, reading: &Reading) -> Result<Self, FileFault> {
        // Before opening: a pipe would be waited for.
        let meta = fs::metadata(path)?;
        if meta.is_dir() {
            return Err(kind::not_a_table("a folder", "name the file in it"));
        }
        if !meta.is_file() {
            return Err(kind::not_a_table("a pipe or a device", "save the contacts to a file and name that"));
        }
        let mut file = File::open(path)?;
        let stamp = Stamp::of(&file.metadata()?);
        let mut head = Vec::new();
        (&file).take(BUFFER_BYTES as u64).read_to_end(&mut head)?;
        if kind::is_archive(&head) {
            return Self::open_sheet(file, stamp, reading);
        }
        kind::refuse_what_is_no_text(&head)?;
        let (encoding, mark) = find_encoding(&mut file, &head, reading)?;
        file.rewind()?;
        let mut bytes = BufReader::with_capacity(BUFFER_BYTES, Hashed::new(file));
        bytes.fill_buf()?;
        bytes.consume(mark);
        let input = if encoding.encoding == UTF_8 {
            Input::Utf8(bytes)
        } else {
            Input::Other(Box::new(Decoded::new(bytes, encoding.encoding)))
        };
        let mut source = Self { input, stamp, encoding, delimiter: None, sheet: None, line: 1 };
        source.start()?;
        Ok(source)
    }

    /// Reads a spreadsheet whole, so that its fingerprint is that of the file itself.
    fn open_sheet(mut file: File, stamp: Stamp, reading: &Reading) -> Result<Self, FileFault> {
        let (csv, facts) = spreadsheet::as_csv(file.try_clone()?, reading.sheet.as_deref())?;
        file.rewind()?;
        let mut read = Hashed::new(file);
        io::copy(&mut read, &mut io::sink())?;
        let input = Input::Sheet { csv: BufReader::with_capacity(BUFFER_BYTES, csv), read };
        let encoding = Known::plain(UTF_8);
        Ok(Self { input, stamp, encoding, delimiter: Some(b','), sheet: Some(facts), line: 1 })
    }

    /// Takes the `sep=` line; refuses a file that has nothing in it.
    fn start(&mut self) -> Result<(), FileFault> {
        let head = self.fill_buf()?;
        if head.len() < BUFFER_BYTES / 2 && head.iter().all(u8::is_ascii_whitespace) {
            return Err(FileFault::Empty);
        }
        if let Some((bytes, delimiter)) = sep_line(head) {
            self.consume(bytes);
            (self.delimiter, self.line) = (Some(delimiter), 2);
        }
        Ok(())
    }

    /// The text that comes next, up to 64 KiB, without taking it.
    pub(super) fn head(&mut self) -> io::Result<&[u8]> {
        self.fill_buf()
    }

    /// The fingerprint, once everything was read; `None` when the file changed meanwhile.
    pub(super) fn fingerprint(&self) -> Option<Fingerprint> {
        let read = match &self.input {
            Input::Utf8(bytes) => bytes.get_ref(),
            Input::Other(decoded) => decoded.input().get_ref(),
            Input::Sheet { read, .. } => read,
        };
        let now = Stamp::of(&read.file.metadata().ok()?);
        let unchanged = now == self.stamp && read.bytes == self.stamp.bytes;
        unchanged.then(|| Fingerprint { stamp: now, content: read.hash.clone().finalize().into() })
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.input {
            Input::Utf8(bytes) => bytes.read(buffer),
            Input::Other(decoded) => decoded.read(buffer),
            Input::Sheet { csv, .. } => csv.read(buffer),
        }
    }
}

impl BufRead for Source {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match &mut self.input {
            Input::Utf8(bytes) => bytes.fill_buf(),
            Input::Other(decoded) => decoded.fill_buf(),
            Input::Sheet { csv, .. } => csv.fill_buf(),
        }
    }

    fn consume(&mut self, amount: usize) {
        match &mut self.input {
            Input::Utf8(bytes) => bytes.consume(amount),
            Input::Other(decoded) => decoded.consume(amount),
            Input::Sheet { csv, .. } => csv.consume(amount),
        }
    }
}

/// The encoding of a file, and the length of its byte-order mark: by the mark, by what staff say, or by all of it.
fn find_encoding(file: &mut File, head: &[u8], reading: &Reading) -> Result<(Known, usize), FileFault> {
    let named = reading.encoding.as_deref().map(encoding::by_label).transpose()?;
    if let Some((encoding, mark)) = encoding::by_head(head).filter(|(_, mark)| *mark > 0 || named.is_none()) {
        return Ok((Known::plain(encoding), mark));
    }
    file.rewind()?;
    if let Some(encoding) = named {
        return Ok((encoding::with_samples(encoding, file)?, 0));
    }
    if encoding::is_utf8(&*file)? {
        return Ok((Known::plain(UTF_8), 0));
    }
    file.rewind()?;
    Ok((encoding::detect(file)??, 0))
}

/// The length of a `sep=;` line, with its line end, and the delimiter it names.
fn sep_line(head: &[u8]) -> Option<(usize, u8)> {
    let end = head.iter().position(|b| matches!(b, b'\r' | b'\n'))?;
    let line = head[..end].strip_prefix(b"\"").unwrap_or(&head[..end]);
    let [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', delimiter, rest @ ..] = line else { return None };
    // Excel pads the line with delimiters when it saves such a file again.
    let padded = rest.iter().all(|b| b == delimiter || *b == b'"');
    let known = matches!(delimiter, b',' | b';' | b'\t' | b'|');
    let line_end = if head[end..].starts_with(b"\r\n") { 2 } else { 1 };
    (padded && known).then_some((end + line_end, *delimiter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sep_line_is_taken_only_when_it_is_one() {
        for (head, expected) in [
            (&b"sep=;\nrole;name\n"[..], Some((6, b';'))),
            (b"SEP=,\r\nrole\n", Some((7, b','))),
            (b"\"sep=\t\"\nrole\n", Some((8, b'\t'))),
            (b"sep=;;;;\r\n", Some((10, b';'))),
            (b"sep=x\nrole\n", None),
            (b"sep=;name\n", None),
            (b"separate,name\n", None),
            (b"sep=;", None),
        ] {
            assert_eq!(sep_line(head), expected, "{}", String::from_utf8_lossy(head));
        }
    }

    #[test]
    fn a_change_is_noticed_while_reading_and_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("contacts.csv");
        fs::write(&path, "role,name\n").unwrap();
        let read_whole = || {
            let mut source = Source::open(&path, &Reading::default()).unwrap();
            io::copy(&mut source, &mut io::sink()).unwrap();
            source
        };
        let print = read_whole().fingerprint().unwrap();
        assert!(print.still_matches(&path));
        assert_eq!(read_whole().fingerprint(), Some(print.clone()));

        let reading = read_whole();
        fs::write(&path, "role,name\nofficial,Ana\n").unwrap();
        assert_eq!(reading.fingerprint(), None);
        assert!(!print.still_matches(&path));
        assert_ne!(read_whole().fingerprint(), Some(print));
    }
}
