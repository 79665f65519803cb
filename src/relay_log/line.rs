//! One line of a log → what it says of a queue id. It must not remember anything.

use memchr::{memchr, memmem, memrchr};

use super::finding::Fate;
use super::moment::{is_weekday, without_priority};

/// What a line says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Says<'a> {
    /// This queue id has that Message-ID.
    Named { queue_id: &'a str, message_id: &'a str },
    /// The relay took it, in one line with its Message-ID (Exim).
    Taken { queue_id: &'a str, message_id: &'a str },
    /// The relay has it in its queue.
    Queued { queue_id: &'a str },
    /// A client began to hand it over in this session.
    Begun { queue_id: &'a str, session: u32 },
    /// The relay threw it away before it had all of it, or refused it.
    Refused { queue_id: &'a str },
    /// The session broke off inside the text.
    BrokeOff { session: u32 },
    /// The session is over.
    Over { session: u32 },
    /// What became of it; where it was passed on to a relay that told its queue id, that.
    Became { queue_id: &'a str, fate: Fate, to: Option<&'a str>, onward: Option<&'a str> },
    /// The relay is done with it.
    Removed { queue_id: &'a str },
    /// Lines are missing from this log, by its own word.
    Hole,
}

/// Reads a line; nothing where it says nothing that counts.
pub(super) fn says(line: &[u8]) -> Option<Says<'_>> {
    let line = without_priority(line);
    match syslog(line).or_else(|| rfc5424(line)) {
        Some((program, pid, rest)) => postfix(program, pid, rest),
        None => exim(line),
    }
}

/// Month, day, time, host, program; where a weekday comes first: date, time, zone, host, program.
const HEAD_WORDS_MAX: usize = 5;

/// The last part of a program's name, the number of its process, and what it says.
type Said<'a> = (&'a [u8], Option<u32>, &'a [u8]);

/// `… host postfix/qmgr[123]: rest`.
fn syslog(line: &[u8]) -> Option<Said<'_>> {
    let end = memmem::find(line, b"]: ")?;
    let open = memrchr(b'[', &line[..end])?;
    let pid = std::str::from_utf8(&line[open + 1..end]).ok()?.parse().ok()?;
    let head = &line[..open];
    // What a program without a number says may look like the beginning of a line, too.
    let words = head.split(|b| *b == b' ').filter(|word| !word.is_empty()).count();
    let words_max = HEAD_WORDS_MAX + usize::from(head.get(..3).is_some_and(is_weekday));
    if words > words_max || memmem::find(head, b": ").is_some() {
        return None;
    }
    Some((last_part(head), Some(pid), &line[end + 3..]))
}

/// `TIME host postfix/qmgr 123 - - rest`, where a `-` is what is not told.
fn rfc5424(line: &[u8]) -> Option<Said<'_>> {
    let mut words = line.splitn(6, |b| *b == b' ');
    let (time, _host, program) = (words.next()?, words.next()?, words.next()?);
    let (pid, _message_kind, rest) = (words.next()?, words.next()?, words.next()?);
    if !time.first()?.is_ascii_digit() || !time.contains(&b'T') {
        return None;
    }
    let pid = if pid == b"-" { None } else { Some(std::str::from_utf8(pid).ok()?.parse().ok()?) };
    let text = after_data(rest)?.trim_ascii_start();
    Some((last_part(program), pid, text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)))
}

/// What comes after the structured data: `-`, or `[name key="value" …]` once or more.
fn after_data(text: &[u8]) -> Option<&[u8]> {
    if let Some(rest) = text.strip_prefix(b"-") {
        return Some(rest);
    }
    let (mut rest, mut is_quoted) = (text.strip_prefix(b"[")?, false);
    loop {
        let at = rest.iter().position(|b| matches!(b, b'"' | b'\\' | b']'))?;
        let (special, after) = (rest[at], &rest[at + 1..]);
        rest = after;
        match special {
            b'\\' => rest = rest.get(1..)?,
            b'"' => is_quoted = !is_quoted,
            _ if is_quoted => {}
            _ => match rest.strip_prefix(b"[") {
                Some(next) => rest = next,
                None => return Some(rest),
            },
        }
    }
}

