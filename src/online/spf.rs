//! Whether the envelope sender's domain lets our relay send (SPF, RFC 7208), as far as that can be told from here.

use std::collections::BTreeSet;
use std::net::IpAddr;

use mail_auth::common::parse::TxtRecordParser;
use mail_auth::spf::{Macro, Mechanism, Qualifier, Spf};

use super::Finding;
use super::dns::{Answer, Dns};

const ABOUT: &str = "SPF";
/// RFC 7208 4.6.4.
const LOOKUPS_MAX: usize = 10;
/// A record that needs more questions than this is beyond hope.
const QUESTIONS_MAX: usize = 30;

/// Providers whose mail leaves from other places than the host that we log in to, and what they want included.
const PROVIDERS: &[(&str, &str)] = &[
    ("amazonaws.com", "amazonses.com"),
    ("gmail.com", "_spf.google.com"),
    ("google.com", "_spf.google.com"),
    ("office365.com", "spf.protection.outlook.com"),
    ("outlook.com", "spf.protection.outlook.com"),
    ("sendgrid.net", "sendgrid.net"),
    ("mailgun.org", "mailgun.org"),
    ("postmarkapp.com", "spf.mtasv.net"),
];

/// A relay by its name, and where that leads.
#[derive(Debug, Clone)]
pub(super) struct RelayPlace {
    pub(super) host: String,
    pub(super) addresses: Vec<IpAddr>,
}

/// The record of a domain with everything that it includes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Facts {
    /// The domain's own records.
    own: Answer<String>,
    /// Questions that a receiver has to ask.
    lookups: usize,
    everybody: bool,
    networks: Vec<(IpAddr, IpAddr)>,
    includes: BTreeSet<String>,
    /// What makes receivers throw the whole record away.
    broken: Option<String>,
    /// What could not be looked at.
    unknown: Option<String>,
}

/// Asks for the record and for all that it includes; `own` are the texts of the domain itself.
pub(super) async fn gather(dns: &Dns, domain: &str, own: Answer<String>) -> Facts {
    let mut facts = Facts::of(own);
    let mut waiting = match only(facts.own.records()) {
        Some(record) => facts.read(domain, &record, true),
        None => Vec::new(),
    };
    let mut questions = 0;
    while let Some((name, is_main)) = waiting.pop() {
        questions += 1;
        if questions > QUESTIONS_MAX || !facts.includes.insert(name.clone()) {
            continue;
        }
        let found = dns.texts(&name).await;
        match (only(found.records()), found.unknown()) {
            (Some(record), _) => waiting.extend(facts.read(&name, &record, is_main)),
            (None, Some(why)) => facts.unknown = Some(format!("{name}: {why}")),
            (None, None) => facts.broken = Some(format!("it includes {name}, which does not have one SPF record")),
        }
    }
    facts
}

impl Facts {
    fn of(own: Answer<String>) -> Self {
        let (networks, includes) = (Vec::new(), BTreeSet::new());
        Self { own, lookups: 0, everybody: false, networks, includes, broken: None, unknown: None }
    }

    /// Takes a record in; gives what it includes, and whether that stands in its place.
    fn read(&mut self, name: &str, record: &str, is_main: bool) -> Vec<(String, bool)> {
        let Ok(spf) = Spf::parse(record.as_bytes()) else {
            self.broken = Some(format!("the record of {name} cannot be read"));
            return Vec::new();
        };
        let mut includes = Vec::new();
        for directive in &spf.directives {
            match &directive.mechanism {
                Mechanism::All => self.everybody |= is_main && directive.qualifier == Qualifier::Pass,
                Mechanism::Ip4 { addr, mask } => self.networks.push(((*addr).into(), IpAddr::V4((*mask).into()))),
                Mechanism::Ip6 { addr, mask } => self.networks.push(((*addr).into(), IpAddr::V6((*mask).into()))),
                Mechanism::Include { macro_string } => {
                    self.lookups += 1;
                    includes.extend(literal(macro_string).map(|name| (name, false)));
                }
                Mechanism::A { .. } | Mechanism::Mx { .. } | Mechanism::Ptr { .. } | Mechanism::Exists { .. } => {
                    self.lookups += 1;
                }
            }
        }
        let ends = spf.directives.iter().any(|directive| directive.mechanism == Mechanism::All);
        if let Some(redirect) = spf.redirect.as_ref().filter(|_| !ends) {
            self.lookups += 1;
            includes.extend(literal(redirect).map(|name| (name, is_main)));
        }
        includes
    }

