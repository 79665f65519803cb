//! Quoted-printable (RFC 2045 6.7), strict enough that no mail server on the way finds anything to change.
//!
//! Encoded besides what must be: a dot or `From ` at the start of a line, and a bare CR.

use std::fmt::Write;

const LINE_MAX: usize = 76;

/// Encodes a text; its line breaks (`\n` or CRLF) become CRLF, and every line is at most 76 characters of ASCII.
pub(super) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    let mut lines = text.split('\n').peekable();
    while let Some(line) = lines.next() {
        let is_last = lines.peek().is_none();
        let line = if is_last { line } else { line.strip_suffix('\r').unwrap_or(line) };
        encode_line(line, &mut out);
        if !is_last {
            out.push_str("\r\n");
        }
    }
    out
}

fn encode_line(line: &str, out: &mut String) {
    let mut rest = line;
    let mut column = 0;
    while !rest.is_empty() {
        // What follows a soft break starts a line on the wire, too.
        if column + 3 > LINE_MAX - 1 {
            out.push_str("=\r\n");
            column = 0;
        }
        let plain = plain_start(rest, LINE_MAX - 3 - column, column == 0);
        out.push_str(&rest[..plain]);
        column += plain;
        rest = &rest[plain..];
        if plain == 0 {
            // A character at a time, though a soft break may come between its bytes.
            let character = rest.chars().next().map_or(1, char::len_utf8);
            for byte in rest[..character].bytes() {
                if column + 3 > LINE_MAX - 1 {
                    out.push_str("=\r\n");
                    column = 0;
                }
                let _ = write!(out, "={byte:02X}"); // writing to a string cannot fail
                column += 3;
            }
            rest = &rest[character..];
        }
    }
}

/// How many bytes at the start of a line's rest can stand as they are, at most so many.
fn plain_start(rest: &str, most: usize, starts_line: bool) -> usize {
    let bytes = rest.as_bytes();
    if starts_line && (bytes.starts_with(b".") || bytes.starts_with(b"From ")) {
        return 0;
    }
    let plain = bytes.iter().take(most).take_while(|byte| is_plain(**byte)).count();
    // A blank at the very end could be taken away on the way.
    let ends_blank = plain == bytes.len() && matches!(bytes.last(), Some(b' ' | b'\t'));
    plain - usize::from(ends_blank)
}

const fn is_plain(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'!'..=b'<' | b'>'..=b'~')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_could_change_is_encoded() {
        for (text, encoded) in [
            ("a b\nc", "a b\r\nc"),
            (".", "=2E"),
            ("a.\n.b", "a.\r\n=2Eb"),
            ("From x\nFromage\na From ", "=46rom x\r\nFromage\r\na From=20"),
            ("a \nb\t", "a=20\r\nb=09"),
            ("a\r\nb\rc\r", "a\r\nb=0Dc=0D"),
            ("a=b", "a=3Db"),
            ("é🎈", "=C3=A9=F0=9F=8E=88"),
            ("\u{560d}", "=E5=98=8D"),
            ("", ""),
            ("\n", "\r\n"),
        ] {
            assert_eq!(encode(text), encoded, "{text:?}");
        }
    }

    #[test]
    fn long_lines_are_broken_softly_and_no_part_starts_with_a_dot() {
        for text in ["x".repeat(5000), ".".repeat(5000), "é ".repeat(2500), " ".repeat(5000), "From ".repeat(1000)] {
            let encoded = encode(&text);
            assert!(encoded.is_ascii());
            for line in encoded.split("\r\n") {
                assert!(line.len() <= LINE_MAX && !line.starts_with('.') && !line.starts_with("From "), "{line}");
                assert!(!line.ends_with([' ', '\t']), "{line}");
            }
        }
    }
}
