//! What the faults share: runs of the program that are watched for what they say, and kills at a named point.

use std::fs::File;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::support::campaign::{Campaign, Ran};
use crate::support::oracle;
pub use crate::support::oracle::Standing;
use crate::support::relay::{Action, At, Options, ScriptedRelay, Step};

pub const SEND: &[&str] = &["send", "--yes"];
/// Letters alone, where confirmations would only be in the way.
pub const SEND_LETTERS: &[&str] = &["send", "--yes", "--set", "campaign.confirm=never"];

const RUN_MAX: Duration = Duration::from_secs(120);

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

/// Starts a command whose words are kept for [`Watched::end`].
pub fn start(mut command: Command) -> Watched {
    let said = tempfile::tempdir().unwrap();
    let file = |name| File::create(said.path().join(name)).unwrap();
    let child = command.stdin(Stdio::null()).stdout(file("out")).stderr(file("err")).spawn().unwrap();
    Watched { child, said }
}

/// Runs a command to its end.
pub fn watch(command: Command) -> (ExitStatus, Ran) {
    start(command).end()
}

/// A program at work, and what it says; killed when dropped.
pub struct Watched {
    pub child: Child,
    said: tempfile::TempDir,
}

impl Watched {
    /// Waits for its end, which must come within two minutes. Whatever it said names no constituent.
    pub fn end(mut self) -> (ExitStatus, Ran) {
        let deadline = Instant::now() + RUN_MAX;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "it does not end: {}", self.so_far("err"));
            std::thread::sleep(Duration::from_millis(5));
        };
        let ran = Ran { code: status.code().unwrap_or(-1), out: self.so_far("out"), err: self.so_far("err") };
        for said in [&ran.out, &ran.err] {
            let named = said.lines().find(|line| line.contains("@mail.example") || line.contains("Main St"));
            assert!(named.is_none(), "I6: {named:?}");
        }
        (status, ran)
    }

    pub fn is_at_work(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// A signal by its name, as `kill` has it.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(name).arg(self.child.id().to_string()).status().unwrap();
        assert!(sent.success());
    }

    /// What it has said so far: `out` or `err`.
    pub fn so_far(&self, name: &str) -> String {
        String::from_utf8_lossy(&std::fs::read(self.said.path().join(name)).unwrap()).into_owned()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// I1 to I4, I7 and I8; gives how the messages stand.
pub fn must_hold(campaign: &Campaign, relay: &ScriptedRelay) -> Standing {
    oracle::must_hold(campaign, &relay.record)
}

/// Waits until something is so, for 30 seconds at most.
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}: it did not come to that");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The last line of a fault: what became of the letters.
pub fn tell(fault: &str, standing: &Standing) {
    println!("{fault}: {:?}", standing.letters_by_state());
}

/// Patience for a relay that says nothing, in place of minutes.
pub const HURRIED: (&str, &str) = ("UNDERSIGNED_TIMEOUT_MS", "1000");

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
