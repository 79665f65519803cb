//! Single rows: what is refused, what is normalised, what is noted and left alone.

use crate::support::{Files, joined, notes, refusals, signer, with_mayor};

#[test]
fn rows_that_cannot_be_used_are_listed_with_line_column_and_advice() {
    let long = |n: usize| "y".repeat(n);
    for (row, expected) in [
        ("constituent,,Ben\n".to_owned(), "line 3: the row has 3 cells and the header has 9"),
        (signer("", "").replace("\"\"\n", "\"\",surplus\n"), "the row has 10 cells"),
        (signer("", "").replace("\"Ben Baker\"", "\"Ben\" Baker"), "text follows a closing quotation mark"),
        (signer("note", &long(65 * 1024)), "a cell is longer than 64 KiB"),
        (signer("", "").replace('\n', &",x".repeat(200)) + "\n", "more than 200 cells"),
        (signer("role", "reporter"), "role “reporter”: the role is neither official nor constituent; write"),
        (signer("role", ""), "the role is neither"),
        (signer("name", ""), "line 3, name: there is no name; fill it in"),
        (signer("name", "A\r\nBcc: x@evil.example"), "control character"),
        (signer("name", "a\u{202e}b"), "name “a·b”: it has invisible characters"),
        (signer("name", "a\u{200b}b"), "invisible"),
        (signer("name", &format!("a{}", "\u{301}".repeat(9))), "more than 8 marks"),
        (signer("name", &long(201)), "longer than 200"),
        (signer("name", "A\0B"), "control character"),
        (signer("email", ""), "email: there is no address; fill it in"),
        (signer("email", "a at x"), "email “a at x”"),
        (signer("email", "a@b"), "no dot"),
        (signer("email", "a@localhost"), "no dot"),
        (signer("email", "a@[127.0.0.1]"), "an IP address"),
        (signer("email", "\"a b\"@x.example"), "email"),
        (signer("email", "-a@x.example"), "leading hyphen"),
        (signer("email", "a%b@x.example"), "% and !"),
        (signer("email", &format!("{}@x.example", long(65))), "longer than 64"),
        (signer("email", "a..b@x.example"), "two in a row"),
        (signer("email", ".a@x.example"), "a dot at its start or end"),
        (signer("email", "a.@x.example"), "a dot at its start or end"),
        (signer("email", "a!b@x.example"), "% and !"),
        (signer("email", "a@x.example."), "email"),
        (signer("email", "a@x.com,b@x.com"), "several addresses; keep one"),
        (signer("email", "Name <a@x.example>"), "a name and an address"),
        (signer("email", "a@ex\u{430}mple.org"), "only look like"),
        (signer("email", "a@x\u{2044}y.example"), "only look like"),
        (signer("email", "a\r\nb@x.example"), "email"),
        (signer("jurisdiction", " "), "jurisdiction: the cell is empty; fill it in"),
        (signer("jurisdiction", "El\u{200d}gin"), "jurisdiction “El·gin”: it has an invisible character"),
        (signer("jurisdiction", "El\ngin"), "it has a line break or a tab"),
        (signer("jurisdiction", &long(201)), "longer than 200"),
        (signer("title", "Ms\tDr"), "title “Ms·Dr”: it has a line break or a tab"),
        (signer("address", "1 Main\u{202e} St"), "invisible"),
        (signer("address", &long(501)), "longer than 500"),
        (signer("postcode", "#N/A"), "postcode “#N/A”: a formula or an export went wrong"),
        (signer("signed_on", "#REF!"), "went wrong"),
        (signer("name", "NULL"), "went wrong"),
        (signer("email", "undefined"), "went wrong"),
        (signer("jurisdiction", "nan"), "went wrong"),
        (signer("title", "#VALUE!"), "went wrong"),
        (signer("address", "#NAME?"), "went wrong"),
        (signer("postcode", "#SPILL!"), "went wrong"),
        (signer("address", "Err:502"), "went wrong"),
        (signer("name", "J\u{fffd}rg M\u{fffd}ller"), "line 3, name “J\u{fffd}rg M\u{fffd}ller”: letters were garbled"),
        (signer("name", "J\u{c3}\u{b6}rg M\u{c3}\u{bc}ller"), "letters were garbled"),
        (signer("name", "Zo\u{eb} O\u{e2}\u{20ac}\u{2122}Hara"), "letters were garbled"),
        (signer("address", "1 Caf\u{c3}\u{a9} St"), "address “1 CafÃ© St”: letters were garbled"),
        (signer("jurisdiction", "Bj\u{c3}\u{b8}rn\u{f8}ya"), "letters were garbled"),
        (signer("note", "Please don\u{fffd}t"), "note “Please don\u{fffd}t”: letters were garbled"),
        (signer("note", "Please don\u{e2}\u{20ac}\u{2122}t"), "letters were garbled"),
        (signer("name", "____"), "line 3, name “____”: it is a blank that was not filled in; put the real value there"),
        (signer("name", "[NAME]"), "a blank that was not filled in"),
        (signer("name", "(name)"), "a blank that was not filled in"),
        (signer("name", "<<Name>>"), "a blank that was not filled in"),
        (signer("name", "xxx"), "a blank that was not filled in"),
        (signer("name", "TBD"), "a blank that was not filled in"),
        (signer("email", "n/a"), "a blank that was not filled in"),
        (signer("jurisdiction", "???"), "a blank that was not filled in"),
        (signer("address", "....."), "a blank that was not filled in"),
        (signer("title", "-"), "a blank that was not filled in"),
        (signer("note", &long(2001)), "longer than 2000"),
        (signer("note", "a\u{7}"), "control character"),
    ] {
        let good = signer("name", "Cy After");
        let survey = with_mayor(&format!("{row}{good}")).survey();
        let problems = refusals(&survey);
        assert_eq!(problems.len(), 1, "{expected}: {problems:?}");
        let told = problems[0].to_string();
        assert!(told.contains(expected), "{expected}: {told}");
        assert_eq!(problems[0].line, 3, "{told}");
        assert!(!problems[0].advice.is_empty() && told.chars().count() < 400, "{told}");
        assert_eq!(survey.problems().kept(), problems, "both readings agree");
        assert_eq!(joined(&survey).len(), 1, "the next row is used: {expected}");
    }
}

