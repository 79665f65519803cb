//! Files that spreadsheets wrote (`files/make.py` made them), and workbooks that are broken or bent on harm.

use std::fs;
use std::io::{Cursor, Read, Write};
use std::path::Path;

use proptest::prelude::*;
use undersigned::contacts::{ContactsError, Row, survey};

use crate::support::{Files, joined, notes, refusals, rows};

fn fixture(name: &str) -> Files {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contacts_inputs/files").join(name);
    Files::new().and(name, None, fs::read(path).unwrap())
}

#[test]
fn what_spreadsheets_write_gives_the_same_people_as_the_sheet_shows() {
    for (name, dates, told) in [
        ("openpyxl.xlsx", ["2026-03-04", "2026-03-04"], &["the sheet “Signers” was read", "hidden rows"][..]),
        ("libreoffice.xlsx", ["2026-03-04", "2026-03-04"], &["the sheet “Signers” was read", "hidden rows"]),
        ("libreoffice.ods", ["2026-03-04", "2026-03-04"], &["the sheet “Signers” was read", "hidden rows"]),
        ("xlsxwriter.xlsx", ["3/4/2026", "2026-03-04"], &["not written as the sheet shows it, but plainly"]),
        ("libreoffice-comma-utf8.csv", ["2026-03-04", "2026-03-04"], &[]),
        (
            "libreoffice-semicolon-1252.csv",
            ["2026-03-04", "2026-03-04"],
            &["“;”", "read as windows-1252: “Zoë”, “Müller”, “Chloé”"],
        ),
        ("libreoffice-tab-utf16.csv", ["2026-03-04", "2026-03-04"], &["tabs", "read as UTF-16LE"]),
        (
            "libreoffice-pipe-mac.csv",
            ["2026-03-04", "2026-03-04"],
            &["“|”", "read as macintosh: “Zoë”, “Müller”, “Chloé”"],
        ),
    ] {
        let survey = fixture(name).survey();
        let people = joined(&survey);
        let told_now = notes(&survey);
        assert_eq!(people.len(), 2, "{name}: {:?}", refusals(&survey));
        assert_eq!(survey.officials()[0].official.name.as_str(), "Zoë Müller", "{name}");
        let [chloe, jose] = people.as_slice() else { panic!("{name}") };
        assert_eq!(chloe.name.as_str(), "Chloé O’Neil", "{name}");
        assert_eq!(chloe.address, "1 Main St\nApt 2", "{name}");
        // LibreOffice loses the zero when it writes CSV, and nothing brings it back.
        let (code, visits) = if name.contains("csv") { ("1234", "1234567") } else { ("01234", "1,234,567") };
        assert_eq!((chloe.postcode.as_str(), jose.postcode.as_str()), (code, "60612"), "{name}");
        assert_eq!([chloe.signed_on.as_str(), jose.signed_on.as_str()], dates, "{name}");
        assert_eq!((chloe.note.as_str(), jose.note.as_str()), ("“Stop” & <go>", "TRUE"), "{name}");
        if !name.starts_with("xlsxwriter") {
            assert_eq!((chloe.extra["visits"].as_str(), jose.extra["visits"].as_str()), (visits, "50%"), "{name}");
        }
        for expected in told {
            assert!(told_now.contains(expected), "{name}: {expected} is not in {told_now}");
        }
        assert!(!told.is_empty() || told_now.is_empty(), "{name}: {told_now}");
    }
}

#[test]
fn a_fault_of_a_formula_refuses_its_row_and_names_the_row_of_the_sheet() {
    let survey = fixture("xlsxwriter.xlsx").survey();
    let told: Vec<String> = refusals(&survey).iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("line 5, address “#N/A”: a formula or an export went wrong"), "{told:?}");
    let survey = fixture("openpyxl.xlsx").survey();
    assert!(matches!(rows(&survey)[..], [Row::Joined { line: 3, .. }, Row::Joined { line: 4, .. }]));
}

