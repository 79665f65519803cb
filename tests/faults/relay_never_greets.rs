//! relay, the greeting never comes: the relay's clock; no attempt of any message is counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::relay::{Action, Options, ScriptedRelay, Step};
use crate::world::{campaign, must_cost_nothing};

#[test]
fn a_relay_that_listens_and_says_nothing_costs_no_letter_anything() {
    let alive = Arc::new(AtomicBool::new(false));
    let is_alive = alive.clone();
    let relay = ScriptedRelay::start(Options::default(), move |at| {
        if at.step == Step::Greeting && !is_alive.load(Ordering::SeqCst) { Action::Hang } else { Action::Default }
    });
    let campaign = campaign(3, 1, &relay);
    must_cost_nothing("no greeting", &campaign, &relay, || alive.store(true, Ordering::SeqCst));
}