fn last_part(program: &[u8]) -> &[u8] {
    let start = program.iter().rposition(|b| matches!(b, b' ' | b'/')).map_or(0, |at| at + 1);
    &program[start..]
}

/// Some write Postfix's programs all alike (rsyslog by default, in RFC 5424): what is said tells them apart.
const ANY_PROGRAM: &[u8] = b"postfix";

fn postfix<'a>(program: &[u8], pid: Option<u32>, rest: &'a [u8]) -> Option<Says<'a>> {
    match program {
        b"smtpd" | ANY_PROGRAM
            if rest.starts_with(b"lost connection after DATA") || rest.starts_with(b"timeout after DATA") =>
        {
            return pid.map(|session| Says::BrokeOff { session });
        }
        b"smtpd" | ANY_PROGRAM if rest.starts_with(b"disconnect from") => {
            return pid.map(|session| Says::Over { session });
        }
        b"rsyslogd" | b"systemd-journald" | b"journal" => {
            let lost = [&b"rate-limit"[..], b"uppressed", b" lost "];
            return lost.iter().any(|word| memmem::find(rest, word).is_some()).then_some(Says::Hole);
        }
        _ => {}
    }
    let colon = memchr(b':', rest).filter(|at| *at <= QUEUE_ID_BYTES_MAX)?;
    let queue_id = queue_id(&rest[..colon])?;
    let said = std::str::from_utf8(rest.get(colon + 2..)?).ok()?;
    let begun = || pid.filter(|_| said.starts_with("client=")).map(|session| Says::Begun { queue_id, session });
    match program {
        b"smtpd" if said.starts_with("client=") => begun(),
        b"cleanup" if said.starts_with("milter-reject: ") || said.starts_with("reject: ") => {
            Some(Says::Refused { queue_id })
        }
        b"cleanup" => named(queue_id, said),
        b"qmgr" | b"oqmgr" | b"nqmgr" => in_queue(queue_id, said),
        // Whose refusal it is cannot be told, so none is taken for one of the whole message.
        ANY_PROGRAM => begun()
            .or_else(|| named(queue_id, said))
            .or_else(|| in_queue(queue_id, said))
            .or_else(|| became(queue_id, said)),
        _ => became(queue_id, said),
    }
}

/// `message-id=<k3m9x2-1.00@a.example>`.
fn named<'a>(queue_id: &'a str, said: &'a str) -> Option<Says<'a>> {
    let message_id = said.strip_prefix("message-id=")?;
    let message_id = message_id.strip_prefix('<').and_then(|id| id.strip_suffix('>')).unwrap_or(message_id);
    Some(Says::Named { queue_id, message_id })
}

/// `from=<a@b.example>, size=12, nrcpt=1 (queue active)`, `from=<a@b.example>, status=expired, …`, `removed`.
fn in_queue<'a>(queue_id: &'a str, said: &'a str) -> Option<Says<'a>> {
    if said == "removed" {
        return Some(Says::Removed { queue_id });
    }
    let of_sender = said.strip_prefix("from=<")?;
    if of_sender.ends_with("(queue active)") {
        return Some(Says::Queued { queue_id });
    }
    let expired = of_sender.contains(">, status=expired");
    expired.then_some(Says::Became { queue_id, fate: Fate::Expired, to: None, onward: None })
}

