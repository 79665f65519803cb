//! A template's text with everything that it includes in its place, and where each part of it was written.
//!
//! It must not read files: whoever parses a template brings the texts. What comes of it needs no file any more,
//! so that it can be frozen as it is.

use super::TemplateProblem;
use super::problem::{Finding, position};
use super::scan::{self, Piece, Tag, TagKind, TokenKind};

/// No text is longer, in bytes, with all that it includes.
pub(super) const SOURCE_BYTES_MAX: usize = 64 * 1024;
const DEPTH_MAX: usize = 8;
/// Where staff find what is included.
const FOLDER: &str = "templates";
const INCLUDES_MAX: usize = 100;

/// Gives the text of an included file by its name, or says why there is none.
pub type Loader<'a> = &'a dyn Fn(&str) -> Result<String, String>;

/// A text, and where it comes from.
#[derive(Debug, Clone)]
pub struct Source {
    text: String,
    files: Vec<File>,
    parts: Vec<Part>,
}

/// A file as it was read.
#[derive(Debug, Clone)]
struct File {
    name: String,
    text: String,
}

/// The text from byte `start` on is that of a file from byte `at` on.
#[derive(Debug, Clone, Copy)]
struct Part {
    start: usize,
    file: usize,
    at: usize,
}

impl Source {
    /// A text that includes nothing.
    pub fn whole(name: &str, text: &str) -> Self {
        let text = normal(text);
        let file = File { name: name.to_owned(), text: text.clone() };
        Self { text, files: vec![file], parts: vec![Part { start: 0, file: 0, at: 0 }] }
    }

    /// Puts the text of every `{% include "file.md" %}` in its place. Gives every problem of this at once.
    pub fn with_includes(name: &str, text: &str, load: Loader<'_>) -> Result<Self, Vec<TemplateProblem>> {
        let empty = Self { text: String::new(), files: Vec::new(), parts: Vec::new() };
        let mut reading = Reading { source: empty, load, open: Vec::new(), included: 0, problems: Vec::new() };
        reading.add(name.to_owned(), name, &normal(text));
        if reading.problems.is_empty() { Ok(reading.source) } else { Err(reading.problems) }
    }

    /// The name of the file that includes all the others.
    pub fn name(&self) -> &str {
        self.files.first().map_or("", |file| &file.name)
    }

    /// The whole text, as it can be frozen.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether a text that was kept says the same.
    pub fn says(&self, kept: &str) -> bool {
        self.text == kept || self.text == normal(kept)
    }

    /// File, line and column of a byte of the text.
    pub(super) fn place(&self, at: usize) -> (&str, usize, usize) {
        let n = self.parts.partition_point(|part| part.start <= at);
        let Some((part, file)) = n.checked_sub(1).and_then(|n| {
            let part = self.parts.get(n)?;
            Some((part, self.files.get(part.file)?))
        }) else {
            return ("", 1, 1);
        };
        let (line, column) = position(&file.text, (part.at + at - part.start).min(file.text.len()));
        (&file.name, line, column)
    }

    /// Gives a finding its file, line and column.
    pub(super) fn locate(&self, finding: Finding) -> TemplateProblem {
        let (template, line, column) = self.place(finding.at);
        TemplateProblem { template: template.to_owned(), line, column, what: finding.what, nearest: finding.nearest }
    }
}

/// Without a byte-order mark, with line breaks of one kind.
fn normal(text: &str) -> String {
    text.trim_start_matches('\u{feff}').replace("\r\n", "\n").replace('\r', "\n")
}

struct Reading<'a> {
    source: Source,
    load: Loader<'a>,
    /// The files that are being read, each included by the one before.
    open: Vec<String>,
    included: usize,
    problems: Vec<TemplateProblem>,
}

