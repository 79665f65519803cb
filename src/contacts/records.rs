//! Bytes → records of cells (RFC 4180), each with the line it starts on.
//!
//! The csv library reads any bytes as some table: it joins text to a closed quote, swallows the rest of a file
//! into an open one, counts only LF as a line and holds records of any size. Here each of these is a flaw that
//! is reported, in bounded memory. What the two read from a sound file is the same (a test holds it to that).
//! This file must not judge what a cell means.

use std::io::{self, BufRead};

use super::safe_csv::armed;

/// The most columns a file may have.
pub(super) const COLUMNS_MAX: usize = 200;
/// The longest cell, in bytes.
pub(super) const CELL_BYTES_MAX: usize = 64 * 1024;
/// The longest record, in bytes.
pub(super) const RECORD_BYTES_MAX: usize = 1024 * 1024;

/// What is wrong with the form of one record. The cells of a flawed record are cut at the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    TextAfterQuote,
    CellTooLong,
    RecordTooLong,
    TooManyColumns,
}

/// Why reading cannot go on.
#[derive(Debug)]
pub(super) enum Broken {
    Input(io::Error),
    UnterminatedQuote { line: u64 },
}

/// One record. Made once and filled again for every row, so that a row costs no allocation.
#[derive(Default)]
pub(super) struct Record {
    text: Vec<u8>, // the cells, with one delimiter between them, so that no cut falls inside a character
    spans: Vec<(usize, usize)>,
    bytes_seen: usize,
    cell_is_full: bool,
    /// Whether a line ends inside a cell.
    pub(super) has_breaks: bool,
    pub(super) line: u64,
    pub(super) flaws: Vec<Flaw>,
}

/// The cells of a record that is known to be UTF-8.
#[derive(Clone, Copy)]
pub(super) struct Cells<'a> {
    text: &'a str,
    spans: &'a [(usize, usize)],
    /// Whether we wrote them, with an apostrophe before what looks like a formula.
    are_disarmed: bool,
}

/// The bytes of one cell are not UTF-8.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotUtf8 {
    pub(super) cell: usize,
    pub(super) byte: u8,
}

impl Record {
    fn clear(&mut self, line: u64) {
        *self = Self {
            text: std::mem::take(&mut self.text),
            spans: std::mem::take(&mut self.spans),
            flaws: std::mem::take(&mut self.flaws),
            bytes_seen: 0,
            cell_is_full: false,
            has_breaks: false,
            line,
        };
        self.text.clear();
        self.spans.clear();
        self.flaws.clear();
    }

    fn flaw(&mut self, flaw: Flaw) {
        if !self.flaws.contains(&flaw) {
            self.flaws.push(flaw);
        }
    }

    fn cell_start(&self) -> usize {
        self.spans.last().map_or(0, |&(_, end)| end + 1)
    }

    fn push(&mut self, bytes: &[u8]) {
        self.bytes_seen = self.bytes_seen.saturating_add(bytes.len());
        if self.bytes_seen > RECORD_BYTES_MAX {
            self.flaw(Flaw::RecordTooLong);
        }
        if self.cell_is_full || self.spans.len() >= COLUMNS_MAX {
            return;
        }
        let start = self.cell_start();
        let room_in_cell = CELL_BYTES_MAX + start - self.text.len();
        let room = room_in_cell.min(RECORD_BYTES_MAX.saturating_sub(self.text.len()));
        self.text.extend_from_slice(&bytes[..room.min(bytes.len())]);
        if bytes.len() > room_in_cell {
            self.flaw(Flaw::CellTooLong);
        }
        if bytes.len() > room {
            self.cell_is_full = true;
            // The cut may have fallen inside a character, which is no sign of another encoding.
            let cut = std::str::from_utf8(&self.text[start..]).err().filter(|e| e.error_len().is_none());
            if let Some(cut) = cut {
                self.text.truncate(start + cut.valid_up_to());
            }
        }
    }

