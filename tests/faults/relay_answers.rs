//! relay, every bad answer at every step, once: what the rules of replies make of it, with nothing lost and nothing twice.
//! (Every answer against one session, with and without pipelining, is in `tests/smtp_replies.rs`.)

use std::sync::Mutex;

use crate::support::relay::{Action, Options, ScriptedRelay, Step};
use crate::world::{HURRIED, SEND_LETTERS, campaign, must_hold, once_at, run_with};

const STEPS: [Step; 9] =
    [Step::Greeting, Step::Ehlo, Step::Auth, Step::Mail, Step::Rcpt, Step::Data, Step::Body, Step::Dot, Step::Starttls];

fn answers() -> [(&'static str, Action); 8] {
    [
        ("4xx", Action::reply("451 4.3.0 not now")),
        ("5xx", Action::reply("550 5.2.1 mailbox disabled")),
        ("421", Action::ReplyThenClose("421 4.3.2 going down".into())),
        ("drop", Action::Drop),
        ("hang", Action::Hang),
        ("another 2xx", Action::reply("251 2.0.0 it will be forwarded")),
        ("3xx", Action::reply("354 go on")),
        ("garbage", Action::Garbage(b"<html>no</html>\r\n".to_vec())),
    ]
}

/// What may become of the three letters: how many are sent, bounced, in doubt. Which of several is the network's choice.
fn allowed(step: Step, answer: &str) -> &'static [[usize; 3]] {
    match (step, answer) {
        (Step::Rcpt | Step::Data | Step::Dot, "5xx") => &[[2, 1, 0]],
        (Step::Dot, "drop" | "hang" | "garbage" | "another 2xx" | "3xx") => &[[2, 0, 1]],
        // The text may have left before the answer is seen.
        (Step::Body, _) => &[[3, 0, 0], [2, 0, 1], [2, 1, 0]],
        // Our account or our sender is refused: the campaign stops before the first letter.
        (Step::Auth | Step::Mail, "5xx") => &[[0, 0, 0]],
        _ => &[[3, 0, 0]],
    }
}

fn suffer(step: Step, answer: &str, action: Action) -> String {
    let auth = (step == Step::Auth).then(|| ("campaign".to_owned(), "right".to_owned()));
    let relay = ScriptedRelay::start(Options { auth, ..Options::default() }, once_at(step, action));
    let campaign = campaign(3, 1, &relay);
    if step == Step::Auth {
        campaign.configure(relay.port(), "connections = 1\nusername = \"campaign\"");
    }
    let ran = run_with(&campaign, SEND_LETTERS, &[HURRIED, ("UNDERSIGNED_PASSWORD_MAIN", "right")]);
    let standing = must_hold(&campaign, &relay);
    let fates = [standing.letters("sent"), standing.letters("bounced"), standing.letters("in_doubt")];
    let case = format!("{answer} at {step:?}: {:?}", standing.letters_by_state());
    assert!(allowed(step, answer).contains(&fates), "{case} {ran:?}");
    if step != Step::Body {
        // What the relay has and the ledger does not call sent is what is in doubt, and here it has none of that.
        assert_eq!(relay.record.count(), fates[0], "{case}");
    }
    case
}

#[test]
fn every_bad_answer_at_every_step_comes_to_what_the_rules_say() {
    let cases: Vec<_> = STEPS
        .into_iter()
        .filter(|step| *step != Step::Starttls)
        .flat_map(|step| answers().map(|(answer, action)| (step, answer, action)))
        // Elsewhere another 2xx is a good answer, and a 3xx ends the connection like garbage.
        .filter(|(step, answer, _)| *step == Step::Dot || !matches!(*answer, "another 2xx" | "3xx"))
        .collect();
    let cases = Mutex::new(cases.into_iter());
    std::thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| {
                loop {
                    let Some((step, answer, action)) = cases.lock().unwrap().next() else { return };
                    println!("{}", suffer(step, answer, action));
                }
            });
        }
    });
}
