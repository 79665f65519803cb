//! Columns under the names that people and their programs give them: recognised and shown, or asked about.

use undersigned::contacts::{Answer, Column, ContactsError, Question, Reading, glance, survey};
use undersigned::model::{Constituent, Role};

use crate::support::{Files, HEADER, MAYOR, joined, notes, refusals};

const OFFICIALS: &str = "Mayor,Mayor's E-mail,Municipality\nAna Adams,mayor@elgin.example,Elgin\n";

/// Exports of one signer: what it is of, its header line, its row, and the name, address, postcode, date and words
/// that come of it.
const EXPORTS: &[(&str, &str, &str, [&str; 5])] = &[
    (
        "Action Network",
        "first_name,last_name,email,zip_code,can2_user_address,can2_user_city,can2_phone,Timestamp (EST),Comments",
        "Ben,Baker,ben@x.example,60120,1 Main St,Elgin,555-1,2026-03-04 10:11:12,Please act",
        ["Ben Baker", "1 Main St", "60120", "2026-03-04 10:11:12", "Please act"],
    ),
    (
        "NationBuilder",
        "nationbuilder_id,prefix,first_name,middle_name,last_name,suffix,email,primary_address1,primary_address2,primary_city,primary_state,primary_zip,created_at",
        "17,Mr,Ben,Q,Baker,Jr.,ben@x.example,1 Main St,Apt 4,Elgin,IL,60120,03/25/2026",
        ["Ben Q Baker Jr.", "1 Main St, Apt 4", "60120", "03/25/2026", ""],
    ),
    (
        "Mailchimp",
        "Email Address,First Name,Last Name,Address,City,Phone Number,MEMBER_RATING,OPTIN_TIME,NOTES",
        "ben@x.example,Ben,Baker,1 Main St,Elgin,,2,2026-03-04 09:00:00,gave at the fair",
        ["Ben Baker", "1 Main St", "", "2026-03-04 09:00:00", ""],
    ),
    (
        "Google Forms",
        "Timestamp,Email Address,Your full name,Town/City,Street Address,ZIP code,Why are you signing?",
        "3/25/2026 18:02:11,ben@x.example,Ben Baker,Elgin,1 Main St,60120,For my daughter",
        ["Ben Baker", "1 Main St", "60120", "3/25/2026 18:02:11", "For my daughter"],
    ),
    (
        "EveryAction",
        "VANID,LastName,FirstName,MiddleName,Suffix,mAddress,City,State/Province,Zip/Postal,Preferred Email,Date Signed",
        "1001,Baker,Ben,,,1 Main St,Elgin,IL,60120,ben@x.example,2026-03-04",
        ["Ben Baker", "1 Main St", "60120", "2026-03-04", ""],
    ),
    (
        "Salesforce",
        "Salutation,First Name,Last Name,Mailing Street,Mailing City,Mailing State/Province,Mailing Zip/Postal Code,Email,Created Date",
        "Mr.,Ben,Baker,1 Main St,Elgin,IL,60120,ben@x.example,2026-03-04",
        ["Ben Baker", "1 Main St", "60120", "2026-03-04", ""],
    ),
    (
        "a sheet made by hand",
        "Signer,E-mail,Village,Home Address,Postal Code,Signed,Phone",
        "Ben Baker,ben@x.example,Elgin,1 Main St,60120,2026-03-04,",
        ["Ben Baker", "1 Main St", "60120", "2026-03-04", ""],
    ),
    (
        "another made by hand, in capitals",
        "SURNAME,GIVEN NAME,E-MAIL ADDRESS,WARD,ADDRESS LINE 1,ADDRESS LINE 2,POSTCODE,DATE OF SIGNING,MESSAGE",
        "Baker,Ben,ben@x.example,Elgin,The Mill,1 Main St,60120,2026-03-04,Act",
        ["Ben Baker", "The Mill, 1 Main St", "60120", "2026-03-04", "Act"],
    ),
    (
        "German",
        "Vorname,Nachname,E-Mail-Adresse,Gemeinde,Straße und Hausnummer,PLZ,Datum",
        "Ben,Baker,ben@x.example,Elgin,Hauptstr. 1,60120,2026-03-04",
        ["Ben Baker", "Hauptstr. 1", "60120", "2026-03-04", ""],
    ),
    (
        "Spanish",
        "Nombre,Apellidos,Correo electrónico,Municipio,Dirección,Código postal,Fecha",
        "Ben,Baker,ben@x.example,Elgin,Calle 1,60120,2026-03-04",
        ["Ben Baker", "Calle 1", "60120", "2026-03-04", ""],
    ),
    (
        "French",
        "Prénom,Nom de famille,Courriel,Commune,Adresse,Code postal,Horodateur",
        "Ben,Baker,ben@x.example,Elgin,1 rue A,60120,2026-03-04",
        ["Ben Baker", "1 rue A", "60120", "2026-03-04", ""],
    ),
];

