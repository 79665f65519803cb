//! One rule of what relays say, and a table of them as it stands in a file: ours (`replies.toml`, `providers/`) or
//! staff's own.
//!
//! Only reads and fits; which tables are asked in which order, `replies` says. A rule is about refusals alone, so none
//! can make an accepted message unaccepted, nor anything else of one that is in doubt.

use std::fmt;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::model::{Class, EnhancedCode, Phase, Reply};

/// An effect that is not the usual one of its class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NamedEffect {
    FewerConnections,
    Park,
}

/// What a reply that fits means.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) name: String,
    pub(super) class: Class,
    pub(super) effect: Option<NamedEffect>,
    texts: Vec<Pattern>,
    enhanced: Vec<EnhancedCode>,
    codes: Vec<CodePattern>,
    phases: Vec<Phase>,
}

impl Rule {
    /// Whether it is about this reply; `text` is the reply's in small letters.
    pub(super) fn fits(&self, reply: &Reply, text: &str) -> bool {
        self.may_judge(reply)
            && (self.phases.is_empty() || self.phases.contains(&reply.phase))
            && (self.codes.is_empty() || self.codes.iter().any(|pattern| pattern.fits(reply.code)))
            && (self.enhanced.is_empty() || reply.enhanced.is_some_and(|code| self.enhanced.contains(&code)))
            && (self.texts.is_empty() || self.texts.iter().any(|pattern| pattern.fits(text)))
    }

    /// A 4xx refuses nothing for good; before RCPT no reply is about a recipient, before MAIL none about a message,
    /// whatever its text resembles.
    fn may_judge(&self, reply: &Reply) -> bool {
        match self.class {
            Class::RecipientTransient => reply.phase >= Phase::Rcpt,
            Class::RecipientPermanent => reply.phase >= Phase::Rcpt && reply.code >= 500,
            Class::MessagePermanent => reply.phase >= Phase::Mail && reply.code >= 500,
            _ => true,
        }
    }

    /// Whether it goes by words. A relay passes on the words of the next one; a bare code it may mean in its own way.
    pub(super) fn names_a_text(&self) -> bool {
        !self.texts.is_empty()
    }
}

/// Letters and digits of a text: with fewer it is in almost every reply.
const SIGNS_MIN: usize = 3;

/// Pieces of text that must occur in this order.
#[derive(Debug, Clone)]
struct Pattern(Vec<String>);

impl Pattern {
    fn parse(text: &str) -> Result<Self, String> {
        let pieces: Vec<String> = text.split('*').filter(|p| !p.trim().is_empty()).map(str::to_lowercase).collect();
        if pieces.iter().flat_map(|piece| piece.chars()).filter(|c| c.is_alphanumeric()).count() < SIGNS_MIN {
            Err("would fit almost every reply; write words of the reply".to_owned())
        } else {
            Ok(Self(pieces))
        }
    }

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
#[derive(Debug, Clone, Copy)]
struct CodePattern(u16, u16);

impl CodePattern {
    fn parse(text: &str) -> Result<Self, String> {
        let bound = |digit: &str| text.replace('x', digit).parse::<u16>().ok().filter(|_| text.len() == 3);
        match (bound("0"), bound("9")) {
            (Some(low @ 400..), Some(high @ ..600)) => Ok(Self(low, high)),
            (Some(_), Some(_)) => Err("no refusal (400 to 599), and no rule is about anything else".to_owned()),
            _ => Err("not a code like 5xx or 454".to_owned()),
        }
    }

    fn fits(self, code: u16) -> bool {
        (self.0..=self.1).contains(&code)
    }

    fn is_one_code(self) -> bool {
        self.0 == self.1
    }
}

/// What the log has room for.
const NAME_CHARS_MAX: usize = 60;

/// What is wrong with a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleProblem {
    /// In which line.
    pub line: usize,
    /// What, with the rule's name and the key.
    pub what: String,
}

impl fmt::Display for RuleProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

