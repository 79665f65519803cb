//! The one place that speaks to the template engine: what it may do, and how a value comes to stand in Markdown.
//!
//! It must not let a value through unescaped, and must not do anything that the checks before it have not seen.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};

use tera::{Context, ErrorKind, Tera, Value};

use super::filters;
use super::guard;
use super::leftovers;
use super::problem::Finding;
use super::variants::{DRAWN, Rewritten, place_name};

/// No letter is longer, in bytes; neither is anything on the way to it.
pub(super) const OUTPUT_BYTES_MAX: usize = 256 * 1024;
/// Stands around every value until the letter is looked through for blanks. No text and no value has it.
pub(super) const MASK: char = '\u{1}';
/// A machine that was busy with something else for a moment gets another chance.
const TRIES: usize = 3;

const TEXT: &str = "text.md"; // its ending turns escaping on

/// The texts of a template file, parsed.
#[derive(Clone)]
pub(super) struct Engine {
    /// Each constituent gets one of them.
    subjects: Vec<Part>,
    body: Part,
    /// How many variants there are at each place; the first place is the subject.
    variants: Vec<usize>,
}

/// One text with the engine that knows how a value stands in it.
#[derive(Clone)]
struct Part {
    tera: Tera,
    rewritten: Rewritten,
}

/// Why the engine gave no text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// More than [`OUTPUT_BYTES_MAX`].
    TooLong,
    /// More than [`guard::RENDER_TIME_MAX`], and again at every try.
    TooSlow,
    /// This stands where somebody forgot to fill something in; it holds no value.
    Blank(String),
    /// At a byte of the source, with what the engine says; that may quote a value, so it must not be logged.
    Failed(Finding),
}

