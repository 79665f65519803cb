//! Marks of people for whom nothing may be planned again: salted hashes, which say no more of a person than whether it
//! is they. Must not keep what they were made of.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::{Constituent, EmailAddress, PersonKey};

/// What a ledger hashes its marks with, so that those of two ledgers cannot be compared.
pub type Salt = [u8; 32];

/// Why nothing is planned for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Erased {
    /// They asked to be forgotten.
    Forgotten,
    /// Their letters were settled long ago and their data was erased.
    Purged,
}

impl Erased {
    /// The name used in the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Forgotten => "forgotten",
            Self::Purged => "purged",
        }
    }

    /// The one of that name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Forgotten, Self::Purged].into_iter().find(|word| word.as_str() == name)
    }
}

/// A salted hash of a mailbox or of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mark(pub [u8; 32]);

impl Mark {
    /// Of everybody who has that mailbox.
    pub fn of_mailbox(salt: &Salt, mailbox: &EmailAddress) -> Self {
        Self::of(salt, b"mailbox", mailbox.key().as_bytes())
    }

    /// Of one person alone.
    pub fn of_person(salt: &Salt, person: PersonKey) -> Self {
        Self::of(salt, b"person", &person.0)
    }

    fn of(salt: &Salt, what: &[u8], bytes: &[u8]) -> Self {
        let hash = Sha256::new().chain_update(salt).chain_update(what).chain_update([0]).chain_update(bytes);
        Self(hash.finalize().into())
    }

    /// The two that a constituent may have.
    pub fn of_constituent(salt: &Salt, who: &Constituent) -> [Self; 2] {
        [Self::of_mailbox(salt, &who.mailbox), Self::of_person(salt, who.key())]
    }
}

/// All marks of a ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks {
    salt: Salt,
    marks: HashMap<Mark, Erased>,
}

impl Marks {
    /// These, hashed with this salt.
    pub fn new(salt: Salt, marks: impl IntoIterator<Item = (Mark, Erased)>) -> Self {
        Self { salt, marks: marks.into_iter().collect() }
    }

    /// Why nothing is planned for a constituent; nothing where something is.
    pub fn why(&self, who: &Constituent) -> Option<Erased> {
        if self.marks.is_empty() {
            return None;
        }
        Mark::of_constituent(&self.salt, who).iter().find_map(|mark| self.marks.get(mark).copied())
    }

    /// Whether whoever has that mailbox asked to be forgotten.
    pub fn forget(&self, mailbox: &EmailAddress) -> bool {
        !self.marks.is_empty() && self.marks.contains_key(&Mark::of_mailbox(&self.salt, mailbox))
    }

    /// The same of whatever cell of a row is an address.
    pub fn forget_any<'a>(&self, mut cells: impl Iterator<Item = &'a str>) -> bool {
        !self.marks.is_empty() && cells.any(|cell| EmailAddress::parse(cell).is_ok_and(|mailbox| self.forget(&mailbox)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::sample::constituent;

    #[test]
    fn a_mailbox_is_forgotten_for_all_who_have_it_and_a_person_is_purged_alone() {
        let salt = [7; 32];
        let (ana, ben) = (constituent("Ana", "both@x.example"), constituent("Ben", "both@x.example"));
        let of_mailbox = Marks::new(salt, [(Mark::of_mailbox(&salt, &ana.mailbox), Erased::Forgotten)]);
        assert_eq!(of_mailbox.why(&ana), Some(Erased::Forgotten));
        assert_eq!(of_mailbox.why(&ben), Some(Erased::Forgotten));
        assert_eq!(of_mailbox.why(&constituent("Ana", "Both@X.example")), Some(Erased::Forgotten));
        assert_eq!(of_mailbox.why(&constituent("Ana", "other@x.example")), None);
        let of_person = Marks::new(salt, [(Mark::of_person(&salt, ana.key()), Erased::Purged)]);
        assert_eq!(of_person.why(&ana), Some(Erased::Purged));
        assert_eq!(of_person.why(&ben), None);
    }

    #[test]
    fn marks_of_two_ledgers_cannot_be_compared() {
        let mailbox = EmailAddress::parse("ana@x.example").unwrap();
        assert_ne!(Mark::of_mailbox(&[1; 32], &mailbox), Mark::of_mailbox(&[2; 32], &mailbox));
    }
}
