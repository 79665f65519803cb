//! From people and a template to a subject and Markdown.
//!
//! It must not let any value into an error: errors are logged, values are personal.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Template;
use super::engine::{Item, Refusal};
use super::fields::{CONSTITUENT, Fields, OFFICIAL, Purpose, field_name, with_columns};
use crate::model::{Constituent, EmailAddress, Extra, MessageState, Official};

const SUBJECT_CHARS_MAX: usize = 200;

/// What a template can say of the campaign.
#[derive(Debug, Clone)]
pub struct CampaignFields {
    /// `{{ campaign.name }}`.
    pub name: String,
    /// In which `{{ letter.accepted_at }}` is shown.
    pub time_zone: TimeZone,
}

/// A filled-in template.
#[derive(Clone, PartialEq, Eq)]
pub struct Rendered {
    /// One line, 1 to 200 characters, no Markdown.
    pub subject: String,
    /// `CommonMark`, values escaped.
    pub markdown: String,
    /// The language that the template says it is in, as in `es`.
    pub language: Option<Arc<str>>,
}

/// Masked, because it is a person's letter.
impl std::fmt::Debug for Rendered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rendered").field("markdown_bytes", &self.markdown.len()).finish_non_exhaustive()
    }
}

/// What became of one letter, as its constituent is told.
#[derive(Debug, Clone, Copy)]
pub struct LetterView<'a> {
    /// To whom.
    pub official: &'a Official,
    /// Where it stands.
    pub state: MessageState,
    /// When the relay accepted it.
    pub accepted_at: Option<Timestamp>,
    /// The relay's last words about it.
    pub reply: Option<&'a str>,
    /// The letter itself.
    pub copy: &'a Rendered,
}

/// What is wrong with a subject once it is filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SubjectFault {
    /// Nothing is left of it.
    #[error("is empty")]
    Empty,
    /// A value brought a line break or a control character.
    #[error("has a line break or a control character in it")]
    NotOneLine,
    /// Over 200 characters.
    #[error("is longer than {SUBJECT_CHARS_MAX} characters")]
    TooLong,
}

/// Why a template could not be filled in for somebody. Holds no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// A tag could not work with this person's values.
    #[error("{template}:{line}:{column}: this tag cannot be filled in for this person; look at the cells it uses")]
    Tag {
        /// The template's name.
        template: String,
        /// Counted from 1.
        line: usize,
        /// Counted from 1, in characters.
        column: usize,
    },
    /// Over 256 KiB.
    #[error("{template}: the letter is longer than 256 KiB for this person; look for a very long cell")]
    TooLong {
        /// The template's name.
        template: String,
    },
    /// Over 250 ms, whenever it was tried.
    #[error("{template}: the letter takes too long to fill in for this person; use fewer filters, or shorter cells")]
    TooSlow {
        /// The template's name.
        template: String,
    },
    /// Something that looks like a forgotten blank stands in the finished letter.
    #[error("{template}: `{blank}` is left in the letter of this person; put a field there, or reword it")]
    Blank {
        /// The template's name.
        template: String,
        /// The author's own text; no value.
        blank: String,
    },
    /// There is nothing in it.
    #[error("{template}: the letter is empty for this person; look at the cells that it uses")]
    Empty {
        /// The template's name.
        template: String,
    },
    /// The subject does not do.
    #[error("{template}: the subject {fault} for this person; look at the cells that the Subject line uses")]
    Subject {
        /// The template's name.
        template: String,
        /// Why.
        fault: SubjectFault,
    },
}

pub(super) type Names<'a> = BTreeMap<String, Item<'a>>;

pub(super) fn letter_names<'a>(
    fields: &Fields,
    campaign: &'a CampaignFields,
    official: &'a Official,
    constituent: &'a Constituent,
) -> Names<'a> {
    BTreeMap::from([
        ("campaign".to_owned(), campaign_item(campaign)),
        ("constituent".to_owned(), constituent_item(fields, constituent)),
        ("official".to_owned(), official_item(fields, official)),
    ])
}

pub(super) fn confirmation_names<'a>(
    fields: &Fields,
    campaign: &'a CampaignFields,
    constituent: &'a Constituent,
    letters: &[LetterView<'a>],
) -> Names<'a> {
    let letters = letters.iter().map(|letter| letter_item(fields, campaign, letter)).collect();
    BTreeMap::from([
        ("campaign".to_owned(), campaign_item(campaign)),
        ("constituent".to_owned(), constituent_item(fields, constituent)),
        ("letters".to_owned(), Item::List(letters)),
    ])
}

pub(super) fn render(template: &Template, names: Names<'_>, drawn: &[usize]) -> Result<Rendered, RenderError> {
    let name = || template.name().to_owned();
    let (subject, body) = template.engine.render(names, drawn).map_err(|refusal| match refusal {
        Refusal::TooLong => RenderError::TooLong { template: name() },
        Refusal::TooSlow => RenderError::TooSlow { template: name() },
        Refusal::Blank(blank) => RenderError::Blank { template: name(), blank },
        Refusal::Failed(finding) => {
            let (file, line, column) = template.source.place(finding.at);
            RenderError::Tag { template: file.to_owned(), line, column }
        }
    })?;
    let subject = subject.trim().to_owned();
    if let Some(fault) = fault_of(&subject) {
        return Err(RenderError::Subject { template: name(), fault });
    }
    if body.trim().is_empty() {
        return Err(RenderError::Empty { template: name() });
    }
    Ok(Rendered { subject, markdown: tidy(&body), language: template.language.clone() })
}

