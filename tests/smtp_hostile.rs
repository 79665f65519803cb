//! A relay is input too: whatever it sends, memory stays bounded, nothing panics, and the phase is right.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

use proptest::prelude::*;
use support::relay::{Action, Options, ScriptedRelay, Step};
use support::{PaperReceipt, envelope, hasty, letter};
use undersigned::model::{LossCause, Outcome, Phase, Reply};
use undersigned::smtp::Offer;

/// Converses as far as it goes.
async fn converse(port: u16) -> Outcome {
    let mut session = match hasty(port).connect().await {
        Ok(session) => session,
        Err(outcome) => return outcome,
    };
    let (envelope, bytes) = (envelope("mayor@town.example"), letter(1));
    match session.offer(&Offer::new(&envelope, &bytes)).await {
        Ok(accepted) => accepted.transmit(&PaperReceipt(1), &bytes, None).await,
        Err(outcome) => outcome,
    }
}

/// Sends `greeting`, then `flood` again and again, until the client has had enough; gives how many bytes went out.
fn flooding(greeting: &'static [u8], flood: Vec<u8>) -> (u16, JoinHandle<usize>) {
    const BYTES_MAX: usize = 256 * 1024 * 1024;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = std::thread::spawn(move || {
        let (mut socket, _): (TcpStream, _) = listener.accept().unwrap();
        socket.write_all(greeting).unwrap();
        let mut sent = 0;
        while sent < BYTES_MAX {
            match socket.write(&flood) {
                Ok(size) if size > 0 => sent += size,
                _ => break,
            }
        }
        sent
    });
    (port, thread)
}

#[tokio::test(flavor = "multi_thread")]
async fn replies_without_an_end_are_cut_off() {
    for (greeting, flood, phase) in [
        (&b""[..], b"220-for ever\r\n".repeat(1_000), Phase::Greeting),
        (b"", vec![b'x'; 65_536], Phase::Greeting),
        (b"", vec![b'2'; 65_536], Phase::Greeting),
        (b"", vec![0; 65_536], Phase::Greeting),
        (b"220 hello\r\n", b"250-for ever\r\n".repeat(1_000), Phase::Ehlo),
        (b"220 hello\r\n", b"250-\r\n".repeat(1_000), Phase::Ehlo),
    ] {
        let (port, thread) = flooding(greeting, flood);
        let outcome = converse(port).await;
        assert!(
            matches!(&outcome, Outcome::Lost { phase: p, cause: LossCause::Garbage, .. } if *p == phase),
            "{outcome}"
        );
        let sent = thread.join().unwrap();
        assert!(sent < 32 * 1024 * 1024, "{sent} bytes went out, more than sockets hold");
    }
}

#[tokio::test]
async fn what_makes_lettres_parser_panic_does_not_reach_it() {
    for ehlo in ["250-scripted\r\n250-   \r\n250 SIZE", "250-scripted\r\n250-\u{2003}\r\n250 \t", "250 scripted\r\n"] {
        let reply = ehlo.to_owned();
        let relay = ScriptedRelay::start(Options::default(), move |at| match at.step {
            Step::Ehlo => Action::reply(reply.trim_end_matches("\r\n")),
            _ => Action::Default,
        });
        let outcome = converse(relay.port()).await;
        assert!(outcome.reply().is_some_and(Reply::accepts_message), "{ehlo:?} {outcome}");
    }
}

#[tokio::test]
async fn replies_that_are_odd_but_clear_are_understood() {
    for (reply, code, text) in [
        ("250", 250, ""),
        ("250 \u{1b}[31mred", 250, "·[31mred"),
        ("250-2.0.0 Ok\r\n250-\r\n250 queued", 250, "Ok  queued"),
        ("571 5.7.1 go away", 571, "go away"),
        ("250 2.0.0 Ok\n", 250, "Ok"),
    ] {
        let action = Action::Garbage(format!("{}\r\n", reply.trim_end_matches('\n')).into_bytes());
        let relay = ScriptedRelay::start(Options::default(), move |at| match at.step {
            Step::Dot => action.clone(),
            _ => Action::Default,
        });
        let outcome = converse(relay.port()).await;
        let reply = outcome.reply().unwrap_or_else(|| panic!("{reply:?}: {outcome}"));
        assert_eq!((reply.code, reply.text.as_str()), (code, text));
    }
}

#[tokio::test]
async fn a_relay_that_asks_for_credentials_for_ever_is_left() {
    let options = Options { auth: Some(("a".into(), "b".into())), mechanisms: "LOGIN", ..Options::default() };
    let relay = ScriptedRelay::start(options, |at| match at.step {
        Step::Auth => Action::Garbage(b"334 VXNlcm5hbWU6\r\n".repeat(1_000)),
        _ => Action::Default,
    });
    let credentials = undersigned::smtp::Credentials::with_password("a", "b");
    let settings = undersigned::smtp::RelaySettings {
        credentials: Some(credentials),
        timeouts: support::short_timeouts(),
        ..support::settings(relay.port())
    };
    let outcome = undersigned::smtp::Relay::new(settings).unwrap().connect().await.unwrap_err();
    assert!(matches!(outcome, Outcome::Lost { phase: Phase::Auth, cause: LossCause::Garbage, .. }), "{outcome}");
}

#[tokio::test]
async fn a_reply_that_drips_does_not_outlast_its_phase() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        while socket.write_all(b"2").is_ok() {
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    let outcome = converse(port).await;
    assert!(matches!(outcome, Outcome::Lost { phase: Phase::Greeting, cause: LossCause::Timeout, .. }), "{outcome}");
    thread.join().unwrap();
}

/// Any bytes in any phase: an outcome comes, and it is an acceptance only if the relay said 250 after the dot.
fn any_bytes_in(step: usize, bytes: &[u8]) -> Outcome {
    let usual: [&[u8]; 6] =
        [b"220 hi\r\n", b"250 hi\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n", b"250 taken\r\n"];
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let bytes = bytes.to_vec();
    let thread = std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
        for (n, reply) in usual.iter().enumerate() {
            let wants_more = n == 0 || matches!(socket.read(&mut [0; 4_096]), Ok(size) if size > 0);
            let reply = if n == step { &bytes } else { *reply };
            if !wants_more || socket.write_all(reply).is_err() {
                break;
            }
            if n == step {
                break;
            }
        }
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let outcome = runtime.block_on(converse(port));
    thread.join().unwrap();
    outcome
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn no_bytes_make_the_session_panic_or_believe_in_an_acceptance(
        step in 0_usize..6,
        bytes in prop_oneof![
            "(2[0-9]{2}|354|[0-9]{3})[- ]?[ -~]{0,20}(\r\n|\n|\r)?",
            "((250|220|354)[- ][a-zA-Z0-9= ]{0,12}\r\n){0,5}",
            proptest::collection::vec(any::<u8>(), 0..60).prop_map(|b| String::from_utf8_lossy(&b).into_owned()),
        ],
    ) {
        let outcome = any_bytes_in(step, bytes.as_bytes());
        if outcome.reply().is_some_and(Reply::accepts_message) {
            prop_assert_eq!(step, 5);
            prop_assert!(bytes.starts_with("250"));
        }
    }
}
