//! Walks through the body of a Word file and collects its paragraphs. Deleted text, field codes and pictures are
//! left out, and what matters of that is told in the notes.

use std::collections::{BTreeMap, BTreeSet};

use super::blocks::join;
use super::numbering::Lists;
use super::paragraph::{Kind, Look, Paragraph};
use super::xml::{Element, Part, read as read_xml};
use crate::draft::DraftError;
use crate::draft::decode::is_invisible;

/// More text than a letter has; the rest is not collected.
const CHARS_MAX: usize = 256 * 1024;
/// Word nests fields in fields, a few deep.
const FIELDS_OPEN_MAX: usize = 32;
const BLANK: &str = "____";

pub(super) fn read(
    xml: &str,
    links: &BTreeMap<String, String>,
    lists: &Lists,
    notes: &mut Vec<String>,
) -> Result<String, DraftError> {
    let mut walk = Walk::new(links, lists);
    let is_whole = read_xml(xml, |part| match part {
        Part::Start(element) => walk.start(&element),
        Part::End(name) => walk.end(name),
        Part::Text(text) => walk.text(text),
    });
    if !is_whole {
        return Err(DraftError::Damaged("its text is damaged"));
    }
    if walk.chars > CHARS_MAX {
        return Err(DraftError::TooLong);
    }
    notes.extend(walk.told.iter().map(|note| (*note).to_owned()));
    Ok(join(&walk.done))
}

/// A field of Word's that is being read: `{ MERGEFIELD Name }`, `{ HYPERLINK "…" }`.
#[derive(Default)]
struct WordField {
    code: String,
    in_result: bool,
    /// The result is not the letter's text: a blank stands for it.
    is_blank: bool,
}

/// A content control: a place to fill in.
#[derive(Default)]
struct Control {
    name: String,
    is_placeholder: bool,
    placeholder: String,
    in_content: bool,
}

#[expect(clippy::struct_excessive_bools, reason = "each is an element of the file that is open or not")]
struct Walk<'a> {
    links: &'a BTreeMap<String, String>,
    lists: &'a Lists,
    done: Vec<Paragraph>,
    /// The open paragraphs: a text box stands inside of another.
    open: Vec<OpenParagraph>,
    look: Look,
    is_underlined: bool,
    is_hidden: bool,
    in_run: bool,
    in_tabs: bool,
    in_text: bool,
    in_code: bool,
    skip_depth: usize,
    hyperlinks: Vec<Option<String>>,
    fields: Vec<WordField>,
    controls: Vec<Control>,
    in_control_settings: bool,
    cells: Vec<Vec<Vec<Paragraph>>>,
    told: BTreeSet<&'static str>,
    chars: usize,
}

#[derive(Default)]
struct OpenParagraph {
    paragraph: Paragraph,
    list: String,
    level: usize,
    /// Its tabs draw lines to write on.
    has_leader: bool,
}

const SKIPPED: &[&str] = &["del", "moveFrom", "Fallback", "delText", "footnote", "endnote"];

impl<'a> Walk<'a> {
    fn new(links: &'a BTreeMap<String, String>, lists: &'a Lists) -> Self {
        Self {
            links,
            lists,
            done: Vec::new(),
            open: Vec::new(),
            look: Look::default(),
            is_underlined: false,
            is_hidden: false,
            in_run: false,
            in_tabs: false,
            in_text: false,
            in_code: false,
            skip_depth: 0,
            hyperlinks: Vec::new(),
            fields: Vec::new(),
            controls: Vec::new(),
            in_control_settings: false,
            cells: Vec::new(),
            told: BTreeSet::new(),
            chars: 0,
        }
    }

