//! From a rendered letter to the bytes of a message: headers, text and HTML, the same bytes every time.
//!
//! The official must see whom a letter is from and be able to answer that person, while the message is honestly
//! ours: `From` is our own address with the constituent's name, `Reply-To` is the constituent. This module must
//! not read a clock or draw a random number (but for a new DKIM key), and must not send anything.

mod dkim;
mod dkim_key;
mod header;
mod quoted_printable;

use std::fmt;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use lettre::Address;
use lettre::message::header::{ContentTransferEncoding, ContentType, Date, HeaderName, HeaderValue};
use lettre::message::{Body, Message, MultiPart, SinglePart};
use sha2::{Digest, Sha256};

use crate::model::{Constituent, Content, EmailAddress, Envelope, MessageRef, Official, Stamp, unprintable};
use crate::template::{Rendered, to_text_and_html};

pub use dkim::{KeyName, KeyNameError, Signer};
pub use dkim_key::{Algorithm, KeyError, NewKey, SigningKey, generate};

/// Where answers to a letter go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplyTo {
    /// To the constituent who signed it.
    Constituent,
    /// To the campaign's own address; no `Reply-To` is set.
    Sender,
}

/// Who the campaign is, on every message.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The campaign's name, as officials and constituents read it.
    pub campaign: String,
    /// `From` of letters.
    pub sender: EmailAddress,
    /// `From` of confirmations.
    pub confirmation_sender: EmailAddress,
    /// MAIL FROM of everything: where bounces and automatic answers go.
    pub envelope_sender: EmailAddress,
    /// Where answers to a letter go.
    pub reply_to: ReplyTo,
    /// The language of what names none of its own, for screen readers: `en`.
    pub language: String,
}

/// What is fixed at the first hand-over of a message, before its bytes exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StampSeed {
    /// Message-ID without angle brackets.
    pub message_id: String,
    /// The Date header, shown in UTC to the second.
    pub date: Timestamp,
}

impl From<&Stamp> for StampSeed {
    fn from(stamp: &Stamp) -> Self {
        Self { message_id: stamp.message_id.clone(), date: stamp.date }
    }
}

/// A message, ready for a relay.
#[derive(Clone)]
pub struct Parcel {
    /// From and to whom.
    pub envelope: Envelope,
    /// The whole message: CRLF line ends, lines of at most 998 bytes, ASCII unless [`Self::needs_smtputf8`].
    pub bytes: Vec<u8>,
    /// SHA-256 of the message without its DKIM signatures: a key that is changed between two tries changes no message.
    pub hash: [u8; 32],
    /// Whether only a relay with SMTPUTF8 (RFC 6531) can take it: the local part of an address in the envelope
    /// *or in a header* is not ASCII. An answer to a rewritten address would be lost, so none is rewritten.
    pub needs_smtputf8: bool,
}

impl fmt::Debug for Parcel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Parcel");
        shown.field("envelope", &self.envelope).field("bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}

/// Why a message cannot be made. Holds nothing personal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ComposeError {
    /// The campaign's name would break a header.
    #[error("the campaign's name is empty or has a line break or an invisible character in it; type it again by hand")]
    Campaign,
    /// There is nowhere to send it.
    #[error("message {0}: the official has no mailbox; add one to the contacts")]
    NoMailbox(String),
    /// The subject has a control character, or the Message-ID is not one.
    #[error("message {message}: its {what} cannot stand in a header")]
    Header {
        /// Which message.
        message: String,
        /// Which header.
        what: &'static str,
    },
    /// The DKIM library refuses it.
    #[error("message {message}: it cannot be signed with the DKIM key of selector {selector}: {reason}")]
    Unsigned {
        /// Which message.
        message: String,
        /// Which key.
        selector: String,
        /// What the library says; it names no person and no part of the key.
        reason: String,
    },
    /// The mail builder refuses it.
    #[error("message {message}: the mail builder refuses it: {reason}")]
    Builder {
        /// Which message.
        message: String,
        /// What the builder says; it names no person.
        reason: String,
    },
}

/// A Message-ID, without angle brackets, at the domain of our own sender. `random` keeps two ledgers that were
/// copied from each other apart.
pub fn new_message_id(message: &MessageRef, identity: &Identity, random: u64) -> String {
    format!("{message}.{random:016x}@{}", identity.sender.domain())
}

/// Makes messages of one campaign.
#[derive(Debug, Clone)]
pub struct Composer {
    identity: Identity,
    signers: Vec<Signer>,
}