    fn covers(&self, relay: &RelayPlace) -> bool {
        let by_address = |address: &IpAddr| self.networks.iter().any(|network| is_in(*address, *network));
        let wanted = wanted_include(&relay.host);
        relay.addresses.iter().any(by_address)
            || self.includes.iter().any(|name| Some(name.as_str()) == wanted || same_house(name, &relay.host))
    }
}

fn literal(text: &Macro) -> Option<String> {
    match text {
        Macro::Literal(bytes) => Some(String::from_utf8_lossy(bytes).trim_end_matches('.').to_ascii_lowercase()),
        _ => None,
    }
}

fn is_in(address: IpAddr, (network, mask): (IpAddr, IpAddr)) -> bool {
    match (address, network, mask) {
        (IpAddr::V4(a), IpAddr::V4(n), IpAddr::V4(m)) => a.to_bits() & m.to_bits() == n.to_bits() & m.to_bits(),
        (IpAddr::V6(a), IpAddr::V6(n), IpAddr::V6(m)) => a.to_bits() & m.to_bits() == n.to_bits() & m.to_bits(),
        _ => false,
    }
}

fn wanted_include(host: &str) -> Option<&'static str> {
    let is_there = |suffix: &str| host == suffix || host.ends_with(&format!(".{suffix}"));
    PROVIDERS.iter().find(|(suffix, _)| is_there(suffix)).map(|(_, include)| *include)
}

/// The same last two labels: good enough for a hint.
fn same_house(one: &str, other: &str) -> bool {
    let house = |name: &str| name.rsplit('.').take(2).map(str::to_owned).collect::<Vec<_>>();
    house(one).len() == 2 && house(one) == house(other)
}

fn is_spf(text: &str) -> bool {
    let word = text.split(' ').next().unwrap_or_default();
    word.eq_ignore_ascii_case("v=spf1")
}

/// The SPF record, where there is one and no other.
fn only(texts: &[String]) -> Option<String> {
    let mut records = texts.iter().filter(|text| is_spf(text));
    records.next().filter(|_| records.next().is_none()).cloned()
}

/// What receivers will think of mail from this domain through these relays.
pub(super) fn judge(domain: &str, facts: &Facts, relays: &[RelayPlace]) -> Vec<Finding> {
    if let Some(why) = facts.own.unknown() {
        let what = format!("whether {domain} has an SPF record could not be found out ({why})");
        return vec![Finding::advice(ABOUT, what, "try again later")];
    }
    let wanted = relays.iter().find_map(|relay| wanted_include(&relay.host));
    let mechanism = wanted.map_or_else(|| "include:… (your provider says what)".to_owned(), |w| format!("include:{w}"));
    match facts.own.records().iter().filter(|text| is_spf(text)).count() {
        _ if facts.own == Answer::NoSuchName => {
            let what = format!("there is no domain {domain}, to which bounces would go");
            return vec![Finding::problem(ABOUT, what, "set campaign.sender and campaign.envelope_sender right")];
        }
        0 => {
            let what = format!("{domain} has no SPF record, so many receivers take its mail for spam");
            let action = format!("add a TXT record for {domain} with the value: v=spf1 {mechanism} ~all");
            return vec![Finding::advice(ABOUT, what, action)];
        }
        1 => {}
        n => {
            let what = format!("{domain} has {n} SPF records, so receivers heed none of them");
            return vec![Finding::problem(ABOUT, what, "put them together into one")];
        }
    }
    let mut findings = Vec::new();
    if let Some(broken) = &facts.broken {
        let what = format!("the SPF record of {domain} is not valid: {broken}");
        findings.push(Finding::problem(ABOUT, what, "mend it, as receivers heed none of it now"));
    }
    if facts.lookups > LOOKUPS_MAX {
        let n = facts.lookups;
        let what = format!("the SPF record of {domain} needs {n} look-ups, and receivers give up after {LOOKUPS_MAX}");
        findings.push(Finding::problem(ABOUT, what, "take out an include: that you do not need"));
    }
    if facts.everybody {
        let what = format!("the SPF record of {domain} lets everybody send in its name (+all)");
        findings.push(Finding::advice(ABOUT, what, "end it with ~all"));
    }
    if let Some(why) = &facts.unknown {
        let what = format!("a part of the SPF record of {domain} could not be looked at ({why})");
        findings.push(Finding::advice(ABOUT, what, "try again later"));
    }
    if findings.is_empty() {
        findings.push(Finding::good(ABOUT, format!("{domain} has one valid SPF record")));
        findings.extend(relays.iter().map(|relay| judge_relay(domain, facts, relay)));
    }
    findings
}

