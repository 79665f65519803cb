//! Where an access token comes from: a command of staff's or a file that something else keeps fresh; read anew for every
//! connection, because tokens expire.
//!
//! What a command prints is the token and is never shown; what it says on its error output is not read, because it may
//! hold a secret too.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use secrecy::SecretString;
use tokio::io::AsyncReadExt;
use tokio::process::Command;

use crate::smtp::{NoToken, TokenFuture, TokenSource};

use super::secret;

/// A command that takes longer is ended; the relay is waiting meanwhile.
const TIME_MAX: Duration = Duration::from_secs(30);
/// No token is longer; what the command prints is something else.
const TOKEN_BYTES_MAX: u64 = 64 * 1024;

/// Where tokens of one relay come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tokens {
    /// A file, private as a password's.
    File(PathBuf),
    /// A program and its arguments, run in the campaign folder without a shell; it prints the token.
    Command { program: PathBuf, arguments: Vec<String>, folder: PathBuf },
}

impl Tokens {
    /// Of the command line as configured; a program with a `/` in its name is looked for from the campaign folder.
    pub(super) fn command(line: &[String], folder: &Path) -> Option<Self> {
        let (program, arguments) = line.split_first()?;
        let program = if program.contains('/') { folder.join(program) } else { PathBuf::from(program) };
        // Looked for before the folder is entered, or after, as the system likes.
        let program = if program.components().count() > 1 { std::path::absolute(&program).ok()? } else { program };
        Some(Self::Command { program, arguments: arguments.to_vec(), folder: folder.to_owned() })
    }
}

impl TokenSource for Tokens {
    fn token(&self) -> TokenFuture<'_> {
        Box::pin(async move {
            match self {
                Self::File(path) => from_file(path.clone()).await,
                Self::Command { program, arguments, folder } => {
                    from_command(program, arguments, folder, TIME_MAX).await
                }
            }
        })
    }
}

async fn from_file(path: PathBuf) -> Result<SecretString, NoToken> {
    let read = tokio::task::spawn_blocking(move || secret::private_file(&path)).await;
    read.map_err(|e| NoToken(e.to_string()))?.map_err(|e| NoToken(e.to_string()))
}

async fn from_command(
    program: &Path,
    arguments: &[String],
    folder: &Path,
    time_max: Duration,
) -> Result<SecretString, NoToken> {
    // Its arguments may be secrets; its name is none.
    let name = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy();
    let failed = |how: String| NoToken(format!("token_command `{name}` {how}"));
    let run = tokio::time::timeout(time_max, run(program, arguments, folder)).await;
    let ran = run.map_err(|_| failed(format!("took longer than {} s and was ended", time_max.as_secs())))?;
    let (printed, status) = ran.map_err(|e| failed(format!("cannot be run: {e}")))?;
    if printed.len() as u64 > TOKEN_BYTES_MAX {
        return Err(failed("printed more than a token".to_owned()));
    }
    if !status.success() {
        return Err(failed(format!("failed ({status}); run it by hand to see why")));
    }
    let printed = String::from_utf8(printed).map_err(|_| failed("printed something that is no text".to_owned()))?;
    Ok(SecretString::from(printed.trim().to_owned()))
}

/// A command with all that it started. Dropped before its end, it ends them: what a script waits for would stay behind.
struct Group(Option<rustix::process::Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL); // gone by itself
        }
    }
}

/// Dropped before its end, it ends the command.
async fn run(program: &Path, arguments: &[String], folder: &Path) -> std::io::Result<(Vec<u8>, ExitStatus)> {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    // In a group of its own: Ctrl-C is for us to answer. And no other relay's password is its affair.
    command.process_group(0).kill_on_drop(true);
    let of_relays = std::env::vars_os().map(|(name, _)| name);
    for name in of_relays.filter(|name| name.to_string_lossy().starts_with(secret::VARIABLES)) {
        command.env_remove(name);
    }
    let mut child = command.spawn()?;
    let mut group = Group(child.id().and_then(|id| rustix::process::Pid::from_raw(id.cast_signed())));
    let mut printed = Vec::new();
    if let Some(output) = child.stdout.take() {
        output.take(TOKEN_BYTES_MAX + 1).read_to_end(&mut printed).await?;
    }
    let status = child.wait().await?;
    group.0 = None; // its number may be another's from now on
    Ok((printed, status))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    async fn shell(script: &str) -> Result<String, String> {
        let arguments = ["-c".to_owned(), script.to_owned()];
        let token = from_command(Path::new("sh"), &arguments, Path::new("/"), Duration::from_millis(500)).await;
        token.map(|t| t.expose_secret().to_owned()).map_err(|e| e.to_string())
    }

    #[tokio::test]
    async fn a_token_is_what_the_command_prints() {
        assert_eq!(shell("echo ya29.abc").await.unwrap(), "ya29.abc");
        assert_eq!(shell("echo noise >&2; pwd").await.unwrap(), "/");
    }

    #[tokio::test]
    async fn a_command_that_gives_no_token_is_named_and_what_it_said_is_not_repeated() {
        for (script, words) in [
            ("echo s3cret; echo s3cret >&2; exit 3", "exit status: 3"),
            ("echo s3cret; sleep 30", "took longer"),
            ("printf '\\377s3cret'", "no text"),
            ("yes s3cret | head -c 1000000", "more than a token"),
        ] {
            let told = shell(script).await.unwrap_err();
            assert!(told.contains(words) && told.contains("`sh`") && !told.contains("s3cret"), "{told}");
        }
        let none = from_command(Path::new("/no/such/tool"), &[], Path::new("/"), Duration::from_secs(1)).await;
        assert!(none.unwrap_err().to_string().contains("cannot be run"));
    }

    #[tokio::test]
    async fn what_a_command_started_ends_with_it() {
        let place = tempfile::tempdir().unwrap();
        let pid = place.path().join("pid");
        let told = shell(&format!("sleep 30 & echo $! > {}; wait", pid.display())).await.unwrap_err();
        assert!(told.contains("took longer"), "{told}");
        let pid = std::fs::read_to_string(pid).unwrap();
        let state = || std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
        for _ in 0..100 {
            if state().is_empty() || state().contains(") Z ") {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{}", state());
    }

    #[test]
    fn a_program_with_a_slash_is_looked_for_from_the_campaign_folder() {
        let line = |program: &str| [program.to_owned(), "x".to_owned()];
        let folder = Path::new("/campaign");
        for (program, found) in [
            ("./token", "/campaign/token"),
            ("bin/token", "/campaign/bin/token"),
            ("/bin/t", "/bin/t"),
            ("oauth2l", "oauth2l"),
        ] {
            let Some(Tokens::Command { program: found_at, .. }) = Tokens::command(&line(program), folder) else {
                panic!()
            };
            assert_eq!(found_at, Path::new(found), "{program}");
        }
        assert_eq!(Tokens::command(&[], folder), None);
    }
}
