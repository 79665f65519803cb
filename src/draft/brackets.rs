//! What writers put into brackets themselves, and what is a blank there. It must not look at the place in the letter.

use super::words::{self, Meaning};

/// `[sic]`, `[1]`, `[t]he`, `[…]`: what writers put in brackets.
pub(super) fn is_aside(words: &str, after: &str, before: &str) -> bool {
    let lower = words.to_lowercase();
    let is_mark = words.chars().all(|c| c.is_numeric() || c.is_ascii_punctuation() || c.is_whitespace() || c == '…');
    let is_empty_box = words.trim().is_empty();
    let asides =
        ["sic", "emphasis added", "emphasis mine", "x", "a", "b", "c", "d", "i", "ii", "iii", "iv", "et al.", "ibid."];
    let touches = after.starts_with(char::is_alphabetic) || before.ends_with(char::is_alphabetic);
    let is_tick = lower == "x" && !before.trim().is_empty(); // `for [X] years`, but no box
    !is_empty_box && !is_tick && (asides.contains(&lower.as_str()) || is_mark || (touches && words.chars().count() < 4))
}

/// `(name)` and the like; `(the name of the town)` is a way of writing.
pub(super) fn is_paren_label(words: &str) -> bool {
    let tokens = words::tokens(words);
    let Some(label) = words::label(words) else { return false };
    let is_official = tokens.iter().all(|word| words::OFFICIALS.contains(&word.as_str()));
    let is_told = !matches!(label.meaning, Meaning::Note | Meaning::Campaign | Meaning::NoField);
    let is_place = matches!(label.meaning, Meaning::Jurisdiction | Meaning::Area);
    let names_it = ["city", "town", "ciudad", "municipality"].iter().any(|word| tokens.iter().any(|t| t == word));
    !is_official
        && is_told
        && tokens.len() <= 5
        && tokens.first().is_some_and(|t| t != "the")
        && (!is_place || names_it)
}

/// `(optional: your story)`, `(insert a sentence here)`: told to who fills the letter in.
pub(super) fn is_instruction(words: &str) -> bool {
    let tokens = words::tokens(words);
    tokens.first().is_some_and(|first| ["optional", "insert", "fill"].contains(&first.as_str())) && tokens.len() > 1
}

/// `First_Name`, `AddressBlock`: nobody writes so but programs.
pub(super) fn is_joined(words: &str) -> bool {
    words.contains('_') || words.chars().zip(words.chars().skip(1)).any(|(a, b)| a.is_lowercase() && b.is_uppercase())
}

pub(super) fn is_shouted(words: &str) -> bool {
    let is_sign = |c: char| c.is_uppercase() || matches!(c, ' ' | '_' | '-') || c.is_ascii_digit();
    words.chars().filter(|c| c.is_uppercase()).count() > 1 && words.chars().all(is_sign)
}

pub(super) fn is_identifier(words: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-');
    (2..=40).contains(&words.chars().count()) && words.starts_with(char::is_alphabetic) && words.chars().all(is_part)
}
