//! What relays say, line by line (`tests/data/replies.tsv`), and what is decided from it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's table is right or the test fails")]

use std::collections::BTreeSet;

use jiff::Timestamp;
use undersigned::model::{Class, Disposition, Outcome, Phase, Reply};
use undersigned::policy::{Profile, RelayEffect, Replies, RetrySchedule, Situation, StaffRules, Verdict, decide};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// A line of the file.
struct Line {
    profile: &'static str,
    phase: Phase,
    class: &'static str,
    disposition: &'static str,
    effect: &'static str,
    reply: &'static str,
}

fn lines() -> Vec<Line> {
    let file = include_str!("data/replies.tsv");
    let lines = file.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let cells: Vec<&str> = line.split('\t').collect();
        let [profile, phase, class, disposition, effect, source, reply] = cells[..] else { panic!("{line}") };
        assert!(!source.is_empty(), "{line}");
        Line { profile, phase: Phase::parse(phase).unwrap(), class, disposition, effect, reply }
    });
    lines.collect()
}

fn replies(profile: &str) -> Replies {
    Replies::new(Profile::named(profile).unwrap(), StaffRules::default())
}

fn outcome(phase: Phase, line: &str) -> Outcome {
    let (code, text) = line.split_at(3);
    Outcome::Replied(Reply::new(phase, code.parse().unwrap(), [text.trim_start_matches(['-', ' '])]))
}

fn verdict(replies: &Replies, phase: Phase, line: &str) -> Verdict {
    let retry = RetrySchedule::default();
    let situation = Situation {
        now: NOW,
        tries_counted: 0,
        first_attempt_at: None,
        deadline: None,
        replies,
        is_suspect: false,
        retry: &retry,
        jitter: 0.5,
    };
    decide(&outcome(phase, line), &situation)
}

fn disposition(verdict: &Verdict) -> &'static str {
    match verdict.disposition {
        Disposition::Deferred { due, counted: true } if due > NOW => "deferred, counted",
        Disposition::Deferred { due, counted: false } if due == NOW => "deferred",
        Disposition::Deferred { .. } => "deferred at a wrong time",
        other => other.as_str(),
    }
}

fn effect(verdict: &Verdict) -> &'static str {
    match verdict.effect {
        RelayEffect::None => "none",
        RelayEffect::Reconnect => "reconnect",
        RelayEffect::SlowDown => "slow_down",
        RelayEffect::FewerConnections => "fewer_connections",
        RelayEffect::Park { .. } => "park",
        RelayEffect::Stop => "stop",
    }
}

#[test]
fn every_known_line_is_judged_as_it_should_be() {
    let mut wrong = Vec::new();
    for line in lines() {
        let verdict = verdict(&replies(line.profile), line.phase, line.reply);
        let got = [verdict.class.as_str(), disposition(&verdict), effect(&verdict)];
        if got != [line.class, line.disposition, line.effect] {
            let (expected, rule) = (line.class, &verdict.rule);
            wrong.push(format!(
                "{} {}: {}\n    {got:?} by `{rule}`, not {expected}",
                line.profile, line.phase, line.reply
            ));
        }
    }
    assert!(lines().len() > 400, "{}", lines().len());
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), lines().len(), wrong.join("\n"));
}

/// What only a provider's own relays mean by a bare code, and what its own profile alone knows.
const ONLY_THERE: [&str; 2] = ["google-workspace/day-quota-code", "google-workspace/rate-code"];