    fn end_cell(&mut self, delimiter: u8) {
        if self.spans.len() >= COLUMNS_MAX {
            self.flaw(Flaw::TooManyColumns);
            return;
        }
        let end = self.text.len();
        self.spans.push((self.cell_start(), end));
        self.text.push(delimiter);
        self.bytes_seen = self.bytes_seen.saturating_add(1);
        self.cell_is_full = false;
    }

    /// The cells as text.
    pub(super) fn cells(&self) -> Result<Cells<'_>, NotUtf8> {
        match std::str::from_utf8(&self.text) {
            Ok(text) => Ok(Cells { text, spans: &self.spans, are_disarmed: false }),
            Err(error) => {
                let at = error.valid_up_to();
                let cell = self.spans.iter().position(|&(_, end)| at <= end).unwrap_or_default();
                Err(NotUtf8 { cell, byte: self.text.get(at).copied().unwrap_or_default() })
            }
        }
    }
}

impl<'a> Cells<'a> {
    /// How many.
    pub(super) fn len(self) -> usize {
        self.spans.len()
    }

    /// The cell of that number, from 0; empty where there is none.
    pub(super) fn get(self, index: usize) -> &'a str {
        let cell = self.spans.get(index).and_then(|&(start, end)| self.text.get(start..end)).unwrap_or_default();
        if self.are_disarmed { armed(cell) } else { cell }
    }

    /// The cells as they were before we wrote them behind so many columns of ours; the same when there is none.
    pub(super) fn given_back(self, columns_of_ours: usize) -> Self {
        let spans = self.spans.get(columns_of_ours..).unwrap_or_default();
        Self { spans, are_disarmed: columns_of_ours > 0, ..self }
    }

    /// All of them.
    pub(super) fn iter(self) -> impl Iterator<Item = &'a str> {
        (0..self.len()).map(move |i| self.get(i))
    }

    /// Whether nothing but white space is in any of them.
    pub(super) fn is_blank(self) -> bool {
        self.iter().all(|c| c.trim().is_empty())
    }

    /// Copies of all of them, as written.
    pub(super) fn to_vec(self) -> Vec<String> {
        self.iter().map(str::to_owned).collect()
    }
}

#[derive(Clone, Copy)]
enum State {
    Start,
    Plain,
    Quoted { opened: u64 },
    Closed { opened: u64 },
}

/// Cuts a stream of bytes into records.
pub(super) struct Records<R> {
    input: R,
    delimiter: u8,
    line: u64,
    after_cr: bool,
    taken: usize,
    /// Whether a line break inside a cell starts a new line.
    counts_breaks_in_cells: bool,
    state: State,
}

impl<R: BufRead> Records<R> {
    /// Starts at `line` of the input.
    pub(super) fn new(input: R, delimiter: u8, line: u64) -> Self {
        Self { input, delimiter, line, after_cr: false, taken: 0, counts_breaks_in_cells: true, state: State::Start }
    }

    /// Counts records in place of lines, as the rows of a spreadsheet are counted.
    pub(super) fn counting_rows(mut self) -> Self {
        self.counts_breaks_in_cells = false;
        self
    }

    /// What separates cells.
    pub(super) fn delimiter(&self) -> u8 {
        self.delimiter
    }

    /// How many bytes of the input were read.
    pub(super) fn taken(&self) -> usize {
        self.taken
    }

    /// The input, for what there is to say about it at the end.
    pub(super) fn input(&self) -> &R {
        &self.input
    }