    fn start(&mut self, element: &Element<'_>) {
        let name = element.name();
        if self.skip_depth > 0 || SKIPPED.contains(&name) {
            if matches!(name, "del" | "moveFrom") {
                self.told.insert("the letter has tracked changes: it was read as if all were accepted");
            }
            self.skip_depth += 1;
            return;
        }
        match name {
            "p" => self.open.push(OpenParagraph::default()),
            "r" => self.start_run(),
            "t" => self.in_text = true,
            "instrText" => self.in_code = true,
            "tabs" => self.in_tabs = true,
            "tab" => self.tab(element),
            "br" | "cr" => self.put("\n"),
            "noBreakHyphen" => self.put("\u{2011}"),
            "hyperlink" => {
                let target = element.attribute("id").and_then(|id| self.links.get(&id).cloned());
                self.hyperlinks.push(target);
            }
            "tbl" => {
                self.told.insert("the letter has a table: its rows were read as lines");
            }
            "tr" => self.cells.push(Vec::new()),
            "tc" => self.cells.iter_mut().last().into_iter().for_each(|row| row.push(Vec::new())),
            "sdt" => self.controls.push(Control::default()),
            "sdtPr" => self.in_control_settings = true,
            "sdtContent" => self.controls.iter_mut().last().into_iter().for_each(|c| c.in_content = true),
            "fldSimple" => self.simple_field(element),
            "fldChar" => self.field_mark(element),
            _ => self.setting(name, element),
        }
    }

    fn setting(&mut self, name: &str, element: &Element<'_>) {
        if self.in_control_settings {
            return self.control_setting(name, element);
        }
        if let Some(note) = note_on(name) {
            self.told.insert(note);
        }
        match name {
            "b" if self.in_run => self.look.bold = element.is_on(),
            "i" if self.in_run => self.look.italic = element.is_on(),
            "u" if self.in_run => self.is_underlined = element.is_on(),
            "vanish" if self.in_run => self.is_hidden = element.is_on(),
            "rStyle" => match element.value().unwrap_or_default().as_str() {
                "Strong" => self.look.bold = true,
                "Emphasis" => self.look.italic = true,
                _ => {}
            },
            "pStyle" => self.paragraph_style(&element.value().unwrap_or_default()),
            "outlineLvl" => {
                let level = element.value().and_then(|n| n.parse::<usize>().ok()).filter(|&n| n < 6);
                if let (Some(level), Some(open)) = (level, self.open.last_mut()) {
                    open.paragraph.kind = Kind::Heading(level + 1);
                }
            }
            "ilvl" => {
                let level = element.value().and_then(|n| n.parse().ok()).unwrap_or_default();
                self.open.iter_mut().last().into_iter().for_each(|open| open.level = level);
            }
            "numId" => {
                let list = element.value().unwrap_or_default();
                self.open.iter_mut().last().into_iter().for_each(|open| open.list.clone_from(&list));
            }
            _ => {}
        }
    }

    fn control_setting(&mut self, name: &str, element: &Element<'_>) {
        let Some(control) = self.controls.last_mut() else { return };
        match name {
            "alias" => control.name = element.value().unwrap_or_default(),
            "tag" if control.name.is_empty() => control.name = element.value().unwrap_or_default(),
            "showingPlcHdr" => control.is_placeholder = element.is_on(),
            _ => {}
        }
    }

    fn paragraph_style(&mut self, style: &str) {
        let Some(open) = self.open.last_mut() else { return };
        let style: String = style.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
        let digit = style.chars().next_back().and_then(|c| c.to_digit(10)).map_or(1, |n| n as usize);
        open.paragraph.kind = match style.as_str() {
            "title" | "subtitle" => Kind::Heading(1),
            s if s.starts_with("heading") => Kind::Heading(digit.clamp(1, 6)),
            s if s.starts_with("listbullet") => Kind::Item(digit.saturating_sub(1).min(5), false),
            s if s.starts_with("listnumber") => Kind::Item(digit.saturating_sub(1).min(5), true),
            _ => Kind::Plain,
        };
    }

