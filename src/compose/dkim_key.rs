//! Keys for DKIM (RFC 6376, RFC 8463): read from PEM, made anew, and what the DNS must say of them.
//!
//! No error and no debug output here holds any part of a private key. This file must not read or write files.

use std::fmt;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use mail_auth::common::crypto::{DkimKey, Ed25519Key, RsaKey, Sha256};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use secrecy::SecretString;

/// Shorter ones are refused by some receivers and by the library (RFC 8301 3.2).
const RSA_BITS_MIN: usize = 2048;
const PEM_COLUMNS: usize = 64;

/// A kind of key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// RSA with SHA-256: every receiver knows it.
    Rsa,
    /// Ed25519 (RFC 8463): short, but not every receiver knows it.
    Ed25519,
}

/// A new key's kind and size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewKey {
    /// RSA of 2048 bits.
    Rsa2048,
    /// RSA of 3072 bits.
    Rsa3072,
    /// RSA of 4096 bits; its record is too long for some name servers.
    Rsa4096,
    /// Ed25519.
    Ed25519,
}

/// Why a key cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not PEM, or not a private key.
    #[error("there is no private key in PEM form in it (a block that begins with -----BEGIN PRIVATE KEY-----)")]
    NotPem,
    /// Under a password.
    #[error("it is under a password, and a program that runs alone knows none; take it off with: openssl pkey")]
    Encrypted,
    /// Neither RSA nor Ed25519, or damaged, or too short.
    #[error("it is neither an RSA key of at least {RSA_BITS_MIN} bits nor an Ed25519 key")]
    Unusable,
    /// The library could not make one.
    #[error("no key could be made on this machine")]
    NotMade,
}

/// A private key, parsed once.
pub struct SigningKey {
    pub(super) key: DkimKey,
    public: String,
    algorithm: Algorithm,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

impl SigningKey {
    /// Reads a key in PEM form: PKCS#8 or, for RSA, PKCS#1.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        if pem.contains("ENCRYPTED") {
            return Err(KeyError::Encrypted); // in both forms: a block's name, and a header in the older one
        }
        let der = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| KeyError::NotPem)?;
        Self::rsa(&der).or_else(|| Self::ed25519(&der)).ok_or(KeyError::Unusable)
    }

    fn rsa(der: &PrivateKeyDer<'_>) -> Option<Self> {
        let pair = match der {
            PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
            _ => RsaKeyPair::from_der(der.secret_der()),
        };
        let public: PublicKeyX509Der<'_> = pair.ok()?.public_key().as_der().ok()?;
        let key = RsaKey::<Sha256>::from_key_der(der.clone_key()).ok()?;
        Some(Self { key: DkimKey::Rsa(key), public: BASE64.encode(public.as_ref()), algorithm: Algorithm::Rsa })
    }

    fn ed25519(der: &PrivateKeyDer<'_>) -> Option<Self> {
        // Keys that other programs make leave the public half out.
        let key = Ed25519Key::from_pkcs8_maybe_unchecked_der(der.secret_der()).ok()?;
        let public = BASE64.encode(key.public_key());
        Some(Self { key: DkimKey::Ed25519(key), public, algorithm: Algorithm::Ed25519 })
    }

    /// Its kind.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The public half as it stands behind `p=` in the DNS.
    pub fn public_base64(&self) -> &str {
        &self.public
    }

    /// What the DNS must say: the value of the TXT record.
    pub fn record(&self) -> String {
        let kind = match self.algorithm {
            Algorithm::Rsa => "rsa",
            Algorithm::Ed25519 => "ed25519",
        };
        format!("v=DKIM1; k={kind}; p={}", self.public)
    }
}

/// Makes a new private key, in PEM form (PKCS#8).
pub fn generate(new: NewKey) -> Result<SecretString, KeyError> {
    let made = match new {
        NewKey::Rsa2048 => rsa(KeySize::Rsa2048),
        NewKey::Rsa3072 => rsa(KeySize::Rsa3072),
        NewKey::Rsa4096 => rsa(KeySize::Rsa4096),
        NewKey::Ed25519 => ed25519(),
    };
    made.ok_or(KeyError::NotMade)
}

fn rsa(size: KeySize) -> Option<SecretString> {
    let der: Pkcs8V1Der<'_> = RsaKeyPair::generate(size).ok()?.as_der().ok()?;
    Some(pem(der.as_ref()))
}

fn ed25519() -> Option<SecretString> {
    let der: Pkcs8V1Der<'_> = Ed25519KeyPair::generate().ok()?.as_der().ok()?;
    Some(pem(der.as_ref()))
}

fn pem(der: &[u8]) -> SecretString {
    let text = BASE64.encode(der);
    let mut out = String::from("-----BEGIN PRIVATE KEY-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at(rest.len().min(PEM_COLUMNS));
        out.push_str(line);
        out.push('\n');
        rest = more;
    }
    out.push_str("-----END PRIVATE KEY-----\n");
    SecretString::from(out)
}
