//! Advice about a text as its author wrote it: what mail filters and tired eyes dislike.
//!
//! It stops nothing. It must not look at any person's values.

use crate::model::fold;

use super::links::{self, Link};
use super::problem::Finding;
use super::scan::{self, Piece};
use super::{Advice, Template, named};

/// Each line: words, `|`, why filters dislike them.
const WORDS: &str = include_str!("words.txt");
/// So many capital letters in a row, in words that follow each other, are no abbreviation any more.
const SHOUTED_CHARS_MIN: usize = 12;
const SHOUTED_CHARS_MIN_IN_SUBJECT: usize = 8;
const SHORTENERS: [&str; 14] = [
    "bit.ly",
    "buff.ly",
    "cutt.ly",
    "goo.gl",
    "is.gd",
    "lnkd.in",
    "ow.ly",
    "rb.gy",
    "rebrand.ly",
    "shorturl.at",
    "t.co",
    "t.ly",
    "tiny.cc",
    "tinyurl.com",
];

/// Everything that could be better in a text, in its order.
pub fn lint(template: &Template) -> Vec<Advice> {
    let source = template.source().text();
    let (pieces, _) = scan::scan(source, 0, source.len());
    let body_at = template.body_at();
    let mut found: Vec<(Finding, String)> = Vec::new();
    for piece in &pieces {
        if let Piece::Text { at, text } = piece {
            shouting(text, *at, body_at, &mut found);
            disliked_words(text, *at, &mut found);
        }
    }
    let body: Vec<Piece<'_>> = scan::scan(source, body_at, source.len()).0;
    for link in links::of(&body) {
        about_link(&link, &mut found);
    }
    found.sort();
    found.dedup();
    let place = |(finding, action): (Finding, String)| {
        let (file, line, _) = template.source().place(finding.at);
        Advice::new(format!("{file}:{line}"), finding.what, action)
    };
    found.into_iter().map(place).collect()
}

/// Whether a text says where its constituent lives.
pub fn says_where_they_live(template: &Template) -> bool {
    let named = named::fields_named(template.source().text());
    named.iter().any(|(space, field)| space == "constituent" && (field == "address" || field == "postcode"))
}

fn shouting(text: &str, at: usize, body_at: usize, found: &mut Vec<(Finding, String)>) {
    let min = if at < body_at { SHOUTED_CHARS_MIN_IN_SUBJECT } else { SHOUTED_CHARS_MIN };
    for (start, shout) in shouts(text, min) {
        let words: Vec<&str> = shout.split_whitespace().collect();
        let what = format!("“{}” is all in capitals", words.join(" "));
        found.push((Finding::new(at + start, what), "capitals look like shouting; write it in small letters".into()));
    }
    for marks in ["!!", "??", "?!", "!?"] {
        if let Some(start) = text.find(marks) {
            let what = format!("“{marks}” shouts");
            found.push((Finding::new(at + start, what), "one mark is enough; filters count them".into()));
        }
    }
}

/// Runs of words in capitals, with at least so many letters together.
fn shouts(text: &str, min: usize) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut run: Option<(usize, usize, usize)> = None;
    let mut close = |run: &mut Option<(usize, usize, usize)>| {
        if let Some((start, end, letters)) = run.take()
            && letters >= min
        {
            found.push((start, &text[start..end]));
        }
    };
    let mut at = 0;
    for part in text.split_inclusive(char::is_whitespace) {
        let (start, word) = (at, part.trim_end());
        at += part.len();
        if word.is_empty() {
            continue;
        }
        let letters = word.chars().filter(|c| c.is_alphabetic()).count();
        let loud = letters > 1 && !word.chars().any(char::is_lowercase) && word.chars().any(char::is_uppercase);
        if loud {
            let (from, _, before) = run.unwrap_or((start, start, 0));
            run = Some((from, start + word.len(), before + letters));
            if word.ends_with([',', ';']) && letters < SHOUTED_CHARS_MIN_IN_SUBJECT {
                close(&mut run); // abbreviations are listed, shouts are not
            }
        } else {
            close(&mut run);
        }
    }
    close(&mut run);
    found
}

