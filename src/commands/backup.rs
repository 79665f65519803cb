//! `backup`: a copy of the ledger, also while letters go.

use jiff::Timestamp;

use crate::cli::{Backup, Place};
use crate::ledger::sqlite::{Access, SqliteLedger};
use crate::model::MessageKind;
use crate::report::counted;

use super::console::tell;
use super::workspace::Workspace;
use super::{Exit, Failure};

pub(super) fn run(place: &Place, args: &Backup) -> Result<Exit, Failure> {
    let workspace = Workspace::open(place)?;
    let ledger = SqliteLedger::open(&workspace.config.ledger, Access::Read)?;
    let copied = ledger.back_up(&args.file, args.force, Timestamp::now())?;
    let total = |kind| copied.counts.total(kind);
    tell(format!(
        "{}: {}, {}, {}, {}; checked, and on disk.",
        args.file.display(),
        size(copied.bytes),
        counted(copied.people, "person").replace("persons", "people"),
        counted(total(MessageKind::Letter), "letter"),
        counted(total(MessageKind::Confirmation), "confirmation"),
    ));
    tell("It holds everybody's names, addresses and letters; only you may read it, wherever you take it.");
    tell("`forget` and `purge` do not reach copies: remove this one when it is no longer needed.");
    Ok(Exit::Done)
}

fn size(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a size for people")]
    let mib = bytes as f64 / f64::from(1 << 20);
    format!("{mib:.1} MiB")
}
