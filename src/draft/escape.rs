//! Text → Markdown that shows that text. Nothing is escaped that means nothing, so that staff can still read it.

use std::ops::Range;

/// Escapes a line of a paragraph, or a part of one: `starts` is whether a line begins with it.
pub(super) fn line(text: &str, starts: bool) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let addresses = web_addresses(text);
    let mut at = 0;
    for range in addresses {
        words(&text[at..range.start], text[..at].chars().next_back(), starts && at == 0, &mut out);
        if out.ends_with('!') {
            out.insert(out.len() - 1, '\\'); // no picture
        }
        at = range.end;
        if text[at..].starts_with('>') && out.ends_with("\\<") {
            out.truncate(out.len() - 2); // `<https://…>` is an address already
            at += 1;
        }
        address(&text[range], &mut out);
    }
    words(&text[at..], text[..at].chars().next_back(), starts && at == 0, &mut out);
    out
}

fn words(text: &str, before: Option<char>, starts: bool, out: &mut String) {
    let mut rest = text;
    if starts {
        rest = start_of_line(text, out);
    }
    let mut before = if rest.len() == text.len() { before } else { Some('\\') };
    for (at, c) in rest.char_indices() {
        let follows = &rest[at + c.len_utf8()..];
        let after = follows.chars().next();
        let is_inside = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let means_something = match c {
            '\\' | '*' | '`' | '[' | ']' | '<' => true,
            '_' => !(is_inside(before) && is_inside(after)),
            '&' => is_entity(follows),
            '!' => after == Some('['),
            _ => false,
        };
        if means_something {
            out.push('\\');
        }
        out.push(c);
        before = Some(c);
    }
}

/// Whether `&` and this would be shown as one character.
fn is_entity(follows: &str) -> bool {
    let name = follows.strip_prefix('#').unwrap_or(follows);
    let len = name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len());
    len > 0 && name[len..].starts_with(';')
}

/// What makes a heading, a quote, a list or a rule at the start of a line.
fn start_of_line<'t>(text: &'t str, out: &mut String) -> &'t str {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let sign = text[digits..].chars().next();
    let needs = match sign {
        Some('.' | ')') => digits > 0,
        Some('#' | '>' | '+' | '-' | '=' | '~') => digits == 0,
        _ => false,
    };
    if !needs {
        return text;
    }
    out.push_str(&text[..digits]);
    out.push('\\');
    out.extend(sign);
    &text[digits + 1..]
}

/// An address stays a link; one with characters that mean something is written where they do not.
fn address(url: &str, out: &mut String) {
    let whole = if url.starts_with("www.") { format!("https://{url}") } else { url.to_owned() };
    if url.contains("___") || url.contains(['(', ')', '[', ']', '{', '}', '\\']) {
        out.push_str(&link(&shown(url), &encoded(&whole)).unwrap_or_else(|| shown(url)));
    } else if !url.contains(['_', '*', '`', '&']) {
        out.push_str(url);
    } else if url.starts_with("www.") {
        out.push_str(&link(&shown(url), &whole).unwrap_or_else(|| shown(url)));
    } else {
        out.push('<');
        out.push_str(url);
        out.push('>');
    }
}

/// The same address without what would look like a blank or end a link.
fn encoded(url: &str) -> String {
    let mut out = String::with_capacity(url.len() + 16);
    for c in url.chars() {
        match c {
            '_' | '(' | ')' | '[' | ']' | '{' | '}' | '\\' => out.extend(["%", &format!("{:02X}", u32::from(c))]),
            c => out.push(c),
        }
    }
    out
}

/// A link, if it leads to the web or to a mailbox. The text is Markdown already.
pub(super) fn link(text: &str, url: &str) -> Option<String> {
    let url = url.trim();
    let scheme = ["https://", "http://", "mailto:"].into_iter().find(|s| starts_with(url, s))?;
    if url.len() == scheme.len() || url.contains(|c: char| c.is_whitespace() || c.is_control() || "<>\\{}".contains(c))
    {
        return None;
    }
    let has_brackets = url.contains(['(', ')']);
    Some(if has_brackets { format!("[{text}](<{url}>)") } else { format!("[{text}]({url})") })
}

fn starts_with(url: &str, scheme: &str) -> bool {
    url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
}

/// A sign by its number, as HTML and Markdown know it.
pub(super) fn reference(c: char) -> String {
    format!("&#{};", u32::from(c))
}

/// The address as the text of a link; nothing in it may look like a blank.
fn shown(url: &str) -> String {
    let mut out = String::with_capacity(url.len() + 8);
    for c in url.chars() {
        match c {
            ')' | ']' | '}' => out.push_str(&reference(c)),
            '_' if url.contains("___") => out.push_str(&reference(c)),
            c if "\\`*_[({<>&".contains(c) => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

/// Where `https://…`, `http://…` and `www.…` stand, without the punctuation of the sentence around.
pub(super) fn web_addresses(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some((start, prefix)) = ["https://", "http://", "www."]
        .iter()
        .filter_map(|scheme| text[at..].find(scheme).map(|n| (at + n, scheme.len())))
        .min()
    {
        let rest = &text[start..];
        let end = rest
            .find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '”' | '“' | '`' | '|' | '…'))
            .unwrap_or(rest.len());
        let mut end = end;
        while let Some(last) = rest[..end].chars().next_back() {
            let closes = last == ')' && !rest[..end].contains('(') || last == ']' && !rest[..end].contains('[');
            if !closes && !".,;:!?'*_~’\\".contains(last) {
                break;
            }
            end -= last.len_utf8();
        }
        let begins = !text[..start].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '@' | '-'));
        if begins && end > prefix {
            found.push(start..start + end);
        }
        at = start + end.max(prefix);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_would_mean_something_is_escaped() {
        for (text, markdown) in [
            ("A fine of $1,000 or more.", "A fine of $1,000 or more."),
            ("2 * 3 * 4", "2 \\* 3 \\* 4"),
            ("a snake_case word, _this_ one", "a snake_case word, \\_this\\_ one"),
            ("# 1 reason", "\\# 1 reason"),
            ("1. January", "1\\. January"),
            ("2026) x", "2026\\) x"),
            ("- dash", "\\- dash"),
            ("[NAME] & Co, AT&T, &amp;", "\\[NAME\\] & Co, AT&T, \\&amp;"),
            ("see www.a.example/x.", "see www.a.example/x."),
            ("see https://a.example/a_b_c, now", "see <https://a.example/a_b_c>, now"),
            ("see <https://a.example/x?y=1&z=2>.", "see <https://a.example/x?y=1&z=2>."),
            ("see <https://a.example>.", "see https://a.example."),
            ("see www.a.example/a_b", "see [www.a.example/a\\_b](https://www.a.example/a_b)"),
            ("https://a.example/___x", "[https://a.example/&#95;&#95;&#95;x](https://a.example/%5F%5F%5Fx)"),
        ] {
            assert_eq!(line(text, true), markdown, "{text}");
        }
    }

    #[test]
    fn links_lead_only_to_the_web_or_a_mailbox() {
        assert_eq!(link("a", "https://x.example").as_deref(), Some("[a](https://x.example)"));
        assert_eq!(link("a", "https://x.example/(1)").as_deref(), Some("[a](<https://x.example/(1)>)"));
        for url in ["javascript:alert(1)", "file:///c", "https://", "https://a b", "mailto:{{x}}"] {
            assert_eq!(link("a", url), None, "{url}");
        }
    }
}
