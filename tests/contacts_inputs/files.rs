//! Files as a whole: their form, their encoding, their headers.

use std::fs;
use std::path::PathBuf;

use undersigned::contacts::{ContactsError, ContactsFile};
use undersigned::model::Role;

use crate::support::{Files, HEADER, MAYOR, joined, notes, refusals, signer, with_mayor};

#[test]
fn files_of_every_usual_form_give_the_same_people() {
    let plain = format!("{HEADER}{MAYOR}{}", signer("", ""));
    let delimited = |d: &str| plain.replace("\",\"", &format!("\"{d}\"")).replace(',', d);
    let wide = plain.replace('\n', ",,,\n");
    for (what, content, note) in [
        ("plain", plain.clone(), ""),
        ("no line end at the end", plain.trim_end().to_owned(), ""),
        ("byte-order mark", format!("\u{feff}{plain}"), ""),
        ("CRLF", plain.replace('\n', "\r\n"), ""),
        ("CR", plain.replace('\n', "\r"), ""),
        ("semicolons", delimited(";"), "“;”"),
        ("bars", delimited("|"), "“|”"),
        ("tabs", delimited("\t"), "tabs"),
        ("sep= line", format!("sep=;\r\n{}", delimited(";")), "“;”"),
        ("byte-order mark and sep= line", format!("\u{feff}sep=|\n{}", delimited("|")), "“|”"),
        ("trailing empty columns", wide, ""),
        ("blank rows before the header", format!("\n,,\n{plain}"), ""),
        ("case and spaces in headers", plain.replace("signed_on", " Signed On ").replace("role", "ROLE"), ""),
        ("invisible characters in headers", plain.replace("email", "\u{200b}email\u{a0}"), "header “email”"),
    ] {
        let survey = Files::one(&content).survey();
        let people = joined(&survey);
        assert_eq!(people.len(), 1, "{what}");
        assert_eq!((people[0].name.as_str(), people[0].signed_on.as_str()), ("Ben Baker", "2026-03-04"), "{what}");
        assert_eq!(survey.officials()[0].official.name.as_str(), "Ana Adams", "{what}");
        assert!(survey.problems().is_empty(), "{what}");
        if note.is_empty() {
            assert_eq!(notes(&survey), "", "{what}");
        } else {
            assert!(notes(&survey).contains(note), "{what}: {}", notes(&survey));
        }
    }
}