/// `to=<mayor@town.example>, orig_to=<…>, relay=…, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 4XYZ)`.
fn became<'a>(queue_id: &'a str, said: &'a str) -> Option<Says<'a>> {
    let to = said.strip_prefix("to=<")?;
    let (to, rest) = to.split_once(">, ")?;
    let to = match rest.strip_prefix("orig_to=<") {
        Some(original) => original.split_once('>')?.0,
        None => to,
    };
    let (_, status) = rest.split_once("status=")?;
    let (word, why) = status.split_once(' ').unwrap_or((status, ""));
    let fate = match word {
        "sent" => Fate::PassedOn,
        "deferred" | "undeliverable" | "SOFTBOUNCE" => Fate::Deferred,
        "bounced" => Fate::Bounced,
        "expired" => Fate::Expired,
        _ => return None,
    };
    let onward = why.split_once("queued as ").map(|(_, id)| id.trim_end_matches(|c: char| !c.is_ascii_alphanumeric()));
    Some(Says::Became { queue_id, fate, to: Some(to), onward })
}

/// `2026-11-24 22:59:31 1abcde-000123-AB <= sender … id=MESSAGE-ID`, and what becomes of it.
fn exim(line: &[u8]) -> Option<Says<'_>> {
    if !line.first().is_some_and(u8::is_ascii_digit) {
        return None;
    }
    let line = std::str::from_utf8(line).ok()?;
    let mut words = line.split(' ').skip(2).skip_while(|word| word.starts_with(['+', '[']));
    let id = words.next().filter(|id| is_exim_s(id))?;
    match words.next()? {
        "<=" => {
            let message_id = words.find_map(|word| word.strip_prefix("id="))?;
            Some(Says::Taken { queue_id: id, message_id })
        }
        "Completed" => Some(Says::Removed { queue_id: id }),
        sign => {
            let fate = match sign {
                "=>" | "->" | ">>" => Fate::PassedOn,
                "==" => Fate::Deferred,
                "**" => Fate::Bounced,
                _ => return None,
            };
            let to = words.next().filter(|to| to.contains('@'))?;
            Some(Says::Became { queue_id: id, fate, to: Some(to.trim_end_matches(':')), onward: None })
        }
    }
}

/// `1abcde-000123-AB`, since Exim 4.97 `1abcde-00000000123-ABCD`.
fn is_exim_s(id: &str) -> bool {
    let parts: Vec<usize> = id.split('-').map(str::len).collect();
    matches!(parts[..], [6, 6, 2] | [6, 11, 4]) && id.bytes().all(|b| b == b'-' || b.is_ascii_alphanumeric())
}

const QUEUE_ID_BYTES_MAX: usize = 24;

