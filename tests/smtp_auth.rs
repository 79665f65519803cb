//! AUTH by access token, and the way that is configured: each connection shows a token of its own.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use support::relay::{Action, Options, ScriptedRelay, Step};
use support::{settings, short_timeouts};
use undersigned::model::{LossCause, Outcome, Phase};
use undersigned::smtp::{Credentials, NoToken, PasswordAuth, Relay, RelaySettings, Secret, TokenFuture, TokenSource};

/// Gives `token-1`, `token-2`, …
#[derive(Default)]
struct Counting(AtomicUsize);

impl TokenSource for Counting {
    fn token(&self) -> TokenFuture<'_> {
        let number = self.0.fetch_add(1, Ordering::SeqCst) + 1;
        Box::pin(async move { Ok(format!("token-{number}").into()) })
    }
}

/// Gives what it was made with.
struct Fixed(Result<&'static str, &'static str>);

impl TokenSource for Fixed {
    fn token(&self) -> TokenFuture<'_> {
        let given = self.0.map(Into::into).map_err(|why| NoToken(why.to_owned()));
        Box::pin(async move { given })
    }
}

fn guarded(mechanisms: &'static str, secret: &str) -> Options {
    Options { auth: Some(("jane@x.example".into(), secret.into())), mechanisms, ..Options::default() }
}

fn with(port: u16, secret: Secret) -> Relay {
    let credentials = Some(Credentials { username: "jane@x.example".into(), secret });
    Relay::new(RelaySettings { credentials, timeouts: short_timeouts(), ..settings(port) }).unwrap()
}

#[tokio::test]
async fn every_connection_shows_a_token_of_its_own() {
    let relay = ScriptedRelay::start(guarded("PLAIN XOAUTH2", "token-2"), |_| Action::Default);
    let tokens = Arc::new(Counting::default());
    let client = with(relay.port(), Secret::Token(tokens.clone()));
    let refused = client.connect().await.unwrap_err();
    assert_eq!((refused.phase(), refused.reply().map(|r| r.code)), (Phase::Auth, Some(535)), "{refused}");
    client.connect().await.unwrap();
    assert_eq!(tokens.0.load(Ordering::SeqCst), 2);
    assert!(client.renews_its_secret());
}

#[tokio::test]
async fn the_reason_for_which_a_token_is_refused_is_answered_by_an_empty_line_and_not_repeated() {
    let relay = ScriptedRelay::start(guarded("XOAUTH2", "right"), |_| Action::Default);
    let refused = with(relay.port(), Secret::Token(Arc::new(Fixed(Ok("wrong"))))).connect().await.unwrap_err();
    let told = format!("{refused} {refused:?}");
    assert!(told.contains("535") && !told.contains("eyJ") && !told.contains("status\""), "{told}");
}

#[tokio::test]
async fn a_relay_that_asks_for_reasons_without_end_is_left() {
    let relay = ScriptedRelay::start(guarded("XOAUTH2", "right"), |at| match at.step {
        Step::Auth => Action::reply("334 e30="),
        _ => Action::Default,
    });
    let outcome = with(relay.port(), Secret::Token(Arc::new(Fixed(Ok("right"))))).connect().await.unwrap_err();
    assert_eq!(outcome.phase(), Phase::Auth);
}

#[tokio::test]
async fn a_token_that_cannot_be_had_or_is_none_is_told_and_never_shown() {
    for (given, words) in [
        (Err("token_command `t` failed"), "token_command `t` failed"),
        (Ok(""), "empty"),
        (Ok("two words"), "several words"),
        (Ok("s3cret\r\nMAIL FROM:<x>"), "several words or lines"),
        (Ok("s3cret\x01auth=x"), "several words"),
    ] {
        let relay = ScriptedRelay::start(guarded("XOAUTH2", "right"), |_| Action::Default);
        let outcome = with(relay.port(), Secret::Token(Arc::new(Fixed(given)))).connect().await.unwrap_err();
        assert!(matches!(outcome, Outcome::Lost { phase: Phase::Auth, cause: LossCause::NoToken, .. }), "{outcome:?}");
        assert!(outcome.to_string().contains(words) && !outcome.to_string().contains("s3cret"), "{outcome}");
        assert_eq!(relay.heard().len(), 1, "EHLO and nothing else");
    }
}

#[tokio::test]
async fn what_the_relay_does_not_offer_is_not_tried() {
    let password = |by| Secret::Password { password: "right".into(), by: Some(by) };
    for (mechanisms, secret, missing) in [
        ("PLAIN LOGIN", Secret::Token(Arc::new(Fixed(Ok("right")))), "AUTH XOAUTH2"),
        ("LOGIN", password(PasswordAuth::Plain), "AUTH PLAIN"),
        ("PLAIN", password(PasswordAuth::Login), "AUTH LOGIN"),
    ] {
        let relay = ScriptedRelay::start(guarded(mechanisms, "right"), |_| Action::Default);
        let outcome = with(relay.port(), secret).connect().await.unwrap_err();
        assert!(
            matches!(outcome, Outcome::Lost { phase: Phase::Auth, cause: LossCause::NotOffered, .. }),
            "{outcome:?}"
        );
        assert!(outcome.to_string().contains(missing), "{outcome}");
        assert_eq!(relay.heard().len(), 1, "EHLO and nothing else");
    }
}

#[tokio::test]
async fn the_configured_way_is_taken() {
    for (by, way) in [(PasswordAuth::Plain, "AUTH PLAIN "), (PasswordAuth::Login, "AUTH LOGIN")] {
        let relay = ScriptedRelay::start(guarded("PLAIN LOGIN XOAUTH2", "right"), |_| Action::Default);
        let secret = Secret::Password { password: "right".into(), by: Some(by) };
        with(relay.port(), secret).connect().await.unwrap();
        let said = relay.packets().concat();
        assert!(String::from_utf8_lossy(&said).contains(way), "{way}");
    }
}
