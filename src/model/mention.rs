//! Where a text names a mailbox: to find it, to take it out, and to mask every mailbox of a text that is shown.
//! Must not decide which texts are looked at.

use super::{EmailAddress, fold};

/// What stands in place of what was erased.
pub const ERASED: &str = "(erased)";

/// Fewer letters than these are a word of any language rather than somebody's name.
const WORD_CHARS_MIN: usize = 3;

/// One mailbox, however a text writes it, and words that stand for whoever has it.
#[derive(Clone, PartialEq, Eq)]
pub struct Mention {
    /// The whole address, in lower case, in each form that it may have.
    addresses: Vec<Vec<char>>,
    /// The local part and a name, in lower case; they count as whole words only.
    words: Vec<Vec<char>>,
    key: String,
}

/// Without the mailbox, because debug output ends in logs.
impl std::fmt::Debug for Mention {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mention").finish_non_exhaustive()
    }
}

impl Mention {
    /// Of a mailbox, and of whoever has it, by their name, where that is known.
    pub fn of(mailbox: &EmailAddress, name: Option<&str>) -> Self {
        let mut addresses: Vec<Vec<char>> = Vec::new();
        let (unicode, _) = idna::domain_to_unicode(mailbox.domain());
        for local in [mailbox.local(), fold(mailbox.local()).as_str()] {
            for domain in [mailbox.domain(), unicode.as_str()] {
                let form = lower(&format!("{local}@{domain}"));
                if !addresses.contains(&form) {
                    addresses.push(form);
                }
            }
        }
        let words = [name, Some(mailbox.local())].into_iter().flatten().map(lower);
        let words = words.filter(|w| w.len() >= WORD_CHARS_MIN && w.iter().any(|c| c.is_alphabetic())).collect();
        Self { addresses, words, key: mailbox.key() }
    }

    /// The forms of the address, in lower case.
    pub fn forms(&self) -> impl Iterator<Item = String> {
        self.addresses.iter().map(|form| form.iter().collect())
    }

    /// Whether a cell is the address, or names it among other words.
    pub fn is_in(&self, text: &str) -> bool {
        text.contains(['@', '＠'])
            && (EmailAddress::parse(text).is_ok_and(|mailbox| mailbox.key() == self.key)
                || self.addresses.iter().any(|form| find(text, 0, form, is_whole_address).is_some()))
    }

    /// The text without the address, and without the words that stand for whoever has it; nothing where none is in it.
    pub fn taken_out_of(&self, text: &str) -> Option<String> {
        let mut left = text.to_owned();
        for form in &self.addresses {
            take_out(&mut left, form, is_whole_address);
        }
        for word in &self.words {
            take_out(&mut left, word, is_whole_word);
        }
        (left != text).then_some(left)
    }
}

