//! The `[[relay]]` tables: where letters are handed over, and how fast each relay may be used.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use crate::compose::Identity;
use crate::ledger::Confirming;
use crate::model::EmailAddress;
use crate::policy::{Carries, Limit, Profile, ProfileLimits, parse_positive_span};
use crate::smtp::{Credentials, RelaySettings, SessionLimits, Timeouts, TlsMode};

use super::login::{self, Login};
use super::reader::Reader;
use super::secret::SecretError;

const CONNECTIONS_MAX: i64 = 200;
const ORDER_MAX: i64 = 9;
const WEIGHT_MAX: i64 = 1000;

/// A relay as configured. Its secret is read only when it is needed.
#[derive(Debug)]
pub struct RelayConfig {
    /// At most so many sessions at a time.
    pub connections: usize,
    /// At most so many messages in a time.
    pub rate: Limit,
    /// At most so many in any 24 hours.
    pub quota: Limit,
    /// Its provider, as named or by its host name.
    pub profile: &'static Profile,
    /// Those of the provider's limits that hold because staff set none.
    pub from_profile: ProfileLimits,
    /// Used only while no relay of a lower order can be used.
    pub order: u32,
    /// Its share of the messages among the relays of its order; `None`: whichever is free takes the next.
    pub weight: Option<u32>,
    /// Everything about a session but the secret.
    settings: RelaySettings,
    username: Option<String>,
    secret: Login,
    /// The domains that it may send for, spelled as addresses spell theirs; all, where none is named.
    sender_domains: Vec<String>,
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

    /// Whether the file of its secret is there and nobody else's to read; nothing where it has none.
    pub fn look_at_secret_file(&self) -> Option<Result<(), SecretError>> {
        self.secret.look_at_file()
    }

    /// Whether the relay is on this machine.
    pub fn is_loopback(&self) -> bool {
        self.settings.is_loopback()
    }

    /// What it may carry: that whose senders, in the letter's head and on its envelope, are at domains of its own.
    pub fn carries(&self, identity: &Identity) -> Carries {
        let is_named = |address: &EmailAddress| self.sender_domains.iter().any(|domain| domain == address.domain());
        let sends_for = |from: &EmailAddress| {
            self.sender_domains.is_empty() || (is_named(from) && is_named(&identity.envelope_sender))
        };
        Carries { letters: sends_for(&identity.sender), confirmations: sends_for(&identity.confirmation_sender) }
    }

    /// What a session needs, with the password from its file, a credential, the environment or a prompt. A token is
    /// fetched by each connection for itself; that its file is there and private is looked at now.
    pub fn session(&self) -> Result<RelaySettings, SecretError> {
        let mut settings = self.settings.clone();
        let Some(username) = self.username.clone() else { return Ok(settings) };
        let secret = self.secret.fetch(&settings.name)?;
        settings.credentials = Some(Credentials { username, secret });
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

/// Every sender needs a relay that may send for it, or its messages would wait for ever.
pub(super) fn must_send_for(
    reader: &mut Reader<'_>,
    relays: &[RelayConfig],
    identity: &Identity,
    confirming: Confirming,
) {
    let carried = relays.iter().map(|relay| relay.carries(identity)).fold(Carries::NOTHING, Carries::or);
    let mut need = |what: &str, from: &EmailAddress| {
        let (domain, bounces) = (from.domain(), identity.envelope_sender.domain());
        let domains = if domain == bounces { format!("{domain:?}") } else { format!("{domain:?} and {bounces:?}") };
        let text = format!("no relay may send {what} from {from}; expected {domains} among the domains of one relay");
        reader.complain("relay.0.sender_domains", &text);
    };
    if relays.is_empty() {
        return;
    }
    if !carried.letters {
        need("letters", &identity.sender);
    }
    if !carried.confirmations && confirming != Confirming::Never {
        need("confirmations", &identity.confirmation_sender);
    }
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
    let secret = login::read(reader, prefix, dir, username.is_some());
    let (order, weight) = (read_order(reader, prefix), read_weight(reader, prefix));
    let sender_domains = reader.texts(&key("sender_domains"), domain).unwrap_or_default();
    let ca_file = reader.text(&key("ca_file"), |t| plain_text(t).map(|t| dir.join(t)));
    let hello_name = reader.text(&key("hello_name"), plain_word).unwrap_or_else(|| "localhost".to_owned());
    let profile = reader.text(&key("profile"), profile_named);
    let profile = profile.unwrap_or_else(|| Profile::of_host(host.as_deref().unwrap_or_default()));
    let from_profile = unset(reader, prefix, profile.limits());
    let connections = reader.number(&key("connections"), 1, CONNECTIONS_MAX);
    let connections = connections.or(from_profile.connections.map(i64::from)).unwrap_or(4);
    let rate = reader.text(&key("rate"), str::parse::<Limit>).or(from_profile.rate).unwrap_or(Limit::Unlimited);
    let quota = reader.text(&key("quota"), super::pace::quota).or(from_profile.quota).unwrap_or(Limit::Unlimited);
    let mut limits = read_limits(reader, prefix);
    limits.messages = from_profile.messages_per_connection.unwrap_or(limits.messages);
    let timeouts = read_timeouts(reader, prefix);
    for (secret, place) in [("password", "password_file"), ("token", "token_file")] {
        if reader.is_written(&key(secret)) {
            let advice =
                format!("a {secret} must not stand here; put it into a file of mode 0600 and name that in `{place}`");
            reader.complain_discreetly(&key(secret), &advice);
            return None;
        }
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
    let connections = usize::try_from(connections).ok()?;
    Some(RelayConfig {
        connections,
        rate,
        quota,
        profile,
        from_profile,
        order,
        weight,
        settings,
        username,
        secret,
        sender_domains,
    })
}

fn profile_named(name: &str) -> Result<&'static Profile, String> {
    Profile::named(name).ok_or_else(|| {
        let all: Vec<String> = Profile::all().map(|profile| format!("{:?}", profile.name())).collect();
        format!("expected one of {}", all.join(", "))
    })
}

/// A provider's limits without those in whose place staff set their own.
fn unset(reader: &Reader<'_>, prefix: &str, limits: ProfileLimits) -> ProfileLimits {
    let is_unset = |name: &str| !reader.is_written(&format!("{prefix}{name}"));
    ProfileLimits {
        connections: limits.connections.filter(|_| is_unset("connections")),
        messages_per_connection: limits.messages_per_connection.filter(|_| is_unset("messages_per_connection")),
        rate: limits.rate.filter(|_| is_unset("rate")),
        quota: limits.quota.filter(|_| is_unset("quota")),
    }
}

fn read_order(reader: &mut Reader<'_>, prefix: &str) -> u32 {
    let order = reader.number(&format!("{prefix}order"), 1, ORDER_MAX);
    order.and_then(|n| u32::try_from(n).ok()).unwrap_or(1)
}

fn read_weight(reader: &mut Reader<'_>, prefix: &str) -> Option<u32> {
    let weight = reader.number(&format!("{prefix}weight"), 1, WEIGHT_MAX);
    weight.and_then(|n| u32::try_from(n).ok())
}

/// A domain, spelled as addresses spell theirs.
fn domain(text: &str) -> Result<String, String> {
    let address = EmailAddress::parse(&format!("x@{text}"));
    address.map(|address| address.domain().to_owned()).map_err(|_| "expected domains like \"example.org\"".to_owned())
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

pub(super) fn plain_text(text: &str) -> Result<String, String> {
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
