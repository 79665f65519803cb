//! relay, connection refused: the relay's clock; no attempt of any message is counted.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::support::campaign::Campaign;
use crate::support::relay::{Action, Options, ScriptedRelay, Step};
use crate::world::{SEND, campaign, command_with, must_cost_nothing, must_hold, start, tell, wait_until};

/// Where nobody listens: the system has just given it, and it was given back.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn a_port_at_which_nobody_listens_costs_no_letter_anything() {
    let relay = ScriptedRelay::kind();
    let campaign = campaign(3, 1, &relay);
    campaign.configure(free_port(), "connections = 1");
    must_cost_nothing("connection refused", &campaign, &relay, || campaign.configure(relay.port(), "connections = 1"));
}

#[test]
fn a_relay_that_hangs_up_at_once_is_not_hammered_and_the_campaign_goes_on_when_it_is_well() {
    let alive = Arc::new(AtomicBool::new(false));
    let is_alive = alive.clone();
    let relay = ScriptedRelay::start(Options::default(), move |at| {
        if at.step == Step::Greeting && !is_alive.load(Ordering::SeqCst) { Action::Drop } else { Action::Default }
    });
    let campaign = Campaign::new(3, 9, relay.port());
    let sending = start(command_with(&campaign, SEND, &[]));
    wait_until("it has tried", || relay.connections() > 0);
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(campaign.letters("sent") + campaign.letters("bounced") + campaign.letters("expired"), 0);
    assert_eq!(campaign.status()["state"], "running");
    assert!(relay.connections() < 20, "it does not hammer: {}", relay.connections());
    alive.store(true, Ordering::SeqCst);
    relay.record.must_reach(18);
    assert_eq!(sending.end().1.code, 0);
    let standing = must_hold(&campaign, &relay);
    assert_eq!(standing.letters("sent"), 9);
    let log = campaign.log();
    assert!(log.iter().all(|a| a["attempt"] == 1), "no message's attempt was counted for the relay's absence");
    tell("hangs up at once", &standing);
}
