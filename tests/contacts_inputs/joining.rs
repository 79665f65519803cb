//! Constituents and their officials: equal keys join, and nothing else does.

use undersigned::contacts::Row;

use crate::support::{Files, MAYOR, joined, refusals, rows, signer, with_mayor};

#[test]
fn another_column_can_join() {
    let text =
        "role,name,email,ward\nofficial,A,a@x.example,W1\nofficial,A,a@x.example,W2\nconstituent,B,b@x.example, w2\n";
    let survey = Files::one(text).joined_by("Ward").survey();
    let rows = rows(&survey);
    assert!(
        matches!(&rows[0], Row::Joined { officials, constituent, .. } if officials == &[1] && constituent.jurisdiction == "w2")
    );
    let missing = Files::one(text).joined_by("district").faults();
    assert!(missing.contains("no column “district”"), "{missing}");
}

#[test]
fn the_same_person_gets_one_letter_and_a_couple_gets_two() {
    let rows_of = signer("", "")
        + &signer("name", " BEN  baker ").replace("ben@x.example", "Ben@X.example")
        + &signer("name", "Cleo Baker")
        + &signer("jurisdiction", "Alton");
    let alton = "official,Mayor,Al,mayor@alton.example,Alton,,,,\n";
    let survey = with_mayor(&(rows_of + alton)).survey();
    assert_eq!(survey.constituents(), 4);
    let rows = rows(&survey);
    let names: Vec<_> = joined(&survey).iter().map(|c| c.name.to_string()).collect();
    assert_eq!(names, ["Ben Baker", "Cleo Baker"]);
    assert!(matches!(rows[1], Row::Duplicate { line: 4, of_line: 3, .. }), "{rows:?}");
    let Row::Duplicate { problem, .. } = &rows[3] else { panic!("{rows:?}") };
    assert!(problem.to_string().contains("already in line 3; the two rows differ in where"), "{problem}");
}

#[test]
fn several_officials_of_one_jurisdiction_all_get_the_letter() {
    let council = "official,Councillor,Cy,cy@elgin.example,ELGIN,,,,\nofficial,Councillor,Di,cy@elgin.example,Elgin ,,,,\nofficial,,Ed,,Elgin,,,,\n";
    let survey = with_mayor(&(council.to_owned() + &signer("", ""))).survey();
    assert!(matches!(&rows(&survey)[0], Row::Joined { officials, .. } if officials == &[0, 1, 2, 3]));
    assert_eq!(survey.without_mailbox().collect::<Vec<_>>(), [3]);
    assert!(survey.doubts_about_officials().is_empty());
}

#[test]
fn two_mayors_of_one_place_are_listed_and_nobody_is_joined_to_either() {
    let survey = with_mayor(&format!("official,mayor,Bo,bo@elgin.example,Elgin,,,,\n{}", signer("", ""))).survey();
    let rows = rows(&survey);
    assert!(matches!(rows[0], Row::Ambiguous { line: 4, .. }), "{rows:?}");
    let told = refusals(&survey)[0].to_string();
    assert!(told.contains("two officials are “Mayor” here; see the officials in lines 2 and 3"), "{told}");
    assert_eq!(survey.doubts_about_officials().len(), 1);
}

#[test]
fn an_official_who_is_listed_twice_is_one_and_two_titles_are_told() {
    let again = MAYOR.replace("Elgin", " elgin") + "official,Clerk,Ana Adams,mayor@elgin.example,Elgin,,,,\n";
    let survey = with_mayor(&(again + &signer("", ""))).survey();
    assert_eq!(survey.officials().len(), 2);
    let doubts: String = survey.doubts_about_officials().iter().map(|p| p.to_string() + "\n").collect();
    assert!(doubts.contains("line 3, name “Ana Adams”: the same person is already in line 2"), "{doubts}");
    assert!(doubts.contains("line 4, title “Clerk”: the same official is in line 2 under another title"), "{doubts}");
}

#[test]
fn an_official_who_signs_is_told_and_joined() {
    let survey = with_mayor(&signer("email", "Mayor@Elgin.example")).survey();
    assert_eq!(survey.also_constituents(), [0]);
    assert_eq!(joined(&survey).len(), 1);
}

#[test]
fn a_place_that_no_official_has_is_listed_with_a_suggestion_and_never_joined() {
    for (place, advice) in [
        ("City of Elgin", "if “Elgin” is meant"),
        ("Elgn", "if “Elgin” is meant"),
        ("Nowhere", "correct it, or add the official"),
        ("Alton", "its official's row, line 3, is refused"),
    ] {
        let refused = "official,Mayor,,al@alton.example,Alton,,,,\n";
        let survey = with_mayor(&(refused.to_owned() + &signer("jurisdiction", place))).survey();
        let rows = rows(&survey);
        let Row::Unmatched { line: 4, problem, .. } = &rows[1] else { panic!("{place}: {rows:?}") };
        assert!(problem.advice.contains(advice), "{problem}");
    }
}
