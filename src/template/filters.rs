//! The filters that a template may use. Each of the engine's own is made anew here, so that it stops when the time of
//! a letter is over and makes no text longer than a letter may be.
//!
//! It must not let anything through as Markdown that was not Markdown before.

use tera::{Kwargs, State, StringInput, Tera, TeraResult, Value};

use super::engine::{MASK, OUTPUT_BYTES_MAX, escape};
use super::guard;

/// The names of the filters that every template may use anywhere.
pub(super) const FILTERS: [&str; 9] =
    ["upper", "lower", "capitalize", "title", "trim", "default", "length", "replace", "truncate"];

/// Makes these, and no others of these names, known to an engine.
pub(super) fn register(tera: &mut Tera) {
    tera.register_filter("upper", upper);
    tera.register_filter("lower", lower);
    tera.register_filter("capitalize", capitalize);
    tera.register_filter("title", title);
    tera.register_filter("trim", trim);
    tera.register_filter("default", default);
    tera.register_filter("length", length);
    tera.register_filter("replace", replace);
    tera.register_filter("truncate", truncate);
    tera.register_filter("quoted", quoted);
}

/// Stops the engine when the time of the letter at hand is over.
fn in_time() -> TeraResult<()> {
    if guard::is_over() { Err(tera::Error::message("this takes too long")) } else { Ok(()) }
}

#[expect(clippy::needless_pass_by_value, reason = "the engine's filter trait passes values")]
fn upper(text: StringInput<'_>, _: Kwargs, _: &State) -> TeraResult<Value> {
    in_time()?;
    Ok(text.inherit_safety(text.as_str().to_uppercase()))
}

#[expect(clippy::needless_pass_by_value, reason = "the engine's filter trait passes values")]
fn lower(text: StringInput<'_>, _: Kwargs, _: &State) -> TeraResult<Value> {
    in_time()?;
    Ok(text.inherit_safety(text.as_str().to_lowercase()))
}

/// The first letter large, the others small.
#[expect(clippy::needless_pass_by_value, reason = "the engine's filter trait passes values")]
fn capitalize(text: StringInput<'_>, _: Kwargs, _: &State) -> TeraResult<Value> {
    in_time()?;
    let mut chars = text.as_str().chars();
    let first: String = chars.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
    Ok(text.inherit_safety(first + &chars.as_str().to_lowercase()))
}

/// The first letter of every word large, the others small.
#[expect(clippy::needless_pass_by_value, reason = "the engine's filter trait passes values")]
fn title(text: StringInput<'_>, _: Kwargs, _: &State) -> TeraResult<Value> {
    in_time()?;
    let mut out = String::with_capacity(text.as_str().len());
    let mut begins = true;
    for c in text.as_str().chars() {
        if begins {
            out.extend(c.to_uppercase());
        } else {
            out.extend(c.to_lowercase());
        }
        // The letter after an apostrophe goes on with the word: “women's”.
        begins = c.is_whitespace() || (c.is_ascii_punctuation() && c != '\'') || (begins && c == '\'');
    }
    Ok(text.inherit_safety(out))
}

#[expect(clippy::needless_pass_by_value, reason = "the engine's filter trait passes values")]
fn trim(text: StringInput<'_>, _: Kwargs, _: &State) -> TeraResult<Value> {
    in_time()?;
    Ok(text.inherit_safety(text.as_str().trim().to_owned()))
}

#[expect(clippy::needless_pass_by_value, reason = "the engine's filter trait passes values")]
fn length(value: Value, _: Kwargs, _: &State) -> TeraResult<usize> {
    in_time()?;
    value.len().ok_or_else(|| tera::Error::message("this has no length"))
}

/// At most so many characters, and `…` where some were cut away.
#[expect(clippy::needless_pass_by_value, reason = "the engine's filter trait passes values")]
fn truncate(text: &str, arguments: Kwargs, _: &State) -> TeraResult<String> {
    in_time()?;
    let length: usize = arguments.must_get("length")?;
    let end = arguments.get::<&str>("end")?.unwrap_or("…");
    Ok(text.char_indices().nth(length).map_or_else(|| text.to_owned(), |(at, _)| format!("{}{end}", &text[..at])))
}

/// Unlike the engine's own: also for a cell that is there but empty.
#[expect(clippy::needless_pass_by_value, reason = "the engine's filter trait passes values")]
fn default(given: Value, arguments: Kwargs, _: &State) -> TeraResult<Value> {
    in_time()?;
    let otherwise: Value = arguments.must_get("value")?;
    Ok(if given.is_undefined() || given.is_none() || given.as_str() == Some("") { otherwise } else { given })
}

/// Unlike the engine's own: bounded, whatever it is asked to replace.
#[expect(clippy::needless_pass_by_value, reason = "the engine's filter trait passes values")]
fn replace(text: &str, arguments: Kwargs, _: &State) -> TeraResult<String> {
    in_time()?;
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

/// A letter's Markdown, or a person's own words, as a block quote that ends before whatever comes next.
#[expect(clippy::needless_pass_by_value, reason = "the engine's filter trait passes values")]
fn quoted(text: StringInput<'_>, _: Kwargs, _: &State) -> TeraResult<Value> {
    in_time()?;
    if text.as_str().is_empty() {
        return Ok(Value::safe_string(""));
    }
    let markdown = if text.is_safe() { text.as_str().replace(MASK, "") } else { paragraphs(text.as_str())? };
    let lines = markdown.trim_end().split('\n');
    let quote: Vec<String> = lines.map(|line| format!("> {line}").trim_end().to_owned()).collect();
    Ok(Value::safe_string(&format!("{MASK}{}{MASK}\n\n", quote.join("\n"))))
}

/// Words as they were written: lines stay lines, and what stands apart stays apart.
fn paragraphs(words: &str) -> TeraResult<String> {
    let mut markdown = Vec::with_capacity(words.len() * 2);
    let mut paragraph: Vec<&str> = Vec::new();
    for line in words.split('\n').map(str::trim).chain([""]) {
        if !line.is_empty() {
            paragraph.push(line);
        } else if !paragraph.is_empty() {
            if !markdown.is_empty() {
                markdown.extend_from_slice(b"\n\n");
            }
            escape(&paragraph.join("\n"), &mut markdown)?;
            paragraph.clear();
        }
    }
    Ok(String::from_utf8_lossy(&markdown).into_owned())
}
