//! Whether the DNS has the public half of the key that we sign with (RFC 6376 3.6.1). Pure.

use super::Finding;
use super::dns::Answer;
use super::sender::PublicKey;

const ABOUT: &str = "DKIM";

/// What receivers will think of our signatures.
pub(super) fn judge(key: &PublicKey, found: &Answer<String>) -> Finding {
    let name = &key.name;
    if let Some(why) = found.unknown() {
        let what = format!("whether {name} has our key could not be found out ({why})");
        return Finding::advice(ABOUT, what, "try again later");
    }
    let publish = format!("publish what `undersigned dkim show` tells, and do not send before, as {BROKEN}");
    let texts: Vec<&String> = found.records().iter().filter(|text| tag(text, "p").is_some()).collect();
    let [text] = texts.as_slice() else {
        let what = match texts.len() {
            0 => format!("{name} has no key in the DNS"),
            n => format!("{name} has {n} keys in the DNS, where receivers take one"),
        };
        return Finding::problem(ABOUT, what, publish);
    };
    let (theirs, ours) = (tag(text, "p").unwrap_or_default(), tag(&key.record, "p").unwrap_or_default());
    let kind = |record: &str| tag(record, "k").unwrap_or_else(|| "rsa".to_owned());
    if theirs.is_empty() {
        let what = format!("the key at {name} is withdrawn in the DNS");
        return Finding::problem(
            ABOUT,
            what,
            "make another under a new name with: undersigned dkim keygen --selector NAME",
        );
    }
    if theirs != ours || kind(text) != kind(&key.record) {
        let what = format!("the key at {name} is not the one that we sign with");
        return Finding::problem(ABOUT, what, publish);
    }
    if tag(text, "t").is_some_and(|flags| flags.split(':').any(|flag| flag == "y")) {
        let what = format!("the record at {name} says that the domain is only testing (t=y), so nobody trusts it");
        return Finding::advice(ABOUT, what, "take t=y out of it");
    }
    Finding::good(ABOUT, format!("{name} has the key that we sign with"))
}

const BROKEN: &str = "a signature that nobody can check counts against you";

/// A tag of a record, without the spaces that may stand in it.
fn tag(record: &str, name: &str) -> Option<String> {
    let mut tags = record.split(';').filter_map(|part| part.split_once('='));
    let (_, value) = tags.find(|(tag, _)| tag.trim() == name)?;
    Some(value.chars().filter(|c| !c.is_whitespace()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::online::Weight;

    #[test]
    fn a_record_is_ours_whole_and_alone_or_it_is_a_problem() {
        let key = PublicKey { name: "a._domainkey.x.example".into(), record: "v=DKIM1; k=rsa; p=AbC+".into() };
        let found = |texts: &[&str]| Answer::Found(texts.iter().map(|&text| text.to_owned()).collect());
        for (answer, weight, said) in [
            (found(&["v=DKIM1; k=rsa; p=AbC+"]), Weight::Good, "has the key"),
            (found(&["p=Ab C+;"]), Weight::Good, "has the key"),
            (found(&["verification=1", "k=rsa;p=AbC+"]), Weight::Good, "has the key"),
            (found(&["v=DKIM1; t=s:y; p=AbC+"]), Weight::Advice, "t=y"),
            (found(&["v=DKIM1; p=abc+"]), Weight::Problem, "not the one"),
            (found(&["v=DKIM1; k=ed25519; p=AbC+"]), Weight::Problem, "not the one"),
            (found(&["v=DKIM1; p="]), Weight::Problem, "withdrawn"),
            (found(&["p=AbC+", "p=AbC+"]), Weight::Problem, "2 keys"),
            (found(&["something else"]), Weight::Problem, "no key"),
            (Answer::NoSuchName, Weight::Problem, "no key"),
            (Answer::Nothing, Weight::Problem, "no key"),
            (Answer::Broken("SERVFAIL".into()), Weight::Advice, "could not be found out"),
            (Answer::Unreachable("silence".into()), Weight::Advice, "could not be found out"),
        ] {
            let finding = judge(&key, &answer);
            assert_eq!(finding.weight, weight, "{answer:?}: {finding:?}");
            assert!(finding.what.contains(said), "{finding:?}");
        }
    }
}
