//! Plain text → Markdown. Lines that were wrapped become paragraphs again; addresses and signatures keep their lines.

use super::escape;

/// No one wraps longer lines by hand: a line that is longer is a paragraph.
const WRAPPED_CHARS_MAX: usize = 100;
/// Shorter lines are short on purpose.
const WRAPPED_CHARS_MIN: usize = 50;
/// People wrap unevenly.
const UNEVEN_CHARS: usize = 6;

/// Markdown is taken as it is, but for white space that only looks like something.
pub(super) fn as_it_is(text: &str) -> String {
    let lines: Vec<&str> = text.split('\n').collect();
    lines
        .iter()
        .map(|line| {
            let is_break = line.ends_with("  ") && !line.trim().is_empty();
            let line = line.trim_end();
            if is_break { format!("{line}\\") } else { line.to_owned() }
        })
        .collect::<Vec<_>>()
        .join("\n")
}

pub(super) fn to_markdown(text: &str) -> String {
    let text = text.replace('\t', "    ");
    let lines: Vec<&str> = text.split('\n').map(str::trim_end).collect();
    let blocks: Vec<String> =
        lines.split(|line| line.is_empty()).filter(|block| !block.is_empty()).map(block).collect();
    blocks.join("\n\n")
}

/// How a line begins.
enum Start {
    Bullet(usize),
    Number(usize),
    Text,
}

fn start_of(line: &str) -> Start {
    for bullet in ["- ", "* ", "• ", "· ", "▪ ", "◦ ", "– ", "o "] {
        if line.starts_with(bullet) && line.len() > bullet.len() {
            return Start::Bullet(bullet.len());
        }
    }
    let digits = line.len() - line.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let rest = &line[digits..];
    if (1..=2).contains(&digits) && (rest.starts_with(". ") || rest.starts_with(") ")) {
        Start::Number(digits + 2)
    } else {
        Start::Text
    }
}

/// Lines without an empty one between them.
fn block(lines: &[&str]) -> String {
    let width = lines.iter().map(|line| line.trim().chars().count()).filter(|&n| n <= WRAPPED_CHARS_MAX).max();
    let width = width.unwrap_or_default();
    let is_list = lines.iter().filter(|line| !matches!(start_of(line.trim()), Start::Text)).count() > 1
        || !matches!(start_of(lines[0].trim()), Start::Text);
    let mut out = String::new();
    let mut in_item = false;
    for (n, line) in lines.iter().enumerate() {
        let text = line.trim();
        let start = if is_list { start_of(text) } else { Start::Text };
        let before = n.checked_sub(1).map(|n| lines[n].trim());
        match (before, &start) {
            (None, _) => {}
            (Some(_), Start::Bullet(_) | Start::Number(_)) => out.push_str(if in_item { "\n" } else { "\n\n" }),
            (Some(before), Start::Text) => out.push_str(between(before, text, width, in_item)),
        }
        match start {
            Start::Bullet(len) => out.extend(["- ", &escape::line(text[len..].trim_start(), true)]),
            Start::Number(len) => {
                out.extend([&text[..len - 2], ". ", &escape::line(text[len..].trim_start(), true)]);
            }
            Start::Text => out.push_str(&escape::line(text, !out.ends_with(' '))),
        }
        in_item = in_item || !matches!(start, Start::Text);
    }
    out
}

/// What comes between two lines of a block: a space, a line break that stays, or a new paragraph.
fn between(before: &str, after: &str, width: usize, in_item: bool) -> &'static str {
    let chars = before.chars().count();
    let first_word = after.split_whitespace().next().map_or(0, |word| word.chars().count());
    let was_full = width >= WRAPPED_CHARS_MIN && chars + 1 + first_word + UNEVEN_CHARS > width;
    if chars > WRAPPED_CHARS_MAX || after.chars().count() > WRAPPED_CHARS_MAX {
        "\n\n"
    } else if was_full && !has_a_blank_line(before) {
        " "
    } else if in_item {
        "\\\n  "
    } else {
        "\\\n"
    }
}

/// A line that ends in a blank was not wrapped by a program.
fn has_a_blank_line(line: &str) -> bool {
    ["___", "....", "……"].iter().any(|blank| line.ends_with(blank))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapped_lines_become_a_paragraph_and_short_lines_stay() {
        let text = "I am writing to you today because the state of our roads has become\na danger to all who use them, on foot, by\nbicycle or in a car.\n\nSincerely,\nJane Doe\n12 Main Street\n";
        let markdown = "I am writing to you today because the state of our roads has become a danger to all who use them, on foot, by\\\nbicycle or in a car.\n\nSincerely,\\\nJane Doe\\\n12 Main Street";
        assert_eq!(to_markdown(text), markdown);
    }

    #[test]
    fn a_long_line_is_a_paragraph_of_its_own() {
        let long = "word ".repeat(40);
        let text = format!("{long}\n{long}\nEnd");
        assert_eq!(to_markdown(&text), format!("{0}\n\n{0}\n\nEnd", long.trim_end()));
    }

    #[test]
    fn lists_are_lists() {
        assert_eq!(to_markdown("We ask you to\n• act\n• speak"), "We ask you to\n\n- act\n- speak");
        assert_eq!(to_markdown("1) one\n2) two"), "1. one\n2. two");
        assert_eq!(to_markdown("1. January we met"), "1. January we met");
    }
}
