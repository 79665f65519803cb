//! Every kind of answer in every phase: what comes of it, and whether the session lives on.

mod support;

use std::time::{Duration, Instant};

use support::relay::{Action, At, Options, ScriptedRelay, Step};
use support::watched::wait_until;
use support::{PaperReceipt, envelope, hasty, letter, settings};
use undersigned::model::{LossCause, Outcome, Phase, Reply};
use undersigned::smtp::{Offer, Relay, RelaySettings, Session, SessionLimits};

/// Offers and transmits one letter.
async fn send(session: &mut Session, to: &str, number: i64) -> Outcome {
    let (envelope, bytes) = (envelope(to), letter(number));
    match session.offer(&Offer::new(&envelope, &bytes)).await {
        Ok(accepted) => accepted.transmit(&PaperReceipt(number), &bytes, None).await,
        Err(outcome) => outcome,
    }
}

/// What came of a whole conversation with one letter, and whether the session could be used again.
async fn converse(relay: &ScriptedRelay) -> (Outcome, bool) {
    match hasty(relay.port()).connect().await {
        Err(outcome) => (outcome, false),
        Ok(mut session) => {
            let outcome = send(&mut session, "mayor@town.example", 1).await;
            (outcome, session.is_usable())
        }
    }
}

fn at_first(step: Step, action: &Action) -> impl Fn(&At) -> Action + Send + Sync + 'static {
    let action = action.clone();
    move |at| if at.step == step && at.connection == 1 && at.message <= 1 { action.clone() } else { Action::Default }
}

fn short(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Replied(reply) => format!("{} {}", reply.code, reply.phase),
        Outcome::Lost { phase, cause, .. } => format!("{cause:?} {phase}"),
    }
}

const STEPS: [(Step, Phase); 6] = [
    (Step::Greeting, Phase::Greeting),
    (Step::Ehlo, Phase::Ehlo),
    (Step::Mail, Phase::Mail),
    (Step::Rcpt, Phase::Rcpt),
    (Step::Data, Phase::Data),
    (Step::Dot, Phase::Dot),
];

/// The answers, what is told of them (after which the phase is named), and whether a session in mid-life survives.
fn answers() -> Vec<(Action, &'static str, bool)> {
    vec![
        (Action::reply("450 4.2.1 later"), "450", true),
        (Action::reply("550 5.1.1 never"), "550", true),
        (Action::reply("550-5.1.1 never\r\n550 5.1.1 ever"), "550", true),
        (Action::reply("571 5.7.1 no"), "571", true),
        (Action::reply("421 4.3.2 going down"), "421", false),
        (Action::ReplyThenClose("421 4.3.2 going down".into()), "421", false),
        (Action::reply("334 what"), "334", false),
        (Action::Drop, "Closed", false),
        (Action::Hang, "Timeout", false),
        (Action::Garbage(b"<html>no</html>\r\n".to_vec()), "Garbage", false),
        (Action::Garbage(b"999 no\r\n".to_vec()), "Garbage", false),
        (Action::Garbage(b"250 \0\r\n".to_vec()), "Garbage", false),
    ]
}

#[tokio::test]
async fn every_answer_in_every_phase_gives_its_outcome_with_and_without_pipelining() {
    // Those that wait for a timeout wait together.
    let mut waiting = tokio::task::JoinSet::new();
    for pipelining in [true, false] {
        for (step, phase) in STEPS {
            for (action, told, survives) in answers() {
                let is_silent = matches!(action, Action::Hang);
                let case = async move {
                    let options = Options { pipelining, ..Options::default() };
                    let relay = ScriptedRelay::start(options, at_first(step, &action));
                    let (outcome, usable) = converse(&relay).await;
                    let case = format!("{step:?} {action:?} pipelining={pipelining}");
                    assert_eq!(short(&outcome), format!("{told} {phase}"), "{case}");
                    assert_eq!(usable, survives && phase >= Phase::Mail, "{case}");
                    assert_eq!(relay.record.count(), 0, "{case}");
                };
                if is_silent {
                    waiting.spawn(case);
                } else {
                    case.await;
                }
            }
        }
    }
    waiting.join_all().await;
}

