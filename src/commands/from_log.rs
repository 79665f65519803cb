//! `resolve --from-log`: what a relay's own log proves of messages in doubt, and of those that wait in a ledger that is
//! older than the log. It must not decide what a line means: that is `relay_log`'s.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::cli::{Place, Resolve};
use crate::config::Config;
use crate::ledger::sqlite::{Access, SqliteLedger};
use crate::ledger::{Decision, DecisionKind, Doubtful, Ledger, LedgerError, LogProof, Selection};
use crate::model::{MessageId, MessageState};
use crate::relay_log::{self, Fate, Finding, Found, Hole, LogFile, Proof, ReadError, Search, Sought, Zone};
use crate::report::{counted, paragraph};

use super::console::{ask, note, say, tell};
use super::workspace::Workspace;
use super::{Exit, Failure};

const BUFFER_BYTES: usize = 1 << 18;
/// Messages that are told one by one.
const TOLD_MAX: usize = 200;

pub(super) fn run(place: &Place, args: &Resolve) -> Result<Exit, Failure> {
    let config = Workspace::open(place)?.config;
    let ledger = ledger(&config.ledger, args.dry_run)?;
    let relay = whose(&config, args)?;
    let doubts = doubts(&ledger)?;
    let known = Known { doubts, only: args.relay.clone(), relay };
    must_be_one_relay_s(&known, args)?;

    let Searched { names, has_pipe, holes, findings, strangers } = search(&ledger, &known, args)?;
    let found: Vec<Told<'_>> = findings.iter().filter_map(|finding| known.told(finding)).collect();
    tell_each(&found, &names, args);
    for hole in holes.iter().copied() {
        note(paragraph(&why_silence_proves_nothing(hole, &names)));
    }
    let is_left = |told: &Told<'_>| matches!(told.found, Found::Nothing { is_covered: false });
    if has_pipe && holes.is_empty() && found.iter().any(is_left) {
        note(paragraph(
            "What comes through a pipe and is silent for more than ten minutes may be missing a file just there, so \
             that silence proves nothing, also with --complete. Give the files by name, as they are, also packed (.gz); \
             a journal, written into a file.",
        ));
    }
    let again: Vec<MessageId> =
        found.iter().filter(|told| told.may_go_again()).map(|told| told.doubt.message).collect();
    if args.dry_run {
        say("Nothing was changed (--dry-run).");
        return Ok(Exit::Done);
    }
    settle(&ledger, &known, &found, &strangers, &names, args)?;
    if args.complete {
        send_again(&ledger, again, &names, args)?;
    }
    let left = ledger.counts()?.in_state(MessageState::InDoubt);
    if left > 0 {
        tell(format!("Still in doubt: {}; see them with: undersigned log --state in_doubt", counted(left, "message")));
    }
    Ok(Exit::Done)
}

/// What a run that was killed left open is put right first: a log tells of that, too, and in a copy that was made while
/// letters went, the next `send` would hand it over again.
fn ledger(path: &Path, is_dry_run: bool) -> Result<SqliteLedger, Failure> {
    if is_dry_run {
        let ledger = SqliteLedger::open(path, Access::Read)?;
        let counts = ledger.counts()?;
        let open = counts.in_state(MessageState::Leased) + counts.in_state(MessageState::Transmitting);
        if open > 0 {
            let n = counted(open, "message");
            note(paragraph(&format!(
                "{n} claimed or in transmission: a run without --dry-run looks at what a killed `send` left."
            )));
        }
        return Ok(ledger);
    }
    match SqliteLedger::open(path, Access::Dispatch) {
        Ok(ledger) => ledger.put_right(Timestamp::now())?,
        Err(LedgerError::Busy(_)) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(SqliteLedger::open(path, Access::Staff)?)
}

/// The messages that the log is asked about.
struct Known {
    doubts: Vec<Doubtful>,
    /// The silence of the log is about messages that were handed to this relay alone, where staff name one.
    only: Option<String>,
    /// Whose log it is, as far as that is known.
    relay: Option<String>,
}

/// A message of which there is something to tell.
struct Told<'a> {
    doubt: &'a Doubtful,
    found: &'a Found,
}

impl Known {
    /// That the relay has it is told of all; anything else, of what is in doubt there.
    fn told<'a>(&'a self, finding: &'a Finding) -> Option<Told<'a>> {
        let at = self.doubts.binary_search_by_key(&finding.message, |doubt| doubt.message).ok()?;
        let doubt = &self.doubts[at];
        let is_in_doubt_there =
            doubt.state == MessageState::InDoubt && self.only.as_ref().is_none_or(|only| doubt.relay == *only);
        let is_told = is_in_doubt_there || matches!(finding.found, Found::Taken(_));
        is_told.then_some(Told { doubt, found: &finding.found })
    }
}

impl Told<'_> {
    fn may_go_again(&self) -> bool {
        let proven = matches!(self.found, Found::ThrownAway(_) | Found::Nothing { is_covered: true });
        self.doubt.state == MessageState::InDoubt && proven
    }
}

