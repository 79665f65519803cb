//! A draft line by line as its reader sees it: escaped characters are themselves, and each knows where it stands in
//! the source. It must not know what a blank is.

use std::ops::Range;

/// One line as it is shown.
#[derive(Debug)]
pub(super) struct Line {
    /// Without escapes and without the `\` of a hard break.
    pub(super) text: String,
    /// For every byte of the text, and for its end, where it stands in the source.
    places: Vec<usize>,
}

impl Line {
    /// Where a part of the text stands in the source.
    pub(super) fn source(&self, range: &Range<usize>) -> Range<usize> {
        let place = |at: usize| self.places.get(at).or(self.places.last()).copied().unwrap_or_default();
        place(range.start)..place(range.end)
    }

    /// Where the whole line stands.
    pub(super) fn whole(&self) -> Range<usize> {
        self.source(&(0..self.text.len()))
    }

    /// Whether the character there is escaped in the source: it is then no sign of Markdown.
    pub(super) fn is_escaped(&self, at: usize) -> bool {
        let len = self.text[at..].chars().next().map_or(0, char::len_utf8);
        let source = self.source(&(at..at + len));
        source.len() > len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.text.trim().is_empty()
    }
}

/// The lines of a draft. The first is the subject, in which nothing is escaped.
pub(super) fn of(source: &str) -> Vec<Line> {
    let mut at = 0;
    let mut lines = Vec::new();
    for line in source.split('\n') {
        lines.push(read(line, at, lines.is_empty()));
        at += line.len() + 1;
    }
    lines
}

fn read(line: &str, start: usize, is_subject: bool) -> Line {
    let mut text = String::with_capacity(line.len());
    let mut places = Vec::with_capacity(line.len() + 1);
    let mut chars = line.char_indices().peekable();
    let mut end = start + line.len();
    while let Some((at, c)) = chars.next() {
        let mut shown = c;
        if c == '\\' && !is_subject {
            match chars.peek() {
                Some(&(_, next)) if next.is_ascii_punctuation() => {
                    shown = next;
                    chars.next();
                }
                Some(_) => {}
                None => {
                    end = start + at; // a hard break
                    break;
                }
            }
        }
        text.push(shown);
        places.extend(std::iter::repeat_n(start + at, shown.len_utf8()));
    }
    places.push(end);
    Line { text, places }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_seen_through_and_places_are_kept() {
        let lines = of("Subject: \\_\n\nName: \\_\\_ é\\[x\\]\\\nend");
        assert_eq!(lines[0].text, "Subject: \\_");
        assert_eq!(lines[2].text, "Name: __ é[x]");
        assert_eq!(lines[2].source(&(6..8)), 19..23);
        assert!(lines[2].is_escaped(6) && !lines[2].is_escaped(0));
        assert_eq!(lines[2].whole(), 13..31);
        assert_eq!(lines[3].text, "end");
    }
}