    fn end(&mut self, name: &str) {
        if self.skip_depth > 0 {
            self.skip_depth -= 1;
            return;
        }
        match name {
            "p" => self.end_paragraph(),
            "r" => self.in_run = false,
            "t" => self.in_text = false,
            "instrText" => self.in_code = false,
            "tabs" => self.in_tabs = false,
            "hyperlink" => drop(self.hyperlinks.pop()),
            "tr" => self.end_row(),
            "sdtPr" => self.in_control_settings = false,
            "sdt" => self.end_control(),
            "fldSimple" => drop(self.fields.pop()),
            _ => {}
        }
    }

    fn start_run(&mut self) {
        let link = self.hyperlinks.iter().rev().flatten().next().cloned();
        self.look = Look { link: link.or_else(|| self.link_of_field()), ..Look::default() };
        (self.is_underlined, self.is_hidden, self.in_run) = (false, false, true);
    }

    fn link_of_field(&self) -> Option<String> {
        let code = &self.fields.iter().rev().find(|field| field.in_result)?.code;
        let rest = code.trim().strip_prefix("HYPERLINK")?;
        rest.split('"').nth(1).map(str::to_owned)
    }

    fn text(&mut self, text: &str) {
        if self.skip_depth > 0 {
            return;
        }
        if self.in_code {
            if let Some(field) = self.fields.last_mut().filter(|field| !field.in_result && field.code.len() < 1000) {
                field.code.push_str(text);
            }
        } else if self.in_text {
            let shown: String = text.chars().filter(|&c| !is_invisible(c) && (!c.is_control() || c == '\t')).collect();
            let is_drawn = self.is_underlined
                && shown.chars().count() >= 3
                && shown.chars().all(|c| c.is_whitespace() || c == '\u{a0}');
            self.put(if is_drawn { BLANK } else { &shown });
        }
    }

    fn tab(&mut self, element: &Element<'_>) {
        if self.in_tabs {
            let leader = element.attribute("leader");
            let draws =
                leader.is_some_and(|leader| matches!(leader.as_str(), "underscore" | "dot" | "middleDot" | "hyphen"));
            self.open.iter_mut().last().into_iter().for_each(|open| open.has_leader |= draws);
        } else if self.in_run {
            let draws = self.is_underlined || self.open.last().is_some_and(|open| open.has_leader);
            self.put(if draws { BLANK } else { "    " });
        }
    }

    /// Puts text where the walk stands: into the paragraph, or into the placeholder of a control.
    fn put(&mut self, text: &str) {
        if self.is_hidden || self.fields.iter().any(|field| !field.in_result || field.is_blank) {
            return;
        }
        self.chars += text.len();
        if self.chars > CHARS_MAX {
            return;
        }
        if let Some(control) = self.controls.iter_mut().find(|control| control.is_placeholder && control.in_content) {
            control.placeholder.push_str(text);
        } else if let Some(open) = self.open.last_mut() {
            open.paragraph.push(text, &self.look);
        }
    }

    fn simple_field(&mut self, element: &Element<'_>) {
        let code = element.attribute("instr").unwrap_or_default();
        let blank = blank_of(&code);
        if let Some(blank) = &blank {
            self.look = Look::default();
            self.put(blank);
        }
        self.fields.push(WordField { code, in_result: true, is_blank: blank.is_some() });
    }

    fn field_mark(&mut self, element: &Element<'_>) {
        match element.attribute("fldCharType").as_deref() {
            Some("begin") if self.fields.len() < FIELDS_OPEN_MAX => self.fields.push(WordField::default()),
            Some("separate") => {
                let Some(mut field) = self.fields.pop() else { return };
                field.in_result = true;
                if let Some(blank) = blank_of(&field.code) {
                    self.put(&blank);
                    field.is_blank = true;
                }
                self.fields.push(field);
            }
            Some("end") => {
                let Some(field) = self.fields.pop() else { return };
                if let (false, Some(blank)) = (field.in_result, blank_of(&field.code)) {
                    self.put(&blank);
                }
            }
            _ => {}
        }
    }

