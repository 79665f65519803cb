//! What a relay's bytes say: from raw bytes to whole replies, within bounds, whatever comes.
//!
//! This is the only reader of a relay's words. lettre is handed a clean rendering of each reply, so that
//! nothing a hostile relay sends reaches its parser. No I/O here, and no decision about what a reply means.

use crate::model::{LossCause, Outcome, Phase, Reply, printable};

/// RFC 5321 4.5.3.1.5 allows 512 bytes a line; relays exceed it with long policy texts.
const LINE_BYTES_MAX: usize = 2_000;
const REPLY_BYTES_MAX: usize = 32 * 1024;
const REPLY_LINES_MAX: usize = 500;
/// lettre refuses lines of 1,000 bytes; of a longer one it sees the start.
const LETTRE_LINE_BYTES_MAX: usize = 900;
const DETAIL_CHARS_MAX: usize = 200;

/// Why bytes are not a reply.
pub(super) type Garbage = &'static str;

/// One whole reply, in any number of lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RawReply {
    /// The basic code, 200 to 599.
    pub(super) code: u16,
    /// The lines without code, separator and line end.
    pub(super) lines: Vec<String>,
}

impl RawReply {
    /// The house's word for it, with the phase whose command provoked it.
    pub(super) fn at(&self, phase: Phase) -> Reply {
        Reply::new(phase, self.code, self.lines.iter().map(String::as_str))
    }

    /// 4xx or 5xx.
    pub(super) fn refuses(&self) -> bool {
        self.code >= 400
    }

    /// The relay says that it is about to close the connection (RFC 5321 3.8).
    pub(super) fn closes(&self) -> bool {
        self.code == 421
    }

    /// The same reply in a form that lettre's parser takes: `\r\n` line ends, a separator on every line, and a
    /// second digit from 0 to 5 (571 is in use, though RFC 5321 4.2 knows none such; lettre needs the class only).
    pub(super) fn rendered(&self) -> Vec<u8> {
        let code = self.code - self.code % 100 + (self.code / 10 % 10).min(5) * 10 + self.code % 10;
        let last = self.lines.len().saturating_sub(1);
        let render = |(n, line): (usize, &String)| {
            let separator = if n == last { ' ' } else { '-' };
            format!("{code}{separator}{}\r\n", start_of(line, LETTRE_LINE_BYTES_MAX))
        };
        self.lines.iter().enumerate().map(render).collect::<String>().into_bytes()
    }
}

/// Collects bytes until they are replies.
#[derive(Debug, Default)]
pub(super) struct ReplyReader {
    bytes: Vec<u8>,
    code: Option<u16>,
    lines: Vec<String>,
    taken: usize,
}

impl ReplyReader {
    /// Takes what came from the relay.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Whether nothing is left of what came: the relay has said nothing that was not read.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty() && self.lines.is_empty()
    }

    /// The next whole reply; `None` until more bytes come. After an error the conversation cannot go on.
    pub(super) fn next(&mut self) -> Result<Option<RawReply>, Garbage> {
        while let Some(end) = self.bytes.iter().position(|&b| b == b'\n') {
            let line: Vec<u8> = self.bytes.drain(..=end).collect();
            self.taken += line.len();
            let is_last = self.take_line(&line)?;
            if is_last {
                self.taken = 0;
                let (code, lines) = (self.code.take(), std::mem::take(&mut self.lines));
                return Ok(code.map(|code| RawReply { code, lines }));
            }
        }
        if self.bytes.len() > LINE_BYTES_MAX {
            return Err("a line without an end");
        }
        Ok(None)
    }

    fn take_line(&mut self, line: &[u8]) -> Result<bool, Garbage> {
        if line.len() > LINE_BYTES_MAX {
            return Err("a line that is too long");
        }
        if self.taken > REPLY_BYTES_MAX || self.lines.len() >= REPLY_LINES_MAX {
            return Err("a reply without an end");
        }
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.contains(&0) {
            return Err("a NUL");
        }
        let (code, rest) = split_code(line).ok_or("no reply code")?;
        if *self.code.get_or_insert(code) != code {
            return Err("a reply with two codes");
        }
        let (is_last, text) = match rest {
            [] => (true, rest),
            [b' ', text @ ..] => (true, text),
            [b'-', text @ ..] => (false, text),
            _ => return Err("no reply code"),
        };
        self.lines.push(String::from_utf8_lossy(text).replace('\r', " ").trim().to_owned());
        Ok(is_last)
    }
}

