//! Which officials a jurisdiction has. Joins by the folded key and never by resemblance: a wrong mayor is worse
//! than none, so two holders of one office are listed, not chosen between.

use std::collections::HashMap;
use std::sync::Arc;

use super::problem::{Problem, ProblemKind};
use super::row::Place;
use crate::model::{EmailAddress, Official, fold};

/// Titles that several people of one jurisdiction hold at once, by their last word. Two people of any *other*
/// title in one jurisdiction are two towns of one name, or a former and a present holder.
const MANY_SEAT_TITLES: &[&str] = &[
    "alderman",
    "alderperson",
    "alderwoman",
    "assemblymember",
    "assemblyman",
    "assemblywoman",
    "burgess",
    "cllr",
    "commissioner",
    "councillor",
    "councilman",
    "councilmember",
    "councilor",
    "councilperson",
    "councilwoman",
    "delegate",
    "freeholder",
    "member",
    "representative",
    "selectman",
    "selectperson",
    "selectwoman",
    "senator",
    "supervisor",
    "trustee",
];

/// An official with the row they come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedOfficial {
    /// Who.
    pub official: Official,
    /// Which file, by its number in the survey.
    pub file: usize,
    /// On which line.
    pub line: u64,
}

/// Whom a key leads to.
pub(super) enum Found<'a> {
    Officials(&'a [usize]),
    Clash(&'a Clash),
    Nobody,
}

/// Two holders of one office, by their numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Clash {
    pub(super) first: usize,
    pub(super) second: usize,
}

#[derive(Default)]
struct Seat {
    officials: Vec<usize>,
    clash: Option<Clash>,
    as_written: String,
}

/// The officials by the folded key that joins.
#[derive(Default)]
pub(super) struct Directory {
    seats: HashMap<String, Seat>,
    /// Keys of officials whose rows were refused.
    refused: HashMap<String, Place>,
}

impl Directory {
    /// Adds an official under a key; false when they stand there already.
    pub(super) fn add(&mut self, key: String, as_written: &str, official: usize) -> bool {
        let seat = self.seats.entry(key).or_default();
        if seat.officials.contains(&official) {
            return false;
        }
        if seat.as_written.is_empty() {
            as_written.clone_into(&mut seat.as_written);
        }
        seat.officials.push(official);
        true
    }

    /// Remembers that an official's row was refused, to say so to those who look for them.
    pub(super) fn note_refused(&mut self, key: String, place: Place) {
        self.refused.entry(key).or_insert(place);
    }

    /// Finds every office with two holders, once all officials are there.
    pub(super) fn find_clashes(&mut self, officials: &[ListedOfficial]) {
        for seat in self.seats.values_mut() {
            seat.clash = clash(&seat.officials, officials);
        }
    }

    /// Who has that key.
    pub(super) fn look_up(&self, key: &str) -> Found<'_> {
        match self.seats.get(key) {
            None => Found::Nobody,
            Some(Seat { clash: Some(clash), .. }) => Found::Clash(clash),
            Some(seat) => Found::Officials(&seat.officials),
        }
    }

    /// Where an official of that key was refused.
    pub(super) fn refused(&self, key: &str) -> Option<Place> {
        self.refused.get(key).copied()
    }

    /// Every clash, in the order of the first holders.
    pub(super) fn clashes(&self) -> Vec<&Clash> {
        let mut clashes: Vec<&Clash> = self.seats.values().filter_map(|s| s.clash.as_ref()).collect();
        clashes.sort_by_key(|c| (c.first, c.second));
        clashes
    }

    /// Every key with the jurisdiction as written and its officials.
    pub(super) fn seats(&self) -> impl Iterator<Item = (&str, &str, &[usize])> {
        self.seats.iter().map(|(key, seat)| (key.as_str(), seat.as_written.as_str(), seat.officials.as_slice()))
    }

    /// Whether officials have that key.
    pub(super) fn has(&self, key: &str) -> bool {
        self.seats.contains_key(key)
    }

    /// Every key, with the jurisdiction as the officials write it.
    pub(super) fn jurisdictions(&self) -> impl Iterator<Item = (&str, &str)> {
        self.seats.iter().map(|(key, seat)| (key.as_str(), seat.as_written.as_str()))
    }

    /// Leaves each person under each key and title once; gives the numbers of those left out, with who stands there.
    pub(super) fn drop_repeats(&mut self, officials: &[ListedOfficial]) -> Vec<(usize, usize)> {
        let mut dropped = Vec::new();
        for seat in self.seats.values_mut() {
            let mut kept: Vec<usize> = Vec::with_capacity(seat.officials.len());
            for &number in &seat.officials {
                match kept.iter().find(|&&first| is_repeated(officials, first, number)) {
                    Some(&first) => dropped.push((number, first)),
                    None => kept.push(number),
                }
            }
            seat.officials = kept;
        }
        dropped.sort_unstable();
        dropped.dedup();
        dropped
    }
}

