//! The suppression list: nothing goes to whoever is on it, from the plan to the wire.

use std::time::{Duration, Instant};

use crate::ok;
use crate::support::campaign::{Campaign, LETTERS_ALONE};
use crate::support::relay::{Action, Options, ScriptedRelay, Step};
use crate::support::watched::words;

fn to(relay: &ScriptedRelay, mailbox: &str) -> usize {
    relay.record.entries().iter().filter(|entry| entry.to.iter().any(|to| to == mailbox)).count()
}

#[test]
fn a_list_that_is_made_before_the_first_send_holds_from_the_plan_to_the_wire() {
    let relay = ScriptedRelay::kind();
    let campaign = Campaign::new(2, 6, relay.port());
    let told =
        ok(campaign.run(&["suppress", "add", "Mayor0@TOWN0.example", "signer1@mail.example", "--reason", "asked"]));
    assert!(told.contains("2 mailboxes new on the suppression list, 0 there already"), "{told}");
    assert!(!told.contains("running"), "{told}");
    let config = std::fs::read_to_string(campaign.path().join("config.toml")).unwrap();
    campaign.write("config.toml", &config.replace("Test Campaign", "Its Last Name"));

    for looking in [&["check"][..], &["forecast"], &["preview"]] {
        let out = words(&ok(campaign.run(looking)));
        assert!(out.contains("3 letters") && out.contains("suppressed mailboxes will not go"), "{looking:?}: {out}");
    }
    let checked: serde_json::Value = serde_json::from_str(&ok(campaign.run(&["check", "--json"]))).unwrap();
    assert_eq!(checked["figures"]["suppressed"], 3);
    let rehearsed = campaign.run(&["rehearse"]);
    assert!(rehearsed.out.contains("suppressed"), "{rehearsed:?}");
    let mail = std::fs::read_dir(campaign.path().join("rehearsal/mail/new")).unwrap().count();
    assert_eq!(mail, 3 + 5, "letters to the other mayor, and everybody's confirmation but one");

    let sent = campaign.send();
    assert_eq!(sent.code, 5, "{sent:?}");
    assert!(words(&sent.out).contains("suppressed mailboxes will not go"), "{}", sent.out);
    assert_eq!((to(&relay, "mayor0@town0.example"), to(&relay, "mayor1@town1.example")), (0, 3));
    assert_eq!(to(&relay, "signer1@mail.example"), 0, "no confirmation for whoever is on the list");
    // Those whose letter was suppressed from the start are told so, once.
    for n in [0, 2, 4] {
        let news = relay.record.entries().into_iter().find(|e| e.to == [format!("signer{n}@mail.example")]).unwrap();
        assert!(String::from_utf8_lossy(&news.bytes).contains("suppressed"), "{n}");
    }
    let status = campaign.status();
    assert_eq!((&status["letters"]["suppressed"], &status["confirmations"]["suppressed"]), (&3.into(), &1.into()));
    assert_eq!(status["campaign"], "Its Last Name");
    assert_eq!(campaign.send().code, 5);
    assert_eq!(relay.record.count(), 3 + 5, "nobody is told again");
    campaign.must_be_sound();
}

#[test]
fn half_a_second_after_a_mailbox_is_suppressed_a_running_send_offers_it_nothing_more() {
    nothing_more_is_offered_after("mayor0@town0.example");
}

#[test]
fn half_a_second_after_a_domain_is_suppressed_a_running_send_offers_it_nothing_more() {
    nothing_more_is_offered_after("@Town0.Example");
}

fn nothing_more_is_offered_after(suppressed: &str) {
    let slow = Duration::from_secs(1);
    let relay = ScriptedRelay::start(Options::default(), move |at| match at.step {
        Step::Dot => Action::After(slow, Box::new(Action::Default)),
        _ => Action::Default,
    });
    let campaign = Campaign::new(2, 24, relay.port());
    campaign.configure(relay.port(), "connections = 2");
    let mut sending = campaign.start(&LETTERS_ALONE);
    relay.record.must_reach(4);
    let told = ok(campaign.run(&["suppress", "add", suppressed]));
    assert!(words(&told).contains("within half a second"), "{told}");
    // Half a second, and what a busy machine needs besides.
    std::thread::sleep(Duration::from_secs(2));
    let (offered_by_then, at) = (relay.heard().len(), Instant::now());
    assert!(sending.wait().unwrap().code() == Some(5) && at.elapsed() > slow, "it went on with the other mailbox");
    let later: Vec<_> = relay.heard().split_off(offered_by_then);
    assert!(later.iter().any(|(_, line)| line.contains("mayor1@")), "{later:?}");
    assert!(!later.iter().any(|(_, line)| line.contains("mayor0@")), "{later:?}");
    assert_eq!(to(&relay, "mayor1@town1.example"), 12);
    assert_eq!(campaign.letters("suppressed"), 12 - to(&relay, "mayor0@town0.example") as u64);
    campaign.must_be_sound();
}