#[tokio::test]
async fn half_a_reply_is_no_reply() {
    let mut waiting = tokio::task::JoinSet::new();
    for (step, told) in [(Step::Greeting, "Timeout greeting"), (Step::Data, "Timeout data"), (Step::Dot, "Timeout dot")]
    {
        for half in ["25", "250", "250 ok", "250-ok\r\n", "250 ok\r"] {
            waiting.spawn(async move {
                let action = Action::Garbage(half.as_bytes().to_vec());
                let relay = ScriptedRelay::start(Options::default(), at_first(step, &action));
                let (outcome, usable) = converse(&relay).await;
                assert_eq!((short(&outcome).as_str(), usable), (told, false), "{half:?}");
            });
        }
    }
    waiting.join_all().await;
}

#[tokio::test]
async fn an_accepted_letter_is_told_by_250_after_the_dot_and_by_nothing_else() {
    for (reply, told, accepted) in
        [("250 2.0.0 Ok: queued as 4XyZ", "250 dot", true), ("251 hm", "251 dot", false), ("354 go", "354 dot", false)]
    {
        let relay = ScriptedRelay::start(Options::default(), at_first(Step::Dot, &Action::reply(reply)));
        let (outcome, usable) = converse(&relay).await;
        assert_eq!(short(&outcome), told);
        assert_eq!(outcome.reply().is_some_and(Reply::accepts_message), accepted);
        assert_eq!(usable, accepted);
    }
}

#[tokio::test]
async fn a_positive_answer_of_the_wrong_kind_ends_the_session() {
    for pipelining in [true, false] {
        for (step, reply, told) in [
            (Step::Mail, "354 go", "354 mail"),
            (Step::Rcpt, "354 go", "354 rcpt"),
            (Step::Data, "250 ok", "250 data"),
            (Step::Data, "334 ok", "334 data"),
        ] {
            let options = Options { pipelining, ..Options::default() };
            let relay = ScriptedRelay::start(options, at_first(step, &Action::reply(reply)));
            let (outcome, usable) = converse(&relay).await;
            assert_eq!((short(&outcome).as_str(), usable), (told, false));
            assert_eq!(relay.record.count(), 0);
        }
    }
}

#[tokio::test]
async fn a_session_survives_refusals_in_every_phase_and_then_sends() {
    for pipelining in [true, false] {
        let options = Options { pipelining, ..Options::default() };
        let relay = ScriptedRelay::start(options, |at| match (at.step, at.message) {
            (Step::Mail, 1) => Action::reply("451 4.3.0 later"),
            (Step::Rcpt, 2) => Action::reply("550 5.1.1 unknown"),
            (Step::Rcpt, 3) => Action::reply("452 4.2.2 full"),
            (Step::Data, 4) => Action::reply("451 4.3.2 later"),
            (Step::Dot, 5) => Action::reply("554 5.6.0 no"),
            _ => Action::Default,
        });
        let mut session = hasty(relay.port()).connect().await.unwrap();
        for (number, told) in [(1, "451 mail"), (2, "550 rcpt"), (3, "452 rcpt"), (4, "451 data"), (5, "554 dot")] {
            assert_eq!(short(&send(&mut session, "mayor@town.example", number).await), told);
            assert!(session.is_usable());
        }
        assert_eq!(short(&send(&mut session, "mayor@town.example", 6).await), "250 dot");
        assert_eq!(relay.record.references(), ["k3m9x2-6"]);
        assert_eq!(relay.connections(), 1);
        session.quit().await;
    }
}

#[tokio::test]
async fn data_accepted_for_nobody_is_ended_by_a_lone_dot() {
    let relay = ScriptedRelay::start(Options::default(), |at| match (at.step, at.message) {
        (Step::Rcpt, 1) => Action::reply("550 5.1.1 unknown"),
        (Step::Data, 1) => Action::reply("354 go on"),
        _ => Action::Default,
    });
    let mut session = hasty(relay.port()).connect().await.unwrap();
    assert_eq!(short(&send(&mut session, "a@town.example", 1).await), "550 rcpt");
    assert!(session.is_usable());
    assert_eq!(short(&send(&mut session, "b@town.example", 2).await), "250 dot");
    assert_eq!(relay.record.references(), ["k3m9x2-2"]);
}

#[tokio::test]
async fn an_empty_message_is_never_sent_to_somebody_whom_it_could_reach() {
    // A broken relay: it refuses the sender, yet takes the recipient and the text.
    let relay = ScriptedRelay::start(Options::default(), |at| match at.step {
        Step::Mail => Action::Garbage(b"550 5.1.8 no\r\n250 ok\r\n354 go\r\n".to_vec()),
        _ => Action::Default,
    });
    let (outcome, usable) = converse(&relay).await;
    assert_eq!((short(&outcome).as_str(), usable), ("550 mail", false));
}

