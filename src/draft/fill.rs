//! Decisions → the source of a template. A blank that nobody decided stays where `check` refuses it; signs that a
//! template would take for its own are made harmless.

use std::ops::Range;

use super::Draft;
use super::blanks::Blank;
use super::escape::reference;
use super::fields::Field;
use super::shapes::Shape;

/// What becomes of a blank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// A field stands there.
    Field(Field),
    /// It is no blank: the words are shown as they stand.
    Keep,
    /// Nobody decided yet: it stays, and no letter goes out before somebody does.
    Open,
}

/// What was decided for one blank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The blank.
    pub blank: Blank,
    /// What becomes of it.
    pub choice: Choice,
}

struct Edit {
    at: Range<usize>,
    text: String,
}

impl Draft {
    /// The source of the template. Blanks without a decision must be given as [`Choice::Open`].
    pub fn fill(&self, decisions: &[Decision]) -> String {
        let mut edits: Vec<Edit> = decisions.iter().flat_map(|decision| self.edits(decision)).collect();
        edits.sort_by_key(|edit| (edit.at.start, edit.at.end));
        let source = self.source();
        let mut out = String::with_capacity(source.len() + 256);
        let mut at = 0;
        for edit in edits {
            let Some(kept) = source.get(at..edit.at.start) else { continue }; // two edits of one place: the first holds
            harmless(kept, at < self.subject_end(), &mut out);
            out.push_str(&edit.text);
            at = edit.at.end.max(at);
        }
        harmless(source.get(at..).unwrap_or_default(), at < self.subject_end(), &mut out);
        out
    }

    fn subject_end(&self) -> usize {
        self.source().find('\n').unwrap_or_default()
    }

    fn edits(&self, decision: &Decision) -> Vec<Edit> {
        let blank = &decision.blank;
        let at = blank.at.clone();
        let in_subject = at.start < self.subject_end();
        let text = match &decision.choice {
            Choice::Field(field) => self.spaced(&at, &field.tags()),
            Choice::Keep if in_subject => kept_in_subject(&self.source()[at.clone()]),
            Choice::Keep => kept(&blank.words),
            Choice::Open => self.spaced(&at, &open(blank)),
        };
        let mut edits = vec![Edit { at, text }];
        if let (Some(caption), Choice::Field(_)) = (&blank.caption, &decision.choice) {
            edits.push(Edit { at: caption.clone(), text: String::new() });
        }
        edits
    }

    /// With a space where it would touch a word or the colon of a label; and nothing that would spoil a value before it.
    fn spaced(&self, at: &Range<usize>, text: &str) -> String {
        let kept = &self.source()[..at.start];
        let before = kept.chars().next_back();
        let last_word = kept.rsplit(char::is_whitespace).next().unwrap_or_default();
        let in_address = ["http", "www.", "@"].iter().any(|sign| last_word.contains(sign));
        let mut following = self.source()[at.end..].chars();
        let after = following.next();
        let ends_word = following.next().is_none_or(char::is_whitespace);
        let touches_before = in_address
            || before.is_some_and(|c| c.is_alphanumeric() || matches!(c, ':' | ',' | ')' | '\\' | '<' | '{' | '}'));
        let touches_after = after.is_some_and(|c| c.is_alphanumeric() || matches!(c, '{' | '}'));
        let begins_line = kept.rsplit('\n').next().is_some_and(|line| line.trim().is_empty());
        let behind = match after {
            _ if touches_after => " ",
            Some('.' | ')') if begins_line && ends_word => "\\", // a number there would begin a list
            _ => "",
        };
        format!("{}{text}{behind}", if touches_before { " " } else { "" })
    }
}

/// A blank that nobody decided, so that nobody can overlook it.
fn open(blank: &Blank) -> String {
    if blank.shape == Shape::Rule
        && blank.words.chars().filter(|&c| c == '_').count() >= 3
        && blank.words.contains("___")
    {
        return blank.words.clone();
    }
    let words: String = blank.words.chars().filter(|c| !"<>{}[]()\\|*%«»`#&".contains(*c)).take(36).collect();
    let words = words.trim().trim_matches('_');
    if words.is_empty() { "____".to_owned() } else { format!("<< {words} >>") }
}

/// The words as they stand, written so that they mean nothing and nobody takes them for a blank that was forgotten.
fn kept(words: &str) -> String {
    let mut out = String::with_capacity(words.len() * 2);
    for c in words.chars() {
        match c {
            '…' => out.push_str("&hellip;"),
            '_' | '{' | '}' | '%' | '#' | '.' | ')' | ']' | '>' | '»' | '|' => out.push_str(&reference(c)),
            c if c.is_ascii_punctuation() => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

/// A subject knows no escapes; what a tag gives is never taken for a blank.
fn kept_in_subject(words: &str) -> String {
    let mut out = String::with_capacity(words.len() + 8);
    for c in words.chars() {
        match c {
            '_' | '{' | '}' | '%' | '#' | '.' | ')' | ']' | '>' | '»' | '|' | '…' => {
                out.extend(["{{ \"", c.encode_utf8(&mut [0; 4]), "\" }}"]);
            }
            c => out.push(c),
        }
    }
    out
}

/// Copies text, with the template's own signs escaped.
fn harmless(text: &str, in_subject: bool, out: &mut String) {
    let subject_end = if in_subject { text.find('\n').unwrap_or(text.len()) } else { 0 };
    let (subject, body) = text.split_at(subject_end);
    let is_sign = |before: Option<char>, c: char, after: Option<char>| match c {
        '{' => matches!(after, Some('{' | '%' | '#')) || before == Some('{'),
        '%' | '#' => before == Some('{'),
        '}' => matches!(before, Some('}' | '%' | '#')) || after == Some('}'),
        _ => false,
    };
    for (part, raw) in [(subject, true), (body, false)] {
        let mut before = out.chars().next_back();
        for (at, c) in part.char_indices() {
            let rest = &part[at..];
            let is_spread = rest.starts_with("{ {") || rest.starts_with("} }");
            if !is_spread && !is_sign(before, c, rest[c.len_utf8()..].chars().next()) {
                out.push(c);
            } else if raw {
                out.push_str(&kept_in_subject(&c.to_string()));
            } else {
                let backslashes = out.len() - out.trim_end_matches('\\').len();
                if backslashes % 2 == 1 {
                    out.pop(); // it was escaped; the reference needs none
                }
                out.push_str(&reference(c));
            }
            before = Some(c);
        }
    }
}