fn queue_id(bytes: &[u8]) -> Option<&str> {
    let sound = (5..=QUEUE_ID_BYTES_MAX).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_alphanumeric);
    if sound && bytes != b"NOQUEUE" { std::str::from_utf8(bytes).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_that_counts_is_read_and_no_other() {
        let became = |queue_id, fate, to, onward| Says::Became { queue_id, fate, to, onward };
        for (line, expected) in [
            (
                "cleanup[7]: 4XyZ12: message-id=<k3m9x2-1.00@a.example>",
                Some(Says::Named { queue_id: "4XyZ12", message_id: "k3m9x2-1.00@a.example" }),
            ),
            ("cleanup[7]: 4XyZ12: resent-message-id=<k3m9x2-1.00@a.example>", None),
            ("cleanup[7]: 4XyZ12: warning: header Subject: message-id=<k3m9x2-1.00@a.example>", None),
            (
                "cleanup[7]: 4XyZ12: milter-reject: END-OF-MESSAGE from x[1]: 5.7.1 no",
                Some(Says::Refused { queue_id: "4XyZ12" }),
            ),
            (
                "qmgr[7]: 4XyZ12: from=<a@b.example>, size=12, nrcpt=1 (queue active)",
                Some(Says::Queued { queue_id: "4XyZ12" }),
            ),
            (
                "qmgr[7]: 4XyZ12: from=<a@b.example>, status=expired, returned to sender",
                Some(became("4XyZ12", Fate::Expired, None, None)),
            ),
            ("qmgr[7]: 4XyZ12: removed", Some(Says::Removed { queue_id: "4XyZ12" })),
            ("smtpd[7]: 4XyZ12: client=localhost[127.0.0.1]", Some(Says::Begun { queue_id: "4XyZ12", session: 7 })),
            (
                "smtpd[7]: lost connection after DATA (31 bytes) from localhost[127.0.0.1]",
                Some(Says::BrokeOff { session: 7 }),
            ),
            ("smtpd[7]: lost connection after END-OF-MESSAGE from localhost[127.0.0.1]", None),
            ("smtpd[7]: disconnect from localhost[127.0.0.1] ehlo=1", Some(Says::Over { session: 7 })),
            ("smtpd[7]: NOQUEUE: reject: RCPT from x[1]: 550 no", None),
            (
                "smtp[7]: 4XyZ12: to=<m@t.example>, relay=x[1]:25, delay=1, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 5ABCDE)",
                Some(became("4XyZ12", Fate::PassedOn, Some("m@t.example"), Some("5ABCDE"))),
            ),
            (
                "smtp[7]: 4XyZ12: to=<n@t.example>, orig_to=<m@t.example>, relay=none, dsn=4.4.1, status=deferred (connect)",
                Some(became("4XyZ12", Fate::Deferred, Some("m@t.example"), None)),
            ),
            ("bounce[7]: 4XyZ12: sender non-delivery notification: 5ABCDE", None),
            (
                "local[7]: 4XyZ12: to=<m@t.example>, relay=local, dsn=5.1.1, status=bounced (unknown user)",
                Some(became("4XyZ12", Fate::Bounced, Some("m@t.example"), None)),
            ),
            ("rsyslogd[7]: imjournal: 77 messages lost due to rate-limiting", Some(Says::Hole)),
            ("sshd[7]: Accepted publickey for x", None),
            ("app: subject: postfix/qmgr[7]: 4XyZ12: from=<a@b.example>, size=12, nrcpt=1 (queue active)", None),
        ] {
            for head in ["Nov 24 22:59:31 mail postfix/", "2026-11-24T22:59:31+00:00 mail postfix/submission/"] {
                let line = format!("{head}{line}");
                assert_eq!(says(line.as_bytes()), expected, "{line}");
            }
        }
        for (line, expected) in [
            (
                "1abcde-000123-AB <= a@b.example H=x [1] P=esmtp S=9 id=k3m9x2-1.00@a.example",
                Some(Says::Taken { queue_id: "1abcde-000123-AB", message_id: "k3m9x2-1.00@a.example" }),
            ),
            (
                "1abcde-00000000123-ABCD => m@t.example R=r T=t",
                Some(became("1abcde-00000000123-ABCD", Fate::PassedOn, Some("m@t.example"), None)),
            ),
            (
                "1abcde-000123-AB ** m@t.example: unknown",
                Some(became("1abcde-000123-AB", Fate::Bounced, Some("m@t.example"), None)),
            ),
            ("1abcde-000123-AB Completed", Some(Says::Removed { queue_id: "1abcde-000123-AB" })),
            ("no host name found", None),
        ] {
            assert_eq!(says(format!("2026-11-24 22:59:31 {line}").as_bytes()), expected, "{line}");
        }
    }

    proptest::proptest! {
        #[test]
        fn rubbish_is_passed_by(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200), cut in 0..120_usize) {
            let _ = says(&bytes);
            let line = "Nov 24 22:59:31 mail postfix/smtp[7]: 4XyZ12: to=<m@t.example>, orig_to=<x>, status=sent (queued as 5ABCDE)";
            let mut line = line.as_bytes().to_vec();
            line.truncate(cut);
            line.extend_from_slice(&bytes);
            let _ = says(&line);
            let _ = super::super::moment::moment(&line, &super::super::Zone { zone: jiff::tz::TimeZone::UTC, now: jiff::Timestamp::UNIX_EPOCH });
        }
    }
}
