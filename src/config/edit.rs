//! Sets and removes keys of a `config.toml` and leaves every comment, empty line and order as it is.
//!
//! A key that is new goes below its own commented hint where there is one, otherwise to the end of its table; a
//! table that is new goes where the sample has it. This file must not know what any key means.

use std::fs::{self, File};
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml_edit::{Array, Document, DocumentMut, Item, Key, RawString, Table, Value};

use super::{ConfigError, DEFAULTS, Problem};

/// What a key shall be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting {
    /// A text.
    Text(String),
    /// A list of texts.
    Texts(Vec<String>),
    /// Not there: the default holds.
    Remove,
}

impl Setting {
    fn value(&self) -> Option<Value> {
        match self {
            Self::Text(text) => Some(Value::from(text.as_str())),
            Self::Texts(texts) => Some(Value::Array(texts.iter().map(String::as_str).collect::<Array>())),
            Self::Remove => None,
        }
    }
}

/// The text with these keys changed, one after the other. A key is a path of names, as in `contacts.columns.name`.
pub fn edited(text: &str, changes: &[(&str, Setting)]) -> Result<String, ConfigError> {
    changes.iter().try_fold(text.to_owned(), |text, (key, setting)| edited_once(&text, key, setting))
}

/// The same for a file: the old one stays until the new one is complete on disk. Its permissions are kept.
pub fn edit(path: &Path, changes: &[(&str, Setting)]) -> Result<(), ConfigError> {
    let failed = |error: io::Error| {
        let text = format!("it cannot be changed: {error}; nothing was changed there");
        ConfigError::single(Problem::new(path.display().to_string(), text))
    };
    let path = path.canonicalize().map_err(failed)?; // a link stays a link
    let before = fs::read_to_string(&path).map_err(failed)?;
    let after = edited(&before, changes)?;
    if after == before { Ok(()) } else { replace(&path, &after).map_err(failed) }
}

fn edited_once(text: &str, key: &str, setting: &Setting) -> Result<String, ConfigError> {
    let document = Document::parse(text).map_err(|error| {
        let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
        let what = error.message().lines().next().unwrap_or("not TOML").to_owned();
        ConfigError::single(Problem::new(format!("config.toml, line {line}"), what))
    })?;
    let plain = in_the_tree(text, key, setting)?;
    // Lines keep more than the tree does, but cannot do everything: the tree has the last word on what is meant.
    let lines = Lines { text, document: &document };
    let tidy = lines.edited(key, setting).filter(|tidy| means(tidy).is_some() && means(tidy) == means(&plain));
    Ok(tidy.unwrap_or(plain))
}

fn means(text: &str) -> Option<toml::Table> {
    text.parse().ok()
}

/// The change as the library makes it: always right in what it means.
fn in_the_tree(text: &str, key: &str, setting: &Setting) -> Result<String, ConfigError> {
    let clash = || ConfigError::single(Problem::new("config.toml", format!("`{key}` is something else there already")));
    let mut document = text.parse::<DocumentMut>().map_err(|_| clash())?;
    let (parents, name) = path_of(key);
    let mut table: &mut dyn toml_edit::TableLike = document.as_table_mut();
    for parent in parents {
        if !table.contains_key(parent) {
            if *setting == Setting::Remove {
                return Ok(text.to_owned());
            }
            let mut new = Table::new();
            new.set_implicit(true);
            table.insert(parent, Item::Table(new));
        }
        table = table.get_mut(parent).and_then(Item::as_table_like_mut).ok_or_else(clash)?;
    }
    let Some(value) = setting.value() else {
        table.remove(name);
        return Ok(document.to_string());
    };
    match table.get_mut(name) {
        Some(Item::Value(old)) => {
            let decor = old.decor().clone();
            *old = value;
            *old.decor_mut() = decor;
        }
        Some(Item::None) | None => drop(table.insert(name, Item::Value(value))),
        Some(_) => return Err(clash()),
    }
    Ok(document.to_string())
}

fn path_of(key: &str) -> (Vec<&str>, &str) {
    let mut parents: Vec<&str> = key.split('.').collect();
    let name = parents.pop().unwrap_or_default();
    (parents, name)
}