    /// Fills `record` with the next one; false at the end of the input.
    pub(super) fn read(&mut self, record: &mut Record) -> Result<bool, Broken> {
        record.clear(self.line);
        self.state = State::Start;
        loop {
            let chunk = match self.input.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Broken::Input(error)),
            };
            if chunk.is_empty() {
                return self.end_of_input(record);
            }
            let delimiter = self.delimiter;
            let special = |&b: &u8| b == delimiter || matches!(b, b'"' | b'\r' | b'\n');
            let run = chunk.iter().position(special).unwrap_or(chunk.len());
            if run > 0 {
                let state = after_text(self.state, self.line, record)?;
                record.push(&chunk[..run]);
                self.state = state;
                self.after_cr = false;
                self.input.consume(run);
                self.taken += run;
            } else {
                let byte = chunk[0];
                self.input.consume(1);
                self.taken += 1;
                if self.take_special(byte, record) {
                    return Ok(true);
                }
            }
        }
    }

    /// Takes a delimiter, a quote or a line end; true when it ends the record.
    fn take_special(&mut self, byte: u8, record: &mut Record) -> bool {
        let second_half = std::mem::replace(&mut self.after_cr, byte == b'\r') && byte == b'\n';
        let is_line_end = matches!(byte, b'\r' | b'\n');
        let counts = self.counts_breaks_in_cells || !matches!(self.state, State::Quoted { .. });
        self.line += u64::from(is_line_end && !second_half && counts);
        match self.state {
            State::Quoted { opened } if byte == b'"' => self.state = State::Closed { opened },
            State::Quoted { .. } => {
                record.has_breaks |= is_line_end;
                record.push(&[byte]);
            }
            State::Closed { opened } if byte == b'"' => {
                record.push(b"\"");
                self.state = State::Quoted { opened };
            }
            State::Start if byte == b'"' => self.state = State::Quoted { opened: self.line },
            State::Plain if byte == b'"' => record.push(b"\""),
            State::Start if second_half && record.bytes_seen == 0 => record.line = self.line,
            _ => {
                record.end_cell(self.delimiter);
                self.state = State::Start;
                return is_line_end;
            }
        }
        false
    }

    fn end_of_input(&mut self, record: &mut Record) -> Result<bool, Broken> {
        match self.state {
            State::Quoted { opened } => Err(Broken::UnterminatedQuote { line: opened }),
            State::Start if record.spans.is_empty() => Ok(false),
            _ => {
                record.end_cell(self.delimiter);
                Ok(true)
            }
        }
    }
}

