//! A small campaign to try a ledger on, and the calls that tests make over and over.

use std::fmt::Write;

use jiff::{Timestamp, ToSpan};
use undersigned::ledger::{
    Claim, Confirming, Decision, DecisionKind, Enrolled, Enrolment, Leased, Ledger, LedgerError, LogFilter,
    MessageRecord, Open, Selection, Terms,
};
use undersigned::model::{
    Attempt, Class, Constituent, Content, Disposition, EmailAddress, Extra, LossCause, MessageId, MessageKind,
    MessageState, Official, Outcome, PersonName, Phase, Reply, Stamp,
};

/// A kind of ledger, as the contract needs it.
pub(crate) trait Backend: Sized {
    type Ledger: Ledger;

    /// A new, empty ledger.
    fn fresh() -> Self;
    /// The handle of the dispatcher.
    fn ledger(&self) -> &Self::Ledger;
    /// The handle of another process.
    fn another(&self) -> Self::Ledger;
    /// The process ends, whatever it was doing, and a new one opens the ledger.
    fn restart(self) -> Self;
}

/// So many minutes into the campaign.
pub(crate) fn minute(n: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap() + n.minutes()
}

pub(crate) fn official(n: usize) -> Official {
    Official {
        title: "Mayor".into(),
        name: PersonName::parse(&format!("Official {n}")).unwrap(),
        mailbox: Some(EmailAddress::parse(&format!("o{n}@town.example")).unwrap()),
        jurisdiction: format!("Town {n}"),
        extra: Extra::new(),
    }
}

pub(crate) fn constituent(n: usize) -> Constituent {
    Constituent {
        title: String::new(),
        name: PersonName::parse(&format!("Constituent {n}")).unwrap(),
        mailbox: EmailAddress::parse(&format!("c{n}@home.example")).unwrap(),
        jurisdiction: "Town".into(),
        address: "1 Main Street".into(),
        postcode: "01234".into(),
        signed_on: "2026-10-01".into(),
        note: "Please.".into(),
        extra: Extra::from([("ward".into(), "7".into())]),
    }
}

