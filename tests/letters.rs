//! The sample campaign, from its files to the bytes of its messages: what an official and a constituent will read.

#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test says what is wrong by failing")]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use mail_parser::MessageParser;
use undersigned::compose::{Composer, Identity, ReplyTo, StampSeed, new_message_id};
use undersigned::model::{
    CampaignTag, Constituent, Content, EmailAddress, Extra, MessageId, MessageRef, MessageState, Official, PersonName,
};
use undersigned::template::{CampaignFields, Fields, LetterView, Purpose, Rendered, Template, to_html, to_text};

const LETTER: &str = include_str!("../templates/letter.md");
const CONFIRMATION: &str = include_str!("../templates/confirmation.md");
const CONTACTS: &[u8] = include_bytes!("../contacts.csv");

type Row = BTreeMap<String, String>;

fn rows(role: &str) -> Vec<Row> {
    let rows = csv::Reader::from_reader(CONTACTS).into_deserialize().collect::<Result<Vec<Row>, _>>().unwrap();
    rows.into_iter().filter(|row| row["role"] == role).collect()
}

fn officials() -> Vec<Official> {
    let official = |row: &Row| Official {
        title: row["title"].clone(),
        name: PersonName::parse(&row["name"]).unwrap(),
        mailbox: Some(EmailAddress::parse(&row["email"]).unwrap()),
        jurisdiction: row["jurisdiction"].clone(),
        extra: Extra::new(),
    };
    rows("official").iter().map(official).collect()
}

fn constituents() -> Vec<Constituent> {
    let constituent = |row: &Row| Constituent {
        title: row["title"].clone(),
        name: PersonName::parse(&row["name"]).unwrap(),
        mailbox: EmailAddress::parse(&row["email"]).unwrap(),
        jurisdiction: row["jurisdiction"].clone(),
        address: row["address"].clone(),
        postcode: row["postcode"].clone(),
        signed_on: row["signed_on"].clone(),
        note: row["note"].clone(),
        extra: Extra::new(),
    };
    rows("constituent").iter().map(constituent).collect()
}

fn campaign() -> CampaignFields {
    CampaignFields { name: "End the Demand".into(), time_zone: TimeZone::get("America/Chicago").unwrap() }
}

