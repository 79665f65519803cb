//! Header fields in ASCII: names and subjects as RFC 5322 and RFC 2047 want them, folded.
//!
//! The builder's own encoder leaves `=?…?=` in a name as it is, which a reader would decode to something else;
//! so all text from people is encoded here. Nothing here may let a line break through.

use std::fmt::Write;

const LINE_MAX: usize = 76; // RFC 2047 2: of a line that holds an encoded word
const WORD_TEXT_MAX: usize = 48; // leaves room for `Reply-To: =?utf-8?q?` and `?=` on the first line
const PLAIN_MAX: usize = 800; // what cannot be folded must stay below RFC 5322's 998 characters a line

/// The value of a field that holds one mailbox, after `name: `.
///
/// A name of printable ASCII is a quoted string; of any other, the words that need it become encoded words.
/// The address is as it is: outside ASCII only when its local part is (RFC 6532).
pub(super) fn mailbox(field: &str, name: &str, address: &str) -> String {
    if name.is_empty() {
        return address.to_owned();
    }
    let quoted = format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\"")); // RFC 5322 3.2.4
    let mut value =
        if is_plain(name) && quoted.len() <= PLAIN_MAX { folded(field, &quoted) } else { mixed(field, name) };
    let last_line = match value.rsplit_once("\r\n") {
        Some((_, line)) => line.len(),
        None => field.len() + 2 + value.len(),
    };
    let fold = if last_line + address.len() + 3 > LINE_MAX { "\r\n" } else { "" };
    value.extend([fold, " <", address, ">"]);
    value
}

/// The value of a field of free text, after `name: `.
pub(super) fn text(field: &str, text: &str) -> String {
    if is_plain(text) && text.len() <= PLAIN_MAX { folded(field, text) } else { mixed(field, text) }
}

/// Printable ASCII that no reader would take for an encoded word, with single spaces inside, where it can be folded.
fn is_plain(text: &str) -> bool {
    spaces_are_safe(text) && text.bytes().all(|b| (b' '..=b'~').contains(&b)) && !text.contains("=?")
}

/// Single ones, between words: where a line can be folded without changing what is read.
fn spaces_are_safe(text: &str) -> bool {
    !text.starts_with(' ') && !text.ends_with(' ') && !text.contains("  ")
}