fn with_officials(constituents: &str) -> Files {
    Files::new().and("officials.csv", Some(Role::Official), OFFICIALS).and(
        "signers.csv",
        Some(Role::Constituent),
        constituents,
    )
}

fn questions(files: &Files) -> Vec<Question> {
    let error = survey(&files.settings).expect_err("the files were used");
    error.questions().unwrap_or_else(|| panic!("{error}")).into_iter().cloned().collect()
}

#[test]
fn exports_of_the_usual_programs_need_no_settings() {
    for (program, header, row, expected) in EXPORTS {
        let survey = with_officials(&format!("{header}\n{row}\n")).survey();
        let problems: Vec<String> = refusals(&survey).iter().map(ToString::to_string).collect();
        let people = joined(&survey);
        assert_eq!(people.len(), 1, "{program}: {problems:?}");
        let Constituent { name, address, postcode, signed_on, note, .. } = &people[0];
        assert_eq!([name.as_str(), address, postcode, signed_on, note], *expected, "{program}");
        assert_eq!(people[0].mailbox.to_string(), "ben@x.example", "{program}");
    }
}

#[test]
fn what_was_recognised_is_shown_and_our_own_words_are_not() {
    let survey = with_officials("First Name,Last Name,E-mail,Town\nBen,Baker,ben@x.example,Elgin\n").survey();
    let notes = notes(&survey);
    assert!(
        notes.contains("name ← “First Name” + “Last Name”\n      email ← “E-mail”\n      jurisdiction ← “Town”\n"),
        "{notes}"
    );
    assert!(
        notes.contains("name ← “Mayor”\n      email ← “Mayor's E-mail”\n      jurisdiction ← “Municipality”\n"),
        "{notes}"
    );
}

#[test]
fn a_column_that_was_recognised_keeps_its_own_name_for_templates() {
    let survey = with_officials("First Name,Last Name,E-mail,Town\nBen,Baker,ben@x.example,Elgin\n").survey();
    assert!(survey.known_fields(Role::Constituent).contains("first_name"));
    assert_eq!(joined(&survey)[0].extra.get("first_name").map(String::as_str), Some("Ben"));
}