/// The text with every mailbox in it masked: `j***@example.org`.
pub fn mask_mailboxes(text: &str) -> String {
    if !text.contains('@') {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('@') {
        let local = local_before(&rest[..at]);
        out.push_str(&rest[..local]);
        if local < at {
            out.extend(rest[local..at].chars().find(|c| *c != '"'));
            out.push_str("***");
        }
        out.push('@');
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    out
}

/// Where the local part begins that ends here; a quoted one with its quotation marks.
fn local_before(text: &str) -> usize {
    if let Some(quoted) = text.strip_suffix('"') {
        return quoted.rfind('"').unwrap_or(text.len());
    }
    let part = |c: char| c.is_alphanumeric() || "._+-'&%!#$/?^`{}|~".contains(c);
    text.char_indices().rev().take_while(|(_, c)| part(*c)).last().map_or(text.len(), |(at, _)| at)
}

fn lower(text: &str) -> Vec<char> {
    text.chars().flat_map(char::to_lowercase).collect()
}

type IsWhole = fn(before: &str, after: &str) -> bool;

fn take_out(text: &mut String, form: &[char], is_whole: IsWhole) {
    let mut from = 0;
    while let Some((start, end)) = find(text, from, form, is_whole) {
        text.replace_range(start..end, ERASED);
        from = start + ERASED.len();
    }
}

/// The first place from there on where the text says this in whatever case, standing for itself.
fn find(text: &str, from: usize, form: &[char], is_whole: IsWhole) -> Option<(usize, usize)> {
    let starts = text[from..].char_indices().map(|(at, _)| from + at);
    let mut places = starts.filter_map(|at| Some((at, at + matching(&text[at..], form)?)));
    places.find(|&(from, to)| is_whole(&text[..from], &text[to..]))
}

/// How many bytes of the text's start are this, in whatever case.
fn matching(text: &str, form: &[char]) -> Option<usize> {
    let mut wanted = form.iter();
    for (at, c) in text.char_indices() {
        if wanted.as_slice().is_empty() {
            return Some(at);
        }
        for lower in c.to_lowercase() {
            if wanted.next() != Some(&lower) {
                return None;
            }
        }
    }
    wanted.as_slice().is_empty().then_some(text.len())
}

/// Not the end of a longer local part, nor the start of a longer domain.
fn is_whole_address(before: &str, after: &str) -> bool {
    let mut before = before.chars().rev();
    let is_longer = match before.next() {
        Some('\'' | '&') => before.next().is_some_and(char::is_alphanumeric),
        Some(c) => c.is_alphanumeric() || "._+-".contains(c),
        None => false,
    };
    !is_longer && ends_here(after, "-_")
}

fn is_whole_word(before: &str, after: &str) -> bool {
    let is_longer = before.chars().next_back().is_some_and(|c| c.is_alphanumeric() || "._+-@".contains(c));
    !is_longer && ends_here(after, "-_+@")
}

/// Whether nothing that follows belongs to the same word; a full stop does only before more of it.
fn ends_here(after: &str, joints: &str) -> bool {
    let mut after = after.chars();
    match after.next() {
        Some('.') => !after.next().is_some_and(char::is_alphanumeric),
        Some(c) => !c.is_alphanumeric() && !joints.contains(c),
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mention(mailbox: &str) -> Mention {
        Mention::of(&EmailAddress::parse(mailbox).unwrap(), Some("Jane Doe"))
    }

    #[test]
    fn a_mailbox_is_found_as_people_and_relays_write_it_and_nobody_elses_is() {
        let neil = mention("neil@x.example");
        for text in [
            "neil@x.example",
            " NEIL@X.Example ",
            "Jane <neil@x.example>",
            "mailto:neil@x.example",
            "'neil@x.example'",
            "write to neil@x.example.",
            "a@b.example; neil@x.example",
            "orig_to=<neil@x.example>, to=neil@x.example",
        ] {
            assert!(neil.is_in(text), "{text}");
        }
        for text in [
            "o'neil@x.example",
            "jane.neil@x.example",
            "neil@x.example.org",
            "neil@x.example-shop.test",
            "neil",
            "",
            "bneil@x.example",
            "neil+x@x.example",
        ] {
            assert!(!neil.is_in(text), "{text}");
        }
        let umlaut = mention("a@müller.example");
        assert!(umlaut.is_in("A@Müller.example") && umlaut.is_in("<a@xn--mller-kva.example>"));
    }

    #[test]
    fn what_is_taken_out_is_the_address_and_words_that_stand_for_the_person() {
        let jane = mention("jane@x.example");
        for (text, left) in [
            ("550 <Jane@X.example>: no such user", Some("550 <(erased)>: no such user")),
            ("mailbox jane is full", Some("mailbox (erased) is full")),
            ("as JANE DOE asked", Some("as (erased) asked")),
            ("janet, jane.doe@y.example and jane-b stay", None),
            ("250 queued", None),
        ] {
            assert_eq!(jane.taken_out_of(text).as_deref(), left, "{text}");
        }
        let short = Mention::of(&EmailAddress::parse("to@x.example").unwrap(), None);
        assert_eq!(short.taken_out_of("sent to to@x.example").unwrap(), "sent to (erased)");
        let erased = Mention::of(&EmailAddress::parse("erased@x.example").unwrap(), None);
        assert_eq!(erased.taken_out_of("erased, twice: erased").unwrap(), "(erased), twice: (erased)");
    }

    #[test]
    fn every_mailbox_of_a_shown_text_is_masked_once() {
        for (text, masked) in [
            ("550 5.1.1 <jane.doe@x.example>: unknown", "550 5.1.1 <j***@x.example>: unknown"),
            ("to=jane@x.example, o'neil@y.example", "to=j***@x.example, o***@y.example"),
            ("\"jane doe\"@x.example", "j***@x.example"),
            ("j***@x.example", "j***@x.example"),
            ("örs@x.example und root@localhost", "ö***@x.example und r***@localhost"),
            ("a @ b, @", "a @ b, @"),
            ("no mailbox", "no mailbox"),
        ] {
            assert_eq!(mask_mailboxes(text), masked);
            assert_eq!(mask_mailboxes(masked), masked);
        }
    }
}
