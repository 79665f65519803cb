//! The envelope of the next message travels with the text of this one: one round trip a letter, and no letter less
//! safe for it.

mod support;

use std::time::Duration;

use support::relay::{Action, At, Options, ScriptedRelay, Step};
use support::{PaperReceipt, envelope, hasty, letter};
use undersigned::model::Outcome;
use undersigned::smtp::{Offer, Relay, RelaySettings, Session, SessionLimits};

fn short(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Replied(reply) => format!("{} {}", reply.code, reply.phase),
        Outcome::Lost { phase, cause, .. } => format!("{cause:?} {phase}"),
    }
}

/// Sends letters to `TOWN@town.example`, each with the envelope of the one after it, while the session lives.
async fn send_in_a_row(session: &mut Session, towns: &[&str]) -> Vec<String> {
    let parcels: Vec<_> =
        (1..).zip(towns).map(|(n, town)| (envelope(&format!("{town}@town.example")), letter(n))).collect();
    let offers: Vec<_> = parcels.iter().map(|(envelope, bytes)| Offer::new(envelope, bytes)).collect();
    let mut outcomes = Vec::new();
    for (n, (_, bytes)) in parcels.iter().enumerate() {
        if !session.is_usable() {
            break;
        }
        let outcome = match session.offer(&offers[n]).await {
            Ok(accepted) => accepted.transmit(&PaperReceipt(1), bytes, offers.get(n + 1)).await,
            Err(outcome) => outcome,
        };
        outcomes.push(short(&outcome));
    }
    outcomes
}

fn starts(packet: &[u8]) -> String {
    String::from_utf8_lossy(packet).lines().next().unwrap_or_default().chars().take(4).collect()
}

#[tokio::test]
async fn a_letter_takes_one_round_trip_where_the_relay_offers_pipelining() {
    let relay = ScriptedRelay::kind();
    let mut session = hasty(relay.port()).connect().await.unwrap();
    assert_eq!(send_in_a_row(&mut session, &["a", "b", "c", "d"]).await, ["250 dot"; 4]);
    let packets = relay.packets();
    assert_eq!(packets.iter().map(|p| starts(p)).collect::<Vec<_>>(), ["EHLO", "MAIL", "X-Ca", "X-Ca", "X-Ca", "X-Ca"]);
    let third = String::from_utf8_lossy(&packets[2]);
    assert!(third.contains("\r\n.\r\nMAIL FROM:<letters@campaign.example>"), "{third}");
    assert!(third.ends_with("\r\nRCPT TO:<b@town.example>\r\nDATA\r\n"), "{third}");
    assert!(packets[5].ends_with(b"\r\n.\r\n"), "nothing follows the last");
    assert_eq!(relay.record.count(), 4);
}

#[tokio::test]
async fn without_pipelining_nothing_travels_ahead() {
    let relay = ScriptedRelay::start(Options { pipelining: false, ..Options::default() }, |_| Action::Default);
    let mut session = hasty(relay.port()).connect().await.unwrap();
    assert_eq!(send_in_a_row(&mut session, &["a", "b"]).await, ["250 dot"; 2]);
    assert_eq!(relay.packets().len(), 1 + 2 * 4);
}

#[tokio::test]
async fn the_text_waits_for_a_receipt_of_its_own() {
    let relay = ScriptedRelay::kind();
    let mut session = hasty(relay.port()).connect().await.unwrap();
    let (first, second) = ((envelope("a@town.example"), letter(1)), (envelope("b@town.example"), letter(2)));
    let next = Offer::new(&second.0, &second.1);
    let accepted = session.offer(&Offer::new(&first.0, &first.1)).await.unwrap();
    assert_eq!(short(&accepted.transmit(&PaperReceipt(1), &first.1, Some(&next)).await), "250 dot");
    let accepted = session.offer(&next).await.unwrap();
    assert_eq!(relay.record.references(), ["k3m9x2-1"], "the envelope is there, the text is not");
    drop(accepted);
    assert!(!session.is_usable());
}

#[tokio::test]
async fn a_message_whose_envelope_travelled_and_that_is_not_offered_leaves_nothing_behind() {
    let relay = ScriptedRelay::kind();
    let mut session = hasty(relay.port()).connect().await.unwrap();
    let (first, second) = ((envelope("a@town.example"), letter(1)), (envelope("b@town.example"), letter(2)));
    let accepted = session.offer(&Offer::new(&first.0, &first.1)).await.unwrap();
    let next = Offer::new(&second.0, &second.1);
    assert_eq!(short(&accepted.transmit(&PaperReceipt(1), &first.1, Some(&next)).await), "250 dot");
    let other = envelope("c@town.example");
    assert!(session.offer(&Offer::new(&other, &letter(3))).await.is_err(), "the relay would take it for the second");
    session.quit().await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(relay.record.references(), ["k3m9x2-1"], "QUIT was not said in place of a text");
    assert!(!relay.heard().iter().any(|(_, line)| line.contains("QUIT")));
}

/// At which step of which message of a connection, what the relay does, what is told of each letter, which arrive.
type Case = (Step, usize, Action, &'static [&'static str], &'static [&'static str]);

