//! Templates as their authors meet them: what is refused, and what values become.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Instant;

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::model::{EmailAddress, MessageState, sample};

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
    sample::official("Ada O'Neil", "mayor@town.example")
}

fn constituent(note: &str) -> Constituent {
    Constituent {
        address: "1 Main St\nTown".into(),
        postcode: "60601".into(),
        signed_on: "2026-01-01".into(),
        note: note.into(),
        ..sample::constituent("Jane Doe", "jane@x.example")
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
                  {{ constituent.name | shout }} {{ range(end=9) }}\n{% import \"x\" %}\n____";
    assert_eq!(
        what(letter(source)),
        [
            "letter.md:1:13: no column gives `offical.title`; did you mean `official.title`?",
            "letter.md:3:9: no column gives `official.nmae`; did you mean `official.name`?",
            "letter.md:5:7: no column gives `zzzz`",
            "letter.md:6:23: there is no filter `shout`; there are upper, lower, capitalize, title, trim, default, \
             length, replace, truncate and quoted",
            "letter.md:6:35: there is no function `range`",
            "letter.md:7:1: `{% import %}` is not known here; there are if, elif, else, endif, variant, or, endvariant and include",
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
        "x {{ constituent.note | quoted }}",
        "{% if constituent.note | quoted %}x{% endif %}",
        "{{ constituent.note | quoted | upper }}",
        "{% include 'x.md' %}",
        "a\u{1}b",
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
    ] {
        assert_eq!(to_text(&rendered("{{ constituent.note }}", value).markdown), text, "{value:?}");
    }
    let nothing = letter("Subject: s\n\n{{ constituent.note }}").unwrap();
    let refused = nothing.render_letter(&campaign(), &official(), &constituent(" \n"));
    assert_eq!(refused, Err(RenderError::Empty { template: "letter.md".into() }));
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

#[test]
fn somebodys_own_words_are_a_block_quote_from_their_first_line_to_their_last() {
    let body = "{% if constituent.note %}\nIn my words:\n{{ constituent.note | quoted }}\nEnd of {{ official.name }}.\n{% endif %}";
    for (note, quote) in [
        ("one", "> one\n"),
        ("one\ntwo\n\n\n \nthree", "> one\n> two\n>\n> three\n"),
        ("- a\n# b\n> c\n\n    code\n\n```\nx", "> - a\n> # b\n> > c\n>\n> code\n>\n> ```\n> x\n"),
        ("{{ x }} ____ (name)", "> {{ x }} ____ (name)\n"),
        ("<b>*no*</b>", "> <b>*no*</b>\n"),
    ] {
        let markdown = rendered(body, note).markdown;
        assert_eq!(to_text(&markdown), format!("In my words:\n\n{quote}\nEnd of Ada O'Neil.\n"), "{note:?}");
        let html = to_html("s", &markdown, "en");
        assert_eq!(html.matches("<blockquote>").count(), 1, "{html}");
        let (quoted, after) = html.split_once("<blockquote>").unwrap().1.split_once("</blockquote>").unwrap();
        assert!(after.contains("End of") && !quoted.contains("End of"), "{html}");
        for tag in ["<li>", "<h1>", "<code>", "<em>", "<b>"] {
            assert!(!quoted.contains(tag), "{html}");
        }
    }
    assert_eq!(to_text(&rendered("a\n\n{{ constituent.note | quoted }}\n\nb", "").markdown), "a\n\nb\n");
    let cut = rendered("{{ constituent.note | truncate(length=3) | quoted }}", "abcdef");
    assert_eq!(to_text(&cut.markdown), "> abc…\n");
}

#[test]
fn a_blank_in_a_finished_letter_is_refused_and_a_value_that_looks_like_one_is_not() {
    let body = |body: &str| letter(&format!("Subject: s {{{{ constituent.note }}}}\n\n{body}"));
    // Nobody wrote these as they are; they come about when the letter is put together.
    for made in ["a _{# #}__ b", "({# #}name)", "{# #}[NA{# #}ME]"] {
        assert!(
            what(body(made)).iter().any(|what| what.contains("left in the letter") || what.contains("blank")),
            "{made}"
        );
    }
    // Only a constituent without a ward gets to see this one.
    let rare = body("x _{% if constituent.ward == \"\" %}__{% endif %}").unwrap();
    let without = rare.render_letter(&campaign(), &official(), &constituent("n"));
    assert_eq!(without, Err(RenderError::Blank { template: "letter.md".into(), blank: "___".into() }));
    let mut with = constituent("n");
    with.extra.insert("Ward".into(), "5".into());
    assert!(rare.render_letter(&campaign(), &official(), &with).is_ok());
    for value in ["____", "{{ x }}", "(name)", "[NAME]", "}}", "Name: ......", "{%", "\u{1}"] {
        for place in
            ["a {{ constituent.note }} b", "x\n\n{{ constituent.note | quoted }}", "_{{ constituent.note | upper }}_"]
        {
            let template = body(place).unwrap();
            let subject = template.render_letter(&campaign(), &official(), &constituent(value)).unwrap().subject;
            assert!(!subject.contains('\u{1}') && subject.starts_with('s'), "{subject}");
        }
    }
    // A value cut in the middle takes no mark with it.
    let cut = "{% for l in letters %}{{ l.copy | truncate(length=2) }} ____{{ l.state }}{% endfor %}";
    assert!(!what(confirmation(&format!("Subject: s\n\n{cut}"))).is_empty());
}

#[test]
fn a_constituent_gets_the_same_variant_always_and_every_variant_is_somebodys() {
    let source = "Subject: One\nSubject: Two\nSubject: Three\n\n{% variant %}\nred\n{% or %}\nblue {{ constituent.name }}\n\
                  {% endvariant %}\n\n{% variant %}x{% or %}y{% endvariant %}";
    let template = letter(source).unwrap();
    assert_eq!(template.variants(), [3, 2, 2]);
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for n in 0..600 {
        let mut who = constituent("");
        who.mailbox = EmailAddress::parse(&format!("jane{n}@x.example")).unwrap();
        let letter = template.render_letter(&campaign(), &official(), &who).unwrap();
        assert_eq!(template.render_letter(&campaign(), &official(), &who).unwrap(), letter);
        let text = to_text(&letter.markdown).replace('\n', " ");
        *seen.entry(format!("{} {}", letter.subject, text.replace("Jane Doe", "J").trim())).or_default() += 1;
    }
    assert_eq!(seen.len(), 12, "{seen:?}");
    assert!(seen.values().all(|n| (20..90).contains(n)), "{seen:?}");
    assert!(seen.contains_key("Two blue J  y"), "{seen:?}");
}

#[test]
fn what_is_wrong_with_a_variant_is_found_though_nobody_draws_it() {
    let long = "s".repeat(201);
    for (source, place) in [
        ("Subject: a\nSubject: {{ official.nmae }}\n\nx".to_owned(), "letter.md:2:13"),
        (format!("Subject: a\nSubject: {long}\n\nx"), "letter.md:1:1"),
        ("Subject: a\n\n{% variant %}a{% or %}b ____{% endvariant %}".to_owned(), "letter.md:3:25"),
        ("Subject: a\n\n{% variant %}a{% or %}`{{ official.name }}`{% endvariant %}".to_owned(), "letter.md:3:24"),
        (
            "Subject: a\n\n{% variant %}a{% or %}{{ official.name | truncate }}{% endvariant %}".to_owned(),
            "letter.md:3:",
        ),
        ("Subject: a\n\n{% variant %}a{% or %}b".to_owned(), "letter.md:3:1"),
        ("Subject: a\n\n{% variant %}a{% or %}b{% endvariant %} {{ variant.p1 }}".to_owned(), "letter.md:3:"),
    ] {
        let found = what(letter(&source));
        assert!(found[0].starts_with(place), "{source}: {found:?}");
    }
}

#[test]
fn what_is_included_is_checked_where_it_stands_and_frozen_with_the_letter() {
    let files = |name: &str| match name {
        "footer.md" => Ok("Yours,\n{{ constituent.name }}\n".to_owned()),
        "bad.md" => Ok("fine\nDear {{ constituent.nmae }} ____".to_owned()),
        _ => Err("there is no such file".to_owned()),
    };
    let with = |body: &str| {
        Source::with_includes("letter.md", &format!("Subject: s\n\n{body}"), &files)
            .and_then(|source| Template::of(source, Purpose::Letter, &fields()))
    };
    let template = with("Dear\n\n{% include \"footer.md\" %}").unwrap();
    assert_eq!(template.name(), "letter.md");
    let frozen = letter(template.source().text()).unwrap();
    let letter = |template: &Template| template.render_letter(&campaign(), &official(), &constituent("")).unwrap();
    assert_eq!(letter(&frozen), letter(&template));
    assert_eq!(to_text(&letter(&frozen).markdown), "Dear\n\nYours, Jane Doe\n");
    let problems = what(with("{% include 'bad.md' %}\n(name)"));
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert!(problems[0].starts_with("templates/bad.md:2:9: no column gives `constituent.nmae`"), "{problems:?}");
    assert!(
        problems[1].starts_with("templates/bad.md:2:29: `____`") && problems[2].starts_with("letter.md:4:1: `(name)`")
    );
    assert!(what(with("{% include 'none.md' %}"))[0].starts_with("letter.md:3:1: `none.md` cannot be included"));
}

#[test]
fn a_letter_that_takes_too_long_is_refused_and_the_next_one_goes_on() {
    let mut slow = "Subject: s\n\nx\n".to_owned();
    let grow = format!("| replace(from=\"x\", to=\"{}\")", "y".repeat(50));
    for _ in 0..400 {
        // Says nothing, so that no writer can notice.
        writeln!(slow, "{{% if constituent.note {grow} | title | title | title == \"n\" %}}z{{% endif %}}").unwrap();
    }
    let template = letter(&slow).unwrap();
    let began = Instant::now();
    let refused = template.render_letter(&campaign(), &official(), &constituent(&"x".repeat(5_000)));
    assert_eq!(refused, Err(RenderError::TooSlow { template: "letter.md".into() }));
    assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
    assert!(template.render_letter(&campaign(), &official(), &constituent("n")).is_ok());
}

#[test]
fn a_head_may_name_the_language_of_the_letter() {
    let template = letter("Subject: Hola\nLanguage: es\n\nHola").unwrap();
    let rendered = template.render_letter(&campaign(), &official(), &constituent("")).unwrap();
    assert_eq!((template.language(), rendered.language.as_deref()), (Some("es"), Some("es")));
}

proptest! {
    #[test]
    fn no_source_makes_it_panic(source in "(Subject: )?(Language: es\n)?(\\PC|\\{% include 'f' %\\}|\\{%-? (variant|or|endvariant) -?%\\}|[\\n{}%#|.\"'`()\\[\\]<>*_!\\\\ -]|\\{\\{ ?|official\\.name| ?\\}\\}|\\{% if |\\{% endif %\\}| %\\}){0,60}") {
        for purpose in [Purpose::Letter, Purpose::Confirmation] {
            let _ = Template::parse("x", &source, purpose, &fields());
            let included = |_: &str| Ok(source.replace("'f'", "'g'"));
            let _ = Source::with_includes("x", &source, &included).map(|source| Template::of(source, purpose, &fields()));
        }
        let _ = to_text(&source);
        let _ = to_html(&source, &source, &source);
    }

    #[test]
    fn any_value_is_seen_as_it_is(value in "[ -~é中]{1,40}") {
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        // A letter that is nothing but blank is refused, so one word is always there.
        let markdown = rendered("{{ constituent.note }}\n\nend", &value).markdown;
        let expected = words(&format!("{value} end"));
        prop_assert_eq!(words(&to_text(&markdown)), expected.clone());
        prop_assert_eq!(words(&seen(&to_html("s", &markdown, "en"))), expected);
    }
}
