//! What is known of providers of mail relays: by which host names, their published limits, their own replies.
//!
//! Only data, compiled in from `providers/`; what a reply means, `replies` decides.

use std::fmt;
use std::sync::LazyLock;

use serde::Deserialize;

use super::rate::Limit;
use super::reply_rule::{self, Rule};

/// What is known of one provider.
#[derive(Debug)]
pub struct Profile {
    name: String,
    title: String,
    hosts: Vec<HostPattern>,
    limits: ProfileLimits,
    rules: Vec<Rule>,
}

/// What a provider publishes as its limits; nothing where it publishes none, or one for each account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ProfileLimits {
    /// Sessions at a time.
    pub connections: Option<u32>,
    /// Messages in one session.
    pub messages_per_connection: Option<u32>,
    /// Messages in a time.
    pub rate: Option<Limit>,
    /// Messages in any 24 hours.
    pub quota: Option<Limit>,
}

impl Profile {
    /// The provider whose relay has that host name; [`Self::unknown`] in case of doubt.
    pub fn of_host(host: &str) -> &'static Self {
        let host = host.trim_end_matches('.').to_lowercase();
        let known = PROFILES.iter().find(|profile| profile.hosts.iter().any(|pattern| pattern.fits(&host)));
        known.unwrap_or_else(Self::unknown)
    }

    /// The provider of that name in the configuration.
    pub fn named(name: &str) -> Option<&'static Self> {
        PROFILES.iter().find(|profile| profile.name == name)
    }

    /// A relay of which nothing special is known.
    pub fn unknown() -> &'static Self {
        static NOTHING: Profile = Profile {
            name: String::new(),
            title: String::new(),
            hosts: Vec::new(),
            limits: ProfileLimits { connections: None, messages_per_connection: None, rate: None, quota: None },
            rules: Vec::new(),
        };
        Self::named("unknown").unwrap_or(&NOTHING)
    }

    /// Every profile.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        PROFILES.iter()
    }

    /// Its name in the configuration.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its name for people.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Its published limits.
    pub fn limits(&self) -> ProfileLimits {
        self.limits
    }

    pub(super) fn rules(&self) -> &[Rule] {
        &self.rules
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.title)
    }
}

/// `email-smtp.*.amazonaws.com`: a star stands for anything.
#[derive(Debug)]
struct HostPattern(String);

impl HostPattern {
    fn fits(&self, host: &str) -> bool {
        let mut pieces = self.0.split('*');
        let Some(mut rest) = host.strip_prefix(pieces.next().unwrap_or_default()) else { return false };
        let Some(last) = pieces.next_back() else { return rest.is_empty() };
        for piece in pieces {
            match rest.split_once(piece) {
                Some((_, after)) => rest = after,
                None => return false,
            }
        }
        rest.ends_with(last)
    }
}

/// A test holds the files to being readable; without it one that is not would be a profile less.
static PROFILES: LazyLock<Vec<Profile>> =
    LazyLock::new(|| SOURCES.iter().filter_map(|source| parse(source).ok()).collect());

const SOURCES: [&str; 15] = [
    include_str!("providers/amazon-ses.toml"),
    include_str!("providers/sendgrid.toml"),
    include_str!("providers/mailgun.toml"),
    include_str!("providers/postmark.toml"),
    include_str!("providers/google-workspace.toml"),
    include_str!("providers/microsoft-365.toml"),
    include_str!("providers/brevo.toml"),
    include_str!("providers/sparkpost.toml"),
    include_str!("providers/socketlabs.toml"),
    include_str!("providers/zoho.toml"),
    include_str!("providers/postfix.toml"),
    include_str!("providers/exim.toml"),
    include_str!("providers/opensmtpd.toml"),
    include_str!("providers/kumomta.toml"),
    include_str!("providers/unknown.toml"),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawProfile {
    name: String,
    title: String,
    #[serde(default)]
    hosts: Vec<String>,
    #[serde(default)]
    limits: RawLimits,
    #[serde(default, rename = "rule")]
    _rules: serde::de::IgnoredAny,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLimits {
    connections: Option<u32>,
    messages_per_connection: Option<u32>,
    rate: Option<String>,
    quota: Option<String>,
}

fn parse(source: &str) -> Result<Profile, String> {
    let raw: RawProfile = toml::from_str(source).map_err(|e| e.to_string())?;
    let limit = |text: Option<String>| text.map(|t| t.parse::<Limit>().map_err(|e| e.to_string())).transpose();
    let mut rules = reply_rule::read(source, &["name", "title", "hosts", "limits"])
        .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
    for rule in &mut rules {
        rule.name = format!("{}/{}", raw.name, rule.name);
    }
    Ok(Profile {
        limits: ProfileLimits {
            connections: raw.limits.connections,
            messages_per_connection: raw.limits.messages_per_connection,
            rate: limit(raw.limits.rate)?,
            quota: limit(raw.limits.quota)?,
        },
        name: raw.name,
        title: raw.title,
        hosts: raw.hosts.into_iter().map(HostPattern).collect(),
        rules,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_compiled_in_profile_is_readable() {
        for source in SOURCES {
            parse(source).unwrap_or_else(|e| panic!("{}: {e}", source.lines().next().unwrap_or_default()));
        }
        assert_eq!(PROFILES.len(), SOURCES.len());
        assert_eq!(Profile::unknown().name(), "unknown");
    }

    #[test]
    fn providers_are_known_by_their_host_names() {
        for (host, name) in [
            ("smtp.gmail.com", "google-workspace"),
            ("SMTP-Relay.Gmail.com.", "google-workspace"),
            ("email-smtp.us-east-1.amazonaws.com", "amazon-ses"),
            ("email-smtp-fips.us-west-2.amazonaws.com", "amazon-ses"),
            ("smtp.office365.com", "microsoft-365"),
            ("town-example.mail.protection.outlook.com", "microsoft-365"),
            ("smtp.sendgrid.net", "sendgrid"),
            ("smtp.mailgun.org", "mailgun"),
            ("smtp.eu.mailgun.org", "mailgun"),
            ("smtp.postmarkapp.com", "postmark"),
            ("smtp-relay.brevo.com", "brevo"),
            ("smtp.sparkpostmail.com", "sparkpost"),
            ("smtp.socketlabs.com", "socketlabs"),
            ("smtppro.zoho.eu", "zoho"),
            ("mail.campaign.example", "unknown"),
            ("smtp.gmail.com.campaign.example", "unknown"),
            ("notsmtp.gmail.com", "unknown"),
            ("s3.us-east-1.amazonaws.com", "unknown"),
            ("localhost", "unknown"),
            ("", "unknown"),
        ] {
            assert_eq!(Profile::of_host(host).name(), name, "{host}");
        }
    }

    #[test]
    fn the_published_limits_are_those_that_providers_publish() {
        let limits = |name: &str| Profile::named(name).map(Profile::limits).unwrap_or_default();
        let rate = |text: &str| text.parse::<Limit>().ok();
        let microsoft = limits("microsoft-365");
        assert_eq!((microsoft.connections, microsoft.rate), (Some(3), rate("30/m")));
        assert_eq!(microsoft.quota, rate("10000/d"));
        assert_eq!(limits("google-workspace").quota, rate("2000/d"));
        let socketlabs = limits("socketlabs");
        assert_eq!((socketlabs.connections, socketlabs.messages_per_connection), (Some(10), Some(50)));
        for name in ["amazon-ses", "postfix", "unknown"] {
            assert_eq!(limits(name), ProfileLimits::default(), "{name}: its limits are not known");
        }
    }
}
