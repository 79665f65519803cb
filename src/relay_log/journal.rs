//! A line of `journalctl -o json` → the line that syslog would have written. Any other line is left as it is. It must not
//! know what lines mean.

use std::borrow::Cow;

use jiff::Timestamp;
use memchr::memmem;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// A line as it is to be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    Text(Cow<'a, [u8]>),
    /// An entry of a journal that cannot be read.
    Unread,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "__REALTIME_TIMESTAMP")]
    at: Field,
    #[serde(rename = "SYSLOG_IDENTIFIER")]
    program: Option<Field>,
    #[serde(rename = "SYSLOG_PID")]
    pid: Option<Field>,
    #[serde(rename = "_PID")]
    real_pid: Option<Field>,
    #[serde(rename = "MESSAGE")]
    message: Option<Field>,
}

/// Text; where it is not UTF-8, its bytes; and what neither is.
#[derive(Deserialize)]
#[serde(untagged)]
enum Field {
    Text(String),
    Bytes(Vec<u8>),
    Other(IgnoredAny),
}

impl Field {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
            Self::Other(_) => &[],
        }
    }

    fn text(&self) -> &str {
        std::str::from_utf8(self.bytes()).unwrap_or_default()
    }
}

impl<'a> Line<'a> {
    /// Of a log of either kind.
    pub(super) fn read(line: &'a [u8]) -> Self {
        if !line.starts_with(b"{") || memmem::find(line, b"\"__REALTIME_TIMESTAMP\"").is_none() {
            return Self::Text(Cow::Borrowed(line));
        }
        match serde_json::from_slice::<Entry>(line).ok().and_then(|entry| entry.written()) {
            Some(text) => Self::Text(Cow::Owned(text)),
            None => Self::Unread,
        }
    }

    /// Where there is one.
    pub(super) fn text(self) -> Option<Cow<'a, [u8]>> {
        match self {
            Self::Text(text) => Some(text),
            Self::Unread => None,
        }
    }
}

impl Entry {
    fn written(&self) -> Option<Vec<u8>> {
        let at = Timestamp::from_microsecond(self.at.text().parse().ok()?).ok()?;
        let is_name = |name: &&str| !name.contains(|c: char| c.is_whitespace() || c.is_control() || "[]:".contains(c));
        let program = self.program.as_ref().map(Field::text).filter(is_name).unwrap_or_default();
        let pid = self.pid.as_ref().or(self.real_pid.as_ref()).map(Field::text).unwrap_or_default();
        let mut line = format!("{at} journal {program}[{pid}]: ").into_bytes();
        line.extend(self.message.as_ref().map(Field::bytes).unwrap_or_default());
        line.iter_mut().filter(|b| b.is_ascii_control()).for_each(|b| *b = b' ');
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_of_a_journal_becomes_the_line_that_syslog_would_have_written() {
        let queued = "2026-11-24T22:59:31.123456Z journal postfix/qmgr[7]: 4XyZ12: removed";
        let head = r#"{"__CURSOR":"s=1","__REALTIME_TIMESTAMP":"1795561171123456","PRIORITY":"6""#;
        for (rest, line) in [
            (r#","SYSLOG_IDENTIFIER":"postfix/qmgr","SYSLOG_PID":"7","MESSAGE":"4XyZ12: removed"}"#, queued),
            (r#","MESSAGE":"4XyZ12: removed","_PID":"7","SYSLOG_IDENTIFIER":"postfix/qmgr"}"#, queued),
            (
                r#","MESSAGE":[255,10,97],"_PID":"7","SYSLOG_IDENTIFIER":"a"}"#,
                "2026-11-24T22:59:31.123456Z journal a[7]: \u{fffd} a",
            ),
            (r#","MESSAGE":null,"SYSLOG_IDENTIFIER":["a","b"]}"#, "2026-11-24T22:59:31.123456Z journal []: "),
        ] {
            let entry = format!("{head}{rest}");
            let text = Line::read(entry.as_bytes()).text().unwrap();
            assert_eq!(String::from_utf8_lossy(&text), line, "{rest}");
        }
        assert_eq!(Line::read(head.as_bytes()), Line::Unread, "it is cut");
        for other in [&b"Nov 24 22:59:31 mail postfix/qmgr[1]: x"[..], b"{\"a\":1}", b"", b"{"] {
            assert_eq!(Line::read(other), Line::Text(Cow::Borrowed(other)));
        }
    }
}
