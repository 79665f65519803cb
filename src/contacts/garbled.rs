//! Cells whose letters were garbled before the file came to us: replaced by `�`, or UTF-8 that was once read as
//! Windows-1252, as `MÃ¼ller`. This file must not repair anything.

/// Whether letters of a cell are lost or garbled.
pub(super) fn is_garbled(cell: &str) -> bool {
    if cell.is_ascii() {
        return false;
    }
    let pairs = cell.chars().zip(cell.chars().skip(1));
    cell.contains(char::REPLACEMENT_CHARACTER) || pairs.into_iter().any(is_misread)
}

/// The first two characters of what was one letter. A closing quote or three dots may follow a word in capitals that
/// ends in such a letter, so they are no sign of it.
fn is_misread(pair: (char, char)) -> bool {
    match pair {
        ('Ã' | 'Â', second) => {
            matches!(second, '\u{80}'..='\u{ba}' | '\u{bc}'..='\u{bf}') || "€‚ƒ„†‡ˆ‰Š‹ŒŽ‘•–—˜™š›œžŸ".contains(second)
        }
        ('â', '€') | ('ï', '¿') => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn garbled_letters_are_told_from_those_that_people_write() {
        for garbled in
            ["J\u{fffd}rg", "MÃ¼ller", "FranÃ§ois", "PeÃ±a", "MarÃ\u{ad}a", "Oâ€™Hara", "1Â\u{a0}Main", "ï¿½"]
        {
            assert!(is_garbled(garbled), "{garbled}");
        }
        for sound in
            ["", "Ann", "Müller", "João", "JOÃO", "“AMANHÔ", "«CAFÉ»", "CAFÉ™", "Lê Ân", "ÂU", "Łódź", "日本", "€ 5"]
        {
            assert!(!is_garbled(sound), "{sound}");
        }
    }
}