#[test]
fn retry_lifts_what_a_relay_refused_and_never_what_staff_suppressed() {
    let relay = ScriptedRelay::start(Options::default(), |at| match at.step {
        Step::Rcpt if at.to.starts_with("mayor0@") => Action::reply("550 5.1.1 no such user"),
        _ => Action::Default,
    });
    let campaign = Campaign::new(2, 2, relay.port());
    let ran = campaign.run(&LETTERS_ALONE);
    assert_eq!(ran.code, 5, "{ran:?}");
    assert_eq!((campaign.letters("bounced"), campaign.letters("suppressed")), (1, 0));
    ok(campaign.run(&["suppress", "add", "mayor1@town1.example"]));
    campaign.write("contacts.csv", &crate::support::campaign::contacts(2, 0..4));
    assert_eq!(campaign.run(&LETTERS_ALONE).code, 5);
    assert_eq!(campaign.letters("suppressed"), 2, "one of each");

    let told = ok(campaign.run(&["retry", "--state", "suppressed"]));
    assert!(told.contains("1 message back in the queue") && told.contains("Still suppressed: 1 message"), "{told}");
    assert_eq!((campaign.letters("queued"), campaign.letters("suppressed")), (1, 1));
    let told = ok(campaign.run(&["suppress", "remove", "mayor1@town1.example", "mayor0@town0.example"]));
    assert!(told.contains("1 mailbox taken off") && told.contains("1 mailbox not on it"), "{told}");
    assert!(told.contains("Still suppressed: 1 message to them"), "{told}");
    assert!(ok(campaign.run(&["retry", "--state", "suppressed"])).contains("1 message back"));
    assert_eq!(campaign.letters("queued"), 2);

    // Staff's word stands over a relay's, and a failed letter to the mailbox is not tried again either.
    ok(campaign.run(&["suppress", "add", "mayor0@town0.example"]));
    ok(campaign.run(&["retry", "--state", "bounced"]));
    assert_eq!(campaign.letters("bounced"), 1);
    let lines = campaign.decisions();
    assert!(lines.iter().any(|l| l.starts_with("suppress: 1 mailboxes, 0 there already; moved 1; ")), "{lines:?}");
}

#[test]
fn a_file_is_imported_whole_or_told_line_by_line_and_a_long_one_takes_seconds() {
    let relay = ScriptedRelay::kind();
    let campaign = Campaign::new(1, 1, relay.port());
    campaign.write("bad.txt", "ana@a.example\nno address\n\nben@b.example\nben@@b.example\n");
    let file = campaign.path().join("bad.txt").display().to_string();
    let ran = campaign.run(&["suppress", "import", &file]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.err.contains("line 2, column 1: ") && ran.err.contains("line 5, column 1: "), "{ran:?}");
    assert!(ran.err.contains("2 lines cannot be used"), "{ran:?}");
    assert_eq!(ok(campaign.run(&["suppress", "list"])).trim(), "0 mailboxes: 0 by staff, 0 refused for good.");
    let told = ok(campaign.run(&["suppress", "import", &file, "--skip-bad", "--reason", "last year"]));
    assert!(told.contains("2 mailboxes new on the suppression list, 0 there already"), "{told}");
    let told = ok(campaign.run(&["suppress", "add", "ana@a.example", "cy@c.example"]));
    assert!(told.contains("1 mailbox new on the suppression list, 1 there already"), "{told}");
    let listed = ok(campaign.run(&["suppress", "list", "--json"]));
    let first: serde_json::Value = serde_json::from_str(listed.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&first["mailbox"], &first["by"], &first["reason"]),
        (&"ana@a.example".into(), &"staff".into(), &"last year".into())
    );

    let many: Vec<String> = (0..100_000).map(|n| format!("person{n};p{n}@many.example\n")).collect();
    campaign.write("many.csv", &format!("Name;E-Mail\n{}", many.concat()));
    let began = Instant::now();
    let told = ok(campaign.run(&["suppress", "import", &campaign.path().join("many.csv").display().to_string()]));
    assert!(told.contains("100000 mailboxes new"), "{told}");
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    assert_eq!(campaign.send().code, 0, "and the campaign goes");
    assert_eq!(relay.record.count(), 2);
}

