//! Several letters, variants and includes, through the real program: who gets which text, always the same.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it cannot go on")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use mail_parser::{Message, MessageParser};
use support::campaign::{CONFIRMATION, Campaign, LETTER};
use support::relay::{Action, Options, ScriptedRelay, Step};

const SIGNERS: usize = 40;

const ENGLISH: &str = "Subject: Please act, {{ official.name }}\nSubject: A word from {{ constituent.name }}\n\n\
    Dear {{ official.name }},\n\n{% variant %}\nRed roses.\n{% or %}\nBlue violets.\n{% or %}\nGreen leaves.\n{% endvariant %}\n\n\
    {% if constituent.note %}\nI add:\n\n{{ constituent.note | quoted }}\n{% endif %}\n\n{% include \"parts/end.md\" %}\n";
const SPANISH: &str = "Subject: Una carta de {{ constituent.name }}\nLanguage: es\n\nEstimada {{ official.name }}:\n\n\
    Actúe, por favor.\n\n{% include \"parts/end.md\" %}\n";
const END: &str = "{{ constituent.name }}\\\n{{ constituent.address }}\n";
const TOLD: &str = "Subject: {% if constituent.language | lower == \"es\" %}Su carta{% else %}Your letter{% endif %}\n\n\
    {% if constituent.language | lower == \"es\" %}{% include \"parts/told.es.md\" %}{% else %}Thank you.{% endif %}\n\n\
    {% for letter in letters %}\n{{ letter.copy | quoted }}\n{% endfor %}\n";

/// Signer `n` speaks Spanish when `n` is a multiple of 4, French when it is 1 more, and English otherwise.
fn campaign(port: u16) -> Campaign {
    let campaign = Campaign::new(1, 0, port);
    let mut contacts = String::from("role,title,name,email,jurisdiction,address,postcode,signed_on,note,Language\n");
    contacts.push_str("official,Mayor,Ada,mayor@town.example,Town,,,,,\n");
    for n in 0..SIGNERS {
        let language = ["ES ", "fr", "en", ""][n % 4];
        let note = if n % 3 == 0 { "\"{{ x }} ____\n\n# mine\"" } else { "" };
        writeln!(
            contacts,
            "constituent,,Signer {n},s{n}@mail.example,Town,{n} Main St,60000,2026-10-01,{note},{language}"
        )
        .unwrap();
    }
    campaign.write("contacts.csv", &contacts);
    campaign.write("templates/letter.md", ENGLISH);
    campaign.write("templates/letter.es.md", SPANISH);
    campaign.write("templates/parts/end.md", END);
    campaign.write("templates/parts/told.es.md", "Gracias.\n");
    campaign.write("templates/confirmation.md", TOLD);
    let config = fs::read_to_string(campaign.path().join("config.toml")).unwrap();
    let letters = "[letters]\nby = \"constituent.language\"\n[letters.letter]\nes = \"templates/letter.es.md\"\n";
    campaign.write("config.toml", &config.replace("[pace]", &format!("{letters}[pace]")));
    campaign
}

/// What a message says, without what differs from one campaign to the next.
fn said(bytes: &[u8]) -> (String, String) {
    let read: Message<'_> = MessageParser::default().parse(bytes).unwrap();
    let address =
        |list: Option<&mail_parser::Address<'_>>| list.unwrap().first().unwrap().address().unwrap().to_owned();
    let answers = read.reply_to().map(|list| address(Some(list))).unwrap_or_default();
    let key = format!("{answers} {}", address(read.to()));
    let (text, html) = (read.body_text(0).unwrap(), read.body_html(0).unwrap());
    (key, format!("{}\n{text}\n{html}", read.subject().unwrap()))
}