/// A word that stands for itself also beside encoded words: an atom (RFC 5322 3.2.3) that does not look encoded.
fn is_bare(word: &str) -> bool {
    let is_atext = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/?^_`{|}~".contains(&b);
    !word.is_empty() && word.len() <= WORD_TEXT_MAX && word.bytes().all(is_atext)
}

/// Encodes the words that need it and leaves the others as they are. Words that need it and stand together are
/// encoded together: the space between two encoded words is not shown.
fn mixed(field: &str, text: &str) -> String {
    if !spaces_are_safe(text) {
        return encoded(text);
    }
    let mut tokens: Vec<String> = Vec::new();
    let mut run: Vec<&str> = Vec::new();
    for word in text.split(' ').map(Some).chain([None]) {
        match word {
            Some(word) if !is_bare(word) => run.push(word),
            word => {
                if !run.is_empty() {
                    tokens.extend(encoded(&run.join(" ")).split("\r\n ").map(str::to_owned));
                    run.clear();
                }
                tokens.extend(word.map(str::to_owned));
            }
        }
    }
    folded(field, &tokens.join(" "))
}

/// Folds at spaces, so that lines are short where words are.
fn folded(field: &str, text: &str) -> String {
    let mut value = String::with_capacity(text.len() + 8);
    let mut column = field.len() + 2;
    for (n, word) in text.split(' ').enumerate() {
        if n > 0 {
            let fold = column + 1 + word.len() > LINE_MAX;
            value.push_str(if fold { "\r\n " } else { " " });
            column = if fold { 1 } else { column + 1 };
        }
        value.push_str(word);
        column += word.len();
    }
    value
}

/// RFC 2047: encoded words of at most 76 characters, each on a line of its own, no character divided between two.
///
/// Divided after a space where possible: a reader that wrongly shows a space between two encoded words (Python
/// 3.11 does, in names) then shows one space too many and not a name in pieces.
fn encoded(text: &str) -> String {
    let mut words = vec![String::new()];
    for word in text.split_inclusive(' ') {
        let chars: Vec<String> = word.chars().map(encoded_char).collect();
        let len: usize = chars.iter().map(String::len).sum();
        let fits = words.last().is_some_and(|last| last.is_empty() || last.len() + len <= WORD_TEXT_MAX);
        if !fits {
            words.push(String::new());
        }
        for c in chars {
            match words.last_mut() {
                Some(last) if last.len() + c.len() <= WORD_TEXT_MAX => last.push_str(&c),
                _ => words.push(c),
            }
        }
    }
    let words: Vec<String> = words.into_iter().map(|word| format!("=?utf-8?q?{word}?=")).collect();
    words.join("\r\n ")
}

/// The "Q" encoding with the few characters that may stand for themselves in a name (RFC 2047 5.3).
fn encoded_char(c: char) -> String {
    match c {
        ' ' => "_".to_owned(),
        c if c.is_ascii_alphanumeric() => c.to_string(),
        c => c.encode_utf8(&mut [0; 4]).bytes().fold(String::new(), |mut out, byte| {
            let _ = write!(out, "={byte:02X}"); // writing to a string cannot fail
            out
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_are_quoted_and_all_others_encoded() {
        for (name, value) in [
            ("Jane Doe", "\"Jane Doe\" <a@x.example>"),
            ("Doe, Jane", "\"Doe, Jane\" <a@x.example>"),
            ("\"Bob\" \\", "\"\\\"Bob\\\" \\\\\" <a@x.example>"),
            ("José", "=?utf-8?q?Jos=C3=A9?= <a@x.example>"),
            ("Zoë Weiß via Open Doors", "=?utf-8?q?Zo=C3=AB_Wei=C3=9F?= via Open Doors <a@x.example>"),
            ("Ana Núñez, Jr.", "Ana =?utf-8?q?N=C3=BA=C3=B1ez=2C_Jr=2E?= <a@x.example>"),
            ("=?utf-8?q?x?=", "=?utf-8?q?=3D=3Futf=2D8=3Fq=3Fx=3F=3D?= <a@x.example>"),
            ("", "a@x.example"),
        ] {
            assert_eq!(mailbox("From", name, "a@x.example"), value);
        }
    }

    #[test]
    fn lines_are_at_most_76_characters() {
        let address = format!("{}@x.example", "a".repeat(50));
        for name in ["é".repeat(200), "🎈 ".repeat(60), "a b".repeat(60), "a \"b\" \\".repeat(30), " x".repeat(99)] {
            for value in [mailbox("Reply-To", &name, &address), text("Reply-To", &name)] {
                let lines: Vec<&str> = value.split("\r\n").collect();
                assert!("Reply-To: ".len() + lines[0].len() <= LINE_MAX, "{value}");
                assert!(lines[1..].iter().all(|line| line.starts_with(' ') && line.len() <= LINE_MAX), "{value}");
                assert!(value.is_ascii());
            }
        }
    }

    #[test]
    fn a_line_that_cannot_be_folded_is_still_shorter_than_998_characters() {
        for name in ["x".repeat(200), "\"".repeat(399), "\\".repeat(2000)] {
            for value in [mailbox("Reply-To", &name, "a@x.example"), text("Reply-To", &name)] {
                assert!(value.split("\r\n").all(|line| line.len() < 900), "{value}");
            }
        }
    }

    #[test]
    fn encoded_words_end_after_a_space_where_there_is_one() {
        let value = text("Subject", &"éééé ".repeat(6));
        assert!(value.split("\r\n").all(|line| line.ends_with("_?=")), "{value}");
    }

    #[test]
    fn a_line_break_never_gets_through() {
        for name in ["a\r\nBcc: b@x.example", "a\nb", "\r", "\0"] {
            for value in [mailbox("From", name, "a@x.example"), text("Subject", name)] {
                assert!(!value.replace("\r\n ", "").contains(['\r', '\n', '\0']), "{value:?}");
            }
        }
    }
}
