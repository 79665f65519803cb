//! `check --online` by the real program, against a name server and relays on this machine.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it cannot go on")]

mod support;

use std::time::{Duration, Instant};

use serde_json::Value;
use support::campaign::{Campaign, Ran, contacts};
use support::dns::{NameServer, Zone};
use support::relay::{Action, Options, ScriptedRelay, Step};
use support::watched::words;

/// A sender with all that receivers want, without officials.
fn sender() -> Zone {
    Zone::default()
        .txt("campaign.example", "v=spf1 ip4:127.0.0.0/8 -all")
        .txt("_dmarc.campaign.example", "v=DMARC1; p=reject")
}

fn towns(zone: Zone, count: usize) -> Zone {
    (0..count).fold(zone, |zone, n| zone.mx(&format!("town{n}.example"), "mx.provider.example"))
}

fn check(campaign: &Campaign, server: &NameServer, more: &[&str]) -> Ran {
    let addr = server.addr.to_string();
    let args: Vec<&str> =
        ["check", "--online", "--name-server", &addr].into_iter().chain(more.iter().copied()).collect();
    campaign.command(&args).output().unwrap().into()
}

/// `(weight, about, what)` of every finding.
fn findings(ran: &Ran) -> Vec<(String, String, String)> {
    let found: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{ran:?}"));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let online = found["online"].as_array().unwrap();
    online.iter().map(|one| (text(&one["weight"]), text(&one["about"]), text(&one["what"]))).collect()
}

#[test]
fn a_campaign_that_is_well_in_every_respect_is_told_so_and_no_mail_goes() {
    let relay = ScriptedRelay::start(Options::default(), |_| Action::Default);
    let campaign = Campaign::new(2, 3, relay.port());
    let made = campaign.run(&["dkim", "keygen", "--write"]);
    let record = made.out.split("value  ").nth(1).unwrap().lines().next().unwrap().to_owned();
    let zone = towns(sender(), 1).a("town1.example", [192, 0, 2, 1]);
    let server = NameServer::start(zone.txt("undersigned1._domainkey.campaign.example", &record));
    let ran = check(&campaign, &server, &[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let text = words(&ran.out);
    for said in [
        "relay main: it lets us in; no mail was handed over.",
        "SPF: campaign.example has one valid SPF record.",
        "DKIM: undersigned1._domainkey.campaign.example has the key that we sign with.",
        "vouched for by the envelope sender (SPF) and by your signature (DKIM).",
        "officials: all 2 domains that letters go to have a mail server.",
    ] {
        assert!(text.contains(said), "{said}: {}", ran.out);
    }
    assert!(!text.contains("could be better") && !text.contains("mail will fail"), "{}", ran.out);
    assert!(ran.out.lines().all(|line| line.chars().count() <= 80), "{}", ran.out);
    assert_eq!((relay.record.count(), relay.connections()), (0, 1));
    assert!(!relay.heard().iter().any(|(_, line)| line.starts_with("MAIL")), "{:?}", relay.heard());
}

#[test]
fn what_makes_mail_fail_is_a_problem_with_exit_code_3_and_what_to_do() {
    let relay = ScriptedRelay::start(Options::default(), |_| Action::Default);
    let campaign = Campaign::new(4, 4, relay.port());
    campaign.run(&["dkim", "keygen", "--write"]);
    let zone = Zone::default()
        .txt("campaign.example", "v=spf1 include:gone.example -all")
        .txt("undersigned1._domainkey.campaign.example", "v=DKIM1; k=rsa; p=AAAA")
        .mx("town0.example", "")
        .empty("town1.example")
        .broken("town3.example");
    let server = NameServer::start(zone);
    let ran = check(&campaign, &server, &[]);
    assert_eq!(ran.code, 3, "{ran:?}");
    let text = words(&ran.out);
    for said in [
        "the SPF record of campaign.example is not valid: it includes gone.example",
        "is not the one that we sign with: publish what `undersigned dkim show` tells",
        "town0.example says that it takes no mail (null MX), which 1 official of your list has: look for another address",
        "town1.example has no mail server",
        "there is no domain town2.example",
        "whether mail can go to town3.example could not be found out",
        "campaign.example has no DMARC record",
    ] {
        assert!(text.contains(said), "{said}: {}", ran.out);
    }
    let ran = check(&campaign, &server, &["--json"]);
    let weights: Vec<String> = findings(&ran).into_iter().map(|(weight, ..)| weight).collect();
    assert_eq!(weights.iter().filter(|weight| *weight == "problem").count(), 5, "{ran:?}");
    assert!(weights.is_sorted_by(|a, b| a == b || *a == "problem" || *b == "good"), "{weights:?}");
    let whole: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((whole["launchable"].as_bool(), whole["exit"].as_u64(), ran.code), (Some(true), Some(3), 3));
}

#[test]
fn a_dns_that_nobody_answers_is_told_plainly_and_nothing_is_called_well() {
    let relay = ScriptedRelay::start(Options::default(), |_| Action::Default);
    let campaign = Campaign::new(1, 1, relay.port());
    let server = NameServer::start(Zone::default().silent("campaign.example"));
    let began = Instant::now();
    let ran = check(&campaign, &server, &["--json"]);
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    assert_eq!(ran.code, 3, "{ran:?}");
    let found = findings(&ran);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].1 == "DNS" && found[0].2.starts_with("the DNS cannot be reached from here"), "{found:?}");
    assert_eq!((found[1].0.as_str(), found[1].1.as_str()), ("good", "relay main"));
}

#[test]
fn a_relay_that_does_not_let_us_in_is_told_with_its_own_words() {
    let refusing = ScriptedRelay::start(Options::default(), |at| match at.step {
        Step::Ehlo => Action::reply("550 5.7.1 go away"),
        _ => Action::Default,
    });
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for (port, said) in [(refusing.port(), "550 5.7.1 go away"), (nobody, "connection refused")] {
        let campaign = Campaign::new(1, 1, port);
        let server = NameServer::start(towns(sender(), 1));
        let ran = check(&campaign, &server, &["--json"]);
        assert_eq!(ran.code, 3, "{ran:?}");
        let found = findings(&ran);
        assert!(found[0].0 == "problem" && found[0].1 == "relay main" && found[0].2.contains(said), "{found:?}");
        assert!(found.iter().any(|(weight, about, _)| weight == "good" && about == "SPF"), "{found:?}");
    }
}

#[test]
fn without_online_nobody_is_asked() {
    let relay = ScriptedRelay::start(Options::default(), |_| Action::Default);
    let campaign = Campaign::new(1, 1, relay.port());
    let ran = campaign.run(&["check", "--json"]);
    assert_eq!((ran.code, relay.connections()), (0, 0));
    assert!(!ran.out.contains("\"online\""));
    assert_eq!(campaign.run(&["check", "--name-server", "127.0.0.1"]).code, 2);
}

#[test]
fn a_thousand_domains_are_asked_about_once_each_within_seconds() {
    let campaign = Campaign::new(1, 1, 1);
    let officials = contacts(1000, 0..1).replace("mayor0@town0.example", "mayor0@TOWN1.example");
    campaign.write("contacts.csv", &officials);
    let server = NameServer::start(towns(sender(), 1000));
    let began = Instant::now();
    let ran = check(&campaign, &server, &["--json"]);
    assert!(began.elapsed() < Duration::from_secs(100), "{:?}", began.elapsed());
    let said = findings(&ran).into_iter().find(|(_, about, _)| about == "officials").unwrap();
    assert_eq!(said.2, "all 999 domains that letters go to have a mail server");
    assert!(server.questions() < 1100, "{}", server.questions());
}
