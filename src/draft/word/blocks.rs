//! Paragraphs → the Markdown of a whole letter: what stands between them. It must not look into a paragraph.

use super::paragraph::{Kind, Paragraph};

/// Shorter paragraphs that stand without an empty one between them are lines of one block, as in an address.
const LINE_CHARS_MAX: usize = 60;

/// Paragraphs as Markdown, with an empty line between them, but for lists and blocks of short lines.
pub(super) fn join(paragraphs: &[Paragraph]) -> String {
    let is_empty = |p: &Paragraph| p.text().trim().is_empty();
    let first = paragraphs.iter().position(|p| !is_empty(p)).unwrap_or_default();
    let gaps = paragraphs.iter().skip(first).filter(|p| is_empty(p)).count();
    let mut out = String::new();
    let mut before: Option<&Paragraph> = None;
    let mut was_gap = true;
    let mut numbers = [0_usize; 6];
    for paragraph in paragraphs {
        if is_empty(paragraph) {
            was_gap = true;
            continue;
        }
        let text = paragraph.markdown();
        let is_short = |p: &Paragraph| p.kind == Kind::Plain && p.text().chars().count() <= LINE_CHARS_MAX;
        let continues = before.is_some_and(|b| is_short(b) && is_short(paragraph)) && !was_gap && gaps >= 2;
        let is_item = |p: &Paragraph| matches!(p.kind, Kind::Item(..));
        let in_list = before.is_some_and(is_item) && is_item(paragraph);
        out.push_str(match before {
            None => "",
            Some(_) if continues => "\\\n",
            Some(_) if in_list => "\n",
            Some(_) => "\n\n",
        });
        if !is_item(paragraph) {
            numbers = [0; 6];
        }
        match paragraph.kind {
            Kind::Plain => out.push_str(&text),
            Kind::Heading(level) => out.extend([&"#".repeat(level), " ", &text.replace("\\\n", " ")]),
            Kind::Item(level, is_numbered) => {
                let indent = "    ".repeat(level);
                numbers[level] = if is_numbered { numbers[level] + 1 } else { 0 };
                numbers.iter_mut().skip(level + 1).for_each(|n| *n = 0);
                let mark = if is_numbered { format!("{}. ", numbers[level]) } else { "- ".to_owned() };
                out.extend([indent.as_str(), mark.as_str(), &text.replace('\n', &format!("\n{indent}  "))]);
            }
        }
        before = Some(paragraph);
        was_gap = false;
    }
    out
}