fn rehearsed(campaign: &Campaign) -> BTreeMap<String, String> {
    let ran = campaign.run(&["rehearse"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let mail = fs::read_dir(campaign.path().join("rehearsal/mail/new")).unwrap();
    mail.map(|entry| said(&fs::read(entry.unwrap().path()).unwrap())).collect()
}

#[test]
fn each_constituent_gets_the_letter_of_their_language_and_one_variant_of_it() {
    let campaign = campaign(1);
    let messages = rehearsed(&campaign);
    assert_eq!(messages.len(), 2 * SIGNERS);
    let mut texts = BTreeSet::new();
    for n in 0..SIGNERS {
        let letter = &messages[&format!("s{n}@mail.example mayor@town.example")];
        let confirmation = &messages[&format!(" s{n}@mail.example")];
        assert!(letter.contains(&format!("{n} Main St")), "the include is in it: {letter}");
        if n % 4 == 0 {
            assert!(letter.contains("Una carta de") && letter.contains("<html lang=\"es\">"), "{letter}");
            assert!(confirmation.contains("Su carta") && confirmation.contains("Gracias."), "{confirmation}");
            assert!(!letter.contains("Dear"));
        } else {
            let subject = letter.lines().next().unwrap().split(' ').next().unwrap().to_owned();
            let colour =
                ["Red", "Blue", "Green"].into_iter().filter(|colour| letter.contains(colour)).collect::<Vec<_>>();
            assert_eq!(colour.len(), 1, "{letter}");
            texts.insert((subject, colour[0]));
            assert_eq!(
                letter.contains("> {{ x }} ____\r\n>\r\n> # mine") || letter.contains("> {{ x }} ____\n>\n> # mine"),
                n % 3 == 0,
                "{letter}"
            );
            assert!(letter.contains("<html lang=\"en\">"), "{letter}");
            assert!(confirmation.contains("Thank you.") && confirmation.contains(colour[0]), "{confirmation}");
        }
    }
    assert!(texts.len() >= 5, "two subjects, three paragraphs: {texts:?}");
    assert_eq!(rehearsed(&campaign), messages, "the same in another campaign, with another ledger");
}

#[test]
fn a_run_that_is_killed_and_taken_up_again_sends_the_same_bytes() {
    let dots = AtomicUsize::new(0);
    let relay = ScriptedRelay::start(Options::default(), move |at| match at.step {
        // Some letters are taken without a word about it, so that staff have them sent once more.
        Step::Dot if dots.fetch_add(1, Ordering::Relaxed) % 7 == 3 => Action::take_then_drop(),
        Step::Dot => Action::late(Duration::from_millis(15), "250 2.0.0 Ok"),
        _ => Action::Default,
    });
    let campaign = campaign(relay.port());
    let expected = rehearsed(&campaign);
    let mut sending = campaign.start(&["send", "--yes"]);
    relay.record.must_reach(12);
    sending.kill().unwrap();
    sending.wait().unwrap();
    // Nothing of this reaches what was planned.
    campaign
        .write("contacts.csv", &fs::read_to_string(campaign.path().join("contacts.csv")).unwrap().replace("ES ", "en"));
    campaign.send();
    assert_eq!(campaign.run(&["resolve", "--as", "resend", "--all"]).code, 0);
    campaign.send();
    campaign.must_be_sound();
    let mut copies: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
    for entry in relay.record.entries() {
        let (key, text) = said(&entry.bytes);
        if key.ends_with("mayor@town.example") {
            assert_eq!(text, expected[&key], "{key}");
            copies.entry(entry.reference).or_default().push(entry.bytes);
        }
    }
    assert_eq!(copies.len(), SIGNERS);
    let again: Vec<_> = copies.values().filter(|bytes| bytes.len() > 1).collect();
    assert!(!again.is_empty(), "nothing was sent once more, so nothing is proved");
    assert!(again.iter().all(|bytes| bytes.iter().all(|one| *one == bytes[0])));
}

#[test]
fn a_changed_include_is_a_changed_letter_and_touches_only_those_who_get_it() {
    let relay = ScriptedRelay::start(Options::default(), |_| Action::Default);
    let campaign = campaign(relay.port());
    assert_eq!(campaign.run(&["send", "--yes", "--limit", "2"]).code, 0);
    campaign.write("templates/parts/end.md", "Yours,\n{{ constituent.name }}, {{ constituent.address }}\n");
    let ran = campaign.send();
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(
        ran.err.contains("templates/letter.md has changed") && ran.err.contains("--accept-changed-letter"),
        "{ran:?}"
    );
    let before = relay.record.count();
    campaign.write("templates/letter.es.md", &SPANISH.replace("Actúe", "Escuche"));
    let ran = campaign.run(&["send", "--yes", "--accept-changed-letter"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.err.contains("now use the new templates/letter.es.md"), "{ran:?}");
    let letters = relay.record.entries().split_off(before).into_iter().map(|entry| said(&entry.bytes));
    let letters: Vec<String> =
        letters.filter(|(key, _)| key.ends_with("mayor@town.example")).map(|(_, text)| text).collect();
    assert_eq!(letters.len(), SIGNERS - 2);
    assert!(letters.iter().all(|letter| letter.contains("Yours,")));
    assert!(letters.iter().all(|letter| letter.contains("Escuche") == letter.contains("Estimada")));
}

#[test]
fn check_tells_which_value_gets_which_letter_and_refuses_a_column_that_is_not_there() {
    let campaign = campaign(1);
    let ran = campaign.run(&["check"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let lines: Vec<String> =
        ran.out.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let says = |start: &str, end: &str| lines.iter().any(|line| line.starts_with(start) && line.ends_with(end));
    assert!(says("es 10 ", "letter.es.md"), "{}", ran.out);
    assert!(says("fr 10 ", "letter.md (the usual one)") && says("(empty) 10 ", "(the usual one)"), "{}", ran.out);
    let ran = campaign.run(&["check", "--set", "letters.by=constituent.langauge"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.err.contains("did you mean `constituent.language`?"), "{}", ran.err);
    let ran = campaign.run(&["check", "--set", "letters.by=language"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.err.contains("letters.by") && ran.err.contains("constituent.language"), "{}", ran.err);
}

#[test]
fn nothing_outside_the_folder_of_texts_can_be_included() {
    let campaign = Campaign::new(1, 1, 1);
    campaign.write("secret.md", "secret");
    let outside = campaign.path().join("secret.md");
    #[cfg(unix)]
    std::os::unix::fs::symlink(&outside, campaign.path().join("templates/link.md")).unwrap();
    fs::create_dir_all(campaign.path().join("templates/folder")).unwrap();
    for name in ["../secret.md", outside.to_str().unwrap(), "link.md", "folder", "none.md", "letter.md"] {
        campaign.write("templates/letter.md", &format!("{LETTER}\n{{% include \"{name}\" %}}\n"));
        let ran = campaign.run(&["check"]);
        assert_eq!(ran.code, 3, "{name}: {ran:?}");
        assert!(ran.err.contains("letter.md:11:1:"), "{name}: {}", ran.err);
        assert!(!ran.out.contains("secret\n"));
    }
}

#[test]
fn preview_shows_every_variant_of_every_letter() {
    let campaign = campaign(1);
    let ran = campaign.run(&["preview", "--count", "0"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let texts: Vec<String> = fs::read_dir(campaign.path().join("preview"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "txt"))
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    for words in ["Red", "Blue", "Green", "Please act", "A word from", "Una carta"] {
        assert!(texts.iter().any(|text| text.contains(words)), "{words}: {texts:?}");
    }
}

#[test]
fn check_gives_advice_and_stops_nothing() {
    let campaign = Campaign::new(1, 40, 1);
    campaign.write(
        "templates/letter.md",
        "Subject: READ THIS NOW!!\n\nDear {{ official.name }},\n\nclick here: http://bit.ly/x\n",
    );
    let ran = campaign.run(&["check"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    for words in
        ["capitals", "“!!”", "click here", "shortens", "https://", "constituent.address", "words only", "are the same"]
    {
        assert!(ran.out.contains(words), "{words}: {}", ran.out);
    }
    campaign.write("templates/letter.md", LETTER);
    campaign.write("templates/confirmation.md", CONFIRMATION);
    assert!(!campaign.run(&["check"]).out.contains("capitals"));
}
