//! Cells in which nothing stands though they are not empty: what went wrong in a spreadsheet or an export, and blanks
//! that nobody filled in. A person's name must never be among them: `Null`, `Nan`, `Na` and `X` are names.

/// What spreadsheets and exports leave behind when something went wrong.
const EXPORT_ERRORS: &[&str] = &["NULL", "null", "nan", "NaN", "NAN", "undefined", "#N/A", "#GETTING_DATA"];
/// What people write who mean to come back.
const LATER: &[&str] = &[
    "tbd",
    "tba",
    "tbc",
    "n/a",
    "n.a.",
    "unknown",
    "not applicable",
    "not available",
    "not provided",
    "to be determined",
];
/// As long as the longest of them.
const LATER_BYTES_MAX: usize = 16;
/// What stands between parentheses where something is to be put: `(name)`. `(Jr.)` is not among it.
const TO_PUT: &[&str] = &[
    "name",
    "title",
    "address",
    "city",
    "town",
    "date",
    "signature",
    "email",
    "e-mail",
    "zip",
    "postcode",
    "blank",
    "here",
    "street",
    "surname",
    "phone",
    "state",
];

/// Whether a cell is the fault of a formula or an export.
pub(super) fn is_export_error(cell: &str) -> bool {
    let is_fault = |inside: &str| {
        inside.len() >= 2
            && inside.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || matches!(b, b'/' | b'_'))
    };
    let of_excel = cell.strip_prefix('#').and_then(|rest| rest.strip_suffix(['!', '?'])).is_some_and(is_fault);
    let of_libreoffice =
        cell.strip_prefix("Err:").is_some_and(|n| n.len() == 3 && n.bytes().all(|b| b.is_ascii_digit()));
    let is_too_narrow = cell.len() >= 3 && cell.bytes().all(|b| b == b'#');
    EXPORT_ERRORS.contains(&cell) || of_excel || of_libreoffice || is_too_narrow
}

/// Whether a cell is a blank that was not filled in.
pub(super) fn is_unfilled(cell: &str) -> bool {
    let cell = cell.trim();
    if cell.is_empty() {
        return false;
    }
    let is_line =
        |c: char| matches!(c, '_' | '.' | '-' | '?' | '*' | '…' | '–' | '—' | '/' | '\\' | '~' | ' ' | '\u{a0}');
    let is_crosses = cell.len() >= 3 && cell.bytes().all(|b| matches!(b, b'x' | b'X'));
    let is_later = || cell.len() <= LATER_BYTES_MAX && LATER.iter().any(|word| word.eq_ignore_ascii_case(cell));
    let has_line = || cell.contains('_') && cell.contains("___"); // the first look is the cheaper one
    let is_enclosed = || cell.starts_with(['[', '<', '«', '(']) && is_to_put(&cell.to_lowercase());
    cell.chars().all(is_line) || is_crosses || has_line() || is_later() || is_enclosed()
}

/// `[NAME]`, `<<Name>>`, `«Name»`, `(your name)`.
fn is_to_put(lower: &str) -> bool {
    let between = |open: &str, close: &str| lower.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
    let asks = |inside: &str| inside.split_whitespace().any(|word| TO_PUT.contains(&word) || word == "insert");
    let is_one = |inside: &str, close: char| !inside.trim().is_empty() && !inside.contains(close);
    between("<<", ">>").is_some()
        || between("[", "]").is_some_and(|inside| is_one(inside, ']'))
        || between("«", "»").is_some_and(asks)
        || between("(", ")").is_some_and(|inside| is_one(inside, ')') && asks(inside))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_and_blanks_are_told_from_what_people_write() {
        for fault in
            ["NULL", "#N/A", "#REF!", "#NAME?", "#DIV/0!", "#SPILL!", "Err:502", "########", "nan", "undefined"]
        {
            assert!(is_export_error(fault), "{fault}");
        }
        for blank in [
            "____",
            "__ __",
            ".....",
            "…",
            "???",
            "-",
            "--",
            "—",
            "xxx",
            "XXXX",
            "TBD",
            "tba",
            "n/a",
            "N/A",
            "N.A.",
            "[NAME]",
            "[First Name]",
            "[redacted]",
            "(name)",
            "(Your Name)",
            "(insert address here)",
            "<<Name>>",
            "«First name»",
            "Jane ____",
            "Unknown",
            "*",
            ".",
        ] {
            assert!(is_unfilled(blank), "{blank}");
        }
        for value in [
            "",
            "Null",
            "Nan",
            "Na",
            "X",
            "Xx",
            "Malcolm X",
            "O'Neil",
            "Smith (Jr.)",
            "(Bob)",
            "J.",
            "A. B.",
            "Jane-Ann",
            "{{ config }}",
            "<script>",
            "«Bob»",
            "🎈",
            "Tbilisi",
            "[1] and [2]",
            "None",
            "Main St #4",
            "St. Name",
            "Xxavier",
            "#1",
        ] {
            assert!(!is_unfilled(value) && !is_export_error(value), "{value}");
        }
    }
}
