//! The table of postcodes: it joins those who give no jurisdiction, and never those of whom it is not certain.

use undersigned::contacts::Row;
use undersigned::model::Role;

use crate::support::{Files, HEADER, MAYOR, joined, notes, refusals, rows, signer, with_mayor};

const TABLE: &str = "postcode,jurisdiction\n60120,ELGIN\n01001,Agawam\n60601,Chicago\n60601-1234,Elgin\nSW1A 1AA,Elgin\n60999,Elgin\n60999,Alton\n60998,Elgin\n60998,elgin\n";

fn by_postcode(postcode: &str) -> Files {
    let row = signer("jurisdiction", "").replace("60120", postcode);
    with_mayor(&row).with_postcodes(TABLE)
}

#[test]
fn a_postcode_joins_and_the_letter_shows_the_jurisdiction_of_the_table() {
    for postcode in ["60120", " 60120 ", "60120-0007", "601200007", "60601-1234", "sw1a1aa", "60998"] {
        let survey = by_postcode(postcode).survey();
        let rows = rows(&survey);
        let Row::Joined { officials, constituent, by_postcode: true, alias: None, .. } = &rows[0] else {
            panic!("{postcode}: {rows:?}");
        };
        assert_eq!(officials, &[0]);
        assert!(constituent.jurisdiction.eq_ignore_ascii_case("elgin"), "{postcode}");
    }
}

#[test]
fn what_the_table_leaves_open_is_listed_and_never_joined() {
    for (postcode, expected) in [
        (
            "60999",
            "postcode “60999”: this postcode is in several jurisdictions: ELGIN, Alton; fill in the jurisdiction",
        ),
        ("99999", "this postcode is not in the table of postcodes; correct it, add it to the table"),
        ("1001", "if a leading zero is lost and “01001” (Agawam) is meant, write it so"),
        ("01001", "the table has “Agawam” for this postcode, which no official has"),
        ("60601-9999", "the table has “Chicago” for this postcode, which no official has"),
        ("60120, 60121", "not in the table"),
        ("", "the cell is empty; fill it in"),
    ] {
        let survey = by_postcode(postcode).survey();
        assert_eq!(joined(&survey).len(), 0, "{postcode}");
        let told: String = refusals(&survey).iter().map(ToString::to_string).collect();
        assert!(told.contains(expected), "{postcode}: {told}");
    }
}

#[test]
fn a_jurisdiction_that_is_filled_in_counts_and_the_table_only_disagrees() {
    let people = signer("", "")
        + &signer("name", "Cy").replace("60120", "01001")
        + &signer("name", "Di").replace("60120", "60999");
    let survey = with_mayor(&people).with_postcodes(TABLE).survey();
    assert_eq!(joined(&survey).len(), 3);
    let told = notes(&survey);
    assert!(told.contains("the jurisdiction is another than the one that the table has for the postcode"), "{told}");
    assert!(told.contains("(line 4)"), "{told}");
    let accepted = with_mayor(&signer("jurisdiction", "City of Elgin")).with_postcodes(TABLE);
    let survey = accepted.aliased("written,means\nCity of Elgin,Elgin\n").survey();
    assert_eq!(notes(&survey), "", "an accepted spelling is no disagreement");
}

#[test]
fn a_file_of_constituents_needs_no_jurisdiction_then_and_officials_do() {
    let signers = "name,email,postcode\nBen,b@x.example,60120\n";
    let files = |officials: &str| {
        let files = Files::new().and("officials.csv", Some(Role::Official), officials);
        files.and("signers.csv", Some(Role::Constituent), signers)
    };
    let officials = "title,name,email,jurisdiction\nMayor,Ana,a@x.example,Elgin\n";
    assert_eq!(joined(&files(officials).with_postcodes(TABLE).survey())[0].jurisdiction, "ELGIN");
    assert!(files(officials).faults().contains("signers.csv, line 1: there is no column “jurisdiction”"));
    let without = files("title,name,email\nMayor,Ana,a@x.example\n").with_postcodes(TABLE).faults();
    assert!(without.contains("officials.csv, line 1: there is no column “jurisdiction”"), "{without}");
    let empty = with_mayor("official,Mayor,Bo,bo@x.example,,,60120,,\n").with_postcodes(TABLE).survey();
    assert!(refusals(&empty)[0].to_string().contains("jurisdiction: the cell is empty"));
}

#[test]
fn the_columns_of_the_table_go_by_the_names_that_people_give_them() {
    for header in ["ZIP,City", "Zip Code,Town", "Postal code,Municipality", "note,Postcode,Jurisdiction"] {
        let first = if header.starts_with("note") { "x,60120,Elgin" } else { "60120,Elgin" };
        let survey = with_mayor(&signer("jurisdiction", "")).with_postcodes(&format!("{header}\n{first}\n")).survey();
        assert_eq!(joined(&survey).len(), 1, "{header}");
    }
}

#[test]
fn every_bad_line_of_the_table_is_named() {
    for (table, expected) in [
        (
            "postcode,jurisdiction\n60120,Elgin\n,Elgin\n60121,\nnone at all,Elgin\n",
            &["line 3: there is nothing in the column postcode", "line 4: there is nothing in the column jurisdiction"]
                [..],
        ),
        (
            "postcode,jurisdiction\n12345678901234,Elgin\n\"60120/60121\",Elgin\n",
            &["line 2: “12345678901234” is no postcode", "line 3: “60120/60121” is no postcode"],
        ),
        ("postcode;jurisdiction\n", &["it has no postcodes"]),
        ("code,place\n1,2\n", &["must name the columns “postcode” and “jurisdiction” (it has: code, place)"]),
        ("", &["it is empty"]),
    ] {
        let faults = with_mayor(&signer("", "")).with_postcodes(table).faults();
        for expected in expected {
            assert!(faults.contains(expected), "{expected} is not in:\n{faults}");
        }
    }
    let mut files = with_mayor(&signer("", ""));
    files.settings.postcodes = Some(files.path("absent.csv"));
    assert!(files.faults().contains("absent.csv: there is no such file"));
}

#[test]
fn a_large_table_is_read_in_moments() {
    use std::fmt::Write as _;
    let mut table = String::from("postcode;jurisdiction\n");
    for n in 0..60_000 {
        writeln!(table, "{n:05};Town {}", n % 3_000).unwrap();
    }
    let town = MAYOR.replace("Elgin,,", "Town 7,,");
    let files = Files::one(format!("{HEADER}{town}{}", signer("jurisdiction", "").replace("60120", "00007")));
    assert_eq!(joined(&files.with_postcodes(&table).survey())[0].jurisdiction, "Town 7");
}
