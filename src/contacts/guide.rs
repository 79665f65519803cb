//! Where a constituent's cells lead: by their jurisdiction, by an accepted spelling of it, or by their postcode; and to
//! nobody where none of these does. This file must not guess: likeness is for suggestions only.

use super::aliases::Aliases;
use super::join::{Clash, Directory, Found};
use super::postcodes::{Jurisdiction, Leads, Postcodes};
use super::suggestions::{Suggester, Suggestion};

/// Everything that joins constituents to officials.
#[derive(Default)]
pub(super) struct Guide {
    pub(super) directory: Directory,
    pub(super) aliases: Aliases,
    pub(super) postcodes: Option<Postcodes>,
    /// Where every constituent writes to every official: those.
    pub(super) everyone: Option<Vec<usize>>,
    pub(super) suggester: Suggester,
}

/// Where a constituent's cells lead.
pub(super) enum Route<'a> {
    To {
        officials: &'a [usize],
        alias: Option<usize>,
        /// The table's jurisdiction, where the postcode joined.
        by_postcode: Option<&'a Jurisdiction>,
    },
    /// To two holders of one office.
    Clash(&'a Clash),
    /// No official has the jurisdiction.
    Nobody { by_postcode: Option<&'a Jurisdiction> },
    /// The table does not have the postcode.
    NoPostcode { with_zero: Option<(String, &'a Jurisdiction)> },
    /// The table has the postcode more than once.
    ManyPostcodes(Vec<&'a Jurisdiction>),
}

impl Guide {
    /// Where a folded jurisdiction leads, or a postcode in the place of an empty one.
    pub(super) fn route(&self, key: &str, postcode: &str) -> Route<'_> {
        if let Some(everyone) = &self.everyone {
            return Route::To { officials: everyone, alias: None, by_postcode: None };
        }
        if !key.is_empty() {
            return self.by_key(key, None);
        }
        let leads = self.postcodes.as_ref().map(|table| table.look_up(postcode));
        match leads.unwrap_or(Leads::Nowhere { with_zero: None }) {
            Leads::To(jurisdiction) => self.by_key(&jurisdiction.key, Some(jurisdiction)),
            Leads::ToSeveral(jurisdictions) => Route::ManyPostcodes(jurisdictions),
            Leads::Nowhere { with_zero } => Route::NoPostcode { with_zero },
        }
    }

    fn by_key<'a>(&'a self, key: &str, by_postcode: Option<&'a Jurisdiction>) -> Route<'a> {
        match self.directory.look_up(key) {
            Found::Officials(officials) => return Route::To { officials, alias: None, by_postcode },
            Found::Clash(clash) => return Route::Clash(clash),
            Found::Nobody => {}
        }
        let Some(alias) = self.aliases.meaning(key) else { return Route::Nobody { by_postcode } };
        match self.directory.look_up(&self.aliases.key_of(key)) {
            Found::Officials(officials) => Route::To { officials, alias: Some(alias), by_postcode },
            Found::Clash(clash) => Route::Clash(clash),
            Found::Nobody => Route::Nobody { by_postcode },
        }
    }

    /// Whether the table has another jurisdiction for a postcode than the one that a constituent gives.
    pub(super) fn disagrees(&self, key: &str, postcode: &str) -> bool {
        let Some(table) = &self.postcodes else { return false };
        if key.is_empty() || postcode.is_empty() || self.everyone.is_some() {
            return false;
        }
        let said = self.aliases.key_of(key);
        let differs = |jurisdiction: &Jurisdiction| self.aliases.key_of(&jurisdiction.key) != said;
        match table.look_up(postcode) {
            Leads::To(jurisdiction) => differs(jurisdiction),
            Leads::ToSeveral(jurisdictions) => jurisdictions.into_iter().all(differs),
            Leads::Nowhere { .. } => false,
        }
    }

    /// What a folded jurisdiction that leads to nobody may mean.
    pub(super) fn suggest(&self, key: &str) -> Vec<Suggestion> {
        self.suggester.suggest(key)
    }
}
