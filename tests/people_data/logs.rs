//! What is printed or logged names no constituent's mailbox, whatever a relay says.

use crate::support::campaign::Campaign;
use crate::support::relay::{Action, Options, ScriptedRelay, Step};

#[test]
fn no_word_that_is_printed_names_a_constituent_though_the_relay_repeats_them() {
    let relay = ScriptedRelay::start(Options::default(), |at| match (at.step, at.to.as_str()) {
        (Step::Rcpt, "mayor1@town1.example") => {
            Action::reply("450 4.7.1 greylisted, said signer1@mail.example (SIGNER4@mail.example)")
        }
        (Step::Rcpt, to) if to.ends_with("@mail.example") => Action::reply(format!("550 5.1.1 <{to}>: unknown")),
        (Step::Dot, _) => Action::reply("250 2.0.0 signer0@mail.example queued as signer0@mail.example"),
        _ => Action::Default,
    });
    let campaign = Campaign::new(3, 9, relay.port());
    campaign.configure(relay.port(), "connections = 2");
    let mut printed = String::new();
    let mut take = |args: &[&str]| {
        let mut command = campaign.command(args);
        command.env("UNDERSIGNED_LOG", "trace").env("RUST_LOG", "trace");
        let ran = command.output().unwrap();
        printed.push_str(&String::from_utf8_lossy(&ran.stdout));
        printed.push_str(&String::from_utf8_lossy(&ran.stderr));
    };
    take(&["send", "--yes", "--set", "retry.give_up_after=3s"]);
    for verb in [
        &["status"][..],
        &["status", "--json"],
        &["log"],
        &["log", "--json"],
        &["retry"],
        &["test", "--to", "staff@x.example"],
    ] {
        take(verb);
    }
    take(&["forget", "--yes", "signer2@mail.example"]);
    take(&["purge", "--yes", "--older-than", "1d"]);
    for n in 0..9 {
        let named = printed.to_lowercase().lines().find(|l| l.contains(&format!("signer{n}@"))).map(str::to_owned);
        assert_eq!(named, None);
    }
    assert!(printed.contains("s***@mail.example"), "{printed}");
    let full = campaign.run(&["log", "--unmasked"]).out;
    assert!(full.contains("signer0@mail.example"), "{full}");
    // A queue id may be an address, too.
    assert_eq!(campaign.run(&["forget", "--yes", "signer0@mail.example"]).code, 0);
    let full = campaign.run(&["log", "--json", "--unmasked"]).out;
    assert!(!full.contains("signer0"), "{full}");
}
