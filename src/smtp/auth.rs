//! AUTH: PLAIN, LOGIN or XOAUTH2, each step by itself, so that the relay's refusal is read as it stands.
//!
//! The connection is TLS, or to this machine: [`super::Relay::new`] refuses every other. Nothing here is logged, and
//! what a relay repeats of a secret is taken out of its reply. CRAM-MD5 is not there: lettre has none.

use lettre::transport::smtp::authentication::{Credentials as LettreCredentials, Mechanism};
use lettre::transport::smtp::commands::Auth;
use secrecy::{ExposeSecret, SecretString};

use super::credentials::{Credentials, PasswordAuth, Secret, is_token};
use super::offers::Offers;
use super::reply::{RawReply, lost};
use super::session::Session;
use crate::model::{LossCause, Outcome, Phase};

/// LOGIN asks for a name and a password, XOAUTH2 tells once why it refuses; a relay that asks on is not asking for
/// credentials.
const CHALLENGES_MAX: usize = 3;

/// Shows the credentials to the relay; 235 is the only yes.
pub(super) async fn authenticate(session: &mut Session, credentials: &Credentials) -> Result<(), Outcome> {
    let mechanism = choose(&credentials.secret, session.offers())?;
    let secret = secret_of(credentials).await?;
    let known = LettreCredentials::new(credentials.username.clone(), secret.expose_secret().to_owned());
    let unreadable = |_| lost(Phase::Auth, LossCause::Garbage, "the relay asked for something that is no credential");
    let mut command = Auth::new(mechanism, known.clone(), None).map_err(unreadable)?.to_string();
    let mut said = vec![secret.expose_secret().to_owned()];
    for _ in 0..CHALLENGES_MAX {
        let (reply, response) = session.ask_lettre(Phase::Auth, &command).await?;
        said.extend(shown_by(&command));
        command = match (reply.code, response) {
            (235, _) => return Ok(()),
            // The relay tells in JSON why it refuses, and refuses once it is answered by an empty line.
            (334, _) if mechanism == Mechanism::Xoauth2 => "\r\n".to_owned(),
            (334, Some(challenge)) => {
                Auth::new_from_response(mechanism, known.clone(), &challenge).map_err(unreadable)?.to_string()
            }
            _ => return Err(Outcome::Replied(without(reply, &said).at(Phase::Auth))),
        };
    }
    Err(lost(Phase::Auth, LossCause::Garbage, "the relay asked for credentials without end"))
}

/// What a command shows in secret: all of an answer, and of AUTH what follows the mechanism.
fn shown_by(command: &str) -> Option<String> {
    let mut words = command.split_ascii_whitespace();
    let shown = match words.next()? {
        "AUTH" => words.nth(1)?,
        answer => answer,
    };
    Some(shown.to_owned())
}

/// How the secret is shown: as configured, else by the best that is offered.
fn choose(secret: &Secret, offers: Offers) -> Result<Mechanism, Outcome> {
    let (plain, login) = (offers.auth_plain, offers.auth_login);
    let (chosen, missing) = match secret {
        Secret::Token(_) => (offers.auth_xoauth2.then_some(Mechanism::Xoauth2), "AUTH XOAUTH2"),
        Secret::Password { by: Some(PasswordAuth::Plain), .. } => (plain.then_some(Mechanism::Plain), "AUTH PLAIN"),
        Secret::Password { by: Some(PasswordAuth::Login), .. } => (login.then_some(Mechanism::Login), "AUTH LOGIN"),
        Secret::Password { by: None, .. } if plain => (Some(Mechanism::Plain), ""),
        Secret::Password { by: None, .. } => {
            (login.then_some(Mechanism::Login), "neither AUTH PLAIN nor AUTH LOGIN, as a password needs")
        }
    };
    chosen.ok_or_else(|| lost(Phase::Auth, LossCause::NotOffered, missing))
}

async fn secret_of(credentials: &Credentials) -> Result<SecretString, Outcome> {
    let no_token = |why: &str| lost(Phase::Auth, LossCause::NoToken, why);
    match &credentials.secret {
        Secret::Password { password, .. } => Ok(password.clone()),
        Secret::Token(source) => match source.token().await {
            Ok(token) if is_token(token.expose_secret()) => Ok(token),
            Ok(_) => Err(no_token("what was given is empty, or several words or lines, and so no token")),
            Err(error) => Err(no_token(&error.to_string())),
        },
    }
}

/// A reply without what we said in secret: some relays repeat a command that they refuse.
fn without(mut reply: RawReply, said: &[String]) -> RawReply {
    for line in &mut reply.lines {
        for secret in said {
            *line = line.replace(secret.as_str(), "…");
        }
    }
    reply
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offers(auth_plain: bool, auth_login: bool, auth_xoauth2: bool) -> Offers {
        Offers { auth_plain, auth_login, auth_xoauth2, ..Offers::default() }
    }

    #[test]
    fn a_password_is_shown_as_configured_or_by_the_best_that_is_offered() {
        use Mechanism::{Login, Plain};
        for (by, plain, login, expected) in [
            (None, true, true, Some(Plain)),
            (None, false, true, Some(Login)),
            (None, false, false, None),
            (Some(PasswordAuth::Login), true, true, Some(Login)),
            (Some(PasswordAuth::Login), true, false, None),
            (Some(PasswordAuth::Plain), true, true, Some(Plain)),
            (Some(PasswordAuth::Plain), false, true, None),
        ] {
            let secret = Secret::Password { password: "x".into(), by };
            let chosen = choose(&secret, offers(plain, login, true));
            assert_eq!(chosen.ok(), expected, "{by:?} {plain} {login}");
        }
    }

    #[test]
    fn what_a_command_shows_in_secret_is_known() {
        for (command, shown) in [
            ("AUTH PLAIN AGEAYg==\r\n", Some("AGEAYg==")),
            ("AUTH LOGIN\r\n", None),
            ("YQ==\r\n", Some("YQ==")),
            ("\r\n", None),
        ] {
            assert_eq!(shown_by(command).as_deref(), shown, "{command:?}");
        }
    }

    #[test]
    fn what_a_relay_repeats_of_a_secret_is_taken_out() {
        let lines = vec!["5.7.8 AGphbmUAaHVudGVyMg== is not".to_owned(), "hunter2? no".to_owned()];
        let said = ["hunter2".to_owned(), "AGphbmUAaHVudGVyMg==".to_owned()];
        let told = without(RawReply { code: 535, lines }, &said);
        assert_eq!(told.lines, ["5.7.8 … is not", "…? no"]);
    }
}
