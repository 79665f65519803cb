//! Officials of several jurisdictions, and every constituent to every official: nobody gets two letters of one person.

use undersigned::contacts::{Joining, Row};

use crate::support::{Files, HEADER, joined, refusals, rows, signer};

const ANA: &str = "official,Senator,Ana,ana@x.example,\"Elgin; Alton\",,,,\n";

fn officials_of(files: Files, constituent: usize) -> Vec<usize> {
    let survey = files.survey();
    match rows(&survey).into_iter().nth(constituent) {
        Some(Row::Joined { officials, .. }) => officials,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_cell_may_name_several_jurisdictions_and_each_of_their_constituents_writes_once() {
    for cell in ["Elgin; Alton", "Elgin|alton", "\"Elgin\nAlton\"", "\"ELGIN\r\n ALTON \"", "Elgin; Alton;"] {
        let ana = ANA.replace("\"Elgin; Alton\"", cell);
        let signers = signer("", "") + &signer("name", "Cy").replace("Elgin", "Alton");
        let survey = Files::one(format!("{HEADER}{ana}{signers}")).survey();
        assert_eq!(joined(&survey).len(), 2, "{cell}: {:?}", refusals(&survey));
        let several = survey.of_several_jurisdictions();
        assert_eq!((several.len(), several[0].official, several[0].jurisdictions.len()), (1, 0, 2), "{cell}");
    }
}

#[test]
fn a_cell_that_a_constituent_has_as_a_whole_is_one_jurisdiction() {
    let signers = signer("jurisdiction", "elgin; alton") + &signer("name", "Cy").replace("Elgin", "Alton");
    let survey = Files::one(format!("{HEADER}{signers}{ANA}")).survey();
    let rows = rows(&survey);
    assert!(matches!(rows[0], Row::Joined { .. }) && matches!(rows[1], Row::Unmatched { .. }), "{rows:?}");
    assert!(survey.of_several_jurisdictions().is_empty());
}

#[test]
fn a_person_in_several_rows_gets_one_letter_from_each_constituent() {
    let rows_of_ana =
        format!("{ANA}official,Senator,Ana,ana@x.example,Elgin,,,,\nofficial,Senator,Ana,ana@x.example,Berwyn,,,,\n");
    let files = Files::one(format!("{HEADER}{rows_of_ana}{}", signer("", "")));
    let survey = files.survey();
    let told: Vec<String> = survey.doubts_about_officials().iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(survey.of_several_jurisdictions()[0].jurisdictions, ["Alton", "Berwyn", "Elgin"]);
    let Row::Joined { officials, .. } = &rows(&survey)[0] else { panic!() };
    assert_eq!(officials.len(), 1);
}

#[test]
fn two_holders_clash_in_the_one_jurisdiction_that_they_share() {
    let mayors = "official,Mayor,Ana,ana@x.example,Elgin; Alton,,,,\nofficial,Mayor,Bo,bo@x.example,Elgin,,,,\n";
    let signers = signer("", "") + &signer("name", "Cy").replace("Elgin", "Alton");
    let rows = rows(&Files::one(format!("{HEADER}{mayors}{signers}")).survey());
    assert!(matches!(rows[0], Row::Ambiguous { .. }) && matches!(rows[1], Row::Joined { .. }), "{rows:?}");
}

#[test]
fn all_means_every_official_and_no_jurisdiction_is_needed() {
    let everyone = |text: &str| {
        let mut files = Files::one(text);
        files.settings.joining = Joining::All;
        files
    };
    let short = "role,title,name,email\nofficial,Mayor,Ana,a@x.example\nofficial,Mayor,Bo,b@x.example\nofficial,,Cy,\nconstituent,,Di,d@x.example\n";
    assert_eq!(officials_of(everyone(short), 0), [0, 1, 2], "two mayors are no clash");
    let empty = format!("{HEADER}{}{}", ANA.replace("\"Elgin; Alton\"", ""), signer("jurisdiction", ""));
    assert_eq!(officials_of(everyone(&empty), 0), [0]);
    let twice =
        format!("{HEADER}{ANA}{}{}", ANA.replace("\"Elgin; Alton\"", "Berwyn"), signer("jurisdiction", "Nowhere"));
    let survey = everyone(&twice).survey();
    assert_eq!(survey.doubts_about_officials().len(), 1);
    assert_eq!(officials_of(everyone(&twice), 0), [0], "one person in two rows gets one letter");
}