fn template(source: &str, purpose: Purpose) -> Template {
    Template::parse("sample", source, purpose, &Fields::default()).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

fn composer() -> Composer {
    let address = |text| EmailAddress::parse(text).unwrap();
    Composer::new(Identity {
        campaign: campaign().name,
        sender: address("letters@campaign.example"),
        confirmation_sender: address("copies@campaign.example"),
        envelope_sender: address("bounces@campaign.example"),
        reply_to: ReplyTo::Constituent,
        language: "en".into(),
    })
    .unwrap()
}

fn message(id: i64) -> (MessageRef, StampSeed) {
    let message = MessageRef { tag: CampaignTag::parse("k3m9x2").unwrap(), id: MessageId(id) };
    let message_id = new_message_id(&message, composer().identity(), 7);
    (message, StampSeed { message_id, date: Timestamp::from_second(1_792_000_000).unwrap() })
}

/// A pair whose names, title and note use what the sample has to offer.
fn sample_pair() -> (Official, Constituent) {
    let official = officials().into_iter().find(|o| o.jurisdiction == "O'Fallon").unwrap();
    let constituent = constituents().into_iter().find(|c| c.name.as_str() == "Anne O’Neil").unwrap();
    (official, constituent)
}

fn sample_letter() -> Rendered {
    let (official, constituent) = sample_pair();
    template(LETTER, Purpose::Letter).render_letter(&campaign(), &official, &constituent).unwrap()
}

#[test]
fn the_sample_letter_reads_like_this() {
    let rendered = sample_letter();
    insta::assert_snapshot!("letter_text", format!("{}\n\n{}", rendered.subject, to_text(&rendered.markdown)));
    insta::assert_snapshot!("letter_html", to_html(&rendered.subject, &rendered.markdown, "en"));
}

#[test]
fn the_sample_confirmation_tells_the_truth_about_every_state() {
    let (official, constituent) = sample_pair();
    let copy = Rendered {
        subject: "A *request*".into(),
        markdown: "Dear *Mayor*,\n\n- one\n- \\<b\\>\n".into(),
        language: None,
    };
    let states = MessageState::ALL.into_iter().filter(|state| state.is_settled());
    let letters: Vec<LetterView<'_>> = states
        .map(|state| LetterView {
            official: &official,
            state,
            accepted_at: (state == MessageState::Sent).then(|| Timestamp::from_second(1_792_000_000).unwrap()),
            reply: (state == MessageState::Bounced).then_some("550 5.1.1 no such *user*"),
            copy: &copy,
        })
        .collect();
    let template = template(CONFIRMATION, Purpose::Confirmation);
    let rendered = template.render_confirmation(&campaign(), &constituent, &letters).unwrap();
    insta::assert_snapshot!("confirmation_text", format!("{}\n\n{}", rendered.subject, to_text(&rendered.markdown)));
    let one = template.render_confirmation(&campaign(), &constituent, &letters[..1]).unwrap();
    insta::assert_snapshot!("confirmation_of_one_html", to_html(&one.subject, &one.markdown, "en"));
    assert_eq!(to_text(&rendered.markdown).matches("accepted by the mail server").count(), 1);
    assert!(!rendered.markdown.contains("delivered"));
}

#[test]
fn every_letter_of_the_sample_can_be_sent_and_reads_back() {
    let (officials, constituents) = (officials(), constituents());
    assert!(officials.len() >= 12 && constituents.len() >= 60);
    let (template, composer) = (template(LETTER, Purpose::Letter), composer());
    let mut letters = 0;
    for constituent in &constituents {
        let theirs: Vec<&Official> = officials.iter().filter(|o| o.jurisdiction == constituent.jurisdiction).collect();
        assert!(!theirs.is_empty(), "{}", constituent.jurisdiction);
        for official in theirs {
            letters += 1;
            let rendered = template.render_letter(&campaign(), official, constituent).unwrap();
            let (message, seed) = message(letters);
            let parcel = composer.letter(&message, &seed, official, constituent, &rendered).unwrap();
            let read = MessageParser::default().parse(&parcel.bytes).unwrap();
            let text = read.body_text(0).unwrap().replace("\r\n", "\n");
            assert_eq!(text.trim_end(), to_text(&rendered.markdown).trim_end());
            assert!(text.starts_with(&format!("Dear {} {},", official.title, official.name)), "{text}");
            assert!(text.contains(&constituent.address) && text.contains(constituent.name.as_str()));
            assert_eq!(read.to().and_then(|to| to.first()).and_then(|to| to.name()), Some(&*official.salutation()));
        }
    }
    assert!(letters > 66, "one jurisdiction has several officials");
}

#[test]
fn the_sample_leaves_no_needed_cell_empty() {
    let template = template(LETTER, Purpose::Letter);
    let rows: BTreeMap<&str, Vec<Row>> = ["official", "constituent"].map(|role| (role, rows(role))).into();
    for (role, field) in template.fields_used() {
        assert!(rows[role.as_str()].iter().all(|row| !row[field].is_empty()), "{role}.{field}");
    }
}

/// Letters as people write them who were never told how.
const AWKWARD: &[&str] = &[
    "Dear Mayor,\\\nline\\\nline  \nline\n\n\n\n\nEnd.",
    "1. one\n2. two\n   - a\n   - b\n\n10. ten",
    "> quoted\n> > twice\n\n- > in a list",
    "# Head\n\n## *Second* head\n\ntext",
    "https://a.example/very/long/address/that/does/not/fit/into/one/line/of/a/letter/at/all?with=a&query=too#and-more and text after it that goes on and on",
    "See [our page about the matter](https://a.example/matter), or <https://b.example>, or write to [us](mailto:us@a.example).",
    "“Curly” – dashes — ellipsis… \u{a0}nbsp and emoji 👩\u{200d}👧 and العربية and 中文字符",
    "a * b * c and snake_case_word and 2 * 3 and \\*escaped\\*",
    "***\n\n---\n\n* * *",
    "From here on.\n.\n..\n\nFrom again",
    "&amp; &lt;b&gt; &copy; &#65; AT&T",
    "`code` and **bold *and* more**",
    "-\n- b\n-",
    "a\n===\n\nb\n---\n",
];

/// The words of a text, less the marks and addresses that only plain text shows, and the numbers of lists.
fn words(text: &str) -> Vec<&str> {
    let is_address = |word: &str| word.starts_with('<') && word.trim_end_matches([',', '.']).ends_with('>');
    let bare = text
        .split_whitespace()
        .filter(|word| !is_address(word))
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()));
    bare.filter(|word| word.chars().any(|c| !c.is_ascii_digit())).collect()
}

