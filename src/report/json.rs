//! The same figures for programs. The keys are an interface: they stay.

use serde_json::{Map, Value, json};

use crate::ledger::{AttemptRecord, Counts, RelayRecord};
use crate::model::{CampaignTag, MessageKind, MessageRef, MessageState};

use super::status::Figures;

/// `status --json`.
pub fn status(figures: &Figures) -> Value {
    json!({
        "campaign": figures.campaign,
        "state": figures.overall.as_str(),
        "reason": figures.reason,
        "paused_by_staff": figures.pause.as_ref().map(|p| json!({ "since": p.since.to_string(), "reason": p.reason })),
        "restored": figures.around.restored.iter().map(|sign| sign.as_str()).collect::<Vec<_>>(),
        "starts_at": figures.around.start.map(|(at, _)| at.to_string()),
        "ledger_trouble": figures.around.ledger_trouble,
        "in_doubt_because": figures.around.doubts.iter().map(|(why, n)| (why.as_str().to_owned(), (*n).into())).collect::<Map<_, Value>>(),
        "at": figures.at.to_string(),
        "letters": by_state(&figures.counts, MessageKind::Letter),
        "confirmations": by_state(&figures.counts, MessageKind::Confirmation),
        "in_doubt_of_erased": figures.in_doubt_of_erased,
        "sent_last_minute": figures.sent_last_minute,
        "seconds_left": figures.time_left().map(|left| left.as_secs()),
        "relays": figures.relays.iter().map(relay).collect::<Vec<_>>(),
    })
}

fn by_state(counts: &Counts, kind: MessageKind) -> Value {
    let mut map: Map<String, Value> =
        MessageState::ALL.into_iter().map(|s| (s.as_str().to_owned(), counts.of(kind, s).into())).collect();
    map.insert("total".to_owned(), counts.total(kind).into());
    Value::Object(map)
}

fn relay(relay: &RelayRecord) -> Value {
    json!({
        "name": relay.name,
        "state": relay.state.as_str(),
        "since": relay.since.to_string(),
        "until": relay.until.map(|at| at.to_string()),
        "slowed_to": relay.slowed_to,
        "reason": relay.reason,
    })
}

/// One line of `log --json`.
pub fn log_line(record: &AttemptRecord, tag: &CampaignTag) -> Value {
    json!({
        "message": MessageRef { tag: tag.clone(), id: record.message }.to_string(),
        "kind": record.kind.as_str(),
        "recipient": record.recipient,
        "attempt": record.attempt,
        "at": record.at.to_string(),
        "relay": record.relay,
        "phase": record.phase.as_str(),
        "code": record.code,
        "enhanced": record.enhanced.map(|code| code.to_string()),
        "text": record.text,
        "class": record.class,
        "rule": record.rule,
        "disposition": record.disposition,
        "queue_id": record.queue_id,
        "message_id": record.message_id,
    })
}
