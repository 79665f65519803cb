//! Letters with blanks as staff have them, and what becomes of them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it cannot go on")]

use std::collections::BTreeSet;

use undersigned::draft::{Blank, Certainty, Choice, Columns, Decision, Draft, DraftError, Field, read};
use undersigned::template::{Fields, Purpose, Template};

/// A letter around the lines in question, so that they stand where they would.
const HEAD: &str = "Subject: A request\n\n";

fn draft(text: &str) -> Draft {
    read("letter.txt", format!("{HEAD}{text}\n").as_bytes()).unwrap()
}

fn columns() -> Columns {
    Columns { official: ["party".to_owned()].into(), constituent: ["ward".to_owned()].into(), official_titles: None }
}

/// Takes every proposal; without one, the words are kept.
fn all_taken(blanks: &[Blank]) -> Vec<Decision> {
    let choice = |blank: &Blank| blank.proposal.clone().map_or(Choice::Keep, Choice::Field);
    blanks.iter().map(|blank| Decision { blank: blank.clone(), choice: choice(blank) }).collect()
}

fn all(blanks: &[Blank], choice: &Choice) -> Vec<Decision> {
    blanks.iter().map(|blank| Decision { blank: blank.clone(), choice: choice.clone() }).collect()
}

fn filled(draft: &Draft) -> String {
    draft.fill(&all_taken(&draft.blanks(&columns())))
}

fn fields() -> Fields {
    Fields { official: BTreeSet::from(["party".to_owned()]), constituent: BTreeSet::from(["ward".to_owned()]) }
}

/// What `check` would say of the template.
fn complaints(source: &str) -> Vec<String> {
    match Template::parse("letter.md", source, Purpose::Letter, &fields()) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    }
}

use Certainty::{Certain, Likely, Unsure};

