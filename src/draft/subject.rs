//! The letter's subject: its own line, or a proposal. It must not take words away that are part of the letter.

const SUBJECT_CHARS_MAX: usize = 150;
const PREFIXES: [&str; 6] = ["subject:", "re:", "subject line:", "asunto:", "betreff:", "objet:"];

/// A subject and where the letter begins.
pub(super) struct Subject {
    pub(super) text: String,
    pub(super) body_at: usize,
    pub(super) is_theirs: bool,
}

pub(super) fn of(body: &str, name: &str) -> Subject {
    let first = body.split_inclusive('\n').next().unwrap_or_default();
    if let Some(text) = after_prefix(first) {
        let rest = body[first.len()..].trim_start_matches(['\n', ' ', '\\']);
        let body_at = if rest.is_empty() { 0 } else { body.len() - rest.len() };
        return Subject { text, body_at, is_theirs: true };
    }
    let inside = body.lines().take(25).find_map(after_prefix); // `RE: …` between address and salutation stays
    if let Some(text) = inside {
        return Subject { text, body_at: 0, is_theirs: true };
    }
    let proposed = heading(body).unwrap_or_else(|| from_file(name));
    Subject { text: proposed, body_at: 0, is_theirs: false }
}

fn after_prefix(line: &str) -> Option<String> {
    let plain = shown(line);
    let plain = plain.trim().trim_start_matches('*');
    let prefix = PREFIXES.iter().find(|p| plain.get(..p.len()).is_some_and(|s| s.eq_ignore_ascii_case(p)))?;
    let text = one_line(&plain[prefix.len()..].replace("**", ""));
    (!text.is_empty()).then_some(text)
}

/// The first heading, or a short first line that is no date, no address and no salutation.
fn heading(body: &str) -> Option<String> {
    let marked = body.lines().take(40).find(|line| line.starts_with("# ") || line.starts_with("## "));
    let bold = || {
        let first = body.lines().next()?;
        let inside = first.strip_prefix("**")?.strip_suffix("**")?;
        (!inside.contains("**")).then_some(first)
    };
    if let Some(title) = shouted_title(body) {
        return Some(title);
    }
    let line = marked.or_else(bold)?;
    let text = one_line(&shown(line).trim_start_matches('#').replace("**", ""));
    let is_fit = !text.is_empty() && !text.contains("__") && !text.ends_with(',');
    is_fit.then_some(text)
}

/// A first line in capitals, of three words or more, said in a normal voice.
fn shouted_title(body: &str) -> Option<String> {
    let line = shown(body.lines().next()?);
    let is_loud = line.chars().filter(|c| c.is_alphabetic()).all(char::is_uppercase);
    let is_title = is_loud
        && line.split_whitespace().count() >= 3
        && line.chars().all(|c| c.is_alphabetic() || " '’-".contains(c));
    let mut chars = line.trim().chars();
    let first = chars.next().filter(|_| is_title)?;
    Some(one_line(&format!("{first}{}", chars.as_str().to_lowercase())))
}

fn from_file(name: &str) -> String {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let words = one_line(&stem.replace(['_', '-', '.'], " "));
    let is_telling = words.chars().filter(|c| c.is_alphabetic()).count() > 3 && !words.eq_ignore_ascii_case("letter");
    if is_telling { words } else { "A letter from a constituent".to_owned() }
}

/// Without the backslashes of Markdown.
fn shown(line: &str) -> String {
    let mut out = String::new();
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('\\', Some(next)) if next.is_ascii_punctuation() => out.extend(chars.next()),
            ('\\', None | Some('\n')) => {}
            _ => out.push(c),
        }
    }
    out
}

/// One line of at most so many characters, fit for a subject.
pub(super) fn one_line(text: &str) -> String {
    let printable: String = text.chars().map(|c| if c.is_control() || c == '\u{2028}' { ' ' } else { c }).collect();
    let words: Vec<&str> = printable.split_whitespace().collect();
    let line = words.join(" ");
    match line.char_indices().nth(SUBJECT_CHARS_MAX) {
        Some((end, _)) => format!("{}…", line[..end].trim_end()),
        None => line,
    }
}
