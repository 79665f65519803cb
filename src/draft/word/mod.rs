//! A Word file (.docx) → Markdown. It opens the archive and reads its parts, each of bounded size; it must not
//! follow anything that leads out of the file.

mod blocks;
mod document;
mod numbering;
mod paragraph;
mod xml;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use super::DraftError;

const ENTRIES_MAX: usize = 2_000;
const PART_BYTES_MAX: u64 = 8 * 1024 * 1024;

type Archive<'a> = zip::ZipArchive<Cursor<&'a [u8]>>;

pub(super) fn to_markdown(bytes: &[u8], notes: &mut Vec<String>) -> Result<String, DraftError> {
    let mut archive =
        zip::ZipArchive::new(Cursor::new(bytes)).map_err(|_| DraftError::Damaged("its archive is damaged"))?;
    if archive.len() > ENTRIES_MAX {
        return Err(DraftError::Damaged("it holds too many parts"));
    }
    let document = part(&mut archive, "word/document.xml")?.ok_or(DraftError::Damaged("it holds no letter"))?;
    let links = part(&mut archive, "word/_rels/document.xml.rels")?.map(|xml| links(&xml)).unwrap_or_default();
    let lists = part(&mut archive, "word/numbering.xml")?.map(|xml| numbering::read(&xml)).unwrap_or_default();
    let markdown = document::read(&document, &links, &lists, notes)?;
    if has_letterhead(&mut archive) {
        notes.push("the page's header and footer were left out; put what matters into the letter itself".to_owned());
    }
    Ok(markdown)
}

/// One part of the archive as text; nothing where there is none.
fn part(archive: &mut Archive<'_>, name: &str) -> Result<Option<String>, DraftError> {
    let Ok(file) = archive.by_name(name) else { return Ok(None) };
    let mut bytes = Vec::new();
    file.take(PART_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|_| DraftError::Damaged("its archive is damaged, or it has a password"))?;
    if bytes.len() as u64 > PART_BYTES_MAX {
        return Err(DraftError::Damaged("the letter in it is too large"));
    }
    let (text, _, damaged) = encoding_rs::UTF_8.decode(&bytes); // honours a UTF-16 mark, too
    if damaged {
        return Err(DraftError::Damaged("it is not written in Unicode"));
    }
    Ok(Some(text.into_owned()))
}

/// The addresses that links lead to, by their names in the document.
fn links(xml: &str) -> BTreeMap<String, String> {
    let mut links = BTreeMap::new();
    xml::elements(xml, |element| {
        let is_link = element.attribute("Type").is_some_and(|kind| kind.ends_with("/hyperlink"));
        if let (true, Some(id), Some(target)) = (is_link, element.attribute("Id"), element.attribute("Target")) {
            links.insert(id, target);
        }
    });
    links
}

fn has_letterhead(archive: &mut Archive<'_>) -> bool {
    let names: Vec<String> = archive
        .file_names()
        .filter_map(Result::ok)
        .filter(|name| name.starts_with("word/header") || name.starts_with("word/footer"))
        .map(Cow::into_owned)
        .take(12)
        .collect();
    names.iter().any(|name| part(archive, name).is_ok_and(|xml| xml.is_some_and(|xml| has_text(&xml))))
}

/// Whether there is any text between the tags.
fn has_text(xml: &str) -> bool {
    xml.split("<w:t").skip(1).any(|rest| {
        let text = rest.split_once('>').map_or("", |(_, text)| text).split('<').next().unwrap_or_default();
        text.contains(char::is_alphabetic)
    })
}
