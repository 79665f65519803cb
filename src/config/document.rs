//! `config.toml` and `--set` as a flat list of keys, each with its value and where it stands.
//!
//! Knows TOML; must not know what any key means.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use sha2::{Digest, Sha256};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{ConfigError, Problem};

/// Sections that say how messages go out, and nothing of what is in them or whom they are for.
const OF_DISPATCH_ALONE: [&str; 5] = ["pace.", "relay.", "retry.", "ledger.", "dkim."];

/// Where a value was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// The program's own defaults.
    Default,
    /// A line of the campaign's `config.toml`.
    Line { file: String, line: usize },
    /// `--set` on the command line.
    Flag,
    /// `undersigned pace set`, kept in the ledger.
    Live,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("the built-in defaults"),
            Self::Line { file, line } => write!(f, "{file}, line {line}"),
            Self::Flag => f.write_str("--set"),
            Self::Live => f.write_str("undersigned pace set"),
        }
    }
}

/// A value: the few shapes that a setting can have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    Texts(Vec<String>),
    Integer(i64),
    /// Something that no setting takes, as it was written.
    Other(String),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Texts(texts) => write!(f, "{texts:?}"),
            Self::Integer(n) => write!(f, "{n}"),
            Self::Other(text) => f.write_str(text),
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) value: Value,
    pub(super) origin: Origin,
}

/// Keys as `campaign.name`, `contacts.columns.email`, `relay.0.host`.
#[derive(Debug, Clone, Default)]
pub(super) struct Document {
    pub(super) entries: BTreeMap<String, Entry>,
}

impl Document {
    /// Lays a TOML text over what is there already.
    pub(super) fn overlay(&mut self, text: &str, file: Option<&Path>) -> Result<(), ConfigError> {
        let name = file.map(|f| f.display().to_string());
        let table = DeTable::parse(text).map_err(|e| {
            let line = e.span().map_or(0, |span| line_of(text, span.start));
            let origin = Origin::Line { file: name.clone().unwrap_or_default(), line };
            ConfigError::single(Problem::new(origin.to_string(), e.message().lines().next().unwrap_or("not TOML")))
        })?;
        let mut flattener = Flattener { text, name: name.as_deref(), entries: &mut self.entries };
        flattener.table("", table.get_ref());
        Ok(())
    }

    /// Lays one `--set key=value` over what is there already. A relay is named by its name or its place.
    pub(super) fn set(&mut self, assignment: &str) -> Result<(), ConfigError> {
        let Some((key, raw)) = assignment.split_once('=') else {
            return Err(ConfigError::single(Problem::new(
                "--set",
                format!("`{assignment}` is not of the form key=value; for example --set pace.per_mailbox=60/h"),
            )));
        };
        let key = self.by_relay_name(key.trim());
        let entry = Entry { value: bare_value(raw.trim()), origin: Origin::Flag };
        self.entries.insert(key, entry);
        Ok(())
    }

    /// Lays a change that staff made while letters go over what is there already.
    pub(super) fn set_live(&mut self, key: &str, raw: &str) {
        let entry = Entry { value: bare_value(raw.trim()), origin: Origin::Live };
        self.entries.insert(self.by_relay_name(key), entry);
    }

    /// How many `[[relay]]` tables there are.
    pub(super) fn relays(&self) -> usize {
        let index = |key: &String| key.strip_prefix("relay.")?.split('.').next()?.parse::<usize>().ok();
        self.entries.keys().filter_map(index).max().map_or(0, |last| last + 1)
    }

    /// A hash of every setting that a plan may come out of. A section that nobody has thought of is one of them.
    pub(super) fn plan_hash(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        let is_of_plan = |key: &str| !OF_DISPATCH_ALONE.iter().any(|section| key.starts_with(section));
        for (key, entry) in self.entries.iter().filter(|(key, _)| is_of_plan(key)) {
            let line = format!("{key} = {:?}", entry.value);
            hash.update((line.len() as u64).to_le_bytes());
            hash.update(line);
        }
        hash.finalize().into()
    }

    /// A key with the place of its relay instead of the name.
    pub(super) fn by_relay_name(&self, key: &str) -> String {
        let Some(of_relay) = key.strip_prefix("relay.") else { return key.to_owned() };
        // A name may have dots of its own.
        let by_number = |n: usize| match &self.entries.get(&format!("relay.{n}.name"))?.value {
            Value::Text(name) => {
                let rest = of_relay.strip_prefix(name.as_str())?.strip_prefix('.')?;
                Some(format!("relay.{n}.{rest}"))
            }
            _ => None,
        };
        (0..self.relays()).find_map(by_number).unwrap_or_else(|| key.to_owned())
    }
}

/// What `--set` gives may be TOML, or simply the text: `60/h` needs no quotes.
fn bare_value(raw: &str) -> Value {
    DeValue::parse(raw).map_or_else(|_| Value::Text(raw.to_owned()), |parsed| plain(parsed.get_ref(), raw))
}

fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|&b| b == b'\n').count() + 1
}

struct Flattener<'a> {
    text: &'a str,
    name: Option<&'a str>,
    entries: &'a mut BTreeMap<String, Entry>,
}

impl Flattener<'_> {
    fn table(&mut self, prefix: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            let key = format!("{prefix}{}", key.get_ref());
            self.value(&key, value);
        }
    }

    fn value(&mut self, key: &str, value: &Spanned<DeValue<'_>>) {
        match value.get_ref() {
            DeValue::Table(table) if !table.is_empty() || is_section(key) => self.table(&format!("{key}."), table),
            DeValue::Array(items) if !items.is_empty() && items.iter().all(|i| i.get_ref().is_table()) => {
                for (n, item) in items.iter().enumerate() {
                    self.value(&format!("{key}.{n}"), item);
                }
            }
            other => {
                let span = value.span();
                let raw = self.text.get(span.clone()).unwrap_or_default();
                let origin = match self.name {
                    Some(file) => Origin::Line { file: file.to_owned(), line: line_of(self.text, span.start) },
                    None => Origin::Default,
                };
                self.entries.insert(key.to_owned(), Entry { value: plain(other, raw), origin });
            }
        }
    }
}

/// Tables that may stand there empty.
fn is_section(key: &str) -> bool {
    let sections = ["campaign", "contacts", "contacts.columns", "letters", "letters.letter", "retry", "dkim", "ledger"];
    let of_pace = ["pace", "pace.groups", "pace.domains", "pace.mailboxes"];
    sections.contains(&key) || of_pace.contains(&key)
}

fn plain(value: &DeValue<'_>, raw: &str) -> Value {
    let other = || Value::Other(raw.to_owned());
    match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(n) => {
            i64::from_str_radix(&n.as_str().replace('_', ""), n.radix()).map_or_else(|_| other(), Value::Integer)
        }
        DeValue::Datetime(moment) => Value::Text(moment.to_string()),
        DeValue::Array(items) => {
            let texts: Option<Vec<String>> = items.iter().map(|i| i.get_ref().as_str().map(str::to_owned)).collect();
            texts.map_or_else(other, Value::Texts)
        }
        _ => other(),
    }
}
