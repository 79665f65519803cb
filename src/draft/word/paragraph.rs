//! One paragraph of a Word file: runs of text with their looks → a line of Markdown.

use crate::draft::escape;

/// How a run of text looks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) bold: bool,
    pub(super) italic: bool,
    /// Where it leads.
    pub(super) link: Option<String>,
}

impl Look {
    fn is_plain(&self) -> bool {
        !self.bold && !self.italic
    }
}

/// Text of one look.
#[derive(Debug, Clone)]
pub(super) struct Run {
    pub(super) text: String,
    pub(super) look: Look,
}

/// What kind of paragraph it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Kind {
    #[default]
    Plain,
    Heading(usize),
    /// The level, from 0, and whether it is numbered.
    Item(usize, bool),
}

/// A paragraph.
#[derive(Debug, Clone, Default)]
pub(super) struct Paragraph {
    pub(super) kind: Kind,
    pub(super) runs: Vec<Run>,
}

impl Paragraph {
    pub(super) fn push(&mut self, text: &str, look: &Look) {
        match self.runs.last_mut() {
            Some(last) if last.look == *look => last.text.push_str(text),
            _ => self.runs.push(Run { text: text.to_owned(), look: look.clone() }),
        }
    }

    pub(super) fn text(&self) -> String {
        self.runs.iter().map(|run| run.text.as_str()).collect()
    }

    /// The text as Markdown; a line break in it is a hard one.
    pub(super) fn markdown(&self) -> String {
        let mut runs: Vec<Run> = self.runs.clone();
        if matches!(self.kind, Kind::Heading(_)) {
            for run in &mut runs {
                run.look.bold = false; // headings are bold by themselves
            }
        }
        settle(&mut runs);
        let mut out = String::new();
        let mut rest = runs.as_slice();
        while let Some(first) = rest.first() {
            let len = rest.iter().take_while(|run| run.look.link == first.look.link).count();
            let (part, after) = rest.split_at(len);
            let starts = out.is_empty() || out.ends_with('\n');
            let text = emphasised(part, starts, first.look.link.is_some());
            match first.look.link.as_deref().and_then(|url| linked(&text, url)) {
                Some(link) => out.push_str(&link),
                None => out.push_str(&text),
            }
            rest = after;
        }
        let lines: Vec<&str> = out.split('\n').map(str::trim).collect();
        lines.join("\\\n")
    }
}

/// A link; an address that shows itself stays bare.
fn linked(text: &str, url: &str) -> Option<String> {
    if text.trim().is_empty() {
        return Some(text.to_owned());
    }
    let plain = text.trim().trim_end_matches('/');
    if plain == url.trim_end_matches('/') || Some(plain) == url.strip_prefix("mailto:") {
        return Some(text.to_owned());
    }
    let inner = text.trim();
    let start = text.len() - text.trim_start().len();
    let link = escape::link(inner, url)?;
    Some(format!("{}{link}{}", &text[..start], &text[start + inner.len()..]))
}

/// White space has no look of its own, and a look changes only where Markdown can show that.
fn settle(runs: &mut Vec<Run>) {
    for n in 0..runs.len() {
        let is_space = runs[n].text.trim().is_empty();
        let before = n.checked_sub(1).map(|n| (runs[n].look.clone(), runs[n].text.clone()));
        let Some((look, text)) = before else { continue };
        let touches = !is_space
            && text.ends_with(|c: char| !c.is_whitespace())
            && runs[n].text.starts_with(|c: char| !c.is_whitespace());
        let changes = look.bold != runs[n].look.bold || look.italic != runs[n].look.italic;
        let both_styled = !look.is_plain() && !runs[n].look.is_plain();
        if is_space || (touches && changes && both_styled) {
            runs[n].look.bold = look.bold;
            runs[n].look.italic = look.italic;
        }
    }
    let mut merged: Vec<Run> = Vec::new();
    for run in runs.drain(..) {
        match merged.last_mut() {
            Some(last) if last.look == run.look => last.text.push_str(&run.text),
            _ => merged.push(run),
        }
    }
    *runs = merged;
}

fn emphasised(runs: &[Run], starts: bool, is_link: bool) -> String {
    let mut out = String::new();
    for (n, run) in runs.iter().enumerate() {
        let before = n.checked_sub(1).and_then(|n| runs[n].text.chars().next_back());
        let after = runs.get(n + 1).and_then(|next| next.text.chars().next());
        for (i, line) in run.text.split('\n').enumerate() {
            if i > 0 {
                out.push('\n');
            }
            let begins = out.ends_with('\n') || (out.is_empty() && starts);
            out.push_str(&styled(line, &run.look, begins, is_link, before, after));
        }
    }
    out
}

/// One piece with its marks, outside of which white space stands, and punctuation where a word touches it.
fn styled(text: &str, look: &Look, begins: bool, is_link: bool, before: Option<char>, after: Option<char>) -> String {
    let in_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let outer = |c: char, touches: bool| c.is_whitespace() || (touches && !c.is_alphanumeric());
    let start = text.len() - text.trim_start_matches(|c| outer(c, in_word(before))).len();
    let end = text.trim_end_matches(|c| outer(c, in_word(after))).len();
    let escaped = |part: &str, begins: bool| {
        if is_link {
            escape::line(&part.replace("www.", "www\u{2060}."), begins).replace('\u{2060}', "")
        } else {
            escape::line(part, begins)
        }
    };
    if look.is_plain() || start >= end || !text[start..end].contains(char::is_alphanumeric) {
        return escaped(text, begins);
    }
    let mark = match (look.bold, look.italic) {
        (true, true) => "***",
        (true, false) => "**",
        _ => "*",
    };
    let inner = escape::line(&text[start..end], false);
    format!("{}{mark}{inner}{mark}{}", escaped(&text[..start], begins), escaped(&text[end..], false))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn markdown(runs: &[(&str, &str)]) -> String {
        let mut paragraph = Paragraph::default();
        for (text, look) in runs {
            let link = look.contains('l').then(|| "https://x.example/a".to_owned());
            paragraph.push(text, &Look { bold: look.contains('b'), italic: look.contains('i'), link });
        }
        paragraph.markdown()
    }

    #[test]
    fn runs_become_emphasis_that_markdown_can_show() {
        for (runs, expected) in [
            (&[("a ", ""), ("bo", "b"), ("ld ", "b"), ("c", "")][..], "a **bold** c"),
            (&[("a", "i"), (" ", ""), ("b", "i")], "*a b*"),
            (&[("Note:", "b"), ("x", "")], "**Note**:x"),
            (&[("all", "bi")], "***all***"),
            (&[("a", "b"), ("b", "i")], "**ab**"),
            (&[("____", "b")], "\\_\\_\\_\\_"),
            (&[("see ", ""), ("here", "l"), (".", "")], "see [here](https://x.example/a)."),
            (&[("one\n two ", "b")], "**one**\\\n**two**"),
            (&[("# x", "")], "\\# x"),
        ] {
            assert_eq!(markdown(runs), expected, "{runs:?}");
        }
    }
}