/// The state once ordinary text has come.
fn after_text(state: State, line: u64, record: &mut Record) -> Result<State, Broken> {
    match state {
        State::Start | State::Plain => Ok(State::Plain),
        State::Quoted { .. } => Ok(state),
        // A quote that seems to close in the middle of a text, lines below, opened another cell: the first one
        // was never closed.
        State::Closed { opened } if opened < line => Err(Broken::UnterminatedQuote { line: opened }),
        State::Closed { .. } => {
            record.flaw(Flaw::TextAfterQuote);
            Ok(State::Plain)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Row = (u64, Vec<String>, Vec<Flaw>);

    fn read_all(input: &[u8]) -> Result<Vec<Row>, u64> {
        let mut records = Records::new(io::BufReader::with_capacity(3, input), b',', 1);
        let (mut record, mut rows) = (Record::default(), Vec::new());
        loop {
            match records.read(&mut record) {
                Ok(true) => rows.push((record.line, record.cells().unwrap().to_vec(), record.flaws.clone())),
                Ok(false) => return Ok(rows),
                Err(Broken::UnterminatedQuote { line }) => return Err(line),
                Err(Broken::Input(e)) => panic!("{e}"),
            }
        }
    }

    fn table(input: &str) -> Vec<(u64, Vec<String>)> {
        read_all(input.as_bytes()).unwrap().into_iter().map(|(line, cells, _)| (line, cells)).collect()
    }

    fn row(line: u64, cells: &[&str]) -> (u64, Vec<String>) {
        (line, cells.iter().map(|&c| c.to_owned()).collect())
    }

    #[test]
    fn every_line_end_ends_a_line_and_lines_are_counted() {
        for end in ["\n", "\r", "\r\n"] {
            let input = ["a,b", "\"1", "2\",x", "", "c,d"].join(end);
            let expected =
                vec![row(1, &["a", "b"]), row(2, &[&format!("1{end}2"), "x"]), row(4, &[""]), row(5, &["c", "d"])];
            assert_eq!(table(&input), expected, "{end:?}");
            assert_eq!(table(&(input + end)), expected, "{end:?} at the end");
        }
    }

    #[test]
    fn quotes_are_read_as_the_standard_says() {
        for (input, cell) in [
            ("\"a,b\"", "a,b"),
            ("\"a\"\"b\"", "a\"b"),
            ("\"\"", ""),
            ("Bob \"the\" Builder", "Bob \"the\" Builder"),
            ("\"\"\"\"", "\""),
        ] {
            assert_eq!(table(input), [row(1, &[cell])], "{input}");
        }
    }

    #[test]
    fn text_after_a_closing_quote_flaws_its_record_only() {
        let rows = read_all(b"\"a\"b,c\nd,e\n").unwrap();
        assert_eq!(rows[0].2, [Flaw::TextAfterQuote]);
        assert_eq!(rows[1], (2, vec!["d".into(), "e".into()], vec![]));
    }

    #[test]
    fn a_quote_that_is_not_closed_names_the_line_where_it_opened() {
        assert_eq!(read_all(b"a,b\nc,\"d\ne,f\n"), Err(2));
        assert_eq!(read_all(b"a\n\"b\nc,\"d\"\n"), Err(2), "the next quote seems to close it");
    }

    #[test]
    fn sizes_are_bounded_and_what_is_over_is_a_flaw() {
        let long = "é".repeat(CELL_BYTES_MAX);
        let rows = read_all(format!("x{long},b\nc,d\n").as_bytes()).unwrap();
        assert_eq!(rows[0].2, [Flaw::CellTooLong]);
        assert!(rows[0].1[0].len() <= CELL_BYTES_MAX);
        assert_eq!(rows[0].1[1], "b");
        let wide = ["x"; COLUMNS_MAX + 1].join(",");
        assert_eq!(read_all(wide.as_bytes()).unwrap()[0].2, [Flaw::TooManyColumns]);
        let heavy = ["x".repeat(60_000).as_str(); 20].join(",");
        assert_eq!(read_all(heavy.as_bytes()).unwrap()[0].2, [Flaw::RecordTooLong]);
    }

    #[test]
    fn bytes_of_another_encoding_are_found_in_their_cell() {
        let mut records = Records::new(&b"a,M\xfcller,b\n"[..], b',', 1);
        let mut record = Record::default();
        assert!(records.read(&mut record).unwrap());
        assert_eq!(record.cells().err(), Some(NotUtf8 { cell: 1, byte: 0xfc }));
        let mut split = Records::new(&b"\xc3,\xbc\n"[..], b',', 1);
        assert!(split.read(&mut record).unwrap());
        assert!(record.cells().is_err(), "halves of a character in two cells are no character");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_to_an_end(input in prop::collection::vec(
            prop_oneof![Just(b'"'), Just(b','), Just(b'\n'), Just(b'\r'), any::<u8>()], 0..200)) {
            let mut records = Records::new(&input[..], b',', 1);
            let mut record = Record::default();
            let mut n = 0;
            while let Ok(true) = records.read(&mut record) {
                n += 1;
                let _ = record.cells().map(Cells::to_vec);
                prop_assert!(n <= input.len());
            }
        }

        #[test]
        fn a_sound_file_is_read_as_the_csv_library_reads_it(
            rows in prop::collection::vec(prop::collection::vec("[a-zé\"', \r\n;\t]{0,8}", 2..4), 1..6)) {
            let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
            for row in &rows {
                writer.write_record(row).unwrap();
            }
            let read = read_all(&writer.into_inner().unwrap()).unwrap();
            prop_assert!(read.iter().all(|r| r.2.is_empty()));
            prop_assert_eq!(read.into_iter().map(|r| r.1).collect::<Vec<_>>(), rows);
        }
    }
}
