//! A letter as people have it → the source of a template: Markdown with a field in the place of every blank.
//!
//! [`read`] takes the bytes of a Markdown, plain text or Word file. [`Draft::blanks`] finds every blank and proposes
//! a field for it, [`Draft::fill`] writes what was decided. This module must not guess in silence: what it is not
//! sure of it says, and a blank that nobody decided stays where everybody sees it.

mod blanks;
mod brackets;
mod context;
mod decode;
mod escape;
mod fields;
mod fill;
mod gaps;
mod joined;
mod lines;
mod plain;
mod refuse;
mod shapes;
mod subject;
mod vocabulary;
mod word;
mod words;

pub use blanks::{Blank, Certainty};
pub use fields::{Columns, Field};
pub use fill::{Choice, Decision};
pub use refuse::DraftError;

/// The largest file that is read.
pub const FILE_BYTES_MAX: usize = 1024 * 1024;
/// The longest letter; the longest template.
pub const TEXT_BYTES_MAX: usize = 60 * 1024;

/// The longest paragraph: what is looked at in a line grows with the square of its length.
pub const LINE_CHARS_MAX: usize = 10_000;

const PREFIX: &str = "Subject: ";

/// A letter that was read: a `Subject:` line, an empty line, then Markdown. Its blanks are still blanks.
#[derive(Clone, PartialEq, Eq)]
pub struct Draft {
    text: String,
    subject_is_theirs: bool,
    notes: Vec<String>,
}

/// Masked: a letter may name people.
impl std::fmt::Debug for Draft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Draft").field("bytes", &self.text.len()).finish_non_exhaustive()
    }
}

/// Reads a letter. The name tells a Word file from a text, and stands in for a subject where there is no other.
pub fn read(name: &str, bytes: &[u8]) -> Result<Draft, DraftError> {
    let letter = refuse::kind_of(name, bytes)?;
    let mut notes = Vec::new();
    let markdown = match letter {
        refuse::Kind::Markdown => plain::as_it_is(&decode::text(bytes, &mut notes)?),
        refuse::Kind::Plain => plain::to_markdown(&decode::text(bytes, &mut notes)?),
        refuse::Kind::Word => word::to_markdown(bytes, &mut notes)?,
    };
    let body = markdown.trim_matches('\n').trim_end();
    if body.trim().is_empty() {
        return Err(DraftError::Empty);
    }
    if body.len() > TEXT_BYTES_MAX {
        return Err(DraftError::TooLong);
    }
    if body.lines().any(|line| line.len() > LINE_CHARS_MAX && line.chars().count() > LINE_CHARS_MAX) {
        return Err(DraftError::LongLine);
    }
    let subject = subject::of(body, name);
    let text = format!("{PREFIX}{}\n\n{}\n", subject.text, &body[subject.body_at..]);
    if let Some((line, greeting)) = context::fixed_greeting(&lines::of(&text)) {
        notes.push(format!(
            "line {line} greets one person in every letter, “{greeting}”; unless all letters go to that person, write \
             {{{{ official.title }}}} {{{{ official.name }}}} there"
        ));
    }
    Ok(Draft { text, subject_is_theirs: subject.is_theirs, notes })
}

impl Draft {
    /// The letter as it was read, in the form of a template.
    pub fn source(&self) -> &str {
        &self.text
    }

    /// What was left out or changed, for staff to know.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The subject: the letter's own, or a proposal.
    pub fn subject(&self) -> &str {
        let line = self.text.split('\n').next().unwrap_or_default();
        line.strip_prefix(PREFIX).unwrap_or_default()
    }

    /// Whether the letter had a subject line of its own.
    pub fn has_subject(&self) -> bool {
        self.subject_is_theirs
    }

    /// The same letter under another subject.
    #[must_use]
    pub fn with_subject(self, subject: &str) -> Self {
        let body = self.text.split_once('\n').map_or("", |(_, body)| body);
        let text = format!("{PREFIX}{}\n{body}", subject::one_line(subject));
        Self { text, subject_is_theirs: true, notes: self.notes }
    }
}
