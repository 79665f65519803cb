//! Finds blanks that somebody forgot to fill in: `____`, `(name)`, `[NAME]`, `<<Name>>`, `}}`, `Name: ......`.
//!
//! It looks only at what the template's author wrote. Values are data: a constituent whose name is `{{ x }}`
//! must get their letter.

use super::problem::Finding;

/// Words that name a blank when they stand alone between brackets or before dots.
const WORDS: [&str; 17] = [
    "name",
    "your name",
    "first name",
    "last name",
    "full name",
    "signature",
    "signed",
    "address",
    "your address",
    "city",
    "town",
    "zip",
    "postcode",
    "date",
    "title",
    "e-mail",
    "email",
];
const RUN_MIN: usize = 3;
const DOTS_MIN: usize = 4;
const WORD_CHARS_MAX: usize = 40;

/// Every blank in a literal text that starts at byte `at` of the source.
pub(super) fn find(text: &str, at: usize) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut report = |offset: usize, blank: &str| {
        let what = format!("`{blank}` looks like a blank that was not filled in; put a field there, or reword it");
        findings.push(Finding::new(at + offset, what));
    };
    runs(text, '_', RUN_MIN).for_each(|(start, run)| report(start, run));
    for brace in ["{{", "}}", "{%", "%}", "{#", "#}"] {
        text.match_indices(brace).for_each(|(start, _)| report(start, brace));
    }
    for (open, close) in [("(", ")"), ("[", "]"), ("<<", ">>"), ("{", "}")] {
        bracketed(text, open, close).filter(|(s, w)| is_blank(text, *s, w, open)).for_each(|(s, w)| report(s, w));
    }
    let dotted = runs(text, '.', DOTS_MIN).chain(runs(text, '…', 2));
    dotted.filter(|(start, _)| follows_a_word(&text[..*start])).for_each(|(start, run)| report(start, run));
    findings
}

/// Runs of at least `min` of the same character.
fn runs(text: &str, of: char, min: usize) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while let Some(n) = text[at..].find(of) {
            let start = at + n;
            let rest = &text[start..];
            let len = rest.len() - rest.trim_start_matches(of).len();
            at = start + len;
            if len >= min * of.len_utf8() {
                return Some((start, &rest[..len]));
            }
        }
        None
    })
}

/// Short texts between brackets, with the brackets.
fn bracketed<'t>(text: &'t str, open: &'t str, close: &'t str) -> impl Iterator<Item = (usize, &'t str)> {
    text.match_indices(open).filter_map(move |(start, _)| {
        let inside = &text[start + open.len()..];
        let reach = inside.char_indices().nth(WORD_CHARS_MAX).map_or(inside.len(), |(n, _)| n);
        let len = inside[..reach].find(close)?;
        Some((start, &text[start..start + open.len() + len + close.len()]))
    })
}

fn is_blank(text: &str, start: usize, bracketed: &str, open: &str) -> bool {
    let word = bracketed[open.len()..bracketed.len() - open.len()].trim();
    let after = text[start + bracketed.len()..].chars().next();
    let is_link = open == "[" && matches!(after, Some('(' | '[' | ':'));
    let shouted = word.chars().count() > 1
        && word.chars().any(char::is_uppercase)
        && word.chars().all(|c| c.is_uppercase() || matches!(c, ' ' | '_' | '-'));
    match open {
        "<<" => !word.is_empty(),
        "[" if is_link => false,
        "[" => shouted || is_known(word),
        _ => is_known(word),
    }
}

fn is_known(word: &str) -> bool {
    WORDS.contains(&word.to_lowercase().as_str())
}

fn follows_a_word(before: &str) -> bool {
    let before = before.trim_end().trim_end_matches(':').trim_end().to_lowercase();
    WORDS.iter().any(|word| {
        let stem = before.strip_suffix(word);
        stem.is_some_and(|stem| !stem.ends_with(char::is_alphanumeric))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_are_found() {
        for text in [
            "Dear ____,",
            "Name: ___",
            "from (name)",
            "( Signature )",
            "(address)",
            "[NAME]",
            "Dear [FIRST NAME],",
            "[your name]",
            "<<Name>>",
            "a }} b",
            "a %} b",
            "{name}",
            "Name: .......",
            "Date ……",
        ] {
            assert!(!find(text, 0).is_empty(), "{text:?}");
        }
    }

    #[test]
    fn ordinary_writing_is_left_alone() {
        for text in [
            "a __strong__ word",
            "(the name of the town)",
            "[the list](https://x.example)",
            "[NAME](https://x.example)",
            "Well ... perhaps",
            "wait....",
            "Nicknames....",
            "a < b << c",
            "[sic]",
            "(1)",
            "{a b c}",
            "---",
        ] {
            assert_eq!(find(text, 0), [], "{text:?}");
        }
    }

    #[test]
    fn a_blank_is_found_where_it_stands() {
        assert_eq!(find("é ____", 10)[0].at, 13);
    }
}
