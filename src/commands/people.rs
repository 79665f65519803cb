//! The contact files that `new` was given: whom each lists, and what their columns are called in a letter.
//! It must not change them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::config::Setting;
use crate::contacts::{Answer, Column, ContactsFile, ContactsSettings, Glance, Reading, glance, glance_as};
use crate::draft::Columns;
use crate::model::Role;
use crate::template::field_name;

use super::columns::{answer, setting};
use super::console::{ask, can_ask, say};
use super::{Exit, Failure};

/// One file, under the name that its copy gets.
struct PeopleFile {
    path: PathBuf,
    name: String,
    role: Option<Role>,
}

/// The files together.
pub(super) struct People {
    files: Vec<PeopleFile>,
    described: ContactsSettings,
    /// Which header is which, by its key in `config.toml`.
    headers: BTreeMap<String, Setting>,
    /// What a letter can name.
    pub(super) columns: Columns,
}

impl People {
    /// Looks at every file, and asks whom it lists where that is not plain.
    pub(super) fn look_at(contacts: &[PathBuf], officials: Option<&Path>) -> Result<Self, Failure> {
        let described = ContactsSettings::new(Vec::new());
        let mut this = Self { files: Vec::new(), described, headers: BTreeMap::new(), columns: Columns::default() };
        if let Some(path) = officials {
            this.add(path, Some(Role::Official))?;
        }
        for path in contacts {
            this.add(path, officials.map(|_| Role::Constituent))?;
        }
        this.must_fit()?;
        Ok(this)
    }

    /// Whether there is no file.
    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Where each file is, and the name of its copy.
    pub(super) fn files(&self) -> impl Iterator<Item = (&Path, &str)> {
        self.files.iter().map(|file| (file.path.as_path(), file.name.as_str()))
    }

    /// What `config.toml` says of them.
    pub(super) fn settings(&self) -> Vec<(&str, Setting)> {
        let mut settings = self.files_setting();
        settings.extend(self.headers.iter().map(|(key, setting)| (key.as_str(), setting.clone())));
        settings
    }

    fn files_setting(&self) -> Vec<(&str, Setting)> {
        let of = |role| self.files.iter().find(|file| file.role == Some(role)).map(|f| Setting::Text(f.name.clone()));
        match (of(Role::Official), of(Role::Constituent)) {
            (Some(officials), Some(constituents)) => vec![
                ("contacts.files", Setting::Remove),
                ("contacts.officials", officials),
                ("contacts.constituents", constituents),
            ],
            _ if self.is_empty() => Vec::new(),
            _ => vec![("contacts.files", Setting::Texts(self.files.iter().map(|f| f.name.clone()).collect()))],
        }
    }

    fn add(&mut self, path: &Path, told: Option<Role>) -> Result<(), Failure> {
        if !path.is_file() {
            let text = format!("{}: there is no such file; nothing was written", path.display());
            return Err(Failure::new(Exit::Usage, text));
        }
        let seen = glance(path, &Reading::default())?;
        let role = match told {
            Some(role) => Some(role),
            None if seen.has_role_column => None,
            None => Some(role_of(path, &seen)?),
        };
        self.learn(&seen, role);
        self.files.push(PeopleFile { path: path.to_owned(), name: self.free_name(path), role });
        self.settle_columns(&ContactsFile { path: path.to_owned(), role })
    }

    /// Asks which column is which where that is not certain; where nobody can be asked, `check` tells what to do.
    fn settle_columns(&mut self, file: &ContactsFile) -> Result<(), Failure> {
        self.described.files.push(file.clone());
        let questions = glance_as(file, &self.described)?.questions;
        for question in questions.iter().filter(|_| can_ask()) {
            match answer(question) {
                Answer::Headers(headers) => {
                    let (name, all) = question.settle(&headers, &mut self.described);
                    self.headers.insert(format!("contacts.columns.{name}"), setting(&all));
                }
                Answer::Nothing => {}
                Answer::Stop => return Err(Failure::new(Exit::Usage, "you stopped; nothing was written")),
            }
        }
        Ok(())
    }

    /// Keeps the names of columns that the program has no word for.
    fn learn(&mut self, seen: &Glance, role: Option<Role>) {
        let extras = || -> BTreeSet<String> {
            let unknown = seen.columns.iter().filter(|column| column.column.is_none());
            unknown.map(|column| field_name(&column.key)).filter(|name| !name.is_empty()).collect()
        };
        let has_title = seen.columns.iter().any(|column| column.column == Some(Column::Title));
        if role != Some(Role::Constituent) {
            self.columns.official.extend(extras());
            if role.is_some() || has_title {
                self.columns.official_titles = Some(has_title);
            }
        }
        if role != Some(Role::Official) {
            self.columns.constituent.extend(extras());
        }
    }

    /// The file's own name, unless something has it already.
    fn free_name(&self, path: &Path) -> String {
        let own = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let is_taken = |name: &str| {
            ["config.toml", "templates", "ledger.db", "aliases.csv", "refused.csv"].contains(&name)
                || self.files.iter().any(|file| file.name.eq_ignore_ascii_case(name))
        };
        let numbered = (2..1000).map(|n| format!("{n}-{own}"));
        std::iter::once(own.clone()).chain(numbered).find(|name| !is_taken(name)).unwrap_or(own)
    }

    /// Either every file tells roles apart by itself, or there is one of officials and one of constituents.
    fn must_fit(&self) -> Result<(), Failure> {
        let count = |role| self.files.iter().filter(|file| file.role == role).count();
        let (open, officials, constituents) =
            (count(None), count(Some(Role::Official)), count(Some(Role::Constituent)));
        let what = match (open, officials, constituents) {
            (_, 0, 0) | (0, 1, 1) => return Ok(()),
            (0, 0, 1) => "the officials are missing: name their file with --officials",
            (0, 1, 0) => "the constituents are missing: name their file with --contacts, too",
            (0, ..) => "give one file of officials and one of constituents; put the others into them first",
            _ => "give either files with a column `role`, or one file of officials and one of constituents",
        };
        Err(Failure::new(Exit::Usage, format!("{what}; nothing was written")))
    }
}

/// Whom a file without a role column lists: as it seems, after asking; never a guess that nobody saw.
fn role_of(path: &Path, seen: &Glance) -> Result<Role, Failure> {
    let word = |role| if role == Role::Official { "officials" } else { "constituents" };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match &seen.guessed {
        Some((role, why)) if !can_ask() => {
            say(format!("{name} is taken for {}: {why}.", word(*role)));
            return Ok(*role);
        }
        Some((role, why)) => say(format!("{name} seems to list {}: {why}.", word(*role))),
        None => say(format!("{name} has no column that tells officials and constituents apart.")),
    }
    let enter = seen.guessed.as_ref().map_or_else(String::new, |(role, _)| format!("Enter for {}, ", word(*role)));
    while let Some(typed) = ask(&format!("Whom does it list? ({enter}o for officials, c for constituents, q to stop)"))
    {
        match (typed.to_lowercase().as_str(), &seen.guessed) {
            ("", Some((role, _))) => return Ok(*role),
            ("o" | "officials" | "official", _) => return Ok(Role::Official),
            ("c" | "constituents" | "constituent", _) => return Ok(Role::Constituent),
            ("q", _) => break,
            _ => {}
        }
    }
    let advice = "name the officials' file with --officials and the other with --contacts";
    Err(Failure::new(Exit::Usage, format!("{name}: it is not clear whom it lists; {advice}; nothing was written")))
}
