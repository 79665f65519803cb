//! The ledger: the only source of truth about every message, and the contract that any database must keep.
//!
//! A backend is a type that implements [`Ledger`] and passes `tests/ledger_contract.rs`. Every change of a
//! state goes through [`crate::model::transition`] and is a compare-and-set in the database: when the row is
//! not in the state (and under the token) that the receipt says, the call is [`LedgerError::LostRow`] and
//! nothing has changed. Every `async` call that changes something returns after the change is durably on disk.
//!
//! This module must not send anything and must not decide what a reply means.

mod doubt;
mod from_log;
mod home;
mod receipt;
mod records;
pub mod sqlite;
mod suppressed;
mod wishes;

use std::collections::HashMap;
use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use crate::model::{Attempt, CampaignTag, IllegalMove, MessageId, MessageKind, PersonKey, Role, Stamp, TemplateId};

pub use doubt::Doubt;
pub use from_log::{Doubtful, LogProof, SettledByLog};
pub use home::{Machine, Restored};
pub use receipt::{Ended, Kept, Leased, Marking, Open, Unwritten};
pub use records::{
    Addressee, AttemptRecord, CampaignState, Confirming, Counts, Decision, DecisionKind, Enrolled, Enrolment, Fate,
    HandOver, LogFilter, MessageRecord, OfficialFates, OfficialFigures, Recovered, RelayRecord, RelayState, Selection,
    Terms,
};
pub use suppressed::{Suppressed, SuppressedBy, Suppression, Unsuppressed};
pub use wishes::{KeptTotals, LiveSetting, Pause, Wish, Wishes};

/// What can go wrong with a ledger.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// There is no ledger at that path.
    #[error("there is no ledger at {}: nothing has been planned here yet; run `undersigned send`", .0.display())]
    Absent(PathBuf),
    /// The file is there but is not a ledger of a version that this program knows.
    #[error("{} is not a ledger that this program can use: {reason}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        reason: String,
    },
    /// Another process dispatches from it.
    #[error("another `undersigned` is sending from {}; wait for it, or stop it with Ctrl-C where it runs", .0.display())]
    Busy(PathBuf),
    /// A row was not where its receipt says: somebody else moved it. Nothing was changed.
    #[error("message {message} is no longer {expected}; nothing was changed")]
    LostRow {
        /// Which message.
        message: MessageId,
        /// Where the receipt has it.
        expected: &'static str,
    },
    /// An arrow that does not exist was asked for.
    #[error(transparent)]
    Illegal(#[from] IllegalMove),
    /// What is planned does not agree with what the ledger holds.
    #[error("{0}")]
    Conflict(String),
    /// The source of an enrolment failed; everything was rolled back.
    #[error("nothing was enrolled: {0}")]
    Source(Box<dyn std::error::Error + Send + Sync>),
    /// Whoever reads a list could not take its next line.
    #[error("the list could not be written out: {0}")]
    Output(std::io::Error),
    /// The database itself: disk full, input/output, locked for too long, damaged.
    #[error("the ledger at {} cannot be used: {reason}", path.display())]
    Storage {
        /// The file.
        path: PathBuf,
        /// What the database said.
        reason: String,
    },
}

/// What a call gives.
pub type Result<T, E = LedgerError> = std::result::Result<T, E>;

/// What is to be enrolled: the officials first, then the constituents with their officials.
pub type EnrolmentSource<'a> =
    &'a mut dyn Iterator<Item = std::result::Result<Enrolment, Box<dyn std::error::Error + Send + Sync>>>;

/// How to claim.
#[derive(Debug, Clone, Copy)]
pub struct Claim {
    /// The time now: what is due by it may be claimed.
    pub now: Timestamp,
    /// At most so many messages.
    pub limit: usize,
    /// Whether a lane gives one message at a time and waits for it to be closed or given back. True where a
    /// mailbox has a pace of its own.
    pub one_per_lane: bool,
    /// Only messages of this kind, where given.
    pub kind: Option<MessageKind>,
}

