//! The two receipts of the heart: a lease, and the record that a transmission is open.
//!
//! Neither can be cloned or made outside the ledger; each call that ends one consumes it. A receipt that is
//! merely dropped leaves its row as it is, and the next start puts it right: `leased` was never offered,
//! `transmitting` is in doubt.

use jiff::Timestamp;

use super::LedgerError;
use crate::model::{Attempt, Content, MessageId, MessageKind, Stamp, TemplateId, TransmissionReceipt};

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
    /// When the first try on the recipient's clock was made; tries on the relay's clock do not start it.
    pub first_attempt_at: Option<Timestamp>,
    /// The one relay that may be given it, by its name: that one may have it already.
    pub only_relay: Option<Box<str>>,
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

/// A transmission that is over, with what was decided of it; not written down yet.
#[derive(Debug)]
pub struct Ended {
    /// Which.
    pub open: Open,
    /// What happened.
    pub attempt: Attempt,
    /// When the constituent may be told, should this settle their last letter.
    pub news_at: Timestamp,
}

/// A lease whose message is about to be transmitted.
#[derive(Debug)]
pub struct Marking<'a> {
    /// Which.
    pub leased: Leased,
    /// To which relay.
    pub relay: &'a str,
    /// What is fixed of it from now on.
    pub stamp: Stamp,
    /// From when its lane may give the next one.
    pub lane_ready_at: Option<Timestamp>,
}

/// What a call that ends a receipt gives: when it fails, the receipt comes back with the error.
pub type Kept<T, R> = Result<T, Box<Unwritten<R>>>;

/// A receipt whose end is not in the ledger: nothing was changed there, so the same call can be made again.
///
/// After [`LedgerError::Storage`] that is the thing to do, once the ledger can be written again; after any other
/// error the same call will fail again.
#[derive(Debug)]
pub struct Unwritten<R> {
    /// The receipt, as good as before.
    pub receipt: R,
    /// Why it could not be ended.
    pub error: LedgerError,
}

/// For a caller that does not want the receipt any more.
impl<R> From<Box<Unwritten<R>>> for LedgerError {
    fn from(unwritten: Box<Unwritten<R>>) -> Self {
        unwritten.error
    }
}
