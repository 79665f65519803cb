//! Finds every blank of a draft and proposes a field for it. It must not change the text.

use std::ops::Range;
use std::sync::Arc;

use super::Draft;
use super::brackets::{is_aside, is_identifier, is_instruction, is_joined, is_paren_label, is_shouted};
use super::context::{self, Asks, Region};
use super::fields::{Columns, Field};
use super::gaps;
use super::joined::{self, label_on};
use super::lines::{self, Line};
use super::shapes::{self, Found, Shape};
use super::words::{self, Label, Meaning, Owner};

/// How sure a proposal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Certainty {
    /// Nothing else can be meant.
    Certain,
    /// Nearly always meant; taken where nobody can be asked.
    Likely,
    /// Staff must decide.
    Unsure,
}

/// One blank of a letter, with the field that is proposed for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blank {
    /// The line of the template, counted from 1.
    pub line: usize,
    /// The blank as it stands there.
    pub words: String,
    /// The line as it is read, and where the blank stands in it.
    pub(super) text: Arc<str>,
    pub(super) in_text: Range<usize>,
    /// What belongs there, as far as can be told.
    pub proposal: Option<Field>,
    /// How sure that is.
    pub certainty: Certainty,
    /// Why, in a few words.
    pub reason: &'static str,
    pub(super) shape: Shape,
    /// Where it stands in the source.
    pub(super) at: Range<usize>,
    /// The words under a line to write on, which go when it is filled in.
    pub(super) caption: Option<Range<usize>>,
}

impl Blank {
    /// What stands before and behind it in its line, at most so many characters of each.
    pub fn around(&self, chars_max: usize) -> (String, String) {
        let (before, after) = (&self.text[..self.in_text.start], &self.text[self.in_text.end..]);
        let start = before.char_indices().rev().nth(chars_max).map_or(0, |(at, c)| at + c.len_utf8());
        let end = after.char_indices().nth(chars_max).map_or(after.len(), |(at, _)| at);
        let mark = |is_cut: bool| if is_cut { "…" } else { "" };
        (format!("{}{}", mark(start > 0), &before[start..]), format!("{}{}", &after[..end], mark(end < after.len())))
    }
}

/// What is proposed for a blank.
struct Proposal {
    field: Option<Field>,
    certainty: Certainty,
    reason: &'static str,
}

const BESIDE: &str = "the words before it say so";

fn certain(field: Option<Field>, reason: &'static str) -> Proposal {
    let certainty = if field.is_some() { Certainty::Certain } else { Certainty::Unsure };
    Proposal { field, certainty, reason }
}

fn likely(field: Option<Field>, reason: &'static str) -> Proposal {
    let certainty = if field.is_some() { Certainty::Likely } else { Certainty::Unsure };
    Proposal { field, certainty, reason }
}

fn unsure(field: Option<Field>, reason: &'static str) -> Proposal {
    Proposal { field, certainty: Certainty::Unsure, reason }
}

impl Draft {
    /// Every blank, in the order of the letter.
    pub fn blanks(&self, columns: &Columns) -> Vec<Blank> {
        let lines = lines::of(self.source());
        let regions = context::regions(&lines);
        let dated_at = lines.iter().position(context::has_date);
        let mut finder = Finder {
            dated_at,
            columns,
            lines: &lines,
            regions: &regions,
            taken: Vec::new(),
            title: None,
            captions: Vec::new(),
        };
        (0..lines.len()).flat_map(|n| finder.on_line(n)).collect()
    }
}

struct Finder<'a> {
    columns: &'a Columns,
    lines: &'a [Line],
    regions: &'a [Region],
    /// The fields that the signature has already.
    taken: Vec<Field>,
    /// The title that stands before the official's name, where it came first.
    title: Option<String>,
    /// The first line with a date: below it stands the official's address.
    dated_at: Option<usize>,
    /// Lines that are captions of the blanks above them.
    captions: Vec<usize>,
}

