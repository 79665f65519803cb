//! TLS to a relay: certificates are always checked, TLS 1.2 at least, and there is no way around it.

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{self, AlertDescription, ClientConfig};

use super::RelayError;
use super::certificates::{Trust, in_words};
use super::reply::lost;
use super::stream::Socket;
use crate::model::{LossCause, Outcome, Phase};

/// What is needed to shake hands with one relay.
pub(super) struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl Tls {
    /// Trusts what the system trusts and, where given, the certificates of `ca_file` (PEM) besides.
    pub(super) fn new(host: &str, ca_file: Option<&Path>) -> Result<Self, RelayError> {
        let name = ServerName::try_from(host.to_owned()).map_err(|_| RelayError::Host(host.to_owned()))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let trust = Arc::new(Trust::new(ca_file, provider.clone())?);
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions() // TLS 1.2 and 1.3: the library has no other
            .map_err(|error| RelayError::Tls(error.to_string()))?
            .dangerous() // only the library's own rules, and one that is stricter than trusting an authority
            .with_custom_certificate_verifier(trust)
            .with_no_client_auth();
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), name })
    }

    /// The handshake; the caller limits its time.
    pub(super) async fn handshake(&self, socket: Box<dyn Socket>) -> Result<Box<dyn Socket>, Outcome> {
        match self.connector.connect(self.name.clone(), socket).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error) => Err(refusal(&error)),
        }
    }
}

/// Only staff can help where the certificate is wrong or the relay knows none but old versions of TLS; everything else
/// may be over at the next try.
fn refusal(error: &std::io::Error) -> Outcome {
    use rustls::Error as E;
    let (cause, detail) = match error.get_ref().and_then(|inner| inner.downcast_ref()) {
        Some(E::InvalidCertificate(error)) => (LossCause::Certificate, in_words(error)),
        Some(E::NoCertificatesPresented | E::UnsupportedNameType) => (LossCause::Certificate, error.to_string()),
        Some(
            E::PeerIncompatible(_)
            | E::AlertReceived(AlertDescription::ProtocolVersion | AlertDescription::InsufficientSecurity),
        ) => (LossCause::NotOffered, "TLS 1.2 or newer; whoever runs the relay must renew its TLS".to_owned()),
        Some(E::AlertReceived(_)) | None => (LossCause::Closed, error.to_string()),
        Some(_) => (LossCause::Garbage, error.to_string()),
    };
    lost(Phase::Tls, cause, &detail)
}
