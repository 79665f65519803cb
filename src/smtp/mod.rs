//! One conversation with one relay, phase by phase, over lettre; and the mailbox for rehearsals.
//!
//! ```text
//! Relay::connect → Session::offer → Accepted::transmit → Outcome
//! ```
//!
//! What a reply means for a message is policy's affair, when to try again the dispatcher's. There is no pool, no
//! second try and no way to transmit without a [`TransmissionReceipt`](crate::model::TransmissionReceipt).

mod auth;
mod certificates;
mod connect;
mod credentials;
mod mailbox;
mod maildir;
mod offers;
mod reply;
mod session;
mod stream;
mod text;
mod timeouts;
mod tls;
mod trust;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

pub use credentials::{Credentials, NoToken, PasswordAuth, Secret, TokenFuture, TokenSource};
pub use mailbox::Mailbox;
pub use session::{Accepted, Offer, Session};
pub use timeouts::{SessionLimits, Timeouts};

/// How the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsMode {
    /// TLS from the first byte (RFC 8314), usually port 465.
    Implicit,
    /// STARTTLS (RFC 3207), required: without it there is no session. Usually port 587.
    Starttls,
    /// None; only to this machine itself.
    None,
}

/// Everything about one relay.
#[derive(Debug, Clone)]
pub struct RelaySettings {
    /// Its name in the configuration and in the ledger.
    pub name: String,
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: TlsMode,
    /// What the relay knows us by; `None` where it asks for nothing.
    pub credentials: Option<Credentials>,
    /// The name that we give in EHLO.
    pub hello_name: String,
    /// Certificates (PEM) that are trusted besides the system's.
    pub ca_file: Option<PathBuf>,
    /// How long to wait.
    pub timeouts: Timeouts,
    /// How long to use one session.
    pub limits: SessionLimits,
}

/// Why a relay cannot be used as it is configured.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// Plaintext to another machine.
    #[error(
        "relay {name}: letters may go without TLS only to this machine, and {host} is another; use tls = \"implicit\" or \"starttls\""
    )]
    Plaintext {
        /// The relay.
        name: String,
        /// Its host.
        host: String,
    },
    /// The EHLO name.
    #[error("relay {name}: the name given in EHLO must be a host name such as mail.example.org, without spaces")]
    HelloName {
        /// The relay.
        name: String,
    },
    /// The user name or password.
    #[error("relay {name}: the user name or password is empty or has a NUL character in it; set it again")]
    Credentials {
        /// The relay.
        name: String,
    },
    /// The host name.
    #[error("{0:?} is not a host name; write it as in smtp.example.org")]
    Host(String),
    /// The file of certificates.
    #[error("the certificates in {} cannot be used: {reason}; the file must be in PEM form", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// No certificate to trust.
    #[error(
        "this system has no trusted certificates, so no relay can be checked; install ca-certificates, or name a ca_file"
    )]
    NoRoots,
    /// The TLS library.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

impl RelaySettings {
    /// A relay on this machine, without TLS and without a password.
    pub fn loopback(name: &str, address: SocketAddr) -> Self {
        Self {
            name: name.to_owned(),
            host: address.ip().to_string(),
            port: address.port(),
            tls: TlsMode::None,
            credentials: None,
            hello_name: "localhost".to_owned(),
            ca_file: None,
            timeouts: Timeouts::default(),
            limits: SessionLimits::default(),
        }
    }

    /// Whether the host is this machine itself, by its name or its address.
    pub fn is_loopback(&self) -> bool {
        is_this_machine(&self.host)
    }

    /// Whether these settings can be used; looks at nothing outside them.
    pub fn check(&self) -> Result<(), RelayError> {
        let name = || self.name.clone();
        if self.tls == TlsMode::None && !self.is_loopback() {
            return Err(RelayError::Plaintext { name: name(), host: self.host.clone() });
        }
        if !is_hello_name(&self.hello_name) {
            return Err(RelayError::HelloName { name: name() });
        }
        if self.credentials.as_ref().is_some_and(|c| !c.are_usable()) {
            return Err(RelayError::Credentials { name: name() });
        }
        Ok(())
    }
}

/// A relay that can be connected to.
pub struct Relay {
    settings: RelaySettings,
    tls: Option<tls::Tls>,
    trust: Arc<trust::Trust>,
}

impl Relay {
    /// Checks the settings and loads the certificates to trust; does not touch the network.
    pub fn new(settings: RelaySettings) -> Result<Self, RelayError> {
        settings.check()?;
        let tls = match settings.tls {
            TlsMode::None => None,
            TlsMode::Implicit | TlsMode::Starttls => Some(tls::Tls::new(&settings.host, settings.ca_file.as_deref())?),
        };
        Ok(Self { settings, tls, trust: Arc::default() })
    }

    /// Its name in the configuration.
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// Whether it knows us by a name and a secret.
    pub fn logs_in(&self) -> bool {
        self.settings.credentials.is_some()
    }

    /// Whether every connection shows a secret of its own, so that a refusal may be about one that has expired.
    pub fn renews_its_secret(&self) -> bool {
        self.settings.credentials.as_ref().is_some_and(Credentials::renew)
    }
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relay").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// By its name or its address; where the name leads is checked again at every connection.
fn is_this_machine(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// A domain or an address literal (RFC 5321 4.1.3): nothing that could end the line or start another word.
fn is_hello_name(name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':' | b'[' | b']');
    !name.is_empty() && name.len() <= 255 && name.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(host: &str, tls: TlsMode) -> RelaySettings {
        RelaySettings {
            name: "main".into(),
            host: host.into(),
            port: 25,
            tls,
            credentials: None,
            hello_name: "campaign.example".into(),
            ca_file: None,
            timeouts: Timeouts::default(),
            limits: SessionLimits::default(),
        }
    }

    #[test]
    fn plaintext_goes_to_this_machine_only() {
        for (host, allowed) in [
            ("localhost", true),
            ("LocalHost", true),
            ("127.0.0.1", true),
            ("127.9.9.9", true),
            ("::1", true),
            ("localhost.example.org", false),
            ("127.0.0.1.example.org", false),
            ("10.0.0.1", false),
            ("0.0.0.0", false),
            ("smtp.example.org", false),
        ] {
            assert_eq!(Relay::new(settings(host, TlsMode::None)).is_ok(), allowed, "{host}");
        }
    }

    #[test]
    fn a_name_that_could_end_the_ehlo_line_is_refused() {
        for name in ["", "a b", "a\r\nMAIL FROM:<x>", "a\n", "a\0", "ü.example"] {
            let settings = RelaySettings { hello_name: name.into(), ..settings("localhost", TlsMode::None) };
            assert!(matches!(Relay::new(settings), Err(RelayError::HelloName { .. })), "{name:?}");
        }
    }

    #[test]
    fn debug_output_shows_neither_user_name_nor_password() {
        let credentials = Credentials::with_password("jane@x.example", "hunter2");
        let settings = RelaySettings { credentials: Some(credentials), ..settings("localhost", TlsMode::None) };
        let shown = format!("{:?}", Relay::new(settings).unwrap());
        assert!(!shown.contains("hunter2") && !shown.contains("jane"), "{shown}");
    }

    #[test]
    fn a_missing_ca_file_is_named() {
        let path = PathBuf::from("/nonexistent/ca.pem");
        let settings = RelaySettings { ca_file: Some(path), ..settings("localhost", TlsMode::Implicit) };
        assert!(Relay::new(settings).unwrap_err().to_string().contains("/nonexistent/ca.pem"));
    }
}
