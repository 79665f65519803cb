//! What a file is, by its first bytes, when it is not a list of people: said, with what to do.
//! This file must not read any cell.

use super::encoding;
use super::error::FileFault;

const AS_CSV: &str = "open it and save the sheet as “CSV UTF-8”";
pub(super) const AS_WORKBOOK: &str = "open it and save it as an Excel workbook (.xlsx)";

/// Whether the file is a ZIP archive, as spreadsheets are.
pub(super) fn is_archive(head: &[u8]) -> bool {
    head.starts_with(b"PK\x03\x04")
}

/// Refuses what is plainly no text, and says what it is.
pub(super) fn refuse_what_is_no_text(head: &[u8]) -> Result<(), FileFault> {
    let start = head.trim_ascii_start();
    let is_html = |tag: &[u8]| start.get(..tag.len()).is_some_and(|s| s.eq_ignore_ascii_case(tag));
    let nuls: usize = head.iter().map(|&b| usize::from(b == 0)).sum();
    let (is, advice) = match head {
        [] => return Err(FileFault::Empty),
        [0x1f, 0x8b, ..] => ("a gzip archive", "unpack it and name the file in it"),
        [0xd0, 0xcf, 0x11, 0xe0, ..] => {
            ("an old Excel workbook (.xls), or one that is locked with a password", AS_WORKBOOK)
        }
        [0x89, b'P', b'N', b'G', ..] | [0xff, 0xd8, 0xff, ..] | [b'G', b'I', b'F', b'8', ..] => {
            ("a picture", "name the spreadsheet or CSV file that it shows")
        }
        [b'%', b'P', b'D', b'F', ..] => ("a PDF", "name the spreadsheet or CSV file it was made from"),
        _ if is_html(b"<!doctype html") || is_html(b"<html") => ("a web page", "download the sheet itself as CSV"),
        _ if start.starts_with(b"<?xml") => ("a file of XML", AS_CSV),
        _ if start.starts_with(b"{\\rtf") => ("a text document (.rtf)", "put the list into a spreadsheet"),
        _ if nuls * 4 > head.len() && encoding::by_head(head).is_none() => ("no text at all", AS_CSV),
        _ => return Ok(()),
    };
    Err(not_a_table(is, advice))
}

/// The refusal of something else than a list of people.
pub(super) fn not_a_table(is: &'static str, advice: &'static str) -> FileFault {
    FileFault::NotText { is, advice }
}