/// What a name in a template stands for.
#[derive(Debug, Clone)]
pub(super) enum Item<'a> {
    /// Data: shown as it is.
    Text(Cow<'a, str>),
    /// A letter's own Markdown, escaped already when it was made.
    Copy(&'a str),
    /// A thing with parts.
    Parts(BTreeMap<String, Item<'a>>),
    /// A list of such things.
    List(Vec<Item<'a>>),
}

impl Engine {
    /// Parses subjects and body; gives every problem of them.
    pub(super) fn parse(subjects: Vec<Rewritten>, body: Rewritten, variants: Vec<usize>) -> Result<Self, Vec<Finding>> {
        let mut findings = Vec::new();
        let mut part =
            |rewritten, escape| Part::parse(rewritten, escape).map_err(|finding| findings.push(finding)).ok();
        let subjects: Option<Vec<Part>> = subjects.into_iter().map(|subject| part(subject, mask)).collect();
        let body = part(body, escape_masked);
        match (subjects, body) {
            (Some(subjects), Some(body)) => Ok(Self { subjects, body, variants }),
            _ => Err(findings),
        }
    }

    /// How many variants there are at each place; the first place is the subject.
    pub(super) fn variants(&self) -> &[usize] {
        &self.variants
    }

    /// A name at the root of what the template speaks of that is not among these.
    pub(super) fn unknown_root(&self, known: impl Fn(&str) -> bool) -> Option<String> {
        let parts = self.subjects.iter().chain([&self.body]);
        let roots = parts.flat_map(|part| part.tera.get_template_variables(TEXT).unwrap_or_default());
        let mut unknown = roots.filter(|root| *root != DRAWN && !known(root));
        unknown.next().map(str::to_owned)
    }

    /// Fills in subject and body, with the variant of each place that was drawn.
    pub(super) fn render(
        &self,
        names: BTreeMap<String, Item<'_>>,
        drawn: &[usize],
    ) -> Result<(String, String), Refusal> {
        let mut context = Context::new();
        for (name, item) in names {
            context.insert_value(name, value(item));
        }
        if self.variants.iter().any(|size| *size > 1) {
            let drawn = drawn.iter().enumerate().map(|(place, n)| (place_name(place), Value::from(*n as u64)));
            context.insert_value(DRAWN, Value::from(drawn.collect::<BTreeMap<String, Value>>()));
        }
        let subject = drawn.first().and_then(|n| self.subjects.get(*n)).or(self.subjects.first());
        let both = || {
            let subject = subject.map(|subject| subject.render(&context)).transpose()?.unwrap_or_default();
            Ok((subject, self.body.render(&context)?))
        };
        for _ in 0..TRIES {
            let (rendered, over) = guard::within(guard::RENDER_TIME_MAX, both);
            if !over {
                return rendered;
            }
        }
        Err(Refusal::TooSlow)
    }
}

impl Part {
    fn parse(rewritten: Rewritten, escape: tera::EscapeFn) -> Result<Self, Finding> {
        let mut tera = Tera::new();
        tera.autoescape_on([".md"]);
        tera.set_escape_fn(escape);
        filters::register(&mut tera);
        match tera.add_raw_template(TEXT, &rewritten.text) {
            Ok(()) => Ok(Self { tera, rewritten }),
            Err(error) => Err(finding(&error, &rewritten)),
        }
    }

    fn render(&self, context: &Context) -> Result<String, Refusal> {
        let mut out = Bounded { bytes: Vec::new(), full: false };
        let rendered = self.tera.render_to(TEXT, context, &mut out);
        if out.full {
            return Err(Refusal::TooLong);
        }
        rendered.map_err(|error| Refusal::Failed(finding(&error, &self.rewritten)))?;
        // The engine writes whole strings, so nothing is ever lost.
        let text = String::from_utf8(out.bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned());
        leftovers::unmask(&text, MASK).map_err(Refusal::Blank)
    }
}

/// A writer that stops the engine when a letter grows beyond all bounds, or its time is over.
struct Bounded {
    bytes: Vec<u8>,
    full: bool,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > OUTPUT_BYTES_MAX {
            self.full = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        // The clock is looked at about every KiB: often enough, and not for every word.
        if (self.bytes.len() >> 10) != ((self.bytes.len() + bytes.len()) >> 10) && guard::is_over() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn finding(error: &tera::Error, rewritten: &Rewritten) -> Finding {
    match error.kind() {
        ErrorKind::SyntaxError(report) | ErrorKind::RenderingError(report) => {
            let span = report.span();
            let at = rewritten.source_of(span.start_line, span.start_col + 1);
            match report.message().trim_end_matches('.') {
                "Unexpected end of input" => {
                    Finding::new(at, "the template ends inside a block; write the `{% endif %}` that is missing")
                }
                message => Finding::new(at, format!("this tag cannot be read: {message}")),
            }
        }
        other => Finding::new(0, format!("this template cannot be read: {other}")),
    }
}

fn value(item: Item<'_>) -> Value {
    match item {
        Item::Text(text) => Value::from(clean(&text)),
        Item::Copy(markdown) => Value::safe_string(&format!("{MASK}{markdown}{MASK}")),
        Item::Parts(parts) => {
            let parts: BTreeMap<String, Value> = parts.into_iter().map(|(name, item)| (name, value(item))).collect();
            Value::from(parts)
        }
        Item::List(items) => Value::from(items.into_iter().map(value).collect::<Vec<Value>>()),
    }
}

/// A value as it may stand in a letter: no control characters but line breaks, no white space around a line.
fn clean(text: &str) -> String {
    if !text.contains(char::is_control) {
        return text.trim().to_owned(); // one line, as nearly all are
    }
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let lines = text.split('\n').map(|line| {
        let line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        line.trim().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// A value in a subject, which is no Markdown.
fn mask(text: &str, out: &mut dyn Write) -> io::Result<()> {
    let mut mark = [0; 4];
    let mark = MASK.encode_utf8(&mut mark).as_bytes();
    out.write_all(mark)?;
    text.split(MASK).try_for_each(|part| out.write_all(part.as_bytes()))?;
    out.write_all(mark)
}

/// A value in a body.
fn escape_masked(text: &str, out: &mut dyn Write) -> io::Result<()> {
    let mut mark = [0; 4];
    let mark = MASK.encode_utf8(&mut mark).as_bytes();
    out.write_all(mark)?;
    text.split(MASK).try_for_each(|part| escape(part, out))?;
    out.write_all(mark)
}

/// Escapes for Markdown: every ASCII punctuation character gets a backslash (`CommonMark` 2.4), and a line break
/// is a hard one (6.7). What is left is letters, digits and spaces, which mean nothing to Markdown.
pub(super) fn escape(text: &str, out: &mut dyn Write) -> io::Result<()> {
    let mut plain = 0;
    for (n, byte) in text.bytes().enumerate() {
        if byte == b'\n' || byte.is_ascii_punctuation() {
            out.write_all(&text.as_bytes()[plain..n])?;
            out.write_all(b"\\")?;
            plain = n;
        }
    }
    out.write_all(&text.as_bytes()[plain..])
}
