//! From a letter and contacts as they are to a rehearsed campaign, with the real program.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it cannot go on")]

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use support::campaign::{Campaign, Ran};

const LETTER: &str = "Re: Keep the library open\n\nDear Mayor ______,\n\nMy name is [NAME] and I live in the City of \
____. A fine of $1,000\nwill not do; see www.library.example/our_facts.\n\nSincerely,\n\n______________\n(signature)\n\n\
Address: ______________\nZIP: ______ Date: __/__/____\n";
const CONSTITUENTS: &str = "Full Name;E-mail;Street Address;City;ZIP;Date signed\n\
Jane Doe;jane@mail.example;12 Main St;Springfield;62701;2026-10-01\n\
Ana Muñoz;ana@mail.example;1 Oak Av;Shelbyville;62565;2026-10-02\n";
const OFFICIALS: &str = "Title,Name,E-mail,City\nMayor,Joe Quimby,quimby@springfield.example,Springfield\n\
Mayor,Ann Lee,lee@shelbyville.example,Shelbyville\n";

/// A folder with staff's files, and nothing else.
fn desk() -> Campaign {
    let desk = Campaign::new(1, 0, 1);
    desk.write("letter.txt", LETTER);
    desk.write("signers.csv", CONSTITUENTS);
    desk.write("mayors.csv", OFFICIALS);
    desk
}

fn made(desk: &Campaign, more: &[&str]) -> Ran {
    let file = |name: &str| desk.path().join(name).to_str().unwrap().to_owned();
    let (place, letter) = (file("made"), file("letter.txt"));
    let mut args = vec!["new", &place, "--letter", &letter];
    let more: Vec<String> =
        more.iter().map(|arg| if arg.contains('.') { file(arg) } else { (*arg).to_owned() }).collect();
    args.extend(more.iter().map(String::as_str));
    desk.run(&args)
}

fn text(desk: &Campaign, name: &str) -> String {
    fs::read_to_string(desk.path().join("made").join(name)).unwrap()
}

/// Every mail that the made campaign gives, once `check` lets it pass.
fn checked_and_rehearsed(desk: &Campaign) -> String {
    let place = desk.path().join("made");
    let place = place.to_str().unwrap();
    let checked = desk.run(&["check", "--dir", place]);
    assert_eq!(checked.code, 0, "{checked:?}");
    assert_eq!(desk.run(&["rehearse", "--dir", place]).code, 0);
    let mails = fs::read_dir(Path::new(place).join("rehearsal/mail/new")).unwrap();
    mails.map(|mail| String::from_utf8_lossy(&fs::read(mail.unwrap().path()).unwrap()).into_owned()).collect()
}

