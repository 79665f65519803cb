//! The XML parts of a spreadsheet, which is a ZIP archive, as streams that cannot fill the memory: a part may not grow
//! beyond measure, nor hold an endless tag or text, nor nest without end. Libraries for spreadsheets hold whole sheets and
//! believe what a workbook says of its sizes; these streams do neither. This file must not know about cells.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufReader, Read};

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use zip::ZipArchive;
use zip::read::ZipFile;
use zip::result::ZipError;

use crate::contacts::error::FileFault;

/// So many bytes a part may always have …
const PART_BYTES_FREE: u64 = 64 * 1024 * 1024;
/// … and so many times its packed size: real sheets stay under 50.
const GROWTH_MAX: u64 = 150;
/// What no part may exceed.
const PART_BYTES_MAX: u64 = 8 * 1024 * 1024 * 1024;
/// The longest tag or text.
const RUN_BYTES_MAX: u64 = 2 * 1024 * 1024;
const DEPTH_MAX: u32 = 64;

/// An open archive.
pub(super) struct Archive(ZipArchive<File>);

/// One part of it.
pub(super) struct Xml<'a> {
    reader: quick_xml::Reader<BufReader<Guarded<ZipFile<'a, File>>>>,
    buffer: Vec<u8>,
    depth: u32,
}

/// Stops where a part becomes too big to be one.
struct Guarded<R> {
    input: R,
    left: u64,
    run: u64,
}

impl<R: Read> Read for Guarded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.input.read(buffer)?;
        let bytes = &buffer[..n];
        self.left = self.left.checked_sub(n as u64).ok_or(io::ErrorKind::FileTooLarge)?;
        self.run = match bytes.iter().rposition(|&b| b == b'<') {
            Some(at) => (n - at) as u64,
            None => self.run + n as u64,
        };
        if self.run > RUN_BYTES_MAX { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(n) }
    }
}

impl Archive {
    pub(super) fn open(file: File) -> Result<Self, FileFault> {
        ZipArchive::new(file).map(Self).map_err(|e| damaged(&e))
    }

    /// Whether there is a part of that name; case does not count.
    pub(super) fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    fn find(&self, name: &str) -> Option<String> {
        let is_it = |n: &str| n.replace('\\', "/").trim_start_matches('/').eq_ignore_ascii_case(name);
        self.0.file_names().flatten().find(|n| is_it(n)).map(Cow::into_owned)
    }

    /// Whether the archive begins with a part that says what it is, and it says this.
    pub(super) fn is_of_type(&mut self, wanted: &str) -> bool {
        let mut text = String::new();
        let part = self.0.by_name("mimetype").ok();
        part.is_some_and(|p| p.take(200).read_to_string(&mut text).is_ok() && text.trim() == wanted)
    }

    /// Opens a part; `None` when there is none of that name.
    pub(super) fn part(&mut self, name: &str) -> Result<Option<Xml<'_>>, FileFault> {
        let Some(name) = self.find(name) else { return Ok(None) };
        let part = match self.0.by_name(&name) {
            Ok(part) => part,
            Err(ZipError::InvalidPassword) => return Err(FileFault::Locked),
            Err(error) => return Err(damaged(&error)),
        };
        if part.encrypted() {
            return Err(FileFault::Locked);
        }
        let left = part.compressed_size().saturating_mul(GROWTH_MAX).clamp(PART_BYTES_FREE, PART_BYTES_MAX);
        let input = BufReader::with_capacity(64 * 1024, Guarded { input: part, left, run: 0 });
        let mut reader = quick_xml::Reader::from_reader(input);
        reader.config_mut().expand_empty_elements = true;
        reader.config_mut().check_end_names = false;
        Ok(Some(Xml { reader, buffer: Vec::new(), depth: 0 }))
    }

    /// Opens a part that must be there.
    pub(super) fn needed(&mut self, name: &str) -> Result<Xml<'_>, FileFault> {
        self.part(name)?.ok_or_else(|| FileFault::Damaged(format!("{name} is missing")))
    }
}

impl Xml<'_> {
    /// What comes next. An empty element comes as a start and an end.
    pub(super) fn next(&mut self) -> Result<Event<'_>, FileFault> {
        self.buffer.clear();
        let event = self.reader.read_event_into(&mut self.buffer).map_err(|error| match error {
            quick_xml::Error::Io(error) if error.kind() == io::ErrorKind::FileTooLarge => FileFault::TooBigInside,
            other => damaged(&other),
        })?;
        match event {
            Event::Start(_) => self.depth += 1,
            Event::End(_) => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        if self.depth > DEPTH_MAX { Err(FileFault::TooBigInside) } else { Ok(event) }
    }

    /// Passes over the rest of the element whose start came last.
    pub(super) fn skip(&mut self) -> Result<(), FileFault> {
        let above = self.depth.saturating_sub(1);
        while self.depth > above {
            if matches!(self.next()?, Event::Eof) {
                return Err(FileFault::Damaged("it ends too early".to_owned()));
            }
        }
        Ok(())
    }
}

/// An attribute's value, whatever the prefix of its name.
pub(super) fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut attributes = element.attributes();
    attributes.with_checks(false);
    let found = attributes.flatten().find(|a| a.key.local_name().as_ref() == name)?;
    found.normalized_value(XmlVersion::Implicit1_0).ok().map(Cow::into_owned)
}

/// The text of an event that is one.
pub(super) fn text(event: &Event<'_>) -> Option<String> {
    match event {
        Event::Text(text) => Some(text.xml10_content().into_owned()),
        Event::CData(text) => Some(text.xml10_content().into_owned()),
        Event::GeneralRef(reference) => match reference.resolve_char_ref() {
            Ok(Some(c)) => Some(c.to_string()),
            _ => Some(named_entity(reference).to_owned()),
        },
        _ => None,
    }
}

/// The characters that XML itself has names for. Others are not made up.
fn named_entity(name: &str) -> &'static str {
    match name {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        _ => "\u{fffd}",
    }
}

fn damaged(error: &dyn std::error::Error) -> FileFault {
    FileFault::Damaged(crate::model::printable(&error.to_string(), 120))
}
