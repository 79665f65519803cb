//! What a relay said, and in which phase; or that it said nothing.

use std::fmt;

use super::mask_mailboxes;

/// A step of the conversation with a relay, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Phase {
    /// Name look-up and TCP.
    Connect,
    /// The TLS handshake.
    Tls,
    /// The relay's first line.
    Greeting,
    /// EHLO.
    Ehlo,
    /// STARTTLS.
    Starttls,
    /// AUTH.
    Auth,
    /// MAIL FROM.
    Mail,
    /// RCPT TO.
    Rcpt,
    /// DATA, up to 354.
    Data,
    /// The text of the message, before its final dot has left us.
    Body,
    /// From the final dot on: the relay may have taken the message.
    Dot,
}

impl Phase {
    /// All phases, in order.
    pub const ALL: [Self; 11] = [
        Self::Connect,
        Self::Tls,
        Self::Greeting,
        Self::Ehlo,
        Self::Starttls,
        Self::Auth,
        Self::Mail,
        Self::Rcpt,
        Self::Data,
        Self::Body,
        Self::Dot,
    ];

    /// The name used in the ledger, in `log` and in the docs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Greeting => "greeting",
            Self::Ehlo => "ehlo",
            Self::Starttls => "starttls",
            Self::Auth => "auth",
            Self::Mail => "mail",
            Self::Rcpt => "rcpt",
            Self::Data => "data",
            Self::Body => "body",
            Self::Dot => "dot",
        }
    }

    /// The phase of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.as_str() == name)
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An enhanced status code, RFC 3463: `class.subject.detail`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EnhancedCode {
    /// 2, 4 or 5.
    pub class: u8,
    /// What the code is about: 1 address, 2 mailbox, 3 mail system, 4 network, 5 protocol, 6 content, 7 policy.
    pub subject: u16,
    /// The detail.
    pub detail: u16,
}

impl EnhancedCode {
    /// Reads a code at the start of a reply's text; gives it and the text after it.
    pub fn split(text: &str) -> (Option<Self>, &str) {
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        match Self::parse(word) {
            Some(code) => (Some(code), rest.trim_start()),
            None => (None, text),
        }
    }

    /// Parses `5.1.1`.
    pub fn parse(word: &str) -> Option<Self> {
        let mut parts = word.splitn(3, '.').map(|p| {
            let digits = !p.is_empty() && p.len() <= 3 && p.bytes().all(|b| b.is_ascii_digit());
            digits.then(|| p.parse::<u16>().ok()).flatten()
        });
        let class = u8::try_from(parts.next()??).ok().filter(|c| matches!(c, 2 | 4 | 5))?;
        Some(Self { class, subject: parts.next()??, detail: parts.next()?? })
    }
}

impl fmt::Display for EnhancedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

/// One reply of a relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The phase whose command provoked it.
    pub phase: Phase,
    /// The basic code, 200 to 599.
    pub code: u16,
    /// The enhanced code, where the relay gave one.
    pub enhanced: Option<EnhancedCode>,
    /// The text without codes, lines joined by a space, made printable, at most [`Self::TEXT_CHARS_MAX`] characters.
    pub text: String,
}

impl Reply {
    /// What is kept of a reply's text.
    pub const TEXT_CHARS_MAX: usize = 500;

    /// Makes a reply of its code and its lines as they came, without their codes and line ends.
    pub fn new<'a>(phase: Phase, code: u16, lines: impl IntoIterator<Item = &'a str>) -> Self {
        let mut enhanced = None;
        let mut words = Vec::new();
        for line in lines {
            let (code, rest) = EnhancedCode::split(line.trim());
            enhanced = enhanced.or(code);
            words.push(rest);
        }
        Self { phase, code, enhanced, text: printable(&words.join(" "), Self::TEXT_CHARS_MAX) }
    }

    /// Whether this is the one reply that means that the relay has taken the message.
    pub fn accepts_message(&self) -> bool {
        self.phase == Phase::Dot && self.code == 250
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some(enhanced) = self.enhanced {
            write!(f, " {enhanced}")?;
        }
        if self.text.is_empty() { Ok(()) } else { write!(f, " {}", self.text) }
    }
}

/// Why no reply came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LossCause {
    /// The name of the relay's host is not known.
    Dns,
    /// Nobody listens there, or the network does not lead there.
    Refused,
    /// The connection ended.
    Closed,
    /// The phase's time ran out.
    Timeout,
    /// What came is not SMTP, or too long.
    Garbage,
    /// The certificate is not right: nothing will help but staff.
    Certificate,
    /// The relay does not offer what the configuration demands (STARTTLS, AUTH, SMTPUTF8).
    NotOffered,
    /// There is no access token to log in with.
    NoToken,
    /// Not offered: the campaign's deadline had passed.
    DeadlinePassed,
    /// This process ended while the message was in transmission.
    ProcessEnded,
}

