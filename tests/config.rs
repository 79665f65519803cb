//! The configuration: defaults, overrides, and every bad value refused in words.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it cannot go on")]

use std::fs;
use std::path::Path;

use undersigned::config::{Config, DEFAULTS};
use undersigned::contacts::Joining;

fn load(toml: &str, overrides: &[&str]) -> Result<Config, String> {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("config.toml"), toml).unwrap();
    let overrides: Vec<String> = overrides.iter().map(|&o| o.to_owned()).collect();
    Config::load(dir.path(), &overrides).map_err(|e| e.to_string())
}

const RELAY: &str = "[[relay]]\nname = \"main\"\nhost = \"localhost\"\nport = 2525\ntls = \"none\"\n";

#[test]
fn an_empty_file_means_the_defaults() {
    let config = load("", &[]).unwrap();
    assert_eq!(config.pace.per_mailbox.to_string(), "30/h");
    assert_eq!(config.retry.delays.len(), 8);
    assert!(config.relays.is_empty());
    assert_eq!(config.contacts.joining, Joining::Equal("jurisdiction".to_owned()));
}

#[test]
fn the_values_that_choose_a_letter_may_be_any_words() {
    let file = "[letters]\nby = \"official.title\"\n[letters.letter]\n\"City Council\" = \"c.md\"\n\"St. Mayor\" = \"m.md\"\nes = \"c.md\"";
    let letters = load(file, &["letters.letter.fr=f.md"]).unwrap().letters.unwrap();
    assert_eq!((letters.role, letters.column.as_str()), (undersigned::model::Role::Official, "title"));
    let named: Vec<(&str, &str)> = letters
        .letters
        .iter()
        .map(|(value, path)| (value.as_str(), path.file_name().unwrap().to_str().unwrap()))
        .collect();
    assert_eq!(named, [("City Council", "c.md"), ("St. Mayor", "m.md"), ("es", "c.md"), ("fr", "f.md")]);
    assert_eq!(load("", &[]).unwrap().letters, None);
}

#[test]
fn the_defaults_are_the_repository_s_own_file() {
    assert_eq!(DEFAULTS, fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("config.toml")).unwrap());
}

#[test]
fn the_commented_relay_of_the_defaults_is_what_a_bare_relay_gets() {
    let lines = DEFAULTS.lines().skip_while(|l| *l != "# [[relay]]").take_while(|l| !l.is_empty());
    let uncommented = lines.map(|l| l.trim_start_matches("# ")).collect::<Vec<_>>().join("\n");
    let full = load(&uncommented, &[]).unwrap();
    let bare = load("[[relay]]\nname = \"main\"\nhost = \"smtp.provider.example\"\n", &[]).unwrap();
    let (full, bare) = (&full.relays[0], &bare.relays[0]);
    assert_eq!(full.address(), bare.address());
    assert_eq!(full.connections, bare.connections);
    assert_eq!(full.rate, bare.rate);
}

#[test]
fn a_flag_overrides_a_line_which_overrides_a_default() {
    let file = format!("[pace]\nper_mailbox = \"60/h\"\nglobal = \"10/s\"\n{RELAY}");
    let config = load(&file, &["pace.per_mailbox=2/m", "relay.main.port=2526", "relay.0.connections=7"]).unwrap();
    assert_eq!(config.pace.per_mailbox.to_string(), "2/m");
    assert_eq!(config.pace.global.to_string(), "10/s");
    assert_eq!(config.relays[0].address(), "localhost:2526");
    assert_eq!(config.relays[0].connections, 7);
}

