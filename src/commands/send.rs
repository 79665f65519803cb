//! `send`: plans what is new, enrols it, then dispatches until nothing can move; run again, it goes on.

use jiff::Timestamp;

use crate::cli::{Place, Send};
use crate::dispatch::Ending;
use crate::ledger::sqlite::{Access, SqliteLedger};
use crate::ledger::{Counts, Enrolled, KeptTotals, Ledger, LedgerError};
use crate::model::{MessageKind, MessageState, mask_mailboxes};
use crate::policy::RelayLimits;
use crate::report::{MOMENT, SHORT_MOMENT, counted, standing, status_text};
use crate::template::Fields;

use super::console::{ask, note, say};
use super::live::Live;
use super::planned::{self, Print};
use super::start::Begin;
use super::workspace::{BadRows, Prepared, Workspace, new_tag};
use super::{Exit, Failure, campaign, live, relay_limits, restored, second_letters, standing, start};

pub(super) fn run(place: &Place, args: &Send) -> Result<Exit, Failure> {
    let began = Timestamp::now();
    let mut workspace = Workspace::open(place)?;
    let relays = workspace.relays()?;
    must_be_our_own_sender(&workspace)?;
    let known = open_if_there(&workspace)?;
    if let Some(ledger) = &known {
        restored::must_be_settled(&workspace, ledger, args.accept_restored)?;
    }
    let limits: Vec<_> = relays.iter().map(|p| RelayLimits { rate: p.rate, quota: p.quota }).collect();
    let live = Live::of(&workspace.config);
    let in_force = live.over(&workspace.config)?;
    let written = std::mem::replace(&mut workspace.config, in_force);
    must_be_in_time(&workspace, known.as_ref())?;
    let (print, counts) = look(&workspace, known.as_ref(), args)?;
    let (ledger, fields) = match nothing_new(known.as_ref(), print.as_ref(), args)?.zip(known.clone()) {
        Some((fields, ledger)) => (go_on(&workspace, ledger, &counts, args)?, fields),
        None => plan(&workspace, known, print, args)?,
    };
    live.tell(&workspace.config, &ledger)?;
    let kept = ledger.keep_totals(workspace.config.official_total, Timestamp::now())?;
    tell_before(&ledger, kept, &workspace)?;

    let mut settings = workspace.settings(relays);
    let rules = live::rules(&written, &workspace.config, &limits);
    settings.revise = Some(live::reading(written, &settings.relays, began));
    live::apply(&mut settings, rules);
    settings.letters_max = args.limit;
    settings.accept_refusals = args.accept_refusals;
    let runtime = campaign::runtime()?;
    let Begin::Now(asked) = start::wait(&workspace, &ledger, &runtime, args.late_start)? else {
        return Ok(Exit::Done);
    };
    let ending = campaign::dispatch(&runtime, &ledger, settings, workspace.press(fields)?, asked)?;
    tell(&workspace, &ledger, &ending)
}

/// The print of the folder, and how things stand in the ledger. Both read much of a large campaign, so both at once.
fn look(
    workspace: &Workspace,
    known: Option<&SqliteLedger>,
    args: &Send,
) -> Result<(Option<Print>, Counts), LedgerError> {
    std::thread::scope(|scope| {
        let hashing = scope.spawn(|| Print::of(&workspace.config, BadRows::from(args.skip_bad)));
        let counts = known.map_or_else(|| Ok(Counts::zero()), Ledger::counts)?;
        Ok((hashing.join().unwrap_or(None), counts))
    })
}

/// The columns of people, where the ledger holds the plan of just what there is now. Staff who accept a change want it
/// looked for.
fn nothing_new(
    known: Option<&SqliteLedger>,
    print: Option<&Print>,
    args: &Send,
) -> Result<Option<Fields>, LedgerError> {
    match (known, print) {
        (Some(ledger), Some(print)) if !args.accept_changed_letter && !args.accept_changed_people => {
            planned::from_the_same(ledger, print)
        }
        _ => Ok(None),
    }
}

