//! Header fields in ASCII: names and subjects as RFC 5322 and RFC 2047 want them, folded.
//!
//! The builder's own encoder leaves `=?…?=` in a name as it is, which a reader would decode to something else;
//! so all text from people is encoded here. Nothing here may let a line break through.

use std::fmt::Write;

const LINE_MAX: usize = 76; // RFC 2047 2: of a line that holds an encoded word
const WORD_TEXT_MAX: usize = 48; // leaves room for `Reply-To: =?utf-8?q?` and `?=` on the first line
const QUOTED_CHARS_MAX: usize = 60;

/// The value of a field that holds one mailbox, after `name: `.
///
/// A name of printable ASCII is a quoted string; any other, or one that looks encoded, becomes encoded words.
/// The address is as it is: outside ASCII only when its local part is (RFC 6532).
pub(super) fn mailbox(field: &str, name: &str, address: &str) -> String {
    if name.is_empty() {
        return address.to_owned();
    }
    let mut value = if is_plain(name) && name.len() <= QUOTED_CHARS_MAX { quoted(name) } else { encoded(name) };
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
    if !is_plain(text) || text.starts_with(' ') || text.ends_with(' ') || text.contains("  ") {
        return encoded(text);
    }
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
    // A word longer than a whole line is not for folding but for encoding.
    if value.split("\r\n").any(|line| line.len() > LINE_MAX * 2) { encoded(text) } else { value }
}

/// Printable ASCII that no reader would take for an encoded word.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|b| (b' '..=b'~').contains(&b)) && !text.contains("=?")
}

/// RFC 5322 3.2.4.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}

/// RFC 2047: words of at most 76 characters, each on a line of its own, no character divided between two.
fn encoded(text: &str) -> String {
    let mut words = vec![String::new()];
    for c in text.chars() {
        let c = encoded_char(c);
        match words.last_mut() {
            Some(word) if word.len() + c.len() <= WORD_TEXT_MAX => word.push_str(&c),
            _ => words.push(c),
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
            ("=?utf-8?q?x?=", "=?utf-8?q?=3D=3Futf=2D8=3Fq=3Fx=3F=3D?= <a@x.example>"),
            ("", "a@x.example"),
        ] {
            assert_eq!(mailbox("From", name, "a@x.example"), value);
        }
    }

    #[test]
    fn lines_are_at_most_76_characters() {
        let address = format!("{}@x.example", "a".repeat(50));
        for name in ["x".repeat(200), "é".repeat(200), "🎈 ".repeat(60), "a b ".repeat(14)] {
            for value in [mailbox("Reply-To", &name, &address), text("Reply-To", &name)] {
                let lines: Vec<&str> = value.split("\r\n").collect();
                assert!("Reply-To: ".len() + lines[0].len() <= LINE_MAX, "{value}");
                assert!(lines[1..].iter().all(|line| line.starts_with(' ') && line.len() <= LINE_MAX), "{value}");
                assert!(value.is_ascii());
            }
        }
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
