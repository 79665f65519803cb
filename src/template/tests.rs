//! Templates as their authors meet them: what is refused, and what values become.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::model::{EmailAddress, Extra, MessageState, PersonName};

fn fields() -> Fields {
    Fields { official: BTreeSet::new(), constituent: ["Ward".to_owned()].into() }
}

fn letter(source: &str) -> Result<Template, Vec<TemplateProblem>> {
    Template::parse("letter.md", source, Purpose::Letter, &fields())
}

fn confirmation(source: &str) -> Result<Template, Vec<TemplateProblem>> {
    Template::parse("confirmation.md", source, Purpose::Confirmation, &fields())
}

fn campaign() -> CampaignFields {
    CampaignFields { name: "Open Doors".into(), time_zone: TimeZone::UTC }
}

fn official() -> Official {
    Official {
        title: "Mayor".into(),
        name: PersonName::parse("Ada O'Neil").unwrap(),
        mailbox: Some(EmailAddress::parse("mayor@town.example").unwrap()),
        jurisdiction: "Town".into(),
        extra: Extra::new(),
    }
}

fn constituent(note: &str) -> Constituent {
    Constituent {
        title: String::new(),
        name: PersonName::parse("Jane Doe").unwrap(),
        mailbox: EmailAddress::parse("jane@x.example").unwrap(),
        jurisdiction: "Town".into(),
        address: "1 Main St\nTown".into(),
        postcode: "60601".into(),
        signed_on: "2026-01-01".into(),
        note: note.into(),
        extra: Extra::new(),
    }
}

fn rendered(body: &str, note: &str) -> Rendered {
    let template = letter(&format!("Subject: s\n\n{body}")).unwrap();
    template.render_letter(&campaign(), &official(), &constituent(note)).unwrap()
}

