//! Which encoding a file of text is in: certain, or not said at all.
//!
//! What is valid UTF-8 is UTF-8. For anything else a detector proposes, and the words themselves decide: an encoding is
//! certain when its readings look like words and no other likely encoding's do as well. This file must not repair.

use std::collections::HashSet;
use std::io::{self, Read};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, ISO_8859_15, MACINTOSH, REPLACEMENT, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::error::FileFault;
use super::plausible::{Sense, sense};
use super::problem::Excerpt;
use crate::model::printable;

const CHUNK_BYTES: usize = 64 * 1024;
/// How many different words are weighed.
const WORDS_MAX: usize = 5_000;
/// Words that are longer are no words.
const WORD_BYTES_MAX: usize = 200;
/// How many words are shown, so that staff can see that the encoding is right.
const SAMPLES_MAX: usize = 3;
/// From how many different words the detector is believed against the usual encoding.
const EVIDENCE_WORDS_MIN: usize = 3;

/// The encoding of a file, with some words as it reads them.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) encoding: &'static Encoding,
    pub(super) samples: Vec<Excerpt>,
}

impl Known {
    /// An encoding of which nothing need be shown.
    pub(super) fn plain(encoding: &'static Encoding) -> Self {
        Self { encoding, samples: Vec::new() }
    }
}

/// The encoding that staff name.
pub(super) fn by_label(label: &str) -> Result<&'static Encoding, FileFault> {
    let known = Encoding::for_label(label.as_bytes()).filter(|e| *e != REPLACEMENT);
    known.ok_or_else(|| FileFault::UnknownEncoding(printable(label, 80)))
}

/// What the first bytes alone tell: a byte-order mark with its length, or UTF-16 by its zeros.
pub(super) fn by_head(head: &[u8]) -> Option<(&'static Encoding, usize)> {
    Encoding::for_bom(head).or_else(|| {
        let pairs = head.len() / 2;
        let zeros = |first: usize| head.iter().skip(first).step_by(2).take(pairs).filter(|&&b| b == 0).count();
        let (even, odd) = (zeros(0), zeros(1));
        // Headers and delimiters are ASCII letters, which have a zero for every second byte.
        match (even * 20 <= pairs, odd * 20 <= pairs) {
            (true, false) if odd * 2 > pairs => Some((UTF_16LE, 0)),
            (false, true) if even * 2 > pairs => Some((UTF_16BE, 0)),
            _ => None,
        }
    })
}

/// Whether everything that comes is UTF-8.
pub(super) fn is_utf8(mut input: impl Read) -> io::Result<bool> {
    let mut buffer = vec![0; CHUNK_BYTES];
    let mut kept = 0; // the start of a character that the last chunk cut
    loop {
        let n = read_some(&mut input, &mut buffer[kept..])?;
        if n == 0 {
            return Ok(kept == 0);
        }
        let end = kept + n;
        let valid = match std::str::from_utf8(&buffer[..end]) {
            Ok(_) => end,
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Err(_) => return Ok(false),
        };
        buffer.copy_within(valid..end, 0);
        kept = end - valid;
    }
}

/// Finds the encoding of a text that is not UTF-8, reading all of it.
pub(super) fn detect(mut input: impl Read) -> io::Result<Result<Known, FileFault>> {
    let mut words = Words::default();
    let mut buffer = vec![0; CHUNK_BYTES];
    loop {
        let n = read_some(&mut input, &mut buffer)?;
        words.feed(&buffer[..n]);
        if n == 0 {
            break;
        }
    }
    // ASCII alone tells the detector nothing, and it is slow.
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    for word in &words.found {
        detector.feed(&word.bytes, false);
        detector.feed(b" ", false);
    }
    detector.feed(b"", true);
    Ok(decide(detector.guess(None, Utf8Detection::Deny), &words.found))
}

/// Some words of a text in an encoding that somebody named.
pub(super) fn with_samples(encoding: &'static Encoding, mut input: impl Read) -> io::Result<Known> {
    if !encoding.is_ascii_compatible() {
        return Ok(Known::plain(encoding)); // its words cannot be told apart by their bytes
    }
    let mut words = Words::default();
    let mut buffer = vec![0; CHUNK_BYTES];
    while words.found.len() < SAMPLES_MAX {
        let n = read_some(&mut input, &mut buffer)?;
        words.feed(&buffer[..n]);
        if n == 0 {
            break;
        }
    }
    Ok(Known { encoding, samples: Reading::of(encoding, &words.found).samples() })
}

