//! Which fields a text names, before anybody knows which columns there are.

use std::collections::BTreeSet;

use super::scan::{self, Piece, Token, TokenKind};

/// Every `namespace.field` that stands in a tag of the text, as in `("constituent", "ward")`. Of a letter in a
/// loop, `letter.official.party` is `("official", "party")`.
pub fn fields_named(source: &str) -> BTreeSet<(String, String)> {
    let (pieces, _) = scan::scan(source, 0, source.len());
    let tags = pieces.iter().filter_map(|piece| if let Piece::Tag(tag) = piece { Some(tag) } else { None });
    tags.flat_map(|tag| paths(&tag.tokens)).collect()
}

fn paths(tokens: &[Token<'_>]) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    let mut path: Vec<&str> = Vec::new();
    let mut dotted = false;
    let mut end = |path: &mut Vec<&str>| {
        if let [.., namespace, field] = path.as_slice() {
            found.insert(((*namespace).to_owned(), (*field).to_owned()));
        }
        path.clear();
    };
    for token in tokens {
        match token.kind {
            TokenKind::Word => {
                if !dotted {
                    end(&mut path);
                }
                path.push(token.text);
                dotted = false;
            }
            TokenKind::Sign if token.is(".") && !path.is_empty() => dotted = true,
            _ => {
                end(&mut path);
                dotted = false;
            }
        }
    }
    end(&mut path);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_in_a_tag_is_named_and_nothing_else() {
        let source = "Subject: {{ constituent.ward }} official.x\n\n{% if official.party == 'a.b' and 1.5 > 1 %}\
                      {{ letter.official.seat | default(value=constituent.title) }}{# campaign.no #} {{ name }}";
        let named = fields_named(source);
        let shown: Vec<String> = named.iter().map(|(space, field)| format!("{space}.{field}")).collect();
        assert_eq!(shown, ["constituent.title", "constituent.ward", "official.party", "official.seat"]);
        assert_eq!(fields_named("{{ a.b }} {{ never closed").len(), 1);
    }
}