/// The text as lines, with what the document knows of where things are.
struct Lines<'a> {
    text: &'a str,
    document: &'a Document<&'a str>,
}

/// One `[table]` from its header line to the next header.
struct Section {
    header: Range<usize>,
    end: usize,
}

impl Lines<'_> {
    fn edited(&self, key: &str, setting: &Setting) -> Option<String> {
        let (parents, name) = path_of(key);
        let found = find(self.document.as_table(), &parents, name);
        match (found, setting.value()) {
            (None, None) => Some(self.text.to_owned()),
            (Some((key, value)), None) => self.without(&key, value),
            (Some((key, old)), Some(new)) => Some(self.replaced(&key, old, &new)?),
            (None, Some(new)) => {
                let line = format!("{} = {new}", Key::new(name).display_repr());
                match self.section(&parents) {
                    Some(section) => Some(self.inserted(self.place_in(&section, name), &line)),
                    None if parents.is_empty() => None,
                    None => Some(self.new_section(&parents.join("."), &line)),
                }
            }
        }
    }

    /// Takes out a line, but for the comments in it.
    fn without(&self, key: &Range<usize>, value: &Value) -> Option<String> {
        let span = value.span()?;
        let (start, end) = (self.line_start(key.start), self.line_end(span.end));
        let tail = self.text[span.end..end].trim();
        let tail = if tail.is_empty() { String::new() } else { format!("{tail}{}", self.line_break()) };
        Some(format!("{}{}{tail}{}", &self.text[..start], self.comments_in(value), &self.text[end..]))
    }

    fn replaced(&self, key: &Range<usize>, old: &Value, new: &Value) -> Option<String> {
        let (start, span) = (self.line_start(key.start), old.span()?);
        let (before, between, after) = (&self.text[..start], &self.text[start..span.start], &self.text[span.end..]);
        Some(format!("{before}{}{between}{new}{after}", self.comments_in(old)))
    }

    /// The comments inside a list of several lines, each as a line.
    fn comments_in(&self, value: &Value) -> String {
        let lines = value.as_array().into_iter().flat_map(gaps).flat_map(|gap| self.text[gap].lines());
        let comments = lines.map(str::trim).filter(|line| line.starts_with('#'));
        comments.flat_map(|c| [c, self.line_break()]).collect()
    }

    /// Puts a whole line in.
    fn inserted(&self, at: usize, line: &str) -> String {
        let eol = self.line_break();
        let (before, after) = self.text.split_at(at);
        let gap = if before.is_empty() || before.ends_with('\n') { "" } else { eol };
        format!("{before}{gap}{line}{eol}{after}")
    }

    /// Where a new key of a table goes: below its own hint, or below what the table has.
    fn place_in(&self, section: &Section, name: &str) -> usize {
        let values = self.values();
        let mut at = section.header.end;
        while at < section.end {
            let end = self.line_end(at);
            let in_a_value = values.iter().any(|v| v.start <= at && at < v.end);
            if !in_a_value && is_hint(&self.text[at..end], name) {
                return end;
            }
            at = end;
        }
        self.end_of(section)
    }

    /// Behind the last value, and the comments right below it that belong to nothing else.
    fn end_of(&self, section: &Section) -> usize {
        let inside = |v: &Range<usize>| section.header.end <= v.start && v.end <= section.end;
        let last = self.values().into_iter().filter(inside).map(|v| self.line_end(v.end)).max();
        let filled = last.unwrap_or(section.header.end);
        let mut at = filled;
        while at < section.end && self.text[at..].trim_start_matches([' ', '\t']).starts_with('#') {
            at = self.line_end(at);
        }
        let next_is_blank = self.text[at..self.line_end(at)].trim().is_empty();
        if next_is_blank { at } else { filled }
    }

    /// A table that is not there yet, behind the tables that the sample has before it.
    fn new_section(&self, name: &str, line: &str) -> String {
        let order: Vec<&str> = DEFAULTS.lines().filter_map(|l| l.strip_prefix('[')?.strip_suffix(']')).collect();
        let before = order.iter().position(|o| *o == name).map_or(order.len(), |at| at);
        let there = |name: &&str| self.section(&name.split('.').collect::<Vec<_>>());
        let previous = order[..before].iter().rev().find_map(there);
        let at = match previous {
            Some(section) if before < order.len() => self.end_of(&section),
            _ => self.text.len(),
        };
        let eol = self.line_break();
        let quoted: Vec<String> = name.split('.').map(|n| Key::new(n).display_repr().into_owned()).collect();
        let gap = if self.text[..at].trim().is_empty() { "" } else { eol };
        let head = if self.text[..at].ends_with('\n') || at == 0 { gap.to_owned() } else { format!("{eol}{gap}") };
        format!("{}{head}[{}]{eol}{line}{eol}{}", &self.text[..at], quoted.join("."), &self.text[at..])
    }

    /// The part of the text that belongs to a table with a header of its own, or to the top.
    fn section(&self, path: &[&str]) -> Option<Section> {
        let mut starts = Vec::new();
        headers(self.document.as_table(), &mut starts);
        starts.retain(|span| self.text[span.clone()].starts_with('['));
        let header = if path.is_empty() {
            0..0
        } else {
            let table = path.iter().try_fold(self.document.as_table(), |t, name| t.get(name)?.as_table())?;
            let span = table.span().filter(|s| self.text[s.clone()].starts_with('['))?;
            span.start..self.line_end(span.end)
        };
        let next = starts.iter().map(|s| s.start).filter(|&s| s >= header.end).min();
        Some(Section { end: next.map_or(self.text.len(), |at| self.line_start(at)), header })
    }

    fn values(&self) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        values(self.document.as_table(), &mut found);
        found
    }

    fn line_start(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |n| n + 1)
    }

    fn line_end(&self, at: usize) -> usize {
        self.text[at..].find('\n').map_or(self.text.len(), |n| at + n + 1)
    }

    fn line_break(&self) -> &'static str {
        if self.text.contains("\r\n") { "\r\n" } else { "\n" }
    }
}