/// What tells one kind of message from another.
struct Draft<'a> {
    from: (String, &'a EmailAddress),
    reply_to: Option<(&'a str, &'a EmailAddress)>,
    to: (String, &'a EmailAddress),
    subject: String,
    markdown: &'a str,
    language: Option<&'a str>,
    is_automatic: bool,
    is_test: bool,
}

impl Draft<'_> {
    fn needs_smtputf8(&self) -> bool {
        let answers = self.reply_to.map(|(_, address)| address);
        [self.from.1, self.to.1].into_iter().chain(answers).any(EmailAddress::needs_smtputf8)
    }
}

impl Composer {
    /// Takes an identity whose campaign name can stand in a header.
    pub fn new(identity: Identity) -> Result<Self, ComposeError> {
        let name = &identity.campaign;
        if name.trim().is_empty() || name.contains(char::is_control) || unprintable(name).is_some() {
            return Err(ComposeError::Campaign);
        }
        Ok(Self { identity, signers: Vec::new() })
    }

    /// Signs every message with each of these keys.
    #[must_use]
    pub fn signed_by(self, signers: Vec<Signer>) -> Self {
        Self { signers, ..self }
    }

    /// The identity.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// A letter to an official.
    pub fn letter(
        &self,
        message: &MessageRef,
        seed: &StampSeed,
        official: &Official,
        constituent: &Constituent,
        rendered: &Rendered,
    ) -> Result<Parcel, ComposeError> {
        let mailbox = official.mailbox.as_ref().ok_or_else(|| ComposeError::NoMailbox(message.to_string()))?;
        self.build(message, seed, &self.letter_draft(constituent, (official.salutation(), mailbox), rendered))
    }

    /// A confirmation to a constituent.
    pub fn confirmation(
        &self,
        message: &MessageRef,
        seed: &StampSeed,
        constituent: &Constituent,
        rendered: &Rendered,
    ) -> Result<Parcel, ComposeError> {
        let to = (constituent.name.to_string(), &constituent.mailbox);
        self.build(message, seed, &self.confirmation_draft(to, rendered))
    }

    /// The same message for the eyes of staff: to them alone, marked as a test in its subject and in
    /// `X-Campaign-Test`, with answers to them and not to the constituent.
    pub fn test_of(
        &self,
        message: &MessageRef,
        seed: &StampSeed,
        content: &Content,
        rendered: &Rendered,
        to: &EmailAddress,
    ) -> Result<Parcel, ComposeError> {
        let recipient = (String::new(), to);
        let mut draft = match content {
            Content::Letter { constituent, .. } => self.letter_draft(constituent, recipient, rendered),
            Content::Confirmation { .. } => self.confirmation_draft(recipient, rendered),
        };
        if let Some((_, address)) = &mut draft.reply_to {
            *address = to;
        }
        draft.subject = format!("[TEST] {}", draft.subject);
        draft.is_test = true;
        self.build(message, seed, &draft)
    }