#[test]
fn words_mean_the_same_through_an_unknown_relay() {
    let unknown = replies("unknown");
    let mut wrong = Vec::new();
    for line in lines() {
        let there = verdict(&replies(line.profile), line.phase, line.reply);
        let here = verdict(&unknown, line.phase, line.reply);
        if here.class != there.class && !ONLY_THERE.contains(&there.rule.as_ref()) {
            let (a, b) = (there.class.as_str(), here.class.as_str());
            wrong.push(format!(
                "{}: {}\n    {a} by `{}`, but {b} by `{}`",
                line.phase, line.reply, there.rule, here.rule
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Codes that need no words; the replies are made up, since real ones have words that are known as well.
const BARE_CODES: [(&str, Phase, &str, Class, &str); 6] = [
    ("google-workspace", Phase::Mail, "550 5.4.5 no", Class::Quota, "google-workspace/day-quota-code"),
    ("google-workspace", Phase::Dot, "421 4.4.5 no", Class::SlowDown, "google-workspace/rate-code"),
    ("unknown", Phase::Rcpt, "550 5.4.5 no", Class::RecipientPermanent, "enhanced code: route to the recipient"),
    ("unknown", Phase::Dot, "550 5.7.233 no", Class::Quota, "quota-code"),
    ("unknown", Phase::Dot, "421 4.7.28 no", Class::SlowDown, "rate-code"),
    ("unknown", Phase::Dot, "550 5.7.708 no", Class::Account, "account-code"),
];

#[test]
fn a_bare_code_means_what_its_provider_means_by_it() {
    for (profile, phase, line, class, rule) in BARE_CODES {
        let verdict = verdict(&replies(profile), phase, line);
        assert_eq!((verdict.class, verdict.rule.as_ref()), (class, rule), "{profile}: {line}");
    }
}

#[test]
fn every_rule_decides_at_least_one_known_line() {
    let used: BTreeSet<String> =
        lines().iter().map(|l| verdict(&replies(l.profile), l.phase, l.reply).rule.into_owned()).collect();
    let named = |text: &str, prefix: &str| -> Vec<String> {
        let table: toml::Table = toml::from_str(text).unwrap();
        let rules = table.get("rule").and_then(toml::Value::as_array).cloned().unwrap_or_default();
        rules.iter().map(|rule| format!("{prefix}{}", rule["name"].as_str().unwrap())).collect()
    };
    let used: BTreeSet<String> = used.into_iter().chain(BARE_CODES.map(|(.., rule)| rule.to_owned())).collect();
    let mut all = named(include_str!("../src/policy/replies.toml"), "");
    for profile in Profile::all() {
        let path = format!("{}/src/policy/providers/{}.toml", env!("CARGO_MANIFEST_DIR"), profile.name());
        all.extend(named(&std::fs::read_to_string(path).unwrap(), &format!("{}/", profile.name())));
    }
    let idle: Vec<&String> = all.iter().filter(|rule| !used.contains(*rule)).collect();
    assert!(all.len() > 60 && idle.is_empty(), "{idle:?} of {}", all.len());
}

#[test]
fn a_session_survives_a_refusal_of_one_recipient_but_no_421() {
    for (phase, line, ends) in [
        (Phase::Rcpt, "550 5.1.1 User unknown", false),
        (Phase::Rcpt, "451 4.7.1 Greylisted", false),
        (Phase::Dot, "552 5.3.4 Too big", false),
        (Phase::Dot, "454 Throttling failure: Maximum sending rate exceeded.", false),
        (Phase::Dot, "250 2.0.0 Ok", false),
        (Phase::Dot, "421 4.7.28 unusual rate", true),
        (Phase::Dot, "432 4.3.2 sender thread limit exceeded", true),
        (Phase::Rcpt, "421 4.2.1 receiving mail too quickly", true),
        (Phase::Rcpt, "354 go ahead", true),
        (Phase::Dot, "251 no", true),
        (Phase::Auth, "535 no", true),
    ] {
        assert_eq!(verdict(&Replies::default(), phase, line).ends_session, ends, "{phase}: {line}");
    }
}

#[test]
fn only_250_at_the_dot_is_sent_and_only_what_refuses_nothing_there_is_in_doubt_whatever_the_profile() {
    for profile in Profile::all() {
        let replies = replies(profile.name());
        for phase in Phase::ALL {
            for code in 100..700 {
                for text in ["2.0.0 Ok: queued as 4F1C2D3E", "what"] {
                    let verdict = verdict(&replies, phase, &format!("{code} {text}"));
                    let sent = phase == Phase::Dot && code == 250;
                    assert_eq!(verdict.disposition == Disposition::Sent, sent, "{phase} {code}");
                    assert_eq!(verdict.class == Class::Accepted, sent, "{phase} {code}");
                    let in_doubt = phase == Phase::Dot && code != 250 && !(400..600).contains(&code);
                    assert_eq!(verdict.disposition == Disposition::InDoubt, in_doubt, "{phase} {code}");
                }
            }
        }
    }
}

#[test]
fn staff_s_rules_change_neither_what_is_accepted_nor_what_is_in_doubt() {
    let rule = "[[rule]]\nname = \"all\"\ntext = [\"okay\"]\nclass = \"CLASS\"\n";
    for class in ["recipient_permanent", "message_permanent", "account", "quota", "connection", "recipient_transient"] {
        let staff = StaffRules::parse(&rule.replace("CLASS", class), "replies.toml").unwrap();
        let ours = Replies::new(Profile::unknown(), staff);
        for (line, expected) in
            [("250 2.0.0 okay", Class::Accepted), ("251 okay", Class::InDoubt), ("354 okay", Class::InDoubt)]
        {
            assert_eq!(verdict(&ours, Phase::Dot, line).class, expected, "{class} {line}");
        }
        assert_eq!(verdict(&ours, Phase::Dot, "550 okay").class.as_str(), class);
        assert_ne!(verdict(&ours, Phase::Dot, "450 okay").disposition, Disposition::Bounced, "{class}");
        let at_auth = verdict(&ours, Phase::Auth, "550 okay").class;
        assert!(matches!(at_auth, Class::Account | Class::Quota | Class::Connection), "{class}");
    }
}

#[test]
fn the_rule_that_the_docs_show_is_one() {
    let page = include_str!("../docs/replies.md");
    let blocks = page.split("```toml\n").skip(1).filter_map(|block| block.split("```").next());
    let rules: Vec<&str> = blocks.filter(|block| block.starts_with("[[rule]]")).collect();
    let [rule] = rules[..] else { panic!("{} samples", rules.len()) };
    let ours = Replies::new(Profile::unknown(), StaffRules::parse(rule, "replies.toml").unwrap());
    for (line, fits) in [("554 5.7.1 House Rule 12", true), ("571 House Rule 12", false), ("454 House Rule 12", false)]
    {
        let rule = verdict(&ours, Phase::Rcpt, line).rule;
        assert_eq!(rule == "replies.toml/house-rule-12", fits, "{line}: {rule}");
    }
}

#[test]
fn no_line_bounces_a_message_before_its_transaction_began() {
    for line in lines() {
        for phase in [Phase::Greeting, Phase::Ehlo, Phase::Starttls, Phase::Auth] {
            let verdict = verdict(&replies(line.profile), phase, line.reply);
            assert_eq!(disposition(&verdict), "deferred", "{phase}: {}", line.reply);
        }
    }
}

#[test]
fn no_4xx_ever_bounces() {
    for line in lines() {
        for code in ["421", "432", "450", "451", "452", "454", "471", "499"] {
            let reply = format!("{code} {}", &line.reply[4..]);
            let verdict = verdict(&replies(line.profile), line.phase, &reply);
            assert_ne!(verdict.disposition, Disposition::Bounced, "{}: {reply}", line.phase);
        }
    }
}
