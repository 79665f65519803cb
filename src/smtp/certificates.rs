//! Which certificates are trusted, and what staff read of one that is not.
//!
//! What the system trusts and what a `ca_file` names: an authority, or the relay's own certificate. Name and time
//! count for both; nothing here lets a certificate pass that is neither.

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::client::{WebPkiServerVerifier, verify_server_name};
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::RelayError;

/// What is trusted.
#[derive(Debug)]
pub(super) struct Trust {
    usual: Arc<WebPkiServerVerifier>,
    /// The certificates of the `ca_file`, each as it is.
    pinned: Vec<CertificateDer<'static>>,
}

impl Trust {
    /// What the system trusts and, where given, the certificates of `ca_file` (PEM) besides.
    pub(super) fn new(ca_file: Option<&Path>, provider: Arc<CryptoProvider>) -> Result<Self, RelayError> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let pinned = ca_file.map(|path| add_ca_file(&mut roots, path)).transpose()?.unwrap_or_default();
        if roots.is_empty() {
            return Err(RelayError::NoRoots);
        }
        let usual = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
        Ok(Self { usual: usual.map_err(|error| RelayError::Tls(error.to_string()))?, pinned })
    }

    /// A relay's own certificate that calls itself an authority, as those do that are made with one command, is refused
    /// by the usual rules for that alone. Its time was looked at before; its name is looked at here.
    fn is_pinned_authority(&self, certificate: &CertificateDer<'_>, name: &ServerName<'_>, error: &Error) -> bool {
        let is_authority = matches!(error, Error::InvalidCertificate(CertificateError::Other(other))
            if other.to_string() == "CaUsedAsEndEntity");
        let bears =
            |name| ParsedCertificate::try_from(certificate).and_then(|parsed| verify_server_name(&parsed, name));
        is_authority && self.pinned.contains(certificate) && bears(name).is_ok()
    }
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self.usual.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            Err(error) if self.is_pinned_authority(end_entity, server_name, &error) => {
                Ok(ServerCertVerified::assertion())
            }
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}

fn add_ca_file(roots: &mut RootCertStore, path: &Path) -> Result<Vec<CertificateDer<'static>>, RelayError> {
    let refuse = |reason: String| RelayError::CaFile { path: path.to_owned(), reason };
    let pem = std::fs::read(path).map_err(|error| refuse(error.to_string()))?;
    let mut named = Vec::new();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| refuse(error.to_string()))?;
        roots.add(certificate.clone()).map_err(|error| refuse(error.to_string()))?;
        named.push(certificate);
    }
    if named.is_empty() { Err(refuse("there is no certificate in it".to_owned())) } else { Ok(named) }
}

/// What is wrong with a certificate, and what to do about it.
pub(super) fn in_words(error: &CertificateError) -> String {
    use CertificateError as E;
    match error {
        E::Expired | E::ExpiredContext { .. } => {
            "it has expired; whoever runs the relay must renew it (or this machine's clock is wrong)".to_owned()
        }
        E::NotValidYet | E::NotValidYetContext { .. } => {
            "it is not valid yet; is this machine's clock right? Else whoever runs the relay must mend it".to_owned()
        }
        E::NotValidForName | E::NotValidForNameContext { .. } => {
            "it is for another host name; write `host` as the certificate has it, if that is your relay".to_owned()
        }
        // The second is of a certificate that names a trusted authority, and that one did not sign it.
        E::UnknownIssuer | E::BadSignature => {
            "nobody whom this machine trusts has signed it; if it is your own relay's, put it (or its \
                             authority's) into a file and name that in `ca_file`"
                .to_owned()
        }
        E::Revoked => "it was revoked; ask whoever runs the relay".to_owned(),
        other => other.to_string(),
    }
}
