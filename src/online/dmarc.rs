//! What the domain in `From` asks receivers to do (DMARC, RFC 7489), and whether our messages meet it.

use mail_auth::common::parse::TxtRecordParser;
use mail_auth::dmarc::{Alignment, Dmarc, Policy};

use super::Finding;
use super::dns::{Answer, Dns};

const ABOUT: &str = "DMARC";
/// So many names are asked for, from the domain itself upwards.
const STEPS_MAX: usize = 8;

/// The records, and the domain at which they were found: the sender's own or the nearest above it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Facts {
    at: String,
    found: Answer<String>,
}

/// Who vouches for a message from this domain.
#[derive(Debug, Clone, Copy)]
pub(super) struct Voucher<'a> {
    /// The domain in `From`.
    pub(super) from: &'a str,
    /// The envelope sender's.
    pub(super) envelope: &'a str,
    /// That of our own signature, if we sign.
    pub(super) signed_by: Option<&'a str>,
}

/// Asks for the record of a domain, or else of the nearest above it that has one.
pub(super) async fn gather(dns: &Dns, from: &str) -> Facts {
    let mut at = from;
    for _ in 0..STEPS_MAX {
        let found = dns.texts(&format!("_dmarc.{at}")).await;
        if found.unknown().is_some() || found.records().iter().any(|text| is_dmarc(text)) {
            return Facts { at: at.to_owned(), found };
        }
        match at.split_once('.') {
            Some((_, above)) if above.contains('.') => at = above,
            _ => break,
        }
    }
    Facts { at: from.to_owned(), found: Answer::Nothing }
}

fn is_dmarc(text: &str) -> bool {
    text.split(';').next().is_some_and(|first| first.replace(' ', "").eq_ignore_ascii_case("v=DMARC1"))
}

/// What receivers will make of our messages.
pub(super) fn judge(voucher: Voucher<'_>, facts: &Facts) -> Finding {
    let from = voucher.from;
    if let Some(why) = facts.found.unknown() {
        let what = format!("whether {from} has a DMARC record could not be found out ({why})");
        return Finding::advice(ABOUT, what, "try again later");
    }
    let records: Vec<&String> = facts.found.records().iter().filter(|text| is_dmarc(text)).collect();
    let add = "with the value: v=DMARC1; p=none";
    let [record] = records.as_slice() else {
        let (what, action) = match records.len() {
            0 => (
                format!("{from} has no DMARC record, which Gmail, Yahoo and others ask of whoever sends much"),
                format!("add a TXT record named _dmarc.{from} {add}"),
            ),
            n => (format!("{} has {n} DMARC records, so receivers heed none", facts.at), "leave one".to_owned()),
        };
        return Finding::advice(ABOUT, what, action);
    };
    let Ok(dmarc) = Dmarc::parse(record.as_bytes()) else {
        let what = format!("the DMARC record of {} cannot be read, so receivers do not heed it", facts.at);
        return Finding::advice(ABOUT, what, format!("write it anew, for example {add}"));
    };
    judge_alignment(voucher, &facts.at, &dmarc)
}

fn judge_alignment(voucher: Voucher<'_>, at: &str, dmarc: &Dmarc) -> Finding {
    let Voucher { from, envelope, signed_by } = voucher;
    let policy = if from == at { dmarc.p } else { dmarc.sp };
    let asks = match policy {
        Policy::Reject => "asks receivers to refuse what it does not vouch for",
        Policy::Quarantine => "asks receivers to treat as spam what it does not vouch for",
        Policy::None | Policy::Unspecified => "asks receivers for nothing yet",
    };
    let by_envelope = is_aligned(from, envelope, at, dmarc.aspf);
    let by_signature = signed_by.is_some_and(|domain| is_aligned(from, domain, at, dmarc.adkim));
    let by_whom = match (by_envelope, by_signature) {
        (true, true) => "by the envelope sender (SPF) and by your signature (DKIM)",
        (true, false) => "by the envelope sender (SPF)",
        (false, true) => "by your signature (DKIM)",
        (false, false) => {
            let match_it =
                if is_related(from, envelope, at) { "is the very same, as it demands" } else { "matches it" };
            let what = format!(
                "DMARC of {from} {asks}, and neither the envelope sender's domain ({envelope}) nor a signature of ours \
                 {match_it}"
            );
            let action = format!(
                "set campaign.envelope_sender to an address at {from}, or be sure that the relay signs with DKIM as {from}"
            );
            return Finding::advice(ABOUT, what, action);
        }
    };
    Finding::good(ABOUT, format!("DMARC of {from} {asks}; your messages are vouched for {by_whom}"))
}

