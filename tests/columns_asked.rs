//! The real program asks about columns on a terminal, keeps the answer in `config.toml`, and goes on; where there is
//! no terminal it refuses with the question.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it cannot go on")]

mod support;

use std::fs;
use std::process::Command;

use support::campaign::Campaign;

/// Runs a command on a pseudo terminal; types an answer each time the program has asked, and prints what it showed.
const TYPIST: &str = r#"
import os, pty, sys, select
answers = sys.argv[1].split("|")
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
shown = b""
while True:
    if not select.select([terminal], [], [], 60)[0]:
        os.kill(pid, 9)
        break
    try:
        data = os.read(terminal, 65536)
    except OSError:
        break
    if not data:
        break
    shown += data
    if answers and b"q to stop) " in shown.rsplit(b"\n", 1)[-1]:
        shown += b"\n"
        os.write(terminal, answers.pop(0).encode() + b"\n")
status = os.waitpid(pid, 0)[1]
sys.stdout.buffer.write(shown)
sys.exit(os.waitstatus_to_exitcode(status))
"#;

const CONFIG: &str = "# Our campaign.\n[campaign]\nname = \"Test Campaign\" # on every letter\n\n[contacts]\n\
officials = \"mayors.csv\"\nconstituents = \"signers.csv\"\n\n# What our columns are called.\n[contacts.columns]\n\
# name = [\"First name\", \"Last name\"]\n# nothing else yet\n\n# The end.\n";

fn campaign() -> Campaign {
    let campaign = Campaign::new(1, 1, 1);
    campaign.write("config.toml", CONFIG);
    campaign.write("mayors.csv", "Mayor,Office E-mail,Municipality\nAna Adams,mayor@elgin.example,Elgin\n");
    campaign.write(
        "signers.csv",
        "Signer,E-mail,City,Ward,Street,Comment,Message\nBen Baker,ben@x.example,Elgin,7,1 Main St,Hear,Hear us\n\
         Cy Cole,cy@x.example,Elgin,8,2 Main St,,\n",
    );
    campaign
}

fn config(campaign: &Campaign) -> String {
    fs::read_to_string(campaign.path().join("config.toml")).unwrap()
}

/// What was shown, and how the program ended. `None` where there is no Python to type with.
fn type_at(campaign: &Campaign, verb: &str, answers: &[&str]) -> Option<(String, i32)> {
    let typist = campaign.path().join("typist.py");
    fs::write(&typist, TYPIST).unwrap();
    let mut command = Command::new("python3");
    command.arg(&typist).arg(answers.join("|")).arg(env!("CARGO_BIN_EXE_undersigned"));
    let ran = command.arg("--dir").arg(campaign.path()).arg(verb).env("TERM", "dumb").output().ok()?;
    assert!(ran.stderr.is_empty(), "{}", String::from_utf8_lossy(&ran.stderr));
    Some((String::from_utf8_lossy(&ran.stdout).replace('\r', ""), ran.status.code().unwrap()))
}

#[test]
fn an_answer_is_kept_with_every_comment_and_not_asked_for_again() {
    let campaign = campaign();
    let Some((shown, code)) = type_at(&campaign, "check", &["7", "", "-"]) else { return };
    assert_eq!(code, 0, "{shown}");
    for expected in [
        "which column is “jurisdiction”",
        "1  “City”, as in Elgin",
        "2  “Ward”, as in 7; 8",
        "type a number from 1 to 2",
        "jurisdiction = [\"City\"]",
        "which column is “note”",
        "Everything is in order",
    ] {
        assert!(shown.contains(expected), "{expected} is not in:\n{shown}");
    }
    let changed = config(&campaign);
    assert_eq!(
        changed,
        CONFIG.replace("# nothing else yet\n", "# nothing else yet\njurisdiction = \"City\"\nnote = []\n")
    );

    let (shown, code) = type_at(&campaign, "check", &["q"]).unwrap();
    assert_eq!(code, 0, "{shown}");
    assert!(!shown.contains("Which one?"), "{shown}");
    assert_eq!(campaign.run(&["rehearse"]).code, 0);
}

#[test]
fn whoever_stops_has_changed_nothing() {
    let campaign = campaign();
    let Some((shown, code)) = type_at(&campaign, "rehearse", &["q"]) else { return };
    assert_eq!(code, 3, "{shown}");
    assert_eq!(config(&campaign), CONFIG);
}

#[test]
fn without_a_terminal_the_question_is_the_refusal() {
    let campaign = campaign();
    for verb in ["check", "preview", "rehearse"] {
        let ran = campaign.run(&[verb]);
        assert_eq!(ran.code, 3, "{ran:?}");
        for expected in ["“City”, as in Elgin", "“Ward”, as in 7; 8", "[contacts.columns]", "jurisdiction = \"City\""]
        {
            assert!(ran.err.contains(expected), "{expected} is not in:\n{}", ran.err);
        }
        assert!(!ran.err.contains("Comment"), "what need not be there stops nothing: {}", ran.err);
        assert!(ran.err.lines().all(|l| l.contains("signers.csv") || l.chars().count() <= 80), "{}", ran.err);
    }
    assert_eq!(config(&campaign), CONFIG);

    let ran = campaign.run(&["check", "--set", "contacts.columns.jurisdiction=City"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("“Comment” or “Message” could be note"), "{}", ran.out);
}