#[test]
fn a_domain_is_every_mailbox_of_it_from_the_plan_to_the_wire_and_none_of_its_subdomains() {
    let relay = ScriptedRelay::kind();
    let campaign = Campaign::new(3, 6, relay.port());
    let moved = |text: &str| {
        text.replace("mayor0@town0.example", "mayor0@r\u{e1}th.town.example")
            .replace("mayor1@town1.example", "Mayor1@R\u{e1}th.Town.example")
            .replace("mayor2@town2.example", "mayor2@old.r\u{e1}th.town.example")
    };
    let contacts = std::fs::read_to_string(campaign.path().join("contacts.csv")).unwrap();
    campaign.write("contacts.csv", &moved(&contacts));
    campaign
        .write("list.txt", "# the council asked for it\n\n@R\u{c1}TH.town.example\nmayor0@r\u{e1}th.town.example\n");
    let told = ok(campaign.run(&["suppress", "import", &campaign.path().join("list.txt").display().to_string()]));
    assert!(told.contains("2 entries new on the suppression list"), "{told}");
    let listed = ok(campaign.run(&["suppress", "list"]));
    assert!(listed.starts_with("@xn--rth-ela.town.example  by staff"), "{listed}");
    assert!(listed.contains("1 mailbox and 1 domain: 2 by staff"), "{listed}");
    let checked: serde_json::Value = serde_json::from_str(&ok(campaign.run(&["check", "--json"]))).unwrap();
    assert_eq!(checked["figures"]["suppressed"], 4);
    assert_eq!(campaign.send().code, 5);
    assert_eq!(campaign.letters("suppressed"), 4);
    assert_eq!(to(&relay, "mayor2@old.xn--rth-ela.town.example"), 2);
    assert_eq!(relay.record.count(), 2 + 6);

    // What both are about stays suppressed until both are gone.
    let told = ok(campaign.run(&["suppress", "remove", "mayor0@r\u{e1}th.town.example"]));
    assert!(words(&told).contains("1 mailbox still suppressed, because the whole domain is on the list"), "{told}");
    assert!(!told.contains("Still suppressed"), "{told}");
    assert!(ok(campaign.run(&["retry", "--state", "suppressed"])).contains("0 messages back"));
    let told = ok(campaign.run(&["suppress", "remove", "@r\u{e1}th.town.example"]));
    assert!(told.contains("1 domain taken off") && words(&told).contains("Still suppressed: 4 messages"), "{told}");
    assert!(ok(campaign.run(&["retry", "--state", "suppressed"])).contains("4 messages back"));
    // What waits is suppressed at once, and once, though by two entries.
    let told = ok(campaign.run(&["suppress", "add", "@r\u{e1}th.town.example", "mayor1@r\u{e1}th.town.example"]));
    assert!(told.contains("4 messages that waited will not go"), "{told}");
    ok(campaign.run(&["suppress", "remove", "@r\u{e1}th.town.example", "mayor1@r\u{e1}th.town.example"]));
    ok(campaign.run(&["retry", "--state", "suppressed"]));
    let sent = campaign.send();
    assert_eq!(sent.code, 0, "{sent:?}");
    assert_eq!(campaign.letters("sent"), 6);
    for bad in ["@town", "@", "town.example", "@a@town.example"] {
        let ran = campaign.run(&["suppress", "add", bad]);
        assert!(ran.code == 2 && ran.err.contains("nothing was changed"), "{ran:?}");
    }
    campaign.must_be_sound();
}

#[test]
fn a_deadline_that_has_passed_is_refused_also_where_a_list_made_the_ledger() {
    let relay = ScriptedRelay::kind();
    let campaign = Campaign::new(1, 1, relay.port());
    ok(campaign.run(&["suppress", "add", "nobody@a.example"]));
    let ran = campaign.run(&["send", "--yes", "--set", "campaign.deadline=2020-01-01 12:00"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.err.contains("has passed"), "{}", ran.err);
}