pub(super) fn fault_of(subject: &str) -> Option<SubjectFault> {
    if subject.is_empty() {
        Some(SubjectFault::Empty)
    } else if subject.contains(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')) {
        Some(SubjectFault::NotOneLine)
    } else if subject.chars().count() > SUBJECT_CHARS_MAX {
        Some(SubjectFault::TooLong)
    } else {
        None
    }
}

/// Takes away the hard break that an empty cell leaves at the end of a paragraph, where it would be shown as `\`.
fn tidy(markdown: &str) -> String {
    let is_blank = |line: &str| line.trim_matches(['>', ' ', '\t']).is_empty();
    let mut lines = markdown.trim_matches('\n').split('\n').peekable();
    let mut out = String::with_capacity(markdown.len() + 1);
    while let Some(line) = lines.next() {
        let backslashes = line.len() - line.trim_end_matches('\\').len();
        let is_broken = backslashes % 2 == 1 && lines.peek().is_none_or(|next| is_blank(next));
        out.push_str(if is_broken { &line[..line.len() - 1] } else { line });
        out.push('\n');
    }
    out
}

/// Names whose every value is one word, for a rehearsal of a template before there are people.
pub(super) fn sample_names(purpose: Purpose, fields: &Fields) -> Names<'static> {
    let sample = |names: &[&str], columns: &BTreeSet<String>| -> BTreeMap<String, Item<'static>> {
        with_columns(names, columns).into_iter().map(|name| (name, text("word"))).collect()
    };
    let official = || Item::Parts(sample(&OFFICIAL, &fields.official));
    let mut names = BTreeMap::from([
        ("campaign".to_owned(), Item::Parts(sample(&["name"], &BTreeSet::new()))),
        ("constituent".to_owned(), Item::Parts(sample(&CONSTITUENT, &fields.constituent))),
    ]);
    match purpose {
        Purpose::Letter => names.insert("official".to_owned(), official()),
        Purpose::Confirmation => {
            let mut letter = sample(&["state", "accepted_at", "reply", "subject"], &BTreeSet::new());
            letter.insert("official".to_owned(), official());
            letter.insert("copy".to_owned(), Item::Copy("word"));
            names.insert("letters".to_owned(), Item::List(vec![Item::Parts(letter)]))
        }
    };
    names
}

fn text(value: &str) -> Item<'_> {
    Item::Text(Cow::Borrowed(value))
}

fn campaign_item(campaign: &CampaignFields) -> Item<'_> {
    Item::Parts(BTreeMap::from([("name".to_owned(), text(&campaign.name))]))
}

fn official_item<'a>(fields: &Fields, official: &'a Official) -> Item<'a> {
    let mailbox = official.mailbox.as_ref().map_or("", EmailAddress::as_str);
    let own = [&official.title, official.name.as_str(), &official.jurisdiction, mailbox];
    Item::Parts(person(&OFFICIAL, &own, &fields.official, &official.extra))
}

fn constituent_item<'a>(fields: &Fields, constituent: &'a Constituent) -> Item<'a> {
    let c = constituent;
    let (name, email) = (c.name.as_str(), c.mailbox.as_str());
    let own: [&str; 8] = [&c.title, name, email, &c.address, &c.postcode, &c.signed_on, &c.note, &c.jurisdiction];
    Item::Parts(person(&CONSTITUENT, &own, &fields.constituent, &c.extra))
}

/// A person's own fields, and every column that the data has: empty where this row has none.
fn person<'a>(
    names: &[&str],
    values: &[&'a str],
    columns: &BTreeSet<String>,
    extra: &'a Extra,
) -> BTreeMap<String, Item<'a>> {
    let is_theirs = |column: &&String| names.contains(&column.as_str()) || extra.contains_key(*column);
    let lacking = columns.iter().filter(|column| !is_theirs(column));
    let mut parts: BTreeMap<String, Item<'a>> = lacking.map(|column| (field_name(column), text(""))).collect();
    parts.extend(extra.iter().map(|(column, value)| (field_name(column), text(value))));
    parts.extend(names.iter().zip(values).map(|(name, value)| ((*name).to_owned(), text(value))));
    parts
}

fn letter_item<'a>(fields: &Fields, campaign: &CampaignFields, letter: &LetterView<'a>) -> Item<'a> {
    let zoned = letter.accepted_at.map(|at| at.to_zoned_datetime(campaign.time_zone.clone()));
    let accepted_at = zoned.map(|at| at.strftime("%-d %B %Y, %H:%M %Z").to_string()).unwrap_or_default();
    Item::Parts(BTreeMap::from([
        ("official".to_owned(), official_item(fields, letter.official)),
        ("state".to_owned(), text(letter.state.as_str())),
        ("accepted_at".to_owned(), Item::Text(accepted_at.into())),
        ("reply".to_owned(), text(letter.reply.unwrap_or_default())),
        ("subject".to_owned(), text(&letter.copy.subject)),
        ("copy".to_owned(), Item::Copy(&letter.copy.markdown)),
    ]))
}
