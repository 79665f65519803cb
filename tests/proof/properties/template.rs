//! Any text as a template, filled in with a hostile row: nothing of a value is evaluated, and what comes out is bounded.

use jiff::tz::TimeZone;
use undersigned::model::{Constituent, EmailAddress, Extra, Official, PersonName};
use undersigned::template::{CampaignFields, Fields, Purpose, Rendered, Template, to_html, to_text};

/// The campaign's name: where a template does not name it, only a value that was evaluated can bring it in.
const SECRET: &str = "ZqSecretqZ";
const TAGS: &str = "{{ campaign.name }}{% if true %}{{ campaign.name }}{% endif %}{{ campaign[\"name\"] | safe }}";
const MARKUP: &str =
    "<script>x</script><img src=http://x.example/p.png> [a](javascript:x) ![b](http://x.example/p.png)";
const BYTES_MAX: usize = 256 * 1024;

fn people(value: &str) -> (Official, Constituent) {
    let address = |text| EmailAddress::parse(text).expect("an address");
    let hostile = format!("{value}{TAGS}{MARKUP}");
    let named: String = hostile.chars().take(190).collect();
    let name = PersonName::parse(&named).or_else(|_| PersonName::parse(TAGS)).expect("a name");
    let extra = Extra::from([("ward".to_owned(), hostile.clone())]);
    let official = Official {
        title: hostile.clone(),
        name: name.clone(),
        mailbox: Some(address("mayor@town.example")),
        jurisdiction: hostile.clone(),
        extra: extra.clone(),
    };
    let constituent = Constituent {
        title: hostile.clone(),
        name,
        mailbox: address("jane@mail.example"),
        jurisdiction: hostile.clone(),
        address: hostile.clone(),
        postcode: hostile.clone(),
        signed_on: hostile.clone(),
        note: hostile,
        extra,
    };
    (official, constituent)
}

fn must_be_tame(rendered: &Rendered, names_campaign: bool, author: &str) {
    let Rendered { subject, markdown, .. } = rendered;
    assert!((1..=200).contains(&subject.chars().count()) && !subject.contains(char::is_control));
    assert!(markdown.len() <= BYTES_MAX + 1, "{} bytes", markdown.len());
    assert!(names_campaign || !(subject.contains(SECRET) || markdown.contains(SECRET)), "a value was evaluated");
    let html = to_html("subject", markdown, "en");
    for active in ["<script", "<img", "javascript:"] {
        let in_tag = |html: &str| match active {
            "javascript:" => html.contains("href=\"javascript:"),
            tag => html.contains(tag),
        };
        assert!(!in_tag(&html) || author.contains(active), "{active} got into the page");
    }
    let _ = to_text(markdown);
}

/// The property.
pub(crate) fn holds(source: &str, value: &str) {
    let columns = std::collections::BTreeSet::from(["ward".to_owned()]);
    let fields = Fields { official: columns.clone(), constituent: columns };
    let campaign = CampaignFields { name: SECRET.into(), time_zone: TimeZone::UTC };
    let (official, constituent) = people(value);
    let names_campaign = source.to_lowercase().contains("campaign");
    match Template::parse("letter.md", source, Purpose::Letter, &fields) {
        Err(problems) => assert!(!problems.is_empty() && problems.iter().all(|p| !p.to_string().is_empty())),
        Ok(template) => match template.render_letter(&campaign, &official, &constituent) {
            Ok(rendered) => {
                must_be_tame(&rendered, names_campaign, &source.to_lowercase());
                let again = template.render_letter(&campaign, &official, &constituent);
                // Only the time that it takes may differ.
                assert!(again.is_err() || again.as_ref() == Ok(&rendered), "the same row gives another letter");
            }
            Err(error) => assert!(!error.to_string().contains(SECRET), "{error}"),
        },
    }
    if let Ok(template) = Template::parse("confirmation.md", source, Purpose::Confirmation, &fields)
        && let Ok(rendered) = template.render_confirmation(&campaign, &constituent, &[])
    {
        must_be_tame(&rendered, names_campaign, &source.to_lowercase());
    }
}
