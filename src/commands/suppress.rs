//! `suppress`: the mailboxes to which nothing is sent.

use std::io::{self, Write};

use jiff::Timestamp;
use serde_json::json;

use crate::cli::{Place, Suppress, SuppressAdd, SuppressImport, SuppressList};
use crate::contacts::{NoMailbox, mailboxes};
use crate::ledger::sqlite::{Access, SqliteLedger};
use crate::ledger::{LedgerError, Suppressed, SuppressedBy, Suppression};
use crate::model::{Barred, is_domain};
use crate::report::{SHORT_MOMENT, counted, paragraph};

use super::console::{note, say, tell};
use super::failure::Reason;
use super::workspace::{Workspace, new_tag};
use super::{Exit, Failure};

/// Lines of a file that are named where they cannot be used.
const SHOWN_MAX: usize = 20;

pub(super) fn run(place: &Place, what: &Suppress) -> Result<Exit, Failure> {
    let workspace = Workspace::open(place)?;
    match what {
        Suppress::Add(args) => add(&workspace, args),
        Suppress::Remove(args) => remove(&workspace, args),
        Suppress::List(args) => list(&workspace, args),
        Suppress::Import(args) => import(&workspace, args),
    }
}

fn add(workspace: &Workspace, args: &SuppressAdd) -> Result<Exit, Failure> {
    put_on(workspace, &entries(&args.addresses)?, &args.reason)
}

fn import(workspace: &Workspace, args: &SuppressImport) -> Result<Exit, Failure> {
    let found = mailboxes(&args.file)?;
    let file = args.file.display().to_string();
    let told = |bad: &NoMailbox| format!("{file}, line {}, column {}: {}", bad.line, bad.column, bad.why);
    let mut lines: Vec<String> = found.bad.iter().take(SHOWN_MAX).map(told).collect();
    let more = found.bad.len().saturating_sub(SHOWN_MAX);
    if more > 0 {
        lines.push(format!("… and {more} more"));
    }
    if !found.bad.is_empty() && !args.skip_bad {
        let reason =
            |bad: &NoMailbox| Reason::new(&file, Some(bad.line), &format!("column {}: {}", bad.column, bad.why));
        let reasons = found.bad.iter().map(reason).collect();
        let text = format!(
            "{}\n{} cannot be used; nothing was imported. Mend them, or go on without them with --skip-bad",
            lines.join("\n"),
            counted(lines_of(&found.bad), "line")
        );
        return Err(Failure::new(Exit::Refused, text).because(reasons));
    }
    lines.into_iter().for_each(note);
    if let Some(line) = found.comments_with_address.first() {
        let n = counted(found.comments_with_address.len() as u64, "line");
        let text = "beginning with # passed by as comments, though with an address; the first";
        note(paragraph(&format!("{file}: {n} {text}: line {line}")));
    }
    if found.good.is_empty() {
        return Err(Failure::new(Exit::Refused, format!("{file} lists no address; nothing was imported")));
    }
    put_on(workspace, &once(found.good), &args.reason)
}

fn lines_of(bad: &[NoMailbox]) -> u64 {
    let mut lines: Vec<u64> = bad.iter().map(|bad| bad.line).collect();
    lines.dedup();
    lines.len() as u64
}

fn put_on(workspace: &Workspace, entries: &[Barred], reason: &str) -> Result<Exit, Failure> {
    // Asked first: making a ledger takes the same lock.
    let is_running = SqliteLedger::dispatcher_is_running(&workspace.config.ledger);
    let ledger = open_or_create(workspace)?;
    let Suppressed { new, known, messages } = ledger.suppress(entries, reason, Timestamp::now())?;
    say(format!("{} new on the suppression list, {known} there already.", of_these(new, entries)));
    if messages > 0 {
        say(format!("{} that waited will not go.", counted(messages, "message")));
    }
    if new > 0 && is_running {
        tell("The `send` that is running follows within half a second; what is in transmission ends as it ends.");
    }
    Ok(Exit::Done)
}

