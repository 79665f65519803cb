//! Letters whose blanks are easily taken for others, and what is proposed for them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it cannot go on")]

use undersigned::draft::{Blank, Certainty, Choice, Columns, Decision, Draft, read};

use Certainty::{Likely, Unsure};

fn draft(text: &str) -> Draft {
    read("letter.txt", format!("Subject: A request\n\n{text}\n").as_bytes()).unwrap()
}

fn blanks(draft: &Draft) -> Vec<Blank> {
    draft.blanks(&Columns::default())
}

fn filled(draft: &Draft) -> String {
    let choice = |blank: &Blank| blank.proposal.clone().map_or(Choice::Keep, Choice::Field);
    let decisions: Vec<Decision> =
        blanks(draft).into_iter().map(|blank| Decision { choice: choice(&blank), blank }).collect();
    draft.fill(&decisions)
}

#[test]
fn what_may_mean_somebody_else_is_asked() {
    for line in [
        "Company name: ________",
        "Hearing date: ________",
        "Emergency contact's address: ________",
        "The hearing is on [date].",
        "The shelter at [address] is full.",
        "Please decide by __/__/____.",
        "Please meet Council Member ______ soon.",
        "Your predecessor, Mayor ______, agreed.",
        "The title of the bill is [title].",
        "My district is ______.",
        "I vote in [ward].",
    ] {
        let draft = draft(&format!("Dear Mayor ____,\n\n{line}\n\nPlease act now."));
        let blanks = blanks(&draft);
        assert_eq!(blanks.len(), 2, "{line}: {blanks:?}");
        assert_eq!(blanks[1].certainty, Unsure, "{line}: {:?}", blanks[1].proposal);
    }
}

#[test]
fn one_label_for_several_blanks_is_shared_among_them() {
    for (line, fields) in [
        ("City, State, Zip: ______, IL ______", &["constituent.jurisdiction", "constituent.postcode"][..]),
        ("City, State, Zip: ____________, ____ ________", &["constituent.jurisdiction", "", "constituent.postcode"]),
        ("City/State/ZIP ________/____/________", &["constituent.jurisdiction", "", "constituent.postcode"]),
        ("Name, Email, Date: ____ ____ ____", &["constituent.name", "constituent.email", "constituent.signed_on"]),
    ] {
        let draft = draft(&format!("Please act.\n\nSincerely,\n{line}"));
        let blanks = blanks(&draft);
        let proposed: Vec<String> =
            blanks.iter().map(|b| b.proposal.as_ref().map(ToString::to_string).unwrap_or_default()).collect();
        assert_eq!(proposed, fields, "{line}");
        assert!(blanks.iter().all(|b| b.proposal.is_some() || b.certainty == Unsure), "{line}");
    }
}

#[test]
fn labels_alone_below_the_closing_words_are_blanks() {
    let draft = draft("Please act.\n\nRespectfully,\nYour Name\nAddress\nCity, State, ZIP");
    let source = filled(&draft);
    let end = "{{ constituent.name }}\\\n{{ constituent.address }}\\\n\
               {{ constituent.jurisdiction }} {{ constituent.postcode }}\n";
    assert!(source.ends_with(end), "{source}");
    assert!(blanks(&draft).iter().all(|blank| blank.certainty == Likely));
}

#[test]
fn the_address_below_the_officials_name_is_not_the_constituents() {
    let draft =
        draft("[Your Name]\n[City, State ZIP]\n\nThe Honorable [Mayor's Name]\n[City, State ZIP]\n\nDear Mayor ____,");
    let proposals: Vec<String> =
        blanks(&draft).iter().filter_map(|b| b.proposal.as_ref().map(ToString::to_string)).collect();
    assert_eq!(proposals[1], "constituent.jurisdiction + constituent.postcode");
    assert_eq!(proposals[3], "official.jurisdiction");
}

#[test]
fn a_petition_without_closing_words_is_no_signature_as_a_whole() {
    let source = filled(&draft(
        "To: The Honorable ________, Mayor of ________\n\nWe, the undersigned residents of ________, ask the Mayor and \
         the Council to lower the speed limit.\n\nSignature: ________  Date: ________",
    ));
    assert!(source.contains("{{ official.name }}, Mayor of {{ official.jurisdiction }}"), "{source}");
    assert!(source.contains("residents of {{ constituent.jurisdiction }}"), "{source}");
}

#[test]
fn a_greeting_with_a_colon_before_the_name_is_for_the_official() {
    let draft = draft("Dear Mayor: ________\n\nPlease act.");
    assert_eq!(blanks(&draft)[0].proposal.as_ref().map(ToString::to_string).as_deref(), Some("official.name"));
    assert!(blanks(&draft)[0].certainty < Unsure);
}

#[test]
fn a_greeting_of_one_person_in_every_letter_is_told() {
    for (line, is_told) in [
        ("Dear Mayor Joe Smith,", true),
        ("Estimado alcalde Pérez:", true),
        ("Dear Mr. Smith:", true),
        ("Dear Mayor ____,", false),
        ("Dear Mayor LASTNAME,", false),
        ("Dear Mayor,", false),
        ("Dear Mayor and Members of the City Council,", false),
        ("Dear Mayor and Councilmembers:", false),
        ("Dear Sir or Madam,", false),
        ("Dear Friends of the Library,", false),
    ] {
        let notes = draft(&format!("{line}\n\nPlease act.")).notes().join(" ");
        assert_eq!(notes.contains("greets one person"), is_told, "{line}: {notes}");
    }
}

#[test]
fn a_caption_one_line_further_down_still_names_the_line_to_sign_on() {
    let source = filled(&draft("Please act.\n\nSincerely,\n\n__________\n\nSignature\n\nName\n\nAddress"));
    assert_eq!(source.matches("{{ constituent.name }}").count(), 2, "{source}");
}

#[test]
fn a_form_without_any_space_has_all_its_blanks() {
    let draft = draft("Please act.\n\nYours,\nCity:_____State:__Zip:_____");
    assert_eq!(blanks(&draft).len(), 3, "{}", filled(&draft));
}

#[test]
fn spaces_to_write_on_are_blanks() {
    let draft = draft(
        "Dear Mayor                 ,\n\nI live in                  and vote in             . Our town (          ) \
         needs buses.  Two spaces are none.\n\nYours,\n(name)",
    );
    let source = filled(&draft);
    assert!(source.contains("I live in {{ constituent.jurisdiction }} and vote in"), "{source}");
    assert_eq!(blanks(&draft).len(), 5, "{source}");
}
