//! The cells of a sheet of an `OpenDocument` spreadsheet (.ods), in the order in which they stand. Each is written down
//! with the text that it shows, and that is what is read. This file must not know what the cells mean.

use std::collections::HashSet;

use quick_xml::events::{BytesStart, Event};

use super::archive::{Archive, Xml, attribute, text};
use super::sheet::{CellText, Choice, Sink, choose};
use crate::contacts::error::FileFault;
use crate::contacts::records::COLUMNS_MAX;

const TYPE: &str = "application/vnd.oasis.opendocument.spreadsheet";

/// Whether the archive is such a spreadsheet.
pub(super) fn is_one(archive: &mut Archive) -> bool {
    archive.is_of_type(TYPE) || archive.is_of_type("application/vnd.oasis.opendocument.spreadsheet-template")
}

/// Reads the sheet that is wanted, or the first likely one.
pub(super) fn read(archive: &mut Archive, wanted: Option<&str>, sink: &mut Sink) -> Result<(), FileFault> {
    refuse_locked(archive)?;
    let sheets = read_sheets(archive)?;
    let likely = |s: Sheet| Choice { name: s.name, is_likely: s.is_shown && s.has_data };
    let choices: Vec<Choice> = sheets.into_iter().map(likely).collect();
    let (chosen, among) = choose(&choices, wanted)?;
    sink.facts.chosen_among = among;
    let mut xml = archive.needed("content.xml")?;
    let mut tables = 0;
    loop {
        match xml.next()? {
            Event::Start(e) if e.local_name().as_ref() == "table" => {
                if tables == chosen {
                    return read_rows(&mut xml, sink);
                }
                tables += 1;
                xml.skip()?;
            }
            Event::Eof => return Err(FileFault::NoSheet),
            _ => {}
        }
    }
}

struct Sheet {
    name: String,
    is_shown: bool,
    has_data: bool,
}

fn refuse_locked(archive: &mut Archive) -> Result<(), FileFault> {
    let Some(mut xml) = archive.part("META-INF/manifest.xml")? else { return Ok(()) };
    loop {
        match xml.next()? {
            Event::Start(e) if e.local_name().as_ref() == "encryption-data" => return Err(FileFault::Locked),
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

fn read_sheets(archive: &mut Archive) -> Result<Vec<Sheet>, FileFault> {
    let mut xml = archive.needed("content.xml")?;
    let (mut sheets, mut hidden, mut style) = (Vec::<Sheet>::new(), HashSet::new(), String::new());
    loop {
        match xml.next()? {
            Event::Start(e) => match e.local_name().as_ref() {
                "style" => style = attribute(&e, "name").unwrap_or_default(),
                "table-properties" if attribute(&e, "display").as_deref() == Some("false") => {
                    hidden.insert(style.clone());
                }
                "table" => {
                    let is_shown = attribute(&e, "style-name").is_none_or(|s| !hidden.contains(&s));
                    sheets.push(Sheet { name: attribute(&e, "name").unwrap_or_default(), is_shown, has_data: false });
                }
                "p" | "table-cell" if shows_something(&e) => {
                    sheets.iter_mut().last().into_iter().for_each(|sheet| sheet.has_data = true);
                }
                _ => {}
            },
            Event::Eof => return Ok(sheets),
            _ => {}
        }
    }
}

/// Whether a paragraph or a cell is a sign that a sheet has data.
fn shows_something(element: &BytesStart<'_>) -> bool {
    element.local_name().as_ref() == "p" || attribute(element, "value-type").is_some()
}

/// A cell that shows something, as often as it stands side by side.
struct Cell {
    column: usize,
    times: usize,
    text: String,
    is_as_shown: bool,
}

fn read_rows(xml: &mut Xml<'_>, sink: &mut Sink) -> Result<(), FileFault> {
    let mut row: u32 = 0;
    loop {
        match xml.next()? {
            Event::Start(e) if e.local_name().as_ref() == "table-row" => {
                let times = repeated(&e, "number-rows-repeated");
                let is_hidden = attribute(&e, "visibility").is_some_and(|v| v != "visible");
                let cells = read_cells(xml)?;
                if !cells.is_empty() {
                    for n in 0..times {
                        sink.start_row(row.saturating_add(n), is_hidden)?;
                        put_all(&cells, sink);
                    }
                }
                row = row.saturating_add(times);
            }
            Event::End(e) if e.local_name().as_ref() == "table" => return sink.end_row(),
            Event::Eof => return Err(FileFault::Damaged("it ends too early".to_owned())),
            _ => {}
        }
    }
}

fn put_all(cells: &[Cell], sink: &mut Sink) {
    for cell in cells {
        for n in 0..cell.times.min(COLUMNS_MAX + 1) {
            sink.put(cell.column.saturating_add(n), &cell.text, cell.is_as_shown);
        }
    }
}

fn read_cells(xml: &mut Xml<'_>) -> Result<Vec<Cell>, FileFault> {
    let (mut cells, mut column) = (Vec::new(), 0_usize);
    loop {
        let event = xml.next()?;
        match &event {
            Event::Start(e) if e.local_name().as_ref() == "table-cell" => {
                let times = repeated(e, "number-columns-repeated") as usize;
                let value = ["value", "date-value", "time-value", "string-value", "boolean-value"];
                let value = value.into_iter().find_map(|name| attribute(e, name)).unwrap_or_default();
                let text = read_text(xml)?;
                // Some programs write the value without the text that it shows.
                let is_as_shown = !text.is_empty() || value.is_empty();
                let text = if is_as_shown { text } else { value.trim_end_matches("T00:00:00").to_owned() };
                // More than the limit are told with the first that is over it.
                if !text.is_empty() && cells.len() <= COLUMNS_MAX {
                    cells.push(Cell { column, times, text, is_as_shown });
                }
                column = column.saturating_add(times);
            }
            Event::Start(e) if e.local_name().as_ref() == "covered-table-cell" => {
                // It lies under its neighbour and is not seen.
                column = column.saturating_add(repeated(e, "number-columns-repeated") as usize);
                xml.skip()?;
            }
            Event::End(e) if e.local_name().as_ref() == "table-row" => return Ok(cells),
            Event::Eof => return Err(FileFault::Damaged("it ends too early".to_owned())),
            _ => {}
        }
    }
}

/// The text that a cell shows: its paragraphs, without notes and drawings.
fn read_text(xml: &mut Xml<'_>) -> Result<String, FileFault> {
    let (mut found, mut paragraphs, mut is_text) = (CellText::default(), 0, false);
    loop {
        let event = xml.next()?;
        match &event {
            Event::Start(e) => match e.local_name().as_ref() {
                "annotation" | "shapes" | "frame" | "custom-shape" | "g" | "ruby-text" => xml.skip()?,
                "p" => {
                    if paragraphs > 0 {
                        found.push("\n");
                    }
                    paragraphs += 1;
                    is_text = true;
                }
                "s" => (0..repeated(e, "c").min(1_000)).for_each(|_| found.push(" ")),
                "tab" => found.push("\t"),
                "line-break" => found.push("\n"),
                _ => {}
            },
            Event::End(e) if e.local_name().as_ref() == "p" => is_text = false,
            Event::End(e) if e.local_name().as_ref() == "table-cell" => return Ok(found.0),
            Event::Eof => return Err(FileFault::Damaged("it ends too early".to_owned())),
            other if is_text => found.push(&text(other).unwrap_or_default()),
            _ => {}
        }
    }
}

fn repeated(element: &BytesStart<'_>, name: &str) -> u32 {
    attribute(element, name).and_then(|n| n.parse().ok()).unwrap_or(1).max(1)
}