#[test]
fn faults_and_blanks_in_other_columns_refuse_a_row_only_where_the_letter_uses_them() {
    for cell in ["#N/A", "NULL", "____", "[WARD]"] {
        let text = format!(
            "role,name,email,jurisdiction,Ward No.,shoe size\nofficial,A,a@x.example,Elgin,,\nconstituent,B,b@x.example,Elgin,{cell},9\n"
        );
        assert_eq!(joined(&Files::one(&text).survey())[0].extra["ward_no"], cell);
        let mut files = Files::one(&text);
        files.settings.used = ["ward_no".to_owned()].into();
        let problems = refusals(&files.survey());
        assert_eq!(problems.len(), 1, "{cell}");
        assert!(problems[0].to_string().contains("line 3, Ward No."), "{}", problems[0]);
        let mut files = Files::one(&text);
        files.settings.used = ["shoe_size".to_owned()].into();
        assert_eq!(joined(&files.survey()).len(), 1, "{cell}");
    }
}

#[test]
fn a_row_tells_everything_that_is_wrong_with_it() {
    let survey = with_mayor("constituent,,,b,,#N/A,,,\n").survey();
    let columns: Vec<_> = refusals(&survey).into_iter().filter_map(|p| p.column).collect();
    assert_eq!(columns, ["jurisdiction", "name", "email", "address"]);
    assert_eq!((survey.problems().count(), survey.problems().rows()), (4, 1));
}

#[test]
fn a_record_over_a_megabyte_is_refused_and_the_next_one_used() {
    let heavy = "constituent,".to_owned() + &["x".repeat(60_000).as_str(); 20].join(",") + "\n";
    let survey = with_mayor(&(heavy + &signer("", ""))).survey();
    assert!(refusals(&survey)[0].to_string().contains("longer than 1 MiB"));
    assert_eq!(joined(&survey).len(), 1);
}

