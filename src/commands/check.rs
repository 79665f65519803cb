//! `check`: reads everything, fills in every letter, finds every problem at once; sends nothing.

use crate::cli::{Check, Place};
use crate::report::{check_json, match_text, paragraph};

use super::console::say;
use super::workspace::{BadRows, Prepared, Workspace};
use super::{Exit, Failure};

pub(super) fn run(place: &Place, args: &Check) -> Result<Exit, Failure> {
    let bad_rows = BadRows::from(args.skip_bad);
    let checked = Workspace::open(place).and_then(|workspace| {
        workspace.signers()?; // a key that cannot be used is better found now than at the first letter
        let prepared = workspace.prepare(bad_rows)?;
        Ok((workspace, prepared))
    });
    match checked {
        Ok((workspace, prepared)) if args.json => Ok(as_json(&workspace, &prepared, bad_rows)),
        Ok((workspace, prepared)) => as_text(&workspace, &prepared, bad_rows),
        Err(failure) if args.json => {
            say(failure.json());
            Ok(failure.exit)
        }
        Err(failure) => Err(failure),
    }
}

fn as_text(workspace: &Workspace, prepared: &Prepared, bad_rows: BadRows) -> Result<Exit, Failure> {
    say(workspace.with_findings(prepared, match_text));
    if let Some(path) = &prepared.refused_to {
        say(format!(
            "The rows that cannot be used are in {}; mend them there and add them to your file.",
            path.display()
        ));
    }
    prepared.must_be_launchable(bad_rows)?;
    say(last_words(prepared));
    Ok(Exit::Done)
}

/// All is well, or some rows were left out, or some letters have a hole where a cell is empty. A name does without its
/// title.
fn last_words(prepared: &Prepared) -> String {
    let mut holes = prepared.report.empty_cells.keys().filter(|field| field.rsplit('.').next() != Some("title"));
    match (holes.next(), &prepared.refused_to) {
        (Some(field), _) => paragraph(&format!(
            "Letters can go, but some have a hole where a cell is empty, as listed above. Fill the cells, or put \
             {{% if {field} %}} and {{% endif %}} around the words that need it. Nothing was sent."
        )),
        (None, Some(_)) => "Everything else is in order. Nothing was sent.".to_owned(),
        (None, None) => "Everything is in order. Nothing was sent.".to_owned(),
    }
}

fn as_json(workspace: &Workspace, prepared: &Prepared, bad_rows: BadRows) -> Exit {
    let refusal = prepared.must_be_launchable(bad_rows).err();
    let exit = refusal.as_ref().map_or(Exit::Done, |failure| failure.exit);
    let reason = refusal.map(|failure| failure.to_string());
    say(workspace.with_findings(prepared, |found| check_json(found, exit as u8, reason.as_deref())));
    exit
}
