//! From a name to a session: look-up, TCP, TLS, greeting, EHLO, AUTH.
//!
//! Up to the end of STARTTLS this file speaks for itself, so that no byte from before TLS can pass for one from
//! inside it (the class of CVE-2011-0411); then lettre says EHLO.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::extension::ClientId;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::auth::authenticate;
use super::offers::Offers;
use super::reply::{RawReply, lost};
use super::session::Session;
use super::stream::{Trouble, Unasked, Wire};
use super::{Relay, TlsMode};
use crate::model::{LossCause, Outcome, Phase};

impl Relay {
    /// Makes a connection and leads it to where a message can be offered.
    pub async fn connect(&self) -> Result<Session, Outcome> {
        let (socket, peer) = self.dial().await?;
        let (wire, greeting) = match self.settings.tls {
            TlsMode::None => self.greet(Wire::new(Box::new(socket), peer)).await?,
            TlsMode::Implicit => self.greet(self.secure(Wire::new(Box::new(socket), peer), peer).await?).await?,
            TlsMode::Starttls => self.starttls(Wire::new(Box::new(socket), peer), peer).await?,
        };
        let mut session = self.hello(wire, &greeting).await?;
        if let Some(credentials) = &self.settings.credentials {
            authenticate(&mut session, credentials).await?;
        }
        Ok(session)
    }

    async fn dial(&self) -> Result<(TcpStream, SocketAddr), Outcome> {
        let limit = self.settings.timeouts.connect;
        timeout(limit, self.dial_any()).await.unwrap_or_else(|_| Err(lost(Phase::Connect, LossCause::Timeout, "")))
    }

    /// Tries the addresses of the host in the order in which the system gives them.
    async fn dial_any(&self) -> Result<(TcpStream, SocketAddr), Outcome> {
        let settings = &self.settings;
        let unknown = |error: io::Error| lost(Phase::Connect, LossCause::Dns, &error.to_string());
        let found: Vec<_> = lookup_host((settings.host.as_str(), settings.port)).await.map_err(unknown)?.collect();
        // A name of this machine that leads elsewhere must not carry plaintext there.
        let allowed = |address: &&SocketAddr| settings.tls != TlsMode::None || address.ip().is_loopback();
        let mut last = lost(Phase::Connect, LossCause::Dns, "the name has no address that may be used");
        for address in found.iter().filter(allowed) {
            let share = settings.timeouts.connect / u32::try_from(found.len()).unwrap_or(u32::MAX);
            match timeout(share, TcpStream::connect(address)).await {
                Ok(Ok(socket)) => {
                    // Without it the kernel waits 40 ms for company before it sends a small packet.
                    socket.set_nodelay(true).map_err(|e| lost(Phase::Connect, LossCause::Closed, &e.to_string()))?;
                    return Ok((socket, *address));
                }
                Ok(Err(error)) => last = lost(Phase::Connect, LossCause::Refused, &error.to_string()),
                Err(_) => last = lost(Phase::Connect, LossCause::Timeout, ""),
            }
        }
        Err(last)
    }

    async fn secure(&self, wire: Wire, peer: SocketAddr) -> Result<Wire, Outcome> {
        let no_tls = || lost(Phase::Tls, LossCause::NotOffered, "TLS is not set up");
        let (tls, socket) = self.tls.as_ref().zip(wire.into_socket()).ok_or_else(no_tls)?;
        let handshake = timeout(self.settings.timeouts.tls, tls.handshake(socket)).await;
        let socket = handshake.map_err(|_| lost(Phase::Tls, LossCause::Timeout, ""))??;
        Ok(Wire::new(socket, peer))
    }

    async fn greet(&self, wire: Wire) -> Result<(Wire, RawReply), Outcome> {
        let greeting = within(Phase::Greeting, self.settings.timeouts.greeting, wire.ask(b"")).await?;
        let greeting = expect(Phase::Greeting, 220, greeting)?;
        Ok((wire, greeting))
    }

    async fn starttls(&self, wire: Wire, peer: SocketAddr) -> Result<(Wire, RawReply), Outcome> {
        let limit = self.settings.timeouts.ehlo;
        let (wire, _) = self.greet(wire).await?;
        let ehlo = format!("EHLO {}\r\n", self.settings.hello_name);
        let offers = expect(Phase::Ehlo, 250, within(Phase::Ehlo, limit, wire.ask(ehlo.as_bytes())).await?)?;
        if !Offers::read(&offers).starttls {
            return Err(lost(Phase::Starttls, LossCause::NotOffered, "STARTTLS"));
        }
        let ready = within(Phase::Starttls, limit, wire.ask(b"STARTTLS\r\n")).await?;
        let ready = expect(Phase::Starttls, 220, ready)?;
        if !matches!(wire.unasked().await, Unasked::Nothing) {
            let detail = "the relay, or somebody between, sent more than its answer to STARTTLS";
            return Err(lost(Phase::Starttls, LossCause::Garbage, detail));
        }
        Ok((self.secure(wire, peer).await?, ready))
    }

    /// lettre says EHLO. The greeting was read already; lettre reads it once more from the wire's memory.
    async fn hello(&self, wire: Wire, greeting: &RawReply) -> Result<Session, Outcome> {
        let (limits, timeouts) = (self.settings.limits, self.settings.timeouts);
        let name = ClientId::Domain(self.settings.hello_name.clone());
        wire.replay(greeting);
        let connecting = AsyncSmtpConnection::connect_with_transport(Box::new(wire.clone()), &name);
        let connected = timeout(timeouts.ehlo, connecting).await;
        // A refusal counts even when the farewell that lettre sends after it runs out of time.
        let reply = match wire.heard() {
            Some(Ok(reply)) => expect(Phase::Ehlo, 250, reply)?,
            Some(Err(trouble)) => return Err(lost(Phase::Ehlo, trouble.cause, &trouble.detail)),
            None => return Err(lost(Phase::Ehlo, LossCause::Timeout, "")),
        };
        match connected {
            Ok(Ok(lettre)) => {
                Ok(Session::new(lettre, wire, Offers::read(&reply), timeouts, limits, self.trust.clone()))
            }
            Ok(Err(_)) => Err(lost(Phase::Ehlo, LossCause::Garbage, "the relay's answer to EHLO has no name in it")),
            Err(_) => Err(lost(Phase::Ehlo, LossCause::Timeout, "")),
        }
    }
}

async fn within(
    phase: Phase,
    limit: Duration,
    talk: impl Future<Output = Result<RawReply, Trouble>>,
) -> Result<RawReply, Outcome> {
    let heard = timeout(limit, talk).await.unwrap_or_else(|_| Err(Trouble::timeout()));
    heard.map_err(|trouble| lost(phase, trouble.cause, &trouble.detail))
}

fn expect(phase: Phase, code: u16, reply: RawReply) -> Result<RawReply, Outcome> {
    if reply.code == code { Ok(reply) } else { Err(Outcome::Replied(reply.at(phase))) }
}