fn read_some(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match input.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// A word that is not ASCII, and the line where it was first.
struct Word {
    line: u64,
    bytes: Vec<u8>,
}

/// The different words of a text that are not ASCII.
struct Words {
    found: Vec<Word>,
    seen: HashSet<Vec<u8>>,
    word: Vec<u8>,
    is_ascii: bool,
    line: u64,
    after_cr: bool,
}

impl Default for Words {
    fn default() -> Self {
        let (found, seen, word) = (Vec::new(), HashSet::new(), Vec::new());
        Self { found, seen, word, is_ascii: true, line: 1, after_cr: false }
    }
}

impl Words {
    /// Takes the next bytes; none at the end.
    fn feed(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if matches!(byte, b' ' | b'"' | b',' | b';' | b'\t' | b'\r' | b'\n') {
                self.end_word();
                self.line += u64::from(byte == b'\r' || (byte == b'\n' && !self.after_cr));
                self.after_cr = byte == b'\r';
            } else {
                self.is_ascii &= byte.is_ascii();
                if self.word.len() <= WORD_BYTES_MAX {
                    self.word.push(byte);
                }
                self.after_cr = false;
            }
        }
        if bytes.is_empty() {
            self.end_word();
        }
    }

    fn end_word(&mut self) {
        let counts = !self.is_ascii && self.word.len() <= WORD_BYTES_MAX && self.found.len() < WORDS_MAX;
        if counts && !self.seen.contains(&self.word) {
            self.seen.insert(self.word.clone());
            self.found.push(Word { line: self.line, bytes: self.word.clone() });
        }
        self.word.clear();
        self.is_ascii = true;
    }
}

/// All words as one encoding reads them.
struct Reading {
    encoding: &'static Encoding,
    words: Vec<(String, Sense)>,
}

impl Reading {
    fn of(encoding: &'static Encoding, words: &[Word]) -> Self {
        let read = |word: &Word| match encoding.decode_without_bom_handling_and_without_replacement(&word.bytes) {
            Some(text) => (text.to_string(), sense(&text)),
            None => (encoding.decode_without_bom_handling(&word.bytes).0.into_owned(), Sense::None),
        };
        Self { encoding, words: words.iter().map(read).collect() }
    }

    /// Whether nearly all of it looks like words.
    fn makes_sense(&self) -> bool {
        let bad = self.words.iter().filter(|(_, sense)| *sense == Sense::None).count();
        bad * 50 <= self.words.len()
    }

    /// Where two readings are not the same.
    fn differences<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = (&'a (String, Sense), &'a (String, Sense))> {
        self.words.iter().zip(&other.words).filter(|(a, b)| a.0 != b.0)
    }

    fn samples(&self) -> Vec<Excerpt> {
        let has_letter = |text: &&str| text.chars().any(|c| !c.is_ascii() && c.is_alphabetic());
        let worth = self.words.iter().map(|(text, _)| core(text)).filter(has_letter);
        worth.take(SAMPLES_MAX).map(Excerpt::new).collect()
    }
}

fn decide(guess: &'static Encoding, words: &[Word]) -> Result<Known, FileFault> {
    let in_utf8 = words.iter().filter(|w| std::str::from_utf8(&w.bytes).is_ok()).count();
    if in_utf8 * 2 > words.len() {
        return Ok(Known::plain(UTF_8)); // with a flaw, whose place the reading names
    }
    let mut likely = vec![WINDOWS_1252];
    likely.extend([guess, ISO_8859_15, MACINTOSH].into_iter().filter(|e| *e != WINDOWS_1252));
    let all: Vec<Reading> = likely.into_iter().map(|encoding| Reading::of(encoding, words)).collect();
    let (sound, rest): (Vec<Reading>, Vec<Reading>) = all.into_iter().partition(Reading::makes_sense);
    let Some(first) = sound.first() else { return Err(unclear(&rest, words)) };
    let rivals: Vec<&Reading> = sound[1..].iter().filter(|other| is_rival(first, other, guess)).collect();
    let believed = rivals.iter().find(|r| r.encoding == guess && first.differences(r).count() >= EVIDENCE_WORDS_MIN);
    match (rivals.as_slice(), believed) {
        ([], _) => Ok(Known { encoding: first.encoding, samples: first.samples() }),
        (_, Some(guessed)) => Ok(Known { encoding: guessed.encoding, samples: guessed.samples() }),
        _ => Err(unclear(&sound, words)),
    }
}

/// Whether the other reading may be the right one.
fn is_rival(first: &Reading, other: &Reading, guess: &'static Encoding) -> bool {
    // Letters that Western European keyboards have are Windows' own; its rare ones are what a Mac's usual ones become.
    let is_rare = |text: &str| text.contains(['š', 'Š', 'ž', 'Ž', 'œ', 'Œ', 'Ÿ', 'ƒ']);
    // `îlafur` is `Ólafur`.
    let is_lowered = |ours: &str, theirs: &str| {
        ours.starts_with(|c: char| !c.is_ascii() && c.is_lowercase()) && theirs.starts_with(char::is_uppercase)
    };
    first.differences(other).any(|(ours, theirs)| {
        other.encoding == guess
            || first.encoding != WINDOWS_1252
            || (theirs.1 == Sense::Word
                && (ours.1 != Sense::Word || is_rare(&ours.0) || is_lowered(&ours.0, &theirs.0)))
    })
}

/// The part of a word that is worth showing, where a delimiter that is not known yet joins it to others.
fn core(word: &str) -> &str {
    word.split('|').find(|part| !part.is_ascii()).unwrap_or(word)
}

