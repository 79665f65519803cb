//! Any bytes as a contact file, of whichever format they claim to be: read twice, every row told, nothing panics.

#![no_main]

use std::path::PathBuf;

use libfuzzer_sys::fuzz_target;
use undersigned::contacts::{ContactsFile, ContactsSettings, Row, survey};
use undersigned::model::Role;

fn path() -> PathBuf {
    let folder = if std::path::Path::new("/dev/shm").is_dir() { "/dev/shm".into() } else { std::env::temp_dir() };
    folder.join(format!("undersigned-fuzz-{}", std::process::id()))
}

fuzz_target!(|data: &[u8]| {
    let [form, content @ ..] = data else { return };
    let path = path();
    std::fs::write(&path, content).expect("a file for the fuzzer");
    let role = match form % 3 {
        0 => None,
        1 => Some(Role::Official),
        _ => Some(Role::Constituent),
    };
    let mut settings = ContactsSettings::new(vec![ContactsFile { path, role }]);
    settings.reading.encoding = (form & 0x10 != 0).then(|| "windows-1252".to_owned());
    settings.reading.delimiter = (form & 0x20 != 0).then_some(';');
    let survey = match survey(&settings) {
        Ok(survey) => survey,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let mut refused = 0;
    for row in survey.rows().expect("the file is still the same") {
        let row = row.expect("what was read once is read again");
        refused += u64::from(matches!(row, Row::Refused { .. }));
    }
    assert_eq!(refused, survey.problems().rows(), "both readings refuse the same rows");
});
