//! TLS and AUTH by password: what is trusted, what is refused, and what is never said.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use support::certs::{Authority, only, pinned, self_signed};
use support::relay::{Action, Options, RelayTls, ScriptedRelay, Step};
use support::{PaperReceipt, envelope, letter, settings, short_timeouts};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use undersigned::model::{Class, LossCause, Outcome, Phase, Reply};
use undersigned::policy::{RelayEffect, RetrySchedule, Situation, decide};
use undersigned::smtp::{Credentials, Offer, Relay, RelaySettings, TlsMode};

fn client(port: u16, tls: TlsMode, ca_file: Option<PathBuf>) -> RelaySettings {
    RelaySettings { host: "localhost".into(), tls, ca_file, timeouts: short_timeouts(), ..settings(port) }
}

fn speaking(tls: TlsMode, config: Arc<ServerConfig>) -> Options {
    let tls = match tls {
        TlsMode::Implicit => RelayTls::Implicit(config),
        TlsMode::Starttls => RelayTls::Starttls(config),
        TlsMode::None => RelayTls::None,
    };
    Options { tls, ..Options::default() }
}

async fn connect(settings: RelaySettings) -> Result<(), Outcome> {
    Relay::new(settings).unwrap().connect().await.map(drop)
}

fn loss(outcome: &Result<(), Outcome>) -> Option<(Phase, LossCause)> {
    match outcome {
        Err(Outcome::Lost { phase, cause, .. }) => Some((*phase, *cause)),
        _ => None,
    }
}

#[tokio::test]
async fn a_letter_goes_through_tls_of_either_kind() {
    let authority = Authority::new();
    for tls in [TlsMode::Implicit, TlsMode::Starttls] {
        let relay = ScriptedRelay::start(speaking(tls, authority.server("localhost")), |_| Action::Default);
        let client = Relay::new(client(relay.port(), tls, Some(authority.ca_file.clone()))).unwrap();
        let mut session = client.connect().await.unwrap();
        let (envelope, bytes) = (envelope("mayor@town.example"), letter(1));
        let accepted = session.offer(&Offer::new(&envelope, &bytes)).await.unwrap();
        let outcome = accepted.transmit(&PaperReceipt(1), &bytes, None).await;
        assert!(outcome.reply().is_some_and(Reply::accepts_message), "{tls:?} {outcome}");
        assert_eq!(relay.record.entries()[0].bytes, bytes);
        session.quit().await;
    }
}

#[tokio::test]
async fn certificates_that_are_not_right_are_refused_in_words_before_a_word_is_said() {
    let authority = Authority::new();
    let other = Authority::new();
    for tls in [TlsMode::Implicit, TlsMode::Starttls] {
        for (what, config, words) in [
            ("expired", authority.expired("localhost"), "it has expired; whoever runs the relay must renew it"),
            ("not yet valid", authority.premature("localhost"), "it is not valid yet; is this machine's clock right"),
            ("of another host", authority.server("smtp.example.org"), "it is for another host name; write `host`"),
            ("self-signed", self_signed("localhost"), "name that in `ca_file`"),
            ("of another authority", other.server("localhost"), "nobody whom this machine trusts has signed it"),
        ] {
            let relay = ScriptedRelay::start(speaking(tls, config), |_| Action::Default);
            let outcome = connect(client(relay.port(), tls, Some(authority.ca_file.clone()))).await;
            assert_eq!(loss(&outcome), Some((Phase::Tls, LossCause::Certificate)), "{what} {tls:?} {outcome:?}");
            let outcome = outcome.unwrap_err();
            assert!(outcome.to_string().contains(words), "{what}: {outcome}");
            assert_eq!(class_and_effect(&outcome), (Class::Account, RelayEffect::Stop), "{what}");
            let said: Vec<_> = relay.heard().into_iter().map(|(_, line)| line).collect();
            assert!(said.iter().all(|l| l.starts_with("EHLO") || l == "STARTTLS"), "{said:?}");
        }
    }
}

/// What the dispatcher makes of it.
fn class_and_effect(outcome: &Outcome) -> (Class, RelayEffect) {
    let replies = undersigned::policy::Replies::default();
    let retry = RetrySchedule { delays: vec![Duration::from_secs(1)], give_up_after: Duration::from_secs(9) };
    let now = jiff::Timestamp::UNIX_EPOCH;
    let situation = Situation {
        now,
        tries_counted: 0,
        first_attempt_at: None,
        deadline: None,
        retry: &retry,
        jitter: 0.5,
        replies: &replies,
        is_suspect: false,
    };
    let verdict = decide(outcome, &situation);
    (verdict.class, verdict.effect)
}

