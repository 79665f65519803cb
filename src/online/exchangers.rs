//! Whether the officials' domains take mail at all: MX, or an address where there is none (RFC 5321 5.1, RFC 7505).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::Finding;
use super::dns::{Answer, Dns};

const ABOUT: &str = "officials";
/// So many domains are asked about at a time.
const AT_A_TIME: usize = 64;
/// For all of them together: staff wait, and a name server that is silent would take minutes.
const ALL: Duration = Duration::from_secs(60);
/// So many domains are named that could not be asked about.
const NAMED: usize = 5;

/// The domains that letters go to, each once, with how many officials are there.
pub type Recipients = BTreeMap<String, usize>;

/// What a domain says of mail to it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fate {
    Takes,
    TakesNone,
    NoMailServer,
    NoSuchDomain,
    Unknown(String),
}

/// Asks about every domain.
pub async fn look_at(dns: &Dns, recipients: &Recipients) -> Vec<Finding> {
    let turns = Arc::new(Semaphore::new(AT_A_TIME));
    let until = Instant::now() + ALL;
    let mut asking = JoinSet::new();
    for domain in recipients.keys().cloned() {
        let (dns, turns) = (dns.clone(), turns.clone());
        asking.spawn(async move {
            let asked = timeout_at(until, async {
                let _turn = turns.acquire().await;
                fate(&dns, &domain).await
            });
            let fate = asked.await.unwrap_or_else(|_| Fate::Unknown("the DNS answers too slowly".to_owned()));
            (domain, fate)
        });
    }
    let fates: BTreeMap<String, Fate> = asking.join_all().await.into_iter().collect();
    judge(recipients, &fates)
}

async fn fate(dns: &Dns, domain: &str) -> Fate {
    match dns.exchangers(domain).await {
        Answer::Found(servers) if servers.iter().all(String::is_empty) => Fate::TakesNone,
        Answer::Found(_) => Fate::Takes,
        Answer::NoSuchName => Fate::NoSuchDomain,
        Answer::Broken(why) | Answer::Unreachable(why) => Fate::Unknown(why),
        Answer::Nothing => match dns.addresses(domain).await {
            Answer::Found(_) => Fate::Takes,
            Answer::Broken(why) | Answer::Unreachable(why) => Fate::Unknown(why),
            Answer::Nothing | Answer::NoSuchName => Fate::NoMailServer,
        },
    }
}

fn judge(recipients: &Recipients, fates: &BTreeMap<String, Fate>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let (mut takes, mut unknown) = (0, Vec::new());
    for (domain, fate) in fates {
        let what = match fate {
            Fate::Takes => {
                takes += 1;
                continue;
            }
            Fate::Unknown(why) => {
                unknown.push((domain.as_str(), why.as_str()));
                continue;
            }
            Fate::TakesNone => format!("{domain} says that it takes no mail (null MX)"),
            Fate::NoMailServer => format!("{domain} has no mail server"),
            Fate::NoSuchDomain => format!("there is no domain {domain}"),
        };
        let n = recipients.get(domain).copied().unwrap_or_default();
        let officials = if n == 1 { "1 official".to_owned() } else { format!("{n} officials") };
        let what = format!("{what}, which {officials} of your list {}", if n == 1 { "has" } else { "have" });
        findings.push(Finding::problem(ABOUT, what, "look for another address, or take the row out of your list"));
    }
    if let Some((_, why)) = unknown.first() {
        let mut names: Vec<&str> = unknown.iter().take(NAMED).map(|(domain, _)| *domain).collect();
        let rest = format!("{} more", unknown.len() - names.len());
        if unknown.len() > names.len() {
            names.push(&rest);
        }
        let what = format!("whether mail can go to {} could not be found out ({why})", names.join(", "));
        findings.push(Finding::advice(ABOUT, what, "try again later"));
    }
    if takes > 0 {
        findings.push(Finding::good(
            ABOUT,
            match (takes, fates.len()) {
                (1, 1) => "the one domain that letters go to has a mail server".to_owned(),
                (n, all) if n == all => format!("all {n} domains that letters go to have a mail server"),
                (n, all) => format!("{n} of the {all} domains that letters go to have a mail server"),
            },
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::online::Weight;

    #[test]
    fn domains_without_mail_are_problems_and_those_that_cannot_be_asked_about_are_not() {
        let fates = [
            ("a.example", Fate::Takes),
            ("b.example", Fate::TakesNone),
            ("c.example", Fate::NoMailServer),
            ("d.example", Fate::NoSuchDomain),
            ("e.example", Fate::Unknown("silence".into())),
        ];
        let fates: BTreeMap<String, Fate> = fates.into_iter().map(|(d, f)| (d.to_owned(), f)).collect();
        let recipients: Recipients = fates.keys().map(|d| (d.clone(), 2)).collect();
        let findings = judge(&recipients, &fates);
        let of = |weight| findings.iter().filter(|f| f.weight == weight).map(|f| f.what.as_str()).collect::<Vec<_>>();
        assert_eq!(of(Weight::Problem).len(), 3);
        assert!(of(Weight::Problem).iter().all(|what| what.ends_with("which 2 officials of your list have")));
        assert_eq!(of(Weight::Advice), ["whether mail can go to e.example could not be found out (silence)"]);
        assert_eq!(of(Weight::Good), ["1 of the 5 domains that letters go to have a mail server"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_name_server_does_not_hold_up_a_thousand_domains_for_minutes() {
        let silent = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let dns = Dns::new(Some(silent.local_addr().unwrap())).unwrap();
        let recipients: Recipients = (0..1000).map(|n| (format!("{n}.example.org"), 1)).collect();
        let began = Instant::now();
        let findings = look_at(&dns, &recipients).await;
        assert!(began.elapsed() <= ALL + Duration::from_secs(1), "{:?}", began.elapsed());
        assert_eq!(findings.len(), 1, "{findings:?}");
    }

    #[test]
    fn domains_that_cannot_be_asked_about_are_one_finding() {
        let fates: BTreeMap<_, _> =
            (0..40).map(|n| (format!("{n:02}.example"), Fate::Unknown("silence".into()))).collect();
        let findings = judge(&Recipients::new(), &fates);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].what.contains("04.example, 35 more"), "{}", findings[0].what);
    }
}