#[test]
fn what_is_no_list_of_people_is_refused_with_what_it_is() {
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let half =
        [&b"\xff\xfe"[..], &wide(HEADER), &wide("official,,Hans,h@x.example,Elgin,\u{fffd}"), b"\x00\xd8,\0"].concat();
    let damaged = format!("{HEADER}official,,Zoë,z@x.example,Elgin,,,,\nofficial,,Chloé,c@x.example,Elgin,Café,,,\n");
    let damaged = [damaged.as_bytes(), b"official,,Hans M\xfcller,h@x.example,Elgin,,,,\n"].concat();
    let doubtful = [HEADER.as_bytes(), b"official,,Hans Schr\x9ader,h@x.example,Elgin,,,,\n"].concat();
    for (content, expected) in [
        (&b""[..], "it is empty"),
        (b"\xef\xbb\xbf\n", "it is empty"),
        (b"\xff\xfe", "it is empty"),
        (HEADER.as_bytes(), "no people"),
        (format!("{}\nx\n", vec!["x"; 201].join(",")).as_bytes(), "more than 200 columns"),
        (format!("{}\nx\n", "name,".repeat(2) + &"y".repeat(70_000)).as_bytes(), "a header is longer than 64 KiB"),
        (b"PK\x03\x04\x14\0\0\0letter.txt", "damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ".xls"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"%PDF-1.7", "PDF"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"{\\rtf1\\ansi", ".rtf"),
        (b"<?xml version='1.0'?><Workbook/>", "XML"),
        (&[0, 0, 0, 0, 1, 0, 0], "no text at all"),
        (&damaged, "line 4: it is not UTF-8 in the column name (byte 0xFC"),
        (&half, "line 2: it is not UTF-16LE in the column address"),
        (&doubtful, "line 2, “Schršder” as windows-1252, “Schröder” as macintosh"),
    ] {
        let faults = Files::one(content).faults();
        assert!(faults.contains(expected), "{expected}: {faults}");
    }
}

#[test]
fn text_in_other_encodings_is_read_and_said_with_samples() {
    let text = format!("{HEADER}{MAYOR}{}", signer("name", "Chloé Müller"));
    let latin: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let mac: Vec<u8> = latin
        .iter()
        .map(|b| match b {
            0xe9 => 0x8e,
            0xfc => 0x9f,
            b => *b,
        })
        .collect();
    let late = [
        format!("{HEADER}{MAYOR}").as_bytes(),
        signer("email", "").repeat(3_000).as_bytes(),
        &latin[HEADER.len() + MAYOR.len()..],
    ]
    .concat();
    for (what, content, told) in [
        ("Windows-1252", latin, "read as windows-1252: “Chloé”, “Müller”"),
        ("the first ü far below", late, "read as windows-1252: “Chloé”, “Müller”"),
        ("Mac Roman", mac, "read as macintosh: “Chloé”, “Müller”"),
        ("UTF-16 LE", [b"\xff\xfe", &wide[..]].concat(), "read as UTF-16LE"),
        ("UTF-16 BE", [b"\xfe\xff", &big[..]].concat(), "read as UTF-16BE"),
        ("UTF-16 LE without a mark", wide, "read as UTF-16LE"),
        ("UTF-16 BE without a mark", big, "read as UTF-16BE"),
    ] {
        let survey = Files::one(content).survey();
        assert_eq!(joined(&survey)[0].name.as_str(), "Chloé Müller", "{what}");
        assert!(notes(&survey).contains(told), "{what}: {}", notes(&survey));
    }
}

#[test]
fn the_encoding_and_the_delimiter_can_be_named() {
    let doubtful =
        [HEADER.as_bytes(), MAYOR.as_bytes(), b"constituent,,Hans Schr\x9ader,h@x.example,Elgin,,,,\n"].concat();
    for (label, name) in
        [("macintosh", "Hans Schröder"), ("Windows-1252", "Hans Schršder"), ("latin1", "Hans Schršder")]
    {
        let mut files = Files::one(&doubtful);
        files.settings.reading.encoding = Some(label.to_owned());
        let survey = files.survey();
        assert_eq!(joined(&survey)[0].name.as_str(), name, "{label}");
        assert!(notes(&survey).contains(name.split(' ').nth(1).unwrap()), "{}", notes(&survey));
    }
    for (label, expected) in [
        ("klingon", "there is no encoding “klingon”; some that there are: utf-8"),
        ("utf-8", "line 3: it is not UTF-8 in the column name (byte 0x9A"),
        ("shift_jis", "line 3: it is not Shift_JIS in the column name"),
    ] {
        let mut files = Files::one(
            doubtful.iter().map(|b| if *b == 0x9a && label == "shift_jis" { 0xff } else { *b }).collect::<Vec<_>>(),
        );
        files.settings.reading.encoding = Some(label.to_owned());
        let faults = files.faults();
        assert!(faults.contains(expected), "{label}: {faults}");
    }
    let mut files =
        Files::one("role:name:email:jurisdiction\nofficial:A:a@x.example:Elgin\nconstituent:B:b@x.example:Elgin\n");
    assert!(files.faults().contains("say what separates them"));
    files.settings.reading.delimiter = Some('"');
    assert!(files.faults().contains("a delimiter is one character"));
    files.settings.reading.delimiter = Some(':');
    assert_eq!(joined(&files.survey()).len(), 1);
}

#[test]
fn a_folder_a_pipe_and_nothing_at_all_are_refused() {
    let mut files = Files::new();
    assert!(files.faults().contains("no contact file is named"));
    let fault_of = |files: &mut Files, path: PathBuf| {
        files.settings.files = vec![ContactsFile::with_role_column(path)];
        files.faults()
    };
    let (folder, absent, pipe) = (files.path(""), files.path("absent.csv"), files.path("pipe"));
    assert!(fault_of(&mut files, folder).contains("a folder"));
    assert!(fault_of(&mut files, absent).contains("no such file"));
    if std::process::Command::new("mkfifo").arg(&pipe).status().is_ok_and(|s| s.success()) {
        assert!(fault_of(&mut files, pipe).contains("a pipe"));
    }
}

#[test]
fn every_problem_of_the_headers_is_told_at_once() {
    let files = Files::one("name,Name,note,loop,Letters\nx,x,x,x,x\n").and(
        "officials.csv",
        Some(Role::Official),
        "name\nAna\n",
    );
    let faults = files.mapped("emial", "Mail").mapped("title", "Anrede").joined_by("name").faults();
    for expected in [
        "contacts.csv, line 1: the column “Name” is there twice",
        "cannot be called “loop”",
        "cannot be called “Letters”",
        "no column “role”",
        "no column “email”",
        "the file has: name, Name, note, loop, Letters",
        "officials.csv, line 1: there is no column “email”",
        "“emial” is not a column of ours (did you mean “email”?)",
        "no file has the column “Anrede”, which is named for title",
        "match_key cannot be “name”",
    ] {
        assert!(faults.contains(expected), "{expected} is not in:\n{faults}");
    }
}

#[test]
fn a_file_without_headers_is_recognised_and_its_people_are_not_shown() {
    let faults = Files::one("constituent,,Ben Baker,ben@x.example,Elgin,,,,\n").faults();
    assert!(faults.contains("looks like a person"), "{faults}");
    assert!(!faults.contains("Ben"), "{faults}");
}

#[test]
fn a_quote_that_is_not_closed_refuses_the_file_and_names_its_line() {
    for (rows, line) in [
        ("constituent,,\"Ben,ben@x.example,Elgin,,,,\nconstituent,,Cy,cy@x.example,Elgin,,,,\n", 3),
        (
            "constituent,,Ben,ben@x.example,Elgin,,,,\nconstituent,,\"Cy,c@x.example,Elgin,,,,\nconstituent,,\"Di\",d@x.example,Elgin,,,,\n",
            4,
        ),
    ] {
        let faults = with_mayor(rows).faults();
        assert!(faults.contains(&format!("line {line}: a quotation mark opens here")), "{faults}");
    }
}

#[test]
fn quotes_that_swallow_whole_rows_refuse_the_file_though_the_cells_come_out_even() {
    let ben = "constituent,,Ben,ben@x.example,Elgin,\"1 Main St,60120,2026-03-04,\n";
    let cy = "constituent,,Cy,cy@x.example,Elgin,2 Main St,60120,2026-03-04,\n";
    let di = "constituent,,Di,di@x.example,Elgin,Flat 3\",60120,2026-03-04,\n";
    for rows in [
        format!("{ben}{di}"),
        format!("{ben}{cy}{cy}{di}"),
        format!("{ben}{cy}{di}").replace('\n', "\r\n"),
        "constituent,,\"Ben,ben@x.example,Elgin,,,,\nconstituent,,Di\",di@x.example,Elgin,,,,\n".to_owned(),
        "constituent,,Ben,ben@x.example,Elgin,,,,\"hi\nconstituent,,Di,di@x.example,Elgin,,,,bye\"\n".to_owned(),
        "constituent,,Ben,\"ben@x.example,Elgin,,,,\nconstituent,,Di,di@x.example\",Elgin,,,,\n".to_owned(),
    ] {
        let faults = with_mayor(&rows).faults();
        assert!(faults.contains("line 3: a quotation mark opens here"), "{rows}: {faults}");
    }
    // Lines that people write are theirs.
    for note in ["a@b.example,\nc@d.example, e, f, g, h, i, j", "hi\nA, B, C, D, E, F, G, H, I", "1 Main St\nElgin, IL"]
    {
        assert_eq!(joined(&with_mayor(&signer("note", note)).survey()).len(), 1, "{note}");
    }
}

#[test]
fn a_title_above_the_headers_is_told_as_what_it_is() {
    let below = format!("{HEADER}{MAYOR}{}", signer("", ""));
    for (above, line) in [("Signatures to the mayors\n", 1), ("\n\nSignatures to the mayors,,,,,,,,\n,,\n", 3)] {
        let faults = Files::one(format!("{above}{below}")).faults();
        let told = format!("line {line}: only one cell is filled here, “Signatures to the mayors”, where the headers");
        assert!(faults.contains(&told), "{faults}");
        assert!(!faults.contains("which column") && !faults.contains("there is no column"), "{faults}");
    }
    let miscut = format!("sep=,\n{}", below.replace(',', ";"));
    let faults = Files::one(miscut).faults();
    assert!(faults.contains("delimiter = "), "{faults}");
}

#[test]
fn swapped_columns_refuse_the_file() {
    let swapped = HEADER.replace("name,email", "email,name") + MAYOR + &signer("", "") + &signer("name", "Cy");
    let faults = Files::one(swapped).faults();
    assert!(faults.contains("“name” and “email” are swapped"), "{faults}");
}

#[test]
fn unknown_columns_are_kept_under_names_that_templates_can_use() {
    let text = "role,name,email,jurisdiction,Ward No.,2nd choice,,x y\nofficial,A,a@x.example,Elgin,7,,,\nconstituent,B,b@x.example,Elgin,8,no,,\n";
    let survey = Files::one(text).survey();
    let person = &joined(&survey)[0];
    assert_eq!(person.extra.get("ward_no").map(String::as_str), Some("8"));
    assert_eq!(survey.officials()[0].official.extra.get("ward_no").map(String::as_str), Some("7"));
    for role in [Role::Official, Role::Constituent] {
        let fields = survey.known_fields(role);
        for field in ["name", "email", "title", "jurisdiction", "ward_no", "_2nd_choice", "x_y"] {
            assert!(fields.contains(field), "{field}");
        }
        assert!(!fields.contains("role"));
    }
    assert!(survey.known_fields(Role::Constituent).contains("postcode"));
    assert!(!survey.known_fields(Role::Official).contains("postcode"));
    assert!(notes(&survey).contains("the column number 7 is not used"));
}

#[test]
fn columns_can_be_named_otherwise_and_the_one_named_wins() {
    let files = Files::one(
        "Rolle,Full name,E-Mail (work),email,Ort\nofficial,A,a@x.example,private@x.example,Elgin\nconstituent,B,b@x.example,,Elgin\n",
    );
    let files = files
        .mapped("role", "rolle")
        .mapped("name", "full  NAME")
        .mapped("email", "E-Mail (work)")
        .mapped("jurisdiction", "Ort");
    let survey = files.survey();
    assert_eq!(joined(&survey)[0].mailbox.as_str(), "b@x.example");
    assert!(notes(&survey).contains("the column email is not used"));
}

#[test]
fn officials_and_constituents_may_come_from_two_files() {
    let files = Files::new()
        .and("officials.csv", Some(Role::Official), "name,email,jurisdiction,party\nAna,a@x.example,Elgin,Green\n")
        .and(
            "signers.csv",
            Some(Role::Constituent),
            "name;email;jurisdiction;petition\nBen;b@x.example;elgin;P1\nCy;;Elgin;\n",
        );
    let survey = files.survey();
    assert_eq!(joined(&survey)[0].name.as_str(), "Ben");
    assert_eq!((survey.officials()[0].file, survey.officials()[0].line), (0, 2));
    assert!(refusals(&survey)[0].to_string().contains("signers.csv, line 3, email"));
    assert!(survey.known_fields(Role::Official).contains("party"));
    assert!(!survey.known_fields(Role::Constituent).contains("party"));
    assert!(survey.known_fields(Role::Constituent).contains("petition"));
}

#[test]
fn a_file_that_changed_between_the_readings_is_refused() {
    let survey = with_mayor(&signer("", "")).survey();
    fs::write(survey.on_disk.path("contacts.csv"), format!("{HEADER}{MAYOR}")).unwrap();
    assert!(matches!(survey.rows(), Err(ContactsError::Changed { .. })));
}

#[test]
fn a_change_that_keeps_size_and_time_is_found_at_the_end() {
    let files = with_mayor(&signer("", ""));
    let survey = files.survey();
    let path = survey.on_disk.path("contacts.csv");
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    let text = fs::read_to_string(&path).unwrap().replace("1 Main St", "2 Main St");
    fs::write(&path, text).unwrap();
    fs::File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
    let rows: Vec<_> = survey.rows().unwrap().collect();
    assert!(matches!(rows.as_slice(), [Ok(_), Err(ContactsError::Changed { .. })]), "{rows:?}");
}
