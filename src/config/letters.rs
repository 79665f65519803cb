//! `[letters]`: several letters, and the column that chooses between them.

use std::path::{Path, PathBuf};

use crate::model::Role;

use super::not_empty;
use super::reader::Reader;

/// Which letters there are besides the usual one, and for whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LettersConfig {
    /// Whose column chooses.
    pub role: Role,
    /// That column.
    pub column: String,
    /// A value of the column and the letter of those who have it.
    pub letters: Vec<(String, PathBuf)>,
}

pub(super) fn read(reader: &mut Reader<'_>, dir: &Path) -> Option<LettersConfig> {
    let by = reader.text("letters.by", column);
    let mut letters = Vec::new();
    for (value, files) in reader.below("letters.letter.") {
        let key = format!("letters.letter.{value}");
        match files.as_slice() {
            [file] if not_empty(file).is_ok() => letters.push((value, dir.join(file))),
            _ => reader.complain(&key, "expected one file, like \"templates/letter.es.md\""),
        }
    }
    let Some((role, column)) = by else {
        if !letters.is_empty() && !reader.is_written("letters.by") {
            reader.complain("letters.by", "say which column chooses, like by = \"constituent.language\"");
        }
        return None;
    };
    if letters.is_empty() {
        reader.complain("letters.by", "expected letters to choose from, in a table [letters.letter]");
    }
    Some(LettersConfig { role, column, letters })
}

fn column(text: &str) -> Result<(Role, String), String> {
    let (space, column) = text.split_once('.').unwrap_or_default();
    let role = match space.trim() {
        "official" => Some(Role::Official),
        "constituent" => Some(Role::Constituent),
        _ => None,
    };
    match (role, column.trim()) {
        (Some(role), column) if !column.is_empty() => Ok((role, column.to_owned())),
        _ => Err("expected a column like \"constituent.language\" or \"official.title\"".to_owned()),
    }
}
