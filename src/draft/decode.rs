//! Bytes → text. It tells what it took them for, and refuses what is no text.

use super::DraftError;

/// Reads UTF-8, UTF-16 with a mark or plainly so, and otherwise Windows-1252, the encoding of older Windows letters.
pub(super) fn text(bytes: &[u8], notes: &mut Vec<String>) -> Result<String, DraftError> {
    let text = if let Some((encoding, mark)) = encoding_rs::Encoding::for_bom(bytes) {
        encoding.decode_without_bom_handling(&bytes[mark..]).0.into_owned()
    } else if let Some(encoding) = utf16_without_mark(bytes) {
        encoding.decode_without_bom_handling(bytes).0.into_owned()
    } else if let Ok(text) = std::str::from_utf8(bytes) {
        text.to_owned()
    } else {
        let text = encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned();
        let sample = text.split_whitespace().find(|word| !word.is_ascii()).unwrap_or_default();
        let sample: String = sample.chars().take(30).collect();
        notes.push(format!(
            "the file was read as Windows-1252, as in “{sample}”; if that looks wrong, save it as UTF-8"
        ));
        text
    };
    let is_odd = |c: char| c == '\u{fffd}' || (c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{c}' | '\u{b}'));
    let odd = text.chars().filter(|&c| is_odd(c)).count();
    if odd > text.chars().count() / 100 + 2 {
        return Err(DraftError::NotText);
    }
    if odd > 0 {
        notes.push("characters that cannot be shown were left out".to_owned());
    }
    let shown = text.replace("\r\n", "\n").replace(['\r', '\u{b}', '\u{2028}'], "\n");
    let shown = shown.replace(['\u{c}', '\u{2029}'], "\n\n");
    Ok(shown.chars().filter(|&c| !is_odd(c) && !is_invisible(c)).collect())
}

/// Characters without a width that only confuse: marks of byte order, soft hyphens, directions.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Western text in UTF-16 has a zero in every other byte.
fn utf16_without_mark(bytes: &[u8]) -> Option<&'static encoding_rs::Encoding> {
    let zeros = |from: usize| bytes.iter().skip(from).step_by(2).filter(|&&b| b == 0).count();
    let half = bytes.len() / 2;
    if half < 4 {
        return None;
    }
    let mostly = |zeros: usize| zeros > half * 3 / 4;
    match (mostly(zeros(0)), mostly(zeros(1))) {
        (true, false) => Some(encoding_rs::UTF_16BE),
        (false, true) => Some(encoding_rs::UTF_16LE),
        _ => None,
    }
}
