//! What shows that a ledger was restored or cloned, what is at stake, and what to do: in plain words.

use jiff::tz::TimeZone;

use crate::ledger::Restored;

use super::layout::{block, paragraph};
use super::matching::MOMENT;
use super::table::count;

/// All of it, for whoever is to decide.
pub fn text(signs: &[Restored], zone: &TimeZone) -> String {
    let mut out = "Nothing was sent: this ledger was restored or copied.\n".to_owned();
    block(&mut out, 0, &format!("It {}.", self::signs(signs, zone)));
    block(
        &mut out,
        0,
        "Letters that went out since, from here or from another copy, are not in it: they would go out twice.",
    );
    out.push_str("What to do:\n");
    for (what, command) in [
        ("put the newest ledger back, with the files beside it, and send again;", ""),
        ("or settle what went out since from your mail server's log:", "undersigned resolve --from-log FILE"),
        (
            "when you are sure that no other letter went out since, and that no other copy sends:",
            "undersigned send --accept-restored",
        ),
    ] {
        paragraph(&mut out, 2, what);
        // On a line of its own, so that it can be copied.
        paragraph(&mut out, 4, command);
    }
    out.trim_end().to_owned()
}

/// `is a copy made on …, and was last sent from another machine`.
pub fn signs(signs: &[Restored], zone: &TimeZone) -> String {
    let words: Vec<String> = signs.iter().map(|sign| sign_in_words(*sign, zone)).collect();
    words.join(", and ")
}

fn sign_in_words(sign: Restored, zone: &TimeZone) -> String {
    match sign {
        Restored::Copied { at } => {
            format!("is a copy that was made on {}", at.to_zoned_datetime(zone.clone()).strftime(MOMENT))
        }
        Restored::OtherMachine => "was last sent from on another machine".to_owned(),
        Restored::OtherFile => "is another file than the one that was last sent from: a copy, or restored".to_owned(),
        Restored::Older { missing: 1 } => "is older than what was sent from it: 1 hand-over is missing".to_owned(),
        Restored::Older { missing } => {
            format!("is older than what was sent from it: 1 to {} hand-overs are missing", count(missing))
        }
    }
}
