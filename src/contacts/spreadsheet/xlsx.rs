//! The cells of a sheet of an Excel workbook (.xlsx, Office Open XML), in the order in which they stand.
//! This file must not know what the cells mean.

use std::collections::HashMap;

use quick_xml::events::{BytesStart, Event};

use super::archive::{Archive, Xml, attribute, text};
use super::number_format::{NumberFormat, plain};
use super::shared_strings::{Strings, StringsWriter};
use super::sheet::{CellText, Choice, Sink, choose};
use crate::contacts::error::FileFault;

/// Reads the sheet that is wanted, or the first likely one.
pub(super) fn read(archive: &mut Archive, wanted: Option<&str>, sink: &mut Sink) -> Result<(), FileFault> {
    let book_path = office_document(archive)?;
    let book = read_book(archive, &book_path)?;
    let links = read_links(archive, &book_path)?;
    let is_worksheet = |id: &str| links.get(id).filter(|link| link.kind.ends_with("/worksheet"));
    let sheets: Vec<(&Sheet, &Link)> = book.sheets.iter().filter_map(|s| Some((s, is_worksheet(&s.link)?))).collect();
    let mut choices = Vec::new();
    for (sheet, link) in &sheets {
        let is_likely = sheet.is_shown && has_data(archive, &link.target)?;
        choices.push(Choice { name: sheet.name.clone(), is_likely });
    }
    let (chosen, among) = choose(&choices, wanted)?;
    sink.facts.chosen_among = among;
    let of_kind = |kind: &str| links.values().find(|l| l.kind.ends_with(kind)).map(|l| l.target.clone());
    let formats = match of_kind("/styles") {
        Some(path) => read_formats(archive, &path)?,
        None => Vec::new(),
    };
    let strings = match of_kind("/sharedStrings") {
        Some(path) => read_strings(archive, &path)?,
        None => StringsWriter::default().finish()?,
    };
    let xml = archive.needed(&sheets[chosen].1.target)?;
    Cells { xml, formats, strings, is_1904: book.is_1904 }.read(sink)
}

struct Book {
    sheets: Vec<Sheet>,
    is_1904: bool,
}

struct Sheet {
    name: String,
    is_shown: bool,
    link: String,
}

struct Link {
    target: String,
    kind: String,
}

/// Where the workbook itself is.
fn office_document(archive: &mut Archive) -> Result<String, FileFault> {
    let links = read_links(archive, "")?;
    let found = links.into_values().find(|link| link.kind.ends_with("/officeDocument")).map(|link| link.target);
    Ok(found.unwrap_or_else(|| "xl/workbook.xml".to_owned()))
}

fn read_book(archive: &mut Archive, path: &str) -> Result<Book, FileFault> {
    let mut xml = archive.needed(path)?;
    let mut book = Book { sheets: Vec::new(), is_1904: false };
    loop {
        match xml.next()? {
            Event::Start(e) if e.local_name().as_ref() == "workbookPr" => {
                book.is_1904 = attribute(&e, "date1904").is_some_and(|v| is_true(&v));
            }
            Event::Start(e) if e.local_name().as_ref() == "sheet" => {
                let is_shown = attribute(&e, "state").is_none_or(|state| state == "visible");
                let (name, link) = (attribute(&e, "name"), attribute(&e, "id"));
                let sheet = name.zip(link).map(|(name, link)| Sheet { name, is_shown, link });
                book.sheets.extend(sheet);
            }
            Event::Eof => return Ok(book),
            _ => {}
        }
    }
}

/// What a part links to, by the names that it uses.
fn read_links(archive: &mut Archive, of: &str) -> Result<HashMap<String, Link>, FileFault> {
    let (folder, file) = of.rsplit_once('/').map_or(("", of), |(folder, file)| (folder, file));
    let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let mut links = HashMap::new();
    let Some(mut xml) = archive.part(&format!("{prefix}_rels/{file}.rels"))? else { return Ok(links) };
    loop {
        match xml.next()? {
            Event::Start(e) if e.local_name().as_ref() == "Relationship" => {
                let target = attribute(&e, "Target").map(|t| resolved(folder, &t));
                if let (Some(id), Some(kind), Some(target)) = (attribute(&e, "Id"), attribute(&e, "Type"), target) {
                    links.insert(id, Link { target, kind });
                }
            }
            Event::Eof => return Ok(links),
            _ => {}
        }
    }
}

