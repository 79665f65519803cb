//! Opens a contact file as a stream of UTF-8 text, says what it is when it is not that, and takes its
//! fingerprint, so that a change between two readings is noticed.
//!
//! Other encodings and spreadsheets belong here. This file must not know about columns.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use super::error::FileFault;

const BUFFER_BYTES: usize = 64 * 1024;
const BOM: &[u8] = b"\xef\xbb\xbf";

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

/// An open file: buffered, its byte-order mark and `sep=` line already taken.
pub(super) struct Source {
    input: BufReader<Hashed>,
    stamp: Stamp,
    /// The delimiter that a `sep=` line names.
    pub(super) delimiter: Option<u8>,
    /// The line at which the text goes on: 2 after a `sep=` line.
    pub(super) line: u64,
}

struct Hashed {
    file: File,
    hash: Sha256,
    bytes: u64,
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
    pub(super) fn open(path: &Path) -> Result<Self, FileFault> {
        // Before opening: a pipe would be waited for.
        let meta = fs::metadata(path)?;
        if meta.is_dir() {
            return Err(not_text("a folder", "name the file in it"));
        }
        if !meta.is_file() {
            return Err(not_text("a pipe or a device", "save the contacts to a file and name that"));
        }
        let file = File::open(path)?;
        let stamp = Stamp::of(&file.metadata()?);
        let hashed = Hashed { file, hash: Sha256::new(), bytes: 0 };
        let mut input = BufReader::with_capacity(BUFFER_BYTES, hashed);
        let head = input.fill_buf()?;
        recognise(head)?;
        let bom = if head.starts_with(BOM) { BOM.len() } else { 0 };
        let head = &head[bom..];
        if head.iter().all(u8::is_ascii_whitespace) && head.len() < BUFFER_BYTES - BOM.len() {
            return Err(FileFault::Empty);
        }
        let (sep, delimiter) = sep_line(head).map_or((0, None), |(bytes, d)| (bytes, Some(d)));
        input.consume(bom + sep);
        Ok(Self { input, stamp, delimiter, line: if sep > 0 { 2 } else { 1 } })
    }

    /// The bytes that come next, up to 64 KiB, without taking them.
    pub(super) fn head(&mut self) -> io::Result<&[u8]> {
        self.input.fill_buf()
    }

    /// The fingerprint, once everything was read; `None` when the file changed meanwhile.
    pub(super) fn fingerprint(&self) -> Option<Fingerprint> {
        let read = self.input.get_ref();
        let now = Stamp::of(&read.file.metadata().ok()?);
        let unchanged = now == self.stamp && read.bytes == self.stamp.bytes;
        unchanged.then(|| Fingerprint { stamp: now, content: read.hash.clone().finalize().into() })
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.input.read(buffer)
    }
}

impl BufRead for Source {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.input.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.input.consume(amount);
    }
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

const AS_CSV: &str = "open it and save the sheet as “CSV UTF-8”";

/// Refuses what is plainly not UTF-8 text, and says what it is.
fn recognise(head: &[u8]) -> Result<(), FileFault> {
    let has = |bytes: &[u8]| head.windows(bytes.len()).any(|w| w == bytes);
    let start = head.trim_ascii_start();
    let is_html = |tag: &[u8]| start.get(..tag.len()).is_some_and(|s| s.eq_ignore_ascii_case(tag));
    let nuls: usize = head.iter().map(|&b| usize::from(b == 0)).sum();
    let (is, advice) = match head {
        [] => return Err(FileFault::Empty),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => ("text in UTF-16, as Excel's “Unicode text”", AS_CSV),
        [b'P', b'K', 3, 4, ..] if has(b"opendocument.spreadsheet") => ("an OpenDocument spreadsheet (.ods)", AS_CSV),
        [b'P', b'K', 3, 4, ..] if has(b"[Content_Types].xml") || has(b"xl/") => ("an Excel workbook (.xlsx)", AS_CSV),
        [b'P', b'K', 3, 4, ..] => ("a ZIP archive", "unpack it and name the file in it"),
        [0x1f, 0x8b, ..] => ("a gzip archive", "unpack it and name the file in it"),
        [0xd0, 0xcf, 0x11, 0xe0, ..] => ("an old Excel workbook (.xls)", AS_CSV),
        [b'%', b'P', b'D', b'F', ..] => ("a PDF", "name the spreadsheet or CSV file it was made from"),
        _ if is_html(b"<!doctype html") || is_html(b"<html") => ("a web page", "download the sheet itself as CSV"),
        _ if nuls * 4 > head.len() => ("text in UTF-16 without a byte-order mark, or no text at all", AS_CSV),
        _ => return Ok(()),
    };
    Err(not_text(is, advice))
}

fn not_text(is: &'static str, advice: &'static str) -> FileFault {
    FileFault::NotText { is, advice }
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
            let mut source = Source::open(&path).unwrap();
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
