//! What the place of a blank says: the part of the letter that it stands in, the words right before and after it.
//! It must not look at the blank itself.

use super::lines::Line;
use super::words::{Label, OFFICIALS, Owner, label, tokens};

/// A part of a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Region {
    Subject,
    /// Above the salutation: addresses, the date.
    Head,
    Salutation,
    Body,
    /// Below the closing words: who signs.
    Close,
}

const SALUTATIONS: &[&str] = &[
    "dear",
    "hello",
    "hi",
    "greetings",
    "estimado",
    "estimada",
    "estimados",
    "querido",
    "querida",
    "honorable",
    "muy",
    "sehr",
    "cher",
    "chère",
];
/// Titles of anybody.
const TITLES: &[&str] = &["mr", "mrs", "ms", "mx", "dr", "sr", "sra", "herr", "frau", "señor", "señora"];
/// Whom letters greet without a name.
const GREETED: &[&str] = &[
    "honorable",
    "elected",
    "leaders",
    "members",
    "council",
    "councilmembers",
    "city",
    "town",
    "village",
    "county",
    "state",
    "board",
    "vice",
    "deputy",
    "sir",
    "madam",
    "friends",
    "colleagues",
    "all",
    "and",
    "of",
    "the",
    "y",
];
const CLOSINGS: &[&str] = &[
    "sincerely",
    "respectfully",
    "yours",
    "regards",
    "best regards",
    "kind regards",
    "warm regards",
    "with respect",
    "with regards",
    "thank you",
    "thanks",
    "cordially",
    "in solidarity",
    "best",
    "faithfully",
    "gratefully",
    "with gratitude",
    "very truly yours",
    "in hope",
    "with hope",
    "signed",
    "atentamente",
    "saludos",
    "cordialmente",
    "respetuosamente",
    "gracias",
    "un saludo",
    "sinceramente",
    "mit freundlichen",
    "many thanks",
    "with thanks",
    "in peace",
    "warmly",
    "le saluda",
    "your constituent",
    "a concerned",
];
const CLOSING_CHARS_MAX: usize = 60;
const SIGNATURE_CHARS_MAX: usize = 70;

/// The part that each line stands in.
pub(super) fn regions(lines: &[Line]) -> Vec<Region> {
    let salutation = lines.iter().skip(1).take(60).position(|line| begins_with(line, SALUTATIONS)).map(|n| n + 1);
    let after = salutation.unwrap_or_default();
    let closing = lines.iter().enumerate().skip(after + 1).rev().find(|(_, line)| is_closing(line)).map(|(n, _)| n);
    let close = closing.map_or_else(|| signature(lines, after), |n| n + 1);
    let region = |n: usize| match salutation {
        _ if n == 0 => Region::Subject,
        _ if n >= close => Region::Close,
        Some(at) if n < at => Region::Head,
        Some(at) if n == at => Region::Salutation,
        _ => Region::Body,
    };
    (0..lines.len()).map(region).collect()
}

fn begins_with(line: &Line, words: &[&str]) -> bool {
    let first = tokens(line.text.get(..line.text.len().min(40)).unwrap_or(&line.text)).into_iter().next();
    first.is_some_and(|first| words.contains(&first.as_str()))
}

fn is_closing(line: &Line) -> bool {
    let text = line.text.trim().trim_start_matches('*').to_lowercase();
    let begins = CLOSINGS
        .iter()
        .any(|closing| text.strip_prefix(closing).is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric())));
    begins && text.chars().count() <= CLOSING_CHARS_MAX && !text.ends_with(['.', '?'])
}

/// Without closing words, the short lines with labels and blanks at the end are the signature.
fn signature(lines: &[Line], after: usize) -> usize {
    let is_part = |line: &Line| {
        let text = line.text.trim();
        let is_short = text.chars().filter(|c| !matches!(c, '_' | ' ')).count() <= SIGNATURE_CHARS_MAX;
        line.is_empty()
            || (is_short && (text.contains("___") || text.contains(['[', '(', '<', '«', '{']) || text.contains(':')))
    };
    let mut start = lines.len();
    while start > after + 1 && is_part(&lines[start - 1]) {
        start -= 1;
    }
    start
}