/// `# name = …`
fn is_hint(line: &str, name: &str) -> bool {
    let bare = line.trim().strip_prefix('#').and_then(|l| l.trim_start().strip_prefix(name));
    bare.is_some_and(|rest| rest.trim_start().starts_with('='))
}

fn find<'t>(table: &'t Table, parents: &[&str], name: &str) -> Option<(Range<usize>, &'t Value)> {
    let table = parents.iter().try_fold(table, |t, name| t.get(name)?.as_table())?;
    let (key, item) = table.get_key_value(name)?;
    Some((key.span()?, item.as_value()?))
}

/// Where the headers of all tables are.
fn headers(table: &Table, found: &mut Vec<Range<usize>>) {
    for (_, item) in table {
        match item {
            Item::Table(inner) => {
                found.extend(inner.span());
                headers(inner, found);
            }
            Item::ArrayOfTables(inner) => {
                for table in inner {
                    found.extend(table.span());
                    headers(table, found);
                }
            }
            Item::Value(_) | Item::None => {}
        }
    }
}

/// Where all values are.
fn values(table: &Table, found: &mut Vec<Range<usize>>) {
    for (_, item) in table {
        match item {
            Item::Value(value) => found.extend(value.span()),
            Item::Table(inner) => values(inner, found),
            Item::ArrayOfTables(inner) => inner.iter().for_each(|table| values(table, found)),
            Item::None => {}
        }
    }
}

/// The spaces and comments inside a list, between its values.
fn gaps(array: &Array) -> impl Iterator<Item = Range<usize>> {
    let around = |value: &Value| [value.decor().prefix().cloned(), value.decor().suffix().cloned()];
    let between = array.iter().flat_map(around).flatten();
    let all: Vec<RawString> = between.chain([array.trailing().clone()]).collect();
    all.into_iter().filter_map(|raw| raw.span())
}

/// Writes beside the file, flushes, and takes its place.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let beside: PathBuf = path.with_file_name(format!(".{name}.{}", std::process::id()));
    let written =
        write_through(&beside, text, &fs::metadata(path)?.permissions()).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        let _ = fs::remove_file(&beside); // the first error is the one to tell
    }
    written?;
    if cfg!(unix) {
        File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}

fn write_through(path: &Path, text: &str, permissions: &fs::Permissions) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).open(path)?;
    file.set_permissions(permissions.clone())?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