/// The line with its blank, the line that is proposed, and how surely.
const LINES: &[(&str, &str, Certainty)] = &[
    // Who is written to.
    ("Dear Mayor _____,", "Dear {{ official.title }} {{ official.name }},", Certain),
    ("Dear Mayor ______________:", "Dear {{ official.title }} {{ official.name }}:", Certain),
    ("Dear Mayor ,", "Dear {{ official.title }} {{ official.name }},", Certain),
    ("Dear Mayor [NAME],", "Dear {{ official.title }} {{ official.name }},", Certain),
    ("Dear Mayor (name),", "Dear {{ official.title }} {{ official.name }},", Certain),
    ("Dear Mayor [Last Name],", "Dear {{ official.title }} {{ official.name }},", Certain),
    ("Dear Mayor {last_name},", "Dear {{ official.title }} {{ official.name }},", Certain),
    ("Dear Mayor <<Name>>,", "Dear {{ official.title }} {{ official.name }},", Certain),
    ("Dear Mayor «Name»,", "Dear {{ official.title }} {{ official.name }},", Certain),
    ("Dear Mayor XXXX,", "Dear {{ official.title }} {{ official.name }},", Likely),
    ("Dear Mayor X,", "Dear {{ official.title }} {{ official.name }},", Likely),
    ("Dear Mayor ......,", "Dear {{ official.title }} {{ official.name }},", Certain),
    ("Dear Mayor …………,", "Dear {{ official.title }} {{ official.name }},", Certain),
    ("Dear Mayor _ _ _ _ _,", "Dear {{ official.title }} {{ official.name }},", Certain),
    ("Dear Village President _____,", "Dear {{ official.title }} {{ official.name }},", Certain),
    ("Dear Council Member _____,", "Dear {{ official.title }} {{ official.name }},", Certain),
    ("Dear Councillor [Surname],", "Dear {{ official.title }} {{ official.name }},", Certain),
    ("Dear ____,", "Dear {{ official.title }} {{ official.name }},", Certain),
    ("Dear ,", "Dear {{ official.title }} {{ official.name }},", Certain),
    ("Dear [NAME],", "Dear {{ official.title }} {{ official.name }},", Certain),
    ("Dear [Mayor's name],", "Dear {{ official.title }} {{ official.name }},", Certain),
    ("Dear [Title] [Name],", "Dear {{ official.title }} {{ official.name }},", Certain),
    ("Dear {{recipient.first_name}},", "Dear {{ official.title }} {{ official.name }},", Certain),
    ("Dear %NAME%,", "Dear {{ official.title }} {{ official.name }},", Certain),
    ("Dear *|FNAME|*,", "Dear {{ official.title }} {{ official.name }},", Certain),
    ("Estimado alcalde _____:", "Estimado {{ official.title }} {{ official.name }}:", Certain),
    ("Estimada Alcaldesa ______,", "Estimada {{ official.title }} {{ official.name }},", Certain),
    ("To: ____________", "To: {{ official.title }} {{ official.name }}", Certain),
    ("I urge Mayor _____ to act.", "I urge {{ official.title }} {{ official.name }} to act.", Certain),
    ("I ask the City of ________ to act.", "I ask the City of {{ official.jurisdiction }} to act.", Certain),
    ("I ask the Village of [VILLAGE] to act.", "I ask the Village of {{ official.jurisdiction }} to act.", Likely),
    ("as Mayor of ______ you can", "as Mayor of {{ official.jurisdiction }} you can", Certain),
    ("Our party is [Party].", "Our party is {{ official.party }}.", Certain),
    // Who writes.
    ("My name is ______ and I vote.", "My name is {{ constituent.name }} and I vote.", Certain),
    ("My name is [Your Name].", "My name is {{ constituent.name }}.", Certain),
    ("I, ______, ask you to act.", "I, {{ constituent.name }}, ask you to act.", Certain),
    ("I am a resident of ______.", "I am a resident of {{ constituent.jurisdiction }}.", Certain),
    ("I live in [City].", "I live in {{ constituent.jurisdiction }}.", Certain),
    ("I live in the City of _______ and", "I live in the City of {{ constituent.jurisdiction }} and", Certain),
    ("I live at ________________.", "I live at {{ constituent.address }}.", Certain),
    ("I live on ____ Street.", "I live on {{ constituent.address }}.", Likely),
    ("Name: ________", "Name: {{ constituent.name }}", Certain),
    ("Name: ..........", "Name: {{ constituent.name }}", Certain),
    ("Name: ……", "Name: {{ constituent.name }}", Certain),
    ("Name: ----------", "Name: {{ constituent.name }}", Certain),
    ("Printed Name ________", "Printed Name {{ constituent.name }}", Certain),
    ("Name: [ ]", "Name: {{ constituent.name }}", Certain),
    ("Your Name: [        ]", "Your Name: {{ constituent.name }}", Certain),
    ("Date: _____", "Date: {{ constituent.signed_on }}", Certain),
    ("Date: __/__/____", "Date: {{ constituent.signed_on }}", Certain),
    ("Date: ________, 20__", "Date: {{ constituent.signed_on }}", Certain),
    ("Dated this ___ day of ______, 20__", "Dated this {{ constituent.signed_on }}", Certain),
    ("Date signed ____________", "Date signed {{ constituent.signed_on }}", Certain),
    ("Signature: ______", "Signature: {{ constituent.name }}", Certain),
    ("Address: ______", "Address: {{ constituent.address }}", Certain),
    ("City: ______", "City: {{ constituent.jurisdiction }}", Likely),
    ("City, State, ZIP: ______", "City, State, ZIP: {{ constituent.jurisdiction }} {{ constituent.postcode }}", Certain),
    ("Zip Code: ______", "Zip Code: {{ constituent.postcode }}", Certain),
    ("E-mail: ______", "E-mail: {{ constituent.email }}", Certain),
    ("Email address: ______", "Email address: {{ constituent.email }}", Certain),
    ("[ZIP]", "{{ constituent.postcode }}", Certain),
    ("{{ postcode }}", "{{ constituent.postcode }}", Certain),
    ("[[Street_Address]]", "{{ constituent.address }}", Certain),
    ("{!Contact.MailingAddress}", "{{ constituent.address }}", Certain),
    ("My ward is [Ward].", "My ward is {{ constituent.ward }}.", Certain),
    ("My ward is ${WARD}.", "My ward is {{ constituent.ward }}.", Certain),
    ("My ward is $WARD and", "My ward is {{ constituent.ward }} and", Certain),
    ("{{ constituent.name }}", "{{ constituent.name }}", Certain),
    ("[Insert your personal story here]", "{{ constituent.note }}", Unsure),
    ("Nombre: _______", "Nombre: {{ constituent.name }}", Certain),
    ("Fecha: _______", "Fecha: {{ constituent.signed_on }}", Certain),
    ("Vivo en ______.", "Vivo en {{ constituent.jurisdiction }}.", Certain),
    ("Código postal: _____", "Código postal: {{ constituent.postcode }}", Certain),
    ("Name:", "Name: {{ constituent.name }}", Likely),
];

