//! `check`: reads everything, fills in every letter, finds every problem at once; with `--online` it also asks
//! relays and the DNS. Sends nothing.

use crate::cli::{Check, Place};
use crate::online::{Finding, Weight};
use crate::report::{check_json, match_text, online_json, online_text, paragraph};

use super::console::say;
use super::live::Live;
use super::relay_limits;
use super::workspace::{BadRows, Prepared, Workspace};
use super::{Exit, Failure, online};

pub(super) fn run(place: &Place, args: &Check) -> Result<Exit, Failure> {
    match look(place, args) {
        Ok(looked) if args.json => Ok(looked.as_json()),
        Ok(looked) => looked.as_text(),
        Err(failure) if args.json => {
            say(failure.json());
            Ok(failure.exit)
        }
        Err(failure) => Err(failure),
    }
}

/// What was looked at.
struct Looked {
    workspace: Workspace,
    prepared: Prepared,
    bad_rows: BadRows,
    /// What was found online, where it was asked for.
    online: Option<Vec<Finding>>,
}

fn look(place: &Place, args: &Check) -> Result<Looked, Failure> {
    let bad_rows = BadRows::from(args.skip_bad);
    let mut workspace = Workspace::open(place)?;
    workspace.config = Live::of(&workspace.config).over(&workspace.config)?;
    workspace.signers()?; // a key that cannot be used is better found now than at the first letter
    let prepared = workspace.prepare(bad_rows)?;
    let online = if args.online { Some(online::look(&workspace, &prepared, args)?) } else { None };
    Ok(Looked { workspace, prepared, bad_rows, online })
}

impl Looked {
    fn as_text(&self) -> Result<Exit, Failure> {
        say(self.workspace.with_findings(&self.prepared, match_text));
        relay_limits::tell(&self.workspace.config.relays);
        if let Some(path) = &self.prepared.refused_to {
            say(format!(
                "The rows that cannot be used are in {}; mend them there and add them to your file.",
                path.display()
            ));
        }
        if let Some(findings) = &self.online {
            say(format!("{}\n", online_text(findings)));
        }
        self.refusal()?;
        say(last_words(&self.prepared));
        Ok(Exit::Done)
    }

    fn as_json(&self) -> Exit {
        let launchable = self.prepared.must_be_launchable(self.bad_rows).is_ok();
        let refusal = self.refusal().err();
        let exit = refusal.as_ref().map_or(Exit::Done, |failure| failure.exit);
        let reason = refusal.map(|failure| failure.to_string());
        let mut found =
            self.workspace.with_findings(&self.prepared, |found| check_json(found, exit as u8, reason.as_deref()));
        found["launchable"] = launchable.into();
        if let Some(findings) = &self.online {
            found["online"] = online_json(findings);
        }
        say(found);
        exit
    }

    /// Why the campaign is not in order.
    fn refusal(&self) -> Result<(), Failure> {
        self.prepared.must_be_launchable(self.bad_rows)?;
        let problems = self.online.iter().flatten().filter(|finding| finding.weight == Weight::Problem).count();
        if problems == 0 {
            return Ok(());
        }
        let text = "online, something stands in the way of mail; nothing was sent. It is told above, with what to do";
        Err(Failure::new(Exit::Refused, text))
    }
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
