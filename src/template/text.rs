//! A letter as plain text, as people write mail: paragraphs of at most 72 columns, lists, quotes, addresses.
//!
//! Nothing is escaped: in plain text every character is itself.

use pulldown_cmark::{Event, HeadingLevel, Tag, TagEnd};
use unicode_width::UnicodeWidthStr;

use super::markdown;

const COLUMNS_MAX: usize = 72;
const COLUMNS_MIN: usize = 20; // deep inside quotes and lists

/// Makes plain text of Markdown; ends with a line break unless there is nothing.
pub fn to_text(markdown: &str) -> String {
    of_events(&markdown::events(markdown))
}

pub(super) fn of_events(events: &[Event<'_>]) -> String {
    let mut writer = Writer::default();
    for event in events {
        writer.event(event);
    }
    writer.flush();
    writer.out
}

/// What stands before the lines of a block: a list's bullet before its first, `> ` before every line of a quote.
struct Prefix {
    first: Option<String>,
    rest: String,
}

#[derive(Default)]
struct Writer {
    out: String,
    /// The block that is being read; a line break in it is a hard one.
    inline: String,
    prefixes: Vec<Prefix>,
    /// The next number of every open list; `None` for bullets.
    lists: Vec<Option<u64>>,
    /// Address and start of the text of every open link.
    links: Vec<(String, usize)>,
    /// A blank line is due before the next block.
    gap_due: bool,
    in_code: bool,
}

impl Writer {
    fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(*tag),
            Event::Text(text) | Event::Code(text) => self.inline.push_str(text),
            Event::SoftBreak => self.inline.push(' '),
            Event::HardBreak => self.inline.push('\n'),
            Event::Rule => {
                self.gap();
                self.line(&"-".repeat(24));
                self.gap_due = true;
            }
            _ => {}
        }
    }

    fn start(&mut self, tag: &Tag<'_>) {
        match tag {
            Tag::Paragraph | Tag::Heading { .. } => self.gap(),
            Tag::BlockQuote(_) => {
                self.flush();
                self.gap();
                self.prefixes.push(Prefix { first: None, rest: "> ".into() });
            }
            Tag::CodeBlock(_) => {
                self.flush();
                self.gap();
                self.in_code = true;
            }
            Tag::List(first) => {
                if !self.flush() {
                    self.gap();
                }
                self.lists.push(*first);
            }
            Tag::Item => self.start_item(),
            Tag::Emphasis | Tag::Strong => self.inline.push('*'),
            Tag::Link { dest_url, .. } => self.links.push((dest_url.to_string(), self.inline.len())),
            _ => {}
        }
    }

    fn start_item(&mut self) {
        self.gap();
        let bullet = match self.lists.last_mut() {
            Some(Some(number)) => {
                let bullet = format!("{number}. ");
                *number = number.saturating_add(1);
                bullet
            }
            _ => "- ".to_owned(),
        };
        let rest = " ".repeat(bullet.len());
        self.prefixes.push(Prefix { first: Some(bullet), rest });
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph => {
                self.flush();
                self.gap_due = true;
            }
            TagEnd::Heading(level) => self.end_heading(level),
            TagEnd::CodeBlock => self.end_code(),
            TagEnd::Item => {
                self.flush();
                if self.prefixes.last().is_some_and(|p| p.first.is_some()) {
                    self.line("");
                }
                self.prefixes.pop();
            }
            TagEnd::List(_) => {
                self.lists.pop();
                self.gap_due = self.gap_due || self.lists.is_empty();
            }
            TagEnd::BlockQuote(_) => {
                self.flush();
                self.prefixes.pop();
                self.gap_due = true;
            }
            TagEnd::Emphasis | TagEnd::Strong => self.inline.push('*'),
            TagEnd::Link => self.end_link(),
            _ => {}
        }
    }

    fn end_heading(&mut self, level: HeadingLevel) {
        let width = self.inline.width().min(COLUMNS_MAX);
        self.flush();
        match level {
            HeadingLevel::H1 => self.line(&"=".repeat(width)),
            HeadingLevel::H2 => self.line(&"-".repeat(width)),
            _ => {}
        }
        self.gap_due = true;
    }

    fn end_code(&mut self) {
        let code = std::mem::take(&mut self.inline);
        for line in code.trim_end_matches('\n').split('\n') {
            self.line(&format!("    {line}"));
        }
        self.in_code = false;
        self.gap_due = true;
    }

    /// The address goes behind the text, unless the text is the address.
    fn end_link(&mut self) {
        let Some((url, start)) = self.links.pop() else { return };
        let text = self.inline.get(start..).unwrap_or_default();
        let bare = |prefix: &str| url.strip_prefix(prefix).is_some_and(|rest| rest == text);
        if text != url && !bare("mailto:") && !bare("https://") {
            let url = url.strip_prefix("mailto:").unwrap_or(&url);
            self.inline.extend([" <", url, ">"]);
        }
    }

    /// Writes the block that was read, wrapped; says whether there was one.
    fn flush(&mut self) -> bool {
        if self.in_code || self.inline.is_empty() {
            return false;
        }
        let inline = std::mem::take(&mut self.inline);
        let taken: usize = self.prefixes.iter().map(|p| p.rest.width()).sum();
        let columns = COLUMNS_MAX.saturating_sub(taken).max(COLUMNS_MIN);
        for line in inline.trim_end_matches('\n').split('\n') {
            self.fill(line, columns);
        }
        self.gap_due = false;
        true
    }

    /// Writes as many words to a line as fit. A word that is longer than a line has one of its own.
    fn fill(&mut self, line: &str, columns: usize) {
        let (mut filled, mut width) = (String::with_capacity(columns), 0);
        for word in line.split_ascii_whitespace() {
            let further = word.width();
            if width > 0 && width + 1 + further > columns {
                self.line(&filled);
                filled.clear();
                width = 0;
            } else if width > 0 {
                filled.push(' ');
                width += 1;
            }
            filled.push_str(word);
            width += further;
        }
        self.line(&filled);
    }

    fn gap(&mut self) {
        if std::mem::take(&mut self.gap_due) {
            self.blank();
        }
    }

    /// A blank line inside the quotes that are open, before a bullet that is due.
    fn blank(&mut self) {
        let prefix: String = self.prefixes.iter().map(|p| p.rest.as_str()).collect();
        self.out.push_str(prefix.trim_end());
        self.out.push('\n');
    }

    fn line(&mut self, text: &str) {
        let start = self.out.len();
        for prefix in &mut self.prefixes {
            let first = prefix.first.take();
            self.out.push_str(first.as_deref().unwrap_or(&prefix.rest));
        }
        self.out.push_str(text);
        let end = start + self.out[start..].trim_end_matches([' ', '\t']).len();
        self.out.truncate(end);
        self.out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_becomes_the_text_that_people_write() {
        for (markdown, text) in [
            ("a\nb", "a b\n"),
            ("a\\\nb", "a\nb\n"),
            ("a\n\nb", "a\n\nb\n"),
            ("*a* **b**", "*a* *b*\n"),
            ("- a\n- b\n\nc", "- a\n- b\n\nc\n"),
            ("- a\n\n- b\n\nc", "- a\n\n- b\n\nc\n"),
            ("9. a\n10. b", "9. a\n10. b\n"),
            ("- a\n  - b\n- c", "- a\n  - b\n- c\n"),
            ("-\n- b", "-\n- b\n"),
            ("> a\n>\n> b\n\nc", "> a\n>\n> b\n\nc\n"),
            ("> > a\n\n- > b", "> > a\n\n- > b\n"),
            ("# A b\n\nc", "A b\n===\n\nc\n"),
            ("[a](https://x.example)", "a <https://x.example>\n"),
            ("[https://x.example](https://x.example)", "https://x.example\n"),
            ("[a](mailto:b@x.example) www.x.example", "a <b@x.example> www.x.example\n"),
            ("\\$1,000 &amp; \\*", "$1,000 & *\n"),
            ("a\n\n---\n\nb", "a\n\n------------------------\n\nb\n"),
            ("    x\n     y", "    x\n     y\n"),
            ("`a b`", "a b\n"),
            ("", ""),
        ] {
            assert_eq!(to_text(markdown), text, "{markdown:?}");
        }
    }

    #[test]
    fn lines_are_at_most_72_columns_except_for_words_that_are_longer() {
        let long = format!("https://x.example/{}", "y".repeat(100));
        let markdown = format!("> - {}\n\n{long}", "word ".repeat(100));
        let text = to_text(&markdown);
        for line in text.lines() {
            assert!(line.width() <= COLUMNS_MAX || line == long, "{line}");
            assert_eq!(line.trim_end(), line);
        }
        assert!(text.lines().any(|line| line.starts_with(">   word")), "{text}");
        assert!(text.contains(&long));
    }
}