#[test]
fn a_campaign_made_of_a_letter_and_two_files_is_checked_and_rehearsed_as_it_is() {
    let desk = desk();
    let ran = made(&desk, &["--contacts", "signers.csv", "--officials", "mayors.csv"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(!ran.out.contains("OPEN"), "{}", ran.out);
    assert!(ran.out.contains("Dear {{ official.title }} {{ official.name }},"), "{}", ran.out);
    let place = desk.path().to_str().unwrap();
    assert!(ran.out.lines().all(|line| line.contains(place) || line.chars().count() <= 80), "{}", ran.out);
    let config = text(&desk, "config.toml");
    for line in ["name = \"Keep the library open\"", "officials = \"mayors.csv\"", "constituents = \"signers.csv\""] {
        assert!(config.lines().any(|l| l == line), "{line}: {config}");
    }
    assert!(config.contains("# The name as officials and constituents see it"), "the comments stay");
    assert_eq!(text(&desk, "signers.csv"), CONSTITUENTS);
    let mails = checked_and_rehearsed(&desk);
    for words in ["Dear Mayor Joe Quimby,", "My name is Jane Doe and I live in the City of Springfield.", "12 Main St"]
    {
        assert!(mails.contains(words), "{words}: {mails}");
    }
    assert!(!mails.contains("____") && !mails.contains("(signature)"));
}

#[test]
fn a_blank_that_nobody_can_be_asked_about_stays_and_check_refuses_it() {
    let desk = desk();
    desk.write("letter.txt", &format!("{LETTER}\nPhone: ________\n").replace("Mayor ______", "Mayor Joe Smith"));
    let ran = made(&desk, &["--contacts", "signers.csv", "--officials", "mayors.csv"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("OPEN: there is no column for it"), "{}", ran.out);
    assert!(ran.out.contains("1 blank is still open"), "{}", ran.out);
    assert!(ran.out.contains("greets one person in every letter"), "{}", ran.out);
    assert!(ran.out.lines().filter(|line| !line.contains('/')).all(|line| line.chars().count() <= 80), "{}", ran.out);
    let place = desk.path().join("made");
    let checked = desk.run(&["check", "--dir", place.to_str().unwrap()]);
    assert_eq!(checked.code, 3, "{checked:?}");
}

#[test]
fn a_refusal_leaves_nothing_behind() {
    for (more, code, words) in [
        (&["--contacts", "signers.csv"][..], 2, "the officials are missing"),
        (&["--contacts", "nowhere.csv"], 2, "there is no such file"),
        (&["--contacts", "signers.csv", "--officials", "mayors.csv", "--name", " "], 2, "cannot be a campaign's name"),
    ] {
        let desk = desk();
        let ran = made(&desk, more);
        assert_eq!(ran.code, code, "{ran:?}");
        assert!(ran.err.contains(words), "{ran:?}");
        let left: Vec<_> = fs::read_dir(desk.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert!(left.iter().all(|name| !name.to_string_lossy().contains("made")), "{left:?}");
    }
    let desk = desk();
    desk.write("letter.txt", "%PDF-1.7");
    let ran = made(&desk, &[]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.err.contains("it is a PDF") && !desk.path().join("made").exists(), "{ran:?}");
    desk.write("made/mine.txt", "mine");
    desk.write("letter.txt", LETTER);
    assert_eq!(made(&desk, &[]).code, 2, "not over what is there");
    assert_eq!(text(&desk, "mine.txt"), "mine");
}

#[test]
fn a_letter_alone_makes_a_campaign_that_waits_for_its_people() {
    let desk = desk();
    fs::create_dir(desk.path().join("made")).unwrap();
    let ran = made(&desk, &["--name", "Library"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(text(&desk, "config.toml").contains("name = \"Library\""));
    assert_eq!(text(&desk, "contacts.csv").lines().count(), 1);
    assert!(text(&desk, "templates/letter.md").starts_with("Subject: Keep the library open\n\nDear {{"));
}

/// Answers what the program asks on a terminal of its own.
const TERMINAL: &str = r#"
import os, pty, signal, sys, select, time
answers, args = sys.argv[1].split("|"), sys.argv[2:]
pid, fd = pty.fork()
if pid == 0:
    os.execv(args[0], args)
shown, end, given = b"", time.time() + 60, 0
while time.time() < end:
    try:
        ready = select.select([fd], [], [], 0.3)[0]
        if ready:
            more = os.read(fd, 4096)
            if not more:
                break
            shown += more
        elif shown.rstrip().endswith(b")") and given < len(answers):
            os.write(fd, answers[given].encode() + b"\n")
            given += 1
            shown += b"\n"
    except OSError:
        break
sys.stdout.buffer.write(shown)
if time.time() >= end:
    os.kill(pid, signal.SIGKILL)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"#;

fn on_a_terminal(desk: &Campaign, answers: &str) -> Option<Ran> {
    let python = Command::new("python3").arg("--version").output().ok()?;
    python.status.success().then_some(())?;
    let file = |name: &str| desk.path().join(name);
    let mut command = Command::new("python3");
    command.args(["-c", TERMINAL, answers, env!("CARGO_BIN_EXE_undersigned"), "new"]);
    command.arg(file("made")).arg("--letter").arg(file("letter.txt"));
    command.arg("--contacts").arg(file("signers.csv")).arg("--officials").arg(file("mayors.csv"));
    Some(command.output().unwrap().into())
}

#[test]
fn on_a_terminal_staff_decide_what_is_not_certain() {
    let desk = desk();
    let more = "Phone: ________\n\n[Something]\n\n[Insert your story here]\n";
    desk.write("letter.txt", &LETTER.replace("Sincerely,", &format!("{more}\nSincerely,")));
    // The phone is the constituent's e-mail by number, [Something] stays, the story is as proposed; the name is too.
    let Some(ran) = on_a_terminal(&desk, "constituent.email|t||") else { return };
    assert_eq!(ran.code, 0, "{}", ran.out);
    let letter = text(&desk, "templates/letter.md");
    for line in ["Phone: {{ constituent.email }}", "\\[Something&#93;", "{{ constituent.note }}"] {
        assert!(letter.lines().any(|l| l == line), "{line}: {letter}");
    }
    assert!(ran.out.contains("stays as it is"), "{}", ran.out);
    assert!(ran.out.contains(": Phone: ________\r\n               ^^^^^^^^\r\n"), "the blank is marked: {:?}", ran.out);
}

#[test]
fn on_a_terminal_q_stops_and_nothing_is_written() {
    let desk = desk();
    desk.write("letter.txt", &format!("{LETTER}\n[Something]\n"));
    let Some(ran) = on_a_terminal(&desk, "q") else { return };
    assert_eq!(ran.code, 2, "{}", ran.out);
    assert!(ran.out.contains("nothing was written") && !desk.path().join("made").exists(), "{}", ran.out);
}

#[test]
fn words_that_staff_keep_leave_as_they_are_written() {
    let desk = desk();
    let letter =
        "Subject: Rezoning of [LOT 7]\n\nDear Mayor ____,\n\nForm ____ of {all}, «AddressBlock».\n\nYours,\n(name)\n";
    desk.write("letter.txt", letter);
    let Some(ran) = on_a_terminal(&desk, "t|t|t|t|") else { return };
    assert_eq!(ran.code, 0, "{}", ran.out);
    let mails = checked_and_rehearsed(&desk);
    for words in ["Subject: Rezoning of [LOT 7]", "Form ____ of {all}, =C2=ABAddressBlock=C2=BB."] {
        assert!(mails.contains(words), "{words}: {mails}");
    }
}

#[test]
fn a_subject_that_the_letter_did_not_bring_is_told() {
    let desk = desk();
    assert!(!made(&desk, &[]).out.contains("brings no subject"), "this letter brings one");
    let desk = self::desk();
    desk.write("letter.txt", "Dear Mayor ____,\n\nplease act.\n\n(name)\n");
    let ran = made(&desk, &[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("brings no subject"), "{}", ran.out);
}

#[test]
fn check_does_not_call_a_letter_with_a_hole_in_order() {
    let desk = desk();
    desk.write("signers.csv", &CONSTITUENTS.replace("12 Main St", ""));
    assert_eq!(made(&desk, &["--contacts", "signers.csv", "--officials", "mayors.csv"]).code, 0);
    let place = desk.path().join("made");
    let checked = desk.run(&["check", "--dir", place.to_str().unwrap()]);
    assert_eq!(checked.code, 0, "{checked:?}");
    assert!(!checked.out.contains("Everything is in order"), "{}", checked.out);
    assert!(checked.out.contains("put {% if constituent.address %} and {% endif %}"), "{}", checked.out);
}
