//! The two receipts of the heart: a lease, and the record that a transmission is open.
//!
//! Neither can be cloned or made outside the ledger; each call that ends one consumes it. A receipt that is
//! merely dropped leaves its row as it is, and the next start puts it right: `leased` was never offered,
//! `transmitting` is in doubt.

use crate::model::{Content, MessageId, MessageKind, Stamp, TemplateId, TransmissionReceipt};

/// A message that one worker may offer to one relay.
#[derive(Debug)]
#[must_use = "a lease that is dropped stays leased until the next start; give it back, refuse it or mark it"]
pub struct Leased {
    pub(super) id: MessageId,
    pub(super) token: i64,
    pub(super) lane: i64,
    /// What to make it from.
    pub content: Content,
    /// The frozen template.
    pub template: TemplateId,
    /// What an earlier hand-over fixed.
    pub stamp: Option<Stamp>,
    /// How many tries counted towards giving up.
    pub attempts: u32,
    /// When the first try was made.
    pub first_attempt_at: Option<jiff::Timestamp>,
}

impl Leased {
    /// Which message.
    pub fn id(&self) -> MessageId {
        self.id
    }

    /// Letter or confirmation.
    pub fn kind(&self) -> MessageKind {
        match self.content {
            Content::Letter { .. } => MessageKind::Letter,
            Content::Confirmation { .. } => MessageKind::Confirmation,
        }
    }

    /// The lane of its recipient's mailbox, by its number.
    pub fn lane(&self) -> i64 {
        self.lane
    }

    /// Turns the lease into the record of an open transmission; for a backend, after its commit.
    pub(super) fn into_open(self) -> Open {
        Open { id: self.id, token: self.token, lane: self.lane }
    }
}

/// The ledger holds, durably, that this message is being transmitted. Only [`super::Ledger::close`] ends it.
#[derive(Debug)]
#[must_use = "an open transmission that is not closed is in doubt at the next start"]
pub struct Open {
    pub(super) id: MessageId,
    pub(super) token: i64,
    pub(super) lane: i64,
}

impl TransmissionReceipt for Open {
    fn message(&self) -> MessageId {
        self.id
    }
}
