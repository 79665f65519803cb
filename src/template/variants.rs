//! `{% variant %} … {% or %} … {% endvariant %}`: texts of which each constituent gets one, always the same.
//!
//! The engine knows no variants. They are rewritten into conditions that it knows, and every byte of these keeps the
//! place that it has in the source. This file also knows which block may end where.

use sha2::{Digest, Sha256};

use super::problem::{Finding, offset};
use super::scan::{Piece, Tag, TagKind};
use crate::model::PersonKey;

/// The name under which the engine finds what was drawn; no template can say it.
pub(super) const DRAWN: &str = "variant";

/// The text that the engine reads, and where each byte of it stands in the source.
#[derive(Debug, Clone, Default)]
pub(super) struct Rewritten {
    pub(super) text: String,
    /// From here in the text on it is the source from there on.
    parts: Vec<Origin>,
}

#[derive(Debug, Clone, Copy)]
struct Origin {
    start: usize,
    at: usize,
    /// Made here: all of it stands for one place.
    made: bool,
}

impl Rewritten {
    /// The byte of the source for a line and a column of the text, both from 1.
    pub(super) fn source_of(&self, line: usize, column: usize) -> usize {
        let at = offset(&self.text, line, column);
        let n = self.parts.partition_point(|part| part.start <= at);
        let part = n.checked_sub(1).and_then(|n| self.parts.get(n));
        part.map_or(0, |part| if part.made { part.at } else { part.at + at - part.start })
    }

    fn add(&mut self, text: &str, at: usize, made: bool) {
        self.parts.push(Origin { start: self.text.len(), at, made });
        self.text.push_str(text);
    }
}

/// What a constituent gets at a place with so many variants. Every place is drawn for itself, and all are equally
/// likely.
pub(super) fn draw(constituent: PersonKey, place: usize, variants: usize) -> usize {
    let mut hash = Sha256::new();
    hash.update(b"variant");
    hash.update(constituent.0);
    hash.update((place as u64).to_le_bytes());
    let mut number = [0; 8];
    number.copy_from_slice(&hash.finalize()[..8]);
    let number = u64::from_le_bytes(number) % (variants.max(1) as u64);
    usize::try_from(number).unwrap_or_default()
}

/// The name of a place, as the engine finds what was drawn for it.
pub(super) fn place_name(place: usize) -> String {
    format!("p{place}")
}

/// A block that is open.
enum Block {
    If,
    For,
    Variant { at: usize, place: usize },
}

/// Rewrites the pieces of `source[..end]`; `sizes` gets the number of variants of every place that is found.
pub(super) fn rewrite(
    source: &str,
    end: usize,
    pieces: &[Piece<'_>],
    sizes: &mut Vec<usize>,
) -> (Rewritten, Vec<Finding>) {
    let mut writer = Writer { rewritten: Rewritten::default(), sizes, open: Vec::new(), findings: Vec::new() };
    for (n, piece) in pieces.iter().enumerate() {
        let next = match pieces.get(n + 1) {
            Some(Piece::Text { at, .. }) => *at,
            Some(Piece::Tag(tag)) => tag.at,
            None => end,
        };
        match piece {
            Piece::Text { at, text } => writer.rewritten.add(text, *at, false),
            Piece::Tag(tag) => {
                let made = if tag.kind == TagKind::Control { writer.control(tag) } else { None };
                match made {
                    Some(condition) => writer.condition(tag, &condition),
                    None => writer.rewritten.add(&source[tag.at..next], tag.at, false),
                }
            }
        }
    }
    if let Some(at) =
        writer.open.iter().find_map(|block| if let Block::Variant { at, .. } = block { Some(*at) } else { None })
    {
        writer.findings.push(Finding::new(at, "this `{% variant %}` is never ended with `{% endvariant %}`"));
    }
    (writer.rewritten, writer.findings)
}

struct Writer<'a> {
    rewritten: Rewritten,
    sizes: &'a mut Vec<usize>,
    open: Vec<Block>,
    findings: Vec<Finding>,
}

