//! The one place that speaks to the template engine: what it may do, and how a value comes to stand in Markdown.
//!
//! It must not let a value through unescaped, and must not do anything that the checks before it have not seen.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};

use tera::{Context, ErrorKind, Kwargs, State, StringInput, Tera, TeraResult, Value};

use super::problem::{Finding, offset};

/// No letter is longer, in bytes; neither is anything on the way to it.
pub(super) const OUTPUT_BYTES_MAX: usize = 256 * 1024;

const SUBJECT: &str = "subject";
const BODY: &str = "body.md"; // its ending turns escaping on

/// The two halves of a template file, parsed.
#[derive(Clone)]
pub(super) struct Engine {
    tera: Tera,
}

/// Why the engine gave no text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// More than [`OUTPUT_BYTES_MAX`].
    TooLong,
    /// At a byte of the source, with what the engine says; that may quote a value, so it must not be logged.
    Failed(Finding),
}

/// What a name in a template stands for.
#[derive(Debug)]
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
    /// Parses subject (which starts at `subject_at`) and body (at `body_at`); gives every problem of the two.
    pub(super) fn parse(source: &str, subject: std::ops::Range<usize>, body_at: usize) -> Result<Self, Vec<Finding>> {
        let mut tera = Tera::new();
        tera.autoescape_on([".md"]);
        tera.set_escape_fn(escape);
        tera.register_filter("default", default);
        tera.register_filter("replace", replace);
        tera.register_filter("quoted", quoted);
        // Blanks stand for what is cut away, so that the engine's lines and columns are those of the file.
        let blanks = |text: &str| -> String { text.chars().map(|c| if c == '\n' { c } else { ' ' }).collect() };
        let subject = blanks(&source[..subject.start]) + &source[subject];
        let lines = "\n".repeat(source[..body_at].matches('\n').count());
        let body = lines + &source[body_at..];
        let mut findings = Vec::new();
        for (name, text) in [(SUBJECT, subject), (BODY, body)] {
            if let Err(error) = tera.add_raw_template(name, &text) {
                findings.push(finding(&error, source));
            }
        }
        if findings.is_empty() { Ok(Self { tera }) } else { Err(findings) }
    }

    /// The names at the root of what the template speaks of, as the engine sees them.
    pub(super) fn roots(&self) -> Vec<String> {
        let of = |name| self.tera.get_template_variables(name).unwrap_or_default();
        of(SUBJECT).into_iter().chain(of(BODY)).map(str::to_owned).collect()
    }

    /// Fills in subject and body.
    pub(super) fn render(&self, source: &str, names: BTreeMap<String, Item<'_>>) -> Result<(String, String), Refusal> {
        let mut context = Context::new();
        for (name, item) in names {
            context.insert_value(name, value(item));
        }
        Ok((self.render_half(SUBJECT, source, &context)?, self.render_half(BODY, source, &context)?))
    }

    fn render_half(&self, name: &str, source: &str, context: &Context) -> Result<String, Refusal> {
        let mut out = Bounded { bytes: Vec::new(), full: false };
        let rendered = self.tera.render_to(name, context, &mut out);
        if out.full {
            return Err(Refusal::TooLong);
        }
        rendered.map_err(|error| Refusal::Failed(finding(&error, source)))?;
        // The engine writes whole strings, so this loses nothing.
        Ok(String::from_utf8_lossy(&out.bytes).into_owned())
    }
}

/// A writer that stops the engine when a letter grows beyond all bounds.
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
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn finding(error: &tera::Error, source: &str) -> Finding {
    match error.kind() {
        ErrorKind::SyntaxError(report) | ErrorKind::RenderingError(report) => {
            let span = report.span();
            let at = offset(source, span.start_line, span.start_col + 1).min(source.len());
            let message = report.message().trim_end_matches('.');
            Finding::new(at, format!("this tag cannot be read: {message}"))
        }
        other => Finding::new(0, format!("this template cannot be read: {other}")),
    }
}

fn value(item: Item<'_>) -> Value {
    match item {
        Item::Text(text) => Value::from(clean(&text)),
        Item::Copy(markdown) => Value::safe_string(markdown),
        Item::Parts(parts) => {
            let parts: BTreeMap<String, Value> = parts.into_iter().map(|(name, item)| (name, value(item))).collect();
            Value::from(parts)
        }
        Item::List(items) => Value::from(items.into_iter().map(value).collect::<Vec<Value>>()),
    }
}

/// A value as it may stand in a letter: no control characters but line breaks, no white space around a line.
fn clean(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let lines = text.split('\n').map(|line| {
        let line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        line.trim().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// Escapes for Markdown: every ASCII punctuation character gets a backslash (`CommonMark` 2.4), and a line break
/// is a hard one (6.7). What is left is letters, digits and spaces, which mean nothing to Markdown.
fn escape(text: &str, out: &mut dyn Write) -> io::Result<()> {
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

/// Unlike the engine's own: also for a cell that is there but empty.
#[expect(clippy::needless_pass_by_value, reason = "the engine's filter trait passes values")]
fn default(given: Value, arguments: Kwargs, _: &State) -> TeraResult<Value> {
    let otherwise: Value = arguments.must_get("value")?;
    Ok(if given.is_undefined() || given.is_none() || given.as_str() == Some("") { otherwise } else { given })
}

/// Unlike the engine's own: bounded, whatever it is asked to replace.
#[expect(clippy::needless_pass_by_value, reason = "the engine's filter trait passes values")]
fn replace(text: &str, arguments: Kwargs, _: &State) -> TeraResult<String> {
    let (from, to): (&str, &str) = (arguments.must_get("from")?, arguments.must_get("to")?);
    if from.is_empty() {
        return Err(tera::Error::message("`replace` needs something to look for in `from`"));
    }
    let grown = text.len() + text.matches(from).count() * to.len();
    if grown > OUTPUT_BYTES_MAX {
        return Err(tera::Error::message("`replace` makes the text too long"));
    }
    Ok(text.replace(from, to))
}

/// A letter's Markdown as a block quote. Anything that is not a letter's Markdown is escaped first.
#[expect(clippy::needless_pass_by_value, reason = "the engine's filter trait passes values")]
fn quoted(copy: StringInput<'_>, _: Kwargs, _: &State) -> TeraResult<Value> {
    let mut markdown = Vec::new();
    if copy.is_safe() {
        markdown.extend_from_slice(copy.as_str().as_bytes());
    } else {
        escape(copy.as_str(), &mut markdown)?;
    }
    let markdown = String::from_utf8_lossy(&markdown);
    let lines = markdown.trim_end().split('\n');
    let quote: Vec<String> = lines.map(|line| format!("> {line}").trim_end().to_owned()).collect();
    Ok(Value::safe_string(&quote.join("\n")))
}