/// What happens at one step of the first or the second of three letters; what is told of each, and which arrive.
#[tokio::test]
async fn whatever_the_relay_answers_in_the_middle_belongs_to_its_own_message() {
    let cases: &[Case] = &[
        (Step::Dot, 1, Action::reply("550 5.6.0 no"), &["550 dot", "250 dot", "250 dot"], &["2", "3"]),
        (Step::Dot, 1, Action::reply("452 4.3.1 later"), &["452 dot", "250 dot", "250 dot"], &["2", "3"]),
        (Step::Dot, 1, Action::ReplyThenClose("421 4.3.2 bye".into()), &["421 dot"], &[]),
        (Step::Dot, 1, Action::take_then_drop(), &["Closed dot"], &["1"]),
        (Step::Dot, 1, Action::take_then_hang(), &["Timeout dot"], &["1"]),
        (Step::Dot, 1, Action::Drop, &["Closed dot"], &[]),
        (Step::Mail, 2, Action::reply("451 4.3.0 later"), &["250 dot", "451 mail", "250 dot"], &["1", "3"]),
        (Step::Rcpt, 2, Action::reply("550 5.1.1 unknown"), &["250 dot", "550 rcpt", "250 dot"], &["1", "3"]),
        (Step::Data, 2, Action::reply("451 4.3.0 later"), &["250 dot", "451 data", "250 dot"], &["1", "3"]),
        (Step::Rcpt, 2, Action::ReplyThenClose("421 4.7.0 bye".into()), &["250 dot", "421 rcpt"], &["1"]),
        (Step::Rcpt, 2, Action::Drop, &["250 dot", "Closed rcpt"], &["1"]),
        (Step::Mail, 2, Action::Hang, &["250 dot", "Timeout mail"], &["1"]),
        (Step::Mail, 2, Action::Garbage(b"<html>\r\n".to_vec()), &["250 dot", "Garbage mail"], &["1"]),
        (Step::Data, 2, Action::reply("250 taken already"), &["250 dot", "250 data"], &["1"]),
        (Step::Dot, 2, Action::take_then_drop(), &["250 dot", "Closed dot"], &["1", "2"]),
    ];
    for (step, message, action, told, arrived) in cases {
        let (step, message, scripted) = (*step, *message, action.clone());
        let script =
            move |at: &At| if at.step == step && at.message == message { scripted.clone() } else { Action::Default };
        let relay = ScriptedRelay::start(Options::default(), script);
        let mut session = hasty(relay.port()).connect().await.unwrap();
        let outcomes = send_in_a_row(&mut session, &["a", "b", "c"]).await;
        assert_eq!(outcomes, *told, "{step:?} of {message}: {action:?}");
        let expected: Vec<String> = arrived.iter().map(|n| format!("k3m9x2-{n}")).collect();
        assert_eq!(relay.record.references(), expected, "{step:?} of {message}: {action:?}");
    }
}

#[tokio::test]
async fn the_last_message_that_a_session_may_carry_takes_no_envelope_along() {
    let relay = ScriptedRelay::kind();
    let limits = SessionLimits { messages: 2, ..SessionLimits::default() };
    let client = Relay::new(RelaySettings { limits, ..support::settings(relay.port()) }).unwrap();
    let mut session = client.connect().await.unwrap();
    assert_eq!(send_in_a_row(&mut session, &["a", "b", "c"]).await, ["250 dot"; 2]);
    session.quit().await;
    assert!(relay.heard().iter().any(|(_, line)| line == "QUIT"), "so the session can end as it should");
}

#[tokio::test]
async fn a_relay_that_throws_away_what_comes_early_is_asked_one_by_one_from_then_on() {
    // As a box between that empties its buffer with the final dot would do.
    let relay = ScriptedRelay::start(Options::default(), |at| match (at.step, at.connection, at.message) {
        (Step::Mail, 1, 2) => Action::Hang,
        _ => Action::Default,
    });
    let client = hasty(relay.port());
    let mut session = client.connect().await.unwrap();
    assert_eq!(send_in_a_row(&mut session, &["a", "b"]).await, ["250 dot", "Timeout mail"]);
    let mut session = client.connect().await.unwrap();
    let before = relay.packets().len();
    assert_eq!(send_in_a_row(&mut session, &["b", "c"]).await, ["250 dot"; 2]);
    assert_eq!(relay.packets()[before..].len(), 4, "envelope and text, twice");
}

#[tokio::test]
async fn a_sender_that_was_refused_for_coming_early_is_named_again_by_itself_and_only_that_answer_counts() {
    // As a box between would say it that takes an early command for an attack; the words are its own.
    let relay = ScriptedRelay::start(Options::default(), |at| match (at.step, at.message) {
        (Step::Mail, 2 | 4 | 6) => Action::reply("550 5.5.0 protocol violation"),
        _ => Action::Default,
    });
    let mut session = hasty(relay.port()).connect().await.unwrap();
    let towns = ["a", "b", "c", "d", "e", "f"];
    assert_eq!(send_in_a_row(&mut session, &towns).await, ["250 dot"; 6]);
    assert_eq!(relay.record.count(), 6);
    // The letter after the one that found it out for good, and all others from then on, go by themselves.
    let alone = relay.packets().iter().filter(|packet| packet.starts_with(b"MAIL")).count();
    assert_eq!(alone, 1 + 3 + 2, "{:?}", relay.packets().iter().map(|p| starts(p)).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_sender_that_is_refused_by_itself_too_is_refused() {
    let relay = ScriptedRelay::start(Options::default(), |at| match (at.step, at.message) {
        (Step::Mail, 2..) => Action::reply("550 5.7.1 not this sender any more"),
        _ => Action::Default,
    });
    let mut session = hasty(relay.port()).connect().await.unwrap();
    assert_eq!(send_in_a_row(&mut session, &["a", "b"]).await, ["250 dot", "550 mail"]);
    assert_eq!(relay.heard().iter().filter(|(_, line)| line.starts_with("MAIL")).count(), 3);
}
