//! Which character separates the cells of a text. This file must not read further than the first records.

use super::layout::Layout;
use super::records::{Cells, Record, Records};
use super::settings::ContactsSettings;
use crate::model::Role;

const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// How many records below the header are looked at.
const RECORDS_MAX: usize = 20;

/// How well a delimiter fits; the least is the best.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Misfit {
    /// Columns that must be there and are not.
    missing: usize,
    /// Whether it cuts nothing, or cuts most records into other numbers of cells than the header.
    is_uneven: bool,
    /// Fewer cells are worse.
    narrow: std::cmp::Reverse<usize>,
}

/// The delimiter with which the header has the columns that must be there and the records have as many cells as it: a
/// comma, unless another does better. `head` is the start of the text.
pub(super) fn guess(head: &[u8], settings: &ContactsSettings, role: Option<Role>) -> u8 {
    let fit = |&delimiter: &u8| misfit(head, delimiter, settings, role);
    DELIMITERS.into_iter().min_by_key(fit).unwrap_or(b',')
}

fn misfit(head: &[u8], delimiter: u8, settings: &ContactsSettings, role: Option<Role>) -> Misfit {
    let worst = Misfit { missing: usize::MAX, is_uneven: true, narrow: std::cmp::Reverse(0) };
    let mut records = Records::new(head, delimiter, 1);
    let mut record = Record::default();
    if !matches!(first_filled(&mut records, &mut record), Ok(true)) {
        return worst;
    }
    let Ok(cells) = record.cells() else { return worst };
    let width = cells.len();
    let missing = Layout::read(cells, settings, role).0.missing();
    let (mut seen, mut even) = (0, 0);
    while seen < RECORDS_MAX && matches!(first_filled(&mut records, &mut record), Ok(true)) {
        // The last record of the head may be cut, so one is let off.
        seen += 1;
        even += usize::from(record.cells().is_ok_and(|cells| cells.len() == width));
    }
    let is_uneven = width < 2 || (even + 1) * 5 < seen * 4;
    Misfit { missing, is_uneven, narrow: std::cmp::Reverse(width) }
}

/// Reads past blank rows; false when there is nothing else.
pub(super) fn first_filled<R: std::io::BufRead>(
    records: &mut Records<R>,
    record: &mut Record,
) -> Result<bool, super::records::Broken> {
    while records.read(record)? {
        if !(record.flaws.is_empty() && record.cells().is_ok_and(Cells::is_blank)) {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delimiter_is_the_one_that_cuts_header_and_records_alike() {
        let settings = ContactsSettings::new(Vec::new());
        for (text, expected) in [
            ("role,name,email\n", b','),
            ("role;name;email\nconstituent;Doe, Jane;j@x.example\n", b';'),
            ("Voornaam;Achternaam, tussenvoegsel;Plaats\nAna;Berg, van den;Gent\nBen;Os;Gent\n", b';'),
            ("Vorname\tNachname\tOrt\nAna\tBerg, Dr.\tBonn\n", b'\t'),
            ("Nom|Ville|Notes\nAna|Lyon|un; deux; trois\n", b'|'),
            ("Nombre,Ciudad\n\"Gil; Ana\",Lugo\n\"Paz; Eva\",Lugo\n", b','),
            ("Nombre\nAna\n", b','),
            ("", b','),
        ] {
            assert_eq!(char::from(guess(text.as_bytes(), &settings, None)), char::from(expected), "{text}");
        }
    }
}