impl Writer<'_> {
    /// Keeps count of the blocks; the condition that takes the place of a tag about variants.
    fn control(&mut self, tag: &Tag<'_>) -> Option<String> {
        match tag.tokens.first().map(|token| token.text)? {
            "if" => self.open.push(Block::If),
            "for" => self.open.push(Block::For),
            "elif" | "else" => self.must_be_in(tag, |block| matches!(block, Block::If)),
            "endif" => self.end(tag, |block| matches!(block, Block::If)),
            "endfor" => self.end(tag, |block| matches!(block, Block::For)),
            "variant" => return Some(self.begin(tag)),
            "or" => return Some(self.next(tag)),
            "endvariant" => return Some(self.end_variant(tag)),
            _ => {}
        }
        None
    }

    fn begin(&mut self, tag: &Tag<'_>) -> String {
        self.must_stand_alone(tag);
        let place = self.sizes.len();
        self.sizes.push(1);
        self.open.push(Block::Variant { at: tag.at, place });
        format!("if {DRAWN}.{} == 0", place_name(place))
    }

    fn next(&mut self, tag: &Tag<'_>) -> String {
        self.must_stand_alone(tag);
        let Some(Block::Variant { place, .. }) = self.open.last() else {
            let what = "`{% or %}` stands between `{% variant %}` and `{% endvariant %}`, outside of any other block";
            self.findings.push(Finding::new(tag.at, what));
            return "else".to_owned();
        };
        let place = *place;
        let size = self.sizes.get_mut(place).map_or(0, |size| {
            *size += 1;
            *size
        });
        format!("elif {DRAWN}.{} == {}", place_name(place), size.saturating_sub(1))
    }

    fn end_variant(&mut self, tag: &Tag<'_>) -> String {
        self.must_stand_alone(tag);
        match self.open.pop() {
            Some(Block::Variant { at, place }) => {
                if self.sizes.get(place) == Some(&1) {
                    let what = "there is one text only; write the others after `{% or %}`";
                    self.findings.push(Finding::new(at, what));
                }
            }
            other => {
                self.open.extend(other);
                self.findings.push(Finding::new(tag.at, "`{% endvariant %}` ends no `{% variant %}` here"));
            }
        }
        "endif".to_owned()
    }

    fn end(&mut self, tag: &Tag<'_>, is_it: fn(&Block) -> bool) {
        self.must_be_in(tag, is_it);
        if self.open.last().is_some_and(is_it) {
            self.open.pop();
        }
    }

    /// What the engine would say of a block inside a variant would be about words that the author did not write.
    fn must_be_in(&mut self, tag: &Tag<'_>, is_it: fn(&Block) -> bool) {
        if let Some(block @ Block::Variant { .. }) = self.open.last()
            && !is_it(block)
        {
            let what = "this belongs to a block that began before the `{% variant %}`; end the variant first";
            self.findings.push(Finding::new(tag.at, what));
        }
    }

    fn must_stand_alone(&mut self, tag: &Tag<'_>) {
        if let [word, more, ..] = tag.tokens.as_slice() {
            let what = format!("nothing comes after `{}` in its tag", word.text);
            self.findings.push(Finding::new(more.at, what));
        }
    }

    fn condition(&mut self, tag: &Tag<'_>, condition: &str) {
        let dash = |trims| if trims { "-" } else { "" };
        let text = format!("{{%{} {condition} {}%}}", dash(tag.trims_before), dash(tag.trims_after));
        self.rewritten.add(&text, tag.at, true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::scan;

    fn rewritten(source: &str) -> (Rewritten, Vec<usize>, Vec<Finding>) {
        let (pieces, _) = scan::scan(source, 0, source.len());
        let mut sizes = vec![1];
        let (rewritten, findings) = rewrite(source, source.len(), &pieces, &mut sizes);
        (rewritten, sizes, findings)
    }

    #[test]
    fn variants_become_conditions_and_keep_their_places() {
        let source =
            "a\n{% variant -%} b {% or %}c{% variant %}d{% or %}{% or %}{% endvariant %}{%- endvariant %} {{ e }}";
        let (made, sizes, findings) = rewritten(source);
        assert_eq!(
            made.text,
            "a\n{% if variant.p1 == 0 -%} b {% elif variant.p1 == 1 %}c{% if variant.p2 == 0 %}d\
             {% elif variant.p2 == 1 %}{% elif variant.p2 == 2 %}{% endif %}{%- endif %} {{ e }}"
        );
        assert_eq!(sizes, [1, 2, 3]);
        assert_eq!(findings, []);
        let line = made.text.lines().nth(1).unwrap();
        assert_eq!(made.source_of(2, line.find("{{ e").unwrap() + 1), source.find("{{ e").unwrap());
        assert_eq!(made.source_of(2, 5), 2);
    }

    #[test]
    fn blocks_that_cross_are_refused() {
        for (source, at) in [
            ("{% variant %}a", 0),
            ("{% variant %}a{% endvariant %}", 0),
            ("a{% or %}", 1),
            ("a{% endvariant %}", 1),
            ("{% variant %}{% if x %}{% or %}{% endif %}{% or %}{% endvariant %}", 23),
            ("{% if x %}{% variant %}{% endif %}{% or %}{% endvariant %}", 23),
            ("{% if x %}{% variant %}{% else %}{% or %}{% endvariant %}{% endif %}", 23),
            ("{% variant x %}{% or %}{% endvariant %}", 11),
        ] {
            assert_eq!(rewritten(source).2.first().map(|f| f.at), Some(at), "{source}");
        }
    }

    #[test]
    fn every_variant_is_equally_likely_and_places_do_not_know_of_each_other() {
        let keys = (0..6_000_u32).map(|n| {
            let mut key = [0; 16];
            key[..4].copy_from_slice(&n.to_le_bytes());
            PersonKey(key)
        });
        let mut seen = [[0_u32; 3]; 2];
        for key in keys {
            seen[draw(key, 1, 2)][draw(key, 2, 3)] += 1;
            assert_eq!(draw(key, 1, 2), draw(key, 1, 2));
        }
        assert!(seen.iter().flatten().all(|n| (880..1120).contains(n)), "{seen:?}");
    }
}
