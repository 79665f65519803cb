//! The columns that we put before theirs in a file of refused rows, and how such a file is known again when staff give
//! it back. This file must not look at the rows.

use super::columns::header_key;
use super::records::Cells;

/// Our own columns, before theirs; the first only where there are several files.
const OURS: [&str; 4] = ["file", "line", "problem", "advice"];

/// Our own headers, none of which is one of theirs.
pub(super) fn own_headers(theirs: &[String], with_file: bool) -> Vec<String> {
    free_headers(if with_file { &OURS } else { &OURS[1..] }, theirs)
}

/// These headers, numbered where theirs have one of that name.
pub(super) fn free_headers(names: &[&str], theirs: &[String]) -> Vec<String> {
    let taken: Vec<String> = theirs.iter().map(|h| header_key(h)).collect();
    let free = |name: &str| {
        let numbered = (2..).map(|n| format!("{name} {n}"));
        std::iter::once(name.to_owned()).chain(numbered).find(|n| !taken.contains(&header_key(n)))
    };
    names.iter().filter_map(|n| free(n)).collect()
}

/// How many columns at the start of a header line are ours: none, unless we wrote the file.
pub(super) fn columns_of_ours(header: Cells<'_>) -> usize {
    let is = |at: usize, name: &str| {
        let number = header_key(header.get(at)).strip_prefix(name).map(str::to_owned);
        number.is_some_and(|n| n.is_empty() || n.strip_prefix('_').is_some_and(|n| n.parse::<u32>().is_ok()))
    };
    let all = |names: &[&str]| names.iter().enumerate().all(|(at, name)| is(at, name));
    [&OURS[..], &OURS[1..]].into_iter().find(|names| all(names)).map_or(0, <[&str]>::len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_headers_make_room_for_theirs() {
        let theirs = ["Line".to_owned(), "name".to_owned()];
        assert_eq!(own_headers(&theirs, false), ["line 2", "problem", "advice"]);
        assert_eq!(own_headers(&[], true), ["file", "line", "problem", "advice"]);
    }
}
