//! Where a relay's password comes from: a file of mode 0600, a systemd credential, the environment, or a prompt.
//!
//! Never the command line and never `config.toml`: both are read by others. No error here holds any of it.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

/// Why there is no password.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The named file cannot be read.
    #[error("the password file {} cannot be read: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The named file can be read by others.
    #[error("the password file {} can be read by other users; run: chmod 600 {}", .0.display(), .0.display())]
    Open(PathBuf),
    /// The named file holds nothing.
    #[error("the password file {} is empty", .0.display())]
    Empty(PathBuf),
    /// Nowhere, and nobody to ask.
    #[error(
        "no password for relay `{relay}`: name a file in `password_file`, give the systemd credential \
         `undersigned-{relay}`, or set {variable}"
    )]
    Nowhere {
        /// The relay's name.
        relay: String,
        /// The environment variable that was looked at.
        variable: String,
    },
}

pub(super) fn password(relay: &str, file: Option<&Path>) -> Result<SecretString, SecretError> {
    if let Some(file) = file {
        return from_file(file, true);
    }
    if let Some(folder) = std::env::var_os("CREDENTIALS_DIRECTORY") {
        let file = Path::new(&folder).join(format!("undersigned-{relay}"));
        if file.exists() {
            return from_file(&file, false); // systemd made it readable for us alone
        }
    }
    let variable = variable(relay);
    if let Ok(password) = std::env::var(&variable) {
        return Ok(SecretString::from(password));
    }
    let asked = if std::io::stdin().is_terminal() {
        rpassword::prompt_password(format!("Password for relay `{relay}`: ")).ok()
    } else {
        None
    };
    asked
        .filter(|p| !p.is_empty())
        .map(SecretString::from)
        .ok_or_else(|| SecretError::Nowhere { relay: relay.to_owned(), variable })
}

/// `UNDERSIGNED_PASSWORD_MAIN` for the relay `main`.
fn variable(relay: &str) -> String {
    let name: String =
        relay.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
    format!("UNDERSIGNED_PASSWORD_{name}")
}

fn from_file(path: &Path, must_be_private: bool) -> Result<SecretString, SecretError> {
    let unreadable = |e: std::io::Error| SecretError::Unreadable { path: path.to_owned(), reason: e.to_string() };
    #[cfg(unix)]
    if must_be_private {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(path).map_err(unreadable)?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(SecretError::Open(path.to_owned()));
        }
    }
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    let password = text.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(SecretError::Empty(path.to_owned()));
    }
    Ok(SecretString::from(password.to_owned()))
}