#[tokio::test]
async fn a_relays_own_certificate_is_trusted_when_it_is_pinned_and_for_its_own_name_only() {
    for is_authority in [false, true] {
        let (config, file) = pinned("localhost", is_authority);
        let relay = ScriptedRelay::start(speaking(TlsMode::Implicit, config), |_| Action::Default);
        let settings = client(relay.port(), TlsMode::Implicit, Some(file.path().to_owned()));
        connect(settings).await.unwrap();

        let (config, file) = pinned("smtp.example.org", is_authority);
        let relay = ScriptedRelay::start(speaking(TlsMode::Implicit, config), |_| Action::Default);
        let settings = client(relay.port(), TlsMode::Implicit, Some(file.path().to_owned()));
        let outcome = connect(settings).await;
        assert_eq!(loss(&outcome), Some((Phase::Tls, LossCause::Certificate)), "{is_authority} {outcome:?}");

        // Another certificate for the same name is not the one that was pinned.
        let (config, _) = pinned("localhost", is_authority);
        let relay = ScriptedRelay::start(speaking(TlsMode::Implicit, config), |_| Action::Default);
        let (_, file) = pinned("localhost", is_authority);
        let outcome = connect(client(relay.port(), TlsMode::Implicit, Some(file.path().to_owned()))).await;
        assert_eq!(loss(&outcome), Some((Phase::Tls, LossCause::Certificate)), "{is_authority} {outcome:?}");
    }
}

#[tokio::test]
async fn tls_1_2_and_1_3_are_spoken() {
    let authority = Authority::new();
    for version in [&TLS12, &TLS13] {
        let config = only(&authority, "localhost", version);
        let relay = ScriptedRelay::start(speaking(TlsMode::Implicit, config), |_| Action::Default);
        connect(client(relay.port(), TlsMode::Implicit, Some(authority.ca_file.clone()))).await.unwrap();
    }
}

#[tokio::test]
async fn a_relay_that_knows_none_but_older_tls_is_refused_in_words() {
    // TLS 1.1 as an old server answers: with a ServerHello of its version, or with the alert `protocol_version`.
    let hello = [&[22, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2][..], &[7; 32], &[0, 0, 0x2f, 0]].concat();
    let alert = vec![21, 3, 2, 0, 2, 2, 70];
    for answer in [hello, alert] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut heard = [0; 4096];
            let _ = socket.read(&mut heard).await.unwrap();
            socket.write_all(&answer).await.unwrap();
            let _ = socket.read(&mut heard).await; // until the client leaves
        });
        let authority = Authority::new();
        let outcome = connect(client(port, TlsMode::Implicit, Some(authority.ca_file.clone()))).await;
        assert_eq!(loss(&outcome), Some((Phase::Tls, LossCause::NotOffered)), "{outcome:?}");
        let outcome = outcome.unwrap_err();
        assert!(outcome.to_string().contains("TLS 1.2 or newer"), "{outcome}");
        assert_eq!(class_and_effect(&outcome), (Class::Account, RelayEffect::Stop));
        server.await.unwrap();
    }
}

#[tokio::test]
async fn a_relay_without_starttls_is_refused_and_told_nothing() {
    let authority = Authority::new();
    let relay = ScriptedRelay::kind();
    let credentials = Some(Credentials::with_password("jane", "hunter2"));
    let settings = client(relay.port(), TlsMode::Starttls, Some(authority.ca_file.clone()));
    let outcome = connect(RelaySettings { credentials, ..settings }).await;
    assert_eq!(loss(&outcome), Some((Phase::Starttls, LossCause::NotOffered)));
    assert_eq!(relay.heard().len(), 1, "EHLO and nothing else");
}

#[tokio::test]
async fn a_byte_after_the_answer_to_starttls_is_an_attack() {
    let authority = Authority::new();
    for injected in ["220 go ahead\r\n250 injected", "220 go ahead\r\nx", "220 go ahead\r\n\0"] {
        let options = speaking(TlsMode::Starttls, authority.server("localhost"));
        let answer = injected.to_owned();
        let relay = ScriptedRelay::start(options, move |at| match at.step {
            Step::Starttls => Action::reply(answer.clone()),
            _ => Action::Default,
        });
        let outcome = connect(client(relay.port(), TlsMode::Starttls, Some(authority.ca_file.clone()))).await;
        assert_eq!(loss(&outcome), Some((Phase::Starttls, LossCause::Garbage)), "{injected:?}");
    }
}

#[tokio::test]
async fn starttls_that_is_answered_otherwise_ends_the_connection() {
    let authority = Authority::new();
    for (action, told) in [
        (Action::reply("454 4.7.0 TLS not available"), Some(454)),
        (Action::reply("421 4.3.2 going down"), Some(421)),
        (Action::reply("250 ok"), Some(250)),
        (Action::Drop, None),
        (Action::Hang, None),
    ] {
        let options = speaking(TlsMode::Starttls, authority.server("localhost"));
        let script = action.clone();
        let relay = ScriptedRelay::start(options, move |at| match at.step {
            Step::Starttls => script.clone(),
            _ => Action::Default,
        });
        let settings = client(relay.port(), TlsMode::Starttls, Some(authority.ca_file.clone()));
        let outcome = connect(settings).await.unwrap_err();
        assert_eq!((outcome.phase(), outcome.reply().map(|r| r.code)), (Phase::Starttls, told), "{action:?}");
    }
}

