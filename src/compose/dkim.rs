//! DKIM (RFC 6376): a signature over a finished message, in the name of the campaign's domain.
//!
//! The same message gets the same signature after any crash: its time is that of the message's own Date, and both
//! algorithms are deterministic. This file must not read a clock, and never signs only a part of the body (`l=`).

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use mail_auth::common::crypto::{HashAlgorithm, SigningKey as _};
use mail_auth::common::headers::{HeaderStream, Writable, Writer};
use mail_auth::dkim::canonicalize::CanonicalHeaders;
use mail_auth::dkim::{DkimSigner, Done, Signature};

use super::dkim_key::SigningKey;

/// What is signed: all that a reader sees or a program acts on. A header that a message has is named once more than it
/// occurs, so that nobody on the way can add a second one without breaking the signature (RFC 6376 5.4.2).
const HEADERS: &[&str] = &[
    "From",
    "From",
    "Reply-To",
    "Reply-To",
    "To",
    "To",
    "Cc",
    "Subject",
    "Subject",
    "Date",
    "Date",
    "Message-ID",
    "Message-ID",
    "In-Reply-To",
    "References",
    "MIME-Version",
    "MIME-Version",
    "Content-Type",
    "Content-Type",
    "Content-Transfer-Encoding",
    "Auto-Submitted",
    "Auto-Submitted",
    "X-Campaign-Message",
    "X-Campaign-Message",
];

const NAME_BYTES_MAX: usize = 253;
const LABEL_BYTES_MAX: usize = 63;

/// Where receivers find the public key: at `<selector>._domainkey.<domain>` in the DNS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyName {
    selector: String,
    domain: String,
}

/// Why it is no place in the DNS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyNameError {
    /// The selector.
    #[error("expected a short name of the letters a-z, digits and hyphens, like \"undersigned1\"")]
    Selector,
    /// The domain.
    #[error("expected a domain, like \"campaign.example\"")]
    Domain,
}

impl KeyName {
    /// Takes a selector and a domain in ASCII.
    pub fn new(selector: &str, domain: &str) -> Result<Self, KeyNameError> {
        let name = Self { selector: selector.to_ascii_lowercase(), domain: domain.to_ascii_lowercase() };
        if !name.selector.split('.').all(is_label) {
            return Err(KeyNameError::Selector);
        }
        if !name.domain.contains('.') || !name.domain.split('.').all(is_label) {
            return Err(KeyNameError::Domain);
        }
        if name.in_dns().len() > NAME_BYTES_MAX { Err(KeyNameError::Selector) } else { Ok(name) }
    }

    /// The selector: which of the domain's keys.
    pub fn selector(&self) -> &str {
        &self.selector
    }

    /// The domain that signs.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The whole name of the TXT record.
    pub fn in_dns(&self) -> String {
        format!("{}._domainkey.{}", self.selector, self.domain)
    }
}

fn is_label(label: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let edges = label.starts_with('-') || label.ends_with('-');
    !label.is_empty() && label.len() <= LABEL_BYTES_MAX && !edges && label.bytes().all(allowed)
}

/// Signs messages with one key.
#[derive(Clone)]
pub struct Signer {
    name: KeyName,
    record: String,
    inner: Arc<DkimSigner<mail_auth::common::crypto::DkimKey, Done>>,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Signer {
    /// Signs with this key, whose public half is to be found under this name.
    pub fn new(name: KeyName, key: SigningKey) -> Self {
        let record = key.record();
        let signer = DkimSigner::from_key(key.key).domain(name.domain()).selector(name.selector());
        Self { inner: Arc::new(signer.headers(HEADERS.iter().copied())), name, record }
    }

    /// Where the public key is to be found.
    pub fn name(&self) -> &KeyName {
        &self.name
    }

    /// What must be found there.
    pub fn record(&self) -> &str {
        &self.record
    }

    /// The header `DKIM-Signature`, with its line end, to be put before the message.
    pub(super) fn header(&self, message: &[u8], date: Timestamp) -> Result<Vec<u8>, mail_auth::Error> {
        let mut signature = self.inner.template.clone();
        let (_, headers, names, body) = signature.canonicalize(Fields::of(message));
        signature.h = names;
        signature.bh = HashAlgorithm::Sha256.hash(body).as_ref().to_vec();
        signature.t = u64::try_from(date.as_second()).unwrap_or_default();
        signature.b = self.inner.key.sign(Signable { headers, signature: &signature })?;
        let mut header = Vec::with_capacity(1024);
        signature.write(&mut header, true);
        Ok(header)
    }
}

/// The headers, then the signature itself without its value (RFC 6376 3.7).
struct Signable<'a> {
    headers: CanonicalHeaders<'a>,
    signature: &'a Signature,
}

impl Writable for Signable<'_> {
    fn write(self, writer: &mut impl Writer) {
        self.headers.write(writer);
        self.signature.write(writer, false);
    }
}

/// The headers of a message that was made here, one after the other: every line ends in CRLF, folded lines start with
/// a space or a tab.
struct Fields<'a> {
    head: &'a [u8],
    body: &'a [u8],
}

impl<'a> Fields<'a> {
    fn of(message: &'a [u8]) -> Self {
        let end = message.windows(4).position(|four| four == b"\r\n\r\n");
        let (head, rest) = message.split_at(end.map_or(message.len(), |at| at + 2));
        Self { head, body: rest.get(2..).unwrap_or_default() }
    }
}

impl<'a> HeaderStream<'a> for Fields<'a> {
    fn next_header(&mut self) -> Option<(&'a [u8], &'a [u8])> {
        let colon = self.head.iter().position(|&byte| byte == b':')?;
        let ends_here = |three: &[u8]| three.starts_with(b"\r\n") && !matches!(three.get(2), Some(b' ' | b'\t'));
        let end = self.head.windows(3).position(ends_here).map_or(self.head.len(), |at| at + 2);
        let (field, rest) = self.head.split_at(end);
        self.head = rest;
        Some((field.get(..colon)?, field.get(colon + 1..)?))
    }

    fn body(&mut self) -> &'a [u8] {
        self.body
    }
}