/// Nothing is read again: neither people nor texts can have come to mean anything else since they were enrolled.
fn go_on(workspace: &Workspace, ledger: SqliteLedger, counts: &Counts, args: &Send) -> Result<SqliteLedger, Failure> {
    say("Nothing new: people, texts and settings are what the letters were planned from.\n");
    say(standing(counts));
    relay_limits::tell(&workspace.config.relays);
    if !args.yes {
        must_be_confirmed(workspace)?;
    }
    Ok(ledger)
}

/// Reads and checks everything, and enrols what is new.
fn plan(
    workspace: &Workspace,
    known: Option<SqliteLedger>,
    print: Option<Print>,
    args: &Send,
) -> Result<(SqliteLedger, Fields), Failure> {
    let bad_rows = BadRows::from(args.skip_bad);
    let prepared = workspace.prepare(bad_rows)?;
    workspace.show_or_refuse(&prepared, bad_rows)?;
    relay_limits::tell(&workspace.config.relays);
    if let Some(ledger) = &known {
        must_be_the_same_texts(ledger, &prepared, args)?;
        if !args.accept_changed_people {
            second_letters::must_not_go_out(ledger, &prepared.survey)?;
        }
    }
    if !args.yes {
        must_be_confirmed(workspace)?;
    }
    let ledger = match known {
        Some(ledger) => ledger,
        None => create(workspace)?,
    };
    tell_enrolled(&workspace.enrol(&ledger, &prepared)?);
    if args.accept_changed_letter {
        adopt_texts(&ledger, &prepared)?;
    }
    let fields = prepared.fields();
    // Somebody may have edited a file while it was being read.
    if let Some(print) = print.filter(|print| Print::of(&workspace.config, bad_rows).as_ref() == Some(print)) {
        planned::remember(&ledger, &print, &fields)?;
    }
    Ok((ledger, fields))
}

fn open_if_there(workspace: &Workspace) -> Result<Option<SqliteLedger>, Failure> {
    let config = &workspace.config;
    if !config.ledger.exists() {
        return Ok(None);
    }
    let ledger = SqliteLedger::open(&config.ledger, Access::Dispatch)?;
    // One that a suppression list made: the campaign may have been given another name since.
    Ok(Some(ledger.named_while_empty(&config.identity.campaign)?))
}

fn create(workspace: &Workspace) -> Result<SqliteLedger, Failure> {
    let config = &workspace.config;
    let now = Timestamp::now();
    let ledger = SqliteLedger::create(&config.ledger, &config.identity.campaign, &new_tag()?, now)?;
    ledger.settle(&restored::machine(), &[], now)?;
    Ok(ledger)
}

/// The sample's address is nobody's: a real relay would refuse it, or worse, not.
fn must_be_our_own_sender(workspace: &Workspace) -> Result<(), Failure> {
    let config = &workspace.config;
    let is_sample = config.identity.sender.domain().ends_with(".example");
    if is_sample && !config.relays.iter().all(crate::config::RelayConfig::is_loopback) {
        let text = "campaign.sender is still the sample's address; put your own into config.toml before you send";
        return Err(Failure::new(Exit::Usage, text));
    }
    Ok(())
}

/// A deadline that is over already is more likely a slip than a wish to let every letter expire.
fn must_be_in_time(workspace: &Workspace, known: Option<&SqliteLedger>) -> Result<(), Failure> {
    let Some(deadline) = workspace.deadline().filter(|deadline| deadline.timestamp() <= Timestamp::now()) else {
        return Ok(());
    };
    let waiting = match known {
        Some(ledger) => {
            let counts = ledger.counts()?;
            let waits = |state: MessageState| state.moves_by_itself() && counts.of(MessageKind::Letter, state) > 0;
            counts.total(MessageKind::Letter) == 0 || MessageState::ALL.into_iter().any(waits)
        }
        None => true,
    };
    if !waiting {
        return Ok(());
    }
    let text = format!(
        "campaign.deadline ({}) has passed and letters wait; nothing was sent. Move it in config.toml, or \
         withdraw what is left with: undersigned cancel",
        deadline.strftime(MOMENT)
    );
    Err(Failure::new(Exit::Usage, text))
}

