//! To whom nothing is sent: a mailbox, or every mailbox of a domain.

use std::fmt;

use super::address::{AddressError, EmailAddress, ascii_domain};

/// An entry of the suppression list: a mailbox, or a domain, which is every mailbox of it and of none of its subdomains.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Barred {
    key: Box<str>,
}

impl Barred {
    /// Parses `name@example.org` or `@example.org`.
    pub fn parse(input: &str) -> Result<Self, AddressError> {
        let key = match input.trim().strip_prefix('@') {
            Some(domain) if !domain.contains('@') => format!("@{}", ascii_domain(domain)?),
            _ => EmailAddress::parse(input)?.key(),
        };
        Ok(Self { key: key.into() })
    }

    /// As the list has it: a mailbox by its [`EmailAddress::key`], a domain after an `@`.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Whether it is a domain.
    pub fn is_domain(&self) -> bool {
        is_domain(&self.key)
    }
}

/// Whether a key of the list is a domain.
pub fn is_domain(key: &str) -> bool {
    key.starts_with('@')
}

/// Without the mailbox, because debug output ends in logs.
impl fmt::Debug for Barred {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Barred").field("is_domain", &self.is_domain()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mailbox_and_a_domain_are_spelled_as_addresses_are() {
        for (input, key) in [
            ("Mayor@Town.Example", "mayor@town.example"),
            (" @Town.Example ", "@town.example"),
            ("@m\u{fc}ller.de", "@xn--mller-kva.de"),
            ("@M\u{dc}LLER.de", "@xn--mller-kva.de"),
        ] {
            let entry = Barred::parse(input).unwrap();
            assert_eq!((entry.key(), entry.is_domain()), (key, key.starts_with('@')), "{input}");
        }
        for input in
            ["@", "@town", "@@town.example", "@a@town.example", "@town.example, @b.example", "town.example", ""]
        {
            assert!(Barred::parse(input).is_err(), "{input}");
        }
        assert!(!format!("{:?}", Barred::parse("mayor@town.example").unwrap()).contains("mayor"));
    }
}
