//! One e-mail address that can be put on the wire as it is.
//!
//! Stricter than RFC 5321 on purpose: what this refuses is, in a list of constituents, a slip of the pen.

use std::fmt;

/// A mailbox: `local@domain`, the domain in lower case and as A-labels (RFC 5890), the local part as given.
///
/// `Debug` masks it, because debug output ends in logs; `Display` is the address itself.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EmailAddress {
    text: Box<str>,
    at: usize,
}

/// Why a text is not an address, as advice to the person who typed it. Holds no part of the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Nothing there.
    #[error("there is no address; fill it in")]
    Empty,
    /// No `@`.
    #[error("there is no @ in it; an address looks like name@example.org")]
    NoAt,
    /// Several addresses in one cell.
    #[error("it looks like several addresses; keep one, and give every person a row of their own")]
    Several,
    /// `Name <a@x>`.
    #[error("it holds a name and an address; keep only what is between < and >")]
    NameAndAddress,
    /// A space, a control character or an invisible one inside.
    #[error("it has a space or an invisible character inside; type it again by hand")]
    Space,
    /// The part before the `@`.
    #[error("the part before the @ is not usable: {0}")]
    Local(&'static str),
    /// The part after the `@`.
    #[error("the part after the @ is not usable: {0}")]
    Domain(&'static str),
}

const LOCAL_BYTES_MAX: usize = 64; // RFC 5321 4.5.3.1.1
const ADDRESS_BYTES_MAX: usize = 254; // RFC 5321 4.5.3.1.3, less the angle brackets

impl EmailAddress {
    /// Parses what somebody typed into a cell. Spaces around it are no mistake; everything else is checked.
    pub fn parse(input: &str) -> Result<Self, AddressError> {
        let input = input.trim();
        if input.is_empty() {
            return Err(AddressError::Empty);
        }
        if input.contains(['<', '>']) {
            return Err(AddressError::NameAndAddress);
        }
        if input.chars().any(|c| c.is_whitespace() || super::person::is_unprintable(c)) {
            return Err(if input.matches('@').count() > 1 { AddressError::Several } else { AddressError::Space });
        }
        if input.contains('"') {
            return Err(AddressError::Local("quotation marks; write the address without them"));
        }
        let (local, domain) = input.rsplit_once('@').ok_or(AddressError::NoAt)?;
        if local.contains('@') || input.contains([',', ';']) {
            return Err(AddressError::Several);
        }
        check_local(local)?;
        let domain = ascii_domain(domain)?;
        let text = format!("{local}@{domain}");
        if text.len() > ADDRESS_BYTES_MAX {
            return Err(AddressError::Domain("the whole address is longer than 254 characters"));
        }
        Ok(Self { at: local.len(), text: text.into_boxed_str() })
    }

    /// The part before the `@`, as given.
    pub fn local(&self) -> &str {
        &self.text[..self.at]
    }

    /// The part after the `@`: lower case, A-labels.
    pub fn domain(&self) -> &str {
        &self.text[self.at + 1..]
    }

    /// The whole address.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a relay must offer SMTPUTF8 (RFC 6531) to take it.
    pub fn needs_smtputf8(&self) -> bool {
        !self.local().is_ascii()
    }

    /// What makes two spellings one mailbox: case and Unicode form of the local part do not count here,
    /// since an office that tells `Mayor@` from `mayor@` is not known and a double letter is worse.
    pub fn key(&self) -> String {
        format!("{}@{}", super::fold(self.local()), self.domain())
    }

    /// For logs: enough to recognise an address one knows, too little to learn one.
    pub fn masked(&self) -> String {
        let first = self.local().chars().next().unwrap_or('*');
        format!("{first}***@{}", self.domain())
    }
}

fn check_local(local: &str) -> Result<(), AddressError> {
    let refuse = |why| Err(AddressError::Local(why));
    if local.is_empty() {
        return refuse("there is nothing");
    }
    if local.len() > LOCAL_BYTES_MAX {
        return refuse("it is longer than 64 characters");
    }
    if local.starts_with('.') || local.ends_with('.') || local.contains("..") {
        return refuse("a dot at its start or end, or two in a row");
    }
    if local.starts_with('-') {
        return refuse("a leading hyphen");
    }
    if local.contains(['%', '!']) {
        return refuse("% and ! route mail elsewhere at old servers");
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || "#$&'*+-/=?^_`{|}~.".contains(c);
    if local.chars().all(|c| allowed(c) || (!c.is_ascii() && c.is_alphanumeric()) || is_mark(c)) {
        Ok(())
    } else {
        refuse("a character that no mailbox has")
    }
}

fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

pub(super) fn ascii_domain(domain: &str) -> Result<String, AddressError> {
    let refuse = |why| Err(AddressError::Domain(why));
    if domain.is_empty() {
        return refuse("there is nothing");
    }
    if domain.starts_with('[') || domain.parse::<std::net::Ipv4Addr>().is_ok() {
        return refuse("an IP address; write the name of the domain");
    }
    if !domain.contains('.') {
        return refuse("no dot; a domain looks like example.org");
    }
    if domain.starts_with('.') || domain.ends_with('.') || domain.contains("..") {
        return refuse("a dot at its start or end, or two in a row");
    }
    if domain.contains('\u{2044}') || domain.split('.').any(only_looks_ascii) {
        return refuse("letters that only look like the usual ones; type it again by hand");
    }
    let ascii = idna::domain_to_ascii_strict(domain).ok();
    let Some(ascii) = ascii.filter(|a| a.len() <= 253 && a.contains('.')) else {
        return refuse("not the name of a domain");
    };
    let top = ascii.rsplit('.').next().unwrap_or_default();
    if top.len() < 2 || top.bytes().all(|b| b.is_ascii_digit()) {
        return refuse("its ending is not one that exists");
    }
    Ok(ascii)
}

/// A label that is not ASCII but reads as if it were: full-width letters, Cyrillic `а` for `a`, …
fn only_looks_ascii(label: &str) -> bool {
    !label.is_ascii() && unicode_security::skeleton(label).all(|c| c.is_ascii())
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl std::str::FromStr for EmailAddress {
    type Err = AddressError;

    fn from_str(input: &str) -> Result<Self, AddressError> {
        Self::parse(input)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_people_have_are_accepted() {
        for (input, expected) in [
            ("mayor@town.example", "mayor@town.example"),
            ("  jane.doe+letters@Mail.Example ", "jane.doe+letters@mail.example"),
            ("a@müller.de", "a@xn--mller-kva.de"),
            ("o'neil@x.example", "o'neil@x.example"),
            ("jürgen@x.example", "jürgen@x.example"),
            ("a_b-c@sub.domain.example", "a_b-c@sub.domain.example"),
        ] {
            assert_eq!(EmailAddress::parse(input).map(|a| a.to_string()).as_deref(), Ok(expected), "{input}");
        }
    }

    #[test]
    fn slips_of_the_pen_are_refused() {
        let long = format!("{}@x.example", "a".repeat(65));
        for input in [
            "",
            "  ",
            "a",
            "a@b",
            "a@localhost",
            "a@[127.0.0.1]",
            "a@127.0.0.1",
            "\"a b\"@x.example",
            "-a@x.example",
            "a%b@x.example",
            "a!b@x.example",
            &long,
            "a..b@x.example",
            ".a@x.example",
            "a.@x.example",
            "a@x..example",
            "a@.x.example",
            "a@x.example.",
            "a@x.com,b@x.com",
            "a@x.com;",
            "Name <a@x.example>",
            "a at x.example",
            "a@x.example b@x.example",
            "a b@x.example",
            "a@ex\u{430}mple.org",
            "a@\u{ff45}xample.org",
            "a@x\u{2044}y.example",
            "a@x_y.example",
            "a@-x.example",
            "a@x.e",
            "a@x.123",
            "a\u{200b}b@x.example",
            "a\r\nBcc: b@x.example",
            "a@x\0.example",
            "@x.example",
            "a@",
            "\u{560d}@x.example\n.",
            "a(c)@x.example",
        ] {
            assert!(EmailAddress::parse(input).is_err(), "{input:?} was accepted");
        }
    }

    #[test]
    fn debug_output_masks_the_local_part() {
        let address = EmailAddress::parse("jane@x.example").unwrap();
        assert_eq!(format!("{address:?}"), "j***@x.example");
    }

    #[test]
    fn case_and_unicode_form_do_not_make_another_mailbox() {
        let key = |s| EmailAddress::parse(s).unwrap().key();
        assert_eq!(key("Jane@X.example"), key("jane@x.example"));
        assert_eq!(key("jos\u{e9}@x.example"), key("jose\u{301}@x.example"));
    }
}