#[test]
fn headers_that_compete_are_a_question_and_our_own_word_settles_it() {
    for (header, row, column, choices) in [
        ("name,email,City,Ward", "Ben Baker,b@x.example,Elgin,7", Column::Jurisdiction, vec!["City", "Ward"]),
        (
            "name,E-mail,Email 2,City",
            "Ben Baker,b@x.example,c@x.example,Elgin",
            Column::Email,
            vec!["E-mail", "Email 2"],
        ),
        (
            "Full Name,First,Last,email,City",
            "Ben Baker,Ben,Baker,b@x.example,Elgin",
            Column::Name,
            vec!["Full Name", "First+Last"],
        ),
    ] {
        let files = with_officials(&format!("{header}\n{row}\n"));
        let asked = questions(&files);
        assert_eq!(asked.len(), 1, "{header}");
        assert_eq!(asked[0].column, column, "{header}");
        assert!(asked[0].compete && asked[0].is_required);
        let offered: Vec<String> = asked[0].choices.iter().map(|c| c.headers.join("+")).collect();
        assert_eq!(offered, choices, "{header}");
    }
    for (header, row) in [
        ("name,email,jurisdiction,Ward,City", "Ben Baker,b@x.example,Elgin,7,x"),
        ("Name,First,Last,Email,Email 2,Jurisdiction", "Ben Baker,Ben,Baker,b@x.example,c@x.example,Elgin"),
    ] {
        let survey = with_officials(&format!("{header}\n{row}\n")).survey();
        assert_eq!(joined(&survey).len(), 1, "{header}");
    }
}

#[test]
fn the_values_speak_for_a_choice_but_never_take_it() {
    let files =
        with_officials("name,email,City,County\nBen Baker,b@x.example,Elgin,Kane\nCy Cole,c@x.example,Elgin,Cook\n");
    let [question] = questions(&files).try_into().unwrap();
    assert_eq!(question.proposal, Some(0), "the officials have Elgin, and neither county");

    let files = with_officials("Who,Where to write,Place\nBen Baker,b@x.example,Elgin\nCy Cole,c@x.example,Elgin\n");
    let asked = questions(&files);
    let proposed: Vec<(Column, &str)> =
        asked.iter().map(|q| (q.column, q.choices[q.proposal.unwrap()].headers[0].as_str())).collect();
    assert_eq!(proposed, [(Column::Name, "Who"), (Column::Email, "Where to write"), (Column::Jurisdiction, "Place")]);
    assert!(asked.iter().all(|q| !q.compete));
}

#[test]
fn a_refusal_shows_the_candidates_with_values_and_the_line_to_write() {
    let files = with_officials("name,email,City,Ward\nBen Baker,b@x.example,Elgin,7\nCy Cole,c@x.example,Elgin,8\n");
    let faults = files.faults();
    for expected in [
        "signers.csv: which column is “jurisdiction”,\n  the town, ward or district? Several could be it:",
        "“City”, as in Elgin\n",
        "“Ward”, as in 7; 8\n",
        "[contacts.columns]",
        "jurisdiction = \"City\"",
    ] {
        assert!(faults.contains(expected), "{expected} is not in:\n{faults}");
    }
    let error = format!("{:?}", survey(&files.settings).unwrap_err());
    assert!(!error.contains("Elgin"), "{error}");
}

#[test]
fn an_answer_becomes_a_setting_that_holds_for_its_file() {
    let mut files = Files::new()
        .and("officials.csv", Some(Role::Official), "Mayor,Email,Ward,City\nAna Adams,mayor@elgin.example,7,Elgin\n")
        .and("signers.csv", Some(Role::Constituent), "Signer,E-mail,District,Town\nBen Baker,b@x.example,7,Elgin\n");
    for (typed, expected) in [("1", vec!["Ward"]), (" 1 ", vec!["Ward", "District"])] {
        let question = questions(&files).remove(0);
        let Ok(Answer::Headers(headers)) = question.answer(typed) else { panic!("{question}") };
        let (name, all) = question.settle(&headers, &mut files.settings);
        assert_eq!((name.as_str(), all), ("jurisdiction", expected.iter().map(|&e| e.to_owned()).collect::<Vec<_>>()));
    }
    assert_eq!(joined(&files.survey()).len(), 1);
}

