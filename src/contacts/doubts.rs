//! The doubts about the columns of all files → questions, or faults where there is nothing to ask.

use std::collections::BTreeSet;

use super::columns::Column;
use super::error::{FileFault, FileProblem};
use super::layout::Doubt;
use super::question::Question;
use super::sample::Sample;
use super::settings::{ContactsFile, ContactsSettings};
use super::table::Table;
use crate::model::Role;

/// What a table lacks, each as a fault. Where its header line is in order, a person can be asked instead.
pub(super) fn faults_of(table: &Table, file: &ContactsFile, settings: &ContactsSettings) -> Vec<FileProblem> {
    let required: Vec<&Doubt> = table.layout.doubts.iter().filter(|d| d.is_required).collect();
    if required.is_empty() {
        return Vec::new();
    }
    let sample = if table.faults.is_empty() { Sample::read(file, settings).ok() } else { None };
    let known = if sample.is_some() { jurisdictions(settings) } else { BTreeSet::new() };
    let fault = |doubt: &Doubt| {
        let question = sample.as_ref().and_then(|s| Question::about(doubt, s, &known));
        let missing =
            || FileFault::MissingColumn { column: doubt.wanted.clone(), headers: table.layout.headers.join(", ") };
        question.map_or_else(missing, |q| FileFault::Unsure(Box::new(q))).at(&table.name, Some(table.header_line))
    };
    required.into_iter().map(fault).collect()
}

/// What can be asked about columns of these files that need not be there.
pub(super) fn optional(files: &[&ContactsFile], settings: &ContactsSettings) -> Result<Vec<Question>, FileProblem> {
    let known = if files.is_empty() { BTreeSet::new() } else { jurisdictions(settings) };
    let mut found = Vec::new();
    for file in files {
        let sample = Sample::read(file, settings)?;
        let optional = sample.layout.doubts.iter().filter(|d| !d.is_required);
        found.extend(optional.filter_map(|doubt| Question::about(doubt, &sample, &known)));
    }
    Ok(found)
}

/// The jurisdictions that a file of officials has, by which a constituents' file is understood.
pub(super) fn jurisdictions(settings: &ContactsSettings) -> BTreeSet<String> {
    let officials = settings.files.iter().filter(|f| f.role == Some(Role::Official));
    let of = |sample: Sample| sample.folded(sample.layout.places(Column::Jurisdiction));
    officials.filter_map(|file| Sample::read(file, settings).ok()).flat_map(of).collect()
}
