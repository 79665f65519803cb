//! The texts of a campaign folder: read with all that they include, then parsed for the columns that people have.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::contacts::Survey;
use crate::ledger::sqlite::SqliteLedger;
use crate::ledger::{Ledger, LedgerError};
use crate::model::{Role, TemplateId};
use crate::plan::{Choice, Texts};
use crate::template::{CampaignFields, Fields, Purpose, Source, Template, TemplateProblem, fields_named};

use super::{Exit, Failure};

/// A text may not be longer than this, so nothing beyond it is read.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// The texts as they are on disk.
pub(super) struct Sources {
    letter: Named,
    others: Vec<Named>,
    confirmation: Named,
    /// For each value of the column that chooses, the number of its letter.
    values: Vec<(String, usize)>,
}

/// A text and the name under which it is frozen: its path inside the campaign folder.
struct Named {
    name: String,
    source: Source,
}

/// The numbers under which the texts are in the ledger.
pub(super) struct FrozenTexts {
    /// The usual letter.
    pub(super) letter: TemplateId,
    others: Vec<TemplateId>,
    pub(super) confirmation: TemplateId,
}

impl FrozenTexts {
    /// The letter of a number, where it is not the usual one.
    pub(super) fn other(&self, number: usize) -> Option<TemplateId> {
        number.checked_sub(1).and_then(|n| self.others.get(n)).copied()
    }
}

impl Sources {
    /// Reads every text that the configuration names; tells everything that is wrong with all of them.
    pub(super) fn read(config: &Config) -> Result<Self, Failure> {
        let mut problems = Vec::new();
        let mut read = |path: &Path| match read_source(config, path) {
            Ok(source) => Some(source),
            Err(found) => {
                problems.extend(found);
                None
            }
        };
        let letter = read(&config.letter);
        let mut paths = vec![&config.letter];
        let mut values = Vec::new();
        for (value, path) in config.letters.iter().flat_map(|letters| &letters.letters) {
            let known = paths.iter().position(|known| *known == path);
            let number = known.unwrap_or_else(|| {
                paths.push(path);
                paths.len() - 1
            });
            values.push((value.clone(), number));
        }
        let others: Vec<Option<Named>> = paths.into_iter().skip(1).map(|path| read(path)).collect();
        let confirmation = read(&config.confirmation);
        match (letter, others.into_iter().collect(), confirmation) {
            (Some(letter), Some(others), Some(confirmation)) => Ok(Self { letter, others, confirmation, values }),
            _ => Err(Failure::listing(Exit::Refused, &problems)),
        }
    }

    /// Every column that a text names or that chooses between them, as a template writes it.
    pub(super) fn columns_named(&self, config: &Config) -> BTreeSet<String> {
        let named = self.all().flat_map(|text| fields_named(text.source.text())).map(|(_, field)| field);
        named.chain(config.letters.iter().map(|letters| letters.column.clone())).collect()
    }

    /// Parses all of them; tells every problem.
    pub(super) fn parse(&self, config: &Config, survey: &Survey, campaign: CampaignFields) -> Result<Texts, Failure> {
        let fields = fields(survey);
        let mut problems: Vec<String> = Vec::new();
        let mut parse = |text: &Named, purpose| {
            let parsed = Template::of(text.source.clone(), purpose, &fields);
            parsed.map_err(|found| problems.extend(found.iter().map(ToString::to_string))).ok()
        };
        let letter = parse(&self.letter, Purpose::Letter);
        let others: Vec<Option<Template>> = self.others.iter().map(|text| parse(text, Purpose::Letter)).collect();
        let confirmation = parse(&self.confirmation, Purpose::Confirmation);
        let choice = config.letters.as_ref().map(|letters| {
            let known = survey.known_fields(letters.role);
            Choice::new(letters.role, &letters.column, &known, self.values.clone())
        });
        let choice = choice.transpose().map_err(|error| problems.push(format!("letters.by: {error}")));
        match (letter, others.into_iter().collect(), confirmation, choice) {
            (Some(letter), Some(others), Some(confirmation), Ok(choice)) => {
                Ok(Texts { letter, others, choice, confirmation, campaign })
            }
            _ => Err(Failure::listing(Exit::Refused, &problems)),
        }
    }

