//! From a lease to the bytes that are handed over: the frozen rows and the frozen text, made into one message.
//!
//! The same lease gives the same bytes, today and after a crash.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use crate::compose::{ComposeError, Composer, Parcel, StampSeed, new_message_id};
use crate::ledger::{Leased, Ledger, LedgerError};
use crate::model::{Constituent, Content, EmailAddress, LetterFate, MessageRef, Stamp, TemplateId};
use crate::template::{CampaignFields, Fields, LetterView, Purpose, RenderError, Rendered, Template};

/// Why a message cannot be made. It is held for staff; the others go on.
#[derive(Debug, thiserror::Error)]
pub enum PressError {
    /// The text and the row do not fit.
    #[error("it cannot be rendered: {0}")]
    Render(#[from] RenderError),
    /// The message cannot be built.
    #[error("it cannot be built: {0}")]
    Compose(#[from] ComposeError),
    /// The frozen text cannot be used by this version of the program.
    #[error("its frozen template cannot be read: {0}")]
    Template(String),
    /// It would not be the bytes that were offered before.
    #[error("it would differ from what was handed over before; another version of this program made that")]
    Changed,
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// A message that can be handed over, and what is fixed of it by that.
#[derive(Debug)]
pub struct Made {
    /// The bytes and the envelope.
    pub parcel: Parcel,
    /// What every later hand-over uses again.
    pub stamp: Stamp,
}

/// Makes messages.
#[derive(Debug)]
pub struct Press {
    composer: Composer,
    campaign: CampaignFields,
    fields: Fields,
    readdressed: Option<EmailAddress>,
    templates: Mutex<HashMap<(TemplateId, Purpose), Arc<Template>>>,
}

impl Press {
    /// A press for one campaign; `fields` are the columns that its people have besides the usual ones.
    pub fn new(composer: Composer, campaign: CampaignFields, fields: Fields) -> Self {
        Self { composer, campaign, fields, readdressed: None, templates: Mutex::default() }
    }

    /// Makes every letter a test, addressed to `staff` and nobody else.
    #[must_use]
    pub fn readdressed(self, staff: EmailAddress) -> Self {
        Self { readdressed: Some(staff), ..self }
    }

    /// The message of a lease and the stamp that it is handed over under.
    pub fn make<L: Ledger>(&self, ledger: &L, leased: &Leased, now: Timestamp) -> Result<Made, PressError> {
        let reference = MessageRef { tag: ledger.tag().clone(), id: leased.id() };
        let seed = match &leased.stamp {
            Some(stamp) => StampSeed::from(stamp),
            None => StampSeed {
                message_id: new_message_id(&reference, self.composer.identity(), rand::random()),
                date: now,
            },
        };
        let parcel = match &leased.content {
            Content::Letter { official, constituent } => {
                let template = self.template(ledger, leased.template, Purpose::Letter)?;
                let rendered = template.render_letter(&self.campaign, official, constituent)?;
                match &self.readdressed {
                    Some(staff) => self.composer.test_of(&reference, &seed, &leased.content, &rendered, staff)?,
                    None => self.composer.letter(&reference, &seed, official, constituent, &rendered)?,
                }
            }
            Content::Confirmation { constituent, letters } => {
                let template = self.template(ledger, leased.template, Purpose::Confirmation)?;
                let copies = self.copies(ledger, constituent, letters)?;
                let views: Vec<LetterView<'_>> = letters.iter().zip(&copies).map(view).collect();
                let rendered = template.render_confirmation(&self.campaign, constituent, &views)?;
                self.composer.confirmation(&reference, &seed, constituent, &rendered)?
            }
        };
        let stamp = Stamp { message_id: seed.message_id, date: seed.date, body_hash: parcel.hash };
        match &leased.stamp {
            // A confirmation tells how things stand now: what was not accepted may be told anew.
            Some(before) if before.body_hash != stamp.body_hash && matches!(leased.content, Content::Letter { .. }) => {
                Err(PressError::Changed)
            }
            _ => Ok(Made { parcel, stamp }),
        }
    }

    /// Each letter of a confirmation as it was sent.
    fn copies<L: Ledger>(
        &self,
        ledger: &L,
        constituent: &Constituent,
        letters: &[LetterFate],
    ) -> Result<Vec<Rendered>, PressError> {
        let copy = |fate: &LetterFate| {
            let template = self.template(ledger, fate.template, Purpose::Letter)?;
            Ok(template.render_letter(&self.campaign, &fate.official, constituent)?)
        };
        letters.iter().map(copy).collect()
    }

    fn template<L: Ledger>(&self, ledger: &L, id: TemplateId, purpose: Purpose) -> Result<Arc<Template>, PressError> {
        let mut templates = self.templates.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(template) = templates.get(&(id, purpose)) {
            return Ok(template.clone());
        }
        let source = ledger.template(id)?;
        let parsed = Template::parse("frozen", &source, purpose, &self.fields);
        let template = Arc::new(parsed.map_err(|problems| {
            PressError::Template(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
        })?);
        templates.insert((id, purpose), template.clone());
        Ok(template)
    }
}

fn view<'a>((fate, copy): (&'a LetterFate, &'a Rendered)) -> LetterView<'a> {
    LetterView {
        official: &fate.official,
        state: fate.state,
        accepted_at: fate.accepted_at,
        reply: fate.reply.as_deref(),
        copy,
    }
}
