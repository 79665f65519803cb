//! The alias file: spellings that staff accepted, and nothing else, join besides equal keys.

use std::fs;

use undersigned::contacts::{Row, add_aliases};

use crate::support::{Files, HEADER, MAYOR, joined, notes, refusals, rows, signer, with_mayor};

const CHARLES: &str = "official,Mayor,Leo,leo@charles.example,St. Charles,,,,\n";

fn saint(aliases: &str) -> Files {
    with_mayor(&(CHARLES.to_owned() + &signer("jurisdiction", "SAINT  Charles"))).aliased(aliases)
}

#[test]
fn an_accepted_spelling_joins_and_the_letter_shows_what_the_constituent_wrote() {
    for aliases in [
        "written,means\nSaint Charles,St. Charles\n",
        "\u{feff}means;written;note\r\nst. CHARLES;saint charles;by Ana\r\n",
        "written,means\n# spellings of the county\nElgn,Elgin\n\nSaint Charles,St. Charles\nSaint Charles,ST. Charles\n",
    ] {
        let survey = saint(aliases).survey();
        let rows = rows(&survey);
        let Row::Joined { officials, alias: Some(alias), constituent, by_postcode: false, .. } = &rows[0] else {
            panic!("{aliases}: {rows:?}");
        };
        assert_eq!((officials.as_slice(), constituent.jurisdiction.as_str()), (&[1][..], "SAINT  Charles"));
        assert!(survey.aliases()[*alias].means.eq_ignore_ascii_case("St. Charles"));
    }
}

#[test]
fn no_alias_file_and_an_empty_one_are_none() {
    let mut files = saint("");
    assert!(matches!(rows(&saint("").survey())[0], Row::Unmatched { .. }));
    files.settings.aliases = Some(files.path("absent.csv"));
    assert!(matches!(rows(&files.survey())[0], Row::Unmatched { .. }));
}

#[test]
fn lines_that_would_lead_astray_are_refused_and_every_one_is_named() {
    let faults = saint(
        "written,means\nSaint Charles,St. Charles\nsaint charles,Elgin\nElgin,St. Charles\n,Elgin\nElgn,\n\"a\u{200b}b\",Elgin\n",
    )
    .faults();
    for expected in [
        "aliases.csv, line 3: “saint charles” is in line 2 with another meaning",
        "aliases.csv, line 4: an official has the jurisdiction “Elgin” itself, so it cannot mean “St. Charles”",
        "aliases.csv, line 5: there is nothing in the column written",
        "aliases.csv, line 6: there is nothing in the column means",
        "aliases.csv, line 7: written “a·b” cannot be right",
    ] {
        assert!(faults.contains(expected), "{expected} is not in:\n{faults}");
    }
    let faults = saint("spelling,town\nSaint Charles,St. Charles\n").faults();
    assert!(faults.contains("must name the columns “written” and “means” (it has: spelling, town)"), "{faults}");
}

#[test]
fn lines_without_effect_are_noted_and_those_they_concern_say_so() {
    let survey = saint("written,means\nSaint Charles,Karlstown\nELGIN,Old Elgin\nElgn,elgn\n").survey();
    let told = notes(&survey);
    assert!(told.contains("“Saint Charles” is said to mean “Karlstown”, which no official has"), "{told}");
    assert!(told.contains("the line for “ELGIN” has no effect"), "{told}");
    assert!(told.contains("the line for “Elgn” has no effect"), "{told}");
    let advice = &refusals(&survey)[0].advice;
    assert!(advice.contains("the alias file says that it means “Karlstown”"), "{advice}");
}

#[test]
fn an_alias_of_two_mayors_and_one_of_a_refused_row_join_nobody() {
    let two = format!("{CHARLES}{}", CHARLES.replace("Leo", "Lea").replace("leo@", "lea@"));
    let files = with_mayor(&(two + &signer("jurisdiction", "Saint Charles")));
    let rows_of = rows(&files.aliased("written,means\nSaint Charles,St. Charles\n").survey());
    assert!(matches!(rows_of[0], Row::Ambiguous { .. }), "{rows_of:?}");
    let refused = CHARLES.replace("Leo,", ",");
    let files = with_mayor(&(refused + &signer("jurisdiction", "Saint Charles")));
    let survey = files.aliased("written,means\nSaint Charles,St. Charles\n").survey();
    let told = refusals(&survey).iter().map(ToString::to_string).collect::<String>();
    assert!(told.contains("its official's row, line 3, is refused"), "{told}");
}

#[test]
fn aliases_do_not_lead_on_to_others() {
    let survey = saint("written,means\nSaint Charles,Karl\nKarl,St. Charles\n").survey();
    assert!(matches!(rows(&survey)[0], Row::Unmatched { .. }));
}

#[test]
fn accepted_spellings_are_added_and_what_stands_there_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("aliases.csv");
    add_aliases(&path, &[("Saint Charles", "St. Charles")]).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "\u{feff}written,means\nSaint Charles,St. Charles\n");
    for (before, after) in [
        ("# ours\nwritten,means\nb,B\n\na,A", "# ours\nwritten,means\nb,B\n\na,A\n\"x, \"\"y\"\"\",'=Z\n"),
        ("note;means;written\r\nq;A;a\r\n", "note;means;written\r\nq;A;a\r\n;'=Z;\"x, \"\"y\"\"\"\n"),
        ("", "\u{feff}written,means\n\"x, \"\"y\"\"\",'=Z\n"),
    ] {
        fs::write(&path, before).unwrap();
        let added = add_aliases(&path, &[("x, \"y\"", "=Z")]);
        if before.starts_with('#') {
            // The header must be the first line: nothing is added to a file that cannot be read back.
            assert!(added.is_err());
            continue;
        }
        added.unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), after);
    }
    fs::write(&path, b"written;means\nM\xfcnchen;Munich\n").unwrap();
    let told = add_aliases(&path, &[("x", "y")]).unwrap_err().to_string();
    assert!(told.contains("UTF-8"), "{told}");
}

#[test]
fn a_spelling_that_looks_like_a_formula_comes_back_as_it_was() {
    let files = Files::one(format!("{HEADER}{MAYOR}{}", signer("jurisdiction", "=Elgin"))).aliased("written,means\n");
    add_aliases(&files.path("aliases.csv"), &[("=Elgin", "Elgin")]).unwrap();
    assert_eq!(joined(&files.survey()).len(), 1);
}
