//! A quotation mark that is closed rows below, in the same column: the cells of the row come out even, and the rows
//! between are gone. Seen by the lines in that cell, which are cut like rows. This file must not judge other flaws.

use super::records::Cells;
use crate::model::EmailAddress;

/// Whether a cell of this row holds other rows of the file; `email` is where the addresses stand.
pub(super) fn swallows_rows(cells: Cells<'_>, delimiter: u8, email: usize) -> bool {
    let delimiter = char::from(delimiter);
    let after = |at: usize| cells.len().saturating_sub(at + 1);
    cells.iter().enumerate().filter(|(_, cell)| cell.contains(['\n', '\r'])).any(|(at, cell)| {
        let delimiters = |line: &str| line.matches(delimiter).count();
        let has_address = |line: &str, place: usize| {
            line.split(delimiter).nth(place).is_some_and(|c| EmailAddress::parse(c.trim()).is_ok())
        };
        let mut lines = cell.split(['\n', '\r']).filter(|line| !line.is_empty());
        let (Some(first), Some(last)) = (lines.next(), lines.next_back()) else { return false };
        let ends_like_rows = delimiters(first) == after(at) && delimiters(last) == at;
        let ends_have_address = match email.checked_sub(at) {
            Some(later) => has_address(first, later),
            None => has_address(last, email),
        };
        let mut between = lines.map(|line| delimiters(line) == after(0) && has_address(line, email));
        (ends_like_rows && ends_have_address) || between.any(|is_row| is_row)
    })
}
