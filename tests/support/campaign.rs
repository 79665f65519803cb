//! A campaign folder and the real program at work in it.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;

use super::watched::wait_until;

/// Sends, and nobody is told: every message that the relay has is a letter.
pub const LETTERS_ALONE: [&str; 4] = ["send", "--yes", "--set", "campaign.confirm=never"];

/// A campaign in a folder of its own, gone with it.
pub struct Campaign {
    folder: TempDir,
}

/// How a run of the program ended.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Campaign {
    /// The sample's texts, so many officials and constituents spread over them, and a relay on this port.
    pub fn new(officials: usize, constituents: usize, port: u16) -> Self {
        let campaign = Self { folder: tempfile::tempdir().unwrap() };
        campaign.write("templates/letter.md", LETTER);
        campaign.write("templates/confirmation.md", CONFIRMATION);
        campaign.write("contacts.csv", &contacts(officials, 0..constituents));
        campaign.configure(port, "");
        campaign
    }

    /// Writes `config.toml`: unpaced, hurried, the relay on this port; `more` comes last, inside the relay's table.
    pub fn configure(&self, port: u16, more: &str) {
        self.write(
            "config.toml",
            &format!(
                "[campaign]\nname = \"Test Campaign\"\ntimezone = \"UTC\"\n[pace]\nper_mailbox = \"unlimited\"\n\
                 [retry]\ndelays = [\"1s\"]\ngive_up_after = \"1h\"\n\
                 [[relay]]\nname = \"main\"\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\n{more}\n"
            ),
        );
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_undersigned"));
        command.arg("--dir").arg(self.folder.path()).args(args).stdin(Stdio::null());
        command.env_remove("CREDENTIALS_DIRECTORY").env_remove("UNDERSIGNED_LOG");
        command
    }

    /// Runs to the end, which must come within two minutes.
    pub fn run(&self, args: &[&str]) -> Ran {
        let mut child = self.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let deadline = Instant::now() + Duration::from_secs(120);
        // Small outputs only: they fit into the pipes while we wait.
        while child.try_wait().unwrap().is_none() {
            if Instant::now() > deadline {
                child.kill().unwrap();
                panic!("{args:?} did not end: {:?}", Ran::from(child.wait_with_output().unwrap()));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        child.wait_with_output().unwrap().into()
    }

    /// Starts `send --yes` and leaves it at work.
    pub fn start(&self, args: &[&str]) -> Child {
        self.command(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// Waits until a `send` dispatches: from then on it hears Ctrl-C, and what staff say in another terminal.
    pub fn until_running(&self) {
        wait_until("the campaign is running", || {
            let ledger = self.ledger().exists().then(|| Connection::open(self.ledger()).unwrap());
            let state = ledger.map(|db| db.query_row("SELECT state FROM campaign", [], |row| row.get::<_, String>(0)));
            state.is_some_and(|state| state.is_ok_and(|state| state == "running"))
        });
    }

    pub fn send(&self) -> Ran {
        self.run(&["send", "--yes"])
    }

    pub fn status(&self) -> Value {
        let ran = self.run(&["status", "--json"]);
        assert_eq!(ran.code, 0, "{ran:?}");
        serde_json::from_str(&ran.out).unwrap()
    }

    /// How many letters are in that state.
    pub fn letters(&self, state: &str) -> u64 {
        self.status()["letters"][state].as_u64().unwrap()
    }

    pub fn log(&self) -> Vec<Value> {
        let ran = self.run(&["log", "--json", "--unmasked"]);
        assert_eq!(ran.code, 0, "{ran:?}");
        ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The lines of what staff and the program decided.
    pub fn decisions(&self) -> Vec<String> {
        let ledger = Connection::open(self.ledger()).unwrap();
        let mut lines = ledger.prepare("SELECT text FROM decision ORDER BY id").unwrap();
        lines.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    pub fn ledger(&self) -> PathBuf {
        self.folder.path().join("ledger.db")
    }

    /// I1 and I8: the states add up to the messages, the database is whole and its rows keep every rule.
    pub fn must_be_sound(&self) {
        let status = self.status();
        for kind in ["letters", "confirmations"] {
            let counts = status[kind].as_object().unwrap();
            let sum: u64 = counts.iter().filter(|(k, _)| *k != "total").map(|(_, n)| n.as_u64().unwrap()).sum();
            assert_eq!(sum, counts["total"].as_u64().unwrap(), "{kind}");
        }
        let looked: Value = serde_json::from_str(&self.run(&["doctor", "--json"]).out).unwrap();
        for about in ["ledger", "rows", "counts"] {
            let mut seen = looked["checks"].as_array().unwrap().iter().filter(|check| check["about"] == about);
            assert!(seen.clone().count() > 0 && seen.all(|check| check["health"] == "ok"), "{looked}");
        }
    }
}

/// Officials of `Town 0`, `Town 1`, …; constituent `n` lives in town `n % officials`.
pub fn contacts(officials: usize, constituents: std::ops::Range<usize>) -> String {
    let mut csv = String::from("role,title,name,email,jurisdiction,address,postcode,signed_on,note\n");
    for n in 0..officials {
        writeln!(csv, "official,Mayor,Official {n},mayor{n}@town{n}.example,Town {n},,,,").unwrap();
    }
    csv.push_str(&constituent_rows(officials, constituents));
    csv
}

/// Rows of constituents alone.
pub fn constituent_rows(officials: usize, constituents: std::ops::Range<usize>) -> String {
    let mut csv = String::new();
    for n in constituents {
        let town = n % officials;
        writeln!(csv, "constituent,,Signer {n},signer{n}@mail.example,Town {town},{n} Main St,60000,2026-10-01,")
            .unwrap();
    }
    csv
}

pub const LETTER: &str = "Subject: A letter from {{ constituent.name }}\n\n\
Dear {{ official.title }} {{ official.name }},\n\nplease *act*.\n\n{{ constituent.name }}\n\n{{ constituent.address }}\n";

pub const CONFIRMATION: &str = "Subject: Your letter\n\nDear {{ constituent.name }},\n\n\
{% for letter in letters %}To {{ letter.official.name }}: {{ letter.state }}\n\n{{ letter.copy | quoted }}\n\n{% endfor %}\n";
