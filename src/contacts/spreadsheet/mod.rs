//! A spreadsheet (.xlsx, .ods) → the cells of one of its sheets as CSV, in bounded memory.
//! This module must not know what the columns mean.

mod archive;
mod date_format;
mod number_format;
mod ods;
mod scratch;
mod shared_strings;
mod sheet;
mod xlsx;

use std::fs::File;

use super::error::FileFault;
use super::kind::{AS_WORKBOOK, not_a_table};
use archive::Archive;
use sheet::Sink;

pub(super) use sheet::SheetFacts;

/// The sheet that is wanted, or the first likely one, as CSV in a file without a name; and what there is to tell of it.
pub(super) fn as_csv(file: File, wanted: Option<&str>) -> Result<(File, SheetFacts), FileFault> {
    let mut archive = Archive::open(file)?;
    refuse_other_archives(&mut archive)?;
    let mut sink = Sink::new()?;
    if ods::is_one(&mut archive) {
        ods::read(&mut archive, wanted, &mut sink)?;
    } else {
        xlsx::read(&mut archive, wanted, &mut sink)?;
    }
    sink.finish()
}

/// Refuses an archive that is no spreadsheet.
fn refuse_other_archives(archive: &mut Archive) -> Result<(), FileFault> {
    if archive.has("xl/workbook.bin") {
        return Err(not_a_table("a binary Excel workbook (.xlsb)", AS_WORKBOOK));
    }
    if archive.has("word/document.xml") {
        return Err(not_a_table("a Word document", "name the list of people; a letter is no contact file"));
    }
    if archive.has("Index/Document.iwa") || archive.has("Index.zip") {
        return Err(not_a_table("a Numbers or Pages document", "export it from there as CSV or as Excel"));
    }
    if ods::is_one(archive) || archive.has("[Content_Types].xml") || archive.has("xl/workbook.xml") {
        return Ok(());
    }
    Err(not_a_table("a ZIP archive", "unpack it and name the file in it"))
}