/// Reads the `[[rule]]` tables of a file, in their order; `beside` are the other keys that may stand in it.
pub(super) fn read(source: &str, beside: &[&str]) -> Result<Vec<Rule>, Vec<RuleProblem>> {
    let mut reading = Reading { source, rules: Vec::new(), problems: Vec::new() };
    match DeTable::parse(source) {
        Ok(table) => reading.table(table.get_ref(), beside),
        Err(error) => {
            let what = error.message().lines().next().unwrap_or("not TOML").to_owned();
            reading.complain(error.span().unwrap_or_default(), what);
        }
    }
    if reading.problems.is_empty() { Ok(reading.rules) } else { Err(reading.problems) }
}

struct Reading<'a> {
    source: &'a str,
    rules: Vec<Rule>,
    problems: Vec<RuleProblem>,
}

impl Reading<'_> {
    fn complain(&mut self, at: Range<usize>, what: String) {
        let line = self.source.bytes().take(at.start).filter(|&b| b == b'\n').count() + 1;
        self.problems.push(RuleProblem { line, what });
    }

    fn table(&mut self, table: &DeTable<'_>, beside: &[&str]) {
        for (key, value) in table {
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("rule", DeValue::Array(rules)) => {
                    for (n, rule) in rules.iter().enumerate() {
                        self.rule(n + 1, rule);
                    }
                }
                (key, _) if beside.contains(&key) => {}
                (other, _) => {
                    self.complain(value.span(), format!("`{other}` is not known here; a rule begins with [[rule]]"));
                }
            }
        }
    }

    fn rule(&mut self, n: usize, value: &Spanned<DeValue<'_>>) {
        let DeValue::Table(table) = value.get_ref() else {
            return self.complain(value.span(), format!("rule {n} is not a table; it begins with [[rule]]"));
        };
        let name = text_at(table, "name").filter(|name| is_name(name));
        let mut said = format!("rule {n}");
        match &name {
            Some(name) => said = format!("rule `{name}`"),
            None => self
                .complain(value.span(), format!("rule {n} has no `name` of one short line; it is what the log shows")),
        }
        if self.rules.iter().any(|known| Some(&known.name) == name.as_ref()) {
            self.complain(value.span(), format!("{said}: another rule has this name"));
        }
        let mut rule = Rule {
            name: name.unwrap_or_default(),
            class: Class::Connection,
            effect: None,
            texts: Vec::new(),
            enhanced: Vec::new(),
            codes: Vec::new(),
            phases: Vec::new(),
        };
        let before = self.problems.len();
        for (key, value) in table {
            if let Err(what) = set(&mut rule, key.get_ref().as_ref(), value.get_ref()) {
                self.complain(value.span(), format!("{said}: `{}` {what}", key.get_ref()));
            }
        }
        if self.problems.len() == before {
            match whole(&rule, table.contains_key("class")) {
                Ok(()) => self.rules.push(rule),
                Err(what) => self.complain(value.span(), format!("{said}: {what}")),
            }
        }
    }
}

/// What can stand in a line of the log.
fn is_name(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= NAME_CHARS_MAX && !text.chars().any(char::is_control)
}

fn text_at(table: &DeTable<'_>, key: &str) -> Option<String> {
    table.get(key)?.get_ref().as_str().map(str::to_owned)
}

fn set(rule: &mut Rule, key: &str, value: &DeValue<'_>) -> Result<(), String> {
    match key {
        "name" if value.as_str().is_some() => {}
        "name" => return Err("is not a text".to_owned()),
        "class" => rule.class = word(value, &CLASSES)?,
        "effect" => rule.effect = Some(word(value, &EFFECTS)?),
        "text" => rule.texts = list(value, Pattern::parse)?,
        "enhanced" => {
            rule.enhanced = list(value, |t| EnhancedCode::parse(t).ok_or("not a code like 5.7.1".to_owned()))?;
        }
        "codes" => rule.codes = list(value, CodePattern::parse)?,
        "phases" => {
            rule.phases = list(value, |t| Phase::parse(t).ok_or_else(|| one_of(Phase::ALL.map(Phase::as_str))))?;
        }
        _ => {
            return Err(
                "is not a key of a rule; the keys are name, class, effect, text, enhanced, codes, phases".into()
            );
        }
    }
    Ok(())
}

