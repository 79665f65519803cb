//! The words of the house: what an official, a constituent, a message, a reply and a state *are*.
//!
//! Everything above speaks in these types. This module must not do I/O, read a clock or draw a random
//! number; what it parses is right for ever after.

mod address;
mod attempt;
mod barred;
mod mark;
mod mention;
mod message;
mod person;
mod reply;
#[cfg(test)]
pub(crate) mod sample;
mod state;

pub use address::{AddressError, EmailAddress};
pub use attempt::{Attempt, Class, Disposition};
pub use barred::{Barred, is_domain};
pub use mark::{Erased, Mark, Marks, Salt};
pub use mention::{ERASED, Mention, mask_mailboxes};
pub use message::{
    CampaignTag, Content, Envelope, LetterFate, MessageId, MessageKind, MessageRef, Stamp, TemplateId,
    TransmissionReceipt,
};
pub use person::{
    Constituent, Extra, NameError, Official, PersonKey, PersonName, RESERVED_FIELDS, Role, compose, fold, unprintable,
};
pub use reply::{EnhancedCode, LossCause, Outcome, Phase, Reply, printable};
pub use state::{IllegalMove, MessageState, Move, transition};
