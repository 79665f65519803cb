//! Which headers of one file a column of ours can be read from, by the names that are known.
//! This file must not choose between two that compete: that is for a person.

use super::columns::Column;
use super::known_headers::{Meaning, meaning};
use crate::model::Role;

/// The candidates for each column: each is the places of the headers that are put together.
pub(super) struct Recognised {
    meanings: Vec<Option<Meaning>>,
}

impl Recognised {
    /// Looks at the keys of a file's headers; those that are taken for something already are left out.
    pub(super) fn read(keys: &[String], role: Option<Role>, is_free: impl Fn(usize) -> bool) -> Self {
        let of = |(i, key): (usize, &String)| if is_free(i) { meaning(key, role) } else { None };
        Self { meanings: keys.iter().enumerate().map(of).collect() }
    }

    /// What a column can be read from.
    pub(super) fn candidates(&self, column: Column) -> Vec<Vec<usize>> {
        let is_whole = |m: &Meaning| matches!(m, Meaning::Whole(c) | Meaning::OfOfficials(c) if *c == column);
        let whole = self.places(is_whole).into_iter();
        match column {
            Column::Name => whole.map(|at| vec![at]).chain(self.name_in_parts()).collect(),
            Column::Address => {
                let more = self.address_more();
                let mut found: Vec<Vec<usize>> = whole.map(|at| vec![at]).collect();
                if let [only] = found.as_mut_slice() {
                    only.extend(more);
                }
                found
            }
            _ => whole.map(|at| vec![at]).collect(),
        }
    }

    /// The further lines of an address.
    pub(super) fn address_more(&self) -> Vec<usize> {
        self.places(|m| *m == Meaning::AddressMore)
    }

    /// First and last name, with what stands between and after them.
    fn name_in_parts(&self) -> Option<Vec<usize>> {
        let one = |part: Meaning| match self.places(|m| *m == part).as_slice() {
            [only] => Some(*only),
            _ => None,
        };
        let (first, last) = (one(Meaning::FirstName)?, one(Meaning::LastName)?);
        let parts = [Some(first), one(Meaning::MiddleName), Some(last), one(Meaning::NameSuffix)];
        Some(parts.into_iter().flatten().collect())
    }

    fn places(&self, is: impl Fn(&Meaning) -> bool) -> Vec<usize> {
        let fits = |(i, m): (usize, &Option<Meaning>)| m.as_ref().is_some_and(&is).then_some(i);
        self.meanings.iter().enumerate().filter_map(fits).collect()
    }
}
