//! Which jurisdictions a spelling may mean, with the reason in words: for a person to decide about. Nothing is ever
//! joined by what stands here.

use std::collections::HashMap;

use super::place_name::{Reduced, Rule};

/// How many jurisdictions are suggested for one spelling.
const SUGGESTIONS_MAX: usize = 6;
/// Names shorter than this are all alike.
const TYPO_CHARS_MIN: usize = 4;
/// From this length on, two letters may differ.
const TWO_TYPOS_CHARS_MIN: usize = 8;
/// Words of which one in the place of another makes another town.
const TELLING_WORDS: &[&str] =
    &["north", "south", "east", "west", "upper", "lower", "new", "old", "big", "little", "great", "saint", "mount"];

/// A jurisdiction that may be meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// As the officials write it.
    pub means: String,
    /// Why it may be meant.
    pub why: String,
    /// Whether it is the only one, and differs only in how people write a name.
    pub is_plain: bool,
}

/// The jurisdictions that officials have, ready to be compared with.
#[derive(Default)]
pub(super) struct Suggester {
    known: Vec<Known>,
    by_name: HashMap<String, Vec<usize>>,
}

struct Known {
    as_written: String,
    folded: String,
    reduced: Reduced,
    chars: usize,
    letters: u64,
}

impl Suggester {
    /// Over these jurisdictions: folded, and as written.
    pub(super) fn of<'a>(jurisdictions: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let mut known: Vec<Known> = jurisdictions
            .map(|(folded, as_written)| {
                let reduced = Reduced::of(folded);
                let (chars, letters) = (reduced.name.chars().count(), letters(&reduced.name));
                Known { as_written: as_written.to_owned(), folded: folded.to_owned(), reduced, chars, letters }
            })
            .collect();
        known.sort_by(|a, b| a.folded.cmp(&b.folded));
        let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
        for (i, place) in known.iter().enumerate() {
            by_name.entry(place.reduced.name.clone()).or_default().push(i);
        }
        Self { known, by_name }
    }

    /// What a folded spelling may mean, the likeliest first.
    pub(super) fn suggest(&self, folded: &str) -> Vec<Suggestion> {
        let wanted = Reduced::of(folded);
        if wanted.name.is_empty() {
            return Vec::new();
        }
        let mut found = self.by_rule(folded, &wanted);
        if found.is_empty() {
            found = self.by_typo(&wanted);
        }
        found.truncate(SUGGESTIONS_MAX);
        if found.len() > 1 {
            for suggestion in &mut found {
                suggestion.is_plain = false;
            }
        }
        found
    }

    fn by_rule(&self, folded: &str, wanted: &Reduced) -> Vec<Suggestion> {
        let same_name = self.by_name.get(&wanted.name).map(Vec::as_slice).unwrap_or_default();
        let places = same_name.iter().map(|&i| &self.known[i]);
        let places = places.filter(|place| !wanted.is_in_another_state(&place.reduced));
        places
            .map(|place| {
                let (differences, is_plain) = differences(folded, wanted, place);
                Suggestion { means: place.as_written.clone(), why: differences, is_plain }
            })
            .collect()
    }

    fn by_typo(&self, wanted: &Reduced) -> Vec<Suggestion> {
        let chars = wanted.name.chars().count();
        let distance_max = match chars {
            0..TYPO_CHARS_MIN => return Vec::new(),
            TYPO_CHARS_MIN..TWO_TYPOS_CHARS_MIN => 1,
            _ => 2,
        };
        let letters = letters(&wanted.name);
        let mut near: Vec<(usize, &Known)> = self
            .known
            .iter()
            // Cheap tests first: a campaign may have thousands of jurisdictions and of spellings.
            .filter(|place| place.chars.abs_diff(chars) <= distance_max)
            .filter(|place| (place.letters ^ letters).count_ones() as usize <= 2 * distance_max)
            .filter(|place| !is_another_place(wanted, &place.reduced))
            .map(|place| (strsim::osa_distance(&wanted.name, &place.reduced.name), place))
            .filter(|(distance, _)| *distance <= distance_max)
            .collect();
        near.sort_by_key(|(distance, _)| *distance);
        let why = |distance| if distance == 1 { "one letter differs" } else { "two letters differ" };
        near.into_iter()
            .map(|(distance, place)| Suggestion {
                means: place.as_written.clone(),
                why: why(distance).to_owned(),
                is_plain: false,
            })
            .collect()
    }
}

/// Which letters and digits a name has, as a set.
fn letters(name: &str) -> u64 {
    name.chars().fold(0, |set, c| set | 1 << (u32::from(c) % 64))
}

/// Whether two names differ in what no slip of the pen explains: a number, a direction, the state.
fn is_another_place(a: &Reduced, b: &Reduced) -> bool {
    let telling = |name: &Reduced| -> Vec<String> {
        let is_telling = |w: &&String| TELLING_WORDS.contains(&w.as_str()) || w.chars().any(char::is_numeric);
        name.words.iter().filter(is_telling).cloned().collect()
    };
    a.is_in_another_state(b) || telling(a) != telling(b)
}