/// The classes that a rule can give: none that says what became of a message.
const CLASSES: [(&str, Class); 7] = [
    ("recipient_transient", Class::RecipientTransient),
    ("connection", Class::Connection),
    ("slow_down", Class::SlowDown),
    ("quota", Class::Quota),
    ("recipient_permanent", Class::RecipientPermanent),
    ("message_permanent", Class::MessagePermanent),
    ("account", Class::Account),
];
const EFFECTS: [(&str, NamedEffect); 2] =
    [("fewer_connections", NamedEffect::FewerConnections), ("park", NamedEffect::Park)];

/// What no key shows alone.
fn whole(rule: &Rule, has_class: bool) -> Result<(), String> {
    let is_for_good = matches!(rule.class, Class::RecipientPermanent | Class::MessagePermanent);
    let is_about_relay = matches!(rule.class, Class::Connection | Class::SlowDown | Class::Quota);
    if !has_class {
        return Err(format!("it has no `class`; expected {}", one_of(CLASSES.map(|(word, _)| word))));
    }
    if rule.texts.is_empty() && rule.enhanced.is_empty() && !rule.codes.iter().any(|code| code.is_one_code()) {
        return Err("it names neither a `text` nor a code, so it would fit almost any reply".to_owned());
    }
    if is_for_good && rule.codes.iter().any(|code| code.0 < 500) {
        return Err("a refusal for now (4xx) is never one for good; it is tried until retry.give_up_after".to_owned());
    }
    if rule.effect.is_some() && !is_about_relay {
        return Err("`effect` is for the classes connection, slow_down and quota".to_owned());
    }
    Ok(())
}

fn word<T: Copy>(value: &DeValue<'_>, words: &[(&str, T)]) -> Result<T, String> {
    let found = value.as_str().and_then(|text| words.iter().find(|(word, _)| *word == text));
    found.map(|(_, value)| *value).ok_or_else(|| one_of(words.iter().map(|(word, _)| *word)))
}

fn one_of<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    format!("is not one of {}", words.into_iter().collect::<Vec<_>>().join(", "))
}

