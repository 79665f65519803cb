//! A jurisdiction's name without what people write in different ways: accents, marks, spaces, words cut short, the
//! kind of place, the state. Two names may be reduced to one; that is a question for staff, and never an answer.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// What is left out of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    Accents,
    Marks,
    Spaces,
    State,
}

/// A reduced name.
#[derive(Debug, Default)]
pub(super) struct Reduced {
    pub(super) name: String,
    pub(super) words: Vec<String>,
    /// City, village, …
    pub(super) kind: Option<&'static str>,
    state: Option<&'static str>,
    /// Words that were written short, with what they are short for.
    shorts: Vec<(String, &'static str)>,
}

/// How words of places are cut short.
const SHORTS: &[(&str, &str)] = &[
    ("st", "saint"),
    ("ste", "sainte"),
    ("mt", "mount"),
    ("mtn", "mountain"),
    ("ft", "fort"),
    ("pt", "point"),
    ("n", "north"),
    ("s", "south"),
    ("e", "east"),
    ("w", "west"),
    ("no", "north"),
    ("so", "south"),
    ("hts", "heights"),
    ("hgts", "heights"),
    ("pk", "park"),
    ("spgs", "springs"),
    ("spg", "spring"),
    ("jct", "junction"),
    ("ctr", "center"),
    ("centre", "center"),
    ("bch", "beach"),
    ("hbr", "harbor"),
    ("harbour", "harbor"),
    ("lk", "lake"),
    ("grv", "grove"),
    ("vly", "valley"),
    ("is", "island"),
    ("twp", "township"),
    ("boro", "borough"),
    ("vlg", "village"),
    ("cty", "county"),
    ("co", "county"),
];

const KINDS: &[&str] = &["city", "village", "town", "township", "county", "borough", "municipality", "parish"];

/// The states' codes and names, folded.
const STATES: &[(&str, &str)] = &[
    ("al", "alabama"),
    ("ak", "alaska"),
    ("az", "arizona"),
    ("ar", "arkansas"),
    ("ca", "california"),
    ("co", "colorado"),
    ("ct", "connecticut"),
    ("de", "delaware"),
    ("dc", "district of columbia"),
    ("fl", "florida"),
    ("ga", "georgia"),
    ("hi", "hawaii"),
    ("id", "idaho"),
    ("il", "illinois"),
    ("in", "indiana"),
    ("ia", "iowa"),
    ("ks", "kansas"),
    ("ky", "kentucky"),
    ("la", "louisiana"),
    ("me", "maine"),
    ("md", "maryland"),
    ("ma", "massachusetts"),
    ("mi", "michigan"),
    ("mn", "minnesota"),
    ("ms", "mississippi"),
    ("mo", "missouri"),
    ("mt", "montana"),
    ("ne", "nebraska"),
    ("nv", "nevada"),
    ("nh", "new hampshire"),
    ("nj", "new jersey"),
    ("nm", "new mexico"),
    ("ny", "new york"),
    ("nc", "north carolina"),
    ("nd", "north dakota"),
    ("oh", "ohio"),
    ("ok", "oklahoma"),
    ("or", "oregon"),
    ("pa", "pennsylvania"),
    ("pr", "puerto rico"),
    ("ri", "rhode island"),
    ("sc", "south carolina"),
    ("sd", "south dakota"),
    ("tn", "tennessee"),
    ("tx", "texas"),
    ("ut", "utah"),
    ("vt", "vermont"),
    ("va", "virginia"),
    ("wa", "washington"),
    ("wv", "west virginia"),
    ("wi", "wisconsin"),
    ("wy", "wyoming"),
];

impl Reduced {
    /// The whole reduction of a folded name.
    pub(super) fn of(folded: &str) -> Self {
        Self::but_for(folded, None)
    }

    /// All but one part of it, to see whether that part matters.
    pub(super) fn without(folded: &str, rule: Rule) -> Self {
        Self::but_for(folded, Some(rule))
    }

