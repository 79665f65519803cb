//! What a file is, and why it cannot be a letter. It must not read the letter itself.

use super::FILE_BYTES_MAX;

/// Why a file cannot be read as a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DraftError {
    /// Nothing to send.
    #[error("there is no text in it; is it the right file?")]
    Empty,
    /// Over [`FILE_BYTES_MAX`].
    #[error("it is larger than 1 MiB; take the pictures out, or save the letter as plain text")]
    TooLarge,
    /// Over [`super::TEXT_BYTES_MAX`].
    #[error("the letter is longer than 60 KiB; is it the right file?")]
    TooLong,
    /// A line over [`super::LINE_CHARS_MAX`].
    #[error("a paragraph is longer than 10,000 characters; is it the right file?")]
    LongLine,
    /// A kind of file that is known and not read.
    #[error("it is {what}; {advice}")]
    Kind {
        /// What the file is.
        what: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// Bytes that are no text.
    #[error("it is not a text file; save the letter as Word (.docx), plain text (.txt) or Markdown (.md)")]
    NotText,
    /// A Word file that cannot be opened or understood.
    #[error("the Word file cannot be read ({0}); open it in Word and save it again as .docx, or as plain text")]
    Damaged(&'static str),
}

/// How a file is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Markdown,
    Plain,
    Word,
}

const SAVE_AS: &str = "open it and save it as Word (.docx) or plain text (.txt)";

/// The first bytes of files that people take for letters.
const SIGNATURES: [(&[u8], &str, &str); 7] = [
    (b"{\\rtf", "an RTF file", SAVE_AS),
    (
        b"%PDF",
        "a PDF, which has lost what is a paragraph",
        "find the file that it was made from, a Word file or a text",
    ),
    (b"\xd0\xcf\x11\xe0", "an old Word file (.doc) or one with a password", SAVE_AS),
    (b"\x89PNG", "a picture", "type the letter, or find the file that the picture was made from"),
    (b"\xff\xd8\xff", "a picture", "type the letter, or find the file that the picture was made from"),
    (b"<!DOCTYPE", "a web page", "copy its text into a Word file or a plain text (.txt)"),
    (b"<html", "a web page", "copy its text into a Word file or a plain text (.txt)"),
];

pub(super) fn kind_of(name: &str, bytes: &[u8]) -> Result<Kind, DraftError> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err(DraftError::TooLarge);
    }
    for (start, what, advice) in SIGNATURES {
        if bytes.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start)) {
            return Err(DraftError::Kind { what, advice });
        }
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return archive(bytes);
    }
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
    match ending.as_str() {
        "md" | "markdown" => Ok(Kind::Markdown),
        "docx" => Err(DraftError::Damaged("it is no Word file inside")),
        _ => Ok(Kind::Plain),
    }
}

/// Word files, those of `LibreOffice` and spreadsheets are zip archives; each names its kind near its start.
fn archive(bytes: &[u8]) -> Result<Kind, DraftError> {
    let has = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    if has(b"word/document.xml") {
        Ok(Kind::Word)
    } else if has(b"vnd.oasis.opendocument.text") {
        Err(DraftError::Kind { what: "an OpenDocument letter (.odt)", advice: SAVE_AS })
    } else if has(b"xl/workbook") || has(b"vnd.oasis.opendocument.spreadsheet") {
        Err(DraftError::Kind { what: "a spreadsheet", advice: "give it with --contacts, and the letter with --letter" })
    } else {
        Err(DraftError::Kind { what: "an archive", advice: "take the letter out of it and give that file" })
    }
}