    /// Keeps them in a ledger.
    pub(super) fn freeze(&self, ledger: &SqliteLedger, now: jiff::Timestamp) -> Result<FrozenTexts, LedgerError> {
        let freeze = |text: &Named| ledger.freeze_template(&text.name, text.source.text(), now);
        Ok(FrozenTexts {
            letter: freeze(&self.letter)?,
            others: self.others.iter().map(freeze).collect::<Result<_, _>>()?,
            confirmation: freeze(&self.confirmation)?,
        })
    }

    /// The first text that is another than the one that letters were planned with.
    pub(super) fn changed(&self, ledger: &SqliteLedger) -> Result<Option<&str>, LedgerError> {
        for text in self.all() {
            // A run that was killed may have frozen the new text without moving what waits to it.
            let in_wait =
                || ledger.texts_in_wait(&text.name).map(|texts| texts.iter().any(|old| !text.source.says(old)));
            if !Self::is_frozen(ledger, text)? || in_wait()? {
                return Ok(Some(&text.name));
            }
        }
        Ok(None)
    }

    /// Whether letters were last planned with just this text; nothing was planned with one that is new here.
    fn is_frozen(ledger: &SqliteLedger, text: &Named) -> Result<bool, LedgerError> {
        let Some((_, before)) = ledger.newest_template(&text.name)? else { return Ok(true) };
        // Of a text that was purged its hash is left.
        Ok(text.source.says(&before) || (before.is_empty() && ledger.froze_last(&text.name, text.source.text())?))
    }

    /// Moves what was not offered to a relay yet to the texts as they are now; gives name and number for each.
    pub(super) fn adopt(&self, ledger: &SqliteLedger, now: jiff::Timestamp) -> Result<Vec<(&str, u64)>, LedgerError> {
        let adopt = |text: &'_ Named| {
            let new = ledger.freeze_template(&text.name, text.source.text(), now)?;
            ledger.adopt_template(&text.name, new, now)
        };
        self.all().map(|text| Ok((text.name.as_str(), adopt(text)?))).collect()
    }

    /// Every text with all that it includes, each with its name.
    pub(super) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.all().map(|text| (text.name.as_str(), text.source.text()))
    }

    fn all(&self) -> impl Iterator<Item = &Named> {
        std::iter::once(&self.letter).chain(&self.others).chain([&self.confirmation])
    }
}

/// The columns that people have besides the usual ones.
pub(super) fn fields(survey: &Survey) -> Fields {
    Fields { official: survey.known_fields(Role::Official), constituent: survey.known_fields(Role::Constituent) }
}

fn read_source(config: &Config, path: &Path) -> Result<Named, Vec<String>> {
    let shown = path.display().to_string();
    let text = read_text(path).map_err(|why| {
        vec![format!(
            "{shown}: {why}; the texts are named in config.toml: campaign.letter, campaign.confirmation, [letters]"
        )]
    })?;
    let folder = config.dir.join("templates");
    let load = |name: &str| inside(&folder, name).and_then(|path| read_text(&path));
    let source = Source::with_includes(&shown, &text, &load)
        .map_err(|found| found.iter().map(TemplateProblem::to_string).collect::<Vec<_>>())?;
    let name = path.strip_prefix(&config.dir).unwrap_or(path).display().to_string();
    Ok(Named { name, source })
}

/// The file of that name, which must be in the folder even when links are followed.
fn inside(folder: &Path, name: &str) -> Result<PathBuf, String> {
    let path = folder.join(name);
    let real = path.canonicalize().map_err(|error| said(&error))?;
    let folder = folder.canonicalize().map_err(|error| said(&error))?;
    if real.starts_with(&folder) {
        Ok(real)
    } else {
        Err("it is a link to a file outside the folder `templates`; put a copy there".to_owned())
    }
}

fn read_text(path: &Path) -> Result<String, String> {
    let about = path.metadata().map_err(|error| said(&error))?;
    if !about.is_file() {
        return Err("it is not a file".to_owned());
    }
    let mut text = String::new();
    let file = File::open(path).map_err(|error| said(&error))?;
    file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(|error| said(&error))?;
    Ok(text)
}

fn said(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "this user may not read it".to_owned(),
        std::io::ErrorKind::InvalidData => "it is not UTF-8 text; save it as plain text in UTF-8".to_owned(),
        _ => error.to_string(),
    }
}
