//! Finds blanks that somebody forgot to fill in: `____`, `(name)`, `[NAME]`, `<<Name>>`, `}}`, `Name: ......`.
//!
//! It looks only at what the template's author wrote, in the template and in every letter made of it. Values are
//! data: a constituent whose name is `{{ x }}` must get their letter.

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
/// Words of which such names are made.
const PARTS: [&str; 24] = [
    "name",
    "first",
    "last",
    "full",
    "and",
    "your",
    "city",
    "town",
    "state",
    "zip",
    "code",
    "postcode",
    "address",
    "street",
    "home",
    "email",
    "phone",
    "number",
    "date",
    "title",
    "mayor",
    "s",
    "signature",
    "print",
];
const RUN_MIN: usize = 3;
const DOTS_MIN: usize = 4;
const WORD_CHARS_MAX: usize = 40;
/// What a value is to those who look for blanks.
const VALUE: char = '\u{fffc}';

/// Every blank in a literal text that starts at byte `at` of the source.
pub(super) fn find(text: &str, at: usize) -> Vec<Finding> {
    let finding = |(offset, blank): (usize, &str)| {
        let what = format!("`{blank}` looks like a blank that was not filled in; put a field there, or reword it");
        Finding::new(at + offset, what)
    };
    blanks(text).map(finding).collect()
}

/// Takes the marks away that stand around every value of a rendered text, or gives a blank that stands between them.
pub(super) fn unmask(masked: &str, mask: char) -> Result<String, String> {
    let mut whole = String::with_capacity(masked.len());
    let mut literal = String::with_capacity(masked.len());
    for (n, part) in masked.split(mask).enumerate() {
        whole.push_str(part);
        if n % 2 == 0 {
            literal.push_str(part);
        } else {
            literal.push(VALUE);
        }
    }
    match blanks(&literal).next() {
        Some((_, blank)) => Err(blank.replace(VALUE, "…")),
        None => Ok(whole),
    }
}

/// Every blank with its place. One look at every byte: this is asked of every letter.
fn blanks(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while let Some(byte) = text.as_bytes().get(at) {
            let here = at;
            at += 1;
            let (blank, len) = match byte {
                b'_' => run(text, here, '_', RUN_MIN),
                b'.' => dots(text, here, '.', DOTS_MIN),
                0xE2 => dots(text, here, '…', 2),
                b'{' => either(braces(text, here), || bracketed(text, here, "{", "}")),
                b'%' => either(braces(text, here), || bracketed(text, here, "%", "%")),
                b'}' | b'#' => braces(text, here),
                b'(' => bracketed(text, here, "(", ")"),
                b'[' => bracketed(text, here, "[", "]"),
                b'*' => bracketed(text, here, "*|", "|*"),
                0xC2 => bracketed(text, here, "«", "»"),
                b'<' => bracketed(text, here, "<<", ">>"),
                _ => continue,
            };
            at = here + len.max(1);
            if blank {
                return text.get(here..here + len).map(|blank| (here, blank));
            }
        }
        None
    })
}

/// Whether there is a blank, and how many bytes need not be looked at again.
type Seen = (bool, usize);

fn either(first: Seen, second: impl FnOnce() -> Seen) -> Seen {
    if first.0 { first } else { second() }
}

/// A run of at least `min` of the same character; a backslash before one of them changes nothing for the reader.
fn run(text: &str, at: usize, of: char, min: usize) -> Seen {
    let mut rest = &text[at..];
    let mut count = 0;
    while let Some(after) = rest.strip_prefix(of).or_else(|| rest.strip_prefix('\\')?.strip_prefix(of)) {
        rest = after;
        count += 1;
    }
    (count >= min, text.len() - at - rest.len())
}

fn dots(text: &str, at: usize, of: char, min: usize) -> Seen {
    if !text[at..].starts_with(of) {
        return (false, 0);
    }
    let (long, len) = run(text, at, of, min);
    (long && follows_a_word(&text[..at]), len)
}

