//! `log`: the retry log, every attempt with what the relay answered.

use std::io::{self, Write};

use crate::cli::{Log, Place};
use crate::ledger::sqlite::{Access, SqliteLedger};
use crate::ledger::{AttemptRecord, Ledger, LedgerError, LogFilter};
use crate::model::{MessageId, MessageState, mask_mailboxes};
use crate::report::{log_json, log_text};

use super::workspace::Workspace;
use super::{Exit, Failure, staff};

pub(super) fn run(place: &Place, args: &Log) -> Result<Exit, Failure> {
    let workspace = Workspace::open(place)?;
    let ledger = SqliteLedger::open(&workspace.config.ledger, Access::Read)?;
    let filter = LogFilter {
        state: args.state.as_deref().map(state).transpose()?,
        message: args.message.as_deref().map(|text| staff::id(text, ledger.tag())).transpose()?,
    };
    let mut out = io::BufWriter::new(io::stdout().lock());
    if let Some(id) = filter.message {
        must_exist(&ledger, id)?;
    }
    let listed = ledger.attempts(&filter, &mut |record| {
        let record = if args.unmasked { record } else { masked(record) };
        if args.json {
            writeln!(out, "{}", log_json(&record, ledger.tag()))
        } else {
            writeln!(out, "{}", log_text(&record, &workspace.config.timezone))
        }
    });
    match listed {
        Err(LedgerError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(Exit::Done),
        listed => listed?,
    }
    let _ = out.flush(); // a closed pipe is the reader's way of saying that it is enough
    Ok(Exit::Done)
}

/// What is printed ends in files and messages: no mailbox in it can be learned from it, also none that a relay repeats.
fn masked(record: AttemptRecord) -> AttemptRecord {
    AttemptRecord {
        recipient: mask_mailboxes(&record.recipient),
        text: mask_mailboxes(&record.text),
        queue_id: record.queue_id.as_deref().map(mask_mailboxes),
        ..record
    }
}

fn must_exist(ledger: &SqliteLedger, id: MessageId) -> Result<(), Failure> {
    let mut is_there = false;
    ledger.messages(&LogFilter { message: Some(id), state: None }, &mut |_| {
        is_there = true;
        Ok(())
    })?;
    if is_there { Ok(()) } else { Err(Failure::new(Exit::Usage, format!("there is no message {id} in this ledger"))) }
}

fn state(name: &str) -> Result<MessageState, Failure> {
    MessageState::parse(&name.replace(['-', ' '], "_")).ok_or_else(|| {
        let names: Vec<&str> = MessageState::ALL.iter().map(|s| s.as_str()).collect();
        Failure::new(Exit::Usage, format!("`{name}` is not a state; use one of {}", names.join(", ")))
    })
}
