//! The text of a message as it goes on the wire: line ends, transparency, the final dot (RFC 5321 4.5.2).
//!
//! Pure. Whatever comes in, nothing but CRLF ends a line on the wire and nothing but the end is a lone dot:
//! a bare CR or LF is what makes one server see the end of a message where another does not.

use memchr::memchr2;

/// Stuffs dots, turns bare CR and bare LF into CRLF, and ends with one `CRLF . CRLF`.
pub(super) fn on_the_wire(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + message.len() / 50 + 8);
    let mut rest = message;
    while !rest.is_empty() {
        let end = memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
        let (line, tail) = rest.split_at(end);
        if line.starts_with(b".") {
            out.push(b'.');
        }
        out.extend_from_slice(line);
        out.extend_from_slice(b"\r\n");
        rest = tail.strip_prefix(b"\r\n").or_else(|| tail.get(1..)).unwrap_or_default();
    }
    out.extend_from_slice(b".\r\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn dots_and_line_ends_are_made_safe() {
        for (message, expected) in [
            (&b""[..], &b".\r\n"[..]),
            (b"a", b"a\r\n.\r\n"),
            (b"a\r\n", b"a\r\n.\r\n"),
            (b"a\r\n\r\n", b"a\r\n\r\n.\r\n"),
            (b".\r\n", b"..\r\n.\r\n"),
            (b"a\r\n.\r\nb\r\n", b"a\r\n..\r\nb\r\n.\r\n"),
            (b"a\n.\nb", b"a\r\n..\r\nb\r\n.\r\n"),
            (b"a\r.\rb", b"a\r\n..\r\nb\r\n.\r\n"),
            (b"a\n\r\n", b"a\r\n\r\n.\r\n"),
            (b"a\r\r\n", b"a\r\n\r\n.\r\n"),
            (b"..", b"...\r\n.\r\n"),
        ] {
            assert_eq!(on_the_wire(message), expected, "{:?}", String::from_utf8_lossy(message));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_end_the_message_early_or_break_a_line(message in "[a.\r\n]{0,40}") {
            let wire = on_the_wire(message.as_bytes());
            let lines = wire.strip_suffix(b".\r\n").unwrap();
            prop_assert!(lines.is_empty() || lines.ends_with(b"\r\n"));
            for line in lines.split_inclusive(|&b| b == b'\n') {
                prop_assert_ne!(line, b".\r\n");
                prop_assert!(line.ends_with(b"\r\n"));
                prop_assert!(!line[..line.len() - 2].iter().any(|b| matches!(b, b'\r' | b'\n')));
            }
        }
    }
}