/// Two signs that open or close a tag, also where a backslash stands between them.
fn braces(text: &str, at: usize) -> Seen {
    let bytes = text.as_bytes();
    let spaced = matches!(bytes.get(at..at + 3), Some(b"{ {" | b"} }")); // a tag that somebody spread out
    let escaped = spaced || bytes.get(at + 1) == Some(&b'\\');
    let second = bytes.get(at + 1 + usize::from(escaped));
    let pair = (bytes.get(at), second);
    let is_tag = matches!(pair, (Some(b'{'), Some(b'{' | b'%' | b'#')) | (Some(b'}' | b'%' | b'#'), Some(b'}')));
    (is_tag, if is_tag { 2 + usize::from(escaped) } else { 0 })
}

/// A word that names a blank, between brackets.
fn bracketed(text: &str, at: usize, open: &str, close: &str) -> Seen {
    let Some(inside) = text[at..].strip_prefix(open) else { return (false, 0) };
    let reach = inside.char_indices().nth(WORD_CHARS_MAX).map_or(inside.len(), |(n, _)| n);
    // A blank is on one line.
    let line = inside[..reach].split('\n').next().unwrap_or_default();
    let Some(len) = line.find(close) else { return (false, 0) };
    let word = inside[..len].trim().trim_end_matches('\\');
    let behind = &inside[len + close.len()..];
    let after = behind.strip_prefix('\\').unwrap_or(behind).chars().next(); // what the reader sees
    let touches = text[..at].ends_with(|c: char| !c.is_whitespace() && !"([*\"“>".contains(c)); // as in an address
    let goes_on = after.is_some_and(|c| !c.is_whitespace() && !",.;:!?)]*\"”<&".contains(c));
    if open == "%" && (touches || goes_on || inside[..len].contains(' ')) {
        return (false, 0);
    }
    if is_blank(word, after, open) { (true, open.len() + len + close.len()) } else { (false, 0) }
}

fn is_blank(word: &str, after: Option<char>, open: &str) -> bool {
    let is_link = open == "[" && matches!(after, Some('(' | '[' | ':'));
    let shouted = word.chars().count() > 1
        && word.chars().any(char::is_uppercase)
        && word.chars().all(|c| c.is_uppercase() || matches!(c, ' ' | '_' | '-'));
    match open {
        "<<" | "*|" => !word.is_empty(),
        "[" if is_link => false,
        "[" => shouted || is_known(word) || is_made_of_labels(word),
        "%" => shouted && word.len() > 2 && word.is_ascii(),
        "«" => is_known(word) || is_name_of_program(word),
        "{" => is_known(word) || is_made_of_labels(word),
        _ => is_known(word),
    }
}

/// `City, State ZIP`, `first and last name`, `your town`.
fn is_made_of_labels(word: &str) -> bool {
    let lower = word.to_lowercase();
    let words = || lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let is_order = matches!(words().next(), Some("your" | "insert")) && words().count() > 1;
    is_order || (words().count() > 1 && words().all(|word| PARTS.contains(&word)))
}

/// `AddressBlock`, `First_Name`: nobody writes so but programs.
fn is_name_of_program(word: &str) -> bool {
    let is_one = word.chars().all(|c| c.is_alphanumeric() || c == '_');
    let has_hump = word.chars().zip(word.chars().skip(1)).any(|(a, b)| a.is_lowercase() && b.is_uppercase());
    is_one && (has_hump || word.contains('_'))
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
            "Dear *|FNAME|*,",
            "«AddressBlock»",
            "«Last_Name»",
            "«Name»",
            "Dear %NAME%,",
            "[Your Town]",
            "[insert a sentence]",
            "[City, State ZIP]",
            "[First and last name]",
            "{Mayor's name}",
            "{ { constituent.name } }",
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
            "«Sí», dijo «la alcaldesa»",
            "20% off, 30% of it; 5 %CE% and 100%",
            "https://x.example/%NAME%/a",
            "%NAME%_a@b.example",
            "%NAME%\\_a@b.example",
            "{date date\nx }",
            "[the city] and [its mayor]",
            "a *|* b",
            "{ a { b } c }",
        ] {
            assert_eq!(find(text, 0), [], "{text:?}");
        }
    }

    #[test]
    fn a_blank_is_found_where_it_stands() {
        assert_eq!(find("é ____", 10)[0].at, 13);
    }
}