impl Finder<'_> {
    fn on_line(&mut self, n: usize) -> Vec<Blank> {
        let line = &self.lines[n];
        let start = if n == 0 { super::PREFIX.len().min(line.text.len()) } else { 0 };
        if self.captions.contains(&n) {
            return Vec::new();
        }
        let mut found = shapes::on(line, &|found| found.range.start >= start && self.means(found, line));
        joined::share_label(&line.text, &mut found);
        joined::join_dates(&line.text, &mut found);
        joined::join_words(&line.text, &mut found, self.columns);
        found.extend(gaps::on(self.lines, self.regions, n, &found));
        found.sort_by_key(|found| found.range.start);
        let captions = self.captions_below(n, &found);
        let text: Arc<str> = Arc::from(line.text.as_str());
        let mut blanks = Vec::new();
        let mut from = start;
        for (i, found) in found.iter().enumerate() {
            let caption = captions.get(i).cloned();
            blanks.push(self.blank(n, &text, found, from, caption));
            from = found.range.end;
        }
        blanks
    }

    fn blank(
        &mut self,
        n: usize,
        text: &Arc<str>,
        found: &Found,
        from: usize,
        caption: Option<(Label, Option<Range<usize>>)>,
    ) -> Blank {
        let line = &self.lines[n];
        let before = &line.text[from..found.range.start];
        let after = &line.text[found.range.end..];
        let start = if n == 0 { super::PREFIX.len().min(found.range.start) } else { 0 };
        let mut range = found.range.clone();
        let proposal = match (&caption, words::title_at_end(before).filter(|_| self.is_person(found))) {
            (None, Some(title)) if !context::is_copy(before) => {
                if self.columns.official_titles != Some(false) {
                    range.start = from + title;
                }
                self.by_title(&before[..title], &before[title..])
            }
            (Some((label, _)), _) => self.by_label(*label, n, before, true, "the words below it say so"),
            _ => self.propose(n, found, before, &line.text[start..found.range.start], after),
        };
        let is_bare_label = found.shape == Shape::Gap && proposal.reason == BESIDE;
        let is_cross = is_bare_label || found.shape == Shape::Cross || is_signed_with_x(found, before);
        let certainty = if is_cross { proposal.certainty.max(Certainty::Likely) } else { proposal.certainty };
        if is_signed_with_x(found, before) {
            range.start = from;
        }
        if found.shape == Shape::Rule && proposal.field.as_ref().is_some_and(|f| f.has("constituent.address")) {
            range.end += context::street_after(after).unwrap_or_default();
        }
        self.taken.extend(proposal.field.clone());
        Blank {
            line: n + 1,
            words: line.text[range.clone()].trim().to_owned(),
            text: Arc::clone(text),
            in_text: range.clone(),
            proposal: proposal.field,
            certainty,
            reason: proposal.reason,
            shape: found.shape,
            at: line.source(&range),
            caption: caption.and_then(|(_, range)| range),
        }
    }

    /// The official, unless another title came first: `Mayor ____` and `Council Member ____` are two people.
    fn by_title(&mut self, before: &str, title: &str) -> Proposal {
        let title = title.trim().to_lowercase();
        let field = Some(self.official(""));
        let first = self.title.get_or_insert_with(|| title.clone());
        if context::is_of_the_past(before) {
            unsure(field, "it may be somebody else")
        } else if *first == title {
            certain(field, "a title stands before it")
        } else {
            unsure(field, "another title came first: it may be somebody else")
        }
    }

    /// Whether what looks like a blank is one.
    fn means(&self, found: &Found, line: &Line) -> bool {
        let words = found.words.as_str();
        let text = line.text.as_str();
        let known = || label_on(words).is_some() || self.columns.column(words).is_some();
        match found.shape {
            Shape::Rule | Shape::Cross | Shape::Gap => true,
            Shape::Merge => !words.is_empty(),
            Shape::Paren => {
                is_paren_label(words)
                    || is_instruction(words)
                    || (self.columns.column(words).is_some() && is_shouted(words))
            }
            Shape::Bracket => match text[found.range.clone()].chars().next() {
                Some('[') => !is_aside(words, &text[found.range.end..], &text[..found.range.start]),
                Some('{') => words.contains(char::is_alphabetic),
                Some('☐' | '□' | '▢') => true,
                Some('%' | '«' | '$') => known() || is_shouted(words) || (is_identifier(words) && is_joined(words)),
                _ => known() && !words.contains("://"),
            },
        }
    }

    /// Whether a blank can be a person's name.
    fn is_person(&self, found: &Found) -> bool {
        if self.columns.path(&found.words).is_some() || self.columns.column(&found.words).is_some() {
            return false;
        }
        match label_on(&found.words) {
            None => matches!(found.shape, Shape::Rule | Shape::Cross | Shape::Gap) || found.words.is_empty(),
            Some(label) => matches!(label.meaning, Meaning::Name | Meaning::FirstName | Meaning::LastName),
        }
    }

    /// `label` is what stands before the blank and belongs to it alone; `before` is all of the line.
    fn propose(&self, n: usize, found: &Found, label: &str, before: &str, after: &str) -> Proposal {
        if let Some(field) = self.columns.path(&found.words) {
            return certain(Some(field), "it is written as a field already");
        }
        if let Some(field) = self.columns.column(&found.words) {
            return certain(Some(field), "your contacts have a column of that name");
        }
        if let Some(label) = label_on(&found.words) {
            return self.by_label(label, n, before, false, "the words on it say so");
        }
        if !found.words.is_empty() {
            return by_unknown_words(&found.words);
        }
        if context::is_copy(before) {
            return unsure(None, "it names who gets a copy");
        }
        if context::counts(after) {
            return unsure(None, "a number belongs there");
        }
        let is_box = found.shape == Shape::Bracket && before.trim().is_empty() && !after.trim().is_empty();
        if is_box {
            return unsure(None, "it is a box to tick");
        }
        if let Some((label, may_be_another)) = context::label_before(label) {
            let proposal = self.by_label(label, n, before, true, BESIDE);
            return if may_be_another && label.owner.is_none() {
                unsure(proposal.field, "the words before it may mean another")
            } else {
                proposal
            };
        }
        if context::street_after(after).is_some() {
            return likely(Some(Field::of("constituent.address")), "a street follows");
        }
        self.by_place(n, before)
    }

    /// `is_form` is whether the label stands beside the blank, as in a form, and not on it.
    fn by_label(&self, label: Label, n: usize, before: &str, is_form: bool, reason: &'static str) -> Proposal {
        let region = self.regions[n];
        let asks = context::asks(before);
        let addressed = region == Region::Salutation || (asks == Some(Asks::Official) && region != Region::Body);
        if matches!(label.meaning, Meaning::NoField) {
            return unsure(None, "there is no column for it");
        }
        if label.meaning == Meaning::Area {
            let field = words::field(label.meaning, label.owner.unwrap_or(Owner::Constituent));
            return unsure(field, "it may be another area than your contacts name");
        }
        if label.meaning == Meaning::Note {
            return unsure(Some(Field::of("constituent.note")), "it asks for the constituent's own words");
        }
        let is_name = matches!(label.meaning, Meaning::Name | Meaning::FirstName | Meaning::LastName);
        if label.owner.is_none()
            && let Some(proposal) = self.of_others(label.meaning, n, before, is_form)
        {
            return proposal;
        }
        if let Some(owner) = label.owner.or_else(|| words::owner_by_meaning(label.meaning)) {
            let field = words::field(label.meaning, owner);
            let follows_dear = is_name && owner == Owner::Official && asks == Some(Asks::Official);
            return match field {
                None => unsure(None, "there is no column for it"),
                Some(_) if follows_dear => certain(Some(self.official(before)), reason),
                field => certain(field, reason),
            };
        }
        if addressed {
            let field = if is_name && asks == Some(Asks::Official) {
                Some(self.official(before))
            } else {
                words::field(label.meaning, Owner::Official)
            };
            return certain(field, "it stands where the official is addressed");
        }
        let constituent = words::field(label.meaning, Owner::Constituent);
        let official = words::field(label.meaning, Owner::Official);
        match (region, label.meaning, asks) {
            (Region::Close, ..) => certain(constituent, "it stands in the signature"),
            (Region::Body | Region::Head, _, None) if is_form && is_name => certain(constituent, reason),
            (_, _, None) if is_form => likely(constituent, reason),
            (_, _, Some(Asks::Constituent | Asks::Home | Asks::Address)) => {
                certain(constituent, "the sentence speaks of the constituent")
            }
            (_, Meaning::Jurisdiction, _) => {
                likely(words::field(label.meaning, context::owner_of_place(before, region)), "it names the place")
            }
            (Region::Body, Meaning::Title, _) if !before.trim().is_empty() => unsure(official, "it may be any title"),
            (_, Meaning::Title, _) => likely(official, "officials have titles"),
            (Region::Subject, ..) => likely(constituent, "letters are signed by constituents"),
            (Region::Head, ..) if self.dated_at.is_some_and(|at| at < n) => {
                likely(official, "it stands in the official's address")
            }
            _ if is_form || before.trim().is_empty() => likely(constituent, reason),
            _ => unsure(constituent, "it may be the constituent or the official"),
        }
    }

    fn by_place(&self, n: usize, before: &str) -> Proposal {
        let region = self.regions[n];
        if matches!(before.trim(), "x" | "X") {
            return likely(Some(Field::of("constituent.name")), "it stands where letters are signed");
        }
        let jurisdiction = |owner| words::field(Meaning::Jurisdiction, owner);
        match context::asks(before) {
            Some(Asks::Home) => certain(jurisdiction(Owner::Constituent), "the constituent lives there"),
            Some(Asks::Address) => certain(Some(Field::of("constituent.address")), "the constituent lives there"),
            Some(Asks::Place) => {
                let owner = context::owner_of_place(before, region);
                certain(jurisdiction(owner), "it names the place")
            }
            Some(Asks::Date) => certain(Some(Field::of("constituent.signed_on")), "it asks for a date"),
            Some(Asks::Constituent) => certain(Some(Field::of("constituent.name")), "it names who writes"),
            Some(Asks::Official) if region != Region::Body || before.trim().len() < 12 || is_honoured(before) => {
                certain(Some(self.official(before)), "it names who is written to")
            }
            _ if region == Region::Close => self.next_of_signature(),
            _ => unsure(None, "nothing tells what belongs there"),
        }
    }

    /// Bare lines below the closing words are name, address and place, in this order.
    fn next_of_signature(&self) -> Proposal {
        let order = ["constituent.name", "constituent.address", "constituent.jurisdiction", "constituent.postcode"];
        let next = order.into_iter().find(|path| !self.taken.iter().any(|field| field.has(path)));
        match next {
            Some("constituent.name") => {
                likely(Some(Field::of("constituent.name")), "it stands where letters are signed")
            }
            next => unsure(next.map(Field::of), "it is the next line of the signature"),
        }
    }

    /// A date, a place or an address that need not be the constituent's own.
    fn of_others(&self, meaning: Meaning, n: usize, before: &str, is_form: bool) -> Option<Proposal> {
        let is_place = matches!(meaning, Meaning::Address | Meaning::Locality | Meaning::Postcode);
        let field = words::field(meaning, Owner::Constituent);
        let in_address = self.regions[n] == Region::Head && self.taken.iter().any(|field| field.has("official.name"));
        if in_address && is_place {
            return Some(match meaning {
                Meaning::Locality => {
                    likely(Some(Field::of("official.jurisdiction")), "it stands in the official's address")
                }
                _ => unsure(field, "it stands in the official's address"),
            });
        }
        let is_asked =
            matches!(context::asks(before), Some(Asks::Home | Asks::Address | Asks::Constituent | Asks::Date));
        let in_sentence = matches!(self.regions[n], Region::Body | Region::Subject) && !before.trim().is_empty();
        if is_form || is_asked || !in_sentence || !(is_place || matches!(meaning, Meaning::Date | Meaning::Email)) {
            return None;
        }
        let is_own = meaning != Meaning::Date && context::speaks_of_constituent(before);
        let reason = "it may be the constituent's or another";
        Some(if is_own { likely(field, reason) } else { unsure(field, reason) })
    }

    /// With the title, where there is one and nothing stands before that goes without.
    fn official(&self, before: &str) -> Field {
        let has_title = self.columns.official_titles != Some(false) && !is_honoured(before);
        if has_title { Field::salutation() } else { Field::of("official.name") }
    }

    /// The captions of lines to write on, which stand below them.
    fn captions_below(&mut self, n: usize, found: &[Found]) -> Vec<(Label, Option<Range<usize>>)> {
        let line = &self.lines[n];
        let mut rest = line.text.clone();
        for found in found.iter().rev() {
            rest.replace_range(found.range.clone(), "");
        }
        let are_rules = !found.is_empty() && found.iter().all(|f| f.shape == Shape::Rule && f.words.is_empty());
        if !are_rules || rest.contains(char::is_alphanumeric) {
            return Vec::new();
        }
        let below = (n + 1..self.lines.len().min(n + 3)).find(|&m| !self.lines[m].is_empty());
        let Some(below) = below else { return Vec::new() };
        let caption = self.lines[below].text.trim();
        let pieces: Vec<&str> = caption.split("   ").map(str::trim).filter(|piece| !piece.is_empty()).collect();
        let is_bracketed = caption.starts_with(['(', '[']) && caption.ends_with([')', ']']);
        let signs = ["sign", "firma"].iter().any(|word| caption.to_lowercase().starts_with(word));
        let is_near = below == n + 1 || is_bracketed || signs;
        let labels: Option<Vec<Label>> = pieces.iter().map(|piece| words::label(piece)).collect();
        let Some(labels) = labels.filter(|labels| labels.len() == found.len() && is_near) else { return Vec::new() };
        if caption.ends_with(':') || caption.contains("__") {
            return Vec::new();
        }
        self.captions.push(below);
        let range = line.whole().end..self.lines[below].whole().end;
        let last = labels.len() - 1;
        labels.into_iter().enumerate().map(|(i, label)| (label, (i == last).then(|| range.clone()))).collect()
    }
}

/// `The Honorable` goes before a name without a title.
fn is_honoured(before: &str) -> bool {
    let last = before.trim_end().rsplit(' ').next().unwrap_or_default().to_lowercase();
    matches!(last.as_str(), "honorable" | "honourable" | "hon.")
}

/// `x________`, as lines to sign on begin.
fn is_signed_with_x(found: &Found, before: &str) -> bool {
    found.shape == Shape::Rule && matches!(before.trim(), "x" | "X")
}

fn by_unknown_words(words: &str) -> Proposal {
    let tokens = words::tokens(words);
    let asks_for_words = ["story", "experience", "why", "reason", "reasons", "thoughts", "historia", "comment"];
    if tokens.iter().any(|word| asks_for_words.contains(&word.as_str())) {
        return unsure(Some(Field::of("constituent.note")), "it asks for the constituent's own words");
    }
    unsure(None, "no column has that name")
}
