//! Eight bytes for every constituent: enough to find who may be there twice, and who shares an official's mailbox.
//!
//! A print is 40 bits of the mailbox's hash above 24 bits of the name's. Equal prints are only candidates: the
//! second reading compares the people themselves.

use std::hash::{DefaultHasher, Hasher};

use crate::model::{Constituent, EmailAddress, fold};

const NAME_BITS: u32 = 24;
const NAME_MASK: u64 = (1 << NAME_BITS) - 1;

/// The print of one constituent.
pub(super) fn print_of(constituent: &Constituent) -> u64 {
    let name = hash(&fold(constituent.name.as_str()));
    (hash(&constituent.mailbox.key()) & !NAME_MASK) | (name & NAME_MASK)
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(text.as_bytes());
    hasher.finish()
}

/// The prints of all constituents, sorted.
pub(super) struct Prints(Vec<u64>);

impl Prints {
    pub(super) fn new(mut prints: Vec<u64>) -> Self {
        prints.sort_unstable();
        Self(prints)
    }

    /// Every print that occurs more than once, sorted.
    pub(super) fn repeated(&self) -> Vec<u64> {
        let mut twins: Vec<u64> = self.0.windows(2).filter(|w| w[0] == w[1]).map(|w| w[0]).collect();
        twins.dedup();
        twins
    }

    /// Whether a constituent has that mailbox. Wrong for one mailbox in a million at a million constituents.
    pub(super) fn have_mailbox(&self, mailbox: &EmailAddress) -> bool {
        let wanted = hash(&mailbox.key()) & !NAME_MASK;
        let at = self.0.partition_point(|&p| p < wanted);
        self.0.get(at).is_some_and(|&p| p & !NAME_MASK == wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_prints_are_found_once_each_and_mailboxes_without_their_names() {
        let mailbox = EmailAddress::parse("ana@x.example").unwrap();
        let print = (hash(&mailbox.key()) & !NAME_MASK) | 7;
        let prints = Prints::new(vec![5, print, 3, 5, 5, 3, u64::MAX]);
        assert_eq!(prints.repeated(), [3, 5]);
        assert!(prints.have_mailbox(&mailbox));
        assert!(!prints.have_mailbox(&EmailAddress::parse("ben@x.example").unwrap()));
    }
}