#[test]
fn a_blank_becomes_the_field_that_its_surroundings_ask_for() {
    let mut wrong = Vec::new();
    for (line, after, certainty) in LINES {
        let draft = draft(&format!("{line}\n\nPlease act now, and do not wait for others."));
        let blanks = draft.blanks(&columns());
        let source = draft.fill(&all_taken(&blanks));
        let shown = source.lines().nth(2).unwrap_or_default();
        let surely = blanks.iter().map(|blank| blank.certainty).max();
        if shown != *after || surely != Some(*certainty) {
            wrong.push(format!("{line}\n  is     {shown}  {surely:?}\n  not    {after}  {certainty:?}"));
        }
        wrong.extend(complaints(&source).into_iter().map(|c| format!("{line}: {c}")));
    }
    assert!(LINES.len() >= 60 && wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn ordinary_writing_has_no_blanks_and_stays_as_it_is() {
    for line in [
        "A fine of $1,000 or more, US$5 or 20% to 30% of it.",
        "I hope ... that you act. Well.... perhaps…",
        "As she said, “they [sic] were [t]he first” [1], [2, 3].",
        "Section 3(c), (i) and (ii) of the act (the name of the town was changed).",
        "See https://act.example/a_____b/(name)?x={id} and www.a.example/____/x.",
        "Write to jane__doe@mail.example or to first_name@x.example.",
        "The Mayor, the Council (Mayor Smith presiding) and I.",
        "Super Bowl XXX and Malcolm X were there.",
        "An a_b_c identifier; a -- dash — and ---- more.",
        "Dear Mayor Smith,",
        "Dear Mayor,",
        "(thank you)",
        "We ask for: more light, fewer cars.",
    ] {
        let draft = draft(&format!("{line}\n\nPlease act now."));
        let blanks = draft.blanks(&columns());
        assert!(blanks.is_empty(), "{line}: {blanks:?}");
        assert_eq!(complaints(&draft.fill(&[])), Vec::<String>::new(), "{line}");
    }
}

#[test]
fn what_nothing_tells_of_is_left_to_staff_and_check_refuses_it_until_then() {
    for line in [
        "In our town ____ people agree.",
        "[Something else]",
        "{{ favourite_colour }}",
        "Phone: ________",
        "[ ] I agree",
        "%UNKNOWN_THING%",
        "XXXX people agree.",
        "<<Unknown>>",
        "*|UNKNOWN|*",
    ] {
        let draft = draft(&format!("{line}\n\nPlease act now."));
        let blanks = draft.blanks(&columns());
        assert_eq!(blanks.len(), 1, "{line}: {blanks:?}");
        assert_eq!((blanks[0].certainty, &blanks[0].proposal), (Unsure, &None), "{line}");
        let open = draft.fill(&all(&blanks, &Choice::Open));
        assert!(!complaints(&open).is_empty(), "{line}: {open}");
        let kept = draft.fill(&all(&blanks, &Choice::Keep));
        assert_eq!(complaints(&kept), Vec::<String>::new(), "{line}: {kept}");
    }
}
