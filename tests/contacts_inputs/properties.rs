//! What holds for any bytes and for any people.

use proptest::prelude::*;
use undersigned::contacts::{ContactsError, FileFault, survey};

use crate::support::{Files, HEADER, joined};

fn text_cell() -> impl Strategy<Value = String> {
    "[\\PC]{0,12}".prop_filter("as it is read", |s| {
        let refused = ["null", "nan", "undefined"].contains(&s.to_lowercase().as_str()) || s.starts_with('#');
        let is_blank = !s.is_empty() && !s.chars().any(char::is_alphabetic);
        let may_be_one = s.starts_with(['[', '(', '<', '«']) || s.contains("___") || s.to_lowercase().contains('x');
        let may_be_garbled = s.contains(['\u{fffd}', 'Ã', 'Â', 'â', 'ï']);
        s.trim() == s
            && !is_blank
            && !may_be_one
            && !may_be_garbled
            && !refused
            && undersigned::model::unprintable(s).is_none()
            && undersigned::model::compose(s) == s.as_str()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_at_all_make_it_panic(
        header in prop_oneof![Just(String::new()), Just(HEADER.to_owned()), Just(HEADER.replace(',', ";"))],
        body in prop::collection::vec(prop_oneof![Just(b','), Just(b'"'), Just(b'\n'), Just(b'\r'), any::<u8>()], 0..400),
    ) {
        let files = Files::one([header.as_bytes(), &body].concat());
        match survey(&files.settings) {
            Ok(survey) => prop_assert!(survey.rows().unwrap().all(|row| row.is_ok())),
            Err(ContactsError::Refused(problems)) => {
                prop_assert!(!problems.is_empty());
                prop_assert!(problems.iter().all(|p| p.fault != FileFault::NoFiles));
            }
            Err(other) => prop_assert!(false, "{other}"),
        }
    }

    #[test]
    fn people_written_as_csv_are_read_as_the_same_people(
        people in prop::collection::vec((text_cell(), text_cell(), text_cell()), 1..8),
    ) {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["role", "name", "email", "jurisdiction", "address", "note"]).unwrap();
        writer.write_record(["official", "Ana", "a@x.example", "Elgin", "", ""]).unwrap();
        let written: Vec<_> = people.into_iter().enumerate().filter(|(_, (name, ..))| undersigned::model::PersonName::parse(name).is_ok()).collect();
        for (i, (name, address, note)) in &written {
            writer.write_record(["constituent", name, &format!("p{i}@x.example"), "elgin", address, note]).unwrap();
        }
        let survey = Files::one(writer.into_inner().unwrap()).survey();
        let read: Vec<_> = joined(&survey).into_iter().map(|c| (c.name.to_string(), c.address, c.note)).collect();
        prop_assert_eq!(read, written.into_iter().map(|(_, person)| person).collect::<Vec<_>>());
    }
}

/// Names as people vary them: near enough to be suggested.
fn variation() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "St. ",
        "Saint ",
        "st ",
        "City of ",
        "Village of ",
        "",
        "",
        "La ",
        "La",
        "Grange",
        "grange",
        "Gránge",
        "O'",
        "O\u{2019}",
        "Fallon",
        " Park",
        " Pk",
        ", IL",
        " city",
        "-",
        " ",
        "1",
        "2",
        "North ",
        "N. ",
    ]);
    prop::collection::vec(part, 1..5).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn nothing_is_joined_by_likeness(official in variation(), written in variation()) {
        prop_assume!(!official.trim().is_empty() && !written.trim().is_empty());
        let text = format!(
            "role,name,email,jurisdiction\nofficial,Ana,a@x.example,\"{official}\"\nconstituent,Ben,b@x.example,\"{written}\"\n",
        );
        let survey = Files::one(text).survey();
        let is_same = undersigned::model::fold(&official) == undersigned::model::fold(&written);
        prop_assert_eq!(joined(&survey).len(), usize::from(is_same), "“{}” and “{}”", official, written);
    }
}
