//! The `[[relay]]` tables: where letters are handed over, and how fast each relay may be used.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::policy::{Limit, parse_positive_span};
use crate::smtp::{Credentials, RelaySettings, SessionLimits, Timeouts, TlsMode};

use super::reader::Reader;
use super::secret::{self, SecretError};

const CONNECTIONS_MAX: i64 = 200;

/// A relay as configured. Its password is read only when it is needed.
#[derive(Debug)]
pub struct RelayConfig {
    /// At most so many sessions at a time.
    pub connections: usize,
    /// At most so many messages in a time.
    pub rate: Limit,
    /// At most so many in any 24 hours.
    pub quota: Limit,
    /// Everything about a session but the password.
    settings: RelaySettings,
    username: Option<String>,
    password_file: Option<PathBuf>,
}

impl RelayConfig {
    /// The relay's name.
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// `host:port`, for people.
    pub fn address(&self) -> String {
        format!("{}:{}", self.settings.host, self.settings.port)
    }

    /// The machine it is on.
    pub fn host(&self) -> &str {
        &self.settings.host
    }

    /// The name that we log in with.
    pub fn username(&self) -> Option<&str> {
        self.username.as_deref()
    }

    /// Whether the relay is on this machine.
    pub fn is_loopback(&self) -> bool {
        self.settings.is_loopback()
    }

    /// What a session needs, with the password from its file, a credential, the environment or a prompt.
    pub fn session(&self) -> Result<RelaySettings, SecretError> {
        let mut settings = self.settings.clone();
        if let Some(username) = &self.username {
            let password = secret::password(&settings.name, self.password_file.as_deref())?;
            settings.credentials = Some(Credentials { username: username.clone(), password });
        }
        Ok(settings)
    }
}

pub(super) fn read_all(reader: &mut Reader<'_>, count: usize, dir: &Path) -> Vec<RelayConfig> {
    let mut names = BTreeSet::new();
    let relays: Vec<RelayConfig> = (0..count).filter_map(|n| read(reader, &format!("relay.{n}."), dir)).collect();
    for (n, relay) in relays.iter().enumerate() {
        if !names.insert(relay.name().to_owned()) {
            reader.complain(&format!("relay.{n}.name"), "another relay has this name; expected a different one");
        }
    }
    relays
}

fn read(reader: &mut Reader<'_>, prefix: &str, dir: &Path) -> Option<RelayConfig> {
    let key = |name: &str| format!("{prefix}{name}");
    let name = reader.text(&key("name"), plain_word);
    let host = reader.text(&key("host"), plain_word);
    for (name, value) in [("name", &name), ("host", &host)] {
        if value.is_none() && !reader.is_written(&key(name)) {
            reader.complain(&key(name), "every [[relay]] needs one");
        }
    }
    let tls = reader.word(
        &key("tls"),
        &[("implicit", TlsMode::Implicit), ("starttls", TlsMode::Starttls), ("none", TlsMode::None)],
    );
    let tls = tls.unwrap_or(TlsMode::Implicit);
    let port = reader.number(&key("port"), 1, 65_535).and_then(|p| u16::try_from(p).ok());
    let username = reader.text(&key("username"), plain_text);
    let password_file = reader.text(&key("password_file"), |t| plain_text(t).map(|t| dir.join(t)));
    let ca_file = reader.text(&key("ca_file"), |t| plain_text(t).map(|t| dir.join(t)));
    let hello_name = reader.text(&key("hello_name"), plain_word).unwrap_or_else(|| "localhost".to_owned());
    let connections = reader.number(&key("connections"), 1, CONNECTIONS_MAX).unwrap_or(4);
    let rate = reader.text(&key("rate"), str::parse::<Limit>).unwrap_or(Limit::Unlimited);
    let quota = reader.text(&key("quota"), super::pace::quota).unwrap_or(Limit::Unlimited);
    let limits = read_limits(reader, prefix);
    let timeouts = read_timeouts(reader, prefix);
    if reader.is_written(&key("password")) {
        reader.complain_discreetly(
            &key("password"),
            "a password must not stand here; put it into a file of mode 0600 and name that in `password_file`",
        );
        return None;
    }
    let settings = RelaySettings {
        name: name?,
        host: host?,
        port: port.unwrap_or(default_port(tls)),
        tls,
        credentials: None,
        hello_name,
        ca_file,
        timeouts,
        limits,
    };
    if let Err(error) = settings.check() {
        reader.complain(&key("tls"), &error.to_string());
    }
    Some(RelayConfig {
        connections: usize::try_from(connections).ok()?,
        rate,
        quota,
        settings,
        username,
        password_file,
    })
}

fn default_port(tls: TlsMode) -> u16 {
    match tls {
        TlsMode::Implicit => 465, // RFC 8314 3.3
        TlsMode::Starttls => 587, // RFC 6409
        TlsMode::None => 25,
    }
}

fn read_limits(reader: &mut Reader<'_>, prefix: &str) -> SessionLimits {
    let mut limits = SessionLimits::default();
    let mut count = |name: &str, to: &mut u32| {
        if let Some(n) = reader.number(&format!("{prefix}{name}"), 1, 1_000_000) {
            *to = u32::try_from(n).unwrap_or(u32::MAX);
        }
    };
    count("messages_per_connection", &mut limits.messages);
    count("refusals_per_connection", &mut limits.refusals);
    span(reader, &format!("{prefix}connection_age"), &mut limits.age);
    span(reader, &format!("{prefix}connection_idle"), &mut limits.idle);
    limits
}

fn read_timeouts(reader: &mut Reader<'_>, prefix: &str) -> Timeouts {
    let mut timeouts = Timeouts::default();
    let Timeouts { connect, tls, greeting, ehlo, auth, mail, rcpt, data, body_write, dot, quit } = &mut timeouts;
    for (name, to) in [
        ("connect", connect),
        ("tls", tls),
        ("greeting", greeting),
        ("ehlo", ehlo),
        ("auth", auth),
        ("mail", mail),
        ("rcpt", rcpt),
        ("data", data),
        ("body_write", body_write),
        ("dot", dot),
        ("quit", quit),
    ] {
        span(reader, &format!("{prefix}timeouts.{name}"), to);
    }
    timeouts
}

fn span(reader: &mut Reader<'_>, key: &str, to: &mut Duration) {
    if let Some(span) = reader.text(key, parse_positive_span) {
        *to = span;
    }
}

fn plain_text(text: &str) -> Result<String, String> {
    if text.trim().is_empty() || text.chars().any(char::is_control) {
        return Err("expected a text on one line".to_owned());
    }
    Ok(text.trim().to_owned())
}

fn plain_word(text: &str) -> Result<String, String> {
    if text.contains(char::is_whitespace) || text.contains('=') {
        return Err("expected a word without spaces".to_owned());
    }
    plain_text(text)
}
