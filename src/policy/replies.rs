//! The table of what relays are known to say (`replies.toml`), and how a reply is looked up in it.
//!
//! Only reads the table. What a reply means that is not in it, `codes` says.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::model::{Class, EnhancedCode, Phase, Reply};

/// What the table knows about a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) class: Class,
    pub(super) effect: Option<NamedEffect>,
    pub(super) rule: &'static str,
}

/// An effect that is not the usual one of its class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum NamedEffect {
    FewerConnections,
    Park,
}

/// The first rule of the table that fits.
pub(super) fn look_up(reply: &Reply) -> Option<Known> {
    let text = reply.text.to_lowercase();
    let rule = RULES.iter().find(|rule| rule.fits(reply, &text))?;
    Some(Known { class: rule.class, effect: rule.effect, rule: &rule.name })
}

/// The compiled-in table. A test holds it to being readable; without that test an unreadable table would be an
/// empty one, and the codes alone would decide.
static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| parse(include_str!("replies.toml")).unwrap_or_default());

struct Rule {
    name: String,
    class: Class,
    effect: Option<NamedEffect>,
    texts: Vec<Pattern>,
    enhanced: Vec<EnhancedCode>,
    codes: Vec<CodePattern>,
    phases: Vec<Phase>,
}

impl Rule {
    fn fits(&self, reply: &Reply, text: &str) -> bool {
        (self.phases.is_empty() || self.phases.contains(&reply.phase))
            && (self.codes.is_empty() || self.codes.iter().any(|pattern| pattern.fits(reply.code)))
            && (self.enhanced.is_empty() || reply.enhanced.is_some_and(|code| self.enhanced.contains(&code)))
            && (self.texts.is_empty() || self.texts.iter().any(|pattern| pattern.fits(text)))
    }
}

/// Pieces of text that must occur in this order.
struct Pattern(Vec<String>);

impl Pattern {
    fn fits(&self, text: &str) -> bool {
        let mut rest = text;
        self.0.iter().all(|piece| match rest.split_once(piece.as_str()) {
            Some((_, after)) => {
                rest = after;
                true
            }
            None => false,
        })
    }
}

/// `5xx`, `454`: what a code lies between.
struct CodePattern(u16, u16);

impl CodePattern {
    fn parse(text: &str) -> Option<Self> {
        let bound = |digit: &str| text.replace('x', digit).parse().ok();
        (text.len() == 3).then_some(Self(bound("0")?, bound("9")?))
    }

    fn fits(&self, code: u16) -> bool {
        (self.0..=self.1).contains(&code)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    rule: Vec<RawRule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    name: String,
    class: String,
    effect: Option<NamedEffect>,
    #[serde(default)]
    text: Vec<String>,
    #[serde(default)]
    enhanced: Vec<String>,
    #[serde(default)]
    codes: Vec<String>,
    #[serde(default)]
    phases: Vec<String>,
}

/// Reads a table; the error names the rule.
fn parse(source: &str) -> Result<Vec<Rule>, String> {
    let table: Table = toml::from_str(source).map_err(|e| e.to_string())?;
    table.rule.into_iter().map(read_rule).collect()
}

fn read_rule(raw: RawRule) -> Result<Rule, String> {
    let wrong = |what: &str| format!("rule `{}`: {what}", raw.name);
    if raw.text.is_empty() && raw.enhanced.is_empty() {
        return Err(wrong("names neither a text nor an enhanced code"));
    }
    let pieces = |text: &String| Pattern(text.split('*').filter(|p| !p.is_empty()).map(str::to_lowercase).collect());
    Ok(Rule {
        class: Class::parse(&raw.class).ok_or_else(|| wrong("no such class"))?,
        effect: raw.effect,
        texts: raw.text.iter().map(pieces).collect(),
        enhanced: read_all(&raw.enhanced, EnhancedCode::parse).ok_or_else(|| wrong("an enhanced code is not one"))?,
        codes: read_all(&raw.codes, CodePattern::parse).ok_or_else(|| wrong("a code is not like 5xx or 454"))?,
        phases: read_all(&raw.phases, Phase::parse).ok_or_else(|| wrong("no such phase"))?,
        name: raw.name,
    })
}

fn read_all<T>(words: &[String], read: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    words.iter().map(|word| read(word)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn table(rule: &str) -> Result<Vec<Rule>, String> {
        parse(&format!("[[rule]]\nname = \"r\"\n{rule}"))
    }

    #[test]
    fn the_compiled_in_table_is_readable_and_every_rule_has_a_name_of_its_own() {
        let rules = parse(include_str!("replies.toml")).unwrap();
        let names: HashSet<_> = rules.iter().map(|r| r.name.as_str()).collect();
        assert!(rules.len() > 20);
        assert_eq!(names.len(), rules.len());
        assert_eq!(RULES.len(), rules.len());
    }

    #[test]
    fn no_rule_declares_a_message_sent_or_in_doubt() {
        for rule in RULES.iter() {
            assert!(!matches!(rule.class, Class::Accepted | Class::InDoubt | Class::Breaker), "{}", rule.name);
        }
    }

    #[test]
    fn a_pattern_asks_for_its_pieces_in_order() {
        let pattern = |text: &str| Pattern(text.split('*').map(str::to_owned).collect());
        assert!(pattern("domain*not allowed").fits("the domain x.example is not allowed to send"));
        assert!(!pattern("allowed*domain").fits("domain not allowed"));
        assert!(!pattern("domain*domain").fits("one domain"));
    }

    #[test]
    fn code_patterns_fit_their_codes() {
        for (pattern, code, fits) in [("5xx", 550, true), ("5xx", 450, false), ("45x", 454, true), ("454", 455, false)]
        {
            assert_eq!(CodePattern::parse(pattern).unwrap().fits(code), fits, "{pattern} {code}");
        }
        for pattern in ["", "5", "5xxx", "yyy", "5 x"] {
            assert!(CodePattern::parse(pattern).is_none(), "{pattern}");
        }
    }

    #[test]
    fn a_rule_that_is_not_one_is_refused_by_its_name() {
        assert!(table("text = [\"a\"]\nclass = \"quota\"").is_ok());
        for rule in [
            "class = \"quota\"",
            "text = [\"a\"]\nclass = \"no\"",
            "text = [\"a\"]\nclass = \"quota\"\nphases = [\"no\"]",
            "text = [\"a\"]\nclass = \"quota\"\ncodes = [\"5\"]",
            "enhanced = [\"5.1\"]\nclass = \"quota\"",
        ] {
            assert!(table(rule).is_err_and(|e| e.contains("`r`")), "{rule}");
        }
        assert!(table("text = [\"a\"]\nclass = \"quota\"\nphase = [\"dot\"]").is_err(), "unknown key");
    }
}
