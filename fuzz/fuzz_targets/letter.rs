//! Any bytes as a letter: read, its blanks found, filled in with what is proposed, and checked as a template.

#![no_main]

use libfuzzer_sys::fuzz_target;
use undersigned::draft::{self, Choice, Columns, Decision};
use undersigned::template::{Fields, Purpose, Template, to_html, to_text};

const NAMES: [&str; 4] = ["letter.md", "letter.txt", "letter.docx", "letter"];

fuzz_target!(|data: &[u8]| {
    let [form, bytes @ ..] = data else { return };
    let name = NAMES[usize::from(form % 4)];
    let draft = match draft::read(name, bytes) {
        Ok(draft) => draft,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let columns = Columns { constituent: ["ward".to_owned()].into(), ..Columns::default() };
    let blanks = draft.blanks(&columns);
    let open: Vec<Decision> =
        blanks.iter().map(|blank| Decision { blank: blank.clone(), choice: Choice::Open }).collect();
    let proposed: Vec<Decision> = blanks
        .into_iter()
        .map(|blank| {
            let _ = blank.around(30);
            let choice = blank.proposal.clone().map_or(Choice::Keep, Choice::Field);
            Decision { blank, choice }
        })
        .collect();
    let fields = Fields { official: Default::default(), constituent: columns.constituent.clone() };
    for decisions in [&open, &proposed] {
        let filled = draft.fill(decisions);
        assert_eq!(filled, draft.fill(decisions), "the same decisions give the same letter");
        let _ = Template::parse("letter.md", &filled, Purpose::Letter, &fields);
        let _ = (to_text(&filled), to_html("subject", &filled, "en"));
    }
});
