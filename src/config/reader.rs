//! Takes keys out of a document, one parse function each, and remembers every problem instead of stopping.

use std::collections::BTreeSet;

use super::document::{Document, Entry, Origin, Value};
use super::{ConfigError, Problem};

/// Reads a document key by key. What was asked for is what is known; whatever else stands there is refused.
pub(super) struct Reader<'a> {
    document: &'a Document,
    known: BTreeSet<String>,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(document: &'a Document) -> Self {
        Self { document, known: BTreeSet::new(), problems: Vec::new() }
    }

    /// The value of a key, if it is there and `parse` likes it. `parse` gives in its error what was expected.
    pub(super) fn get<T>(&mut self, key: &str, parse: impl FnOnce(&Value) -> Result<T, String>) -> Option<T> {
        self.known.insert(key.to_owned());
        let entry = self.document.entries.get(key)?;
        match parse(&entry.value) {
            Ok(value) => Some(value),
            Err(expected) => {
                self.refuse(key, entry, &expected);
                None
            }
        }
    }

    /// A text, parsed by the type that it becomes.
    pub(super) fn text<T, E: ToString>(&mut self, key: &str, parse: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        self.get(key, |value| match value {
            Value::Text(text) => parse(text).map_err(|e| e.to_string()),
            Value::Integer(n) => parse(&n.to_string()).map_err(|e| e.to_string()),
            _ => Err("expected a text in quotation marks".to_owned()),
        })
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(&mut self, key: &str, words: &[(&str, T)]) -> Option<T> {
        self.text(key, |text| {
            words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value).ok_or_else(|| {
                let all: Vec<String> = words.iter().map(|(word, _)| format!("{word:?}")).collect();
                format!("expected one of {}", all.join(", "))
            })
        })
    }

    /// A whole number within bounds.
    pub(super) fn number(&mut self, key: &str, min: i64, max: i64) -> Option<i64> {
        self.get(key, |value| match value {
            Value::Integer(n) if (min..=max).contains(n) => Ok(*n),
            _ => Err(format!("expected a whole number from {min} to {max}")),
        })
    }

    /// A list of texts, each parsed.
    pub(super) fn texts<T>(&mut self, key: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<Vec<T>> {
        self.get(key, |value| match value {
            Value::Texts(texts) => texts.iter().map(|t| parse(t)).collect(),
            Value::Text(text) => Ok(vec![parse(text)?]),
            _ => Err("expected a list of texts: [\"…\", \"…\"]".to_owned()),
        })
    }

    /// All keys below a prefix, whatever they are called, each with a text or several.
    pub(super) fn below(&mut self, prefix: &str) -> Vec<(String, Vec<String>)> {
        let names: Vec<String> =
            self.document.entries.keys().filter_map(|k| k.strip_prefix(prefix)).map(str::to_owned).collect();
        names
            .into_iter()
            .filter_map(|name| {
                let texts = self.texts(&format!("{prefix}{name}"), |t| Ok(t.to_owned()))?;
                Some((name, texts))
            })
            .collect()
    }

    /// Whether `--set` gives a key.
    pub(super) fn is_set_by_flag(&self, key: &str) -> bool {
        self.document.entries.get(key).is_some_and(|entry| entry.origin == Origin::Flag)
    }

    /// Whether somebody other than the defaults wrote this key.
    pub(super) fn is_written(&self, key: &str) -> bool {
        self.document.entries.get(key).is_some_and(|e| e.origin != Origin::Default)
    }

    /// Notes a problem with a key that was read.
    pub(super) fn complain(&mut self, key: &str, expected: &str) {
        match self.document.entries.get(key) {
            Some(entry) => self.refuse(key, entry, expected),
            None => self.problems.push(Problem::new("config.toml", format!("`{key}` is missing: {expected}"))),
        }
    }

    /// Notes a problem of a file that a key names.
    pub(super) fn complain_of(&mut self, place: String, what: String) {
        self.problems.push(Problem::new(place, what));
    }

    /// Notes a problem with a key whose value must not be repeated.
    pub(super) fn complain_discreetly(&mut self, key: &str, expected: &str) {
        self.known.insert(key.to_owned());
        if let Some(entry) = self.document.entries.get(key) {
            self.problems.push(Problem::new(entry.origin.to_string(), format!("`{key}`: {expected}")));
        }
    }

    fn refuse(&mut self, key: &str, entry: &Entry, expected: &str) {
        let text = format!("`{key}` is {}: {expected}", entry.value);
        self.problems.push(Problem::new(entry.origin.to_string(), text));
    }

    /// All problems, with every key that nobody asked for.
    pub(super) fn finish(mut self) -> Result<(), ConfigError> {
        for (key, entry) in &self.document.entries {
            if !self.known.contains(key) {
                let is_single =
                    key.strip_prefix("relay.").is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()));
                let advice = match nearest(key, &self.known) {
                    _ if is_single => "; write the table's head with two brackets: [[relay]]".to_owned(),
                    Some(name) => format!("; did you mean `{name}`?"),
                    None => String::new(),
                };
                let text = format!("`{key}` is not a setting{advice}");
                self.problems.push(Problem::new(entry.origin.to_string(), text));
            }
        }
        if self.problems.is_empty() { Ok(()) } else { Err(ConfigError { problems: self.problems }) }
    }
}

fn nearest<'k>(key: &str, known: &'k BTreeSet<String>) -> Option<&'k str> {
    let scored = known.iter().map(|k| (strsim::jaro_winkler(k, key), k.as_str()));
    scored.filter(|(score, _)| *score > 0.8).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}
