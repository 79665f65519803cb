//! Cuts a template into literal text and tags, and a tag into tokens, each with its place in the source.
//!
//! It knows no names and no grammar; it only has to agree with the engine about where tags and strings end.

use super::problem::Finding;

/// One piece of a template, in the order of the source.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Literal text.
    Text { at: usize, text: &'a str },
    /// `{{ … }}`, `{% … %}` or `{# … #}`.
    Tag(Tag<'a>),
}

/// What a tag does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TagKind {
    /// `{{ … }}` puts a value there.
    Value,
    /// `{% … %}` steers.
    Control,
    /// `{# … #}` is for the author only.
    Comment,
}

/// A tag with its tokens.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tag<'a> {
    pub(super) kind: TagKind,
    pub(super) at: usize,
    /// Opened with `-`: white space before it goes.
    pub(super) trims_before: bool,
    /// Closed with `-`: white space after it goes.
    pub(super) trims_after: bool,
    pub(super) tokens: Vec<Token<'a>>,
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenKind {
    Word,
    /// With its quotation marks.
    Text,
    Number,
    Sign,
}

/// A token with its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: TokenKind,
    pub(super) at: usize,
    pub(super) text: &'a str,
}

impl Token<'_> {
    pub(super) fn is(&self, sign_or_word: &str) -> bool {
        self.kind != TokenKind::Text && self.text == sign_or_word
    }
}

const OPENERS: [(&str, &str, TagKind); 3] =
    [("{{", "}}", TagKind::Value), ("{%", "%}", TagKind::Control), ("{#", "#}", TagKind::Comment)];
const TWO_BYTE_SIGNS: [&str; 8] = ["==", "!=", "<=", ">=", "//", "**", "?.", "</"];

/// Cuts `source[start..end]` into pieces. A tag or string that is never closed ends the cutting with a finding.
pub(super) fn scan(source: &str, start: usize, end: usize) -> (Vec<Piece<'_>>, Option<Finding>) {
    let mut pieces = Vec::new();
    let mut at = start;
    let source = &source[..end];
    while at < end {
        let next = OPENERS.iter().filter_map(|o| source[at..].find(o.0).map(|n| (at + n, o))).min_by_key(|(n, _)| *n);
        let Some((open, (opener, closer, kind))) = next else { break };
        if open > at {
            pieces.push(Piece::Text { at, text: &source[at..open] });
        }
        let scanned = match kind {
            TagKind::Comment => scan_comment(source, open, closer),
            _ => scan_tag(source, open, opener, closer, *kind),
        };
        match scanned {
            Ok((tag, after)) => {
                pieces.push(Piece::Tag(tag));
                at = after;
            }
            Err(finding) => return (pieces, Some(finding)),
        }
    }
    if at < end {
        pieces.push(Piece::Text { at, text: &source[at..] });
    }
    (pieces, None)
}

fn scan_comment<'a>(source: &'a str, open: usize, closer: &str) -> Result<(Tag<'a>, usize), Finding> {
    let inside = open + 2;
    let len = source[inside..].find(closer).ok_or_else(|| Finding::new(open, "this `{#` is never closed with `#}`"))?;
    let body = &source[inside..inside + len];
    let tag = Tag {
        kind: TagKind::Comment,
        at: open,
        trims_before: body.starts_with('-'),
        trims_after: body.ends_with('-'),
        tokens: Vec::new(),
    };
    Ok((tag, inside + len + closer.len()))
}

fn scan_tag<'a>(
    source: &'a str,
    open: usize,
    opener: &str,
    closer: &str,
    kind: TagKind,
) -> Result<(Tag<'a>, usize), Finding> {
    let mut at = open + opener.len();
    let trims_before = source[at..].starts_with('-');
    at += usize::from(trims_before);
    let mut tokens = Vec::new();
    loop {
        let rest = &source[at..];
        let trimmed = rest.trim_start_matches(|c: char| c.is_ascii_whitespace());
        at += rest.len() - trimmed.len();
        let trims_after = trimmed.strip_prefix('-').is_some_and(|t| t.starts_with(closer));
        if trims_after || trimmed.starts_with(closer) {
            let after = at + usize::from(trims_after) + closer.len();
            return Ok((Tag { kind, at: open, trims_before, trims_after, tokens }, after));
        }
        let Some(token) = token(trimmed, at)? else {
            return Err(Finding::new(open, format!("this `{opener}` is never closed with `{closer}`")));
        };
        at += token.text.len();
        tokens.push(token);
    }
}

/// The token that `rest` starts with; `None` at the end.
fn token(rest: &str, at: usize) -> Result<Option<Token<'_>>, Finding> {
    let Some(first) = rest.chars().next() else { return Ok(None) };
    let run = |matches: fn(char) -> bool| rest.find(|c| !matches(c)).unwrap_or(rest.len());
    let (kind, len) = if matches!(first, '"' | '\'' | '`') {
        let len = string_len(rest, first).ok_or_else(|| Finding::new(at, format!("this {first} is never closed")))?;
        (TokenKind::Text, len)
    } else if first.is_ascii_digit() {
        (TokenKind::Number, run(|c| c.is_ascii_digit() || c == '.'))
    } else if first.is_alphabetic() || first == '_' {
        (TokenKind::Word, run(|c| c.is_alphanumeric() || c == '_'))
    } else if TWO_BYTE_SIGNS.iter().any(|sign| rest.starts_with(sign)) {
        (TokenKind::Sign, 2)
    } else {
        (TokenKind::Sign, first.len_utf8())
    };
    Ok(Some(Token { kind, at, text: &rest[..len] }))
}

/// How long the string is that `rest` starts with, with its quotation marks.
fn string_len(rest: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (n, c) in rest.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == quote {
            return Some(n + 1);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(source: &str) -> Vec<&str> {
        let (pieces, finding) = scan(source, 0, source.len());
        assert_eq!(finding, None, "{source}");
        match &pieces[..] {
            [Piece::Tag(tag)] => tag.tokens.iter().map(|t| t.text).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_tag_is_cut_into_words_strings_numbers_and_signs() {
        assert_eq!(
            tokens("{{ a.b|default(value=\"}} x\") }}"),
            ["a", ".", "b", "|", "default", "(", "value", "=", "\"}} x\"", ")"]
        );
        assert_eq!(
            tokens("{%- if a.b == 'it\\'s' and 12 >= x -%}"),
            ["if", "a", ".", "b", "==", "'it\\'s'", "and", "12", ">=", "x"]
        );
    }

    #[test]
    fn text_between_tags_keeps_its_place() {
        let (pieces, _) = scan("x{{ a }}y{# n #}", 0, 16);
        assert_eq!(pieces[0], Piece::Text { at: 0, text: "x" });
        assert_eq!(pieces[2], Piece::Text { at: 8, text: "y" });
        assert_eq!(pieces.len(), 4);
    }

    #[test]
    fn what_is_never_closed_is_found_where_it_opens() {
        for (source, at) in [("ab {{ x", 3), ("{% if", 0), ("a {# b", 2), ("{{ 'x }}", 3)] {
            assert_eq!(scan(source, 0, source.len()).1.map(|f| f.at), Some(at), "{source}");
        }
    }
}