/// What tells a spelling from a jurisdiction of the same name, in words; and whether that is only how people write it.
fn differences(folded: &str, wanted: &Reduced, place: &Known) -> (String, bool) {
    let matters = |rule: Rule| Reduced::without(folded, rule).name != Reduced::without(&place.folded, rule).name;
    let mut named: Vec<String> = Vec::new();
    for (rule, words) in [(Rule::Accents, "accents"), (Rule::Marks, "apostrophes, hyphens or points")] {
        if matters(rule) {
            named.push(words.to_owned());
        }
    }
    if matters(Rule::Spaces) {
        named.push("spaces".to_owned());
    }
    let shorts = wanted.shorts_not_in(&place.reduced);
    named.extend(shorts.iter().map(|(short, long)| format!("“{short}” for “{long}”")));
    if matters(Rule::State) {
        named.push("the state".to_owned());
    }
    let mut is_plain = true;
    let mut warning = String::new();
    match (wanted.kind, place.reduced.kind) {
        (Some(a), Some(b)) if a != b => {
            is_plain = false;
            warning = format!("; but a {a} and a {b} of one name may be two places");
        }
        (Some(kind), None) | (None, Some(kind)) => {
            named.push(format!("the word “{kind}”"));
            if !matches!(kind, "city" | "village" | "town" | "municipality") {
                is_plain = false;
                warning = format!("; but a {kind} may be another place");
            }
        }
        _ => {}
    }
    let but_for = match named.split_last() {
        None => ", written in another way".to_owned(),
        Some((only, [])) => format!(" but for {only}"),
        Some((last, rest)) => format!(" but for {} and {last}", rest.join(", ")),
    };
    (format!("the same name{but_for}{warning}"), is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fold;

    fn suggest(known: &[&str], written: &str) -> Vec<Suggestion> {
        let folded: Vec<String> = known.iter().map(|k| fold(k)).collect();
        Suggester::of(folded.iter().map(String::as_str).zip(known.iter().copied())).suggest(&fold(written))
    }

    #[test]
    fn what_people_write_in_different_ways_is_suggested_with_the_reason() {
        let known = [
            "St. Charles",
            "Mount Prospect",
            "La Grange",
            "O'Fallon",
            "Evanston",
            "Ft. Wayne",
            "Sainte Genevieve",
            "North Aurora",
            "Arlington Heights",
            "Highland Park",
            "Oak Park Township",
            "Cañon City",
            "Wilkes-Barre",
            "Village of Lombard",
            "Winston-Salem",
            "Peoria, IL",
        ];
        for (written, means, why) in [
            ("Saint Charles", "St. Charles", "“st” for “saint”"),
            ("ST CHARLES", "St. Charles", "written in another way"),
            ("Mt. Prospect", "Mount Prospect", "“mt” for “mount”"),
            ("LaGrange", "La Grange", "spaces"),
            ("O\u{2019}Fallon", "O'Fallon", "apostrophes"),
            ("OFallon", "O'Fallon", "apostrophes"),
            ("O Fallon", "O'Fallon", "spaces"),
            ("City of Evanston", "Evanston", "the word “city”"),
            ("The City of Evanston", "Evanston", "the word “city”"),
            ("Evanston, IL", "Evanston", "the state"),
            ("Evanston Illinois", "Evanston", "the state"),
            ("evanston city", "Evanston", "the word “city”"),
            ("Fort Wayne", "Ft. Wayne", "“ft” for “fort”"),
            ("Ste. Geneviève", "Sainte Genevieve", "accents"),
            ("N. Aurora", "North Aurora", "“n” for “north”"),
            ("Arlington Hts", "Arlington Heights", "“hts” for “heights”"),
            ("Highland Pk.", "Highland Park", "“pk” for “park”"),
            ("Oak Park Twp", "Oak Park Township", "“twp” for “township”"),
            ("Canon City", "Cañon City", "accents"),
            ("Wilkes Barre", "Wilkes-Barre", "hyphens"),
            ("Winston Salem", "Winston-Salem", "hyphens"),
            ("Lombard", "Village of Lombard", "the word “village”"),
            ("Peoria", "Peoria, IL", "the state"),
        ] {
            let found = suggest(&known, written);
            assert_eq!(found.len(), 1, "{written}: {found:?}");
            assert_eq!(found[0].means, means, "{written}");
            assert!(found[0].why.contains(why) && found[0].is_plain, "{written}: {found:?}");
        }
    }

    #[test]
    fn slips_of_the_pen_are_suggested_and_never_plain() {
        let known = ["Evanston", "Elgin", "Ward 11", "East Dundee", "Springfield, MA", "Lima"];
        for (written, means) in
            [("Evnaston", "Evanston"), ("Evanstonn", "Evanston"), ("Elgn", "Elgin"), ("East Dundeee", "East Dundee")]
        {
            let found = suggest(&known, written);
            assert!(matches!(found.as_slice(), [one] if one.means == means && !one.is_plain), "{written}: {found:?}");
            assert!(found[0].why.contains("letter"), "{found:?}");
        }
        for far in ["Nowhere", "X", "", "Ward 12", "West Dundee", "Springfield, IL", "Li", "Limits", "-", "東京"] {
            assert_eq!(suggest(&known, far), [], "{far}");
        }
    }

    #[test]
    fn of_two_places_none_is_plain() {
        for (known, written, means) in [
            (&["City of Elgin", "Village of Elgin"][..], "Elgin", &["City of Elgin", "Village of Elgin"][..]),
            (&["City of Elgin", "Village of Elgin"], "Town of Elgin", &["City of Elgin", "Village of Elgin"]),
            (&["City of Elgin"], "Village of Elgin", &["City of Elgin"]),
            (&["Evanston"], "Evanston Township", &["Evanston"]),
            (&["Marion", "Marlon"], "Maroon", &["Marion", "Marlon"]),
        ] {
            let found = suggest(known, written);
            let names: Vec<&str> = found.iter().map(|s| s.means.as_str()).collect();
            assert!(names.iter().all(|n| means.contains(n)) && !names.is_empty(), "{written}: {found:?}");
            assert!(found.iter().all(|s| !s.is_plain), "{written}: {found:?}");
        }
        assert!(suggest(&["City of Elgin"], "Village of Elgin")[0].why.contains("may be two places"));
    }
}
