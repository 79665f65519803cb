//! A spreadsheet → the text of its cells as CSV, a record a row, in a file without a name that only this process has.
//!
//! The cells pass by once and are never all in memory; what comes of them is read as any other CSV is. This file must
//! not know how a workbook is written down, nor what its columns mean.

use std::fs::File;
use std::io::{BufWriter, Seek, Write};

use super::scratch;
use crate::contacts::error::FileFault;
use crate::contacts::problem::Sightings;
use crate::contacts::records::{CELL_BYTES_MAX, COLUMNS_MAX};
use crate::model::{fold, printable};

/// No sheet has more rows.
const ROWS_MAX: u32 = 1 << 24;
/// What the text of a sheet may not exceed.
const TEXT_BYTES_MAX: u64 = 4 * 1024 * 1024 * 1024;

/// The sheet that was read, and what there is to tell about it.
#[derive(Debug, Clone, Default)]
pub(in crate::contacts) struct SheetFacts {
    /// Its name, when others have data too.
    pub(in crate::contacts) chosen_among: Option<String>,
    /// Its hidden rows that have something in them.
    pub(in crate::contacts) hidden: Sightings,
    /// Cells that are not written as the sheet shows them, since that cannot be known.
    pub(in crate::contacts) plain: Sightings,
}

/// Takes the cells of one sheet, row by row.
pub(super) struct Sink {
    csv: BufWriter<File>,
    bytes: u64,
    /// The row that is being filled, from 0.
    row: u32,
    cells: Vec<String>,
    filled: usize,
    rows_written: u32,
    /// How many cells every record has at least: as many as the first.
    width: usize,
    is_hidden: bool,
    has_plain: bool,
    pub(super) facts: SheetFacts,
}

/// A sheet of a workbook, as far as that matters for choosing it.
pub(super) struct Choice {
    pub(super) name: String,
    /// Whether it is shown and has something in it.
    pub(super) is_likely: bool,
}

/// Which of these sheets to read: the one that is named, else the first likely one. Gives its name too, when there are
/// several likely ones.
pub(super) fn choose(sheets: &[Choice], wanted: Option<&str>) -> Result<(usize, Option<String>), FileFault> {
    let found = match wanted {
        Some(wanted) => sheets.iter().position(|s| fold(&s.name) == fold(wanted)),
        None => sheets.iter().position(|s| s.is_likely),
    };
    let at = found.ok_or_else(|| match wanted {
        Some(wanted) => {
            let names: Vec<String> = sheets.iter().map(|s| format!("“{}”", printable(&s.name, 60))).collect();
            FileFault::NoSuchSheet { wanted: printable(wanted, 60), names: names.join(", ") }
        }
        None => FileFault::NoSheet,
    })?;
    let has_others = sheets.iter().enumerate().any(|(i, s)| i != at && s.is_likely);
    Ok((at, has_others.then(|| sheets[at].name.clone())))
}

impl Sink {
    pub(super) fn new() -> Result<Self, FileFault> {
        let csv = BufWriter::with_capacity(64 * 1024, scratch::nameless_file()?);
        let (cells, facts) = (Vec::new(), SheetFacts::default());
        let (bytes, row, filled, rows_written, width) = (0, 0, 0, 0, 0);
        let (is_hidden, has_plain) = (false, false);
        Ok(Self { csv, bytes, row, cells, filled, rows_written, width, is_hidden, has_plain, facts })
    }

    /// Goes on to a row, counted from 0.
    pub(super) fn start_row(&mut self, row: u32, is_hidden: bool) -> Result<(), FileFault> {
        if row != self.row || is_hidden != self.is_hidden {
            self.end_row()?;
        }
        if row < self.rows_written || row >= ROWS_MAX {
            return Err(FileFault::Damaged("its rows are not in order".to_owned()));
        }
        (self.row, self.is_hidden) = (row, is_hidden);
        Ok(())
    }

    /// Puts a text into a cell of this row, counted from 0. `is_as_shown` is whether the sheet shows just this.
    pub(super) fn put(&mut self, column: usize, text: &str, is_as_shown: bool) {
        if text.is_empty() {
            return;
        }
        // One column over the limit is enough to be told that there are too many.
        let column = column.min(COLUMNS_MAX);
        while self.cells.len() <= column {
            self.cells.push(String::new());
        }
        text.clone_into(&mut self.cells[column]);
        self.filled = self.filled.max(column + 1);
        if !is_as_shown {
            self.has_plain = true;
        }
    }

    /// Writes the row that was filled, and an empty line for each row before it that has nothing.
    pub(super) fn end_row(&mut self) -> Result<(), FileFault> {
        if self.filled == 0 {
            return Ok(());
        }
        if self.is_hidden {
            self.facts.hidden.add(u64::from(self.row) + 1);
        }
        if std::mem::take(&mut self.has_plain) {
            self.facts.plain.add(u64::from(self.row) + 1);
        }
        for _ in self.rows_written..self.row {
            self.write(b"\n")?;
        }
        if self.width == 0 {
            self.width = self.filled;
        }
        let cells = std::mem::take(&mut self.cells);
        for i in 0..self.filled.max(self.width) {
            if i > 0 {
                self.write(b",")?;
            }
            self.write(quoted(cells.get(i).map_or("", String::as_str)).as_bytes())?;
        }
        self.cells = cells;
        self.cells.iter_mut().for_each(String::clear);
        self.write(b"\n")?;
        self.rows_written = self.row + 1;
        self.filled = 0;
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), FileFault> {
        self.bytes += bytes.len() as u64;
        if self.bytes > TEXT_BYTES_MAX {
            return Err(FileFault::TooBigInside);
        }
        self.csv.write_all(bytes).map_err(|e| scratch::no_room(&e))
    }

    /// The text as CSV, and what there is to tell about the sheet.
    pub(super) fn finish(mut self) -> Result<(File, SheetFacts), FileFault> {
        self.end_row()?;
        if self.rows_written == 0 {
            return Err(FileFault::NoCells);
        }
        let mut file = self.csv.into_inner().map_err(|e| scratch::no_room(e.error()))?;
        file.rewind()?;
        Ok((file, self.facts))
    }
}

/// A text that grows up to a little more than a cell may hold, so that a longer one is told and does not fill the memory.
#[derive(Default)]
pub(super) struct CellText(pub(super) String);

impl CellText {
    pub(super) fn push(&mut self, text: &str) {
        let room = (CELL_BYTES_MAX + 8).saturating_sub(self.0.len());
        let end = (0..=room.min(text.len())).rev().find(|&i| text.is_char_boundary(i)).unwrap_or_default();
        self.0.push_str(&text[..end]);
    }
}

/// The cell as RFC 4180 has it.
fn quoted(cell: &str) -> std::borrow::Cow<'_, str> {
    if cell.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", cell.replace('"', "\"\"")).into()
    } else {
        cell.into()
    }
}
