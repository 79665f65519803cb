//! A program at work, watched for what it says.

use std::fs::File;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::campaign::Ran;

const RUN_MAX: Duration = Duration::from_secs(120);

/// Starts a command whose words are kept for [`Watched::end`].
pub fn start(mut command: Command) -> Watched {
    let said = tempfile::tempdir().unwrap();
    let file = |name| File::create(said.path().join(name)).unwrap();
    let child = command.stdin(Stdio::null()).stdout(file("out")).stderr(file("err")).spawn().unwrap();
    Watched { child, said }
}

/// Runs a command to its end.
pub fn watch(command: Command) -> (ExitStatus, Ran) {
    start(command).end()
}

/// A program at work, and what it says; killed when dropped.
pub struct Watched {
    pub child: Child,
    said: tempfile::TempDir,
}

impl Watched {
    /// Waits for its end, which must come within two minutes. Whatever it said names no constituent.
    pub fn end(mut self) -> (ExitStatus, Ran) {
        let deadline = Instant::now() + RUN_MAX;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "it does not end: {}", self.so_far("err"));
            std::thread::sleep(Duration::from_millis(5));
        };
        let ran = Ran { code: status.code().unwrap_or(-1), out: self.so_far("out"), err: self.so_far("err") };
        for said in [&ran.out, &ran.err] {
            let named = said.lines().find(|line| line.contains("@mail.example") || line.contains("Main St"));
            assert!(named.is_none(), "I6: {named:?}");
        }
        (status, ran)
    }

    pub fn is_at_work(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// A signal by its name, as `kill` has it.
    pub fn signal(&self, name: &str) {
        signal(&self.child, name);
    }

    /// What it has said so far: `out` or `err`.
    pub fn so_far(&self, name: &str) -> String {
        String::from_utf8_lossy(&std::fs::read(self.said.path().join(name)).unwrap()).into_owned()
    }
}

/// Sends a signal by its name to a program that has not been waited for.
pub fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").arg(name).arg(child.id().to_string()).status().unwrap();
    assert!(sent.success());
}

impl Drop for Watched {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What was said, as one line however it was wrapped.
pub fn words(said: &str) -> String {
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Waits until something is so, however slow the machine: for two minutes at most.
#[track_caller]
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + RUN_MAX;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}: it did not come to that");
        std::thread::sleep(Duration::from_millis(10));
    }
}
