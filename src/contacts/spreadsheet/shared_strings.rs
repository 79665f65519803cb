//! The shared strings of a workbook, by their numbers. The first ones stay in memory, among them those that every row
//! repeats; the others go to a file without a name and are read back where they are needed, mostly in their order.

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};

use super::scratch::{nameless_file, no_room};
use crate::contacts::error::FileFault;

const IN_MEMORY_BYTES_MAX: usize = 16 * 1024 * 1024;
const WINDOW_BYTES: usize = 128 * 1024;

/// Strings in the making.
#[derive(Default)]
pub(super) struct StringsWriter {
    first: Vec<u8>,
    rest: Option<BufWriter<File>>,
    ends: Vec<u64>,
}

/// All strings.
pub(super) struct Strings {
    first: Vec<u8>,
    rest: Option<File>,
    ends: Vec<u64>,
    window: Vec<u8>,
    window_start: u64,
    found: Vec<u8>,
}

impl StringsWriter {
    pub(super) fn push(&mut self, text: &str) -> Result<(), FileFault> {
        let end = self.ends.last().copied().unwrap_or_default() + text.len() as u64;
        if self.rest.is_none() && self.first.len() + text.len() <= IN_MEMORY_BYTES_MAX {
            self.first.extend_from_slice(text.as_bytes());
        } else {
            let rest = match &mut self.rest {
                Some(rest) => rest,
                none => none.insert(BufWriter::with_capacity(WINDOW_BYTES, nameless_file()?)),
            };
            rest.write_all(text.as_bytes()).map_err(|e| no_room(&e))?;
        }
        self.ends.push(end);
        Ok(())
    }

    pub(super) fn finish(self) -> Result<Strings, FileFault> {
        let rest = self.rest.map(BufWriter::into_inner).transpose().map_err(|e| no_room(e.error()))?;
        let (window, found) = (Vec::new(), Vec::new());
        Ok(Strings { first: self.first, rest, ends: self.ends, window, window_start: 0, found })
    }
}

impl Strings {
    /// The string of that number.
    pub(super) fn get(&mut self, number: usize) -> Result<Option<&str>, FileFault> {
        let Some(&end) = self.ends.get(number) else { return Ok(None) };
        let start = number.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or_default();
        let kept = self.first.len() as u64;
        if start == end {
            return Ok(Some(""));
        }
        if end > kept {
            self.find(start - kept, end - kept).map_err(FileFault::from)?;
            return Ok(std::str::from_utf8(&self.found).ok());
        }
        let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
        Ok(range.and_then(|(start, end)| self.first.get(start..end)).and_then(|b| std::str::from_utf8(b).ok()))
    }

    /// Puts bytes of the file into `found`.
    fn find(&mut self, start: u64, end: u64) -> io::Result<()> {
        let Some(file) = &mut self.rest else { return Ok(()) };
        let wanted = usize::try_from(end - start).map_err(|_| io::ErrorKind::FileTooLarge)?;
        if start < self.window_start || end > self.window_start + self.window.len() as u64 {
            self.window.clear();
            file.seek(SeekFrom::Start(start))?;
            file.take(wanted.max(WINDOW_BYTES) as u64).read_to_end(&mut self.window)?;
            self.window_start = start;
        }
        let at = usize::try_from(start - self.window_start).unwrap_or(usize::MAX);
        self.found.clear();
        self.found.extend_from_slice(self.window.get(at..at + wanted).unwrap_or_default());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_found_in_memory_and_in_the_file() {
        let text = |i: usize| format!("{i}-{}", "ü".repeat(i % 2_000));
        let mut writer = StringsWriter::default();
        for i in 0..20_000 {
            writer.push(&text(i)).unwrap();
        }
        writer.push("").unwrap();
        assert!(writer.rest.is_some(), "there are more than stay in memory");
        let mut strings = writer.finish().unwrap();
        for i in (0..20_000).chain([19_999, 0, 12_345, 12_344]) {
            assert_eq!(strings.get(i).unwrap(), Some(text(i).as_str()));
        }
        assert_eq!(strings.get(20_000).unwrap(), Some(""));
        assert_eq!(strings.get(20_001).unwrap(), None);
    }
}
