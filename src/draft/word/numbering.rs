//! Which lists of a Word file have bullets and which have numbers. It must not count.

use std::collections::BTreeMap;

use super::xml;

/// For every list, whether each level is numbered.
#[derive(Debug, Default)]
pub(super) struct Lists {
    kinds: BTreeMap<(String, usize), bool>,
    definitions: BTreeMap<String, String>,
}

impl Lists {
    /// Whether a level of a list is numbered; bullets where nothing is known.
    pub(super) fn is_numbered(&self, list: &str, level: usize) -> bool {
        let definition = self.definitions.get(list);
        definition.and_then(|name| self.kinds.get(&(name.clone(), level))).copied().unwrap_or_default()
    }
}

pub(super) fn read(xml: &str) -> Lists {
    let mut lists = Lists::default();
    let (mut definition, mut level, mut list) = (String::new(), 0_usize, String::new());
    xml::elements(xml, |element| match element.name() {
        "abstractNum" => definition = element.attribute("abstractNumId").unwrap_or_default(),
        "lvl" => level = element.attribute("ilvl").and_then(|n| n.parse().ok()).unwrap_or_default(),
        "numFmt" => {
            let is_numbered = !matches!(element.value().as_deref(), Some("bullet" | "none") | None);
            lists.kinds.insert((definition.clone(), level), is_numbered);
        }
        "num" => list = element.attribute("numId").unwrap_or_default(),
        "abstractNumId" => {
            lists.definitions.insert(list.clone(), element.value().unwrap_or_default());
        }
        _ => {}
    });
    lists
}
