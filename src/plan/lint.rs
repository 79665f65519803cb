//! Advice about a campaign before launch: its texts, its letters as they came out, and where they come from.
//!
//! It stops nothing. It looks at nothing outside this machine: what only the provider can know, staff are told to ask.

use crate::contacts::ListedOfficial;
use crate::model::EmailAddress;
use crate::template::{Advice, fields_named, lint as lint_text, says_where_they_live};

use super::{MatchReport, Texts};

/// A telephone shows about so much of a subject.
const SUBJECT_CHARS_SEEN: usize = 70;
const WORDS_MIN: usize = 50;
const WORDS_MAX: usize = 1_000;
/// From so many letters to one official on it matters how alike they are.
const MANY_LETTERS: u64 = 30;
const PERCENT_ALIKE_MAX: usize = 95;

/// Where letters come from, as far as it is configured.
#[derive(Debug, Clone)]
pub struct Origin<'a> {
    /// The address that letters come from.
    pub sender: &'a EmailAddress,
    /// Every relay that is not on this machine: its host, and the name that we log in with.
    pub relays: Vec<(&'a str, Option<&'a str>)>,
}

/// Everything that could be better.
pub fn lint(texts: &Texts, report: &MatchReport, officials: &[ListedOfficial], origin: &Origin<'_>) -> Vec<Advice> {
    let mut advice = Vec::new();
    for (_, letter) in texts.letters() {
        advice.extend(lint_text(letter));
        if !says_where_they_live(letter) {
            advice.push(Advice::new(
                letter.name(),
                "the letter does not say where its constituent lives",
                "an office answers its own people: add {{ constituent.address }} and {{ constituent.postcode }}",
            ));
        }
    }
    advice.extend(lint_text(&texts.confirmation));
    advice.extend(sizes(texts, report));
    advice.extend(unused_note(texts, report));
    advice.extend(alike(report, officials));
    advice.extend(foreign_relays(origin));
    let mut told: Vec<Advice> = Vec::new();
    // Several letters may include one text.
    for one in advice {
        if !told.contains(&one) {
            told.push(one);
        }
    }
    told
}

fn sizes(texts: &Texts, report: &MatchReport) -> Vec<Advice> {
    let letters = if texts.others.is_empty() { texts.letter.name() } else { "the letters" };
    let samples = &report.samples;
    let mut advice = Vec::new();
    if samples.subject_chars_max > SUBJECT_CHARS_SEEN {
        advice.push(Advice::new(
            letters,
            format!("the longest subject has {} characters", samples.subject_chars_max),
            format!("a telephone shows about {SUBJECT_CHARS_SEEN}: begin with what matters, or shorten it"),
        ));
    }
    let Some((fewest, most)) = samples.words else { return advice };
    if fewest < WORDS_MIN {
        let what = format!("a letter has {fewest} words only");
        advice.push(Advice::new(letters, what, "say what is asked for and why, or filters and offices pass over it"));
    }
    if most > WORDS_MAX {
        let what = format!("a letter has {most} words");
        advice.push(Advice::new(letters, what, "few read to the end; keep to one page, and link to the rest"));
    }
    advice
}

fn unused_note(texts: &Texts, report: &MatchReport) -> Option<Advice> {
    let uses_it = |source: &str| fields_named(source).iter().any(|(_, field)| field == "note");
    let is_used = texts.letters().any(|(_, letter)| uses_it(letter.source().text()));
    (report.with_note > 0 && !is_used).then(|| {
        Advice::new(
            "note",
            format!("{} wrote something of their own, and no letter uses it", people(report.with_note)),
            "their own words count most: add {{ constituent.note | quoted }} on a line of its own, inside \
             {% if constituent.note %} and {% endif %}",
        )
    })
}

fn people(n: u64) -> String {
    if n == 1 { "1 person".to_owned() } else { format!("{n} people") }
}

/// The busiest official whose letters were looked at speaks for all.
fn alike(report: &MatchReport, officials: &[ListedOfficial]) -> Option<Advice> {
    let sampled = report.officials.iter().filter_map(|tally| {
        let percent = report.samples.percent_alike(tally.official)?;
        Some((tally.letters, percent, officials.get(tally.official)?))
    });
    let (letters, percent, listed) = sampled.max_by_key(|(letters, ..)| *letters)?;
    (letters >= MANY_LETTERS && percent > PERCENT_ALIKE_MAX).then(|| {
        Advice::new(
            listed.official.salutation(),
            format!("of 100 words, {percent} are the same in all of the {letters} letters"),
            "an office takes these for one letter: write several Subject lines, put {% variant %} … {% or %} … \
             {% endvariant %} around paragraphs, or let people add their own words",
        )
    })
}

fn foreign_relays(origin: &Origin<'_>) -> Vec<Advice> {
    let sender = origin.sender.domain();
    let is_foreign = |(host, username): &&(&str, Option<&str>)| {
        let login = username.and_then(|name| name.rsplit_once('@')).map(|(_, domain)| domain);
        !is_of_one_house(host, sender) && !login.is_some_and(|domain| is_of_one_house(domain, sender))
    };
    let advice = |(host, _): &(&str, Option<&str>)| {
        Advice::new(
            "campaign.sender",
            format!("letters come from {sender}, and {host} hands them over"),
            format!("ask your provider whether it may send for {sender} (they call it SPF and DKIM)"),
        )
    };
    origin.relays.iter().filter(is_foreign).map(advice).collect()
}

/// Whether two domains end in the same two names, or one lies within the other.
fn is_of_one_house(one: &str, other: &str) -> bool {
    let (one, other) = (one.to_lowercase(), other.to_lowercase());
    let within = |inner: &str, outer: &str| inner.strip_suffix(outer).is_some_and(|rest| rest.ends_with('.'));
    let house = |domain: &str| domain.rsplit('.').take(2).map(str::to_owned).collect::<Vec<_>>();
    // Below a public ending such as `org.uk` two names tell nothing.
    let tells = house(&one).get(1).is_some_and(|name| name.len() > 3);
    one == other || within(&one, &other) || within(&other, &one) || (tells && house(&one) == house(&other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_of_another_house_is_asked_about_and_ones_own_is_not() {
        let sender = EmailAddress::parse("letters@mail.campaign.example").unwrap();
        for (host, username, told) in [
            ("smtp.provider.test", None, true),
            ("smtp.provider.test", Some("apikey"), true),
            ("smtp.provider.test", Some("us@campaign.example"), false),
            ("smtp.provider.test", Some("us@provider.test"), true),
            ("smtp.campaign.example", None, false),
            ("MAIL.campaign.example", None, false),
            ("campaign.example", None, false),
            ("notcampaign.example", None, true),
        ] {
            let advice = foreign_relays(&Origin { sender: &sender, relays: vec![(host, username)] });
            assert_eq!(!advice.is_empty(), told, "{host} {username:?}");
        }
        assert!(!is_of_one_house("smtp.trees.org.uk", "parks.org.uk"));
    }
}
