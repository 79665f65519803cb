//! Secrets: where they come from, and that none is found again in anything that the program says or writes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it cannot go on")]

mod support;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use support::campaign::{Campaign, Ran};
use support::certs::Authority;
use support::relay::{Action, Options, RelayTls, ScriptedRelay, Step};

const USER: &str = "jane@x.example";
const PASSWORD: &str = "hunter2-korrekt";
const TOKEN: &str = "ya29.a0AfH6SMB-token";

/// A relay that knows this secret, and repeats whatever it refuses.
fn repeating(secret: &str, mechanisms: &'static str) -> ScriptedRelay {
    let options = Options { auth: Some((USER.into(), secret.into())), mechanisms, ..Options::default() };
    let (secret, shown) = (secret.to_owned(), if mechanisms == "XOAUTH2" { TOKEN } else { PASSWORD });
    ScriptedRelay::start(options, move |at| match at.step {
        Step::Auth if secret == "none is right" => Action::reply(format!("535 5.7.8 not {} nor {shown}", at.line)),
        _ => Action::Default,
    })
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let encode = |chunk: &[u8]| {
        let bits = chunk.iter().chain([0, 0].iter()).take(3).fold(0, |bits, byte| bits << 8 | usize::from(*byte));
        let sign = |n: usize| if n <= chunk.len() { char::from(ALPHABET[bits >> (18 - 6 * n) & 63]) } else { '=' };
        (0..4).map(sign).collect::<String>()
    };
    bytes.chunks(3).map(encode).collect()
}

/// The secrets as they may be written down.
fn forms() -> Vec<String> {
    let encoded = [PASSWORD, TOKEN].into_iter().flat_map(|secret| {
        let plain = format!("\0{USER}\0{secret}");
        let xoauth2 = format!("user={USER}\x01auth=Bearer {secret}\x01\x01");
        [secret.to_owned(), base64(secret.as_bytes()), base64(plain.as_bytes()), base64(xoauth2.as_bytes())]
    });
    // Padding may differ from place to place.
    encoded.map(|form| form.trim_end_matches('=').to_owned()).collect()
}

fn must_hold_none(what: &str, bytes: &[u8]) {
    for form in forms() {
        let found = bytes.windows(form.len()).any(|window| window == form.as_bytes());
        assert!(!found, "{what} holds {form}: {}", String::from_utf8_lossy(bytes));
    }
}

/// Everything that a run says, and everything that lies in the folder after it, but for the secrets' own files.
fn must_tell_nothing(campaign: &Campaign, ran: &Ran) {
    must_hold_none("output", ran.out.as_bytes());
    must_hold_none("error output", ran.err.as_bytes());
    for verb in [&["status", "--json"][..], &["status"], &["log", "--json"], &["log"], &["check", "--json"]] {
        let told: Ran = campaign.command(verb).env("UNDERSIGNED_LOG", "trace").output().unwrap().into();
        must_hold_none(&verb.join(" "), format!("{}{}", told.out, told.err).as_bytes());
    }
    let mut files = 0;
    for entry in fs::read_dir(campaign.path()).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_file() && !name.starts_with("secret") {
            must_hold_none(&name, &fs::read(entry.path()).unwrap());
            files += 1;
        }
    }
    assert!(files >= 3, "the ledger, contacts and settings at least");
}

fn write_private(campaign: &Campaign, name: &str, text: &str, mode: u32) {
    campaign.write(name, text);
    fs::set_permissions(campaign.path().join(name), Permissions::from_mode(mode)).unwrap();
}

/// `send` with all that developers could want to see.
fn send(campaign: &Campaign) -> Ran {
    campaign.command(&["send", "--yes"]).env("UNDERSIGNED_LOG", "trace").output().unwrap().into()
}

fn with_login(port: u16, lines: &str) -> Campaign {
    let campaign = Campaign::new(2, 6, port);
    campaign.configure(port, &format!("username = \"{USER}\"\n{lines}"));
    campaign
}

#[test]
fn a_password_or_a_token_is_found_nowhere_whether_it_is_right_or_not() {
    let password = "password_file = \"secret.password\"";
    let token = "token_file = \"secret.token\"";
    let command = "token_command = [\"./secret.sh\", \"--for\", \"relay\"]";
    for (secret, mechanisms, lines) in [
        (PASSWORD, "PLAIN", password),
        (PASSWORD, "LOGIN", password),
        (TOKEN, "XOAUTH2", token),
        (TOKEN, "XOAUTH2", command),
        ("none is right", "PLAIN", password),
        ("none is right", "LOGIN", password),
        ("none is right", "XOAUTH2", token),
    ] {
        let relay = repeating(secret, mechanisms);
        let campaign = with_login(relay.port(), lines);
        write_private(&campaign, "secret.password", &format!("{PASSWORD}\n"), 0o600);
        write_private(&campaign, "secret.token", &format!("{TOKEN}\n"), 0o600);
        write_private(&campaign, "secret.sh", &format!("#!/bin/sh\necho {TOKEN} >&2; echo {TOKEN}\n"), 0o700);
        let ran = send(&campaign);
        let expected = if secret == "none is right" { 4 } else { 0 };
        assert_eq!(ran.code, expected, "{mechanisms} {lines}: {ran:?}");
        assert_eq!(ran.err.contains("535 5.7.8") || ran.out.contains("535 5.7.8"), expected == 4, "{ran:?}");
        must_tell_nothing(&campaign, &ran);
    }
}