#[test]
fn only_what_was_offered_can_be_answered() {
    let files = with_officials("Full Name,First,Last,email,City\nBen Baker,Ben,Baker,b@x.example,Elgin\n");
    let [question] = questions(&files).try_into().unwrap();
    let headers = |names: &[&str]| Ok(Answer::Headers(names.iter().map(|&n| n.to_owned()).collect()));
    for (typed, expected) in [
        ("1", headers(&["Full Name"])),
        ("2", headers(&["First", "Last"])),
        ("1+2", headers(&["Full Name", "First", "Last"])),
        ("-", Ok(Answer::Nothing)),
        ("q", Ok(Answer::Stop)),
    ] {
        assert_eq!(question.answer(typed), expected, "{typed}");
    }
    for typed in ["", "0", "3", "x", "1,2", "99999999999999999999"] {
        assert!(question.answer(typed).is_err(), "{typed}");
    }
}

#[test]
fn an_address_stands_in_one_column() {
    let mut files = with_officials("Name,Email Address,Work Email,City\nBen,b@x.example,w@x.example,Elgin\n");
    let [question] = questions(&files).try_into().unwrap();
    assert_eq!(question.column, Column::Email);
    assert_eq!(question.answer("1+2"), Err("type one number: the e-mail address stands in one column".to_owned()));
    assert!(question.answer("1+1").is_ok());
    let both = ["Email Address", "Work Email"].map(str::to_owned).to_vec();
    files.settings.columns.insert("email".to_owned(), both);
    let faults = files.faults();
    assert!(faults.contains("email is to be Email Address + Work Email here, but stands in one column"), "{faults}");
}

#[test]
fn a_name_is_put_together_and_a_problem_names_every_part() {
    let files = with_officials(
        "First Name,Last Name,Email,Town\n,,ben@x.example,Elgin\n,Cher,c@x.example,Elgin\nNULL,B,d@x.example,Elgin\n",
    );
    let survey = files.survey();
    assert_eq!(joined(&survey)[0].name.as_str(), "Cher");
    let problems: Vec<String> = refusals(&survey).iter().map(ToString::to_string).collect();
    assert!(problems[0].contains("line 2, First Name + Last Name"), "{problems:?}");
    assert!(problems[1].contains("line 4, First Name “NULL”"), "{problems:?}");
}

#[test]
fn a_column_named_by_the_settings_may_be_put_together_and_may_be_none() {
    let mut files = Files::one(format!(
        "{}County,Comments\n{}{}",
        HEADER.trim_end().to_owned() + ",",
        MAYOR.trim_end().to_owned() + ",Kane,\n",
        "constituent,,Ben Baker,ben@x.example,Elgin,,,,,Kane,Words\n"
    ));
    files.settings.columns.insert("jurisdiction".to_owned(), vec!["jurisdiction".to_owned(), "County".to_owned()]);
    files.settings.columns.insert("note".to_owned(), Vec::new());
    let survey = files.survey();
    let people = joined(&survey);
    assert_eq!((people[0].jurisdiction.as_str(), people[0].note.as_str()), ("Elgin Kane", ""));
    assert_eq!(people[0].extra.get("comments").map(String::as_str), Some("Words"));
}

#[test]
fn optional_columns_that_compete_are_left_alone_and_told() {
    let survey = with_officials("name,email,City,Comment,Message\nBen Baker,b@x.example,Elgin,Hear,Hear\n").survey();
    let person = &joined(&survey)[0];
    assert_eq!(person.note, "");
    assert_eq!(person.extra.get("message").map(String::as_str), Some("Hear"));
    let notes = notes(&survey);
    assert!(notes.contains("“Comment” or “Message” could be note"), "{notes}");
    let open = survey.open_questions().unwrap();
    assert_eq!(open.len(), 1);
    assert!(!open[0].is_required);
}