#[test]
fn bad_values_are_refused_with_key_value_line_and_what_was_expected() {
    for (toml, expected) in [
        ("[pace]\nper_mailbox = \"0\"", &["line 2", "pace.per_mailbox", "\"0\""][..]),
        ("[pace]\nper_mailbox = \"-1/h\"", &["line 2", "pace.per_mailbox", "-1/h"]),
        ("[pace]\nglobal = \"10/fortnight\"", &["line 2", "pace.global", "10/fortnight"]),
        ("[pace]\nglobal = 10", &["line 2", "pace.global"]),
        (
            "[campaign]\ntimezone = \"Mars/Olympus\"",
            &["line 2", "campaign.timezone", "Mars/Olympus", "America/Chicago"],
        ),
        ("[campaign]\nsender = \"nobody\"", &["line 2", "campaign.sender", "nobody", "@"]),
        ("[campaign]\nname = \"\"", &["line 2", "campaign.name"]),
        ("[campaign]\nname = \"a\\nBcc: b\"", &["line 2", "campaign.name", "one line"]),
        ("[campaign]\non_doubt = \"maybe\"", &["line 2", "campaign.on_doubt", "\"hold\", \"resend\""]),
        ("[campaign]\ndeadline = \"soon\"", &["line 2", "campaign.deadline", "2027-03-01"]),
        ("[campaign]\nsendr = \"a@b.example\"", &["line 2", "campaign.sendr", "did you mean `campaign.sender`"]),
        ("[campain]\nname = \"x\"", &["line 2", "campain.name", "did you mean `campaign.name`"]),
        ("[retry]\ndelays = []", &["retry.delays", "at least one"]),
        ("[letters]\nby = \"language\"", &["line 2", "letters.by", "constituent.language"]),
        ("[letters]\nby = \"constituent.language\"", &["line 2", "letters.by", "[letters.letter]"]),
        ("[letters.letter]\nes = \"a.md\"", &["letters.by", "constituent.language"]),
        (
            "[letters]\nby = \"constituent.x\"\n[letters.letter]\nes = [\"a\", \"b\"]",
            &["line 4", "letters.letter.es", "one file"],
        ),
        ("[contacts]\nnote_chars_max = 0", &["line 2", "contacts.note_chars_max", "50000"]),
        ("[retry]\ndelays = [\"5 parsecs\"]", &["line 2", "retry.delays"]),
        ("[contacts]\nofficials = \"a.csv\"", &["contacts.constituents"]),
        ("[contacts]\nfiles = [\"a.csv\"]\nofficials = \"a.csv\"\nconstituents = \"b.csv\"", &["contacts.files"]),
        ("[[relay]]\nname = \"a\"", &["relay.0.host", "every [[relay]] needs one"]),
        ("[[relay]]\nname = \"a\"\nhost = \"h.example\"\ntls = \"none\"", &["relay.0", "TLS"]),
        ("[[relay]]\nname = \"a\"\nhost = \"h.example\"\nport = 99999", &["line 4", "relay.0.port", "65535"]),
        (
            "[[relay]]\nname = \"a\"\nhost = \"h.example\"\npassword = \"x\"",
            &["line 4", "relay.0.password", "password_file"],
        ),
        (
            "[[relay]]\nname = \"a\"\nhost = \"h.example\"\n[[relay]]\nname = \"a\"\nhost = \"i.example\"",
            &["another relay"],
        ),
        ("[[relay]]\nname = \"a\"\nhost = \"h.example\"\norder = 0", &["line 4", "relay.0.order", "from 1"]),
        ("[[relay]]\nname = \"a\"\nhost = \"h.example\"\nweight = 0", &["line 4", "relay.0.weight", "from 1"]),
        (
            "[[relay]]\nname = \"a\"\nhost = \"h.example\"\nsender_domains = [\"@x\"]",
            &["line 4", "relay.0.sender_domains", "example.org"],
        ),
        (
            "[[relay]]\nname = \"a\"\nhost = \"h.example\"\nsender_domains = [\"other.example\"]",
            &["line 4", "no relay may send letters from letters@campaign.example"],
        ),
        (
            "[[relay]]\nname = \"a\"\nhost = \"h.example\"\npassword_file = \"p\"",
            &["relay.0.username", "`password_file` needs the name"],
        ),
        (
            "[[relay]]\nname = \"a\"\nhost = \"h.example\"\nusername = \"u\"\npassword_file = \"p\"\ntoken_file = \"t\"",
            &["relay.0.token_file", "one of password_file, token_file and token_command"],
        ),
        (
            "[[relay]]\nname = \"a\"\nhost = \"h.example\"\nusername = \"u\"\nauth = \"xoauth2\"",
            &["line 5", "relay.0.auth", "token_command"],
        ),
        (
            "[[relay]]\nname = \"a\"\nhost = \"h.example\"\nusername = \"u\"\nauth = \"plain\"\ntoken_file = \"t\"",
            &["line 5", "relay.0.auth", "xoauth2"],
        ),
        (
            "[[relay]]\nname = \"a\"\nhost = \"h.example\"\nusername = \"u\"\nauth = \"cram-md5\"",
            &["line 5", "relay.0.auth", "\"plain\", \"login\", \"xoauth2\""],
        ),
        (
            "[[relay]]\nname = \"a\"\nhost = \"h.example\"\nusername = \"u\"\ntoken_command = []",
            &["line 5", "relay.0.token_command", "a program and its arguments"],
        ),
        ("[campaign\nname = 1", &["line 1"]),
    ] {
        let error = load(toml, &[]).expect_err(toml);
        for word in expected {
            assert!(error.contains(word), "{toml}\nsays: {error}\nwithout: {word}");
        }
    }
}

#[test]
fn every_problem_is_told_at_once() {
    let error = load("[campaign]\nsender = \"x\"\n[pace]\nglobal = \"fast\"\n[nonsense]\na = 1\n", &[]).unwrap_err();
    assert_eq!(error.lines().count(), 3, "{error}");
}

#[test]
fn a_password_in_the_file_is_not_repeated_in_the_complaint() {
    for key in ["password", "token"] {
        let file = format!("[[relay]]\nname = \"a\"\nhost = \"h.example\"\n{key} = \"hunter2\"");
        let error = load(&file, &[]).unwrap_err();
        assert!(error.contains(&format!("a {key} must not stand here")) && !error.contains("hunter2"), "{error}");
    }
}

