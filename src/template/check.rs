//! Checks every tag of a template against the names in sight and the few words of the language that are allowed.
//!
//! It reports and goes on, so that one reading finds everything. It must not evaluate anything. What it lets
//! through is still parsed by the engine, which knows the grammar.

use std::collections::BTreeSet;

use super::fields::{Purpose, Scope, Target};
use super::filters::FILTERS;
use super::leftovers;
use super::problem::Finding;
use super::scan::{Piece, Tag, TagKind, Token, TokenKind};

const TESTS: [&str; 4] = ["defined", "starting_with", "ending_with", "containing"];
const OPERATORS: [&str; 6] = ["and", "or", "not", "in", "if", "else"];
const CONSTANTS: [&str; 7] = ["true", "True", "false", "False", "none", "None", "null"];
const SIGNS: [&str; 10] = ["(", ")", ",", "=", "==", "!=", "<", ">", "<=", ">="];

/// What a template uses: pairs of namespace and field, as in `("official", "name")`.
pub(super) type Used = BTreeSet<(String, String)>;

/// Walks the pieces of one template with the names in sight.
#[derive(Debug)]
pub(super) struct Checker<'a> {
    scope: Scope<'a>,
    pub(super) findings: Vec<Finding>,
    used: Used,
    /// Fields that the template asks about first, or has a default for: an empty cell is no hole.
    optional: Used,
    in_condition: bool,
    in_subject: bool,
}

impl<'a> Checker<'a> {
    pub(super) fn new(scope: Scope<'a>) -> Self {
        Self {
            scope,
            findings: Vec::new(),
            used: Used::new(),
            optional: Used::new(),
            in_condition: false,
            in_subject: false,
        }
    }

    /// The fields whose empty cell would leave a hole.
    pub(super) fn needed(&self) -> Used {
        self.used.difference(&self.optional).cloned().collect()
    }