#[test]
fn roles_are_told_by_the_words_of_a_table_and_nothing_else() {
    let text = "Type,Name,Email,City\nMayor,Ana Adams,mayor@elgin.example,Elgin\nSigner,Ben Baker,b@x.example,Elgin\nPress,Di Dorn,d@x.example,Elgin\n";
    let survey = Files::one(text).survey();
    assert_eq!(survey.officials()[0].official.salutation(), "Mayor Ana Adams");
    assert_eq!(joined(&survey).len(), 1);
    assert_eq!(refusals(&survey).len(), 1);
    let notes = notes(&survey);
    assert!(notes.contains("“mayor”, taken for official\n      “signer”, taken for constituent\n"), "{notes}");
}

#[test]
fn a_file_of_one_role_is_not_asked_for_more_than_it_needs() {
    let survey = with_officials("name,email,City,Type\nBen Baker,b@x.example,Elgin,Online\n").survey();
    assert_eq!(joined(&survey).len(), 1);
    assert_eq!(joined(&survey)[0].extra.get("type").map(String::as_str), Some("Online"));
}

#[test]
fn a_file_with_other_faults_is_told_them_and_nobody_is_asked() {
    let files = with_officials("name,email,City,Ward,ward\nBen Baker,b@x.example,Elgin,7,7\n");
    let error = survey(&files.settings).unwrap_err();
    assert!(error.questions().is_none());
    assert!(error.to_string().contains("is there twice"), "{error}");
    assert!(matches!(error, ContactsError::Refused(_)));
}

#[test]
fn a_glance_tells_what_a_file_is_before_anybody_described_it() {
    let files = Files::new()
        .and("a.csv", None, "Full Name,E-mail,City,Ward,Date signed\nBen Baker,b@x.example,Elgin,7,2026-03-04\n")
        .and("b.csv", None, "Position,Name,Office e-mail,Town\nMayor,Ana Adams,mayor@elgin.example,Elgin\n")
        .and("c.csv", None, format!("{HEADER}{MAYOR}"));
    let look = |name: &str| glance(&files.path(name), &Reading::default()).unwrap();

    let signers = look("a.csv");
    assert_eq!(signers.guessed.as_ref().map(|(role, _)| *role), Some(Role::Constituent));
    assert_eq!(signers.columns.len(), 5);
    assert_eq!(
        (signers.columns[0].column, signers.columns[0].values.as_slice()),
        (Some(Column::Name), &["Ben Baker".to_owned()][..])
    );
    let open: Vec<Column> = signers.questions.iter().map(|q| q.column).collect();
    assert_eq!(open, [Column::Jurisdiction]);

    let officials = look("b.csv");
    let (role, why) = officials.guessed.unwrap();
    assert_eq!((role, why.as_str()), (Role::Official, "the column “Position” has “mayor”"));
    assert!(officials.questions.is_empty());
    assert_eq!(officials.columns[0].column, Some(Column::Title));

    let both = look("c.csv");
    assert!(both.has_role_column && both.guessed.is_none());
    assert_eq!(both.roles, [Role::Official]);
}

#[test]
fn a_town_may_be_a_part_of_the_address_too() {
    let mut files = with_officials("name,email,Street,City\nBen Baker,b@x.example,1 Main St,Elgin\n");
    files.settings.columns.insert("address".to_owned(), vec!["Street".to_owned(), "City".to_owned()]);
    files.settings.columns.insert("jurisdiction".to_owned(), vec!["City".to_owned()]);
    files.settings.columns.insert("note".to_owned(), Vec::new());
    let survey = files.and("more.csv", Some(Role::Official), "Name,Email,City\nDi Dorn,d@x.example,Aurora\n").survey();
    assert_eq!(joined(&survey)[0].address, "1 Main St, Elgin");
    assert_eq!(joined(&survey)[0].jurisdiction, "Elgin");
}

#[test]
fn a_role_column_settles_nothing_where_the_file_lists_one_role() {
    let officials = "Role,Name,Email,Town\nVillage Trustee,Ana Adams,a@x.example,Elgin\n";
    let survey = Files::new().and("officials.csv", Some(Role::Official), officials).survey();
    assert_eq!(survey.officials().len(), 1);
}