/// What is sent is frozen: a text that changed since needs a word from staff.
fn must_be_the_same_texts(ledger: &SqliteLedger, prepared: &Prepared, args: &Send) -> Result<(), Failure> {
    let changed = prepared.sources.changed(ledger)?;
    if let Some(name) = changed.filter(|_| !args.accept_changed_letter) {
        let text = format!(
            "{name} has changed since letters were planned with it, or something that it includes. To use the new text \
             for every message that was not offered to a relay yet: undersigned send --accept-changed-letter. To keep \
             the old one, put it back"
        );
        return Err(Failure::new(Exit::Refused, text));
    }
    Ok(())
}

fn adopt_texts(ledger: &SqliteLedger, prepared: &Prepared) -> Result<(), Failure> {
    for (name, moved) in prepared.sources.adopt(ledger, Timestamp::now())? {
        if moved > 0 {
            note(format!("{} now use the new {name}", counted(moved, "message")));
        }
    }
    Ok(())
}

fn must_be_confirmed(workspace: &Workspace) -> Result<(), Failure> {
    let name = &workspace.config.identity.campaign;
    let relays: Vec<String> = workspace.config.relays.iter().map(crate::config::RelayConfig::address).collect();
    let question = format!(
        "This sends real letters through {}. They cannot be taken back.\nType the campaign's name ({name}) to go on:",
        relays.join(" and ")
    );
    match ask(&question) {
        Some(answer) if answer == *name => Ok(()),
        Some(_) => Err(Failure::new(Exit::Usage, "that is not the campaign's name; nothing was sent")),
        None => Err(Failure::new(Exit::Usage, "nobody is here to confirm; nothing was sent (--yes does not ask)")),
    }
}

fn tell_enrolled(enrolled: &Enrolled) {
    for (n, what) in [
        (enrolled.queued, "new, waiting for their turn"),
        (enrolled.held, "new, held until their official has a mailbox"),
        (enrolled.housed, "no longer held: their official has a mailbox now"),
        (enrolled.suppressed, "new, to a suppressed mailbox; not sent"),
        (enrolled.known, "there already"),
    ] {
        if n > 0 {
            note(format!("{} {what}", counted(n, "letter")));
        }
    }
    if enrolled.left_out > 0 {
        note(format!("{} left out: erased meanwhile", counted(enrolled.left_out, "constituent")));
    }
    if enrolled.changed > 0 {
        let people = counted(enrolled.changed, "person").replace("persons", "people");
        note(format!("{people} changed in the file since; what was planned for them stays as it was"));
    }
}

/// What staff should know before the first letter of this run.
fn tell_before(ledger: &SqliteLedger, kept: KeptTotals, workspace: &Workspace) -> Result<(), Failure> {
    for (n, what) in [
        (kept.held, "held: beyond pace.per_official_total; see them with: undersigned log --state held"),
        (kept.released, "no longer held: within pace.per_official_total now"),
    ] {
        if n > 0 {
            note(format!("{} {what}", counted(n, "letter")));
        }
    }
    if let Some(pause) = ledger.wishes()?.pause {
        let since = pause.since.to_zoned_datetime(workspace.config.timezone.clone());
        let why = if pause.reason.is_empty() { String::new() } else { format!(" ({})", pause.reason) };
        note(format!(
            "Paused by staff since {}{why}: nothing is handed over until: undersigned resume",
            since.strftime(SHORT_MOMENT)
        ));
    }
    Ok(())
}

fn tell(workspace: &Workspace, ledger: &SqliteLedger, ending: &Ending) -> Result<Exit, Failure> {
    let figures = standing::figures(workspace, ledger, false)?;
    say(status_text(&figures));
    match ending {
        Ending::Interrupted => say("Stopped because you asked. Nothing is lost; go on with: undersigned send"),
        Ending::LimitReached => say("As many letters as you asked for are out. Go on with: undersigned send"),
        Ending::Stopped(reason) => say(format!(
            "The campaign stopped itself: {}.\nNo letter was lost. When that is mended, go on with: undersigned send",
            mask_mailboxes(&reason.to_string())
        )),
        Ending::Settled => {}
    }
    Ok(campaign::exit(ending, &figures))
}