fn doubts(ledger: &SqliteLedger) -> Result<Vec<Doubtful>, Failure> {
    let mut doubts = Vec::new();
    ledger.doubtful(&mut |doubt| doubts.push(doubt))?;
    Ok(doubts)
}

/// Whose log it is: as staff say, or the only relay's.
fn whose(config: &Config, args: &Resolve) -> Result<Option<String>, Failure> {
    let names = || config.relays.iter().map(|relay| relay.name().to_owned());
    match &args.relay {
        Some(name) if names().any(|known| known == *name) => Ok(Some(name.clone())),
        Some(name) => Err(Failure::new(Exit::Usage, format!("there is no relay `{name}` in config.toml"))),
        None => Ok(names().next().filter(|_| config.relays.len() == 1)),
    }
}

/// The silence of one relay's log tells nothing of what another was handed.
fn must_be_one_relay_s(known: &Known, args: &Resolve) -> Result<(), Failure> {
    let in_doubt = known.doubts.iter().filter(|doubt| doubt.state == MessageState::InDoubt);
    let mut relays: Vec<&str> = in_doubt.map(|doubt| doubt.relay.as_str()).collect();
    relays.sort_unstable();
    relays.dedup();
    if args.complete && args.relay.is_none() && relays.len() > 1 {
        let text = format!(
            "messages are in doubt at {}; say whose log it is with --relay NAME, and ask each log by itself",
            relays.join(" and ")
        );
        return Err(Failure::long(Exit::Usage, &text));
    }
    Ok(())
}

struct Searched {
    /// Of the files, in the order in which they were read.
    names: Vec<String>,
    has_pipe: bool,
    holes: Vec<Hole>,
    findings: Vec<Finding>,
    /// Messages of the campaign that the ledger does not know: to whom, and the proof.
    strangers: Vec<(String, Proof)>,
}

fn search(ledger: &SqliteLedger, known: &Known, args: &Resolve) -> Result<Searched, Failure> {
    let zone = Zone { zone: TimeZone::system(), now: Timestamp::now() };
    let logs: Vec<LogFile<'_>> = args.from_log.iter().map(|path| open(path, &zone)).collect::<Result<_, _>>()?;
    let has_pipe = logs.iter().any(LogFile::is_through_a_pipe);
    let sought = known.doubts.iter().map(|doubt| Sought {
        message: doubt.message,
        message_id: doubt.message_id.clone(),
        mailbox: doubt.mailbox.clone(),
        since: doubt.since,
        at: doubt.at,
    });
    let mut search = Search::new(ledger.tag(), sought.collect(), ledger.newest()?, zone);
    let mut names = Vec::new();
    for (number, mut log) in LogFile::in_order(logs).into_iter().enumerate() {
        search.read(number, &mut log).map_err(|error| unreadable(&log.name, &error))?;
        names.push(log.name);
    }
    note(format!("{} read.", counted(search.lines, "line")));
    let holes = search.holes().to_vec();
    let (findings, strangers) = search.finish();
    Ok(Searched { names, has_pipe, holes, findings, strangers })
}

fn open<'a>(path: &Path, zone: &Zone) -> Result<LogFile<'a>, Failure> {
    let log = if path == Path::new("-") {
        let input = BufReader::with_capacity(BUFFER_BYTES, io::stdin());
        LogFile::new("standard input".to_owned(), input, zone).through_a_pipe()
    } else {
        let fail = |error| Failure::file(path, &error);
        let file = File::open(path).map_err(fail)?;
        let is_pipe = !file.metadata().map_err(fail)?.is_file();
        let log = LogFile::new(path.display().to_string(), BufReader::with_capacity(BUFFER_BYTES, file), zone);
        if is_pipe { log.through_a_pipe() } else { log }
    };
    if log.is_packed_otherwise() {
        let text = format!(
            "{} is packed, and not by gzip; unpack it into a file and give that, for example: xzcat FILE > relay.log",
            log.name
        );
        return Err(Failure::long(Exit::Usage, &text));
    }
    Ok(log)
}

fn unreadable(name: &str, error: &ReadError) -> Failure {
    match error {
        ReadError::Input(error) => Failure::file(Path::new(name), error),
        ReadError::Damaged { .. } => {
            let advice = "nothing was changed; take a sound copy of it, or leave it out";
            Failure::long(Exit::Usage, &format!("{name}: {error}; {advice}"))
        }
    }
}

fn why_silence_proves_nothing(hole: Hole, names: &[String]) -> String {
    let name = |file: usize| names.get(file).map_or("", String::as_str);
    match hole {
        Hole::Lost => "The log says itself that lines are missing from it, so its silence proves nothing.".to_owned(),
        Hole::Unread => "Entries of the journal could not be read, so its silence proves nothing.".to_owned(),
        Hole::Cut(file) => format!(
            "{} breaks off before its end: what it says until there counts, and the log's silence proves nothing.",
            name(file)
        ),
        Hole::NoTimes(file) => format!(
            "{} has no times in a form that is known, so its silence proves nothing, and what it says is hardly found. \
             `journalctl -o cat` leaves times out; use -o short-iso.",
            name(file)
        ),
    }
}

