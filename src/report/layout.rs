//! Lines that fit a terminal of 80 columns, whatever the script. Knows nothing of what they say.

use textwrap::{Options, WordSplitter};

/// No line is longer.
const COLUMNS: usize = 80;

/// One paragraph by itself.
pub fn one(text: &str) -> String {
    let mut out = String::new();
    paragraph(&mut out, 0, text);
    out.trim_end().to_owned()
}

/// Adds a paragraph that starts after so many spaces; its further lines stand two columns deeper.
pub(super) fn paragraph(out: &mut String, indent: usize, text: &str) {
    let first = " ".repeat(indent);
    let rest = " ".repeat(indent + 2);
    wrap(out, &first, &rest, text);
}

/// Adds a paragraph that starts after so many spaces, with all lines alike.
pub(super) fn block(out: &mut String, indent: usize, text: &str) {
    let indent = " ".repeat(indent);
    wrap(out, &indent, &indent, text);
}

fn wrap(out: &mut String, first: &str, rest: &str, text: &str) {
    // What stands in a cell is never split at its hyphens: it must be found again as it is.
    let options =
        Options::new(COLUMNS).initial_indent(first).subsequent_indent(rest).word_splitter(WordSplitter::NoHyphenation);
    for line in textwrap::wrap(text, options) {
        out.push_str(line.trim_end());
        out.push('\n');
    }
}

/// With a capital letter at its start and a full stop at its end.
pub(super) fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    // The name of a file stays as it is.
    let is_path = text.split(' ').next().is_some_and(|word| word.contains(['/', '.', '`']));
    let capital = |c: char| if is_path { c.to_string() } else { c.to_uppercase().to_string() };
    let start = chars.next().map(capital).unwrap_or_default();
    let stop = if text.ends_with(['.', '?', '!']) { "" } else { "." };
    format!("{start}{}{stop}", chars.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_width::UnicodeWidthStr;

    #[test]
    fn no_line_is_wider_than_a_terminal_whatever_the_script() {
        for word in ["a", "東京", "ñandú", "very-long-hyphenated-word", &"x".repeat(200)] {
            let mut out = String::new();
            paragraph(&mut out, 6, &[word; 60].join(" "));
            assert!(out.lines().all(|line| line.width() <= 80), "{out}");
            assert!(out.lines().skip(1).all(|line| line.starts_with("        ")));
        }
    }

    #[test]
    fn a_sentence_has_a_capital_and_a_stop() {
        assert_eq!(sentence("fill it in"), "Fill it in.");
        assert_eq!(sentence("is it right?"), "Is it right?");
    }
}