/// Constituents by number, each with the numbers of the officials they write to.
pub(crate) type Plan<'a> = &'a [(usize, &'a [usize])];

pub(crate) fn enrolments(plan: Plan<'_>) -> Vec<Enrolment> {
    let officials: std::collections::BTreeSet<usize> = plan.iter().flat_map(|(_, to)| to.iter().copied()).collect();
    let officials = officials.into_iter().map(|n| Enrolment::Official(official(n)));
    let constituents = plan.iter().map(|(n, to)| Enrolment::Constituent {
        constituent: constituent(*n),
        officials: to.iter().map(|n| official(*n).key().into()).collect(),
    });
    officials.chain(constituents).collect()
}

pub(crate) fn terms(ledger: &impl Ledger, confirming: Confirming) -> Terms {
    Terms {
        letter: ledger.freeze_template("letter", "Dear {{ official.name }}", minute(0)).unwrap(),
        confirmation: ledger.freeze_template("confirmation", "Sent", minute(0)).unwrap(),
        confirming,
    }
}

pub(crate) fn enrol_as(
    ledger: &impl Ledger,
    confirming: Confirming,
    list: Vec<Enrolment>,
) -> Result<Enrolled, LedgerError> {
    let terms = terms(ledger, confirming);
    ledger.enrol(&terms, minute(0), &mut list.into_iter().map(Ok))
}

/// Enrols a plan; constituents are told once.
pub(crate) fn enrol(ledger: &impl Ledger, plan: Plan<'_>) -> Enrolled {
    enrol_as(ledger, Confirming::PerConstituent, enrolments(plan)).unwrap()
}

pub(crate) async fn claim(ledger: &impl Ledger, now: Timestamp, limit: usize) -> Vec<Leased> {
    ledger.claim(Claim { now, limit, one_per_lane: false, kind: None }).await.unwrap()
}

pub(crate) async fn claim_one(ledger: &impl Ledger, now: Timestamp) -> Leased {
    let mut leased = claim(ledger, now, 1).await;
    assert_eq!(leased.len(), 1, "nothing could be claimed: {}", figures(ledger));
    leased.remove(0)
}

pub(crate) async fn claim_paced(ledger: &impl Ledger, now: Timestamp, limit: usize) -> Vec<Leased> {
    ledger.claim(Claim { now, limit, one_per_lane: true, kind: None }).await.unwrap()
}

pub(crate) fn stamp(id: MessageId) -> Stamp {
    Stamp { message_id: format!("{id}@campaign.example"), date: minute(0), body_hash: [7; 32] }
}

pub(crate) async fn mark(ledger: &impl Ledger, leased: Leased) -> Open {
    let stamp = leased.stamp.clone().unwrap_or_else(|| stamp(leased.id()));
    ledger.mark_transmitting(leased, "main", stamp, None).await.unwrap()
}

/// An attempt that ends so, with an outcome that fits.
pub(crate) fn attempt(at: Timestamp, disposition: Disposition) -> Attempt {
    let reply = |code, text| Outcome::Replied(Reply::new(Phase::Dot, code, [text]));
    let (outcome, class) = match disposition {
        Disposition::Sent => (reply(250, "2.0.0 Ok: queued as 4F1C2D3E"), Class::Accepted),
        Disposition::Deferred { .. } | Disposition::Expired => {
            (reply(452, "4.2.2 over quota"), Class::RecipientTransient)
        }
        Disposition::Bounced => (reply(550, "5.2.1 disabled"), Class::RecipientPermanent),
        Disposition::InDoubt => {
            (Outcome::Lost { phase: Phase::Dot, cause: LossCause::Closed, detail: String::new() }, Class::InDoubt)
        }
    };
    Attempt { at, relay: "main".into(), outcome, class, rule: "a rule".into(), disposition }
}

/// A refusal of the recipient for good, before the body.
pub(crate) fn refused_at_rcpt(at: Timestamp, text: &str) -> Attempt {
    let outcome = Outcome::Replied(Reply::new(Phase::Rcpt, 550, [text]));
    Attempt { outcome, ..attempt(at, Disposition::Bounced) }
}

pub(crate) fn deferred(due: Timestamp) -> Disposition {
    Disposition::Deferred { due, counted: true }
}

/// Hands a claimed message over, with that end.
pub(crate) async fn finish(ledger: &impl Ledger, leased: Leased, at: Timestamp, disposition: Disposition) {
    let open = mark(ledger, leased).await;
    ledger.close(open, attempt(at, disposition), at).await.unwrap();
}

/// Sends everything that can be claimed at that time.
pub(crate) async fn send_all(ledger: &impl Ledger, now: Timestamp) {
    loop {
        let batch = claim(ledger, now, 100).await;
        if batch.is_empty() {
            return;
        }
        for leased in batch {
            finish(ledger, leased, now, Disposition::Sent).await;
        }
    }
}

/// Claims until a letter to that official comes, and gives the others back.
pub(crate) async fn claim_letter_to(ledger: &impl Ledger, n: usize, now: Timestamp) -> Leased {
    let (mut wanted, mut others) = (None, Vec::new());
    for leased in claim(ledger, now, 1000).await {
        match &leased.content {
            Content::Letter { official: to, .. } if wanted.is_none() && *to == official(n) => wanted = Some(leased),
            _ => others.push(leased),
        }
    }
    for leased in others {
        ledger.give_back(leased, None).await.unwrap();
    }
    wanted.unwrap_or_else(|| panic!("no letter to official {n} could be claimed: {}", figures(ledger)))
}

pub(crate) fn decide(ledger: &impl Ledger, kind: DecisionKind, selection: Selection, at: Timestamp) -> u64 {
    ledger.decide(&Decision { kind, selection, reason: "test".into(), at }).unwrap()
}

pub(crate) fn messages(ledger: &impl Ledger) -> Vec<MessageRecord> {
    let mut records = Vec::new();
    ledger
        .messages(&LogFilter::default(), &mut |record| {
            records.push(record);
            Ok(())
        })
        .unwrap();
    records
}

pub(crate) fn state_of(ledger: &impl Ledger, id: MessageId) -> MessageState {
    messages(ledger).into_iter().find(|m| m.id == id).unwrap().state
}

/// The states that occur, as one line: `letters: 2 queued, 1 sent; confirmations: 1 queued`.
pub(crate) fn figures(ledger: &impl Ledger) -> String {
    let counts = ledger.counts().unwrap();
    let mut line = String::new();
    for (kind, name) in [(MessageKind::Letter, "letters"), (MessageKind::Confirmation, "confirmations")] {
        let present: Vec<String> = MessageState::ALL
            .into_iter()
            .filter(|s| counts.of(kind, *s) > 0)
            .map(|s| format!("{} {s}", counts.of(kind, s)))
            .collect();
        if !present.is_empty() {
            let gap = if line.is_empty() { "" } else { "; " };
            write!(line, "{gap}{name}: {}", present.join(", ")).unwrap();
        }
    }
    line
}
