//! The little of XML that a Word file needs: elements, attributes, text. Entities other than XML's own stay unknown.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// Deeper nesting is no letter.
const DEPTH_MAX: usize = 256;

/// An element that begins.
pub(super) struct Element<'a>(&'a BytesStart<'a>);

impl Element<'_> {
    /// Its name without a prefix.
    pub(super) fn name(&self) -> &str {
        self.0.local_name().into_inner()
    }

    /// An attribute by its name, with or without a prefix.
    pub(super) fn attribute(&self, name: &str) -> Option<String> {
        let mut attributes = self.0.attributes();
        let found =
            attributes.with_checks(false).filter_map(Result::ok).find(|a| a.key.local_name().into_inner() == name)?;
        found.normalized_value(quick_xml::XmlVersion::Implicit1_0).ok().map(std::borrow::Cow::into_owned)
    }

    /// `w:val`.
    pub(super) fn value(&self) -> Option<String> {
        self.attribute("val")
    }

    /// A switch: on unless its value says otherwise.
    pub(super) fn is_on(&self) -> bool {
        !self.value().is_some_and(|value| matches!(value.as_str(), "0" | "false" | "off" | "none"))
    }
}

/// What a document is made of.
pub(super) enum Part<'a> {
    Start(Element<'a>),
    End(&'a str),
    Text(&'a str),
}

/// Reads a document from its start to its end; gives whether it is whole.
pub(super) fn read(xml: &str, mut take: impl FnMut(Part<'_>)) -> bool {
    let mut reader = Reader::from_str(xml);
    reader.config_mut().expand_empty_elements = true;
    reader.config_mut().allow_dangling_amp = true;
    let mut depth = 0_usize;
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) => {
                depth += 1;
                if depth > DEPTH_MAX {
                    return false;
                }
                take(Part::Start(Element(&start)));
            }
            Ok(Event::End(end)) => {
                depth = depth.saturating_sub(1);
                take(Part::End(end.local_name().into_inner()));
            }
            Ok(Event::Text(text)) => take(Part::Text(&text.xml10_content())),
            Ok(Event::CData(text)) => take(Part::Text(&text)),
            Ok(Event::GeneralRef(entity)) => take(Part::Text(&resolved(&entity))),
            Ok(Event::Eof) => return true,
            Ok(_) => {}
            Err(_) => return false,
        }
    }
}

/// Only the elements, for parts whose order does not matter.
pub(super) fn elements(xml: &str, mut take: impl FnMut(Element<'_>)) {
    read(xml, |part| {
        if let Part::Start(element) = part {
            take(element);
        }
    });
}

fn resolved(entity: &quick_xml::events::BytesRef<'_>) -> String {
    if let Ok(Some(c)) = entity.resolve_char_ref() {
        return c.to_string();
    }
    let known = quick_xml::escape::resolve_predefined_entity(entity);
    known.unwrap_or_default().to_owned()
}
