//! `match` with the real program: on a terminal, in a listed file, and where nobody can be asked.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it cannot go on")]

mod support;

use std::fs;
use std::process::{Command, Stdio};

use support::campaign::{Campaign, Ran};

const OFFICIALS: &str = "role,title,name,email,jurisdiction\n\
    official,Mayor,Ana Adams,ana@charles.example,St. Charles\n\
    official,Mayor,Bo Berg,bo@elgin.example,City of Elgin\n\
    official,President,Cy Cole,cy@elgin.example,Village of Elgin\n\
    official,Mayor,Di Dorn,di@evanston.example,Evanston\n";

const LETTER: &str = "Subject: A letter\n\nDear {{ official.name }},\n\nplease act.\n\n{{ constituent.name }}\n";

/// A campaign in which these places were written, in turn.
fn campaign(places: &[&str]) -> Campaign {
    let campaign = Campaign::new(1, 0, 1);
    let rows =
        places.iter().enumerate().map(|(n, place)| format!("constituent,,Signer {n},s{n}@x.example,\"{place}\"\n"));
    campaign.write("contacts.csv", &(OFFICIALS.to_owned() + &rows.collect::<String>()));
    campaign.write("templates/letter.md", LETTER);
    campaign
}

const PLACES: &[&str] = &["Saint Charles", "Elgin", "Evnaston", "saint  CHARLES", "Nowhere", "Evanston", "=1+1"];

/// Runs on a terminal of its own and types one answer at each question.
fn on_terminal(campaign: &Campaign, answers: &[&str]) -> Ran {
    const SCRIPT: &str = "\
import os, pty, sys
answers = sys.argv[1].split(',')
seen = b''
asked = 0
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
while True:
    try:
        data = os.read(fd, 65536)
    except OSError:
        break
    if not data:
        break
    seen += data
    while seen.count(b'quit:') > asked:
        answer = answers[asked] if asked < len(answers) else 'q'
        os.write(fd, (answer + '\\n').encode())
        asked += 1
sys.stdout.buffer.write(seen)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
";
    let output = Command::new("python3")
        .args(["-c", SCRIPT, &answers.join(","), env!("CARGO_BIN_EXE_undersigned"), "--dir"])
        .arg(campaign.path())
        .arg("match")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    output.into()
}

fn aliases(campaign: &Campaign) -> String {
    fs::read_to_string(campaign.path().join("aliases.csv")).unwrap_or_default()
}