fn is_aligned(from: &str, other: &str, at: &str, alignment: Alignment) -> bool {
    match alignment {
        Alignment::Strict => from == other,
        Alignment::Relaxed => is_related(from, other, at),
    }
}

/// One is above the other, or both stand under the domain whose record counts.
fn is_related(one: &str, other: &str, at: &str) -> bool {
    let is_under = |name: &str, top: &str| name.strip_suffix(top).is_some_and(|r| r.is_empty() || r.ends_with('.'));
    is_under(one, other) || is_under(other, one) || (is_under(one, at) && is_under(other, at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::online::Weight;

    fn finding(record: &str, at: &str, envelope: &str, signed_by: Option<&str>) -> Finding {
        let facts = Facts { at: at.into(), found: Answer::Found(vec!["x=1".into(), record.into()]) };
        judge(Voucher { from: "mail.x.example", envelope, signed_by }, &facts)
    }

    #[test]
    fn alignment_is_relaxed_unless_the_record_says_strict() {
        let (own, strict) = ("v=DMARC1; p=reject", "v=DMARC1; p=reject; aspf=s; adkim=s");
        for (record, at, envelope, signed_by, weight, said) in [
            (own, "mail.x.example", "mail.x.example", None, Weight::Good, "(SPF)"),
            (own, "x.example", "bounces.x.example", None, Weight::Good, "(SPF)"),
            (own, "x.example", "provider.example", Some("x.example"), Weight::Good, "(DKIM)"),
            (own, "x.example", "x.example", Some("x.example"), Weight::Good, "(SPF) and by your signature (DKIM)"),
            (own, "mail.x.example", "provider.example", None, Weight::Advice, "neither"),
            (strict, "x.example", "x.example", None, Weight::Advice, "the very same"),
            (strict, "x.example", "x.example", Some("x.example"), Weight::Advice, "the very same"),
            (strict, "x.example", "x.example", Some("mail.x.example"), Weight::Good, "(DKIM)"),
            ("v=DMARC1; p=reject; sp=none", "x.example", "x.example", None, Weight::Good, "for nothing yet"),
            ("v=DMARC1; p=none; sp=quarantine", "x.example", "x.example", None, Weight::Good, "as spam"),
            ("v=DMARC1; p=nonsense", "x.example", "x.example", None, Weight::Advice, "cannot be read"),
        ] {
            let finding = finding(record, at, envelope, signed_by);
            assert_eq!(finding.weight, weight, "{record} {envelope} {signed_by:?}: {finding:?}");
            assert!(finding.what.contains(said), "{said}: {finding:?}");
        }
    }

    #[test]
    fn none_and_several_records_are_told_and_unknown_is_not_called_none() {
        let voucher = Voucher { from: "x.example", envelope: "x.example", signed_by: None };
        let two = Answer::Found(vec!["v=DMARC1; p=none".into(), "v=DMARC1; p=reject".into()]);
        for (found, said) in [
            (Answer::Nothing, "no DMARC record"),
            (two, "2 DMARC records"),
            (Answer::Broken("SERVFAIL".into()), "could not be found out"),
        ] {
            let finding = judge(voucher, &Facts { at: "x.example".into(), found });
            assert!(finding.weight == Weight::Advice && finding.what.contains(said), "{finding:?}");
        }
    }
}