/// A target as the name of a part.
fn resolved(folder: &str, target: &str) -> String {
    let target = target.replace('\\', "/");
    let start = if target.starts_with('/') { "" } else { folder };
    let mut steps: Vec<&str> = start.split('/').collect();
    for step in target.split('/') {
        match step {
            "" | "." => {}
            ".." => drop(steps.pop()),
            step => steps.push(step),
        }
    }
    steps.into_iter().filter(|s| !s.is_empty()).collect::<Vec<_>>().join("/")
}

/// The format of every style, by the style's number.
fn read_formats(archive: &mut Archive, path: &str) -> Result<Vec<NumberFormat>, FileFault> {
    let Some(mut xml) = archive.part(path)? else { return Ok(Vec::new()) };
    let (mut own, mut styles, mut is_in_styles) = (HashMap::new(), Vec::new(), false);
    loop {
        let event = xml.next()?;
        let (start, is_start) = match &event {
            Event::Start(e) => (e.local_name(), Some(e)),
            Event::End(e) => (e.local_name(), None),
            Event::Eof => return Ok(styles),
            _ => continue,
        };
        match (start.as_ref(), is_start) {
            ("cellXfs", element) => is_in_styles = element.is_some(),
            ("numFmt", Some(e)) => {
                let code = attribute(e, "formatCode").map(|code| NumberFormat::parse(&code));
                own.extend(number(e, "numFmtId").zip(code));
            }
            ("xf", Some(e)) if is_in_styles => {
                let id = number(e, "numFmtId").unwrap_or_default();
                styles.push(own.get(&id).cloned().unwrap_or_else(|| NumberFormat::built_in(id)));
            }
            _ => {}
        }
    }
}

fn read_strings(archive: &mut Archive, path: &str) -> Result<Strings, FileFault> {
    let mut writer = StringsWriter::default();
    let Some(mut xml) = archive.part(path)? else { return writer.finish() };
    loop {
        match xml.next()? {
            Event::Start(e) if e.local_name().as_ref() == "si" => {
                let text = read_text(&mut xml, "si")?;
                writer.push(&text)?;
            }
            Event::Eof => return writer.finish(),
            _ => {}
        }
    }
}

/// The text of a string, put together from its runs; how it is pronounced is no part of it.
fn read_text(xml: &mut Xml<'_>, end: &str) -> Result<String, FileFault> {
    let (mut found, mut is_text) = (CellText::default(), false);
    loop {
        let event = xml.next()?;
        match &event {
            Event::Start(e) if matches!(e.local_name().as_ref(), "rPh" | "phoneticPr") => xml.skip()?,
            Event::Start(e) if e.local_name().as_ref() == "t" => is_text = true,
            Event::End(e) if e.local_name().as_ref() == "t" => is_text = false,
            Event::End(e) if e.local_name().as_ref() == end => return Ok(unescaped(found.0)),
            Event::Eof => return Err(too_early()),
            other if is_text => found.push(&text(other).unwrap_or_default()),
            _ => {}
        }
    }
}

/// Whether a sheet has a cell with something in it.
fn has_data(archive: &mut Archive, path: &str) -> Result<bool, FileFault> {
    let Some(mut xml) = archive.part(path)? else { return Ok(false) };
    loop {
        match xml.next()? {
            Event::Start(e) if matches!(e.local_name().as_ref(), "v" | "is") => return Ok(true),
            Event::Eof => return Ok(false),
            _ => {}
        }
    }
}

/// The cells of one sheet.
struct Cells<'a> {
    xml: Xml<'a>,
    formats: Vec<NumberFormat>,
    strings: Strings,
    is_1904: bool,
}

/// What a cell says of itself.
#[derive(Default)]
struct Cell {
    column: usize,
    style: usize,
    kind: String,
}