#[test]
fn the_sheet_can_be_named_and_a_wrong_name_is_told_with_those_that_there_are() {
    for name in ["openpyxl.xlsx", "libreoffice.ods"] {
        let mut files = fixture(name);
        files.settings.reading.sheet = Some("lists".to_owned());
        assert!(files.faults().contains("no column"), "{name}: another sheet is read");
        files.settings.reading.sheet = Some("Sheet9".to_owned());
        let faults = files.faults();
        assert!(faults.contains("there is no sheet “Sheet9”; there are “Old”, “Signers”, “Lists”"), "{faults}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_damage_to_a_workbook_makes_it_panic(
        (name, part) in prop_oneof![
            Just(("libreoffice.ods", "content.xml")),
            Just(("openpyxl.xlsx", "xl/worksheets/sheet1.xml")),
            Just(("openpyxl.xlsx", "xl/styles.xml")),
            Just(("openpyxl.xlsx", "xl/sharedStrings.xml")),
            Just(("openpyxl.xlsx", "xl/workbook.xml")),
            Just(("openpyxl.xlsx", "xl/_rels/workbook.xml.rels")),
            Just(("openpyxl.xlsx", "")),
        ],
        damage in prop::collection::vec((any::<prop::sample::Index>(), 0..3_u8, prop::sample::select(b"<>/\"=&;0129aZ \xff".to_vec())), 1..40),
    ) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contacts_inputs/files").join(name);
        let bytes = fs::read(path).unwrap();
        let hurt = |mut bytes: Vec<u8>| {
            for (at, kind, byte) in &damage {
                let at = at.index(bytes.len());
                match kind {
                    0 => bytes[at] = *byte,
                    1 => drop(bytes.remove(at)),
                    _ => bytes.insert(at, *byte),
                }
            }
            bytes
        };
        let bytes = if part.is_empty() { hurt(bytes) } else { with_part(&bytes, part, hurt) };
        let files = Files::new().and(name, None, bytes);
        if let Ok(survey) = survey(&files.settings) {
            rows(&survey);
        }
    }
}

/// The same archive with one part changed.
fn with_part(bytes: &[u8], part: &str, change: impl Fn(Vec<u8>) -> Vec<u8>) -> Vec<u8> {
    let mut old = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut new = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for i in 0..old.len() {
        let mut file = old.by_index(i).unwrap();
        let name = file.name().unwrap().into_owned();
        let mut text = Vec::new();
        file.read_to_end(&mut text).unwrap();
        new.start_file(&name, zip::write::SimpleFileOptions::default()).unwrap();
        new.write_all(&if name == part { change(text) } else { text }).unwrap();
    }
    new.finish().unwrap().into_inner()
}

#[test]
fn a_workbook_that_changed_between_the_readings_is_refused() {
    let survey = fixture("openpyxl.xlsx").survey();
    let path = survey.on_disk.path("openpyxl.xlsx");
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contacts_inputs/files/libreoffice.xlsx"), path).unwrap();
    assert!(matches!(survey.rows(), Err(ContactsError::Changed { .. })));
}

