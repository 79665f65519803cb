//! SIGTERM or Ctrl-C, once: no new claims, the message in transmission finishes, and the program ends well.

use std::time::{Duration, Instant};

use crate::support::relay::{Action, Options, ScriptedRelay, Step};
use crate::world::{SEND, always, campaign, command_with, must_hold, run, start, tell, wait_until, words};

/// Far less than the program waits for a relay or for its ledger, and enough for a slow machine.
const LONG: Duration = Duration::from_secs(60);

#[test]
fn what_is_in_transmission_finishes_and_nothing_is_in_doubt() {
    for signal in ["-INT", "-TERM"] {
        let relay = always(Step::Dot, Action::late(Duration::from_millis(400), "250 2.0.0 Ok"));
        let campaign = campaign(100, 4, &relay);
        let sending = start(command_with(&campaign, SEND, &[]));
        relay.record.must_reach(2);
        sending.signal(signal);
        assert_eq!(sending.end().1.code, 0);
        assert_eq!(campaign.status()["state"], "paused");
        let standing = must_hold(&campaign, &relay);
        for state in ["in_doubt", "leased", "transmitting"] {
            assert_eq!(standing.all(state), 0, "{state}");
        }
        assert_eq!(standing.all("sent"), relay.record.count());
        tell(signal, &standing);
    }
}

#[test]
fn a_relay_that_says_nothing_is_not_waited_for() {
    for step in [Step::Greeting, Step::Mail, Step::Rcpt, Step::Data] {
        let relay = always(step, Action::Hang);
        let campaign = campaign(50, 4, &relay);
        let sending = start(command_with(&campaign, SEND, &[]));
        wait_until("four connections", || relay.connections() >= 4);
        std::thread::sleep(Duration::from_millis(300));
        sending.signal("-TERM");
        let asked = Instant::now();
        assert_eq!(sending.end().1.code, 0);
        assert!(asked.elapsed() < LONG, "{step:?}: {:?}", asked.elapsed());
        assert!(relay.connections() < 50, "{step:?}: it does not hammer while it ends: {}", relay.connections());
        assert_eq!(must_hold(&campaign, &relay).letters("queued"), 50);
    }
}

#[test]
fn a_ledger_that_cannot_be_written_before_anything_is_sent_is_not_waited_for() {
    let relay = ScriptedRelay::start(Options::default(), |_| Action::Default);
    let campaign = campaign(4, 1, &relay);
    assert_eq!(run(&campaign, &["send", "--yes", "--limit", "1"]).code, 0);
    let ledger = rusqlite::Connection::open(campaign.ledger()).unwrap();
    // As a full disk would refuse it.
    let refuse = "CREATE TRIGGER full BEFORE INSERT ON relay BEGIN SELECT RAISE(ABORT, 'full'); END";
    ledger.execute_batch(refuse).unwrap();

    let mut sending = start(command_with(&campaign, SEND, &[]));
    wait_until("staff are told", || words(&sending.so_far("err")).contains("Nothing is sent just now"));
    std::thread::sleep(Duration::from_millis(500));
    assert!(sending.is_at_work(), "it waits until it can write again");
    sending.signal("-TERM");
    let asked = Instant::now();
    assert_eq!(sending.end().1.code, 0);
    assert!(asked.elapsed() < LONG, "after {:?}", asked.elapsed());
    assert_eq!(campaign.letters("sent"), 1);

    ledger.execute_batch("DROP TRIGGER full").unwrap();
    assert_eq!(run(&campaign, SEND).code, 0);
    assert_eq!(must_hold(&campaign, &relay).letters("sent"), 4);
}