fn seen(html: &str) -> String {
    let body = html.split_once("<main>").unwrap().1.split_once("</main>").unwrap().0;
    let mut out = String::new();
    let mut inside = false;
    for c in body.chars() {
        match c {
            '<' => inside = true,
            '>' => {
                inside = false;
                out.push(' ');
            }
            c if !inside => out.push(c),
            _ => {}
        }
    }
    out.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

#[test]
fn text_and_html_of_awkward_letters_say_the_same_and_fetch_nothing() {
    for letter in AWKWARD {
        let (text, html) = (to_text(letter), to_html("s", letter, "en"));
        assert!(!text.trim().is_empty(), "{letter:?}");
        assert_eq!(words(&text), words(&seen(&html)), "{letter:?}\n{text}\n{html}");
        for line in text.lines() {
            let fits = line.chars().count() <= 72 || !line.trim().contains(' ');
            assert!(fits && line.trim_end() == line, "{line:?}");
        }
        for remote in ["src=", "url(", "<script", "<link", "<img", "@import", "onclick"] {
            assert!(!html.contains(remote), "{remote}: {html}");
        }
        assert!(html.contains("color-scheme") && html.contains("<html lang=\"en\">") && html.contains("<title>"));
    }
}

/// Asks Python's mail package, which shares no code with us, what it reads in the headers.
const READER: &str = r"
import sys, json
from email import message_from_bytes, policy
m = message_from_bytes(sys.stdin.buffer.read(), policy=policy.default)
one = lambda h: [[a.display_name, a.addr_spec] for a in m[h].addresses]
print(json.dumps([one('From'), one('Reply-To'), one('To'), m['Subject'], m.get_body(('plain',)).get_content().replace('\r\n', '\n'),
                  [str(d) for d in m.defects]]))
";

/// Every header of a message and of its parts, in order, as it reads them.
const ALL_HEADERS: &str = r"
import sys, json
from email import message_from_bytes, policy
m = message_from_bytes(sys.stdin.buffer.read(), policy=policy.default)
print(json.dumps([[[name, str(value)] for name, value in part.items()] for part in m.walk()]))
";

fn python_reads(bytes: &[u8]) -> Option<serde_json::Value> {
    python_says(READER, bytes)
}

fn python_says(script: &str, bytes: &[u8]) -> Option<serde_json::Value> {
    let mut child =
        Command::new("python3").args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn pythons_mail_package_reads_every_name_as_it_was_written() {
    let (official, mut constituent) = sample_pair();
    let (message, seed) = message(1);
    let arabic = "محمد بن عبد الله ".repeat(6);
    for name in [
        "Doe, Jane",
        "Smith (Jr.)",
        "\"Bob\"",
        "O'Neil",
        "Cher",
        &"x".repeat(200),
        "Zoë 🎈",
        &arabic,
        "=?utf-8?q?x?=",
        "a\\b\\",
        "J. R.",
        "a@b",
    ] {
        constituent.name = PersonName::parse(name).unwrap();
        let name = constituent.name.as_str();
        let rendered = Rendered { subject: name.to_owned(), markdown: ".\n\nFrom 🎈\n".into(), language: None };
        let parcel = composer().letter(&message, &seed, &official, &constituent, &rendered).unwrap();
        let Some(read) = python_reads(&parcel.bytes) else {
            eprintln!("skipped: there is no python3 here");
            return;
        };
        // Python 3.11 shows a space between two encoded words of a name, where RFC 2047 wants none.
        let read: serde_json::Value = serde_json::from_str(&read.to_string().replace("  ", " ")).unwrap();
        let salutation = official.salutation();
        let expected = serde_json::json!([
            [[format!("{name} via End the Demand"), "letters@campaign.example"]],
            [[name, constituent.mailbox.as_str()]],
            [[salutation, official.mailbox.as_ref().map(EmailAddress::as_str)]],
            name,
            ".\n\nFrom 🎈\n",
            [],
        ]);
        assert_eq!(read, expected, "{name}");
    }
}

#[test]
fn pythons_mail_package_finds_every_header_that_is_written_and_no_other() {
    let (official, constituent) = sample_pair();
    let (message, seed) = message(7);
    let rendered = Rendered { subject: "Please act, São Paulo".into(), markdown: "Act.\n".into(), language: None };
    let staff = EmailAddress::parse("staff@campaign.example").unwrap();
    let content = Content::Letter { official: official.clone(), constituent: constituent.clone() };
    let composer = composer();
    let letter = composer.letter(&message, &seed, &official, &constituent, &rendered).unwrap();
    let confirmation = composer.confirmation(&message, &seed, &constituent, &rendered).unwrap();
    let test = composer.test_of(&message, &seed, &content, &rendered, &staff).unwrap();
    let [sender, copies] = [&composer.identity().sender, &composer.identity().confirmation_sender];
    let (own, campaign) = (&constituent.name, &composer.identity().campaign);
    let from = format!("{own} via {campaign} <{sender}>");
    let to = format!("{} <{}>", official.salutation(), official.mailbox.as_ref().unwrap());
    let expected = |addresses: &[(&str, String)], subject: &str, more: &[(&str, &str)]| {
        let boundary = format!("multipart/alternative; boundary=\"=_{message}\"");
        let mut of_message: Vec<(&str, String)> = addresses.to_vec();
        of_message.push(("Subject", subject.to_owned()));
        of_message.push(("Date", seed.date.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()));
        of_message.push(("Message-ID", format!("<{}>", seed.message_id)));
        of_message.push(("X-Campaign-Message", message.to_string()));
        of_message.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
        of_message.extend([("MIME-Version", "1.0".to_owned()), ("Content-Type", boundary)]);
        let part = |kind: &str| {
            serde_json::json!([
                ["Content-Type", format!("text/{kind}; charset=\"utf-8\"")],
                ["Content-Transfer-Encoding", "quoted-printable"]
            ])
        };
        serde_json::json!([of_message, part("plain"), part("html")])
    };
    for (parcel, headers) in [
        (
            letter,
            expected(
                &[("From", from.clone()), ("Reply-To", format!("{own} <{}>", constituent.mailbox)), ("To", to)],
                "Please act, São Paulo",
                &[],
            ),
        ),
        (
            confirmation,
            expected(
                &[("From", format!("{campaign} <{copies}>")), ("To", format!("{own} <{}>", constituent.mailbox))],
                "Please act, São Paulo",
                &[("Auto-Submitted", "auto-generated")],
            ),
        ),
        (
            test,
            expected(
                &[("From", from), ("Reply-To", format!("{own} <{staff}>")), ("To", staff.to_string())],
                "[TEST] Please act, São Paulo",
                &[("X-Campaign-Test", "yes")],
            ),
        ),
    ] {
        let Some(read) = python_says(ALL_HEADERS, &parcel.bytes) else {
            eprintln!("skipped: there is no python3 here");
            return;
        };
        assert_eq!(read, headers);
    }
}
