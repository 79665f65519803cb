//! A person who was corrected after planning looks like a new one, and would get a second letter.
//!
//! Name, jurisdiction and mailbox make a person; when somebody new has the name and the jurisdiction of somebody who
//! was planned and is no longer in the file, or is an official with the mailbox of such a one, staff decide what they
//! are. Two constituents with one mailbox are a couple.

use std::collections::{HashMap, HashSet};

use crate::contacts::{ContactsError, Row, Survey};
use crate::ledger::sqlite::SqliteLedger;
use crate::ledger::{Ledger, LedgerError};
use crate::model::PersonKey;
use crate::report::counted;

use super::{Exit, Failure};

/// So many are named.
const SHOWN: usize = 20;

/// Somebody new who may be somebody known.
struct Suspect {
    line: u64,
    /// Their number, if they are an official.
    official: Option<usize>,
    name: String,
    known_as: Vec<PersonKey>,
}

/// Refuses to go on where a second letter would go out in one person's name, or to one official.
pub(super) fn must_not_go_out(ledger: &SqliteLedger, survey: &Survey) -> Result<(), Failure> {
    let mut suspects = suspects(ledger, survey)?;
    if suspects.is_empty() {
        return Ok(());
    }
    let known_as: HashSet<PersonKey> = suspects.iter().flat_map(|s| s.known_as.iter().copied()).collect();
    let still_there = still_there(survey, &known_as)?;
    for suspect in &mut suspects {
        suspect.known_as.retain(|key| !still_there.contains(key));
    }
    suspects.retain(|s| !s.known_as.is_empty());
    clear_officials(ledger, survey, &mut suspects)?;
    if suspects.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = suspects.iter().take(SHOWN).map(|s| format!("  line {}: {}", s.line, s.name)).collect();
    let more = if suspects.len() > SHOWN { "\n  …" } else { "" };
    Err(Failure::new(
        Exit::Refused,
        format!(
            "the file says something else of {} since letters were planned: another address, or, of an official, \
             another name, title or jurisdiction:\n{}{more}\n\
             Their letters would go out a second time; nothing was sent. Put back what stood there. To send only the \
             letters that failed, to the new address: undersigned export --failed. If these are other people, or a \
             second letter is what you want: undersigned send --accept-changed-people",
            counted(suspects.len() as u64, "person").replace("persons", "people"),
            lines.join("\n"),
        ),
    ))
}

fn suspects(ledger: &SqliteLedger, survey: &Survey) -> Result<Vec<Suspect>, Failure> {
    let mut found = Vec::new();
    let by_mailbox = ledger.officials_by_mailbox()?;
    let mut look =
        |line, official, key, (name, jurisdiction): (&str, &str), before: &[PersonKey]| -> Result<(), LedgerError> {
            if !ledger.knows(key)? {
                let mut known_as = ledger.namesakes(name, jurisdiction)?;
                known_as.extend(before);
                if !known_as.is_empty() {
                    found.push(Suspect { line, official, name: name.to_owned(), known_as });
                }
            }
            Ok(())
        };
    // An official who gets a mailbox for the first time is no suspect: nothing was sent to them.
    let without: HashSet<PersonKey> = survey.officials().iter().map(|o| homeless_key(&o.official)).collect();
    for (number, listed) in survey.officials().iter().enumerate() {
        let official = &listed.official;
        let before = official.mailbox.as_ref().and_then(|mailbox| by_mailbox.get(&mailbox.key()));
        let named = (official.name.as_str(), official.jurisdiction.as_str());
        look(listed.line, Some(number), official.key(), named, before.map_or(&[], Vec::as_slice))?;
    }
    for row in survey.rows()? {
        if let Row::Joined { line, constituent, .. } = row? {
            let named = (constituent.name.as_str(), constituent.jurisdiction.as_str());
            look(line, None, constituent.key(), named, &[])?;
        }
    }
    for suspect in &mut found {
        suspect.known_as.retain(|key| !without.contains(key));
    }
    found.retain(|suspect| !suspect.known_as.is_empty());
    Ok(found)
}

/// Lets go of officials to whom nobody in the file writes again: each letter to their old address failed, or is of
/// somebody who is not in the file.
fn clear_officials(ledger: &SqliteLedger, survey: &Survey, suspects: &mut Vec<Suspect>) -> Result<(), Failure> {
    let known_as: HashMap<usize, Vec<PersonKey>> =
        suspects.iter().filter_map(|s| Some((s.official?, s.known_as.clone()))).collect();
    if known_as.is_empty() {
        return Ok(());
    }
    let mut twice: HashSet<usize> = HashSet::new();
    for row in survey.rows()? {
        let Row::Joined { constituent, officials, .. } = row? else { continue };
        let open = officials.into_iter().filter(|number| known_as.contains_key(number) && !twice.contains(number));
        let open: Vec<usize> = open.collect();
        if open.is_empty() {
            continue;
        }
        let before: HashSet<PersonKey> = ledger
            .fates(constituent.key())?
            .into_iter()
            .filter(|fate| fate.state.may_reach())
            .filter_map(|fate| fate.official_key)
            .collect();
        twice.extend(open.into_iter().filter(|number| known_as[number].iter().any(|key| before.contains(key))));
    }
    suspects.retain(|s| s.official.is_none_or(|number| twice.contains(&number)));
    Ok(())
}

/// The key that an official had before they had a mailbox.
fn homeless_key(official: &crate::model::Official) -> PersonKey {
    crate::model::Official { mailbox: None, ..official.clone() }.key()
}

/// Which of these people are still in the file.
fn still_there(survey: &Survey, wanted: &HashSet<PersonKey>) -> Result<HashSet<PersonKey>, ContactsError> {
    let officials = survey.officials().iter().map(|listed| listed.official.key());
    let mut found: HashSet<PersonKey> = officials.filter(|key| wanted.contains(key)).collect();
    for row in survey.rows()? {
        if let Row::Joined { constituent, .. } = row? {
            found.extend(Some(constituent.key()).filter(|key| wanted.contains(key)));
        }
    }
    Ok(found)
}