    fn but_for(folded: &str, left_out: Option<Rule>) -> Self {
        let mut reduced = Self::default();
        let mut text = folded;
        if left_out != Some(Rule::State) {
            (text, reduced.state) = split_state(folded);
        }
        let text = if left_out == Some(Rule::Accents) { text.to_owned() } else { without_accents(text) };
        let words = words(&text, left_out != Some(Rule::Marks));
        reduced.words = words.into_iter().map(|word| reduced.lengthened(word)).collect();
        reduced.kind = take_kind(&mut reduced.words);
        reduced.name = reduced.words.join(if left_out == Some(Rule::Spaces) { " " } else { "" });
        reduced
    }

    fn lengthened(&mut self, word: String) -> String {
        let bare = word.trim_end_matches('.');
        let Some((short, long)) = SHORTS.iter().find(|(short, _)| *short == bare) else { return word };
        self.shorts.push(((*short).to_owned(), long));
        (*long).to_owned()
    }

    /// Words that only one of the two has short.
    pub(super) fn shorts_not_in(&self, other: &Self) -> Vec<(String, &'static str)> {
        let lacks = |list: &Self, short: &(String, &str)| !list.shorts.contains(short);
        let mine = self.shorts.iter().filter(|s| lacks(other, s));
        mine.chain(other.shorts.iter().filter(|s| lacks(self, s))).cloned().collect()
    }

    /// Whether both name a state, and not the same.
    pub(super) fn is_in_another_state(&self, other: &Self) -> bool {
        matches!((self.state, other.state), (Some(a), Some(b)) if a != b)
    }
}

/// Takes the state from the end: after a comma by code or name, or as the last words.
fn split_state(folded: &str) -> (&str, Option<&'static str>) {
    for (code, name) in STATES {
        for ending in [name, code] {
            let Some(before) = folded.trim_end_matches('.').strip_suffix(ending) else { continue };
            let has_comma = before.trim_end().ends_with(',');
            let is_word = before.ends_with([' ', ',']);
            let before = before.trim_end_matches([' ', ',']);
            // “Cook Co” is a county, and “Mt” alone a mountain.
            let is_short_word = *ending == "co";
            if is_word && !before.is_empty() && (has_comma || !is_short_word) {
                return (before, Some(code));
            }
        }
    }
    (folded, None)
}

fn without_accents(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let mut plain = String::with_capacity(text.len());
    for c in text.nfd().filter(|c| !is_combining_mark(*c)) {
        match c {
            'ø' => plain.push('o'),
            'ł' => plain.push('l'),
            'đ' => plain.push('d'),
            'ı' => plain.push('i'),
            'æ' => plain.push_str("ae"),
            'œ' => plain.push_str("oe"),
            c => plain.push(c),
        }
    }
    plain
}

/// The words of a name; with `bare`, without the marks between and in them.
fn words(text: &str, bare: bool) -> Vec<String> {
    if !bare {
        return text.split_whitespace().map(str::to_owned).collect();
    }
    let is_apostrophe = |c: char| matches!(c, '\'' | '’' | '‘' | '`' | '´' | 'ʼ' | 'ʻ');
    let text: String = text.chars().filter(|&c| !is_apostrophe(c)).collect();
    text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_owned).collect()
}

/// Takes “city of” from the start, or “city” from the end.
fn take_kind(words: &mut Vec<String>) -> Option<&'static str> {
    let kind_of = |word: &str| KINDS.iter().copied().find(|kind| *kind == word);
    let article = usize::from(words.len() > 3 && words[0] == "the");
    if words.len() > article + 2
        && words[article + 1] == "of"
        && let Some(kind) = kind_of(&words[article])
    {
        words.drain(..article + 2);
        return Some(kind);
    }
    let kind = words.last().filter(|_| words.len() > 1).and_then(|last| kind_of(last))?;
    words.pop();
    Some(kind)
}