fn list<T>(value: &DeValue<'_>, read: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, String> {
    let DeValue::Array(items) = value else { return Err("is not a list: [\"…\", \"…\"]".to_owned()) };
    let text = |item: &Spanned<DeValue<'_>>| match item.get_ref().as_str() {
        Some(text) => read(text).map_err(|what| format!("has {text:?}: {what}")),
        None => Err("holds something that is not a text in quotation marks".to_owned()),
    };
    items.iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rule: &str) -> Result<Vec<Rule>, Vec<RuleProblem>> {
        read(&format!("[[rule]]\nname = \"r\"\n{rule}"), &[])
    }

    #[test]
    fn a_pattern_asks_for_its_pieces_in_order() {
        let pattern = |text: &str| Pattern::parse(text).unwrap();
        assert!(pattern("domain*not allowed").fits("the domain x.example is not allowed to send"));
        assert!(!pattern("allowed*domain").fits("domain not allowed"));
        assert!(!pattern("domain*domain").fits("one domain"));
        assert!(pattern("Domain").fits("one domain"), "capitals do not count");
    }

    #[test]
    fn code_patterns_fit_their_codes() {
        for (pattern, code, fits) in [("5xx", 550, true), ("5xx", 450, false), ("45x", 454, true), ("454", 455, false)]
        {
            assert_eq!(CodePattern::parse(pattern).unwrap().fits(code), fits, "{pattern} {code}");
        }
        for pattern in ["", "5", "5xxx", "yyy", "5 x", "2xx", "250", "354", "600", "xxx"] {
            assert!(CodePattern::parse(pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_line_rule_and_key() {
        for (rule, line, words) in [
            ("class = \"quota\"", 1, "neither"),
            ("codes = [\"5xx\"]\nclass = \"quota\"", 1, "neither"),
            ("text = [\"abc\"]", 1, "`class`"),
            ("text = [\"abc\"]\nclass = \"no\"", 4, "`class` is not one of recipient_transient"),
            ("text = [\"abc\"]\nclass = \"accepted\"", 4, "`class`"),
            ("text = [\"abc\"]\nclass = \"in_doubt\"", 4, "`class`"),
            ("text = [\"abc\"]\nclass = \"quota\"\nphases = [\"no\"]", 5, "`phases` has \"no\""),
            ("text = [\"abc\"]\nclass = \"quota\"\ncodes = [\"5\"]", 5, "`codes` has \"5\""),
            ("text = [\"abc\"]\nclass = \"quota\"\ncodes = [\"250\"]", 5, "no refusal"),
            ("enhanced = [\"5.1\"]\nclass = \"quota\"", 3, "`enhanced` has \"5.1\""),
            ("text = [\"abc\"]\nclass = \"quota\"\nphase = [\"dot\"]", 5, "`phase` is not a key"),
            ("text = [\"*\"]\nclass = \"quota\"", 3, "every reply"),
            ("text = [\" e*.\"]\nclass = \"quota\"", 3, "every reply"),
            ("text = \"a\"\nclass = \"quota\"", 3, "not a list"),
            ("text = [1]\nclass = \"quota\"", 3, "not a text"),
            ("text = [\"abc\"]\nclass = \"recipient_permanent\"\ncodes = [\"4xx\"]", 1, "never one for good"),
            ("text = [\"abc\"]\nclass = \"account\"\neffect = \"park\"", 1, "`effect`"),
        ] {
            let problems = table(rule).unwrap_err();
            let [problem] = problems.as_slice() else { panic!("{rule}: {problems:?}") };
            assert_eq!(problem.line, line, "{rule}: {problem}");
            assert!(problem.what.contains("`r`") && problem.what.contains(words), "{rule}: {problem}");
        }
        for (source, line, words) in [
            ("[[rule]]\nclass = \"quota\"\ntext = [\"abc\"]", 1, "no `name`"),
            ("[[rule]]\nname = \"a\\u001b[2J\"\nclass = \"quota\"\ntext = [\"abc\"]", 1, "no `name`"),
            ("\nrules = 1", 2, "`rules` is not known"),
            ("\n\n[[rule", 3, ""),
        ] {
            let problems = read(source, &[]).unwrap_err();
            assert_eq!(problems[0].line, line, "{problems:?}");
            assert!(problems[0].what.contains(words), "{problems:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in ".{0,200}", key in "name|class|effect|text|enhanced|codes|phases|rule", value in ".{0,20}") {
            let _ = read(&text, &[]);
            let _ = table(&format!("{key} = [\"{value}\"]\nclass = \"quota\"\n{text}"));
        }
    }

    #[test]
    fn every_problem_of_a_table_is_told_at_once() {
        let problems = read("[[rule]]\nname = \"a\"\nclass = \"x\"\n[[rule]]\nname = \"b\"\ntext = [\"*\"]", &[]);
        assert_eq!(problems.unwrap_err().len(), 2);
        let twice = "[[rule]]\nname = \"a\"\nclass = \"quota\"\ntext = [\"xyz\"]\n";
        assert!(read(&twice.repeat(2), &[]).unwrap_err()[0].what.contains("another rule"));
    }

    #[test]
    fn no_rule_judges_what_its_class_cannot_be_about() {
        let fits = |class: &str, phase, code| {
            let rules = table(&format!("text = [\"abc\"]\nclass = \"{class}\"")).unwrap();
            rules[0].fits(&Reply::new(phase, code, ["abc"]), "abc")
        };
        for (class, phase, code, expected) in [
            ("recipient_permanent", Phase::Rcpt, 550, true),
            ("recipient_permanent", Phase::Rcpt, 450, false),
            ("recipient_permanent", Phase::Mail, 550, false),
            ("message_permanent", Phase::Mail, 550, true),
            ("message_permanent", Phase::Dot, 450, false),
            ("message_permanent", Phase::Greeting, 550, false),
            ("recipient_transient", Phase::Dot, 550, true),
            ("recipient_transient", Phase::Mail, 450, false),
            ("account", Phase::Greeting, 450, true),
        ] {
            assert_eq!(fits(class, phase, code), expected, "{class} {phase} {code}");
        }
    }
}