fn disliked_words(text: &str, at: usize, found: &mut Vec<(Finding, String)>) {
    let folded = fold(text);
    for (words, why) in disliked() {
        if has_words(&folded, words) {
            // Folding moves bytes; the first of the words is near enough to name the line.
            let first = words.split(' ').next().unwrap_or_default();
            let start = text.to_lowercase().find(first).filter(|start| *start < text.len()).unwrap_or(0);
            let what = format!("“{words}” counts against a letter with mail filters: {why}");
            found.push((Finding::new(at + start, what), "say it in other words".into()));
        }
    }
}

fn disliked() -> impl Iterator<Item = (&'static str, &'static str)> {
    let lines = WORDS.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once('|')).map(|(words, why)| (words.trim(), why.trim()))
}

fn has_words(text: &str, words: &str) -> bool {
    let is_part = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    text.match_indices(words).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + words.len()..]);
        !is_part(before.chars().next_back()) && !is_part(after.chars().next())
    })
}

fn about_link(link: &Link, found: &mut Vec<(Finding, String)>) {
    let mut advise = |what: String, action: &str| found.push((Finding::new(link.at, what), action.to_owned()));
    let Some(host) = links::host(&link.url) else { return };
    if let Some(said) = links::host_said(&link.text).filter(|said| !links::is_same_host(said, &host)) {
        let what = format!("the text of a link says {said}, but it leads to {host}");
        advise(what, "filters take that for fraud; let the text name the page, or the address that it leads to");
    }
    if SHORTENERS.contains(&links::bare(&host)) {
        advise(format!("{host} shortens links"), "filters distrust what hides its goal; give the whole address");
    }
    if link.url.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http://")) {
        advise(format!("the link to {host} is not encrypted"), "write https:// if the page can be reached so");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::{Fields, Purpose};

    fn advice(source: &str) -> Vec<String> {
        let template = Template::parse("l.md", source, Purpose::Letter, &Fields::default()).unwrap();
        lint(&template).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_filters_and_readers_dislike_is_told_with_its_line() {
        for (source, what) in [
            ("Subject: STOP THIS now\n\nx", "l.md:1: “STOP THIS” is all in capitals"),
            ("Subject: s\n\nx\nWE WANT JUSTICE", "l.md:4: “WE WANT JUSTICE” is all in capitals"),
            ("Subject: s\n\nWE WANT\nJUSTICE NOW", "l.md:3: “WE WANT JUSTICE NOW” is all in capitals"),
            ("Subject: s!!\n\nx", "l.md:1: “!!” shouts"),
            ("Subject: s\n\nPlease\nClick\nHere: x", "“click here” counts against a letter"),
            ("Subject: s\n\nActúe AHORA", "l.md:3: “actúe ahora” counts"),
            (
                "Subject: s\n\n[www.a.example](https://b.example/x)",
                "l.md:3: the text of a link says www.a.example, but it leads to b.example",
            ),
            (
                "Subject: s\n\nx\n\n[https://a.example](https://a.example.evil.example)",
                "l.md:5: the text of a link says a.example, but",
            ),
            ("Subject: s\n\nsee https://bit.ly/x", "l.md:3: bit.ly shortens links"),
            ("Subject: s\n\n[x](http://a.example)", "l.md:3: the link to a.example is not encrypted"),
            ("Subject: s\n\n{% variant %}a{% or %}see http://a.example{% endvariant %}", "is not encrypted"),
        ] {
            let found = advice(source);
            assert_eq!(found.len(), 1, "{source}: {found:?}");
            assert!(found[0].contains(what), "{source}: {found:?}");
        }
    }

    #[test]
    fn an_ordinary_letter_gets_no_advice() {
        let letter = include_str!("../../templates/letter.md");
        assert_eq!(advice(letter), Vec::<String>::new());
        for body in [
            "It takes NASA, EPA, FEMA, HUD, USDA and the CDC.",
            "The NCJW and the UN asked you in 2014.",
            "Why? Because! We hope so.",
            "Winnersville is free of that.",
            "[www.a.example/b](https://www.a.example/b) [a.example](https://www.a.example) [our page](https://a.example)",
            "[call us](mailto:a@x.example) [a@x.example](mailto:a@x.example)",
            "{{ constituent.name }} SIGNED",
        ] {
            assert_eq!(advice(&format!("Subject: s\n\n{body}")), Vec::<String>::new(), "{body}");
        }
    }

    #[test]
    fn the_words_have_reasons_and_are_written_as_they_are_compared() {
        assert!(disliked().count() > 30);
        for (words, why) in disliked() {
            assert!(!why.is_empty() && words == fold(words), "{words}");
        }
    }
}
