//! Certificates made for one test: a right one and the wrong ones.

use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// An authority of our own, with its certificate in a file.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    _folder: tempfile::TempDir,
    pub ca_file: PathBuf,
}

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        let folder = tempfile::tempdir().unwrap();
        let ca_file = folder.path().join("ca.pem");
        std::fs::write(&ca_file, pem).unwrap();
        Self { issuer: Issuer::new(params, key), _folder: folder, ca_file }
    }

    /// For a server of that name, valid now.
    pub fn server(&self, name: &str) -> Arc<ServerConfig> {
        self.issue(&CertificateParams::new(vec![name.to_owned()]).unwrap())
    }

    /// The same, but no longer valid.
    pub fn expired(&self, name: &str) -> Arc<ServerConfig> {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2001, 1, 1);
        params.not_after = date_time_ymd(2002, 1, 1);
        self.issue(&params)
    }

    /// Not valid yet.
    pub fn premature(&self, name: &str) -> Arc<ServerConfig> {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2901, 1, 1);
        params.not_after = date_time_ymd(2902, 1, 1);
        self.issue(&params)
    }

    fn issue(&self, params: &CertificateParams) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        config(certificate.der().clone(), &key)
    }
}

/// Signed by nobody but itself.
pub fn self_signed(name: &str) -> Arc<ServerConfig> {
    let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    config(made.cert.der().clone(), &made.signing_key)
}

/// The same with its certificate in a file to be pinned; with one command, most tools make one that calls itself an
/// authority.
pub fn pinned(name: &str, is_authority: bool) -> (Arc<ServerConfig>, tempfile::NamedTempFile) {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    if is_authority {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), certificate.pem()).unwrap();
    (config(certificate.der().clone(), &key), file)
}

/// That speaks this version of TLS and no other.
pub fn only(
    authority: &Authority,
    name: &str,
    version: &'static tokio_rustls::rustls::SupportedProtocolVersion,
) -> Arc<ServerConfig> {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &authority.issuer).unwrap();
    config_of(certificate.der().clone(), &key, &[version])
}

fn config(certificate: CertificateDer<'static>, key: &KeyPair) -> Arc<ServerConfig> {
    config_of(certificate, key, tokio_rustls::rustls::ALL_VERSIONS)
}

fn config_of(
    certificate: CertificateDer<'static>,
    key: &KeyPair,
    versions: &[&'static tokio_rustls::rustls::SupportedProtocolVersion],
) -> Arc<ServerConfig> {
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    Arc::new(config)
}
