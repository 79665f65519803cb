//! The fields that a blank can become. It must not know where they come from.

use std::collections::BTreeSet;
use std::fmt;

const OFFICIAL: [&str; 4] = ["name", "title", "jurisdiction", "email"];
const CONSTITUENT: [&str; 8] = ["name", "address", "jurisdiction", "postcode", "signed_on", "email", "title", "note"];

/// What the contacts have, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns {
    /// Columns of officials besides the built-in ones, named as a template names them.
    pub official: BTreeSet<String>,
    /// The same of constituents.
    pub constituent: BTreeSet<String>,
    /// Whether officials have titles; nothing where that is not known.
    pub official_titles: Option<bool>,
}

/// One field, or several side by side, as in `official.title official.name`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Field(String);

impl Field {
    /// Title and name of the official, as people say it.
    pub fn salutation() -> Self {
        Self::of("official.title official.name")
    }

    pub(super) fn of(paths: &str) -> Self {
        Self(paths.to_owned())
    }

    /// Reads what somebody typed: `official.name`, or two of them with a space between.
    pub fn parse(text: &str, columns: &Columns) -> Option<Self> {
        let paths: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
        let known = columns.paths();
        let is_field = !paths.is_empty() && paths.len() <= 4 && paths.iter().all(|path| known.contains(path));
        is_field.then(|| Self(paths.join(" ")))
    }

    /// As a template writes it.
    pub fn tags(&self) -> String {
        let tags: Vec<String> = self.0.split(' ').map(|path| format!("{{{{ {path} }}}}")).collect();
        tags.join(" ")
    }

    /// Whether this path is one of them.
    pub(super) fn has(&self, path: &str) -> bool {
        self.0.split(' ').any(|own| own == path)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.replace(' ', " + "))
    }
}

impl Columns {
    /// Every field that there is, the likeliest first.
    pub fn fields(&self) -> Vec<Field> {
        let mut fields = vec![Field::salutation()];
        fields.extend(self.paths().into_iter().map(Field));
        fields
    }

    fn paths(&self) -> Vec<String> {
        let join = |namespace: &str, names: &mut dyn Iterator<Item = &str>| -> Vec<String> {
            names.map(|name| format!("{namespace}.{name}")).collect()
        };
        let mut paths = join("official", &mut OFFICIAL.into_iter());
        paths.extend(join("constituent", &mut CONSTITUENT.into_iter()));
        paths.extend(join("constituent", &mut self.constituent.iter().map(String::as_str)));
        paths.extend(join("official", &mut self.official.iter().map(String::as_str)));
        paths.push("campaign.name".to_owned());
        let mut seen = BTreeSet::new();
        paths.retain(|path| seen.insert(path.clone()));
        paths
    }

    /// The column of that name, spelled in whatever way.
    pub(super) fn column(&self, words: &str) -> Option<Field> {
        let key = key(words);
        let owned = |namespace: &str, names: &BTreeSet<String>| {
            names.iter().find(|name| squeezed(name) == squeezed(&key)).map(|name| Field(format!("{namespace}.{name}")))
        };
        if key.is_empty() {
            return None;
        }
        owned("constituent", &self.constituent).or_else(|| owned("official", &self.official))
    }

    /// A path that somebody wrote out.
    pub(super) fn path(&self, text: &str) -> Option<Field> {
        self.paths().into_iter().find(|path| path == text).map(Field)
    }
}

/// A column's name without what people leave out.
fn squeezed(name: &str) -> String {
    name.replace('_', "")
}

fn key(words: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    words.trim().chars().map(plain).collect()
}