fn split_code(line: &[u8]) -> Option<(u16, &[u8])> {
    let (digits, rest) = line.split_at_checked(3)?;
    let code = std::str::from_utf8(digits).ok().filter(|d| d.bytes().all(|b| b.is_ascii_digit()))?.parse().ok()?;
    (200..600).contains(&code).then_some((code, rest))
}

/// As many whole characters as fit.
fn start_of(text: &str, bytes_max: usize) -> &str {
    let end = (0..=bytes_max.min(text.len())).rev().find(|&n| text.is_char_boundary(n)).unwrap_or(0);
    &text[..end]
}

/// No reply that can be read: with what the system said, made printable.
pub(super) fn lost(phase: Phase, cause: LossCause, detail: &str) -> Outcome {
    Outcome::Lost { phase, cause, detail: printable(detail, DETAIL_CHARS_MAX) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Option<RawReply>, Garbage> {
        let mut reader = ReplyReader::default();
        reader.push(bytes);
        reader.next()
    }

    fn reply(code: u16, lines: &[&str]) -> RawReply {
        RawReply { code, lines: lines.iter().map(ToString::to_string).collect() }
    }

    #[test]
    fn replies_as_relays_write_them_are_read() {
        for (bytes, expected) in [
            (&b"250 ok\r\n"[..], reply(250, &["ok"])),
            (b"250\r\n", reply(250, &[""])),
            (b"250 ok\n", reply(250, &["ok"])),
            (b"250-a\r\n250-  \r\n250 b\r\n", reply(250, &["a", "", "b"])),
            (b"571 5.7.1 no\r\n", reply(571, &["5.7.1 no"])),
            (b"550 nicht zul\xe4ssig\r\n", reply(550, &["nicht zul\u{fffd}ssig"])),
            (b"354 go \r on\r\n", reply(354, &["go   on"])),
        ] {
            assert_eq!(read(bytes), Ok(Some(expected)), "{:?}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn what_is_not_smtp_is_garbage() {
        for bytes in [
            &b"<html>\r\n"[..],
            b"HTTP/1.1 400 Bad Request\r\n",
            b"999 what\r\n",
            b"150 what\r\n",
            b"600 what\r\n",
            b"25\r\n",
            b"\r\n",
            b"250ok\r\n",
            b"250\tok\r\n",
            b"+50 ok\r\n",
            b"250 o\0k\r\n",
            b"250-a\r\n251 b\r\n",
            b"\xff\xfe\xfd\r\n",
        ] {
            assert!(read(bytes).is_err(), "{:?} was read", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn a_reply_without_an_end_is_garbage_before_it_fills_the_memory() {
        for line in [&b"250-for ever\r\n"[..], b"x", b"250-"] {
            let mut reader = ReplyReader::default();
            let bytes = (0..).find_map(|n| {
                reader.push(line);
                reader.next().is_err().then_some(n * line.len())
            });
            assert!(bytes.is_some_and(|b| b <= REPLY_BYTES_MAX), "{bytes:?}");
        }
    }

    #[test]
    fn two_replies_in_one_packet_stay_two() {
        let mut reader = ReplyReader::default();
        reader.push(b"250 a\r\n354 b\r\n5");
        assert_eq!(reader.next(), Ok(Some(reply(250, &["a"]))));
        assert_eq!(reader.next(), Ok(Some(reply(354, &["b"]))));
        assert_eq!(reader.next(), Ok(None));
        assert!(!reader.is_empty());
    }

    #[test]
    fn lettre_can_parse_every_reply_that_is_read() {
        use lettre::transport::smtp::response::Response;
        let long = format!("550 {}\r\n", "ü".repeat(900));
        for bytes in [&b"571 no\r\n"[..], b"250\r\n", b"250-a\n250 b\n", b"250- \r\n250 \r\n", long.as_bytes()] {
            let raw = read(bytes).unwrap().unwrap();
            let rendered = String::from_utf8(raw.rendered()).unwrap();
            let parsed: Response = rendered.parse().unwrap();
            assert_eq!(parsed.is_positive(), !raw.refuses());
            assert!(rendered.len() < 1_000);
        }
    }
}