    fn letter_draft<'a>(
        &'a self,
        constituent: &'a Constituent,
        to: (String, &'a EmailAddress),
        rendered: &'a Rendered,
    ) -> Draft<'a> {
        let identity = &self.identity;
        let answers = (constituent.name.as_str(), &constituent.mailbox);
        Draft {
            from: (format!("{} via {}", constituent.name, identity.campaign), &identity.sender),
            reply_to: (identity.reply_to == ReplyTo::Constituent).then_some(answers),
            to,
            subject: rendered.subject.clone(),
            markdown: &rendered.markdown,
            language: rendered.language.as_deref(),
            is_automatic: false,
            is_test: false,
        }
    }

    fn confirmation_draft<'a>(&'a self, to: (String, &'a EmailAddress), rendered: &'a Rendered) -> Draft<'a> {
        Draft {
            from: (self.identity.campaign.clone(), &self.identity.confirmation_sender),
            reply_to: None,
            to,
            subject: rendered.subject.clone(),
            markdown: &rendered.markdown,
            language: rendered.language.as_deref(),
            is_automatic: true,
            is_test: false,
        }
    }

    fn build(&self, message: &MessageRef, seed: &StampSeed, draft: &Draft<'_>) -> Result<Parcel, ComposeError> {
        let date = check(message, seed, draft)?;
        let refused = |reason: &dyn fmt::Display| ComposeError::Builder {
            message: message.to_string(),
            reason: reason.to_string(),
        };
        let envelope = Envelope { from: self.identity.envelope_sender.clone(), to: draft.to.1.clone() };
        let mut builder = Message::builder()
            .envelope(builder_envelope(&envelope).map_err(|error| refused(&error))?)
            .raw_header(mailbox("From", &draft.from.0, draft.from.1));
        if let Some((name, address)) = draft.reply_to {
            builder = builder.raw_header(mailbox("Reply-To", name, address));
        }
        builder = builder
            .raw_header(mailbox("To", &draft.to.0, draft.to.1))
            .raw_header(raw("Subject", header::text("Subject", &draft.subject)))
            .header(Date::new(date))
            .raw_header(raw("Message-ID", format!("<{}>", seed.message_id)))
            .raw_header(raw("X-Campaign-Message", message.to_string()));
        if draft.is_automatic {
            builder = builder.raw_header(raw("Auto-Submitted", "auto-generated".to_owned()));
        }
        if draft.is_test {
            builder = builder.raw_header(raw("X-Campaign-Test", "yes".to_owned()));
        }
        let parts = self.parts(message, draft);
        let bytes = builder.multipart(parts).map_err(|error| refused(&error))?.formatted();
        let needs_smtputf8 = envelope.from.needs_smtputf8() || draft.needs_smtputf8();
        let hash = Sha256::digest(&bytes).into();
        let bytes = self.signed(message, seed, bytes)?;
        Ok(Parcel { envelope, bytes, hash, needs_smtputf8 })
    }

    /// Each signature is of the message alone, so that a receiver may check whichever it knows.
    fn signed(&self, message: &MessageRef, seed: &StampSeed, bytes: Vec<u8>) -> Result<Vec<u8>, ComposeError> {
        if self.signers.is_empty() {
            return Ok(bytes);
        }
        let mut signed = Vec::with_capacity(bytes.len() + 1024 * self.signers.len());
        for signer in &self.signers {
            let header = signer.header(&bytes, seed.date).map_err(|error| ComposeError::Unsigned {
                message: message.to_string(),
                selector: signer.name().selector().to_owned(),
                reason: error.to_string(),
            })?;
            signed.extend_from_slice(&header);
        }
        signed.extend_from_slice(&bytes);
        Ok(signed)
    }

    /// Text and HTML of the same letter. The boundary cannot occur in a part: quoted-printable has no `=_`.
    fn parts(&self, message: &MessageRef, draft: &Draft<'_>) -> MultiPart {
        let language = draft.language.unwrap_or(&self.identity.language);
        let (text, html) = to_text_and_html(&draft.subject, draft.markdown, language);
        MultiPart::alternative()
            .boundary(format!("=_{message}"))
            .singlepart(part(ContentType::TEXT_PLAIN, &text))
            .singlepart(part(ContentType::TEXT_HTML, &html))
    }
}

/// Refuses what cannot stand in a header; gives the date as the builder wants it.
fn check(message: &MessageRef, seed: &StampSeed, draft: &Draft<'_>) -> Result<SystemTime, ComposeError> {
    let refuse = |what| Err(ComposeError::Header { message: message.to_string(), what });
    if draft.subject.contains(char::is_control) {
        return refuse("subject");
    }
    let id = &seed.message_id;
    let is_id = id.len() <= 250 && id.contains('@') && id.bytes().all(|b| b.is_ascii_graphic() && !b"<>".contains(&b));
    if !is_id {
        return refuse("Message-ID");
    }
    // The builder can write no date before 1970.
    match u64::try_from(seed.date.as_second()) {
        Ok(seconds) => Ok(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)),
        Err(_) => refuse("date"),
    }
}

fn builder_envelope(envelope: &Envelope) -> Result<lettre::address::Envelope, Box<dyn std::error::Error>> {
    let address = |address: &EmailAddress| Address::new(address.local(), address.domain());
    Ok(lettre::address::Envelope::new(Some(address(&envelope.from)?), vec![address(&envelope.to)?])?)
}

/// The builder reads the raw value, which is the bare address; what is sent is the encoded one.
fn mailbox(field: &'static str, name: &str, address: &EmailAddress) -> HeaderValue {
    let encoded = header::mailbox(field, name, address.as_str());
    HeaderValue::dangerous_new_pre_encoded(HeaderName::new_from_ascii_str(field), address.to_string(), encoded)
}

fn raw(field: &'static str, value: String) -> HeaderValue {
    HeaderValue::dangerous_new_pre_encoded(HeaderName::new_from_ascii_str(field), value.clone(), value)
}

fn part(kind: ContentType, text: &str) -> SinglePart {
    let body = quoted_printable::encode(text).into_bytes();
    let body = Body::dangerous_pre_encoded(body, ContentTransferEncoding::QuotedPrintable);
    SinglePart::builder().header(kind).body(body)
}

#[cfg(test)]
mod tests;
