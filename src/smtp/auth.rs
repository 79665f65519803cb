//! AUTH: PLAIN or LOGIN, each step by itself, so that the relay's refusal is read as it stands.
//!
//! The connection is TLS, or to this machine: [`super::Relay::new`] refuses every other. Nothing here is logged.

use lettre::transport::smtp::authentication::{Credentials as LettreCredentials, Mechanism};
use lettre::transport::smtp::commands::Auth;
use secrecy::ExposeSecret;

use super::Credentials;
use super::reply::lost;
use super::session::Session;
use crate::model::{LossCause, Outcome, Phase};

/// LOGIN asks for a name and a password; a relay that asks on is not asking for them.
const CHALLENGES_MAX: usize = 3;

/// Shows the credentials to the relay; 235 is the only yes.
pub(super) async fn authenticate(session: &mut Session, credentials: &Credentials) -> Result<(), Outcome> {
    let mechanism = if session.offers().auth_plain {
        Mechanism::Plain
    } else if session.offers().auth_login {
        Mechanism::Login
    } else {
        return Err(lost(Phase::Auth, LossCause::NotOffered, "neither AUTH PLAIN nor AUTH LOGIN"));
    };
    let secret = credentials.password.expose_secret().to_owned();
    let known = LettreCredentials::new(credentials.username.clone(), secret);
    let unreadable = |_| lost(Phase::Auth, LossCause::Garbage, "the relay asked for something that is no credential");
    let mut command = Auth::new(mechanism, known.clone(), None).map_err(unreadable)?;
    for _ in 0..CHALLENGES_MAX {
        let (reply, response) = session.ask_lettre(Phase::Auth, command).await?;
        match (reply.code, response) {
            (235, _) => return Ok(()),
            (334, Some(challenge)) => {
                command = Auth::new_from_response(mechanism, known.clone(), &challenge).map_err(unreadable)?;
            }
            _ => return Err(Outcome::Replied(reply.at(Phase::Auth))),
        }
    }
    Err(lost(Phase::Auth, LossCause::Garbage, "the relay asked for credentials without end"))
}