impl Cells<'_> {
    fn read(&mut self, sink: &mut Sink) -> Result<(), FileFault> {
        let (mut next_row, mut column) = (0, 0);
        loop {
            match self.xml.next()? {
                Event::Start(e) if e.local_name().as_ref() == "row" => {
                    let row = number(&e, "r").map_or(next_row, |r| r.saturating_sub(1));
                    let is_hidden = attribute(&e, "hidden").is_some_and(|v| is_true(&v));
                    sink.start_row(row, is_hidden)?;
                    (next_row, column) = (row.saturating_add(1), 0);
                }
                Event::Start(e) if e.local_name().as_ref() == "c" => {
                    let cell = Cell {
                        column: attribute(&e, "r").and_then(|r| column_of(&r)).unwrap_or(column),
                        style: number(&e, "s").unwrap_or_default() as usize,
                        kind: attribute(&e, "t").unwrap_or_default(),
                    };
                    column = cell.column + 1;
                    self.cell(&cell, sink)?;
                }
                Event::End(e) if e.local_name().as_ref() == "sheetData" => return sink.end_row(),
                Event::Eof => return Err(too_early()),
                _ => {}
            }
        }
    }

    fn cell(&mut self, cell: &Cell, sink: &mut Sink) -> Result<(), FileFault> {
        let (mut value, mut is_value) = (CellText::default(), false);
        loop {
            let event = self.xml.next()?;
            match &event {
                Event::Start(e) if e.local_name().as_ref() == "is" => {
                    let text = read_text(&mut self.xml, "is")?;
                    sink.put(cell.column, &text, true);
                }
                Event::Start(e) if e.local_name().as_ref() == "v" => is_value = true,
                Event::End(e) if e.local_name().as_ref() == "v" => is_value = false,
                Event::End(e) if e.local_name().as_ref() == "c" => break,
                Event::Eof => return Err(too_early()),
                other if is_value => value.push(&text(other).unwrap_or_default()),
                _ => {}
            }
        }
        if cell.kind != "inlineStr" && !value.0.is_empty() {
            self.value(cell, value.0, sink)?;
        }
        Ok(())
    }

    fn value(&mut self, cell: &Cell, value: String, sink: &mut Sink) -> Result<(), FileFault> {
        match cell.kind.as_str() {
            "s" => {
                let text = match value.trim().parse() {
                    Ok(number) => self.strings.get(number)?,
                    Err(_) => None,
                };
                let lost = || FileFault::Damaged("a cell names a text that is not there".to_owned());
                sink.put(cell.column, text.ok_or_else(lost)?, true);
            }
            "b" => sink.put(cell.column, if is_true(value.trim()) { "TRUE" } else { "FALSE" }, true),
            "str" => sink.put(cell.column, &unescaped(value), true),
            "d" => sink.put(cell.column, value.trim().trim_end_matches("T00:00:00"), false),
            "e" => sink.put(cell.column, value.trim(), true),
            _ => match value.trim().parse::<f64>() {
                Ok(number) if number.is_finite() => {
                    let format = self.formats.get(cell.style);
                    let (text, is_as_shown) =
                        format.map_or_else(|| (plain(number), true), |f| f.show(number, self.is_1904));
                    sink.put(cell.column, &text, is_as_shown);
                }
                _ => sink.put(cell.column, value.trim(), false),
            },
        }
        Ok(())
    }
}

/// `_x000D_` and the like, as workbooks write characters that XML cannot hold.
fn unescaped(text: String) -> String {
    if !text.contains("_x") {
        return text;
    }
    let mut found = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find("_x") {
        found.push_str(&rest[..at]);
        rest = &rest[at..];
        let code = rest.get(2..6).filter(|_| rest.as_bytes().get(6) == Some(&b'_'));
        let character = code.and_then(|c| u32::from_str_radix(c, 16).ok()).and_then(char::from_u32);
        found.push_str(&character.map_or_else(|| rest[..2].to_owned(), String::from));
        rest = &rest[if character.is_some() { 7 } else { 2 }..];
    }
    found.push_str(rest);
    found
}

/// The column of `AB12`, from 0.
fn column_of(reference: &str) -> Option<usize> {
    let letters = reference.bytes().take_while(u8::is_ascii_alphabetic);
    let column = letters.take(4).fold(0, |n, b| n * 26 + usize::from(b.to_ascii_uppercase() - b'A') + 1);
    column.checked_sub(1)
}

fn number(element: &BytesStart<'_>, name: &str) -> Option<u32> {
    attribute(element, name)?.trim().parse().ok()
}

fn is_true(value: &str) -> bool {
    value == "1" || value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("on")
}

fn too_early() -> FileFault {
    FileFault::Damaged("it ends too early".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_cells_characters_and_parts_are_understood() {
        for (reference, column) in
            [("A1", Some(0)), ("Z9", Some(25)), ("AA1", Some(26)), ("xfd1", Some(16_383)), ("1", None)]
        {
            assert_eq!(column_of(reference), column, "{reference}");
        }
        for (text, expected) in [
            ("a_x000D_b", "a\rb"),
            ("_x005F_x000D_", "_x000D_"),
            ("a_xyz", "a_xyz"),
            ("_x00é_", "_x00é_"),
            ("_xD800_", "_xD800_"),
        ] {
            assert_eq!(unescaped(text.to_owned()), expected);
        }
        for (target, expected) in [
            ("worksheets/sheet1.xml", "xl/worksheets/sheet1.xml"),
            ("/xl/a.xml", "xl/a.xml"),
            ("../b.xml", "b.xml"),
            ("a\\b.xml", "xl/a/b.xml"),
        ] {
            assert_eq!(resolved("xl", target), expected);
        }
    }
}