fn remove(workspace: &Workspace, args: &SuppressAdd) -> Result<Exit, Failure> {
    let entries = entries(&args.addresses)?;
    let ledger = SqliteLedger::open(&workspace.config.ledger, Access::Staff)?;
    let done = ledger.unsuppress(&entries, &args.reason, Timestamp::now())?;
    say(format!("{} taken off the suppression list.", of_these(done.lifted, &entries)));
    if done.absent > 0 {
        say(format!("{} not on it.", of_these(done.absent, &entries)));
    }
    if done.by_relay > 0 {
        tell(format!(
            "{} on it because a mail server refused them for good; they come off with: undersigned retry --state suppressed",
            boxes(done.by_relay)
        ));
    }
    if done.by_domain > 0 {
        tell(format!(
            "{} still suppressed, because the whole domain is on the list; see: undersigned suppress list",
            boxes(done.by_domain)
        ));
    }
    if done.messages > 0 {
        tell(format!(
            "Still suppressed: {} to them; back with: undersigned retry --state suppressed, then undersigned send",
            counted(done.messages, "message")
        ));
    }
    Ok(Exit::Done)
}

fn list(workspace: &Workspace, args: &SuppressList) -> Result<Exit, Failure> {
    let config = &workspace.config;
    let mut out = io::BufWriter::new(io::stdout().lock());
    let (mut staff, mut relay, mut domains) = (0_u64, 0_u64, 0_u64);
    let listed = if config.ledger.exists() {
        SqliteLedger::open(&config.ledger, Access::Read)?.suppressions(&mut |entry| {
            *(if entry.by == SuppressedBy::Staff { &mut staff } else { &mut relay }) += 1;
            domains += u64::from(is_domain(&entry.mailbox));
            let line = if args.json { line_json(&entry) } else { line(&entry, &config.timezone) };
            writeln!(out, "{line}")
        })
    } else {
        Ok(())
    };
    match listed {
        Err(LedgerError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(Exit::Done),
        listed => listed?,
    }
    let _ = out.flush(); // a closed pipe is the reader's way of saying that it is enough
    drop(out);
    if !args.json {
        let and = if domains > 0 { format!(" and {}", counted(domains, "domain")) } else { String::new() };
        say(format!("{}{and}: {staff} by staff, {relay} refused for good.", boxes(staff + relay - domains)));
    }
    Ok(Exit::Done)
}

fn line(entry: &Suppression, zone: &jiff::tz::TimeZone) -> String {
    let at = entry.at.to_zoned_datetime(zone.clone()).strftime(SHORT_MOMENT).to_string();
    let by = match entry.by {
        SuppressedBy::Staff => "by staff",
        SuppressedBy::Relay => "refused",
    };
    format!("{}  {by}  {at}  {}", entry.mailbox, entry.reason).trim_end().to_owned()
}

fn line_json(entry: &Suppression) -> String {
    let Suppression { mailbox, by, at, reason } = entry;
    json!({ "mailbox": mailbox, "by": by.as_str(), "at": at.to_string(), "reason": reason }).to_string()
}

fn entries(texts: &[String]) -> Result<Vec<Barred>, Failure> {
    let parse = |text: &String| {
        Barred::parse(text)
            .map_err(|why| Failure::new(Exit::Usage, format!("{text} cannot be used: {why}; nothing was changed")))
    };
    Ok(once(texts.iter().map(parse).collect::<Result<_, _>>()?))
}

/// Each by itself.
fn once(mut entries: Vec<Barred>) -> Vec<Barred> {
    entries.sort_unstable();
    entries.dedup();
    entries
}

/// Before the first `send` there is no ledger yet.
fn open_or_create(workspace: &Workspace) -> Result<SqliteLedger, Failure> {
    let config = &workspace.config;
    match SqliteLedger::open(&config.ledger, Access::Staff) {
        Err(LedgerError::Absent(path)) => {
            Ok(SqliteLedger::create(&path, &config.identity.campaign, &new_tag()?, Timestamp::now())?)
        }
        opened => Ok(opened?),
    }
}

/// How many of them, by a word that fits all.
fn of_these(n: u64, entries: &[Barred]) -> String {
    if !entries.iter().any(Barred::is_domain) {
        return boxes(n);
    }
    if entries.iter().all(Barred::is_domain) {
        return counted(n, "domain");
    }
    if n == 1 { "1 entry".to_owned() } else { format!("{n} entries") }
}

fn boxes(n: u64) -> String {
    if n == 1 { "1 mailbox".to_owned() } else { format!("{n} mailboxes") }
}
