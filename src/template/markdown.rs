//! Markdown as a letter may use it: `CommonMark` without raw HTML and pictures, and bare addresses become links.
//!
//! Both the text and the HTML of a letter are made from the events given here, so that they say the same.

use std::ops::Range;

use pulldown_cmark::{CowStr, Event, LinkType, OffsetIter, Options, Parser, Tag, TagEnd};

use super::problem::Finding;
use super::scan::{Piece, TagKind};

const EMPTY: CowStr<'static> = CowStr::Borrowed("");
const SCHEMES: [&str; 3] = ["https://", "http://", "mailto:"];

/// The events of a letter. Raw HTML is text, pictures are their description, and links lead only to the web or
/// to a mailbox.
pub(super) fn events(markdown: &str) -> Vec<Event<'_>> {
    let mut out = Vec::new();
    let mut text = Run { text: EMPTY, end: 0 };
    let mut links: Vec<bool> = Vec::new(); // of the open links and pictures: is it kept as a link?
    let mut code_blocks = 0_usize;
    for (event, range) in parser(markdown) {
        let plain = code_blocks > 0 || !links.is_empty();
        match event {
            Event::Text(part) => {
                text.add(part, range, plain, &mut out);
                continue;
            }
            _ => text.flush(plain, &mut out),
        }
        match event {
            Event::Html(html) | Event::InlineHtml(html) => out.push(Event::Text(html)),
            Event::Start(Tag::HtmlBlock) => out.push(Event::Start(Tag::Paragraph)),
            Event::End(TagEnd::HtmlBlock) => out.push(Event::End(TagEnd::Paragraph)),
            Event::Start(tag @ (Tag::Link { .. } | Tag::Image { .. })) => {
                let kept = matches!(&tag, Tag::Link { dest_url, .. } if is_allowed(dest_url));
                links.push(kept);
                out.extend(kept.then_some(Event::Start(tag)));
            }
            Event::End(end @ (TagEnd::Link | TagEnd::Image)) => {
                out.extend(links.pop().unwrap_or_default().then_some(Event::End(end)));
            }
            event => {
                match &event {
                    Event::Start(Tag::CodeBlock(_)) => code_blocks += 1,
                    Event::End(TagEnd::CodeBlock) => code_blocks = code_blocks.saturating_sub(1),
                    _ => {}
                }
                out.push(event);
            }
        }
    }
    text.flush(false, &mut out);
    out
}

pub(super) fn parser(markdown: &str) -> OffsetIter<'_> {
    Parser::new_ext(markdown, Options::empty()).into_offset_iter()
}

fn is_allowed(url: &str) -> bool {
    SCHEMES.iter().any(|scheme| url.get(..scheme.len()).is_some_and(|s| s.eq_ignore_ascii_case(scheme)))
}

/// Text that stands without a gap in the source. A backslash is a gap: an escaped address is no link, which is
/// how a value that looks like an address stays a text.
struct Run<'a> {
    text: CowStr<'a>,
    end: usize,
}

impl<'a> Run<'a> {
    fn add(&mut self, part: CowStr<'a>, range: Range<usize>, plain: bool, out: &mut Vec<Event<'a>>) {
        if range.start != self.end {
            self.flush(plain, out);
        }
        self.text = if self.text.is_empty() { part } else { format!("{}{part}", self.text).into() };
        self.end = range.end;
    }

    fn flush(&mut self, plain: bool, out: &mut Vec<Event<'a>>) {
        let text = std::mem::replace(&mut self.text, EMPTY);
        let urls = if plain { Vec::new() } else { bare_urls(&text) };
        if urls.is_empty() {
            out.extend((!text.is_empty()).then_some(Event::Text(text)));
            return;
        }
        let mut at = 0;
        for url in urls {
            out.extend((at < url.start).then(|| owned_text(&text[at..url.start])));
            at = url.end;
            out.extend(link(&text[url]));
        }
        out.extend((at < text.len()).then(|| owned_text(&text[at..])));
    }
}

fn owned_text<'a>(text: &str) -> Event<'a> {
    Event::Text(text.to_owned().into())
}