#[tokio::test]
async fn envelope_commands_share_a_packet_where_pipelining_is_offered() {
    let relay = ScriptedRelay::kind();
    converse(&relay).await;
    let packets = relay.packets();
    assert_eq!(packets.len(), 3, "EHLO, the envelope, the text with its dot");
    assert!(packets[1].starts_with(b"MAIL FROM:<letters@campaign.example> SIZE="));
    assert!(packets[1].ends_with(b"\r\nRCPT TO:<mayor@town.example>\r\nDATA\r\n"));
    assert!(packets[2].ends_with(b"\r\n.\r\n"));
}

#[tokio::test]
async fn every_command_waits_for_its_reply_where_pipelining_is_not_offered() {
    let relay = ScriptedRelay::start(Options::without_pipelining(), |_| Action::Default);
    converse(&relay).await;
    let packets = relay.packets();
    let verbs: Vec<_> = packets.iter().map(|p| String::from_utf8_lossy(&p[..4]).into_owned()).collect();
    assert_eq!(verbs, ["EHLO", "MAIL", "RCPT", "DATA", "X-Ca"]);
    assert!(packets[1..4].iter().all(|packet| packet.split(|&b| b == b'\n').count() == 2));
}

#[tokio::test]
async fn a_refusal_before_a_lost_connection_is_what_is_told() {
    let relay = ScriptedRelay::start(
        Options::default(),
        at_first(Step::Rcpt, &Action::ReplyThenClose("550 5.1.1 unknown".into())),
    );
    let (outcome, usable) = converse(&relay).await;
    assert_eq!((short(&outcome).as_str(), usable), ("550 rcpt", false));
}

#[tokio::test]
async fn a_reply_after_our_timeout_is_never_read_as_the_next_messages() {
    let relay = ScriptedRelay::start(Options::default(), |at| match (at.step, at.message_of_all) {
        (Step::Dot, 1) => Action::late(Duration::from_millis(1600), "554 5.6.0 refused, but late"),
        _ => Action::Default,
    });
    let client = hasty(relay.port());
    let mut session = client.connect().await.unwrap();
    assert_eq!(short(&send(&mut session, "a@town.example", 1).await), "Timeout dot");
    assert!(!session.is_usable());
    tokio::time::sleep(Duration::from_secs(1)).await;
    let again = send(&mut session, "b@town.example", 2).await;
    assert_eq!(short(&again), "Closed mail", "a dead session says nothing to the relay");
    assert_eq!(relay.record.count(), 0);
}

#[tokio::test]
async fn a_second_reply_to_one_command_ends_the_session_before_the_next_message() {
    let relay = ScriptedRelay::start(
        Options::default(),
        at_first(Step::Dot, &Action::reply("250 ok\r\n250 ok, and once more")),
    );
    let mut session = hasty(relay.port()).connect().await.unwrap();
    assert_eq!(short(&send(&mut session, "a@town.example", 1).await), "250 dot");
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(short(&send(&mut session, "b@town.example", 2).await), "Garbage mail");
    assert!(!session.is_usable());
    assert_eq!(relay.record.references(), ["k3m9x2-1"]);
}

#[tokio::test]
async fn an_acceptance_that_comes_before_the_text_is_not_believed() {
    let relay = ScriptedRelay::start(Options::default(), at_first(Step::Data, &Action::reply("354 go\r\n250 ok")));
    let (outcome, usable) = converse(&relay).await;
    assert_eq!((short(&outcome).as_str(), usable), ("Garbage body", false));
}

#[tokio::test]
async fn a_relay_that_hung_up_between_two_messages_is_noticed_before_the_second() {
    for (farewell, told) in [("421 4.4.2 idle", "421 mail"), ("250 ok", "Closed mail")] {
        let text = if farewell.starts_with('4') { format!("250 ok\r\n{farewell}") } else { farewell.to_owned() };
        let relay = ScriptedRelay::start(Options::default(), at_first(Step::Dot, &Action::ReplyThenClose(text)));
        let mut session = hasty(relay.port()).connect().await.unwrap();
        assert_eq!(short(&send(&mut session, "a@town.example", 1).await), "250 dot");
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(short(&send(&mut session, "b@town.example", 2).await), told);
    }
}

