//! `forget`: withdraws what was not sent of somebody who asks for it, and erases them wherever this program put them.

use jiff::Timestamp;

use crate::cli::{Forget, Place};
use crate::ledger::sqlite::{Access, Forgotten, SqliteLedger};
use crate::model::EmailAddress;
use crate::report::{counted, paragraph};

use super::console::{complain, note, say, tell};
use super::erasing::{in_copies, is_to_go, open_or_make, remove_previews, remove_rehearsal};
use super::forgetting::Found;
use super::workspace::Workspace;
use super::{Exit, Failure};

pub(super) fn run(place: &Place, args: &Forget) -> Result<Exit, Failure> {
    let mailboxes = addresses(&args.addresses)?;
    let workspace = Workspace::open(place)?;
    let found = Found::look(&workspace, &mailboxes, args.keep_lists)?;
    found.must_not_be_officials()?;
    if !is_to_go(&workspace, &found.plan(), args.dry_run, args.yes)? {
        return Ok(Exit::Done);
    }
    let ledger = match open_or_make(&workspace) {
        Ok(ledger) => ledger,
        Err(failure) if failure.exit == Exit::Busy => return withdraw(&workspace, &mailboxes),
        Err(failure) => return Err(failure),
    };
    let mut left = erase_in(&ledger, &found)?;
    drop(ledger);
    left.extend(in_copies(&found.copies, "not erased there", |copy| erase_in(copy, &found)));
    if let Some(folder) = &found.rehearsal {
        remove_rehearsal(folder)?;
        tell(format!("{} is removed.", folder.display()));
    }
    if let Some(folder) = &found.previews {
        remove_previews(folder)?;
        tell(format!("{} is removed.", folder.display()));
    }
    for done in found.take_out(&workspace)? {
        tell(format!("{done}."));
    }
    left.extend(Found::look(&workspace, &mailboxes, args.keep_lists)?.left());
    Ok(what_is_left(&left))
}

/// The addresses as people type them. What is wrong with one is told by its place.
fn addresses(typed: &[String]) -> Result<Vec<EmailAddress>, Failure> {
    let mut mailboxes: Vec<EmailAddress> = Vec::new();
    for (place, text) in typed.iter().enumerate() {
        let mailbox = EmailAddress::parse(text).map_err(|why| {
            Failure::new(Exit::Usage, format!("address number {}: {why}; nothing was changed", place + 1))
        })?;
        if !mailboxes.iter().any(|known| known.key() == mailbox.key()) {
            mailboxes.push(mailbox);
        }
    }
    Ok(mailboxes)
}

/// Erases in one ledger; gives where the address still is.
fn erase_in(ledger: &SqliteLedger, found: &Found) -> Result<Vec<String>, Failure> {
    let mut sum = Forgotten::default();
    for whom in &found.whom {
        let done = ledger.forget(&whom.mailbox, whom.is_officials(), Timestamp::now())?;
        sum.people += done.people;
        sum.withdrawn += done.withdrawn;
    }
    if sum.people > 0 {
        let people = if sum.people == 1 { "1 person is".to_owned() } else { format!("{} people are", sum.people) };
        say(format!("{people} erased; {} withdrawn.", counted(sum.withdrawn, "message")));
    }
    // An official's address is meant to stay.
    let gone: Vec<EmailAddress> =
        found.whom.iter().filter(|whom| !whom.is_officials()).map(|whom| whom.mailbox.clone()).collect();
    Ok(ledger.scrub(&gone)?)
}

/// While `send` is at work: what it did not take yet is withdrawn at once, and it never takes more of them.
fn withdraw(workspace: &Workspace, mailboxes: &[EmailAddress]) -> Result<Exit, Failure> {
    let ledger = SqliteLedger::open(&workspace.config.ledger, Access::Staff)?;
    let mut withdrawn = 0;
    for mailbox in mailboxes {
        withdrawn += ledger.withdraw(mailbox, Timestamp::now())?;
    }
    tell(format!("{} withdrawn; nothing more is planned or taken up for them.", counted(withdrawn, "message")));
    let text = "`send` is at work here, so the erasure must wait: what is just being handed over may still go. Stop it \
                with Ctrl-C where it runs, or let it end, then run the same `forget` again";
    complain(paragraph(text));
    Ok(Exit::Busy)
}

fn what_is_left(left: &[String]) -> Exit {
    if left.is_empty() {
        tell("Nothing of them is left here. What relays and recipients have, this program cannot take back.");
        return Exit::Done;
    }
    note("Not everything is gone. For you to do:");
    for what in left {
        note(paragraph(&format!("- {what}")));
    }
    Exit::FinishedWithFailures
}