#[test]
fn on_a_terminal_each_spelling_is_asked_for_once_and_a_yes_joins() {
    let campaign = campaign(PLACES);
    let ran = on_terminal(&campaign, &["what?", "y", "9", "2", "n"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(aliases(&campaign), "\u{feff}written,means\nSaint Charles,St. Charles\nElgin,Village of Elgin\n");
    for words in [
        "“Saint Charles” (2 constituents, first in line 6)",
        "“St. Charles” (Mayor Ana Adams)",
        "“st” for “saint”",
        "1  “City of Elgin” (Mayor Bo Berg)",
        "“Evanston” (Mayor Di Dorn)",
        "2 spellings accepted, for 3 constituents",
        "3 spellings left, of 3 constituents",
    ] {
        assert!(ran.out.contains(words), "{words}: {}", ran.out);
    }
    assert!(!ran.out.contains("“Nowhere”"), "nothing can be suggested for it: {}", ran.out);
    let after_bar = ran.out.rsplit_once('\u{1b}').unwrap().1;
    assert!(after_bar.lines().all(|line| line.trim_end().chars().count() <= 80), "{}", ran.out);
    let again = on_terminal(&campaign, &["y"]);
    assert!(!again.out.contains("“Saint Charles”") && again.out.contains("1 spelling accepted"), "{}", again.out);
    let checked = campaign.run(&["check", "--skip-bad"]);
    assert_eq!(checked.code, 0, "{checked:?}");
    assert!(checked.out.contains("5 letters from 5 constituents"), "{}", checked.out);
}

#[test]
fn what_was_answered_before_quitting_is_kept() {
    let campaign = campaign(PLACES);
    let ran = on_terminal(&campaign, &["yes", "q"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(aliases(&campaign).lines().count(), 2);
}

#[test]
fn a_listed_file_is_filled_in_where_it_is_plain_and_taken_as_staff_give_it_back() {
    let campaign = campaign(PLACES);
    let file = campaign.path().join("spellings.csv");
    let name = file.to_str().unwrap();
    let ran = campaign.run(&["match", "--list", name]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let listed = fs::read_to_string(&file).unwrap();
    for row in [
        "written,means,may be,official,constituents,first line,why\n",
        "\nSaint Charles,St. Charles,St. Charles,Mayor Ana Adams,2,6,",
        "\nElgin,,City of Elgin,Mayor Bo Berg,1,7,",
        "\nElgin,,Village of Elgin,President Cy Cole,1,7,",
        "\nEvnaston,,Evanston,Mayor Di Dorn,1,8,one letter differs\n",
        "\nNowhere,,,,1,10,is like no jurisdiction that an official has\n",
        "\n'=1+1,,,,1,12,",
    ] {
        assert!(listed.contains(row), "{row}: {listed}");
    }
    assert_eq!(campaign.run(&["match", "--list", name]).code, 2, "decisions are not written over");
    assert_eq!(aliases(&campaign), "", "listing decides nothing");

    let given_back =
        listed.replace("Elgin,,Village", "Elgin,Village of Elgin,Village").replace("'=1+1,,", "'=1+1,EVANSTON,");
    fs::write(&file, given_back.replace(',', ";").replace("\u{feff}", "")).unwrap();
    let ran = campaign.run(&["match", "--accept", name]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.out.contains("“Saint Charles” means “St. Charles”") && ran.out.contains("3 spellings accepted"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("3 lines without a meaning left out"), "{}", ran.out);
    assert_eq!(
        aliases(&campaign),
        "\u{feff}written,means\nSaint Charles,St. Charles\nElgin,Village of Elgin\n'=1+1,EVANSTON\n"
    );
    let again = campaign.run(&["match", "--accept", name]);
    assert!(again.code == 0 && again.out.contains("3 lines that nobody needs any more left out"), "{again:?}");
    assert_eq!(aliases(&campaign).lines().count(), 4);
}

#[test]
fn a_listed_file_that_would_lead_astray_is_refused_as_a_whole() {
    let campaign = campaign(PLACES);
    for (lines, expected) in [
        ("Saint Charles,St. Charles\nElgin,Atlantis\n", "line 3: no official has the jurisdiction “Atlantis”"),
        ("Elgin,City of Elgin\nelgin,Village of Elgin\n", "line 3: “elgin” is in line 2 with another meaning"),
        (",Evanston\n", "line 2: there is nothing in the column written"),
    ] {
        campaign.write("spellings.csv", &format!("written,means\n{lines}"));
        let ran = campaign.run(&["match", "--accept", campaign.path().join("spellings.csv").to_str().unwrap()]);
        assert_eq!(ran.code, 3, "{ran:?}");
        assert!(ran.err.contains(expected), "{expected}: {}", ran.err);
        assert_eq!(aliases(&campaign), "");
    }
}

#[test]
fn without_a_terminal_the_suggestions_are_shown_and_how_to_go_on() {
    let campaign = campaign(PLACES);
    let ran = campaign.run(&["match"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    for words in [
        "“Saint Charles” (2 constituents",
        "is like no jurisdiction",
        "match --list",
        "match --accept",
        "Nothing was decided",
    ] {
        assert!(ran.out.contains(words), "{words}: {}", ran.out);
    }
    assert!(ran.out.lines().all(|line| line.chars().count() <= 80), "{}", ran.out);
    assert_eq!(aliases(&campaign), "");
}

#[test]
fn a_spelling_whose_alias_means_nobody_is_sent_to_that_line() {
    let campaign = campaign(PLACES);
    campaign.write("aliases.csv", "written,means\nSaint Charles,Karlstown\n");
    let ran = campaign.run(&["match"]);
    assert!(ran.out.contains("line 2 of the alias file says “Karlstown”"), "{}", ran.out);
    let ran = on_terminal(&campaign, &["s", "s", "s"]);
    assert!(!ran.out.contains("“Saint Charles”"), "{}", ran.out);
    campaign.write("spellings.csv", "written,means\nSaint Charles,St. Charles\n");
    let ran = campaign.run(&["match", "--accept", campaign.path().join("spellings.csv").to_str().unwrap()]);
    assert!(ran.code == 3 && ran.err.contains("line 2 of the alias file says that"), "{ran:?}");
}

#[test]
fn where_all_is_in_order_there_is_nothing_to_decide() {
    let campaign = campaign(&["Evanston"]);
    let ran = campaign.run(&["match"]);
    assert!(ran.code == 0 && ran.out.contains("Nothing to decide"), "{ran:?}");
    campaign.write("aliases.csv", "written,means\nElgin,City of Elgin\nElgin,Village of Elgin\n");
    let ran = campaign.run(&["match"]);
    assert!(ran.code == 3 && ran.err.contains("aliases.csv, line 3"), "{ran:?}");
}
