//! Whether what a ledger says of its messages and what the relay has of them agree: the invariants, as one question.
//!
//! The ledger is read here by SQL, straight from the file, so that no mistake of the program's own reading can hide.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::campaign::Campaign;
use super::record::Record;

const MESSAGES: &str = "
    SELECT id, kind, state, EXISTS (SELECT 1 FROM attempt WHERE message = m.id AND disposition = 'in_doubt')
      FROM message m ORDER BY id";

/// One message, as the ledger's file has it.
#[derive(Debug, Clone)]
pub struct Message {
    pub reference: String,
    pub kind: String,
    pub state: String,
    /// How often staff (or the configuration, for them) ordered it to be sent again.
    pub resends: usize,
    /// Staff said that it was sent.
    pub called_sent: bool,
    /// How many copies the relay accepted.
    pub copies: usize,
}

/// How the messages of a campaign stand.
#[derive(Debug)]
pub struct Standing {
    pub messages: Vec<Message>,
}

impl Standing {
    /// What the ledger's file says now, beside what the relay has.
    pub fn read(campaign: &Campaign, record: &Record) -> Self {
        let db = Connection::open(campaign.ledger()).unwrap();
        let tag: String = db.query_row("SELECT tag FROM campaign", [], |row| row.get(0)).unwrap();
        let decisions = decisions(&db);
        let ordered = |what: &str, id: i64| decisions.iter().filter(|text| is_about(text, what, id)).count();
        let mut copies: BTreeMap<String, usize> = BTreeMap::new();
        for reference in record.references() {
            *copies.entry(reference).or_default() += 1;
        }
        let mut query = db.prepare(MESSAGES).unwrap();
        let cells =
            |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?, row.get::<_, bool>(3)?));
        let rows = query.query_map([], cells).unwrap();
        let messages: Vec<_> = rows
            .map(|row| {
                let (id, kind, state, was_in_doubt) = row.unwrap();
                let reference = format!("{tag}-{id}");
                let copies = copies.remove(&reference).unwrap_or(0);
                let (resends, called_sent) =
                    (if was_in_doubt { ordered("resend", id) } else { 0 }, ordered("resolve as sent", id) > 0);
                Message { reference, kind, state, resends, called_sent, copies }
            })
            .collect();
        assert!(copies.is_empty(), "the relay has what no ledger knows: {copies:?}");
        Self { messages }
    }

    /// How many messages of that kind are in that state.
    pub fn of(&self, kind: &str, state: &str) -> usize {
        self.messages.iter().filter(|m| m.kind == kind && m.state == state).count()
    }

    /// How many letters are in that state.
    pub fn letters(&self, state: &str) -> usize {
        self.of("letter", state)
    }

    /// How many messages of either kind are in that state.
    pub fn all(&self, state: &str) -> usize {
        self.messages.iter().filter(|m| m.state == state).count()
    }

    /// The letters by state, for a test's last line: only states that have some.
    pub fn letters_by_state(&self) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for message in self.messages.iter().filter(|m| m.kind == "letter") {
            *counts.entry(message.state.as_str()).or_default() += 1;
        }
        counts
    }
}

/// I1, I2, I3, I4, I7 and I8, whatever was done to the program before. It must not be at work meanwhile.
pub fn must_hold(campaign: &Campaign, record: &Record) -> Standing {
    let standing = Standing::read(campaign, record);
    for message in &standing.messages {
        let copies = message.copies;
        match message.state.as_str() {
            "sent" => assert!(copies >= 1 || message.called_sent, "I2, sent and not at the relay: {message:?}"),
            "in_doubt" | "transmitting" => {}
            _ => assert!(copies <= message.resends, "I3, at the relay though the ledger says otherwise: {message:?}"),
        }
        assert!(copies <= 1 + message.resends, "I4, sent twice without an order: {message:?}");
    }
    // I1 and I8, then I7.
    campaign.must_be_sound();
    let shown = campaign.status();
    for (kind, key) in [("letter", "letters"), ("confirmation", "confirmations")] {
        for (state, n) in shown[key].as_object().unwrap().iter().filter(|(state, _)| *state != "total") {
            assert_eq!(n.as_u64(), Some(standing.of(kind, state) as u64), "I7: {kind} {state}");
        }
    }
    standing
}

fn decisions(db: &Connection) -> Vec<String> {
    let mut query = db.prepare("SELECT text FROM decision").unwrap();
    query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// A line reads `what: messages 1, 2; moved 2; why`, or `what: all …; moved 2; why`.
fn is_about(text: &str, what: &str, id: i64) -> bool {
    let mut parts = text.split("; ");
    let Some((kind, whom)) = parts.next().and_then(|part| part.split_once(": ")) else { return false };
    let moved_some = parts.next().is_some_and(|moved| moved != "moved 0");
    let numbers = whom.strip_prefix("messages ");
    let named = numbers.is_none_or(|list| list.split(", ").any(|n| n == id.to_string()) || list.contains(" more"));
    kind.contains(what) && moved_some && named
}
