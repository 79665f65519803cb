//! What a large campaign costs: enrolment in one go with flat memory, and a price of a letter that does not grow.
//!
//! Not run by default, because it takes its time: `cargo test --release --test ledger_scale -- --ignored --nocapture`,
//! with `LETTERS` for another size.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a measurement fails by panicking and prints its figures"
)]

use std::time::{Duration, Instant};

use jiff::Timestamp;
use undersigned::ledger::sqlite::SqliteLedger;
use undersigned::ledger::{Claim, Confirming, Decision, DecisionKind, Enrolment, Ledger, Selection, Terms};
use undersigned::model::{
    Attempt, CampaignTag, Class, Constituent, Disposition, EmailAddress, Extra, MessageKind, Official, Outcome,
    PersonName, Phase, Reply, Stamp,
};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;
const OFFICIALS: usize = 1000;
const HANDED_OVER: usize = 3000;

fn official(n: usize) -> Official {
    Official {
        title: "Mayor".into(),
        name: PersonName::parse(&format!("Official {n}")).unwrap(),
        mailbox: Some(EmailAddress::parse(&format!("mayor@town{n}.example")).unwrap()),
        jurisdiction: format!("Town {n}"),
        extra: Extra::new(),
    }
}

fn constituent(n: usize) -> Constituent {
    Constituent {
        title: "Ms".into(),
        name: PersonName::parse(&format!("Constituent {n}")).unwrap(),
        mailbox: EmailAddress::parse(&format!("constituent.{n}@home.example")).unwrap(),
        jurisdiction: format!("Town {}", n % OFFICIALS),
        address: format!("{n} Main Street"),
        postcode: "01234".into(),
        signed_on: "2026-10-01".into(),
        note: "Please keep the trees on the square.".into(),
        extra: Extra::new(),
    }
}

fn letters(count: usize) -> impl Iterator<Item = Enrolment> {
    let officials = (0..OFFICIALS).map(|n| Enrolment::Official(official(n)));
    let keys: Vec<_> = (0..OFFICIALS).map(|n| official(n).key()).collect();
    officials.chain((0..count).map(move |n| Enrolment::Constituent {
        constituent: constituent(n),
        officials: vec![keys[n % OFFICIALS].into()],
    }))
}

/// The most memory that this process has had, in MiB.
fn memory_max() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0");
    line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) / 1024
}

fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    eprintln!("{what}: {:.2?}, at most {} MiB so far", start.elapsed(), memory_max());
    result
}

/// Hands letters over one after the other; the time for one.
async fn hand_over(ledger: &SqliteLedger) -> Duration {
    let start = Instant::now();
    for n in 0..HANDED_OVER {
        let claim = Claim { now: NOW, limit: 1, one_per_lane: true, kind: None };
        let leased = ledger.claim(claim).await.unwrap().remove(0);
        let stamp = Stamp { message_id: format!("{n}@campaign.example"), date: NOW, body_hash: [0; 32] };
        let open = ledger.mark_transmitting(leased, "main", stamp, None).await.unwrap();
        let outcome = Outcome::Replied(Reply::new(Phase::Dot, 250, ["Ok"]));
        let attempt = Attempt {
            at: NOW,
            relay: "main".into(),
            outcome,
            class: Class::Accepted,
            rule: "250 to the dot".into(),
            disposition: Disposition::Sent,
        };
        ledger.close(open, attempt, NOW).await.unwrap();
    }
    start.elapsed() / u32::try_from(HANDED_OVER).unwrap()
}

async fn campaign(count: usize) -> Duration {
    let folder = tempfile::tempdir().unwrap();
    let tag = CampaignTag::parse("k3m9x2").unwrap();
    let ledger = SqliteLedger::create(&folder.path().join("campaign.ledger"), "Trees", &tag, NOW).unwrap();
    let letter = ledger.freeze_template("letter", "Dear", NOW).unwrap();
    let terms = Terms { letter, confirmation: letter, confirming: Confirming::PerConstituent };
    let enrolled = timed(&format!("enrol {count}"), || ledger.enrol(&terms, NOW, &mut letters(count).map(Ok)).unwrap());
    assert_eq!(enrolled.queued, count as u64);
    let again = timed("enrol them again", || ledger.enrol(&terms, NOW, &mut letters(count).map(Ok)).unwrap());
    assert_eq!(again.known, count as u64);
    let each = hand_over(&ledger).await;
    eprintln!("a letter, one after the other: {each:.2?}");
    timed("count", || assert_eq!(ledger.counts().unwrap().total(MessageKind::Letter), count as u64));
    timed("officials", || ledger.officials(20).unwrap());
    for kind in [DecisionKind::Hold, DecisionKind::Release, DecisionKind::Cancel] {
        let order = Decision { kind, selection: Selection::All, reason: String::new(), at: NOW };
        timed(kind.as_str(), || ledger.decide(&order).unwrap());
    }
    each
}

#[tokio::test]
#[ignore = "takes a minute"]
async fn the_price_of_a_letter_does_not_grow_with_the_campaign() {
    let count = std::env::var("LETTERS").ok().and_then(|n| n.parse().ok()).unwrap_or(1_000_000);
    let small = campaign(10 * OFFICIALS).await;
    let large = campaign(count).await;
    assert!(large < small * 3, "{small:?} a letter among {}, {large:?} among {count}", 10 * OFFICIALS);
}