/// A greeting of one person that stands in every letter, as in `Dear Mayor Smith,`: its line.
pub(super) fn fixed_greeting(lines: &[Line]) -> Option<(usize, &str)> {
    let at = lines.iter().skip(1).take(60).position(|line| begins_with(line, SALUTATIONS))? + 1;
    let text = lines[at].text.trim();
    let words: Vec<&str> = text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()).skip(1).collect();
    let is_title = |word: &str| {
        let word = word.to_lowercase();
        let one = word.strip_suffix('s').unwrap_or(&word);
        OFFICIALS.contains(&word.as_str()) || OFFICIALS.contains(&one) || TITLES.contains(&word.as_str())
    };
    let is_name = |word: &str| {
        let is_known = is_title(word) || GREETED.contains(&word.to_lowercase().as_str());
        word.starts_with(char::is_uppercase) && word.contains(char::is_lowercase) && !is_known
    };
    let is_plain = text.chars().all(|c| c.is_alphanumeric() || " .,:;'’-*".contains(c)) && !text.contains("..");
    let greets = is_plain && words.iter().any(|word| is_title(word)) && words.iter().any(|word| is_name(word));
    (greets && text.chars().count() <= SIGNATURE_CHARS_MAX).then_some((at + 1, text))
}

/// Whether a line has a date in it, or asks for one.
pub(super) fn has_date(line: &Line) -> bool {
    let text = line.text.to_lowercase();
    ["date", "fecha", ", 202", ", 203"].iter().any(|sign| text.contains(sign))
}

/// What the words right before a blank ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asks {
    Official,
    Constituent,
    Address,
    /// Where the constituent lives.
    Home,
    /// A place: whose, the rest of the sentence tells.
    Place,
    Date,
}

const PHRASES: &[(Asks, &[&str])] = &[
    (
        Asks::Home,
        &[
            "live in",
            "lived in",
            "living in",
            "reside in",
            "residing in",
            "resident of",
            "resident in",
            "citizen of",
            "i am from",
            "i'm from",
            "voter in",
            "voter of",
            "constituent in",
            "constituent from",
            "homeowner in",
            "lives in",
            "grew up in",
            "taxpayer in",
            "vivo en",
            "residente de",
            "vecino de",
            "vecina de",
            "resido en",
            "member of the community of",
            "registered voter in",
            "raised in",
            "ciudadano de",
            "ciudadana de",
        ],
    ),
    (
        Asks::Address,
        &[
            "live at",
            "living at",
            "reside at",
            "residing at",
            "lives at",
            "my address is",
            "home at",
            "resident at",
            "domicilio en",
        ],
    ),
    (
        Asks::Place,
        &[
            "city of",
            "village of",
            "town of",
            "county of",
            "mayor of",
            "municipality of",
            "people of",
            "residents of",
            "community of",
            "township of",
            "borough of",
            "council of",
            "ciudad de",
            "pueblo de",
            "municipio de",
            "alcalde de",
            "alcaldesa de",
            "here in",
            "streets of",
            "president of",
            "citizens of",
            "families of",
            "children of",
            "in our city,",
            "our city of",
            "villa de",
            "representative of",
            "councillor for",
            "mayor for",
        ],
    ),
    (
        Asks::Constituent,
        &[
            "my name is",
            "i am",
            "i'm",
            "i",
            "i,",
            "signed",
            "signed,",
            "signed by",
            "submitted by",
            "sincerely",
            "respectfully",
            "yours truly",
            "me llamo",
            "mi nombre es",
            "yo",
            "yo,",
            "sincerely,",
            "respectfully,",
            "regards,",
            "atentamente,",
            "signed:",
            "from:",
            "sender:",
            "the undersigned,",
            "i, the undersigned,",
            "thank you,",
            "de:",
            "best,",
            "love,",
        ],
    ),
    (
        Asks::Official,
        &[
            "dear",
            "to",
            "to:",
            "attn",
            "attn:",
            "attention",
            "attention:",
            "honorable",
            "hon.",
            "hello",
            "hello,",
            "hi",
            "estimado",
            "estimada",
            "querido",
            "querida",
            "estimado/a",
            "a:",
            "para:",
            "señor",
            "señora",
            "sr.",
            "sra.",
            "attn.",
            "recipient:",
        ],
    ),
    (
        Asks::Date,
        &["dated", "dated:", "dated this", "signed on", "date", "date:", "signed this", "on this", "a día", "fecha:"],
    ),
];

/// What a text that stands right before a blank asks for.
pub(super) fn asks(before: &str) -> Option<Asks> {
    let start = before.char_indices().rev().nth(80).map_or(0, |(at, _)| at);
    let text = before[start..].to_lowercase().replace('’', "'");
    let text = text.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '*' | '"' | '“'));
    let ends_with = |phrase: &str| {
        text.strip_suffix(phrase).is_some_and(|stem| !stem.ends_with(|c: char| c.is_alphanumeric() || c == '\''))
    };
    let sentence = text.rsplit(['.', '!', '?']).next().unwrap_or_default();
    let lives_there =
        ["live at", "reside at", "residing at", "living at", "live on"].iter().any(|p| sentence.contains(p));
    let names_self = ["i,", "yo,"].iter().any(|p| sentence.trim_start().starts_with(p));
    if (lives_there && ends_with("in")) || (names_self && ["of", "from", "in", "de"].iter().any(|p| ends_with(p))) {
        return Some(Asks::Home);
    }
    let longest = |phrases: &[&str]| phrases.iter().filter(|phrase| ends_with(phrase)).map(|phrase| phrase.len()).max();
    let found = PHRASES.iter().filter_map(|(asks, phrases)| longest(phrases).map(|len| (len, *asks)));
    found.max_by_key(|(len, _)| *len).map(|(_, asks)| asks)
}