fn link<'a>(url: &str) -> [Event<'a>; 3] {
    let has_scheme = is_allowed(url);
    let dest_url = CowStr::from(if has_scheme { url.to_owned() } else { format!("https://{url}") });
    let (title, id) = (CowStr::from(""), CowStr::from(""));
    let tag = Tag::Link { link_type: LinkType::Autolink, dest_url, title, id };
    [Event::Start(tag), owned_text(url), Event::End(TagEnd::Link)]
}

/// Where `https://…`, `http://…` and `www.…` stand in a text, without the punctuation of the sentence around.
pub(super) fn bare_urls(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    // Most texts have none, and each search costs.
    if !text.contains(':') && !text.contains("www.") {
        return found;
    }
    let mut at = 0;
    while at < text.len() {
        let starts =
            ["https://", "http://", "www."].iter().filter_map(|s| text[at..].find(s).map(|n| (at + n, s.len())));
        let Some((start, prefix)) = starts.min() else { break };
        let begins_word = !text[..start].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '@' | '-'));
        let rest = &text[start..];
        let mut end = rest.find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"')).unwrap_or(rest.len());
        while let Some(last) = rest[..end].chars().next_back() {
            let closes = last == ')' && !rest[..end].contains('(');
            if !closes && !".,;:!?'*_~]’”".contains(last) {
                break;
            }
            end -= last.len_utf8();
        }
        if begins_word && end > prefix {
            found.push(start..start + end);
        }
        at = start + end.max(prefix);
    }
    found
}

