//! The whole program against a relay that nobody here wrote: Postfix's smtp-sink.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test ends where it cannot go on, and says what it skips"
)]

mod support;

use std::collections::BTreeMap;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use support::campaign::Campaign;
use support::watched::wait_until;

fn smtp_sink() -> Option<PathBuf> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&folders).chain([PathBuf::from("/usr/sbin")]);
    folders.map(|folder| folder.join("smtp-sink")).find(|path| path.exists())
}

/// Ended when dropped.
struct Sink(Child);

impl Drop for Sink {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Keeps each message in a file of its own; a port that the system gives.
fn start(program: &Path, dump: &Path) -> (Sink, u16) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut command = Command::new(program);
    if is_root() {
        command.args(["-u", "postfix"]);
        assert!(Command::new("chmod").arg("777").arg(dump).status().unwrap().success());
    }
    command.arg("-d").arg(dump.join("%M.")).arg(format!("127.0.0.1:{port}")).arg("100");
    let sink = Sink(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    wait_until("smtp-sink answers", || TcpStream::connect(("127.0.0.1", port)).is_ok());
    (sink, port)
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|o| o.stdout.starts_with(b"0\n"))
}

#[test]
fn every_message_reaches_smtp_sink_once_and_to_the_right_mailbox() {
    let Some(program) = smtp_sink() else {
        println!("skipped: there is no smtp-sink here");
        return;
    };
    let folder = tempfile::Builder::new().prefix("sink").tempdir_in("/tmp").unwrap();
    let dump = folder.path().join("dump");
    std::fs::create_dir(&dump).unwrap();
    assert!(Command::new("chmod").arg("755").arg(folder.path()).status().unwrap().success());
    let (_sink, port) = start(&program, &dump);
    let campaign = Campaign::new(5, 60, port);
    let ran = campaign.send();
    assert_eq!(ran.code, 0, "{ran:?}");

    let mut copies: BTreeMap<String, (usize, String)> = BTreeMap::new();
    for entry in std::fs::read_dir(&dump).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let line = |start: &str| text.lines().find_map(|l| l.strip_prefix(start)).unwrap_or_default().trim().to_owned();
        let to = line("X-Rcpt-Args: <");
        let copy = copies.entry(line("X-Campaign-Message: ")).or_insert((0, to));
        copy.0 += 1;
    }
    assert_eq!(copies.len(), 120);
    assert!(copies.values().all(|(n, _)| *n == 1));
    let mayors = copies.values().filter(|(_, to)| to.starts_with("mayor")).count();
    assert_eq!(mayors, 60);
}
