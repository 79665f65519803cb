//! Finds every blank of a draft and proposes a field for it. It must not change the text.

use std::ops::Range;
use std::sync::Arc;

use super::Draft;
use super::brackets::{is_aside, is_identifier, is_paren_label, is_shouted};
use super::context::{self, Asks, Region};
use super::fields::{Columns, Field};
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
        let mut finder =
            Finder { dated_at, columns, lines: &lines, regions: &regions, taken: Vec::new(), captions: Vec::new() };
        (0..lines.len()).flat_map(|n| finder.on_line(n)).collect()
    }
}

struct Finder<'a> {
    columns: &'a Columns,
    lines: &'a [Line],
    regions: &'a [Region],
    /// The fields that the signature has already.
    taken: Vec<Field>,
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
        join_dates(&line.text, &mut found);
        self.join_words(&line.text, &mut found);
        found.extend(self.gaps(n, &found));
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
            (None, Some(title)) => {
                let has_titles = self.columns.official_titles != Some(false);
                if has_titles {
                    range.start = from + title;
                }
                let name = Field::of("official.name");
                let field = Some(if has_titles { Field::salutation() } else { name });
                if found.shape == Shape::Cross {
                    likely(field, "a title stands before it")
                } else {
                    certain(field, "a title stands before it")
                }
            }
            (Some((label, _)), _) => self.by_label(*label, n, before, true, "the words below it say so"),
            _ => self.propose(n, found, before, &line.text[start..found.range.start], after),
        };
        let is_bare_label = found.shape == Shape::Gap && proposal.reason == BESIDE;
        let certainty = if is_bare_label { proposal.certainty.max(Certainty::Likely) } else { proposal.certainty };
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

    /// Whether what looks like a blank is one.
    fn means(&self, found: &Found, line: &Line) -> bool {
        let words = found.words.as_str();
        let text = line.text.as_str();
        let known = || label_on(words).is_some() || self.columns.column(words).is_some();
        match found.shape {
            Shape::Rule | Shape::Cross | Shape::Gap => true,
            Shape::Merge => !words.is_empty(),
            Shape::Paren => is_paren_label(words) || (self.columns.column(words).is_some() && is_shouted(words)),
            Shape::Bracket => match text[found.range.clone()].chars().next() {
                Some('[') => !is_aside(words, &text[found.range.end..], &text[..found.range.start]),
                Some('{') => known() || is_shouted(words) || is_identifier(words),
                Some('%' | '«' | '$') => known() || is_shouted(words) || (is_identifier(words) && words.contains('_')),
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
        if let Some(label) = context::label_before(label) {
            return self.by_label(label, n, before, true, BESIDE);
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
        if label.meaning == Meaning::Note {
            return unsure(Some(Field::of("constituent.note")), "it asks for the constituent's own words");
        }
        let is_name = matches!(label.meaning, Meaning::Name | Meaning::FirstName | Meaning::LastName);
        if let Some(owner) = label.owner.or_else(|| words::owner_by_meaning(label.meaning)) {
            let field = words::field(label.meaning, owner);
            let follows_dear = is_name && owner == Owner::Official && asks == Some(Asks::Official);
            return match field {
                None => unsure(None, "there is no column for it"),
                Some(_) if follows_dear => certain(Some(self.official()), reason),
                field => certain(field, reason),
            };
        }
        if addressed {
            let field = if is_name && asks == Some(Asks::Official) {
                Some(self.official())
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
            Some(Asks::Official) if region != Region::Body || before.trim().len() < 12 => {
                certain(Some(self.official()), "it names who is written to")
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

    fn official(&self) -> Field {
        if self.columns.official_titles == Some(false) { Field::of("official.name") } else { Field::salutation() }
    }

    /// `[First name] [Last name]` is one name, `[City], [State] [ZIP]` one line of an address, `____ (name)` one blank.
    fn join_words(&self, text: &str, found: &mut Vec<Found>) {
        let meaning = |found: &Found| {
            if self.columns.column(&found.words).is_some() { None } else { label_on(&found.words).map(|l| l.meaning) }
        };
        let mut i = 0;
        while i + 1 < found.len() {
            let between = text[found[i].range.end..found[i + 1].range.start].trim_matches([' ', ',']);
            let gap = found[i + 1].range.start - found[i].range.end;
            let (one, two) = (&found[i], &found[i + 1]);
            let joined = match (meaning(one), meaning(two)) {
                _ if !between.is_empty() || gap > 3 => None,
                (Some(Meaning::FirstName), Some(Meaning::LastName))
                | (Some(Meaning::LastName), Some(Meaning::FirstName)) => Some("name".to_owned()),
                (Some(Meaning::NoField), Some(Meaning::Postcode)) if one.words.to_lowercase().contains("st") => {
                    Some("zip".to_owned())
                }
                (Some(Meaning::Jurisdiction), Some(Meaning::Postcode)) if two.words == "zip" => {
                    Some("city state zip".to_owned())
                }
                (None, Some(_)) if one.shape == Shape::Rule && two.shape == Shape::Paren => Some(two.words.clone()),
                (Some(_), None) if one.shape == Shape::Paren && two.shape == Shape::Rule => Some(one.words.clone()),
                _ => None,
            };
            match joined {
                Some(words) => {
                    let end = found.remove(i + 1).range.end;
                    found[i].range.end = end;
                    found[i].words = words;
                    found[i].shape = if found[i].shape == Shape::Paren { Shape::Rule } else { found[i].shape };
                    i = i.saturating_sub(1);
                }
                None => i += 1,
            }
        }
    }

    /// `Dear Mayor ,` and `Name:` with nothing behind it.
    fn gaps(&self, n: usize, found: &[Found]) -> Vec<Found> {
        let text = self.lines[n].text.as_str();
        let mut gaps = Vec::new();
        for (at, _) in text.match_indices([',', ':']) {
            let before = text[..at].trim_end();
            let is_gap = before.len() < at;
            let is_dear =
                ["dear", "estimado", "estimada", "hello"].iter().any(|word| before.eq_ignore_ascii_case(word));
            if is_gap && (is_dear || words::title_at_end(before).is_some()) {
                gaps.push(Found { range: before.len() + 1..at, shape: Shape::Gap, words: String::new() });
            }
        }
        if self.regions[n] != Region::Subject {
            let colons = text.match_indices(':').map(|(at, _)| at);
            gaps.extend(colons.filter_map(|at| self.label_gap(n, at)));
        }
        let is_free =
            |gap: &Found| !found.iter().any(|f| f.range.start <= gap.range.end && gap.range.start < f.range.end);
        gaps.retain(is_free);
        gaps
    }

    fn label_gap(&self, n: usize, colon: usize) -> Option<Found> {
        let text = self.lines[n].text.as_str();
        let start = text[..colon].rfind("   ").map_or(0, |at| at + 3);
        let label = words::label(&text[start..colon])?;
        let rest = text[colon + 1..].trim_start_matches('*');
        let at = text.len() - rest.len();
        let is_alone = text[..start].trim().is_empty() && rest.trim().is_empty();
        let is_open = rest.trim().is_empty() || rest.starts_with("   ");
        let in_form = matches!(self.regions[n], Region::Close | Region::Head) || is_alone;
        let is_asked = !matches!(label.meaning, Meaning::Note | Meaning::Campaign | Meaning::Title);
        let goes_on = rest.trim().is_empty() && self.goes_on_below(n);
        (is_open && in_form && is_asked && !goes_on).then(|| Found {
            range: at..at,
            shape: Shape::Gap,
            words: String::new(),
        })
    }

    /// Whether the line below says what the label asks for.
    fn goes_on_below(&self, n: usize) -> bool {
        let Some(below) = self.lines.get(n + 1).filter(|line| !line.is_empty()) else { return false };
        let first = below.text.split(':').next().unwrap_or_default();
        words::label(first).is_none()
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
        let is_near = below == n + 1 || is_bracketed;
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

/// `__/__/____` and `____ day of ____, 20__` are one date.
fn join_dates(text: &str, found: &mut Vec<Found>) {
    let mut i = 0;
    while i + 1 < found.len() {
        let between = &text[found[i].range.end..found[i + 1].range.start];
        let words = between.trim_matches([' ', ',', '/', '-', '.', '’']).to_lowercase();
        let is_part = ["", "day of", "de", "20", "del", "of", "de 20", "del 20"].contains(&words.as_str())
            && !between.trim().is_empty();
        let are_rules = found[i].shape == Shape::Rule && found[i + 1].shape == Shape::Rule;
        let is_list = between.trim() == "," && !between.contains("20");
        if is_part && are_rules && !is_list {
            let end = found.remove(i + 1).range.end;
            found[i].range.end = end;
            "date".clone_into(&mut found[i].words);
        } else {
            i += 1;
        }
    }
}

/// The label on a blank: what other programs add to a name does not count.
fn label_on(words: &str) -> Option<Label> {
    let words = words.split(['|', ':']).next().unwrap_or_default().replace(['.', '_'], " ");
    words::label(&words)
}

fn by_unknown_words(words: &str) -> Proposal {
    let tokens = words::tokens(words);
    let asks_for_words = ["story", "experience", "why", "reason", "reasons", "thoughts", "historia", "comment"];
    if tokens.iter().any(|word| asks_for_words.contains(&word.as_str())) {
        return unsure(Some(Field::of("constituent.note")), "it asks for the constituent's own words");
    }
    unsure(None, "no column has that name")
}
