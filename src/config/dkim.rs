//! `[dkim]`: whether and with which keys messages are signed. The keys themselves are read only when they are needed.
//!
//! No error here holds any part of a key.

use std::path::{Path, PathBuf};

use secrecy::ExposeSecret;

use crate::compose::{Identity, KeyError, KeyName, KeyNameError, Signer, SigningKey};
use crate::model::EmailAddress;

use super::not_empty;
use super::reader::Reader;
use super::secret::{self, SecretError};

/// Who signs, and with which keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DkimConfig {
    /// The domain in whose name messages are signed.
    pub domain: String,
    /// None (messages are not signed here), one, or one of each kind.
    pub keys: Vec<DkimKeyConfig>,
}

/// One key as configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DkimKeyConfig {
    /// Where receivers find its public half.
    pub name: KeyName,
    /// The private key.
    pub file: PathBuf,
}

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DkimKeyError {
    /// There is no such file.
    #[error("there is no DKIM key {}; make one with: undersigned dkim keygen", .0.display())]
    Missing(PathBuf),
    /// The file does not lie as a secret must.
    #[error("DKIM key: {0}")]
    Secret(#[from] SecretError),
    /// It is no key that signs.
    #[error("the DKIM key {} cannot be used: {error}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: KeyError,
    },
}

impl DkimKeyConfig {
    /// Reads the key from its file, which nobody else may read.
    pub fn signer(&self) -> Result<Signer, DkimKeyError> {
        if !self.file.exists() {
            return Err(DkimKeyError::Missing(self.file.clone()));
        }
        let pem = secret::private_file(&self.file)?;
        let key = SigningKey::from_pem(pem.expose_secret())
            .map_err(|error| DkimKeyError::Unusable { path: self.file.clone(), error })?;
        Ok(Signer::new(self.name.clone(), key))
    }
}

pub(super) fn read(reader: &mut Reader<'_>, dir: &Path, identity: Option<&Identity>) -> Option<DkimConfig> {
    let domain = reader.text("dkim.domain", domain);
    let domain = domain.or_else(|| identity.map(|identity| identity.sender.domain().to_owned()))?;
    let keys = ["dkim.", "dkim.second."].map(|prefix| read_key(reader, prefix, &domain, dir));
    let keys: Vec<DkimKeyConfig> = keys.into_iter().flatten().collect();
    if let [first, second] = keys.as_slice()
        && first.name == second.name
    {
        reader.complain("dkim.second.selector", "expected another selector than the first key has");
    }
    if let Some(identity) = identity.filter(|_| !keys.is_empty()) {
        must_be_the_senders(reader, &domain, identity);
    }
    Some(DkimConfig { domain, keys })
}

fn read_key(reader: &mut Reader<'_>, prefix: &str, domain: &str, dir: &Path) -> Option<DkimKeyConfig> {
    let (selector, file) = (format!("{prefix}selector"), format!("{prefix}key_file"));
    let name = reader.text(&selector, |text| KeyName::new(text, domain));
    let path = reader.text(&file, |text| not_empty(text).map(|text| dir.join(text)));
    for (here, other) in [(&selector, &file), (&file, &selector)] {
        if reader.is_written(here) && !reader.is_written(other) {
            reader.complain(other, &format!("`{here}` is there, so expected this, too"));
        }
    }
    Some(DkimKeyConfig { name: name?, file: path? })
}

/// In the form that the DNS has.
fn domain(text: &str) -> Result<String, KeyNameError> {
    let address = EmailAddress::parse(&format!("postmaster@{text}")).map_err(|_| KeyNameError::Domain)?;
    Ok(address.domain().to_owned())
}

/// A signature by another domain than that of `From` is worth nothing to DMARC (RFC 7489 3.1.1).
fn must_be_the_senders(reader: &mut Reader<'_>, domain: &str, identity: &Identity) {
    for (key, sender) in
        [("campaign.sender", &identity.sender), ("campaign.confirmation_sender", &identity.confirmation_sender)]
    {
        let from = sender.domain();
        if !is_same_or_below(from, domain) && !is_same_or_below(domain, from) {
            let written = if reader.is_written("dkim.domain") { "dkim.domain" } else { key };
            let expected = format!(
                "messages from {from} would be signed by {domain}, and receivers want the two to be one (DMARC); \
                 expected the domain of campaign.sender everywhere"
            );
            reader.complain(written, &expected);
            return;
        }
    }
}

fn is_same_or_below(name: &str, domain: &str) -> bool {
    name.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}