#[tokio::test]
async fn what_is_offered_before_tls_counts_for_nothing_inside_it() {
    let authority = Authority::new();
    let options = speaking(TlsMode::Starttls, authority.server("localhost"));
    let asked = AtomicUsize::new(0);
    let relay = ScriptedRelay::start(options, move |at| match at.step {
        // AUTH on the outside only: somebody between may have put it there.
        Step::Ehlo if asked.fetch_add(1, Ordering::SeqCst) == 0 => {
            Action::reply("250-scripted\r\n250-STARTTLS\r\n250 AUTH PLAIN")
        }
        _ => Action::Default,
    });
    let credentials = Some(Credentials::with_password("jane", "hunter2"));
    let settings = client(relay.port(), TlsMode::Starttls, Some(authority.ca_file.clone()));
    let outcome = connect(RelaySettings { credentials, ..settings }).await;
    assert_eq!(loss(&outcome), Some((Phase::Auth, LossCause::NotOffered)));
    let said: Vec<_> = relay.heard().into_iter().map(|(_, line)| line).collect();
    assert_eq!(said, ["EHLO campaign.example", "STARTTLS", "EHLO campaign.example"]);
}

#[tokio::test]
async fn a_tls_handshake_that_never_ends_or_is_no_tls_is_lost_at_tls() {
    let authority = Authority::new();
    for (greeting, cause) in [(Action::Hang, LossCause::Timeout), (Action::Default, LossCause::Garbage)] {
        let script = greeting.clone();
        let relay = ScriptedRelay::start(Options::default(), move |_| script.clone());
        let mut settings = client(relay.port(), TlsMode::Implicit, Some(authority.ca_file.clone()));
        settings.timeouts.tls = Duration::from_secs(1);
        assert_eq!(loss(&connect(settings).await), Some((Phase::Tls, cause)));
    }
}

fn guarded(mechanisms: &'static str) -> Options {
    Options { auth: Some(("jane@x.example".into(), "hünter 2".into())), mechanisms, ..Options::default() }
}

fn as_jane(port: u16, password: &str) -> RelaySettings {
    let credentials = Some(Credentials::with_password("jane@x.example", password));
    RelaySettings { credentials, timeouts: short_timeouts(), ..settings(port) }
}

#[tokio::test]
async fn the_relay_is_shown_the_credentials_by_plain_or_by_login() {
    for mechanisms in ["PLAIN LOGIN", "PLAIN", "LOGIN", "CRAM-MD5 LOGIN XOAUTH2"] {
        let relay = ScriptedRelay::start(guarded(mechanisms), |_| Action::Default);
        connect(as_jane(relay.port(), "hünter 2")).await.unwrap();
        let outcome = connect(as_jane(relay.port(), "wrong")).await.unwrap_err();
        assert_eq!((outcome.phase(), outcome.reply().map(|r| r.code)), (Phase::Auth, Some(535)), "{mechanisms}");
        let tries = relay.heard().iter().filter(|(_, line)| line == "AUTH").count();
        assert_eq!(tries, 2, "a refused password is not tried again");
    }
}

#[tokio::test]
async fn a_relay_that_offers_no_way_to_authenticate_is_not_used() {
    for options in [Options::default(), guarded("CRAM-MD5 XOAUTH2")] {
        let relay = ScriptedRelay::start(options, |_| Action::Default);
        let outcome = connect(as_jane(relay.port(), "hünter 2")).await;
        assert_eq!(loss(&outcome), Some((Phase::Auth, LossCause::NotOffered)));
        assert!(relay.heard().iter().all(|(_, line)| line != "AUTH"));
    }
}

#[tokio::test]
async fn every_other_answer_to_auth_ends_the_connection() {
    for (action, code, cause) in [
        (Action::reply("454 4.7.0 temporary failure"), Some(454), None),
        (Action::reply("421 4.3.2 going down"), Some(421), None),
        (Action::reply("250 ok"), Some(250), None),
        (Action::reply("334 VXNlcm5hbWU6"), None, Some(LossCause::Garbage)),
        (Action::reply("334 ?"), None, Some(LossCause::Garbage)),
        (Action::Drop, None, Some(LossCause::Closed)),
        (Action::Hang, None, Some(LossCause::Timeout)),
    ] {
        let script = action.clone();
        let relay = ScriptedRelay::start(guarded("PLAIN"), move |at| match at.step {
            Step::Auth => script.clone(),
            _ => Action::Default,
        });
        let outcome = connect(as_jane(relay.port(), "hünter 2")).await;
        assert_eq!(loss(&outcome), cause.map(|cause| (Phase::Auth, cause)), "{action:?}");
        assert_eq!(outcome.unwrap_err().reply().map(|r| r.code), code, "{action:?}");
    }
}