#[test]
fn what_only_looks_odd_is_accepted_as_written() {
    for (column, cell) in [
        ("name", "Doe, Jane"),
        ("name", "Smith (Jr.)"),
        ("name", "\"Bob\""),
        ("name", "O'Neil"),
        ("name", "Cher"),
        ("name", &"é".repeat(200)),
        ("name", "Null"),
        ("name", "Nan"),
        ("name", "Zoë 🎈"),
        ("name", "محمد"),
        ("name", "{{ config }}"),
        ("name", "{% raw %}"),
        ("name", "<script>alert(1)</script>"),
        ("name", "=HYPERLINK(\"http://x.example\",\"y\")"),
        ("name", "'); DROP TABLE letters; --"),
        ("name", "\u{560d}\u{760a}"),
        ("email", "jane.doe+letters@mail.example"),
        ("email", "jürgen@x.example"),
        ("email", "\u{560d}\u{760a}@x.example"),
        ("address", "1 Main St\nElgin\tIL"),
        ("note", "NULL and void"),
        ("note", "first line\n\nlast line 👩\u{200d}👧"),
        ("title", "{{ x }}"),
    ] {
        let survey = with_mayor(&signer(column, cell)).survey();
        let people = joined(&survey);
        assert_eq!(people.len(), 1, "{cell}: {:?}", survey.problems().kept());
        let (name, mailbox) = (people[0].name.to_string(), people[0].mailbox.to_string());
        let read = match column {
            "name" => &name,
            "email" => &mailbox,
            "address" => &people[0].address,
            "title" => &people[0].title,
            _ => &people[0].note,
        };
        assert_eq!(read, cell);
    }
}

#[test]
fn spaces_line_ends_and_unicode_forms_are_normalised() {
    let row =
        signer("note", "one\r\ntwo\rthree").replace("Ben Baker", " Zoe\u{308} ").replace("ben@x", " ben@M\u{fc}ller");
    let survey = with_mayor(&row.replace("Elgin", "  ELGIN ")).survey();
    let people = joined(&survey);
    assert_eq!(people[0].name.as_str(), "Zo\u{eb}");
    assert_eq!(people[0].mailbox.as_str(), "ben@xn--mller-kva.example");
    assert_eq!(people[0].note, "one\ntwo\nthree");
    assert_eq!(people[0].jurisdiction, "ELGIN");
    assert!(notes(&survey).contains("put together (Unicode NFC) (line 3)"), "{}", notes(&survey));
}

#[test]
fn postcodes_and_dates_that_excel_may_have_changed_are_noted_and_left_alone() {
    let rows: String = ["60120", "60121", "60122", "2134"]
        .iter()
        .zip(["2026-03-04", "03/04/2026", "45722", "13/04/2026"])
        .enumerate()
        .map(|(i, (code, date))| signer("name", &format!("P{i}")).replace("60120", code).replace("2026-03-04", date))
        .collect();
    let survey = with_mayor(&rows).survey();
    for expected in [
        "a leading zero may be lost; it is used as written (line 6)",
        "March or April; it is used as written (line 4)",
        "bare number, as Excel stores dates; it is used as written (line 5)",
    ] {
        assert!(notes(&survey).contains(expected), "{expected}: {}", notes(&survey));
    }
    let last = joined(&survey).pop().unwrap();
    assert_eq!((last.postcode.as_str(), last.signed_on.as_str()), ("2134", "13/04/2026"));
}

#[test]
fn rows_of_only_delimiters_are_skipped_and_counted_and_lines_stay_right() {
    let survey = with_mayor(&format!(",,,,,,,,\n\n  ,\n{}{}", signer("note", "a\nb"), signer("name", ""))).survey();
    assert_eq!(survey.blank_rows(), 3);
    assert_eq!(refusals(&survey)[0].line, 8);
    assert_eq!(survey.problems().kept()[0].line, 8);
}
