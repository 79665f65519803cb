//! What a relay knows us by: a name with a password, or with an access token that is fetched anew for every connection.
//!
//! Nothing here is ever shown: neither by `Debug` nor in an error. Where secrets come from is the configuration's affair.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};

/// The name and the secret that belong to one relay, and are shown to no other.
#[derive(Clone)]
pub struct Credentials {
    /// The name; often an e-mail address, so it is no more shown than the secret.
    pub username: String,
    /// The secret.
    pub secret: Secret,
}

/// What proves that the name is ours.
#[derive(Clone)]
pub enum Secret {
    /// The same for every connection.
    Password {
        /// The password.
        password: SecretString,
        /// How it is shown; the best way that the relay offers, where none is named.
        by: Option<PasswordAuth>,
    },
    /// An access token that expires, shown by XOAUTH2.
    Token(Arc<dyn TokenSource>),
}

/// How a password is shown to a relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordAuth {
    /// RFC 4616.
    Plain,
    /// The older way, still the only one at some relays.
    Login,
}

/// Where access tokens come from.
pub trait TokenSource: Send + Sync {
    /// A token that is good now. Called once for every connection; a future that is dropped leaves nothing behind.
    fn token(&self) -> TokenFuture<'_>;
}

/// A token on its way.
pub type TokenFuture<'a> = Pin<Box<dyn Future<Output = Result<SecretString, NoToken>> + Send + 'a>>;

/// Why there is no token, in words that hold nothing of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoToken(pub String);

impl Credentials {
    /// With a password, shown in the best way that the relay offers.
    pub fn with_password(username: &str, password: &str) -> Self {
        let password = SecretString::from(password.to_owned());
        Self { username: username.to_owned(), secret: Secret::Password { password, by: None } }
    }

    /// Whether AUTH can be said with them: PLAIN parts its fields with NUL (RFC 4616), XOAUTH2 with `^A`.
    pub(super) fn are_usable(&self) -> bool {
        let is_usable = |text: &str| !text.is_empty() && !text.contains(['\0', '\x01']);
        is_usable(&self.username)
            && match &self.secret {
                Secret::Password { password, .. } => is_usable(password.expose_secret()),
                Secret::Token(_) => true, // looked at when it is there
            }
    }

    /// Whether another connection may be let in by what refuses this one: a token may have expired.
    pub(super) fn renew(&self) -> bool {
        matches!(self.secret, Secret::Token(_))
    }
}

/// What no token has in it: RFC 6750 2.1 allows letters, digits and a few signs.
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic())
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(…)")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
