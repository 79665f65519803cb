//! What staff are told and given about rows that are not used.

use std::fs;

use proptest::prelude::*;
use undersigned::contacts::{ContactsError, RefusedWriter, Row, Survey, survey};
use undersigned::model::Role;

use crate::support::{Files, HEADER, MAYOR, joined, notes, rows, signer, with_mayor};

#[test]
fn all_problems_are_counted_and_only_the_first_ones_kept() {
    let survey = with_mayor(&signer("name", "").repeat(10_050)).survey();
    assert_eq!((survey.problems().count(), survey.problems().kept().len()), (10_050, 10_000));
}

#[test]
fn refused_rows_are_written_for_staff_complete_private_and_without_formulas() {
    let rows_of = signer("name", "=1+1").replace("ben@x.example", "")
        + &signer("jurisdiction", "Nowhere")
        + "constituent,,Cy\n"
        + &signer("", "");
    let files = with_mayor(&rows_of);
    let survey = files.survey();
    let path = survey.on_disk.path("refused.csv");
    let mut writer = RefusedWriter::create(&path, &survey).unwrap();
    let written = survey.rows().unwrap().filter(|row| writer.write(row.as_ref().unwrap()).unwrap()).count();
    assert!(!path.exists(), "nothing is there before it is complete");
    assert_eq!((writer.finish().unwrap().0, written), (3, 3));

    let mut reader = csv::ReaderBuilder::new().from_path(&path).unwrap();
    assert_eq!(
        reader.headers().unwrap().iter().take(6).collect::<Vec<_>>(),
        ["line", "problem", "advice", "role", "title", "name"]
    );
    let cells: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!((&cells[0][0], &cells[0][1], &cells[0][5]), ("3", "email: there is no address", "'=1+1"));
    assert_eq!((&cells[1][0], &cells[1][7]), ("4", "Nowhere"));
    assert_eq!((&cells[2][0], &cells[2][5]), ("5", "Cy"));
    #[cfg(unix)]
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions()) & 0o777, 0o600);
}

#[test]
fn refused_rows_can_be_mended_and_given_back() {
    let rows_of = signer("name", "=1+1").replace("ben@x.example", "") + &signer("jurisdiction", "Nowhere");
    let survey = with_mayor(&rows_of).survey();
    let path = survey.on_disk.path("refused.csv");
    let mut writer = RefusedWriter::create(&path, &survey).unwrap();
    for row in rows(&survey) {
        writer.write(&row).unwrap();
    }
    writer.finish().unwrap();

    let mended =
        fs::read_to_string(&path).unwrap().replace(",,Elgin", ",eve@x.example,Elgin").replace("Nowhere", "Elgin");
    let files = with_mayor("").and("refused.csv", None, mended);
    let again = files.survey();
    let people: Vec<_> = joined(&again).iter().map(|c| (c.name.to_string(), c.extra.len())).collect();
    assert_eq!(people, [("=1+1".to_owned(), 0), ("Ben Baker".to_owned(), 0)]);
    assert_eq!(notes(&again), "", "our own columns are nothing to tell about");
    assert!(!again.known_fields(undersigned::model::Role::Constituent).contains("advice"));

    let taken = RefusedWriter::create(&again.on_disk.path("refused.csv"), &again).unwrap_err().to_string();
    assert!(taken.contains("give that another name first"), "{taken}");
}

#[test]
fn lists_for_staff_are_separated_as_their_files_are_and_are_read_back() {
    let text = format!("{HEADER}{MAYOR}{}", signer("name", "a; b").replace("ben@x.example", "")).replace(',', ";");
    for (delimiter, content) in [(";", text.clone()), (",", text.replace("\"a; b\"", "a b").replace(';', "\t"))] {
        let survey = Files::one(content).survey();
        let path = survey.on_disk.path("refused.csv");
        let mut writer = RefusedWriter::create(&path, &survey).unwrap();
        for row in rows(&survey) {
            writer.write(&row).unwrap();
        }
        writer.finish().unwrap();
        let written = fs::read_to_string(&path).unwrap();
        assert!(
            written.starts_with(&format!("\u{feff}line{delimiter}problem{delimiter}advice{delimiter}role")),
            "{written}"
        );
        let mended = written
            .replace(&format!("{delimiter}{delimiter}Elgin"), &format!("{delimiter}b@x.example{delimiter}Elgin"));
        assert_eq!(joined(&with_mayor("").and("mended.csv", None, mended).survey()).len(), 1, "{written}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn refused_rows_that_are_given_back_have_the_same_cells(
        several in any::<bool>(),
        cells in prop::collection::vec(prop::collection::vec("['=+@ -a,\"\n\té]{0,6}", 4), 1..5),
    ) {
        let cells: Vec<Vec<String>> =
            cells.into_iter().filter(|row| row.iter().any(|c| !c.trim().is_empty())).collect();
        let header = ["name", "email", "jurisdiction", "=line"];
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(header).unwrap();
        for row in &cells {
            writer.write_record(row).unwrap();
        }
        let text = writer.into_inner().unwrap();
        let files = Files::new().and("a.csv", Some(Role::Constituent), text);
        let other = "name,email,jurisdiction,zeal\nA,a@x.example,Elgin,\n";
        let files = if several { files.and("b.csv", Some(Role::Official), other) } else { files };
        let Ok(survey) = survey(&files.settings) else { return Ok(()) };
        let path = files.path("refused.csv");
        let mut writer = RefusedWriter::create(&path, &survey).unwrap();
        for row in rows(&survey) {
            writer.write(&row).unwrap();
        }
        writer.finish().unwrap();

        let again = Files::new().and("refused.csv", Some(Role::Constituent), fs::read(&path).unwrap());
        let refused = |survey: &Survey| -> Vec<Vec<String>> {
            let all = rows(survey);
            all.iter().filter_map(Row::refusal).map(|(_, _, cells, _)| cells[..4].to_vec()).collect()
        };
        let before = refused(&survey);
        if !before.is_empty() {
            prop_assert_eq!(refused(&again.survey()), before);
        }
    }
}

#[test]
fn a_list_that_is_not_finished_leaves_nothing_and_never_replaces_the_contacts() {
    let survey = with_mayor(&signer("", "")).survey();
    drop(RefusedWriter::create(&survey.on_disk.path("refused.csv"), &survey).unwrap());
    assert_eq!(fs::read_dir(survey.on_disk.folder.path()).unwrap().count(), 1);
    assert!(matches!(
        RefusedWriter::create(&survey.on_disk.path("contacts.csv"), &survey),
        Err(ContactsError::Unwritable { .. })
    ));
}

#[test]
fn debug_output_holds_no_personal_data() {
    let files = with_mayor(&(signer("", "") + &signer("email", "secret at x") + &signer("jurisdiction", "Atlantis")));
    let survey = files.survey();
    let debug = format!("{:?} {:?} {:?}", *survey, rows(&survey), survey.problems());
    for personal in ["Ben", "Baker", "secret", "Atlantis", "Main St", "60120"] {
        assert!(!debug.contains(personal), "{personal}: {debug}");
    }
}