/// The contract. One page: read it from top to bottom and you know what a campaign does to its database.
pub trait Ledger: Clone + Send + Sync + 'static {
    /// The tag drawn when the ledger was made.
    fn tag(&self) -> &CampaignTag;

    // Planning. Blocking calls, made before anything is dispatched.

    /// Keeps a template's text (name, whole source); the same name and source give the same number again.
    fn freeze_template(&self, name: &str, source: &str, now: Timestamp) -> Result<TemplateId>;
    /// The source of a frozen template.
    fn template(&self, id: TemplateId) -> Result<String>;
    /// The newest frozen template of that name.
    fn newest_template(&self, name: &str) -> Result<Option<(TemplateId, String)>>;
    /// Enrols people and letters in one transaction: all or nothing. A constituent or official who is there
    /// already keeps the row that was frozen first; a letter that is there already is left alone. An official who had
    /// no mailbox and now has one gets the letters that waited for it.
    fn enrol(&self, terms: &Terms, now: Timestamp, source: EnrolmentSource<'_>) -> Result<Enrolled>;
    /// Keeps what the last enrolment was made from, in words of whoever planned it. Every enrolment forgets it.
    fn note_sources(&self, sources: &[u8]) -> Result<()>;
    /// What the last enrolment was made from, where that is known.
    fn sources(&self) -> Result<Option<Vec<u8>>>;
    /// Moves every letter that was never offered to a relay to another frozen template; gives their number.
    fn adopt_template(&self, from_name: &str, to: TemplateId, now: Timestamp) -> Result<u64>;
    /// The keys of those who are enrolled under this very name and jurisdiction, in whatever role, and of whose letters
    /// at least one was sent or still may be. Where all of them failed or were withdrawn, nothing reached anyone.
    fn namesakes(&self, name: &str, jurisdiction: &str) -> Result<Vec<PersonKey>>;
    /// The keys of all officials, by their mailboxes as [`crate::model::EmailAddress::key`] spells them.
    fn officials_by_mailbox(&self) -> Result<HashMap<String, Vec<PersonKey>>>;
    /// Whether a person of that key is enrolled.
    fn knows(&self, key: PersonKey) -> Result<bool>;

    // Dispatch. Durable when they return; commits of all callers are grouped. A call whose future is dropped may
    // still be carried out. A call that ends a receipt and fails gives it back.

    /// At start: what was `leased` goes back to `queued`, what was `transmitting` becomes `in_doubt`, with an
    /// attempt in the log; lanes are put right.
    /// A lane that would wait for longer than `lane_wait_max`, after a clock or a setting changed, waits for so long.
    fn recover(&self, now: Timestamp, lane_wait_max: Duration) -> impl Future<Output = Result<Recovered>> + Send;
    /// Promotes what has come due, then leases messages from the lanes that are ready, the longest-waiting lane
    /// first; within a lane what was refused and has come due again goes before the others. Messages to mailboxes on
    /// the suppression list are moved to `suppressed` instead.
    fn claim(&self, claim: Claim) -> impl Future<Output = Result<Vec<Leased>>> + Send;
    /// Returns a lease untouched; its lane waits until `lane_ready_at`, where given.
    fn give_back(
        &self,
        leased: Leased,
        lane_ready_at: Option<Timestamp>,
    ) -> impl Future<Output = Kept<(), Leased>> + Send;
    /// Returns a lease untouched, not to be claimed again before `due`; its lane waits for nothing.
    fn postpone(&self, leased: Leased, due: Timestamp) -> impl Future<Output = Kept<(), Leased>> + Send;
    /// Holds a message that cannot be made, for staff, with the reason.
    fn set_aside(&self, leased: Leased, reason: &str, now: Timestamp) -> impl Future<Output = Kept<(), Leased>> + Send;
    /// A refusal or loss before the body: the relay provably has nothing.
    fn refuse(
        &self,
        leased: Leased,
        attempt: Attempt,
        news_at: Timestamp,
    ) -> impl Future<Output = Kept<(), Leased>> + Send;
    /// The point of no return. Fixes the stamp at the first hand-over (a later one must bring the same), and
    /// notes from when the lane may give its next message. A confirmation's hash may differ at a later hand-over,
    /// because it tells the fates of its letters as they are by then; its Message-ID and Date may not.
    fn mark_transmitting(
        &self,
        leased: Leased,
        relay: &str,
        stamp: Stamp,
        lane_ready_at: Option<Timestamp>,
    ) -> impl Future<Output = Kept<Open, Leased>> + Send;
    /// What became of a transmission; in the same transaction, when this settles the last letter of its
    /// constituent, the confirmation's row, due at `news_at`.
    fn close(&self, open: Open, attempt: Attempt, news_at: Timestamp) -> impl Future<Output = Kept<(), Open>> + Send;
    /// [`Self::close`] of one message and [`Self::mark_transmitting`] of the next on the same connection, in one
    /// transaction: both or neither.
    fn close_and_mark(
        &self,
        ended: Ended,
        next: Marking<'_>,
    ) -> impl Future<Output = Kept<Open, (Ended, Leased)>> + Send;
    /// When the next lane or deferred message comes due; `None` when nothing waits for a time.
    fn next_wake(&self) -> impl Future<Output = Result<Option<Timestamp>>> + Send;
    /// Notes the state of a relay, for `status`.
    fn note_relay(&self, relay: RelayRecord) -> impl Future<Output = Result<()>> + Send;
    /// Notes the state of the campaign with the reason, for `status`.
    fn note_campaign(
        &self,
        state: CampaignState,
        reason: &str,
        now: Timestamp,
    ) -> impl Future<Output = Result<()>> + Send;

    /// No lane waits for longer than until then, after staff made the pace faster.
    fn pull_lanes_in(&self, ready_at_max: Timestamp) -> impl Future<Output = Result<()>> + Send;

    // Staff. Each is one transaction, recorded with time and reason.

    /// Carries out a decision of staff; gives how many messages it moved.
    fn decide(&self, decision: &Decision) -> Result<u64>;
    /// Notes what staff want of a campaign that may be running; gives whether that was new.
    fn wish(&self, wish: &Wish, reason: &str, at: Timestamp) -> Result<bool>;
    /// At most so many letters to one official from now on: those beyond it are held, those that were held for it and
    /// have room now are released. Letters that staff release themselves go all the same.
    fn keep_totals(&self, total: Option<u64>, at: Timestamp) -> Result<KeptTotals>;

    // Reading.

    /// How many messages of each kind are in each state.
    fn counts(&self) -> Result<Counts>;
    /// What the campaign was last noted to be, and why.
    fn campaign(&self) -> Result<(CampaignState, String)>;
    /// What was last noted of each relay.
    fn relays(&self) -> Result<Vec<RelayRecord>>;
    /// Letters by official and state, the busiest first, at most `limit`.
    fn officials(&self, limit: usize) -> Result<Vec<OfficialFigures>>;
    /// Hands every attempt that passes the filter to `each`, oldest first, without holding them in memory.
    fn attempts(&self, filter: &LogFilter, each: &mut dyn FnMut(AttemptRecord) -> std::io::Result<()>) -> Result<()>;
    /// Hands every message that passes the filter to `each`, by number.
    fn messages(&self, filter: &LogFilter, each: &mut dyn FnMut(MessageRecord) -> std::io::Result<()>) -> Result<()>;
    /// What became of the messages of one constituent, letters first; nothing where nobody of that key is enrolled.
    fn fates(&self, constituent: PersonKey) -> Result<Vec<Fate>>;
    /// What became of the letters to every official who is enrolled, by their keys.
    fn official_fates(&self) -> Result<HashMap<PersonKey, OfficialFates>>;
    /// How many people of that role are enrolled and not erased.
    fn people(&self, role: Role) -> Result<u64>;
    /// How many messages in doubt are of people who were erased: they can be settled, not sent again.
    fn in_doubt_of_erased(&self) -> Result<u64>;
    /// How many hand-overs since then may have reached a relay: accepted or in doubt.
    fn sent_since(&self, since: Timestamp) -> Result<u64>;
    /// Hands every hand-over since then that may have reached a relay to `each`, oldest first.
    fn handed_over(&self, since: Timestamp, each: &mut dyn FnMut(HandOver)) -> Result<()>;
    /// Hands the numbers of such hand-overs since then to `each`, by relay and minute.
    fn handed_over_by_minute(&self, since: Timestamp, each: &mut dyn FnMut(&str, Timestamp, u64)) -> Result<()>;
    /// When the first hand-over of all was.
    fn first_handed_over(&self) -> Result<Option<Timestamp>>;
    /// What staff want just now. Cheap: asked for twice a second.
    fn wishes(&self) -> Result<Wishes>;
    /// Every decision of staff, oldest first.
    fn decisions(&self) -> Result<Vec<(Timestamp, String)>>;
}