impl Reading<'_> {
    /// Adds a file, and in it what it includes.
    fn add(&mut self, shown: String, name: &str, text: &str) {
        let file = self.source.files.len();
        self.source.files.push(File { name: shown, text: text.to_owned() });
        self.open.push(name.to_owned());
        let (pieces, _) = scan::scan(text, 0, text.len());
        let mut from = 0;
        let mut trims = false;
        for (n, piece) in pieces.iter().enumerate() {
            let Piece::Tag(tag) = piece else { continue };
            if !is_include(tag) {
                continue;
            }
            self.copy(file, from, &text[from..tag.at], trims);
            if tag.trims_before {
                self.trim_end();
            }
            self.include(file, tag);
            from = pieces.get(n + 1).map_or_else(|| end_of_last(text, tag), piece_start);
            trims = tag.trims_after;
        }
        self.copy(file, from, &text[from..], trims);
        self.open.pop();
    }

    fn copy(&mut self, file: usize, at: usize, text: &str, trims: bool) {
        let text_or_trimmed = if trims { text.trim_start() } else { text };
        let at = at + text.len() - text_or_trimmed.len();
        self.source.parts.push(Part { start: self.source.text.len(), file, at });
        self.source.text.push_str(text_or_trimmed);
    }

    fn trim_end(&mut self) {
        let len = self.source.text.trim_end().len();
        self.source.text.truncate(len);
        self.source.parts.retain(|part| part.start < len || part.start == 0);
    }

    fn include(&mut self, file: usize, tag: &Tag<'_>) {
        let loaded = file_name(tag).and_then(|name| {
            self.must_be_bounded(&name)?;
            let text = (self.load)(&name).map_err(|why| format!("`{name}` cannot be included: {why}"))?;
            Ok((name, text))
        });
        self.included += 1;
        match loaded {
            Ok((name, text)) => {
                let text = normal(&text);
                if self.source.text.len() + text.len() > SOURCE_BYTES_MAX {
                    let what = format!("with `{name}` the text is longer than 64 KiB; is it the right file?");
                    return self.refuse(file, tag.at, what);
                }
                self.add(format!("{FOLDER}/{name}"), &name, text.trim_end_matches('\n'));
            }
            Err(what) => self.refuse(file, tag.at, what),
        }
    }

    fn must_be_bounded(&self, name: &str) -> Result<(), String> {
        if self.open.iter().skip(1).any(|open| open == name) {
            return Err(format!("`{name}` includes itself, by way of {}", self.open[1..].join(" and ")));
        }
        if self.open.len() > DEPTH_MAX {
            return Err(format!("this is include within include, more than {DEPTH_MAX} deep; put the text here"));
        }
        if self.included >= INCLUDES_MAX {
            return Err(format!("these are more than {INCLUDES_MAX} includes; put the text here"));
        }
        Ok(())
    }

    fn refuse(&mut self, file: usize, at: usize, what: String) {
        // One reason is enough where files include each other without end.
        if self.problems.len() < INCLUDES_MAX
            && let Some(File { name, text }) = self.source.files.get(file)
        {
            let (line, column) = position(text, at);
            self.problems.push(TemplateProblem { template: name.clone(), line, column, what, nearest: None });
        }
    }
}

fn is_include(tag: &Tag<'_>) -> bool {
    tag.kind == TagKind::Control && tag.tokens.first().is_some_and(|token| token.is("include"))
}

fn piece_start(piece: &Piece<'_>) -> usize {
    match piece {
        Piece::Text { at, .. } => *at,
        Piece::Tag(tag) => tag.at,
    }
}

/// Where the last tag of a text that could be cut whole ends, or where the cutting ended.
fn end_of_last(text: &str, tag: &Tag<'_>) -> usize {
    let inside = tag.tokens.last().map_or(tag.at, |token| token.at + token.text.len());
    text[inside..].find("%}").map_or(text.len(), |n| inside + n + 2)
}

