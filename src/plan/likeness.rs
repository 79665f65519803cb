//! How alike the letters of one official are: the share of words that two letters have in common.
//!
//! Some letters of some officials are looked at, so that a million letters need no memory for a million. Words are
//! kept as numbers: nobody's text is.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::template::Rendered;

const OFFICIALS_MAX: usize = 300;
const LETTERS_MAX: usize = 10;

/// Some letters of some officials.
#[derive(Debug, Clone, Default)]
pub struct Samples {
    /// By the official's number; each letter as the sorted numbers of its words.
    letters: BTreeMap<usize, Vec<Vec<u64>>>,
    /// The most characters that a subject has.
    pub(super) subject_chars_max: usize,
    /// The fewest and the most words that a sampled letter has.
    pub(super) words: Option<(usize, usize)>,
}

impl Samples {
    /// Looks at a letter to the official of this number.
    pub(super) fn look(&mut self, official: usize, letter: &Rendered) {
        self.subject_chars_max = self.subject_chars_max.max(letter.subject.chars().count());
        let is_full = self.letters.len() >= OFFICIALS_MAX;
        if is_full && !self.letters.contains_key(&official) {
            return;
        }
        let letters = self.letters.entry(official).or_default();
        if letters.len() >= LETTERS_MAX {
            return;
        }
        let mut words: Vec<u64> = letter.markdown.split_whitespace().map(number).collect();
        words.sort_unstable();
        let (fewest, most) = self.words.unwrap_or((words.len(), words.len()));
        self.words = Some((fewest.min(words.len()), most.max(words.len())));
        letters.push(words);
    }

    /// Of a hundred words, how many any two letters of an official have in common; `None` with less than two.
    pub(super) fn percent_alike(&self, official: usize) -> Option<usize> {
        let letters = self.letters.get(&official)?;
        let pairs =
            letters.iter().enumerate().flat_map(|(n, one)| letters[n + 1..].iter().map(move |other| (one, other)));
        let shares: Vec<usize> = pairs.map(|(one, other)| share(one, other)).collect();
        (!shares.is_empty()).then(|| shares.iter().sum::<usize>() / shares.len())
    }
}

fn number(word: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    word.hash(&mut hasher);
    hasher.finish()
}

/// Of a hundred words of the longer one, how many are in the other; both are sorted.
fn share(one: &[u64], other: &[u64]) -> usize {
    let (mut a, mut b, mut common) = (0, 0, 0);
    while let (Some(left), Some(right)) = (one.get(a), other.get(b)) {
        match left.cmp(right) {
            std::cmp::Ordering::Less => a += 1,
            std::cmp::Ordering::Greater => b += 1,
            std::cmp::Ordering::Equal => {
                (a, b, common) = (a + 1, b + 1, common + 1);
            }
        }
    }
    100 * common / one.len().max(other.len()).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_as_alike_as_their_words() {
        let letter = |text: &str| Rendered { subject: "s".into(), markdown: text.into(), language: None };
        for (one, other, percent) in
            [("a b c d", "a b c d", 100), ("a b c d", "d c b x", 75), ("a", "b", 0), ("a a", "a", 50), ("", "", 0)]
        {
            let mut samples = Samples::default();
            assert_eq!(samples.percent_alike(3), None);
            samples.look(3, &letter(one));
            assert_eq!(samples.percent_alike(3), None);
            samples.look(3, &letter(other));
            assert_eq!(samples.percent_alike(3), Some(percent), "{one} / {other}");
        }
    }

    #[test]
    fn a_million_letters_are_not_kept() {
        let mut samples = Samples::default();
        let letter = Rendered { subject: "s".into(), markdown: "a b".into(), language: None };
        for n in 0..100_000 {
            samples.look(n % 1_000, &letter);
        }
        let kept: usize = samples.letters.values().map(Vec::len).sum();
        assert_eq!(kept, OFFICIALS_MAX * LETTERS_MAX);
    }
}
