//! Templates: a `Subject:` line, a blank line, then Markdown with fields; and the Markdown as text and as HTML.
//!
//! Everything that can be wrong with a template is found when it is parsed, all of it at once, before anything
//! is sent. Values are data: they are never evaluated, never Markdown, never HTML. This module must not read
//! files and must not know how a message is sent.

mod advice;
mod check;
mod engine;
mod fields;
mod html;
mod leftovers;
mod markdown;
mod named;
mod parse;
mod problem;
mod render;
mod scan;
mod text;

use std::collections::BTreeSet;
use std::fmt;

pub use advice::Advice;
pub use fields::{Fields, Purpose, field_name};
pub use html::{escaped, to_html};
pub use named::fields_named;
pub use problem::TemplateProblem;
pub use render::{CampaignFields, LetterView, RenderError, Rendered, SubjectFault};
pub use text::to_text;

use crate::model::{Constituent, Official};

/// A template that has passed every check.
#[derive(Clone)]
pub struct Template {
    name: String,
    source: String,
    purpose: Purpose,
    fields: Fields,
    used: BTreeSet<(String, String)>,
    engine: engine::Engine,
}

impl Template {
    /// Parses a template file and checks it against the names of the data.
    ///
    /// Gives every problem at once, in the order of the source.
    pub fn parse(name: &str, source: &str, purpose: Purpose, fields: &Fields) -> Result<Self, Vec<TemplateProblem>> {
        parse::parse(name, source, purpose, fields)
    }

    /// The name it was parsed under.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The fields it uses and has no answer for when they are empty, as pairs of namespace and field:
    /// `("official", "name")`. A field that an `if` asks about or that has a default is not among them.
    pub fn fields_used(&self) -> &BTreeSet<(String, String)> {
        &self.used
    }

    /// Fills in a letter.
    pub fn render_letter(
        &self,
        campaign: &CampaignFields,
        official: &Official,
        constituent: &Constituent,
    ) -> Result<Rendered, RenderError> {
        let names = render::letter_names(&self.fields, campaign, official, constituent);
        render::render(self, names)
    }

    /// Fills in a confirmation.
    pub fn render_confirmation(
        &self,
        campaign: &CampaignFields,
        constituent: &Constituent,
        letters: &[LetterView<'_>],
    ) -> Result<Rendered, RenderError> {
        let names = render::confirmation_names(&self.fields, campaign, constituent, letters);
        render::render(self, names)
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Template").field("name", &self.name).field("purpose", &self.purpose).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