/// The file that an include names: one inside the folder, in quotation marks.
fn file_name(tag: &Tag<'_>) -> Result<String, String> {
    let form = "write the file in quotation marks, as in `{% include \"footer.md\" %}`";
    let [_, name] = tag.tokens.as_slice() else { return Err(form.to_owned()) };
    if name.kind != TokenKind::Text {
        return Err(form.to_owned());
    }
    let name = &name.text[1..name.text.len() - 1];
    let is_outside = name.starts_with('/') || name.contains(['\\', ':']) || name.split('/').any(|part| part == "..");
    if name.is_empty() || is_outside || name.chars().any(char::is_control) {
        return Err("only files inside the folder `templates` can be included, by their name there".to_owned());
    }
    // `a.md` and `./a.md` are one file.
    let parts: Vec<&str> = name.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    Ok(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(name: &str) -> Result<String, String> {
        Ok(match name {
            "a.md" => "A1\n\n{% include \"b/c.md\" %}\n",
            "b/c.md" => "C\n\n\n",
            "self.md" => "{% include './self.md' %}",
            "ping.md" => "{% include 'pong.md' %}",
            "pong.md" => "{% include 'ping.md' %}",
            "many.md" => "{% include 'e1.md' %}{% include 'e1.md' %}{% include 'e1.md' %}{% include 'e1.md' %}",
            "e1.md" => "{% include 'e2.md' %}{% include 'e2.md' %}{% include 'e2.md' %}{% include 'e2.md' %}",
            "e2.md" => "{% include 'e3.md' %}{% include 'e3.md' %}{% include 'e3.md' %}{% include 'e3.md' %}",
            "e3.md" => "{% include 'e4.md' %}{% include 'e4.md' %}{% include 'e4.md' %}{% include 'e4.md' %}",
            "e4.md" => "",
            "long.md" => return Ok("x".repeat(SOURCE_BYTES_MAX)),
            deep if deep.starts_with('d') => return Ok(format!("{{% include '{deep}d' %}}")),
            _ => return Err("there is no such file".into()),
        }
        .to_owned())
    }

    #[test]
    fn what_is_included_stands_in_its_place_and_keeps_its_own() {
        let source =
            Source::with_includes("l.md", "\u{feff}one\r\n{% include \"a.md\" %}\ntwo {#{% include 'no' %}#}", &load);
        let source = source.unwrap();
        assert_eq!(source.text(), "one\nA1\n\nC\ntwo {#{% include 'no' %}#}");
        let at = |what: &str| source.place(source.text().find(what).unwrap());
        assert_eq!(at("one"), ("l.md", 1, 1));
        assert_eq!(at("1"), ("templates/a.md", 1, 2));
        assert_eq!(at("C"), ("templates/b/c.md", 1, 1));
        assert_eq!(at("wo"), ("l.md", 3, 2));
        let trimmed = Source::with_includes("l.md", "a\n{%- include 'b/c.md' -%}\n b", &load).unwrap();
        assert_eq!(trimmed.text(), "aCb");
        assert_eq!(trimmed.place(2), ("l.md", 3, 2));
    }

    #[test]
    fn a_text_is_the_same_however_its_lines_end() {
        assert!(Source::whole("l", "a\nb").says("\u{feff}a\r\nb"));
        assert!(!Source::whole("l", "a\nb").says("a b"));
    }

    #[test]
    fn what_must_not_be_included_is_refused_where_it_is_asked_for() {
        for (tag, why) in [
            ("{% include '/etc/passwd' %}", "inside the folder"),
            ("{% include '../secret' %}", "inside the folder"),
            ("{% include 'a/../../secret' %}", "inside the folder"),
            ("{% include 'C:\\x' %}", "inside the folder"),
            ("{% include '' %}", "inside the folder"),
            ("{% include constituent.note %}", "quotation marks"),
            ("{% include ['a', 'b'] %}", "quotation marks"),
            ("{% include %}", "quotation marks"),
            ("{% include 'a.md' ignore missing %}", "quotation marks"),
            ("{% include 'none.md' %}", "there is no such file"),
            ("{% include 'self.md' %}", "includes itself"),
            ("{% include 'ping.md' %}", "includes itself"),
            ("{% include 'd' %}", "8 deep"),
            ("{% include 'many.md' %}", "100 includes"),
            ("{% include 'long.md' %}{% include 'long.md' %}", "64 KiB"),
        ] {
            let problems = Source::with_includes("l.md", &format!("x\n {tag}"), &load).unwrap_err();
            assert!(problems[0].what.contains(why), "{tag}: {problems:?}");
        }
        let problem = Source::with_includes("l.md", "x\n {% include 'none.md' %}", &load).unwrap_err().remove(0);
        assert_eq!((problem.template.as_str(), problem.line, problem.column), ("l.md", 2, 2));
    }
}
