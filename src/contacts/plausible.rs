//! Whether a text looks like something that a person wrote, or like what a wrong encoding makes of it.
//! Only letters, their case and their neighbours count: this file knows no language and must not repair.

/// How a word looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sense {
    /// Not like something that a person wrote: `ChloÈ`, `M¸ller`, `Ã¼`.
    None,
    /// Possible and unusual: `Garc’a`, `hope—and`.
    Doubtful,
    /// Like a word.
    Word,
}

/// How this word looks.
pub(super) fn sense(word: &str) -> Sense {
    let chars: Vec<char> = word.chars().collect();
    let around = |i: usize| (i.checked_sub(1).map(|j| chars[j]), chars.get(i + 1).copied());
    let marks = chars.iter().enumerate().filter(|(_, c)| !c.is_ascii() && !c.is_alphabetic());
    let of_marks = marks.map(|(i, &c)| sense_of_mark(c, &chars[..i], around(i))).min().unwrap_or(Sense::Word);
    let pairs_fit = chars.windows(2).all(|pair| fits(pair[0], pair[1]));
    let strange_run = chars.windows(5).any(|run| run.iter().all(|&c| is_accented_latin(c)));
    if pairs_fit && !strange_run { of_marks } else { Sense::None }
}

/// Whether two letters can stand beside each other.
fn fits(a: char, b: char) -> bool {
    if a.is_ascii() && b.is_ascii() || !(a.is_alphabetic() && b.is_alphabetic()) {
        return true;
    }
    let case_rises = a.is_lowercase() && b.is_uppercase() && a != 'ß';
    !case_rises && is_latin(a) == is_latin(b)
}

fn is_latin(c: char) -> bool {
    c.is_ascii_alphabetic() || is_accented_latin(c) || matches!(c, 'ª' | 'º' | 'ﬁ' | 'ﬂ')
}

fn is_accented_latin(c: char) -> bool {
    matches!(c, '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}') && c.is_alphabetic()
}

fn sense_of_mark(c: char, before: &[char], (left, right): (Option<char>, Option<char>)) -> Sense {
    let is_letter = |c: Option<char>| c.is_some_and(char::is_alphabetic);
    let (after_letter, before_letter) = (is_letter(left), is_letter(right));
    match c {
        c if c.is_control() || matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{fffd}') => Sense::None,
        '’' | '´' if after_letter && before_letter => sense_of_apostrophe(c, before, right),
        '–' | '—' | '…' if after_letter && before_letter => Sense::Doubtful,
        '\u{a0}' | '\u{3000}' | '°' | '’' | '–' | '—' | '…' => Sense::Word,
        '‘' | '“' | '„' | '«' | '‹' | '¿' | '¡' | '§' if !after_letter => Sense::Word,
        '”' | '»' | '›' | '®' | '™' | '©' | '€' | '£' if !before_letter => Sense::Word,
        _ if is_latin_mark(c) && (after_letter || before_letter) => Sense::None,
        _ => Sense::Word,
    }
}

/// `women’s`, `don’t`, `O’Neil`, `D’Angelo`; not `Garc’a`.
fn sense_of_apostrophe(c: char, before: &[char], right: Option<char>) -> Sense {
    let letters_before = before.iter().rev().take_while(|c| c.is_alphabetic()).count();
    let ends_as_english = matches!(right, Some('s' | 't' | 'd' | 'm' | 'l' | 'r' | 'v' | 'S' | 'T'));
    if c == '’' && (letters_before <= 2 || ends_as_english) { Sense::Word } else { Sense::Doubtful }
}

/// Marks that Western encodings have where others have letters.
fn is_latin_mark(c: char) -> bool {
    matches!(c, '\u{80}'..='\u{bf}' | '×' | '÷' | 'ˆ' | '˜' | '\u{2010}'..='\u{2044}' | '€' | '™' | '\u{2200}'..='\u{25ff}')
        || matches!(c, '\u{2c0}'..='\u{2df}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_wrong_encoding_makes_is_told_from_words() {
        for (word, expected) in [
            ("Müller", Sense::Word),
            ("O’Neil", Sense::Word),
            ("women’s", Sense::Word),
            ("“Stop", Sense::Word),
            ("Ørsted–Å", Sense::Doubtful),
            ("żółty", Sense::Word),
            ("Иван", Sense::Word),
            ("山田", Sense::Word),
            ("Garc’a", Sense::Doubtful),
            ("ChloÈ", Sense::None),
            ("Zo‘", Sense::None),
            ("STRAßE", Sense::Word),
            ("‘quoted’", Sense::Word),
            ("M¸ller", Sense::None),
            ("Mьller", Sense::None),
            ("Ã¼", Sense::None),
            ("Chlo‚", Sense::None),
            ("Èâàíîâ", Sense::None),
            ("M\u{81}ller", Sense::None),
        ] {
            assert_eq!(sense(word), expected, "{word}");
        }
    }
}