#[test]
fn a_token_command_is_run_for_every_connection_and_sees_no_password_of_another_relay() {
    let relay = repeating(TOKEN, "XOAUTH2");
    let lines = "token_command = [\"./secret.sh\"]\nmessages_per_connection = 3\nconnections = 1";
    let campaign = with_login(relay.port(), lines);
    let script =
        format!("#!/bin/sh\nenv | grep -c UNDERSIGNED_PASSWORD >> secret.runs\npwd > secret.where\necho {TOKEN}\n");
    write_private(&campaign, "secret.sh", &script, 0o700);
    let mut command = campaign.command(&["send", "--yes"]);
    let ran: Ran = command.env("UNDERSIGNED_PASSWORD_OTHER", PASSWORD).output().unwrap().into();
    assert_eq!(ran.code, 0, "{ran:?}");
    let runs = fs::read_to_string(campaign.path().join("secret.runs")).unwrap();
    assert_eq!(runs.lines().count(), relay.connections());
    assert!(runs.lines().count() >= 4 && runs.lines().all(|seen| seen == "0"), "{runs}");
    let place = fs::read_to_string(campaign.path().join("secret.where")).unwrap();
    assert_eq!(Path::new(place.trim()).canonicalize().unwrap(), campaign.path().canonicalize().unwrap());
}

#[test]
fn an_expired_token_is_followed_by_a_fresh_one_and_one_that_is_never_right_stops_the_campaign() {
    for (later, code) in [(TOKEN, 0), ("never-right", 4)] {
        let relay = repeating(TOKEN, "XOAUTH2");
        let campaign = with_login(relay.port(), "token_command = [\"./secret.sh\"]");
        let script =
            format!("#!/bin/sh\n[ -e secret.ran ] && echo {later} && exit\ntouch secret.ran\necho expired-token\n");
        write_private(&campaign, "secret.sh", &script, 0o700);
        let ran = send(&campaign);
        assert_eq!(ran.code, code, "{ran:?}");
        let tries = relay.heard().iter().filter(|(_, line)| line == "AUTH").count();
        assert!(if code == 4 { tries == 2 } else { tries >= 2 }, "{tries} tries");
        assert_eq!(campaign.letters(if code == 4 { "queued" } else { "sent" }), 6);
    }
}

#[test]
fn a_token_command_that_fails_is_told_in_words_and_the_relay_is_tried_later() {
    let relay = repeating(TOKEN, "XOAUTH2");
    let campaign = with_login(relay.port(), "token_command = [\"./secret.sh\"]");
    write_private(&campaign, "secret.sh", &format!("#!/bin/sh\necho {TOKEN}; exit 7\n"), 0o700);
    let ran = campaign.run(&["test", "--to", "staff@campaign.example"]);
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(ran.err.contains("no access token") && ran.err.contains("`secret.sh` failed (exit status: 7)"), "{ran:?}");
    must_hold_none("error output", ran.err.as_bytes());
    assert!(relay.heard().iter().all(|(_, line)| line != "AUTH"));
}

#[test]
fn a_secret_that_others_can_read_is_refused_before_anything_is_sent() {
    for lines in ["password_file = \"secret.txt\"", "token_file = \"secret.txt\""] {
        let relay = repeating(PASSWORD, "PLAIN");
        let campaign = with_login(relay.port(), lines);
        write_private(&campaign, "secret.txt", PASSWORD, 0o644);
        let ran = send(&campaign);
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.err.contains("chmod 600"), "{ran:?}");
        must_hold_none("error output", ran.err.as_bytes());
        assert_eq!(relay.connections(), 0);
    }
}

#[test]
fn a_systemd_credential_is_a_password_too() {
    let relay = repeating(PASSWORD, "PLAIN");
    let campaign = with_login(relay.port(), "");
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("undersigned-main"), PASSWORD).unwrap();
    let mut command = campaign.command(&["send", "--yes"]);
    let ran: Ran = command.env("CREDENTIALS_DIRECTORY", folder.path()).output().unwrap().into();
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[test]
fn without_a_password_the_places_to_put_one_are_named() {
    let relay = repeating(PASSWORD, "PLAIN");
    let ran = send(&with_login(relay.port(), ""));
    assert_eq!(ran.code, 2, "{ran:?}");
    for word in ["password_file", "undersigned-main", "UNDERSIGNED_PASSWORD_MAIN"] {
        assert!(ran.err.contains(word), "{ran:?}");
    }
}

#[test]
fn a_certificate_that_is_not_right_stops_the_campaign_and_says_what_to_do() {
    let authority = Authority::new();
    for (config, words) in [
        (authority.expired("localhost"), "it has expired; whoever runs the relay must renew it"),
        (authority.server("smtp.example.org"), "write `host` as the certificate has it"),
        (Authority::new().server("localhost"), "name that in `ca_file`"),
    ] {
        let options = Options { tls: RelayTls::Implicit(config), ..Options::default() };
        let relay = ScriptedRelay::start(options, |_| Action::Default);
        let campaign = Campaign::new(2, 6, relay.port());
        let ca_file = format!("relay.0.ca_file={}", authority.ca_file.display());
        let settings = ["--set", "relay.0.tls=implicit", "--set", "relay.0.host=localhost", "--set", &ca_file];
        let ran = campaign.run(&[&["send", "--yes"][..], &settings].concat());
        assert_eq!(ran.code, 4, "{ran:?}");
        assert!(ran.out.contains("relay `main`") && ran.out.contains(words), "{}", ran.out);
        assert_eq!((campaign.letters("queued"), relay.heard().len()), (6, 0));
    }
}