/// A workbook of one sheet with these parts.
fn workbook(sheet: &str, strings: &str) -> Vec<u8> {
    let relation = |id: &str, kind: &str, target: &str| {
        format!("<Relationship Id=\"{id}\" Type=\"http://x/{kind}\" Target=\"{target}\"/>")
    };
    let links = relation("a", "worksheet", "sheet.xml") + &relation("b", "sharedStrings", "strings.xml");
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in [
        ("[Content_Types].xml", "<Types/>"),
        ("xl/workbook.xml", "<workbook><sheets><sheet name=\"S\" r:id=\"a\"/></sheets></workbook>"),
        ("xl/_rels/workbook.xml.rels", &format!("<Relationships>{links}</Relationships>")),
        ("xl/sheet.xml", sheet),
        ("xl/strings.xml", strings),
    ] {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn sheet(rows: &str) -> String {
    format!("<worksheet><sheetData>{rows}</sheetData></worksheet>")
}

#[test]
fn rich_and_strange_cells_are_read_as_their_text() {
    let header = ["role", "name", "email", "jurisdiction", "note"];
    let text = |cell: &str| format!("<c t=\"inlineStr\"><is><t>{cell}</t></is></c>");
    let header: String = header.map(text).concat();
    let official: String = ["official", "Ana", "a@x.example", "Elgin"].map(text).concat();
    let signer: String = ["constituent", "Ben", "b@x.example", "Elgin"].map(text).concat();
    let strings = "<sst uniqueCount=\"99999999999999999999\"><si/><si><r><t>two </t></r><r><rPr/><t>runs</t></r>\
                   <rPh><t>say</t></rPh></si><si><t>a_x000D_&#10;b &amp; &lt;c&gt;</t></si><si><t>&nope;</t></si></sst>";
    for (cell, expected) in [
        ("<c t=\"s\"><v>0</v></c>", ""),
        ("<c t=\"s\"><v>1</v></c>", "two runs"),
        ("<c t=\"s\"><v>2</v></c>", "a\nb & <c>"),
        ("<c t=\"str\"><f>\"x\"</f><v>made</v></c>", "made"),
        ("<c t=\"b\"><v>1</v></c>", "TRUE"),
        ("<c><v>1.5E+3</v></c>", "1500"),
        ("<c t=\"n\"><v>60612</v></c>", "60612"),
        ("<c t=\"d\"><v>2026-03-04T00:00:00</v></c>", "2026-03-04"),
        ("<c t=\"e\"><v>#SPILL!</v></c>", "#SPILL!"),
        ("<c r=\"E9\" t=\"inlineStr\"><is><t>placed</t></is></c>", "placed"),
        ("<c/><c/><c/>", ""),
    ] {
        let rows = format!(
            "<row r=\"3\">{header}</row><row r=\"7\">{official}</row><row r=\"9\">{signer}{cell}</row><row><c s=\"4\"/></row>"
        );
        let survey = Files::new().and("s.xlsx", None, workbook(&sheet(&rows), strings)).survey();
        let people = joined(&survey);
        assert_eq!(people.len(), 1, "{cell}: {:?}", refusals(&survey));
        assert_eq!(people[0].note, expected, "{cell}");
        assert_eq!(survey.officials()[0].line, 7, "{cell}");
    }
    let rows = format!("<row>{header}</row><row>{official}</row><row>{signer}<c t=\"s\"><v>3</v></c></row>");
    let survey = Files::new().and("s.xlsx", None, workbook(&sheet(&rows), strings)).survey();
    assert!(refusals(&survey)[0].to_string().contains("garbled"), "a character that nobody knows is no text");
}

#[test]
fn broken_locked_and_swollen_workbooks_are_refused_in_words() {
    let good = workbook(&sheet("<row><c><v>1</v></c></row>"), "<sst/>");
    let cut = &good[..good.len() / 2];
    let flat = |n: usize| "x".repeat(n);
    let deep = "<a>".repeat(100);
    let whole = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contacts_inputs/files/libreoffice.ods"));
    let locked = locked_ods(&whole.unwrap());
    let zipped = |name: &str| {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.finish().unwrap().into_inner()
    };
    for (what, bytes, expected) in [
        ("cut in half", cut.to_vec(), "the spreadsheet is damaged"),
        ("no archive at all", b"PK\x03\x04 and no more".to_vec(), "the spreadsheet is damaged"),
        ("no cells", workbook(&sheet(""), "<sst/>"), "no sheet that is shown has anything in it"),
        ("an endless text", workbook(&sheet(&flat(5_000_000)), "<sst/>"), "unpacks to far more"),
        ("an endless string", workbook(&sheet("<row><c><v>1</v></c></row>"), &flat(5_000_000)), "unpacks to far more"),
        ("endless depth", workbook(&sheet(&deep), "<sst/>"), "unpacks to far more"),
        ("a sheet that stops", workbook("<worksheet><sheetData><row><c><v>1</v></c>", "<sst/>"), "it ends too early"),
        (
            "no such string",
            workbook(&sheet("<row><c t=\"s\"><v>7</v></c></row>"), "<sst/>"),
            "a text that is not there",
        ),
        (
            "rows backwards",
            workbook(&sheet("<row r=\"9\"><c><v>1</v></c></row><row r=\"2\"><c><v>1</v></c></row>"), "<sst/>"),
            "not in order",
        ),
        ("a row beyond all", workbook(&sheet("<row r=\"4000000000\"><c><v>1</v></c></row>"), "<sst/>"), "not in order"),
        (
            "too many columns",
            workbook(&sheet("<row><c r=\"XFD1\"><v>1</v></c></row>"), "<sst/>"),
            "more than 200 columns",
        ),
        ("a password", locked, "locked with a password"),
        ("Word", zipped("word/document.xml"), "a Word document"),
        ("xlsb", zipped("xl/workbook.bin"), ".xlsb"),
        ("Numbers", zipped("Index/Document.iwa"), "Numbers"),
        ("an archive", zipped("letter.txt"), "a ZIP archive"),
    ] {
        let faults = Files::new().and("s.xlsx", None, bytes).faults();
        assert!(faults.contains(expected), "{what}: {faults}");
    }
}

/// The same spreadsheet with a manifest that says that its parts are encrypted.
fn locked_ods(bytes: &[u8]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let mut old = zip::ZipArchive::new(Cursor::new(bytes.to_vec())).unwrap();
    zip.raw_copy_file(old.by_name("mimetype").unwrap()).unwrap();
    zip.raw_copy_file(old.by_name("content.xml").unwrap()).unwrap();
    zip.start_file("META-INF/manifest.xml", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(b"<manifest><file-entry><encryption-data/></file-entry></manifest>").unwrap();
    zip.finish().unwrap().into_inner()
}

#[test]
fn a_sheet_of_the_other_format_repeats_hides_and_covers_cells() {
    let cell = |text: &str| {
        format!("<table:table-cell office:value-type=\"string\"><text:p>{text}</text:p></table:table-cell>")
    };
    let row = |cells: &[&str]| {
        format!("<table:table-row>{}</table:table-row>", cells.iter().map(|c| cell(c)).collect::<String>())
    };
    let content = format!(
        "<office:document-content><office:automatic-styles><style:style style:name=\"ta2\"><style:table-properties \
         table:display=\"false\"/></style:style></office:automatic-styles><table:table table:name=\"Old\" \
         table:style-name=\"ta2\">{}</table:table><table:table table:name=\"S\"><table:table-row \
         table:number-rows-repeated=\"3\"><table:table-cell table:number-columns-repeated=\"1024\"/></table:table-row>{}{}\
         <table:table-row><table:table-cell><text:p>constituent</text:p></table:table-cell>{}{}{}\
         <table:covered-table-cell><text:p>under</text:p></table:covered-table-cell>\
         <table:table-cell office:value=\"7\"/></table:table-row>\
         <table:table-row table:number-rows-repeated=\"1048000\"><table:table-cell/></table:table-row></table:table></office:document-content>",
        row(&["hidden"]),
        row(&["role", "name", "email", "jurisdiction", "note", "ward"]),
        row(&["official", "Ana", "a@x.example", "Elgin", "", ""]),
        cell("B<text:span>e</text:span>n<office:annotation><text:p>a remark</text:p></office:annotation>"),
        cell("b@x.example"),
        cell("<text:s/>Elgin"),
    );
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in [("mimetype", "application/vnd.oasis.opendocument.spreadsheet"), ("content.xml", &content)] {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    let survey = Files::new().and("s.ods", None, zip.finish().unwrap().into_inner()).survey();
    let people = joined(&survey);
    assert_eq!(people.len(), 1, "{:?}", refusals(&survey));
    assert_eq!((people[0].name.as_str(), people[0].note.as_str(), people[0].extra["ward"].as_str()), ("Ben", "", "7"));
    assert_eq!(survey.officials()[0].line, 5);
    assert!(notes(&survey).contains("plainly"), "{}", notes(&survey));
}