/// What was found of each, and where it stands.
fn tell_each(found: &[Told<'_>], names: &[String], args: &Resolve) {
    for told in found.iter().take(TOLD_MAX) {
        tell(line(told, names, args));
    }
    if found.len() > TOLD_MAX {
        say(format!("… and {} more", found.len() - TOLD_MAX));
    }
    if found.is_empty() {
        say("Nothing is in doubt, and the log names nothing that waits here.");
    }
}

fn line(told: &Told<'_>, names: &[String], args: &Resolve) -> String {
    let at = |place: &relay_log::Place| format!("{}:{}", names.get(place.file).map_or("", String::as_str), place.line);
    let what = match told.found {
        Found::Taken(proof) => {
            let fate = match proof.fate {
                Some(Fate::PassedOn) => ", and passed it on",
                Some(Fate::Deferred) => ", and could not pass it on yet",
                Some(Fate::Bounced) => ", but it BOUNCED later: a message about that went to the sender's mailbox",
                Some(Fate::Expired) => ", but gave up passing it on",
                None => "",
            };
            let copies = if proof.copies > 1 { format!("; it has {} COPIES", proof.copies) } else { String::new() };
            format!("the relay took it as {}{fate}{copies} ({})", proof.queue_id, at(&proof.place))
        }
        Found::ThrownAway(place) if args.complete => {
            format!("the relay threw it away before it had all of it ({}): goes out again", at(place))
        }
        Found::ThrownAway(place) => {
            format!("the relay threw it away before it had all of it ({}); --complete sends it again", at(place))
        }
        Found::Unclear(place) => format!(
            "it began to arrive ({}), and whether the relay has it is not told; look into the relay's queue",
            at(place)
        ),
        Found::Nothing { is_covered: true } if args.complete => "not in the log: goes out again".to_owned(),
        Found::Nothing { is_covered: true } => {
            "not in the log; if that is all of the relay's log: --complete sends it again".to_owned()
        }
        Found::Nothing { is_covered: false } => {
            "not in the log, which does not tell of all the time from before its hand-over to ten minutes after it"
                .to_owned()
        }
    };
    format!("{} {}: {what}", told.doubt.kind, told.doubt.message)
}

fn settle(
    ledger: &SqliteLedger,
    known: &Known,
    found: &[Told<'_>],
    strangers: &[(String, Proof)],
    names: &[String],
    args: &Resolve,
) -> Result<(), Failure> {
    let proof = |message, proof: &Proof| LogProof { message, queue_id: proof.queue_id.clone(), at: proof.at };
    let proofs: Vec<LogProof> = found
        .iter()
        .filter_map(|told| match told.found {
            Found::Taken(taken) => Some(proof(told.doubt.message, taken)),
            _ => None,
        })
        .collect();
    if proofs.is_empty() && strangers.is_empty() {
        return Ok(());
    }
    let strangers: Vec<_> = strangers.iter().map(|(to, taken)| (to.clone(), proof(MessageId(0), taken))).collect();
    let relay = known.relay.as_deref().unwrap_or_default();
    let done = ledger.settle_by_log(&proofs, &strangers, relay, &reason(names, args), Timestamp::now())?;
    say(format!("{} in doubt: sent.", counted(done.in_doubt, "message")));
    for (n, what) in [
        (done.waiting, "waited here and had gone out already: sent"),
        (done.confirmations, "had gone out already, too (confirmations): sent"),
        (done.unknown, "went out of which this ledger knows nothing: it is older than they are"),
        (done.moved_meanwhile, "moved meanwhile; left as they are"),
    ] {
        if n > 0 {
            tell(format!("{} {what}.", counted(n, "message")));
        }
    }
    Ok(())
}

fn send_again(ledger: &SqliteLedger, again: Vec<MessageId>, names: &[String], args: &Resolve) -> Result<(), Failure> {
    if again.is_empty() {
        return Ok(());
    }
    let n = counted(again.len() as u64, "message");
    if !args.yes {
        let warning = "will go out again. If the log is not all of the relay's, the office gets a second copy.";
        let question = paragraph(&format!("{n} {warning}")) + "\nType yes to go on:";
        match ask(&question).as_deref() {
            Some("yes") => {}
            Some(_) => return Err(Failure::new(Exit::Usage, format!("{n} stay in doubt"))),
            None => {
                let text = format!("nobody is here to confirm, so {n} stay in doubt; --yes goes on without asking");
                return Err(Failure::long(Exit::Usage, &text));
            }
        }
    }
    let (kind, selection) = (DecisionKind::ResolveResend, Selection::OfThese(again));
    let decision = Decision { kind, selection, reason: reason(names, args), at: Timestamp::now() };
    let moved = ledger.decide(&decision)?;
    tell(format!("{} back in the queue; send them with: undersigned send", counted(moved, "message")));
    Ok(())
}

/// As it is recorded: by which files, how firmly, and staff's own words.
fn reason(names: &[String], args: &Resolve) -> String {
    let complete = if args.complete { ", said to be complete" } else { "" };
    let words = if args.reason.is_empty() { String::new() } else { format!("; {}", args.reason) };
    format!("by {}{complete}{words}", names.join(", "))
}