/// Whose place it is: the constituent's where the sentence speaks of living there.
pub(super) fn owner_of_place(before: &str, region: Region) -> Owner {
    let start = before.rfind(['.', '!', '?']).unwrap_or_default();
    let text = before[start..].to_lowercase();
    let lives = ["live", "resid", "my home", "vivo", "citizen", "i am a", "as a ", "neighbor"];
    if matches!(region, Region::Close | Region::Subject) || lives.iter().any(|word| text.contains(word)) {
        Owner::Constituent
    } else {
        Owner::Official
    }
}

/// Whether words that are no label themselves speak of who writes.
pub(super) fn speaks_of_constituent(before: &str) -> bool {
    let words = ["i", "im", "my", "me", "mi", "yo", "we", "our", "resident", "constituent", "voter", "undersigned"];
    let sentence = before.rsplit(['.', '!', '?']).next().unwrap_or_default();
    tokens(sentence).iter().any(|word| words.contains(&word.as_str()))
}

/// Whether a blank stands for a number, as in `____ years` or `____%`.
pub(super) fn counts(after: &str) -> bool {
    let counted = [
        "year", "years", "month", "months", "week", "weeks", "day", "days", "hour", "hours", "minutes", "percent",
        "children", "kids", "people", "times", "miles", "dollars", "grade", "años", "meses", "días", "hijos", "jahre",
    ];
    let word = after.trim_start_matches([' ', '-']);
    let len = word.find(|c: char| !c.is_alphabetic()).unwrap_or(word.len());
    let is_date = word[len..].starts_with(" of "); // `the ____ day of`
    word.starts_with('%') || (counted.contains(&word[..len].to_lowercase().as_str()) && !is_date)
}

/// Whether another official than today's is spoken of.
pub(super) fn is_of_the_past(before: &str) -> bool {
    let words = ["predecessor", "former", "late", "ex", "then", "past", "previous", "neighboring", "deputy"];
    tokens(before).iter().rev().take(3).any(|word| words.contains(&word.as_str()))
}

/// Whether the line names somebody who gets a copy.
pub(super) fn is_copy(before: &str) -> bool {
    tokens(before).first().is_some_and(|word| ["cc", "bcc", "copy", "copies"].contains(&word.as_str()))
}

/// The label right before a blank, as in `Name: ____` or `Printed name ____`; and whether other words before it may
/// change what it asks for, as in `Company name: ____`.
pub(super) fn label_before(before: &str) -> Option<(Label, bool)> {
    let column = before.trim_end_matches(' ').rsplit("   ").next().unwrap_or_default();
    let column = column.rsplit([';', '|']).next().unwrap_or_default();
    let sentence = column.rsplit(". ").next().unwrap_or_default().trim();
    let has_colon = sentence.trim_end_matches('*').trim_end().ends_with([':', '=', '#']);
    let names_whose = [" of", " for", " de", " del"].iter().any(|end| sentence.to_lowercase().ends_with(end));
    if names_whose {
        return None; // `Mayor of ____`
    }
    if let Some(label) = label(sentence) {
        return Some((label, false));
    }
    if !has_colon {
        return None;
    }
    let words: Vec<&str> = sentence.split_whitespace().collect();
    (1..=words.len().min(4)).rev().find_map(|n| {
        let start = words.len() - n;
        let label = label(&words[start..].join(" "))?;
        let is_new = start == 0 || words[start - 1].ends_with([',', '.', ';', ':', ')', '_', '!', '?']);
        Some((label, !is_new))
    })
}

/// What follows a blank in its line: the end of an address, as in `____ Street`; its length.
pub(super) fn street_after(after: &str) -> Option<usize> {
    let word = after.strip_prefix(' ')?;
    let len = word.find(|c: char| !c.is_alphanumeric()).unwrap_or(word.len());
    let streets = ["street", "st", "avenue", "ave", "road", "rd", "drive", "lane", "boulevard", "blvd", "court"];
    streets.contains(&word[..len].to_lowercase().as_str()).then_some(1 + len)
}
