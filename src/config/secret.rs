//! Where a relay's password comes from: a file of mode 0600, a systemd credential, the environment, or a prompt; and
//! how a file that holds a secret must lie on the disk.
//!
//! Never the command line and never `config.toml`: both are read by others. No error here holds any of it.

use std::fs::File;
use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

use secrecy::SecretString;

/// The start of the names of environment variables with passwords.
pub(super) const VARIABLES: &str = "UNDERSIGNED_PASSWORD_";
/// No secret is longer; what is in the file is something else.
const SECRET_BYTES_MAX: u64 = 64 * 1024;

/// Why there is no secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The named file cannot be read.
    #[error("the secret in {} cannot be read: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The named file can be read by others.
    #[error("{} holds a secret and can be read by other users; run: chmod 600 {}", .0.display(), .0.display())]
    Open(PathBuf),
    /// The named file is a folder.
    #[error("{} should be a file with a secret and is a folder; name the file in it", .0.display())]
    Folder(PathBuf),
    /// The named file is somebody else's.
    #[error("{} holds a secret and belongs to another user, who can change it; make a copy that is yours", .0.display())]
    Foreign(PathBuf),
    /// Everybody can put another file into its place.
    #[error("{} holds a secret, and every user can write into its folder; move it, or run: chmod o-w {}",
        path.display(), folder.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its folder.
        folder: PathBuf,
    },
    /// The named file holds nothing.
    #[error("{} should hold a secret and is empty", .0.display())]
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
        return private_file(file);
    }
    if let Some(folder) = std::env::var_os("CREDENTIALS_DIRECTORY") {
        let file = Path::new(&folder).join(format!("undersigned-{relay}"));
        if file.exists() {
            return read(&file, open(&file)?); // systemd made it readable for us alone
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
    format!("{VARIABLES}{name}")
}

/// The secret in a file that nobody but us (and root) can read, change or replace; without its last line end.
pub(super) fn private_file(path: &Path) -> Result<SecretString, SecretError> {
    let file = open(path)?;
    must_be_private(path, &file)?;
    read(path, file)
}

fn open(path: &Path) -> Result<File, SecretError> {
    File::open(path).map_err(|e| unreadable(path, &e))
}

fn read(path: &Path, file: File) -> Result<SecretString, SecretError> {
    let mut text = String::new();
    file.take(SECRET_BYTES_MAX).read_to_string(&mut text).map_err(|e| unreadable(path, &e))?;
    let secret = text.trim_end_matches(['\r', '\n']);
    if secret.is_empty() {
        return Err(SecretError::Empty(path.to_owned()));
    }
    Ok(SecretString::from(secret.to_owned()))
}

fn unreadable(path: &Path, error: &std::io::Error) -> SecretError {
    SecretError::Unreadable { path: path.to_owned(), reason: error.to_string() }
}

/// Of the open file, so that it cannot be another one by the time it is read.
fn must_be_private(path: &Path, file: &File) -> Result<(), SecretError> {
    use std::os::unix::fs::MetadataExt;

    const ROOT: u32 = 0;
    const BY_OTHERS: u32 = 0o077;
    const EVERYBODY_WRITES: u32 = 0o002;
    const STICKY: u32 = 0o1000;
    let held = file.metadata().map_err(|e| unreadable(path, &e))?;
    if held.is_dir() {
        return Err(SecretError::Folder(path.to_owned()));
    }
    if held.mode() & BY_OTHERS != 0 {
        return Err(SecretError::Open(path.to_owned()));
    }
    if ![ROOT, rustix::process::geteuid().as_raw()].contains(&held.uid()) {
        return Err(SecretError::Foreign(path.to_owned()));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mode = std::fs::metadata(folder).map_err(|e| unreadable(path, &e))?.mode();
    if mode & EVERYBODY_WRITES != 0 && mode & STICKY == 0 {
        return Err(SecretError::Exposed { path: path.to_owned(), folder: folder.to_owned() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_secret_lies_where_nobody_else_can_read_or_replace_it() {
        for (file, folder, expected) in [
            (0o600, 0o700, None),
            (0o400, 0o755, None),
            (0o600, 0o775, None),
            (0o600, 0o1777, None),
            (0o600, 0o777, Some("every user can write into its folder")),
            (0o640, 0o700, Some("chmod 600")),
            (0o602, 0o700, Some("chmod 600")),
            (0o644, 0o700, Some("chmod 600")),
        ] {
            let place = tempfile::tempdir().unwrap();
            let path = place.path().join("relay.password");
            fs::write(&path, "hunter2\n").unwrap();
            fs::set_permissions(&path, Permissions::from_mode(file)).unwrap();
            fs::set_permissions(place.path(), Permissions::from_mode(folder)).unwrap();
            let told = private_file(&path).err().map(|e| e.to_string());
            fs::set_permissions(place.path(), Permissions::from_mode(0o700)).unwrap();
            match (expected, &told) {
                (None, None) => {}
                (Some(words), Some(told)) if told.contains(words) && !told.contains("hunter2") => {}
                _ => panic!("{file:o} in {folder:o}: {told:?}"),
            }
        }
    }

    #[test]
    fn a_file_that_is_missing_or_empty_is_named() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("relay.password");
        assert!(private_file(&path).unwrap_err().to_string().contains("relay.password"));
        fs::write(&path, "\r\n").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(private_file(&path), Err(SecretError::Empty(_))));
        assert!(matches!(private_file(place.path()), Err(SecretError::Folder(_))), "chmod 600 would not help it");
    }
}