fn judge_relay(domain: &str, facts: &Facts, relay: &RelayPlace) -> Finding {
    let host = &relay.host;
    if facts.covers(relay) {
        return Finding::good(ABOUT, format!("the SPF record of {domain} names what {host} belongs to"));
    }
    let what = format!("the SPF record of {domain} names nothing that looks like {host}");
    Finding::advice(
        ABOUT,
        what,
        match wanted_include(host) {
            Some(include) => format!("put include:{include} into it"),
            None => "ask your provider what to put into it".to_owned(),
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::online::Weight;

    fn facts(records: &[&str]) -> Facts {
        let own = Answer::Found(records.iter().map(|&text| text.to_owned()).collect());
        let mut facts = Facts::of(own);
        if let Some(record) = only(facts.own.records()) {
            for (name, _) in facts.read("x.example", &record, true) {
                facts.includes.insert(name);
            }
        }
        facts
    }

    fn relay(host: &str, address: &str) -> RelayPlace {
        RelayPlace { host: host.into(), addresses: vec![address.parse().unwrap()] }
    }

    #[test]
    fn a_record_is_one_valid_and_short_or_it_is_told() {
        let many =
            format!("v=spf1 {} ~all", (0..11).map(|n| format!("include:s{n}.example")).collect::<Vec<_>>().join(" "));
        for (records, weight, said) in [
            (&["v=spf1 ip4:192.0.2.0/24 ~all"][..], Weight::Good, "one valid"),
            (&["v=spf1 a mx ptr exists:e.example -all", "other=1"], Weight::Good, "one valid"),
            (&[], Weight::Advice, "no SPF record"),
            (&["other=1", "v=spf10 all"], Weight::Advice, "no SPF record"),
            (&["v=spf1 +all"], Weight::Advice, "+all"),
            (&["v=spf1 all"], Weight::Advice, "+all"),
            (&["v=spf1 -all", "v=spf1 ~all"], Weight::Problem, "2 SPF records"),
            (&["v=spf1 ip4:nonsense -all"], Weight::Problem, "not valid"),
            (&[&many], Weight::Problem, "11 look-ups"),
        ] {
            let findings = judge("x.example", &facts(records), &[]);
            let worst = findings.iter().min_by_key(|finding| finding.weight).unwrap();
            assert_eq!(worst.weight, weight, "{records:?}: {findings:?}");
            assert!(worst.what.contains(said), "{records:?}: {worst:?}");
        }
    }

    #[test]
    fn whether_a_relay_is_covered_is_told_by_its_address_its_house_or_what_its_provider_wants() {
        for (record, host, address, covered) in [
            ("v=spf1 ip4:192.0.2.0/24 ~all", "mail.any.example", "192.0.2.7", true),
            ("v=spf1 ip4:192.0.2.0/24 ~all", "mail.any.example", "198.51.100.7", false),
            ("v=spf1 ip6:2001:db8::/32 ~all", "mail.any.example", "2001:db8::7", true),
            ("v=spf1 include:spf.any.example ~all", "mail.any.example", "198.51.100.7", true),
            ("v=spf1 include:amazonses.com ~all", "email-smtp.us-east-1.amazonaws.com", "198.51.100.7", true),
            ("v=spf1 include:amazonses.com ~all", "smtp.gmail.com", "198.51.100.7", false),
            ("v=spf1 include:_spf.google.com ~all", "smtp.gmail.com", "198.51.100.7", true),
        ] {
            let findings = judge("x.example", &facts(&[record]), &[relay(host, address)]);
            let weight = if covered { Weight::Good } else { Weight::Advice };
            assert_eq!(findings.last().map(|f| f.weight), Some(weight), "{record} {host}: {findings:?}");
        }
    }

    #[test]
    fn what_could_not_be_asked_is_never_called_missing() {
        for unknown in [Answer::Broken("SERVFAIL".into()), Answer::Unreachable("silence".into())] {
            let findings = judge("x.example", &Facts::of(unknown), &[]);
            assert!(findings.len() == 1 && findings[0].what.contains("could not be found out"), "{findings:?}");
        }
        let gone = judge("x.example", &Facts::of(Answer::NoSuchName), &[]);
        assert_eq!(gone[0].weight, Weight::Problem);
    }
}
