//! Blanks that stand side by side: several that are one, and several that share one label. It must not look at the
//! place in the letter.

use std::ops::Range;

use super::context::{self, Asks};
use super::fields::Columns;
use super::shapes::{Found, Shape};
use super::words::{self, Label, Meaning};

/// The label on a blank: what other programs add to a name does not count.
pub(super) fn label_on(words: &str) -> Option<Label> {
    let words = words.split(['|', ':']).next().unwrap_or_default().replace(['.', '_'], " ");
    words::label(&words)
}

/// `City, State, Zip: ____, ____ ____`: each blank gets its part of the label.
pub(super) fn share_label(text: &str, found: &mut Vec<Found>) {
    let mut at = 0;
    while at < found.len() {
        let end = (at + 1..found.len()).find(|&n| !stand_together(text, &found[n - 1], &found[n]));
        let run = at..end.unwrap_or(found.len());
        let from = at.checked_sub(1).map_or(0, |n| found[n].range.end);
        let label = text[from..found[at].range.start].rsplit("   ").next().unwrap_or_default();
        let label = label.trim_end().trim_end_matches('*').trim_end_matches(':');
        let mut parts: Vec<&str> = label.split([',', '/', '&']).map(str::trim).collect();
        let places: Vec<Range<usize>> = found[run.clone()].iter().flat_map(|one| pieces(text, &one.range)).collect();
        at = run.end;
        if parts.len() == 3 && places.len() == 2 {
            parts.remove(1); // `City, State, Zip: ____, IL ____`
        }
        if parts.len() < 2 || parts.len() != places.len() || parts.iter().any(|part| words::label(part).is_none()) {
            continue;
        }
        let blank = |(range, part)| Found { range, shape: Shape::Rule, words: format!("your {part}") };
        let shared: Vec<Found> = places.into_iter().zip(parts).map(blank).collect();
        at = run.start + shared.len();
        found.splice(run, shared);
    }
}

/// `____ ________` was taken for one line to write on: its pieces.
fn pieces(text: &str, range: &Range<usize>) -> Vec<Range<usize>> {
    let mut at = range.start;
    let mut found = Vec::new();
    for piece in text[range.clone()].split(' ') {
        found.push(at..at + piece.len());
        at += piece.len() + 1;
    }
    found
}

/// Whether nothing but signs stands between two lines to write on.
fn stand_together(text: &str, one: &Found, two: &Found) -> bool {
    let is_rule = |found: &Found| found.shape == Shape::Rule && found.words.is_empty();
    let between = &text[one.range.end..two.range.start];
    let words = between.trim_matches([' ', ',', '/', '-', '|', '&', '.']);
    is_rule(one) && is_rule(two) && (words.is_empty() || (words.len() == 2 && words.chars().all(char::is_uppercase)))
}

/// `__/__/____` and `____ day of ____, 20__` are one date.
pub(super) fn join_dates(text: &str, found: &mut Vec<Found>) {
    let mut i = 0;
    while i + 1 < found.len() {
        let end = found[i + 1].range.end;
        let is_date = found[i].words == "date" || asks_for_date(text, found, i);
        if is_date && are_parts_of_date(text, &found[i], &found[i + 1]) {
            found.remove(i + 1);
            found[i].range.end = end;
            "date".clone_into(&mut found[i].words);
        } else {
            i += 1;
        }
    }
}

fn are_parts_of_date(text: &str, one: &Found, two: &Found) -> bool {
    let between = &text[one.range.end..two.range.start];
    let words = between.trim_matches([' ', ',', '/', '-', '.', '’']).to_lowercase();
    let is_part = ["", "day of", "de", "20", "del", "of", "de 20", "del 20"].contains(&words.as_str());
    let is_list = between.trim() == ",";
    let are_open = (one.words.is_empty() || one.words == "date") && two.words.is_empty();
    let are_rules = one.shape == Shape::Rule && two.shape == Shape::Rule && are_open;
    are_rules && is_part && !is_list && !between.trim().is_empty()
}

/// Whether the words before say so, or the blank is one of three, or a year follows; `____ of ____` may be anything.
fn asks_for_date(text: &str, found: &[Found], i: usize) -> bool {
    let (one, two) = (&found[i], &found[i + 1]);
    let from = i.checked_sub(1).map_or(0, |n| found[n].range.end);
    let before = &text[from..one.range.start];
    let between = text[one.range.end..two.range.start].to_lowercase();
    let is_label = context::label_before(before).is_some_and(|(label, _)| label.meaning == Meaning::Date);
    let is_one_of_three = found.get(i + 2).is_some_and(|three| are_parts_of_date(text, two, three));
    is_label
        || is_one_of_three
        || context::asks(before) == Some(Asks::Date)
        || ["day of", "20"].iter().any(|sign| between.contains(sign))
}

/// `[First name] [Last name]` is one name, `[City], [State] [ZIP]` one line of an address, `____ (name)` one blank.
pub(super) fn join_words(text: &str, found: &mut Vec<Found>, columns: &Columns) {
    let meaning = |found: &Found| {
        if columns.column(&found.words).is_some() { None } else { label_on(&found.words).map(|l| l.meaning) }
    };
    let mut i = 0;
    while i + 1 < found.len() {
        let between = text[found[i].range.end..found[i + 1].range.start].trim_matches([' ', ',']);
        let gap = found[i + 1].range.start - found[i].range.end;
        let (one, two) = (&found[i], &found[i + 1]);
        let joined = match (meaning(one), meaning(two)) {
            _ if !between.is_empty() || gap > 3 || one.words.starts_with("your ") && one.shape == Shape::Rule => None,
            (Some(Meaning::FirstName), Some(Meaning::LastName))
            | (Some(Meaning::LastName), Some(Meaning::FirstName)) => Some("name".to_owned()),
            (Some(Meaning::NoField), Some(Meaning::Postcode)) if one.words.to_lowercase().contains("st") => {
                Some("zip".to_owned())
            }
            (Some(Meaning::Jurisdiction), Some(Meaning::Postcode)) if two.words == "zip" => {
                Some("city state zip".to_owned())
            }
            (None, Some(_)) if one.shape == Shape::Rule && two.shape == Shape::Paren => Some(two.words.clone()),
            (Some(_), None) if one.shape == Shape::Paren && two.shape == Shape::Rule => Some(one.words.clone()),
            _ => None,
        };
        match joined {
            Some(words) => {
                let end = found.remove(i + 1).range.end;
                found[i].range.end = end;
                found[i].words = words;
                found[i].shape = if found[i].shape == Shape::Paren { Shape::Rule } else { found[i].shape };
                i = i.saturating_sub(1);
            }
            None => i += 1,
        }
    }
}
