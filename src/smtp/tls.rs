//! TLS to a relay: certificates are always checked, TLS 1.2 at least, and there is no way around it.

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

use super::RelayError;
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
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if let Some(path) = ca_file {
            add_ca_file(&mut roots, path)?;
        }
        if roots.is_empty() {
            return Err(RelayError::NoRoots);
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| RelayError::Tls(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), name })
    }

    /// The handshake; the caller limits its time.
    pub(super) async fn handshake(&self, socket: Box<dyn Socket>) -> Result<Box<dyn Socket>, Outcome> {
        match self.connector.connect(self.name.clone(), socket).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error) => Err(lost(Phase::Tls, cause_of(&error), &error.to_string())),
        }
    }
}

fn add_ca_file(roots: &mut RootCertStore, path: &Path) -> Result<(), RelayError> {
    let refuse = |reason: String| RelayError::CaFile { path: path.to_owned(), reason };
    let pem = std::fs::read(path).map_err(|error| refuse(error.to_string()))?;
    let mut count = 0;
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| refuse(error.to_string()))?;
        roots.add(certificate).map_err(|error| refuse(error.to_string()))?;
        count += 1;
    }
    if count == 0 { Err(refuse("there is no certificate in it".to_owned())) } else { Ok(()) }
}

fn cause_of(error: &std::io::Error) -> LossCause {
    use rustls::Error as E;
    match error.get_ref().and_then(|inner| inner.downcast_ref()) {
        Some(E::InvalidCertificate(_) | E::NoCertificatesPresented | E::UnsupportedNameType) => LossCause::Certificate,
        Some(E::AlertReceived(_)) | None => LossCause::Closed,
        Some(_) => LossCause::Garbage,
    }
}
