//! Templates: a head of `Subject:` lines, a blank line, then Markdown with fields; and the Markdown as text and HTML.
//!
//! Everything that can be wrong with a template is found when it is parsed, all of it at once, before anything
//! is sent. Values are data: they are never evaluated, never Markdown, never HTML. This module must not read
//! files and must not know how a message is sent.

mod advice;
mod check;
mod engine;
mod fields;
mod filters;
mod guard;
mod html;
mod layout;
mod leftovers;
mod links;
mod lint;
mod markdown;
mod named;
mod parse;
mod problem;
mod render;
mod scan;
mod source;
mod text;
mod variants;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

pub use advice::Advice;
pub use fields::{Fields, Purpose, field_name};
pub use html::{escaped, to_html, to_text_and_html};
pub use lint::{lint, says_where_they_live};
pub use named::fields_named;
pub use problem::TemplateProblem;
pub use render::{CampaignFields, LetterView, RenderError, Rendered, SubjectFault};
pub use source::{Loader, Source};
pub use text::to_text;

use crate::model::{Constituent, Official};

/// A template that has passed every check.
#[derive(Clone)]
pub struct Template {
    source: Source,
    purpose: Purpose,
    fields: Fields,
    used: BTreeSet<(String, String)>,
    engine: engine::Engine,
    language: Option<Arc<str>>,
    body_at: usize,
}

impl Template {
    /// Parses a template that includes nothing, as a frozen one.
    pub fn parse(name: &str, source: &str, purpose: Purpose, fields: &Fields) -> Result<Self, Vec<TemplateProblem>> {
        parse::parse(Source::whole(name, source), purpose, fields)
    }

    /// Parses a template with what it includes, and checks it against the names of the data.
    ///
    /// Gives every problem at once, in the order of the source.
    pub fn of(source: Source, purpose: Purpose, fields: &Fields) -> Result<Self, Vec<TemplateProblem>> {
        parse::parse(source, purpose, fields)
    }

    /// The name it was parsed under.
    pub fn name(&self) -> &str {
        self.source.name()
    }

    /// Its text, whole, as it can be frozen.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The language that it says it is in.
    pub fn language(&self) -> Option<&str> {
        self.language.as_deref()
    }

    /// Where in its text the letter begins.
    pub(super) fn body_at(&self) -> usize {
        self.body_at
    }

    /// How many variants there are at each place; the first place is the subject.
    pub fn variants(&self) -> &[usize] {
        self.engine.variants()
    }

    /// Which variant a constituent gets at each place: always the same, whoever reads it and whenever.
    pub fn drawn(&self, constituent: &Constituent) -> Vec<usize> {
        let sizes = self.variants();
        if sizes.iter().all(|size| *size < 2) {
            return vec![0; sizes.len()]; // most letters have no variants, and a key costs time
        }
        let key = constituent.key();
        sizes.iter().enumerate().map(|(place, size)| variants::draw(key, place, *size)).collect()
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
        render::render(self, names, &self.drawn(constituent))
    }

    /// Fills in a confirmation.
    pub fn render_confirmation(
        &self,
        campaign: &CampaignFields,
        constituent: &Constituent,
        letters: &[LetterView<'_>],
    ) -> Result<Rendered, RenderError> {
        let names = render::confirmation_names(&self.fields, campaign, constituent, letters);
        render::render(self, names, &self.drawn(constituent))
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Template").field("name", &self.name()).field("purpose", &self.purpose).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
