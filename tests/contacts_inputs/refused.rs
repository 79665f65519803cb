//! What staff are told and given about rows that are not used.

use std::fs;

use undersigned::contacts::{ContactsError, RefusedWriter};

use crate::support::{rows, signer, with_mayor};

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
    assert_eq!((writer.finish().unwrap(), written), (3, 3));

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
