//! Shows the blanks of a letter, asks about those that are not certain, and tells what became of each.

use std::fmt::Write as _;

use crate::draft::{Blank, Certainty, Choice, Columns, Decision, Draft, Field};
use crate::report::counted;

use super::console::{ask, can_ask, note, say};
use super::{Exit, Failure};

/// So many columns there are for a line with a blank or a field in it.
const COLUMNS: usize = 67;

/// What becomes of every blank. Where nobody can be asked, only what is certain or likely is taken.
pub(super) fn decide(draft: &Draft, columns: &Columns) -> Result<Vec<Decision>, Failure> {
    let blanks = draft.blanks(columns);
    let mut questions = blanks.iter().filter(|blank| blank.certainty != Certainty::Certain).count();
    let mut decisions = Vec::with_capacity(blanks.len());
    if can_ask() && questions > 0 {
        note(format!("The letter has {}; {questions} to ask about.", counted(blanks.len() as u64, "blank")));
        note(list(&columns.fields()));
    }
    for blank in blanks {
        let choice = match (&blank.proposal, blank.certainty) {
            (Some(field), Certainty::Certain) => Choice::Field(field.clone()),
            _ if can_ask() => {
                questions -= 1;
                asked(&blank, columns, questions)?
            }
            (Some(field), Certainty::Likely) => Choice::Field(field.clone()),
            _ => Choice::Open,
        };
        decisions.push(Decision { blank, choice });
    }
    Ok(decisions)
}

/// Asks until the answer is one.
fn asked(blank: &Blank, columns: &Columns, left: usize) -> Result<Choice, Failure> {
    let line = format!("Line {}: ", blank.line);
    note(format!("\n{line}{}", shown(blank, &blank.words)));
    note(marks(blank, line.len()));
    note(format!("  {}", blank.reason));
    let enter = match &blank.proposal {
        Some(field) => format!("Enter for {field}, a number for another field"),
        None => "a number for a field, Enter to leave it open".to_owned(),
    };
    let prompt = format!("({enter},\n t to keep the words as they are, ? for the fields, q to stop; {left} to go)");
    loop {
        let typed = ask(&prompt).unwrap_or_else(|| "q".to_owned());
        let fields = columns.fields();
        let numbered = typed.parse::<usize>().ok().and_then(|n| fields.get(n.checked_sub(1)?).cloned());
        match (typed.to_lowercase().as_str(), &blank.proposal) {
            ("", Some(field)) => return Ok(Choice::Field(field.clone())),
            ("", None) => return Ok(Choice::Open),
            ("t", _) => return Ok(Choice::Keep),
            ("?", _) => note(list(&fields)),
            ("q", _) => return Err(Failure::new(Exit::Usage, "you stopped; nothing was written")),
            (name, _) => match numbered.or_else(|| Field::parse(name, columns)) {
                Some(field) => return Ok(Choice::Field(field)),
                None => note(format!("  type a number from 1 to {}, or the name of a field", fields.len())),
            },
        }
    }
}

/// The line with these words in the place of the blank, cut to what fits.
fn shown(blank: &Blank, words: &str) -> String {
    let words: String = words.chars().take(COLUMNS).collect();
    let (before, after) = blank.around((COLUMNS - words.chars().count()) / 2);
    let touches = before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, ':' | ',' | ')'));
    let gap = if touches && words != blank.words { " " } else { "" };
    format!("{before}{gap}{words}{after}")
}

/// Signs below the blank, since a line may have several.
fn marks(blank: &Blank, indent: usize) -> String {
    let len = blank.words.chars().count().clamp(1, COLUMNS);
    let (before, _) = blank.around((COLUMNS - len) / 2);
    format!("{}{}", " ".repeat(indent + before.chars().count()), "^".repeat(len))
}

/// The fields with their numbers, two beside each other.
fn list(fields: &[Field]) -> String {
    let mut text = String::from("The fields:\n");
    for (n, field) in fields.iter().enumerate() {
        let ends = if n % 2 == 1 || n + 1 == fields.len() { "\n" } else { "" };
        let entry = format!("{:>4}  {field}", n + 1);
        let _ = write!(text, "{}{ends}", if ends.is_empty() { format!("{entry:<40}") } else { entry });
    }
    text.trim_end().to_owned()
}

/// Tells line by line what became of the blanks, and what is left to do.
pub(super) fn tell(decisions: &[Decision]) {
    if decisions.is_empty() {
        return say("\nNo blanks were found: every letter will say the same. Is that right?");
    }
    say(format!("\nThe letter has {}:\n", counted(decisions.len() as u64, "blank")));
    for Decision { blank, choice } in decisions {
        say(format!("  line {:<4} {}", blank.line, shown(blank, &blank.words)));
        match choice {
            Choice::Field(field) => say(format!("       →   {}", shown(blank, &field.tags()))),
            Choice::Keep => say("       →   stays as it is"),
            Choice::Open => say(format!("       →   OPEN: {}{}", blank.reason, advice(blank))),
        }
    }
    let open = decisions.iter().filter(|decision| decision.choice == Choice::Open).count();
    if open > 0 {
        say(format!("\n{} still open: `check` refuses the letter until you have", are(open)));
        say("written there what belongs there: a field, or other words.");
    }
}

fn are(open: usize) -> String {
    format!("{} {}", counted(open as u64, "blank"), if open == 1 { "is" } else { "are" })
}

fn advice(blank: &Blank) -> String {
    blank.proposal.as_ref().map_or_else(String::new, |field| format!(";\n           perhaps {}", field.tags()))
}