    fn end_control(&mut self) {
        let Some(control) = self.controls.pop() else { return };
        if !control.is_placeholder {
            return;
        }
        let name = if control.name.trim().is_empty() { control.placeholder } else { control.name };
        let blank = merge_blank(&name);
        if self.open.is_empty() {
            let mut paragraph = Paragraph::default();
            paragraph.push(&blank, &Look::default());
            self.finish(paragraph);
        } else {
            self.look = Look::default();
            self.put(&blank);
        }
    }

    fn end_paragraph(&mut self) {
        let Some(mut open) = self.open.pop() else { return };
        if !open.list.is_empty() && open.list != "0" && !matches!(open.paragraph.kind, Kind::Heading(_)) {
            let is_numbered = self.lists.is_numbered(&open.list, open.level);
            open.paragraph.kind = Kind::Item(open.level.min(5), is_numbered);
        }
        self.finish(open.paragraph);
    }

    fn finish(&mut self, paragraph: Paragraph) {
        match self.cells.last_mut().and_then(|row| row.last_mut()) {
            Some(cell) => cell.push(paragraph),
            None => self.done.push(paragraph),
        }
    }

    /// A row of short cells is one line; others are read cell by cell.
    fn end_row(&mut self) {
        let Some(row) = self.cells.pop() else { return };
        let is_full = |p: &&Paragraph| !p.text().trim().is_empty();
        let is_line = row.iter().all(|cell| cell.iter().filter(is_full).count() <= 1);
        if !is_line {
            row.into_iter().flatten().for_each(|paragraph| self.finish(paragraph));
            return;
        }
        let mut line = Paragraph::default();
        let cells = row.len();
        for (n, cell) in row.into_iter().enumerate() {
            cell.iter().flat_map(|p| &p.runs).for_each(|run| line.push(&run.text, &run.look));
            if n + 1 < cells {
                line.push("    ", &Look::default());
            }
        }
        self.finish(line);
    }
}

fn note_on(element: &str) -> Option<&'static str> {
    Some(match element {
        "drawing" | "pict" | "object" => {
            "pictures, shapes and the like were left out: a letter has none; their text was kept"
        }
        "footnoteReference" | "endnoteReference" => "footnotes were left out; put what matters into the letter itself",
        "commentReference" => "comments in the margin were left out",
        "ins" | "moveTo" => "the letter has tracked changes: it was read as if all were accepted",
        "oMath" => "formulas were left out",
        _ => return None,
    })
}

/// The blank that a field of Word's is, if it is one.
fn blank_of(code: &str) -> Option<String> {
    let mut words = code.split_whitespace();
    match words.next()?.to_ascii_uppercase().as_str() {
        "MERGEFIELD" | "DOCPROPERTY" | "DOCVARIABLE" => {
            let rest = code.trim_start().split_once(char::is_whitespace).map_or("", |(_, rest)| rest.trim());
            let name = match rest.strip_prefix('"') {
                Some(quoted) => quoted.split('"').next().unwrap_or_default(),
                None => rest.split_whitespace().next().unwrap_or_default(),
            };
            Some(merge_blank(name))
        }
        "ADDRESSBLOCK" => Some(merge_blank("Address")),
        "GREETINGLINE" => Some(merge_blank("Greeting")),
        "FORMTEXT" | "FORMDROPDOWN" => Some(BLANK.to_owned()),
        "MACROBUTTON" => Some(merge_blank(&words.skip(1).collect::<Vec<_>>().join(" "))),
        "DATE" | "TIME" => Some(merge_blank("Date")),
        _ => None,
    }
}

fn merge_blank(name: &str) -> String {
    let plain: String =
        name.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '_' | '-' | '\'' | '’')).take(60).collect();
    if plain.trim().is_empty() { BLANK.to_owned() } else { format!("<<{}>>", plain.trim()) }
}