/// Finds Markdown that a letter does not use, and fields where a value could not be shown as it is: in code, in
/// a link's address, as the number of a list.
pub(super) fn inspect(pieces: &[Piece<'_>]) -> Vec<Finding> {
    let skeleton = Skeleton::of(pieces);
    let mut findings = Vec::new();
    let mut shown = String::new();
    let mut code_at = None;
    for (event, range) in parser(&skeleton.markdown) {
        let at = skeleton.source_of(range.start);
        match &event {
            Event::Html(_) | Event::InlineHtml(_) => {
                findings.push(Finding::new(at, "HTML is not used in letters; write Markdown, and `\\<` for a `<`"));
            }
            Event::Start(Tag::Image { .. }) => {
                findings.push(Finding::new(at, "a letter cannot hold pictures; link to the picture instead"));
            }
            Event::Start(Tag::CodeBlock(_)) => code_at = Some(at),
            Event::End(TagEnd::CodeBlock) => code_at = None,
            Event::Text(text) if code_at.is_none() => shown.push_str(text),
            _ => shown.push('\n'), // an address ends where a line or a paragraph ends
        }
    }
    let urls: Vec<String> = bare_urls(&shown).into_iter().map(|range| shown[range].to_owned()).collect();
    for (mark, at) in &skeleton.marks {
        if !shown.contains(mark.as_str()) {
            let what = "a field cannot stand here: not in code, in the address of a link or as the number of a list";
            findings.push(Finding::new(*at, what));
        } else if urls.iter().any(|url| url.contains(mark.as_str())) {
            findings.push(Finding::new(*at, "a field cannot be part of the address of a link"));
        }
    }
    findings.extend(skeleton.findings);
    findings
}

/// A template's Markdown with a number in the place of every value, so that its structure can be read.
pub(super) struct Skeleton {
    pub(super) markdown: String,
    /// Each number with the place of its tag.
    marks: Vec<(String, usize)>,
    /// Where in the source a byte of the Markdown comes from, for the start of every piece of text.
    starts: Vec<(usize, usize)>,
    findings: Vec<Finding>,
}

impl Skeleton {
    pub(super) fn of(pieces: &[Piece<'_>]) -> Self {
        let mut this = Self { markdown: String::new(), marks: Vec::new(), starts: Vec::new(), findings: Vec::new() };
        let base = free_number(pieces);
        for (n, piece) in pieces.iter().enumerate() {
            let before = n.checked_sub(1).and_then(|n| pieces.get(n));
            match piece {
                Piece::Text { at, text } => this.text(*at, text, before, pieces.get(n + 1)),
                Piece::Tag(tag) if tag.kind == TagKind::Value => {
                    let is_quote = tag.tokens.last().is_some_and(|t| t.is("quoted"));
                    if is_quote && !this.markdown.is_empty() && !this.markdown.ends_with('\n') {
                        let what = "`quoted` makes a block of its own; put its tag at the start of a line";
                        this.findings.push(Finding::new(tag.at, what));
                    }
                    let mark = format!("{base}{:04}", this.marks.len());
                    this.starts.push((this.markdown.len(), tag.at));
                    this.markdown.push_str(&mark);
                    this.marks.push((mark, tag.at));
                }
                Piece::Tag(_) => {}
            }
        }
        this
    }

    /// Literal text, less the white space that the tags around it take away.
    fn text(&mut self, at: usize, text: &str, before: Option<&Piece<'_>>, after: Option<&Piece<'_>>) {
        let trims = |piece: Option<&Piece<'_>>, end: bool| match piece {
            Some(Piece::Tag(tag)) => (end && tag.trims_before) || (!end && tag.trims_after),
            _ => false,
        };
        let start_trimmed = if trims(before, false) { text.trim_start() } else { text };
        let at = at + text.len() - start_trimmed.len();
        self.starts.push((self.markdown.len(), at));
        self.markdown.push_str(if trims(after, true) { start_trimmed.trim_end() } else { start_trimmed });
    }

    pub(super) fn source_of(&self, at: usize) -> usize {
        let n = self.starts.partition_point(|(start, _)| *start <= at);
        n.checked_sub(1).and_then(|n| self.starts.get(n)).map_or(0, |(start, source)| source + at - start)
    }
}

/// Five digits that stand nowhere in the template; with four more they are still the number of a list (at most
/// nine digits, `CommonMark` 5.2).
fn free_number(pieces: &[Piece<'_>]) -> u32 {
    let texts = || pieces.iter().filter_map(|p| if let Piece::Text { text, .. } = p { Some(*text) } else { None });
    (70_707..99_999).find(|n| !texts().any(|text| text.contains(&n.to_string()))).unwrap_or(70_707)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bare_addresses_end_where_the_sentence_goes_on() {
        for (text, urls) in [
            ("see https://a.example/b_c?d=1.", vec!["https://a.example/b_c?d=1"]),
            ("(www.a.example/x), www.b.example!", vec!["www.a.example/x", "www.b.example"]),
            ("http://a.example/(x) y", vec!["http://a.example/(x)"]),
            ("awww.a.example, a@www.b.example, https:// www.", vec![]),
            ("nothing", vec![]),
        ] {
            let found: Vec<&str> = bare_urls(text).into_iter().map(|range| &text[range]).collect();
            assert_eq!(found, urls, "{text}");
        }
    }

    #[test]
    fn a_field_on_the_line_after_an_address_is_no_part_of_it() {
        let findings = |source: &str| inspect(&crate::template::scan::scan(source, 0, source.len()).0).len();
        for source in
            ["www.x.example\\\n{{ a }}", "www.x.example/y\n\n{{ a }}", "[www.x.example](https://x.example){{ a }}"]
        {
            assert_eq!(findings(source), 0, "{source}");
        }
        assert_eq!(findings("www.x.example/{{ a }}"), 1);
    }

    #[test]
    fn an_escaped_address_is_not_a_link() {
        let is_link = |markdown| events(markdown).iter().any(|e| matches!(e, Event::Start(Tag::Link { .. })));
        assert!(is_link("www.x.example"));
        assert!(is_link("https://x.example/a_b"));
        assert!(!is_link("www\\.x\\.example"));
        assert!(!is_link("https\\:\\/\\/x\\.example"));
    }

    #[test]
    fn links_lead_only_to_the_web_or_a_mailbox() {
        for (markdown, kept) in [
            ("[a](https://x.example)", true),
            ("[a](HTTP://x.example)", true),
            ("[a](mailto:a@x.example)", true),
            ("<a@x.example>", false),
            ("[a](javascript:alert)", false),
            ("[a](data:text/html,x)", false),
            ("[a](/local)", false),
        ] {
            let found = events(markdown).iter().any(|e| matches!(e, Event::Start(Tag::Link { .. })));
            assert_eq!(found, kept, "{markdown}");
        }
    }
}