#[tokio::test]
async fn a_connection_that_breaks_within_a_long_body_is_lost_at_the_body() {
    let relay = ScriptedRelay::start(Options::default(), at_first(Step::Body, &Action::Drop));
    let mut session = hasty(relay.port()).connect().await.unwrap();
    let (envelope, bytes) = (envelope("mayor@town.example"), b"line\r\n".repeat(4_000_000));
    let accepted = session.offer(&Offer::new(&envelope, &bytes)).await.unwrap();
    assert_eq!(short(&accepted.transmit(&PaperReceipt(1), &bytes, None).await), "Closed body");
}

#[tokio::test]
async fn a_letter_that_was_taken_without_a_word_is_lost_at_the_dot() {
    for (action, told) in [(Action::take_then_drop(), "Closed dot"), (Action::take_then_hang(), "Timeout dot")] {
        let relay = ScriptedRelay::start(Options::default(), at_first(Step::Dot, &action));
        let (outcome, usable) = converse(&relay).await;
        assert_eq!((short(&outcome).as_str(), usable), (told, false));
        assert_eq!(relay.record.copies("k3m9x2-1"), 1);
        assert!(!relay.record.entries()[0].told);
    }
}

#[tokio::test]
async fn an_envelope_whose_text_never_follows_ends_the_session() {
    let relay = ScriptedRelay::kind();
    let mut session = hasty(relay.port()).connect().await.unwrap();
    let envelope = envelope("mayor@town.example");
    drop(session.offer(&Offer::new(&envelope, b"x")).await.unwrap());
    assert!(!session.is_usable());
    session.quit().await;
    assert_eq!(relay.record.count(), 0);
}

#[tokio::test]
async fn an_offer_that_is_given_up_half_way_ends_the_session() {
    let relay = ScriptedRelay::start(Options::default(), at_first(Step::Mail, &Action::Hang));
    let mut session = Relay::new(settings(relay.port())).unwrap().connect().await.unwrap();
    let envelope = envelope("mayor@town.example");
    let parcel = Offer::new(&envelope, b"x");
    assert!(tokio::time::timeout(Duration::from_millis(50), session.offer(&parcel)).await.is_err());
    assert!(!session.is_usable());
}

#[tokio::test]
async fn limits_on_messages_refusals_age_and_idling_end_a_session() {
    let relay = ScriptedRelay::start(Options::default(), |at| {
        if at.step == Step::Rcpt && at.to.starts_with("full@") { Action::reply("452 full") } else { Action::Default }
    });
    let usual = SessionLimits::default();
    let brief = Duration::from_millis(30);
    for (limits, to, sends) in [
        (SessionLimits { messages: 2, ..usual }, "mayor@town.example", 2),
        (SessionLimits { refusals: 3, ..usual }, "full@town.example", 3),
        (SessionLimits { age: brief, ..usual }, "mayor@town.example", 0),
        (SessionLimits { idle: brief, ..usual }, "mayor@town.example", 0),
    ] {
        let client = Relay::new(RelaySettings { limits, ..settings(relay.port()) }).unwrap();
        let mut session = client.connect().await.unwrap();
        for number in 0..sends {
            assert!(session.is_usable(), "{limits:?}");
            send(&mut session, to, number).await;
        }
        if sends == 0 {
            tokio::time::sleep(2 * brief).await;
        }
        assert!(!session.is_usable(), "{limits:?}");
    }
}

#[tokio::test]
async fn quit_is_said_and_never_waited_for_long() {
    let relay = ScriptedRelay::start(Options::default(), at_first(Step::Quit, &Action::Hang));
    let session = hasty(relay.port()).connect().await.unwrap();
    let before = Instant::now();
    session.quit().await;
    assert!(before.elapsed() < Duration::from_secs(30));
    wait_until("QUIT is heard", || relay.heard().iter().any(|(_, line)| line == "QUIT"));
}

#[tokio::test]
async fn a_relay_that_is_not_there_is_refused_or_not_found() {
    let port = ScriptedRelay::kind().port();
    let outcome = hasty(port).connect().await.unwrap_err();
    assert_eq!(short(&outcome), "Refused connect");
    let mut unknown = settings(465);
    unknown.host = "relay.invalid".into();
    unknown.tls = undersigned::smtp::TlsMode::Implicit;
    let authority = support::certs::Authority::new();
    unknown.ca_file = Some(authority.ca_file.clone());
    unknown.timeouts.connect = Duration::from_secs(5);
    let outcome = Relay::new(unknown).unwrap().connect().await.unwrap_err();
    assert!(matches!(outcome, Outcome::Lost { phase: Phase::Connect, cause: LossCause::Dns | LossCause::Timeout, .. }));
}