/// Whether two rows are one person under one title, whom nobody must write to twice.
fn is_repeated(officials: &[ListedOfficial], first: usize, second: usize) -> bool {
    let (Some(a), Some(b)) = (officials.get(first), officials.get(second)) else { return false };
    fold(&a.official.title) == fold(&b.official.title) && same_person(&a.official, &b.official)
}

/// Every official, each person once: by their numbers, and those left out with who stands for them.
pub(super) fn everyone(officials: &[ListedOfficial]) -> (Vec<usize>, Vec<(usize, usize)>) {
    let mut first_of: HashMap<(Option<String>, String), usize> = HashMap::new();
    let (mut all, mut dropped) = (Vec::new(), Vec::new());
    for (number, listed) in officials.iter().enumerate() {
        let mailbox = listed.official.mailbox.as_ref().map(EmailAddress::key);
        // Without a mailbox a name alone does not tell two people apart.
        let place = if mailbox.is_none() { fold(&listed.official.jurisdiction) } else { String::new() };
        let key = (mailbox, format!("{} {place}", fold(listed.official.name.as_str())));
        let first = *first_of.entry(key).or_insert(number);
        if first == number {
            all.push(number);
        } else {
            dropped.push((number, first));
        }
    }
    (all, dropped)
}

/// What separates the jurisdictions of an official who has several.
const SEPARATORS: [char; 2] = [';', '|'];

/// Whether a cell may name several jurisdictions.
pub(super) fn may_be_several(cell: &str) -> bool {
    cell.contains(SEPARATORS)
}

/// The jurisdictions of such a cell.
pub(super) fn several(cell: &str) -> Vec<&str> {
    cell.split(SEPARATORS).map(str::trim).filter(|part| !part.is_empty()).collect()
}

fn clash(seat: &[usize], officials: &[ListedOfficial]) -> Option<Clash> {
    let mut holders: HashMap<String, usize> = HashMap::new();
    for &second in seat {
        let Some(person) = officials.get(second) else { continue };
        let title = fold(&person.official.title);
        if !has_single_holder(&title) {
            continue;
        }
        let first = *holders.entry(title).or_insert(second);
        if officials.get(first).is_some_and(|f| !same_person(&f.official, &person.official)) {
            return Some(Clash { first, second });
        }
    }
    None
}

/// Whether two rows name one person: the same mailbox and the same name.
pub(super) fn same_person(a: &Official, b: &Official) -> bool {
    let key = |o: &Official| (o.mailbox.as_ref().map(EmailAddress::key), fold(o.name.as_str()));
    key(a) == key(b)
}

fn has_single_holder(folded_title: &str) -> bool {
    let title = folded_title.trim_end_matches(|c: char| !c.is_alphanumeric());
    let last = title.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    let first = title.split_whitespace().next().unwrap_or_default();
    let member_of = first == "member" && title.contains(" of ");
    !title.is_empty() && !member_of && !MANY_SEAT_TITLES.contains(&last)
}

/// What to tell about a clash, in the row `line` of a file.
pub(super) fn clash_problem(clash: &Clash, officials: &[ListedOfficial], file: &Arc<str>, line: u64) -> Problem {
    let (first, second) = (officials.get(clash.first), officials.get(clash.second));
    let title = first.map(|o| o.official.title.clone()).unwrap_or_default();
    let kind = ProblemKind::Ambiguous { title: title.clone() };
    let lines = |o: Option<&ListedOfficial>| o.map_or(0, |o| o.line);
    let advice = format!(
        "see the officials in lines {} and {}: keep the right {title}, or give each a jurisdiction of its own",
        lines(first),
        lines(second)
    );
    Problem::new(file, line, kind).advising(advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_titles_of_one_seat_can_clash() {
        for (title, single) in [
            ("mayor", true),
            ("village president", true),
            ("commissioner of police", true),
            ("councillor, ward 3", true),
            ("", false),
            ("councillor", false),
            ("council member", false),
            ("village trustee", false),
            ("member of parliament", false),
            ("cllr.", false),
            ("state representative", false),
        ] {
            assert_eq!(has_single_holder(title), single, "{title}");
        }
    }
}
