//! The links of a text, with what they say and where they lead.

use pulldown_cmark::{Event, Tag, TagEnd};

use super::markdown::{Skeleton, bare_urls, parser};
use super::scan::Piece;

/// A link as its reader meets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    /// Where it stands in the source.
    pub(super) at: usize,
    pub(super) text: String,
    pub(super) url: String,
}

/// Every link of a body: those in Markdown, and bare addresses.
pub(super) fn of(pieces: &[Piece<'_>]) -> Vec<Link> {
    let skeleton = Skeleton::of(pieces);
    let mut found: Vec<Link> = Vec::new();
    let mut open: Option<Link> = None;
    for (event, range) in parser(&skeleton.markdown) {
        let at = skeleton.source_of(range.start);
        match event {
            Event::Start(Tag::Link { dest_url, .. }) => {
                open = Some(Link { at, text: String::new(), url: dest_url.into_string() });
            }
            Event::End(TagEnd::Link) => found.extend(open.take()),
            Event::Text(text) | Event::Code(text) => match &mut open {
                Some(link) => link.text.push_str(&text),
                None => found.extend(bare_urls(&text).into_iter().map(|range| {
                    let url = text[range].to_owned();
                    Link { at, text: url.clone(), url }
                })),
            },
            _ => {}
        }
    }
    found
}

/// The host of an address of the web.
pub(super) fn host(url: &str) -> Option<String> {
    let lower = url.to_lowercase();
    let rest = ["https://", "http://"].iter().find_map(|scheme| lower.strip_prefix(scheme));
    let rest = rest.or_else(|| lower.starts_with("www.").then_some(lower.as_str()))?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default().split(':').next().unwrap_or_default();
    (!host.is_empty()).then(|| host.to_owned())
}

/// The host that a link's text names, where it looks like an address.
pub(super) fn host_said(text: &str) -> Option<String> {
    let text = text.trim();
    if text.contains(char::is_whitespace) || text.contains('@') {
        return None;
    }
    host(text).or_else(|| {
        let host = text.split(['/', '?', '#']).next().unwrap_or_default().to_lowercase();
        let (_, top) = host.rsplit_once('.')?;
        let is_name = |c: char| c.is_alphanumeric() || c == '-' || c == '.';
        (top.len() > 1 && top.chars().all(char::is_alphabetic) && host.chars().all(is_name)).then_some(host)
    })
}

/// A host without the `www.` that many leave away.
pub(super) fn bare(host: &str) -> &str {
    host.strip_prefix("www.").unwrap_or(host)
}

pub(super) fn is_same_host(one: &str, other: &str) -> bool {
    bare(one) == bare(other)
}