fn unclear(readings: &[Reading], words: &[Word]) -> FileFault {
    let differs = |i: &usize| readings.iter().any(|r| r.words[*i].0 != readings[0].words[*i].0);
    let is_strange = |i: &usize| differs(i) && readings[0].words[*i].1 == Sense::None;
    let mut all = 0..words.len();
    let at = all.clone().find(is_strange).or_else(|| all.find(differs)).unwrap_or_default();
    let mut texts: Vec<&str> = Vec::new();
    let mut shown: Vec<(Excerpt, &str)> = Vec::new();
    for reading in readings {
        let text = reading.words.get(at).map_or("", |(text, _)| core(text));
        if !texts.contains(&text) {
            texts.push(text);
            shown.push((Excerpt::new(text), reading.encoding.name()));
        }
    }
    FileFault::UnclearEncoding { line: words.get(at).map_or(1, |w| w.line), readings: shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &[u8]) -> String {
        match detect(text).unwrap() {
            Ok(known) => format!("{} {}", known.encoding.name(), known.samples.len()),
            Err(fault) => fault.to_string(),
        }
    }

    fn encoded(encoding: &'static Encoding, text: &str) -> Vec<u8> {
        let (bytes, _, unmappable) = encoding.encode(text);
        assert!(!unmappable, "{text}");
        bytes.into_owned()
    }

    #[test]
    fn names_and_prose_are_read_in_the_encoding_that_they_were_written_in() {
        use encoding_rs::{GBK, SHIFT_JIS, WINDOWS_1250, WINDOWS_1251};
        for (encoding, text) in [
            (WINDOWS_1252, "name\nHans Müller\n"),
            (WINDOWS_1252, "name\nChloé\nZoë\n"),
            (WINDOWS_1252, "name\nNuñez\n"),
            (WINDOWS_1252, "name\nMUÑOZ\nJOSÉ\n"),
            (WINDOWS_1252, "name\nÁngel García\nØstergaard\nÅsa\n"),
            (WINDOWS_1252, "name\nSinéad O’Neil\nthe women’s march\n"),
            (WINDOWS_1252, "note\nthe women’s march\n"),
            (WINDOWS_1252, "note\n“Stop – now”\n"),
            (ISO_8859_15, "name\nŠimon Cœur\nŒuvre\n"),
            (MACINTOSH, "name\nHans Müller\nChloé\nNuñez\n"),
            (MACINTOSH, "name\nChloé\n"),
            (MACINTOSH, "name\nZoë\n"),
            (WINDOWS_1250, "name\nŁukasz Wiśniewski\nMałgorzata Wójcik\nGrażyna Żółć\nStanisław Dąbrowski\n"),
            (WINDOWS_1251, "name\nИван Петров\nОльга Сергеевна\nМосква\n"),
            (SHIFT_JIS, "name\n山田太郎\n鈴木花子\n東京都千代田区\n"),
            (GBK, "name\n张伟\n王芳\n北京市朝阳区\n这是我的地址\n"),
        ] {
            let read = found(&encoded(encoding, text));
            assert!(read.starts_with(&format!("{} ", encoding.name())), "{text}: {read}");
        }
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_not_decided() {
        for (text, expected) in [
            (&b"name\nSchr\x9ader\n"[..], "line 2, “Schršder” as windows-1252"),
            (b"name\nGarc\x92a\n", "“García” as macintosh"),
            (b"name\nL\x97pez\n", "“López” as macintosh"),
            (b"name\n\xeelafur\n", "“Ólafur” as macintosh"),
            (b"name\nM\x81ller\n", "“MÅller” as macintosh"),
            (b"name\nM\xfcller\nZo\xc3\xab\n", "“ZoÃ«” as windows-1252"),
        ] {
            let read = found(text);
            assert!(read.contains(expected) && read.contains("encoding = \""), "{read}");
        }
        assert!(found(b"name\nZo\xc3\xab\nChlo\xc3\xa9\nM\xfcller\n").starts_with("UTF-8"));
    }

    #[test]
    fn utf_8_is_known_by_all_of_it_and_utf_16_by_its_start() {
        assert!(is_utf8("é".repeat(CHUNK_BYTES).as_bytes()).unwrap());
        assert!(is_utf8(format!("a{}", "é".repeat(CHUNK_BYTES)).as_bytes()).unwrap());
        assert!(!is_utf8(&[b"a".repeat(3 * CHUNK_BYTES).as_slice(), b"\xfc"].concat()[..]).unwrap());
        assert!(!is_utf8(&b"a\xc3"[..]).unwrap());
        let little: Vec<u8> = "name,email\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = "name,email\n".encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(by_head(&little), Some((UTF_16LE, 0)));
        assert_eq!(by_head(&big), Some((UTF_16BE, 0)));
        assert_eq!(by_head(b"\xff\xfea\0"), Some((UTF_16LE, 2)));
        assert_eq!(by_head(b"\xef\xbb\xbfa"), Some((UTF_8, 3)));
        assert_eq!(by_head(b"name,email"), None);
        assert_eq!(by_head(b"\0\0\0\0"), None);
    }
}
