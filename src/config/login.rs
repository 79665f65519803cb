//! How we log in at a relay: where its secret comes from and how it is shown. No secret is read before it is needed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::smtp::{PasswordAuth, Secret};

use super::reader::Reader;
use super::relay::plain_text;
use super::secret::{self, SecretError};
use super::token::Tokens;

/// Where a relay's secret comes from.
#[derive(Debug)]
pub(super) enum Login {
    /// A password, and how it is shown where that is configured.
    Password {
        /// Where it is, if not in a credential, the environment or somebody's head.
        file: Option<PathBuf>,
        /// The way.
        by: Option<PasswordAuth>,
    },
    /// An access token for every connection.
    Tokens(Tokens),
}

impl Login {
    /// Looks whether the file of the secret is there and private; nothing where there is no file.
    pub(super) fn look_at_file(&self) -> Option<Result<(), SecretError>> {
        let path = match self {
            Self::Password { file, .. } => file.as_ref()?,
            Self::Tokens(Tokens::File(path)) => path,
            Self::Tokens(Tokens::Command { .. }) => return None,
        };
        Some(secret::private_file(path).map(|_| ()))
    }

    /// The secret of the relay of that name. A token is fetched by each connection for itself; that its file is there
    /// and private is looked at now.
    pub(super) fn fetch(&self, relay: &str) -> Result<Secret, SecretError> {
        Ok(match self {
            Self::Password { file, by } => {
                Secret::Password { password: secret::password(relay, file.as_deref())?, by: *by }
            }
            Self::Tokens(tokens) => {
                if let Tokens::File(path) = tokens {
                    secret::private_file(path)?;
                }
                Secret::Token(Arc::new(tokens.clone()))
            }
        })
    }
}

/// How to log in, as `auth` says it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Auth {
    Password(PasswordAuth),
    Token,
}

/// One place for the secret, and a way to show it that fits.
pub(super) fn read(reader: &mut Reader<'_>, prefix: &str, dir: &Path, has_username: bool) -> Login {
    let key = |name: &str| format!("{prefix}{name}");
    let password_file = reader.text(&key("password_file"), |t| plain_text(t).map(|t| dir.join(t)));
    let token_file = reader.text(&key("token_file"), |t| plain_text(t).map(|t| Tokens::File(dir.join(t))));
    let line = reader
        .texts(&key("token_command"), |t| if t.contains('\0') { Err("a NUL".to_owned()) } else { Ok(t.to_owned()) });
    let token_command = line.as_ref().and_then(|line| Tokens::command(line, dir));
    let auth = reader.word(
        &key("auth"),
        &[
            ("plain", Auth::Password(PasswordAuth::Plain)),
            ("login", Auth::Password(PasswordAuth::Login)),
            ("xoauth2", Auth::Token),
        ],
    );
    if line.is_some() && token_command.is_none() {
        reader.complain(&key("token_command"), "expected a program and its arguments: [\"program\", \"argument\"]");
    }
    let places = [
        ("password_file", password_file.is_some()),
        ("token_file", token_file.is_some()),
        ("token_command", line.is_some()),
    ];
    let named: Vec<&str> = places.iter().filter(|(_, is_named)| *is_named).map(|(name, _)| *name).collect();
    let has_tokens = token_file.is_some() || line.is_some();
    match (&named[..], auth) {
        ([_, second, ..], _) => {
            reader.complain(&key(second), "expected one of password_file, token_file and token_command");
        }
        ([name], _) if !has_username => {
            reader.complain(&key("username"), &format!("`{name}` needs the name that it belongs to"));
        }
        (_, Some(_)) if !has_username => reader.complain(&key("username"), "`auth` needs a name to log in with"),
        (_, Some(Auth::Token)) if !has_tokens => {
            reader.complain(&key("auth"), "a token comes from `token_command` or `token_file`; expected one of them");
        }
        ([_], Some(Auth::Password(_))) if has_tokens => {
            reader.complain(&key("auth"), "a token is shown by \"xoauth2\"");
        }
        _ => {}
    }
    let by = match auth {
        Some(Auth::Password(by)) => Some(by),
        Some(Auth::Token) | None => None,
    };
    token_file.or(token_command).map_or(Login::Password { file: password_file, by }, Login::Tokens)
}
