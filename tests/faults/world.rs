//! What the faults share: runs of the program that are watched for what they say, and kills at a named point.

use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::time::Duration;

use crate::support::campaign::{Campaign, LETTERS_ALONE, Ran};
use crate::support::oracle;
pub use crate::support::oracle::Standing;
use crate::support::relay::{Action, At, Options, ScriptedRelay, Step};
pub use crate::support::watched::{start, wait_until, watch, words};

pub const SEND: &[&str] = &["send", "--yes"];
/// Letters alone, where confirmations would only be in the way.
pub const SEND_LETTERS: &[&str] = &LETTERS_ALONE;

/// A campaign of so many letters to two officials, over so many connections of a relay.
pub fn campaign(letters: usize, connections: usize, relay: &ScriptedRelay) -> Campaign {
    let campaign = Campaign::new(2, letters, relay.port());
    campaign.configure(relay.port(), &format!("connections = {connections}"));
    campaign
}

/// A relay that does so at one step, every time.
pub fn always(step: Step, action: Action) -> ScriptedRelay {
    ScriptedRelay::start(Options::default(), move |at| if at.step == step { action.clone() } else { Action::Default })
}

/// A relay that does so at one step of its first message, and nothing else amiss.
pub fn once(step: Step, action: Action) -> ScriptedRelay {
    ScriptedRelay::start(Options::default(), once_at(step, action))
}

/// The script of [`once`].
pub fn once_at(step: Step, action: Action) -> impl Fn(&At) -> Action + Send + Sync + 'static {
    move |at| {
        let first = at.connection == 1 && at.message <= 1 && at.message_of_all <= 1;
        if at.step == step && first { action.clone() } else { Action::Default }
    }
}

/// Runs to the end with everything logged, which must come within two minutes and name no constituent (I6).
pub fn run(campaign: &Campaign, args: &[&str]) -> Ran {
    run_with(campaign, args, &[])
}

/// The same with this in the environment.
pub fn run_with(campaign: &Campaign, args: &[&str], environment: &[(&str, &str)]) -> Ran {
    watch(command_with(campaign, args, environment)).1
}

/// The same, ended by SIGKILL at the point of that name (`NAME` or `NAME:N`).
pub fn run_killed_at(campaign: &Campaign, args: &[&str], point: &str) -> Ran {
    let (status, ran) = watch(command_with(campaign, args, &[("UNDERSIGNED_FAILPOINT", point)]));
    assert_eq!(status.signal(), Some(9), "`{point}` was not reached: {ran:?}");
    ran
}

/// The program with everything logged and this in the environment.
pub fn command_with(campaign: &Campaign, args: &[&str], environment: &[(&str, &str)]) -> Command {
    let mut command = campaign.command(args);
    command.env("UNDERSIGNED_LOG", "trace").envs(environment.iter().copied());
    command
}

/// I1 to I4, I7 and I8; gives how the messages stand.
pub fn must_hold(campaign: &Campaign, relay: &ScriptedRelay) -> Standing {
    oracle::must_hold(campaign, &relay.record)
}

/// The last line of a fault: what became of the letters.
pub fn tell(fault: &str, standing: &Standing) {
    println!("{fault}: {:?}", standing.letters_by_state());
}

/// Patience for a relay that says nothing, in place of minutes.
pub const HURRIED: (&str, &str) = ("UNDERSIGNED_TIMEOUT_MS", "2000");

/// A relay that cannot be used costs no message anything: the program waits for it, and when it is told to end and the
/// relay is well again, every letter goes out.
pub fn must_cost_nothing(fault: &str, campaign: &Campaign, relay: &ScriptedRelay, mend: impl FnOnce()) {
    let letters = 3;
    let mut sending = start(command_with(campaign, SEND, &[HURRIED]));
    wait_until("the relay is told to be in trouble", || {
        let relays = campaign.ledger().exists().then(|| campaign.run(&["status", "--json"]));
        relays.is_some_and(|ran| ran.code == 0 && ran.out.contains("\"parked\""))
    });
    std::thread::sleep(Duration::from_millis(700));
    assert!(sending.is_at_work(), "{fault}: it waits for the relay");
    sending.signal("-TERM");
    assert_eq!(sending.end().1.code, 0, "{fault}");
    must_have_cost_nothing(fault, campaign, relay, letters);
    mend();
    assert_eq!(run(campaign, SEND).code, 0, "{fault}");
    let standing = must_hold(campaign, relay);
    assert_eq!((standing.letters("sent"), relay.record.count()), (letters, 2 * letters), "{fault}");
    tell(fault, &standing);
}

/// All are in the queue, and no try of any message was counted.
pub fn must_have_cost_nothing(fault: &str, campaign: &Campaign, relay: &ScriptedRelay, letters: usize) {
    assert_eq!(must_hold(campaign, relay).letters("queued"), letters, "{fault}");
    let db = rusqlite::Connection::open(campaign.ledger()).unwrap();
    let tries: i64 = db.query_row("SELECT sum(tries) FROM message", [], |row| row.get(0)).unwrap();
    assert_eq!((tries, campaign.log().len()), (0, 0), "{fault}");
}
