//! Contact files written for one test, and what is read from them. No test stands here.

use std::fs;
use std::path::PathBuf;

use undersigned::contacts::{ContactsFile, ContactsSettings, Joining, Problem, Row, Survey, survey};
use undersigned::model::{Constituent, Role};

/// Files in a folder of their own, and the settings that name them.
pub(crate) struct Files {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) settings: ContactsSettings,
}

impl Files {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), settings: ContactsSettings::new(Vec::new()) }
    }

    pub(crate) fn one(content: impl AsRef<[u8]>) -> Self {
        Self::new().and("contacts.csv", None, content)
    }

    pub(crate) fn and(mut self, name: &str, role: Option<Role>, content: impl AsRef<[u8]>) -> Self {
        fs::write(self.path(name), content).unwrap();
        self.settings.files.push(ContactsFile { path: self.path(name), role });
        self
    }

    pub(crate) fn mapped(mut self, ours: &str, theirs: &str) -> Self {
        self.settings.columns.insert(ours.to_owned(), vec![theirs.to_owned()]);
        self
    }

    pub(crate) fn joined_by(mut self, column: &str) -> Self {
        self.settings.joining = Joining::Equal(column.to_owned());
        self
    }

    /// With this alias file.
    pub(crate) fn aliased(mut self, content: &str) -> Self {
        fs::write(self.path("aliases.csv"), content).unwrap();
        self.settings.aliases = Some(self.path("aliases.csv"));
        self
    }

    /// With this table of postcodes.
    pub(crate) fn with_postcodes(mut self, content: &str) -> Self {
        fs::write(self.path("postcodes.csv"), content).unwrap();
        self.settings.postcodes = Some(self.path("postcodes.csv"));
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn survey(self) -> Surveyed {
        Surveyed { survey: survey(&self.settings).unwrap_or_else(|e| panic!("{e}")), on_disk: self }
    }

    pub(crate) fn faults(&self) -> String {
        survey(&self.settings).expect_err("the file was used").to_string()
    }
}

/// A survey whose files are still there.
pub(crate) struct Surveyed {
    survey: Survey,
    pub(crate) on_disk: Files,
}

impl std::ops::Deref for Surveyed {
    type Target = Survey;

    fn deref(&self) -> &Survey {
        &self.survey
    }
}

pub(crate) fn rows(survey: &Survey) -> Vec<Row> {
    survey.rows().unwrap().map(Result::unwrap).collect()
}

pub(crate) fn joined(survey: &Survey) -> Vec<Constituent> {
    let constituent = |row| match row {
        Row::Joined { constituent, .. } => Some(*constituent),
        _ => None,
    };
    rows(survey).into_iter().filter_map(constituent).collect()
}

pub(crate) fn refusals(survey: &Survey) -> Vec<Problem> {
    rows(survey).iter().filter_map(Row::refusal).flat_map(|(.., problems)| problems.to_vec()).collect()
}

pub(crate) fn notes(survey: &Survey) -> String {
    survey.notes().iter().map(|n| n.to_string() + "\n").collect()
}

pub(crate) const HEADER: &str = "role,title,name,email,jurisdiction,address,postcode,signed_on,note\n";
pub(crate) const MAYOR: &str = "official,Mayor,Ana Adams,mayor@elgin.example,Elgin,,,,\n";

/// A file with a mayor and then these rows, which start at line 3.
pub(crate) fn with_mayor(rows: &str) -> Files {
    Files::one(format!("{HEADER}{MAYOR}{rows}"))
}

/// The row of a constituent who is in order but for what is put in place of a cell.
pub(crate) fn signer(column: &str, cell: &str) -> String {
    let usual = [
        ("role", "constituent"),
        ("title", "Ms"),
        ("name", "Ben Baker"),
        ("email", "ben@x.example"),
        ("jurisdiction", "Elgin"),
        ("address", "1 Main St"),
        ("postcode", "60120"),
        ("signed_on", "2026-03-04"),
        ("note", ""),
    ];
    let quoted = |(name, value): (&str, &str)| {
        let value = if name == column { cell } else { value };
        format!("\"{}\"", value.replace('"', "\"\""))
    };
    usual.map(quoted).join(",") + "\n"
}