    pub(super) fn check_subject(&mut self, pieces: &[Piece<'a>]) {
        self.in_subject = true;
        self.check(pieces);
        self.in_subject = false;
    }

    pub(super) fn check(&mut self, pieces: &[Piece<'a>]) {
        for (n, piece) in pieces.iter().enumerate() {
            match piece {
                Piece::Text { at, text } => {
                    self.findings.extend(leftovers::find(text, *at));
                    if matches!(pieces.get(n + 1), Some(Piece::Tag(_))) {
                        self.text_before_tag(text, *at);
                    }
                }
                Piece::Tag(tag) => self.tag(tag),
            }
        }
    }

    /// What stands right before a tag must not change the meaning of the value that comes.
    fn text_before_tag(&mut self, text: &str, at: usize) {
        let backslashes = text.len() - text.trim_end_matches('\\').len();
        if backslashes % 2 == 1 {
            self.find(at + text.len() - 1, "a `\\` right before a tag would spoil the value; take it away");
        }
        let unescaped = |end: &str| text.ends_with(end) && !text.ends_with(&format!("\\{end}"));
        if unescaped("<") || unescaped("</") {
            self.find(at + text.len() - 1, "a `<` right before a field could be taken for HTML; write `\\<` instead");
        }
    }

    fn tag(&mut self, tag: &Tag<'a>) {
        match tag.kind {
            TagKind::Comment => {}
            TagKind::Value if tag.tokens.is_empty() => self.find(tag.at, "there is no field between `{{` and `}}`"),
            TagKind::Value => self.expression(&tag.tokens),
            TagKind::Control => self.control(tag),
        }
    }

    fn control(&mut self, tag: &Tag<'a>) {
        let loops = self.scope.purpose == Purpose::Confirmation;
        let (word, rest) = match tag.tokens.split_first() {
            Some((first, rest)) => (first.text, rest),
            None => ("", &[][..]),
        };
        match word {
            "if" | "elif" => {
                self.in_condition = true;
                self.expression(rest);
                self.in_condition = false;
            }
            "else" | "endif" | "variant" | "or" | "endvariant" => {}
            // What could be included is in its place by now.
            "include" => self.find(tag.at, "nothing can be included here; put the text itself here"),
            "for" if loops => self.begin_loop(tag.at, rest),
            "endfor" if loops => self.scope.letter = None,
            _ => {
                let known = if loops { "if, elif, else, endif, for, endfor" } else { "if, elif, else, endif" };
                let more = "variant, or, endvariant and include";
                self.find(tag.at, format!("`{{% {word} %}}` is not known here; there are {known}, {more}"));
            }
        }
    }

    fn begin_loop(&mut self, at: usize, tokens: &[Token<'a>]) {
        if self.scope.letter.is_some() {
            return self.find(at, "a loop inside a loop; one `{% for letter in letters %}` at a time");
        }
        match tokens {
            [name, is_in, letters]
                if name.kind == TokenKind::Word && is_in.is("in") && letters.is("letters") && !is_taken(name.text) =>
            {
                self.scope.letter = Some(name.text);
            }
            _ => {
                self.scope.letter = Some("letter");
                self.find(at, "the only loop there is: `{% for letter in letters %}`");
            }
        }
    }

    fn expression(&mut self, tokens: &[Token<'a>]) {
        let mut n = 0;
        while let Some(token) = tokens.get(n) {
            n += match token.kind {
                TokenKind::Number => 1,
                TokenKind::Text => {
                    self.findings.extend(leftovers::find(token.text, token.at));
                    1
                }
                TokenKind::Sign if token.is("|") => self.filter(tokens, n),
                TokenKind::Sign => self.sign(token),
                TokenKind::Word => self.word(tokens, n),
            };
        }
    }

    fn sign(&mut self, token: &Token<'a>) -> usize {
        if !SIGNS.contains(&token.text) {
            let what = format!("`{}` is not known in a template; a field is written like `official.name`", token.text);
            self.find(token.at, what);
        }
        1
    }

    /// `| name`; gives how many tokens it is.
    fn filter(&mut self, tokens: &[Token<'a>], n: usize) -> usize {
        let Some(name) = tokens.get(n + 1).filter(|t| t.kind == TokenKind::Word) else { return 1 };
        if name.text == "safe" {
            self.find(name.at, "`safe` is not allowed: a value is always shown as it is written, never as Markdown");
        } else if name.text == "quoted" {
            self.quoted(tokens, n, name.at);
        } else if !FILTERS.contains(&name.text) {
            let what = format!("there is no filter `{}`; there are {} and quoted", name.text, FILTERS.join(", "));
            self.find(name.at, what);
        }
        2
    }

    /// `quoted` makes a block of its own, so nothing can be done with what it gives.
    fn quoted(&mut self, tokens: &[Token<'a>], n: usize, at: usize) {
        if tokens.len() != n + 2 || self.in_subject || self.in_condition {
            let what = "`quoted` shows somebody's words as a block and comes last: `{{ constituent.note | quoted }}`";
            self.find(at, what);
        }
    }

    /// A keyword, the name of an argument, a test or a path; gives how many tokens it is.
    fn word(&mut self, tokens: &[Token<'a>], n: usize) -> usize {
        let token = &tokens[n];
        let next_is = |sign: &str| tokens.get(n + 1).is_some_and(|t| t.is(sign));
        if token.is("is") {
            return self.test(tokens, n);
        }
        if OPERATORS.contains(&token.text) || CONSTANTS.contains(&token.text) || next_is("=") {
            return 1;
        }
        if next_is("(") {
            self.find(token.at, format!("there is no function `{}`", token.text));
            return 1;
        }
        let mut path = vec![token.text];
        let mut end = n + 1;
        while let (Some(dot), Some(part)) = (tokens.get(end), tokens.get(end + 1)) {
            if !dot.is(".") || part.kind != TokenKind::Word {
                break;
            }
            path.push(part.text);
            end += 2;
        }
        self.path(token.at, &path, &tokens[end..]);
        end - n
    }

    /// `is [not] name`; gives how many tokens it is.
    fn test(&mut self, tokens: &[Token<'a>], n: usize) -> usize {
        let negated = tokens.get(n + 1).is_some_and(|t| t.is("not"));
        let at = n + 1 + usize::from(negated);
        let Some(name) = tokens.get(at).filter(|t| t.kind == TokenKind::Word) else { return 1 };
        if !TESTS.contains(&name.text) {
            self.find(name.at, format!("there is no test `is {}`; there are {}", name.text, TESTS.join(", ")));
        }
        at + 1 - n
    }

    fn path(&mut self, at: usize, path: &[&str], rest: &[Token<'a>]) {
        let full = path.join(".");
        match self.scope.target(path) {
            Target::Value => {
                if let [namespace, field] = path {
                    let field = ((*namespace).to_owned(), (*field).to_owned());
                    let has_default = matches!(rest, [pipe, filter, ..] if pipe.is("|") && filter.is("default"));
                    if self.in_condition || has_default {
                        self.optional.insert(field.clone());
                    }
                    self.used.insert(field);
                }
            }
            Target::Letters => {
                if !matches!(rest, [pipe, length, ..] if pipe.is("|") && length.is("length")) {
                    self.find(at, "`letters` is a list: write `{% for letter in letters %}` or `letters | length`");
                }
            }
            Target::Parts => {
                self.find(
                    at,
                    format!("`{full}` has several parts; say which one, like `{full}.{}`", self.a_part(path)),
                );
            }
            Target::Unknown => {
                let mut finding = Finding::new(at, format!("no column gives `{full}`"));
                finding.nearest = self.scope.nearest(path);
                if finding.nearest.is_none() {
                    finding.what.push_str(&self.scope.offer(path));
                }
                self.findings.push(finding);
            }
        }
    }

    fn a_part(&self, path: &[&str]) -> &'static str {
        match path {
            [one] if Some(*one) == self.scope.letter => "state",
            ["loop"] => "index",
            _ => "name",
        }
    }

    fn find(&mut self, at: usize, what: impl Into<String>) {
        self.findings.push(Finding::new(at, what));
    }
}

/// Whether a name for the letters of a loop would hide another or is a word of the language.
fn is_taken(name: &str) -> bool {
    ["official", "constituent", "campaign", "letters", "loop", "self", "is"].contains(&name)
        || OPERATORS.contains(&name)
        || CONSTANTS.contains(&name)
}