impl LossCause {
    /// In words, for people and for the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "host name not found",
            Self::Refused => "connection refused",
            Self::Closed => "connection closed",
            Self::Timeout => "timed out",
            Self::Garbage => "answer is not SMTP",
            Self::Certificate => "certificate not valid",
            Self::NotOffered => "not offered by the relay",
            Self::NoToken => "no access token to log in with",
            Self::DeadlinePassed => "not offered any more: the campaign's deadline has passed",
            Self::ProcessEnded => "this program ended during transmission",
        }
    }
}

impl fmt::Display for LossCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What happened in one try to hand over a message, or to reach a relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The relay answered, in the reply's phase.
    Replied(Reply),
    /// No answer that can be read.
    Lost {
        /// Where the conversation stood.
        phase: Phase,
        /// Why.
        cause: LossCause,
        /// What the system said, printable and without personal data.
        detail: String,
    },
}

impl Outcome {
    /// Where the conversation stood.
    pub fn phase(&self) -> Phase {
        match self {
            Self::Replied(reply) => reply.phase,
            Self::Lost { phase, .. } => *phase,
        }
    }

    /// As it is shown to whoever looks at the relay rather than at the message: without anybody's address.
    pub fn masked(&self) -> String {
        mask_mailboxes(&self.to_string())
    }

    /// The reply, where there is one.
    pub fn reply(&self) -> Option<&Reply> {
        match self {
            Self::Replied(reply) => Some(reply),
            Self::Lost { .. } => None,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Replied(reply) => write!(f, "{reply} (at {})", reply.phase),
            Self::Lost { phase, cause, detail } if detail.is_empty() => write!(f, "{cause} (at {phase})"),
            Self::Lost { phase, cause, detail } => write!(f, "{cause}: {detail} (at {phase})"),
        }
    }
}

/// Makes text from outside fit for a terminal, a page and a database: control and invisible characters become
/// `·`, and what is over `chars_max` characters is cut, marked by `…`.
pub fn printable(text: &str, chars_max: usize) -> String {
    let mut out = String::with_capacity(text.len().min(chars_max * 4));
    for (n, c) in text.trim().chars().enumerate() {
        if n == chars_max {
            out.push('…');
            break;
        }
        out.push(if super::person::is_unprintable(c) { '·' } else { c });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enhanced_codes_are_read_from_every_line_and_kept_once() {
        let reply = Reply::new(Phase::Rcpt, 550, ["5.1.1 The account", "5.1.1 does not exist"]);
        assert_eq!(reply.enhanced, EnhancedCode::parse("5.1.1"));
        assert_eq!(reply.text, "The account does not exist");
    }

    #[test]
    fn what_only_resembles_an_enhanced_code_stays_text() {
        for text in ["5.1", "5.1.1.1 x", "3.1.1 x", "10.0.0.1 blocked", "5.x.1 y", "5.1.1000 z", ""] {
            assert_eq!(EnhancedCode::split(text), (None, text));
        }
    }

    #[test]
    fn only_250_after_the_dot_accepts_a_message() {
        for phase in Phase::ALL {
            for code in [200, 220, 250, 251, 252, 299, 334, 354, 450, 550] {
                let accepts = Reply::new(phase, code, ["ok"]).accepts_message();
                assert_eq!(accepts, phase == Phase::Dot && code == 250, "{phase} {code}");
            }
        }
    }

    #[test]
    fn terminal_escapes_in_a_reply_are_disarmed() {
        let reply = Reply::new(Phase::Dot, 554, ["\u{1b}[31mred\u{202e}"]);
        assert_eq!(reply.text, "·[31mred·");
    }

    #[test]
    fn what_is_shown_of_a_relay_names_no_address() {
        for (text, expected) in [
            ("5.7.1 <jane.doe@town.example>: denied", "550 5.7.1 <j***@town.example>: denied (at rcpt)"),
            ("to=jane@town.example, no", "550 to=j***@town.example, no (at rcpt)"),
            ("jane@@x no", "550 j***@@x no (at rcpt)"),
            ("no such user", "550 no such user (at rcpt)"),
        ] {
            assert_eq!(Outcome::Replied(Reply::new(Phase::Rcpt, 550, [text])).masked(), expected);
        }
    }

    #[test]
    fn long_replies_are_cut() {
        let text = "x".repeat(10_000);
        assert_eq!(Reply::new(Phase::Dot, 250, [text.as_str()]).text.chars().count(), Reply::TEXT_CHARS_MAX + 1);
    }
}
