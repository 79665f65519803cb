//! Domains that share one mail gateway, and so one limit: `county = ["town1.example", "*.county.example"]`.
//!
//! Only who belongs together; the limit is `pace`'s.

use std::collections::BTreeMap;

/// Why a group is none. Holds texts from the configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GroupError {
    /// `"town.example" = […]`
    #[error("a group's name must not look like a domain; write a word without dots, like `county`")]
    Name,
    /// `*town*.example`
    #[error("`{0}` is not a domain; write it like \"town.example\", or \"*.county.example\" for all below it")]
    Domain(String),
    /// In two groups.
    #[error("`{domain}` is in the group `{other}` already; a domain can be in one only")]
    Twice {
        /// Which.
        domain: String,
        /// Where else.
        other: String,
    },
}

/// The groups of domains, by their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Groups {
    domains: BTreeMap<String, String>,
    below: BTreeMap<String, String>,
}

impl Groups {
    /// One more group: domains, and `*.` with a domain for all below it.
    pub fn add(&mut self, name: &str, domains: &[String]) -> Result<(), GroupError> {
        if name.trim().is_empty() || name.contains('.') {
            return Err(GroupError::Name);
        }
        for written in domains {
            let text = written.trim().to_lowercase();
            let (domain, of) = match text.strip_prefix("*.") {
                Some(domain) => (domain, &mut self.below),
                None => (text.as_str(), &mut self.domains),
            };
            let domain = ascii_domain(domain).ok_or_else(|| GroupError::Domain(written.clone()))?;
            if let Some(other) = of.insert(domain, name.to_owned()) {
                return Err(GroupError::Twice { domain: written.clone(), other });
            }
        }
        Ok(())
    }

    /// What a domain counts as: its group, the nearest one where there are several, or else itself.
    pub fn of<'a>(&'a self, domain: &'a str) -> &'a str {
        if let Some(name) = self.domains.get(domain) {
            return name;
        }
        let mut rest = domain;
        while let (false, Some((_, above))) = (self.below.is_empty(), rest.split_once('.')) {
            if let Some(name) = self.below.get(above) {
                return name;
            }
            rest = above;
        }
        domain
    }

    /// Whether there is a group of that name.
    pub fn has(&self, name: &str) -> bool {
        self.domains.values().chain(self.below.values()).any(|known| known == name)
    }
}

/// A domain as addresses have it; nothing where it is none.
pub fn ascii_domain(text: &str) -> Option<String> {
    let is_plain = |c: char| c.is_alphanumeric() || c == '-' || c == '.';
    let text = text.trim().to_lowercase();
    let looks_right = text.contains('.') && text.chars().all(is_plain) && !text.split('.').any(str::is_empty);
    idna::domain_to_ascii(&text).ok().filter(|_| looks_right)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(domains: &[&str]) -> Vec<String> {
        domains.iter().map(|d| (*d).to_owned()).collect()
    }

    #[test]
    fn a_domain_counts_as_its_group_and_the_nearest_group_wins() {
        let mut groups = Groups::default();
        groups.add("county", &texts(&["Town1.example", "*.county.example", "bücher.example"])).unwrap();
        groups.add("parks", &texts(&["*.parks.county.example", "x.county.example"])).unwrap();
        for (domain, counts_as) in [
            ("town1.example", "county"),
            ("town2.example", "town2.example"),
            ("county.example", "county.example"),
            ("a.county.example", "county"),
            ("b.a.county.example", "county"),
            ("x.county.example", "parks"),
            ("a.parks.county.example", "parks"),
            ("parks.county.example", "county"),
            ("xn--bcher-kva.example", "county"),
            ("", ""),
        ] {
            assert_eq!(groups.of(domain), counts_as, "{domain}");
        }
        assert!(groups.has("parks") && !groups.has("town1.example"));
    }

    #[test]
    fn what_is_no_group_is_refused_for_its_own_reason() {
        let mut groups = Groups::default();
        assert_eq!(groups.add("town.example", &[]), Err(GroupError::Name));
        for wrong in ["", "town", "*.", "*", "a*.example", "a..example", "a b.example", "x@town.example"] {
            assert_eq!(groups.add("g", &texts(&[wrong])), Err(GroupError::Domain(wrong.to_owned())), "{wrong}");
        }
        groups.add("a", &texts(&["town.example"])).unwrap();
        let twice = GroupError::Twice { domain: "town.example".to_owned(), other: "a".to_owned() };
        assert_eq!(groups.add("b", &texts(&["town.example"])), Err(twice));
    }
}
