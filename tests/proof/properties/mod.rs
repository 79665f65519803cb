//! What the fuzzers look for, here on their seeds and on some thousand drawn cases: no fuzzer is needed for it.
//!
//! Each file holds one property, which its fuzz target takes from here.

mod config;
mod header;
mod reply;
mod template;

use std::fs;
use std::path::Path;

use header::Written;
use proptest::prelude::*;

use crate::support::proof;

/// Each seed of a target, and pieces of it: what a file that breaks off is like.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let whole: Vec<Vec<u8>> =
        fs::read_dir(&folder).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect();
    assert!(whole.len() >= 5, "{}", folder.display());
    let pieces = whole.iter().flat_map(|seed| (1..4).map(|n| seed[..seed.len() * n / 4].to_vec())).collect::<Vec<_>>();
    [whole, pieces].concat()
}

/// So many drawn cases in every run, and fifty times as many in a long one.
fn cases(few: u32) -> ProptestConfig {
    let times = u32::try_from(proof::schedules(20) / 20).unwrap().max(1);
    ProptestConfig::with_cases(few * times)
}

/// How the fuzz target takes a template and a value out of its bytes: the first line that is `---` divides them.
fn template_and_value(bytes: &[u8]) -> (String, String) {
    let text = String::from_utf8_lossy(bytes);
    let (source, value) = text.split_once("\n---\n").unwrap_or((&text, ""));
    (source.to_owned(), value.to_owned())
}

#[test]
fn no_seed_breaks_the_reader_of_config_toml() {
    for seed in seeds("config") {
        config::holds(&seed);
    }
    config::holds(undersigned::config::DEFAULTS.as_bytes());
}

#[test]
fn no_seed_makes_a_template_evaluate_a_value() {
    for seed in seeds("template") {
        let (source, value) = template_and_value(&seed);
        template::holds(&source, &value);
    }
}

#[test]
fn no_seed_leads_a_session_astray() {
    for seed in seeds("reply") {
        reply::holds(&seed);
    }
}

#[test]
fn no_seed_gets_through_a_header() {
    for seed in seeds("header") {
        let text = String::from_utf8_lossy(&seed);
        let mut fields = text.split('\n');
        let mut next = || fields.next().unwrap_or_default();
        header::holds(&Written { name: next(), title: next(), campaign: next(), subject: next(), mailbox: next() });
    }
}

/// Pieces of configuration, in any order, with some rubbish between.
fn a_config() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        prop::sample::select(undersigned::config::DEFAULTS.lines().collect::<Vec<_>>()).prop_map(str::to_owned),
        prop::sample::select(undersigned::config::DEFAULTS.lines().collect::<Vec<_>>())
            .prop_map(|line| line.trim_start_matches("# ").to_owned()),
        "[a-z_]{1,10} = (\"\\PC{0,10}\"|[0-9]{1,20}|-?[0-9.e]{1,6}|\\[\\]|true|'x')",
        "\\PC{0,20}",
    ];
    prop::collection::vec(line, 0..30).prop_map(|lines| lines.join("\n"))
}

fn a_template() -> impl Strategy<Value = String> {
    let pieces = [
        "{{ constituent.note }}",
        "{{ official.ward | default(value=\"x\") | upper }}",
        "{% if constituent.note %}yes{% else %}no{% endif %}",
        "[{{ constituent.note }}]({{ constituent.note }})",
        "<{{ constituent.note }}> `{{ constituent.note }}`",
        "\n\n# ",
        "\n    ",
        "\n> ",
        "\n* ",
        "![a](b \"{{ constituent.ward }}\")",
    ];
    let piece = prop_oneof![
        5 => prop::sample::select(pieces.to_vec()).prop_map(str::to_owned),
        2 => "[ a-z\n*_#>`.\"']{0,12}",
        1 => "[ a-z\n(){}%|]{0,8}|\\PC{0,6}",
    ];
    let head = prop::sample::select(vec![
        "Subject: {{ constituent.name }}\n\n",
        "Subject: hello\nLanguage: es\n\n",
        "Subject: one\nSubject: two\n\nDear",
        "",
    ]);
    (head, prop::collection::vec(piece, 0..6)).prop_map(|(head, pieces)| format!("{head}a{}", pieces.concat()))
}

/// A conversation as it usually goes, with something else put in here and there.
fn a_conversation() -> impl Strategy<Value = Vec<u8>> {
    let words: &[&[u8]] = &[
        b"220 hello\r\n\xFF250-x\r\n250 PIPELINING\r\n\xFF",
        b"250 ok\r\n250 ok\r\n354 go\r\n\xFF",
        b"250 queued\r\n250 ok\r\n250 ok\r\n354 go\r\n\xFF",
        b"250 queued\r\n250 ok\r\n550 5.1.1 no\r\n354 go\r\n\xFF",
        b"452 4.2.2 full\r\n\xFF",
    ];
    let other = prop_oneof![
        "[2-5][0-9]{2}[ -][ -~]{0,12}\r\n".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 1..12),
        Just(vec![0xFF]),
        Just(b"421 bye\r\n".to_vec()),
    ];
    let usual = words.concat();
    prop::collection::vec((0..usual.len(), other), 0..4).prop_map(move |put_in| {
        let mut bytes = usual.clone();
        for (at, other) in put_in {
            bytes.splice(at..at, other);
        }
        bytes
    })
}

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn any_names_and_subject_come_back_from_headers_and_nothing_else_does(
        name in "\\PC{1,40}|[ -~]{1,60}|([A-Za-zé🎈,.\"\\\\()<>@:;=?_ ]{1,12} ?){1,12}",
        title in "|Mayor|\\PC{0,12}",
        campaign in "Open Doors|\\PC{1,30}",
        subject in "\\PC{0,80}|[ -~]{0,200}|[a-zé\r\n\t:]{0,20}",
        local in "[a-z]{1,20}|[a-z0-9.+_'=-]{1,60}|é{1,5}",
    ) {
        let mailbox = format!("{local}@mail.example");
        header::holds(&Written { name: &name, title: &title, campaign: &campaign, subject: &subject, mailbox: &mailbox });
    }

    #[test]
    fn no_template_evaluates_a_value(source in a_template(), value in "\\PC{0,20}|[{}%# a-z\"'|<>\n]{0,20}") {
        template::holds(&source, &value);
    }

    #[test]
    fn no_text_breaks_the_reader_of_config_toml(text in a_config()) {
        config::holds(text.as_bytes());
    }
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn no_words_lead_a_session_astray(bytes in a_conversation()) {
        reply::holds(&bytes);
    }
}