fn what(problems: Result<Template, Vec<TemplateProblem>>) -> Vec<String> {
    problems.err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

/// What a person sees of the HTML's body.
fn seen(html: &str) -> String {
    let body = html.split_once("<main>").unwrap().1.split_once("</main>").unwrap().0;
    let mut out = String::new();
    let mut inside = false;
    for c in body.chars() {
        match c {
            '<' => inside = true,
            '>' => inside = false,
            c if !inside => out.push(c),
            _ => {}
        }
    }
    out.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

#[test]
fn every_problem_is_told_at_once_with_its_place() {
    let source = "Subject: {{ offical.title }}\n\nDear {{ official.nmae }},\n\n{% if zzzz %}x{% endif %}\n\
                  {{ constituent.name | shout }} {{ range(end=9) }}\n{% include \"x\" %}\n____";
    assert_eq!(
        what(letter(source)),
        [
            "letter.md:1:13: no column gives `offical.title`; did you mean `official.title`?",
            "letter.md:3:9: no column gives `official.nmae`; did you mean `official.name`?",
            "letter.md:5:7: no column gives `zzzz`",
            "letter.md:6:23: there is no filter `shout`; there are upper, lower, capitalize, title, trim, default, \
             length, replace, truncate and quoted",
            "letter.md:6:35: there is no function `range`",
            "letter.md:7:1: `{% include %}` is not known here; there are if, elif, else and endif",
            "letter.md:8:1: `____` looks like a blank that was not filled in; put a field there, or reword it",
        ]
    );
}

#[test]
fn templates_that_could_mislead_are_refused() {
    for body in [
        "{{ official }}",
        "{{ letters }}",
        "{% for x in letters %}{% endfor %}",
        "{{ constituent.note | safe }}",
        "{{ constituent.note | quoted }}",
        "{{ official['name'] }}",
        "{{ official.name ~ official.title }}",
        "{% set x = 1 %}",
        "{% raw %}{{ x }}{% endraw %}",
        "{{ }}",
        "{{ official.name",
        "{% if official.name %}x",
        "`{{ official.name }}`",
        "    {{ official.name }}",
        "```\n{{ official.name }}\n```",
        "[x](https://x.example/{{ official.name }})",
        "https://x.example/{{ official.name }}",
        "{{ constituent.postcode }}. x",
        "[{{ official.name }}]: https://x.example",
        "\\{{ official.name }}",
        "<{{ official.email }}>",
        "</{{ official.email }}>",
        "<b>x</b>",
        "<!-- x -->",
        "![x](https://x.example/y.png)",
        "{{ official.name is string }}",
        "{{ official.name | upper(x= }}",
        "{{ official.name | replace(from=\"\", to=\"x\") }}",
        "",
        "(name)",
        "{{ official.name | default(value=\"____\") }}",
    ] {
        assert_ne!(what(letter(&format!("Subject: s\n\n{body}"))), Vec::<String>::new(), "{body}");
    }
    for source in
        ["", "Dear", "Subject:\n\nx", "Subject: s", "Subject: s\nx", &format!("Subject: {}\n\nx", "s".repeat(201))]
    {
        assert_ne!(what(letter(source)), Vec::<String>::new(), "{source}");
    }
}

#[test]
fn confirmations_loop_over_letters_and_over_nothing_else() {
    let loops = |body: &str| what(confirmation(&format!("Subject: s\n\n{body}")));
    let none = Vec::<String>::new();
    assert_eq!(
        loops(
            "{{ letters | length }}{% for l in letters %}\n{{ l.official.name }}{{ loop.index }}\n\n{{ l.copy | quoted }}\n\n{% endfor %}"
        ),
        none
    );
    for body in [
        "{% for l in constituent.note %}x{% endfor %}",
        "{% for l in letters %}{% for m in letters %}x{% endfor %}{% endfor %}",
        "{% for official in letters %}x{% endfor %}",
        "{% for l in letters %}{{ l.copy }}{{ l.copi }}{% endfor %}",
        "{% for l in letters %}{{ l }}{% endfor %}",
        "{% for l in letters %}x {{ l.copy | quoted }}{% endfor %}",
        "{% for l in letters %}x{% endfor %}{{ l.state }}",
        "{{ official.name }}",
        "{{ loop.index }}",
    ] {
        assert_ne!(loops(body), none, "{body}");
    }
}

#[test]
fn a_value_is_shown_as_it_is_written_wherever_it_stands() {
    let values = [
        "*x*",
        "**x**",
        "_x_",
        "[a](http://e)",
        "![a](http://e)",
        "<script>alert(1)</script>",
        "<b>",
        "1. x",
        "1) x",
        "# h",
        "- x",
        "+ x",
        "> x",
        "&amp;",
        "&#65;",
        "`x`",
        "```",
        "~~~",
        "a | b",
        "{{ x }}",
        "{% x %}",
        "{# x #}",
        "www.x.example",
        "https://x.example",
        "a@x.example",
        "<https://x.example>",
        "---",
        "===",
        "***",
        "\\",
        "\\*",
        "[x]: http://e",
        "a\\",
        "$x$",
        "~~x~~",
        "____",
        "(name)",
        "12",
        "\u{560d}\u{760a}",
        "'); DROP TABLE",
        "=1+1",
        "!",
        "[",
    ];
    let places = [
        ("{{ constituent.note }}", ""),
        ("a {{ constituent.note }} b", ""),
        ("**{{ constituent.note }}**", "*"),
        ("- {{ constituent.note }}", "- "),
        ("> {{ constituent.note }}", "> "),
        ("[{{ constituent.note }}](https://y.example)", ""),
        ("x\n{{ constituent.note }}\n===", ""),
    ];
    for value in values {
        for (place, before) in places {
            let markdown = rendered(place, value).markdown;
            let text = to_text(&markdown);
            assert!(text.contains(&format!("{before}{value}")), "{place} {value:?}: {text}");
            let html = to_html("s", &markdown, "en");
            assert!(seen(&html).contains(value), "{place} {value:?}: {html}");
            assert!(!html.contains("<script") && !html.contains("x.example\""), "{html}");
        }
    }
}

#[test]
fn line_breaks_in_a_value_stay_and_white_space_around_lines_goes() {
    for (value, text) in [
        ("a\nb", "a\nb\n"),
        ("a\r\n\r\nb\n", "a\n\nb\n"),
        ("    four\n    # five", "four\n# five\n"),
        ("a\rb\u{0}c", "a\nb c\n"),
        ("", ""),
    ] {
        assert_eq!(to_text(&rendered("{{ constituent.note }}", value).markdown), text, "{value:?}");
    }
    let quoted = rendered("> {{ constituent.note }}\n>\n> y", "a\n\n- b\n# c");
    assert_eq!(to_text(&quoted.markdown), "> a\n>\n> - b\n> # c\n>\n> y\n");
}

#[test]
fn an_empty_cell_leaves_no_trace() {
    let body = "{{ constituent.name }}\\\n{{ constituent.note }}\n\nx{{ constituent.ward }}";
    assert_eq!(to_text(&rendered(body, "").markdown), "Jane Doe\n\nx\n");
    let body = "{{ constituent.title | default(value=\"Friend\") }}";
    assert_eq!(to_text(&rendered(body, "").markdown), "Friend\n");
}

#[test]
fn a_subject_is_one_line_of_at_most_200_characters_without_markdown() {
    let template = letter("Subject: *{{ constituent.note }}*\n\nx").unwrap();
    let subject = |note: &str| template.render_letter(&campaign(), &official(), &constituent(note)).map(|r| r.subject);
    assert_eq!(subject("1. <b> & _c_").as_deref(), Ok("*1. <b> & _c_*"));
    for (note, fault) in [("a\nb", SubjectFault::NotOneLine), (&"x".repeat(199), SubjectFault::TooLong)] {
        assert_eq!(subject(note), Err(RenderError::Subject { template: "letter.md".into(), fault }));
    }
    let empty = letter("Subject: {{ constituent.note }}\n\nx").unwrap();
    let fault = empty.render_letter(&campaign(), &official(), &constituent("")).unwrap_err();
    assert_eq!(fault, RenderError::Subject { template: "letter.md".into(), fault: SubjectFault::Empty });
}

#[test]
fn a_letter_over_256_kib_is_refused() {
    let template = letter("Subject: s\n\n{{ constituent.note }}").unwrap();
    let long = constituent(&"x".repeat(256 * 1024 + 1));
    let refused = template.render_letter(&campaign(), &official(), &long);
    assert_eq!(refused, Err(RenderError::TooLong { template: "letter.md".into() }));
}

#[test]
fn a_confirmation_quotes_the_copy_as_it_was_written() {
    let copy = rendered("Dear *{{ official.name }}*\n\n- {{ constituent.note }}", "*x*\n<b>");
    let official = official();
    let view = LetterView {
        official: &official,
        state: MessageState::Sent,
        accepted_at: Some(jiff::Timestamp::from_second(1_000_000_000).unwrap()),
        reply: Some("250 *ok*"),
        copy: &copy,
    };
    let source = "Subject: s\n\n{% for l in letters %}\n{{ l.official.name }}: {{ l.state }} {{ l.accepted_at }} {{ l.reply }}\n\n\
                  {{ l.copy | quoted }}\n\n{% endfor %}\nend";
    let template = confirmation(source).unwrap();
    let rendered = template.render_confirmation(&campaign(), &constituent(""), &[view, view]).unwrap();
    let one = "Ada O'Neil: sent 9 September 2001, 01:46 UTC 250 *ok*\n\n> Dear *Ada O'Neil*\n>\n> - *x*\n>   <b>\n\n";
    assert_eq!(to_text(&rendered.markdown), format!("{one}{one}end\n"));
}

#[test]
fn the_fields_that_must_not_be_empty_are_known() {
    let source = "Subject: {{ campaign.name }}\n\n{% if constituent.ward %}{{ constituent.ward }}{% endif %}\
                  {{ official.name | upper }}{{ constituent.title | default(value=\"Friend\") }}";
    let template = letter(source).unwrap();
    let used: Vec<String> = template.fields_used().iter().map(|(space, field)| format!("{space}.{field}")).collect();
    assert_eq!(used, ["campaign.name", "official.name"]);
}

#[test]
fn files_from_windows_are_read_and_a_bodys_engine_error_has_its_line() {
    assert!(letter("\u{feff}subject: s\r\n\r\nx\r\n").is_ok());
    let problems = what(letter("Subject: s\n\nx\n{% if official.name == %}{% endif %}"));
    assert!(problems[0].starts_with("letter.md:4:"), "{problems:?}");
}

proptest! {
    #[test]
    fn no_source_makes_it_panic(source in "(Subject: )?(\\PC|[\\n{}%#|.\"'`()\\[\\]<>*_!\\\\ -]|\\{\\{ ?|official\\.name| ?\\}\\}|\\{% if |\\{% endif %\\}| %\\}){0,60}") {
        for purpose in [Purpose::Letter, Purpose::Confirmation] {
            let _ = Template::parse("x", &source, purpose, &fields());
        }
        let _ = to_text(&source);
        let _ = to_html(&source, &source, &source);
    }

    #[test]
    fn any_value_is_seen_as_it_is(value in "[ -~é中]{1,40}") {
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let markdown = rendered("{{ constituent.note }}", &value).markdown;
        prop_assert_eq!(words(&to_text(&markdown)), words(&value));
        prop_assert_eq!(words(&seen(&to_html("s", &markdown, "en"))), words(&value));
    }
}