#[test]
fn an_override_that_is_no_assignment_is_refused() {
    assert!(load("", &["fast"]).unwrap_err().contains("key=value"));
    assert!(load("", &["pace.nonsense=1"]).unwrap_err().contains("pace.nonsense"));
}

#[test]
fn the_limits_of_a_provider_hold_where_none_are_set_and_its_profile_can_be_named() {
    let relay = |more: &str| {
        let mut config = load(&format!("[[relay]]\nname = \"a\"\n{more}"), &[]).unwrap();
        let relay = config.relays.remove(0);
        (relay.profile.name().to_owned(), relay.connections, relay.rate.to_string())
    };
    let is = |name: &str, connections, rate: &str| (name.to_owned(), connections, rate.to_owned());
    assert_eq!(relay("host = \"smtp.office365.com\""), is("microsoft-365", 3, "30/m"));
    let own = "host = \"smtp.office365.com\"\nconnections = 8\nrate = \"unlimited\"";
    assert_eq!(relay(own), is("microsoft-365", 8, "unlimited"));
    assert_eq!(relay("host = \"smtp.office365.com\"\nprofile = \"unknown\""), is("unknown", 4, "unlimited"));
    assert_eq!(relay("host = \"mail.campaign.example\""), is("unknown", 4, "unlimited"));
    assert_eq!(relay("host = \"10.0.0.1\"\nprofile = \"socketlabs\""), is("socketlabs", 10, "unlimited"));
    let error = load("[[relay]]\nname = \"a\"\nhost = \"h.example\"\nprofile = \"x\"", &[]).unwrap_err();
    assert!(error.contains("line 4") && error.contains("\"postmark\""), "{error}");
}

#[test]
fn the_limits_in_force_are_the_provider_s_where_none_are_set_and_a_relay_s_name_may_have_dots() {
    let file = "[[relay]]\nname = \"a.b\"\nhost = \"127.0.0.1\"\nprofile = \"microsoft-365\"\nquota = \"70/d\"";
    let config = load(file, &[]).unwrap();
    let in_force = |key: &str| {
        let limit = config.limit_in_force(key).unwrap();
        (limit.value.trim_matches('"').to_owned(), limit.origin)
    };
    assert_eq!(in_force("relay.a.b.rate"), ("30/m".to_owned(), "Microsoft 365".to_owned()));
    let (quota, origin) = in_force("relay.a.b.quota");
    assert!(quota == "70/d" && origin.ends_with("line 5"), "{quota} {origin}");
    let key = config.pace_key("relay.a.b.rate").unwrap();
    let revised = config.revised([(key.as_str(), "9/m")]).unwrap();
    assert_eq!(revised.relays[0].rate.to_string(), "9/m");
    assert_eq!(revised.limit_in_force(&key).unwrap().value.trim_matches('"'), "9/m");
}

#[test]
fn groups_own_limits_quotas_and_warm_up_are_read_and_refused_in_words() {
    let file = format!(
        "[pace]\nwarm_up = [\"50/d\", \"100/d\"]\nper_official_total = 500\n\
         [pace.groups]\ncounty = [\"town1.example\", \"*.county.example\"]\n\
         [pace.domains]\n\"Example.org\" = \"10/h\"\ncounty = \"60/h\"\n\
         [pace.mailboxes]\n\"Mayor@Town.example\" = \"60/h\"\n{RELAY}quota = \"2000/d\"\n"
    );
    let config = load(&file, &[]).unwrap();
    assert_eq!(config.pace.groups.of("parks.county.example"), "county");
    let own: Vec<String> = config.pace.domains.iter().map(|(name, limit)| format!("{name} {limit}")).collect();
    assert_eq!(own, ["county 60/h", "example.org 10/h"]);
    assert_eq!(config.pace.mailboxes["mayor@town.example"].to_string(), "60/h");
    assert_eq!((config.pace.warm_up.on_day(1), config.official_total), (Some(100), Some(500)));
    assert_eq!(config.relays[0].quota.to_string(), "2000/d");
    for (wrong, words) in [
        ("pace.warm_up=[\"50/h\"]", "not so many a day"),
        ("pace.per_official_total=0", "a whole number of 1 or more"),
        ("pace.beyond_total=digest", "expected one of \"hold\""),
        ("pace.groups.county=town", "is not a domain"),
        ("pace.domains.town=3/h", "neither a domain nor a group"),
        ("pace.domains.town.example=fast", "not a rate"),
        ("pace.mailboxes.mayor=3/h", "expected an e-mail address"),
        ("relay.main.quota=5/h", "so many a day"),
    ] {
        let refused = load(&file, &[wrong]).unwrap_err();
        assert!(refused.contains(words), "{wrong}: {refused}");
    }
}
