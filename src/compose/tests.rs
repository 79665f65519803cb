//! Messages as a reader of mail finds them, with a parser that shares nothing with the encoder.

use mail_parser::{Address, MessageParser};

use super::*;
use crate::model::sample::{constituent, official};
use crate::model::{CampaignTag, MessageId, PersonName};

fn identity(campaign: &str) -> Identity {
    let address = |text| EmailAddress::parse(text).unwrap();
    Identity {
        campaign: campaign.into(),
        sender: address("letters@campaign.example"),
        confirmation_sender: address("copies@campaign.example"),
        envelope_sender: address("bounces@campaign.example"),
        reply_to: ReplyTo::Constituent,
        language: "en".into(),
    }
}

fn composer() -> Composer {
    Composer::new(identity("Open Doors")).unwrap()
}

fn message() -> MessageRef {
    MessageRef { tag: CampaignTag::parse("k3m9x2").unwrap(), id: MessageId(1042) }
}

fn seed() -> StampSeed {
    let message_id = new_message_id(&message(), &identity("x"), 0xfeed);
    StampSeed { message_id, date: Timestamp::from_second(1_792_000_000).unwrap() }
}

fn rendered(subject: &str, markdown: &str) -> Rendered {
    Rendered { subject: subject.into(), markdown: markdown.into(), language: None }
}

fn letter(name: &str, mailbox: &str, subject: &str, markdown: &str) -> Parcel {
    let official = official(name, "mayor@town.example");
    let rendered = rendered(subject, markdown);
    composer().letter(&message(), &seed(), &official, &constituent(name, mailbox), &rendered).unwrap()
}

fn text_of(parcel: &Parcel) -> String {
    String::from_utf8(parcel.bytes.clone()).unwrap()
}

fn headers_of(parcel: &Parcel) -> Vec<String> {
    let text = text_of(parcel);
    let head = text.split_once("\r\n\r\n").unwrap().0.replace("\r\n ", " ");
    head.split("\r\n").map(str::to_owned).collect()
}

fn only(address: Option<&Address<'_>>) -> (String, String) {
    let address = address.unwrap();
    assert_eq!(address.iter().count(), 1);
    let first = address.first().unwrap();
    (first.name().unwrap_or_default().to_owned(), first.address().unwrap().to_owned())
}

#[test]
fn a_letter_has_these_headers_and_no_others() {
    let parcel = letter("Jane Doe", "jane@x.example", "Please lead", "x");
    assert_eq!(
        headers_of(&parcel),
        [
            "From: \"Jane Doe via Open Doors\" <letters@campaign.example>",
            "Reply-To: \"Jane Doe\" <jane@x.example>",
            "To: \"Mayor Jane Doe\" <mayor@town.example>",
            "Subject: Please lead",
            "Date: Wed, 14 Oct 2026 17:46:40 +0000",
            "Message-ID: <k3m9x2-1042.000000000000feed@campaign.example>",
            "X-Campaign-Message: k3m9x2-1042",
            "MIME-Version: 1.0",
            "Content-Type: multipart/alternative; boundary=\"=_k3m9x2-1042\"",
        ]
    );
    assert_eq!(parcel.envelope.from.as_str(), "bounces@campaign.example");
    assert_eq!(parcel.envelope.to.as_str(), "mayor@town.example");
}

#[test]
fn a_confirmation_says_that_it_is_automatic_and_comes_from_its_own_address() {
    let parcel = composer()
        .confirmation(&message(), &seed(), &constituent("Jane Doe", "jane@x.example"), &rendered("Copy", "x"))
        .unwrap();
    let headers = headers_of(&parcel);
    assert!(headers.contains(&"From: \"Open Doors\" <copies@campaign.example>".to_owned()), "{headers:?}");
    assert!(headers.contains(&"To: \"Jane Doe\" <jane@x.example>".to_owned()));
    assert!(headers.contains(&"Auto-Submitted: auto-generated".to_owned()));
    assert!(!headers.iter().any(|header| header.starts_with("Reply-To") || header.starts_with("List-")));
}

#[test]
fn a_test_goes_to_staff_alone_and_says_so() {
    let content = Content::Letter {
        official: official("Ada", "mayor@town.example"),
        constituent: constituent("Jane Doe", "jane@x.example"),
    };
    let staff = EmailAddress::parse("staff@campaign.example").unwrap();
    let parcel = composer().test_of(&message(), &seed(), &content, &rendered("Please", "x"), &staff).unwrap();
    let headers = headers_of(&parcel);
    assert_eq!(parcel.envelope.to, staff);
    for header in ["To: staff@campaign.example", "Subject: [TEST] Please", "X-Campaign-Test: yes"] {
        assert!(headers.contains(&header.to_owned()), "{header}: {headers:?}");
    }
    assert!(!text_of(&parcel).contains("mayor@town.example") && !text_of(&parcel).contains("jane@x.example"));
}

#[test]
fn the_same_letter_is_the_same_bytes() {
    let one = letter("Zoë", "zoe@x.example", "s", "a *b*");
    let two = letter("Zoë", "zoe@x.example", "s", "a *b*");
    assert_eq!(one.bytes, two.bytes);
    assert_eq!(one.hash, two.hash);
    assert_ne!(one.hash, letter("Zoë", "zoe@x.example", "s", "a *c*").hash);
}

#[test]
fn every_name_and_subject_is_read_back_as_it_was_written() {
    let (long, arabic) = ("x".repeat(200), "محمد بن عبد الله".repeat(8));
    for name in [
        "Doe, Jane",
        "Smith (Jr.)",
        "\"Bob\"",
        "O'Neil",
        "Cher",
        &long,
        "Zoë 🎈",
        &arabic,
        "=?utf-8?q?x?=",
        "a\\b\\",
        "J. R.",
        "a@b",
        "<a@b>",
        "a;b:c",
        "a  b",
        "日本語の名前",
        "José",
        "x=",
        "_",
        "?=",
        "a\u{301}b",
        "{{ x }}",
    ] {
        let parcel = letter(name, "jane@x.example", name, "x");
        assert!(parcel.bytes.is_ascii());
        let read = MessageParser::default().parse(&parcel.bytes).unwrap();
        let name = PersonName::parse(name).unwrap().to_string();
        assert_eq!(only(read.from()), (format!("{name} via Open Doors"), "letters@campaign.example".into()));
        assert_eq!(only(read.reply_to()), (name.clone(), "jane@x.example".into()));
        assert_eq!(only(read.to()), (format!("Mayor {name}"), "mayor@town.example".into()));
        assert_eq!(PersonName::parse(read.subject().unwrap()).unwrap().to_string(), name);
    }
}

#[test]
fn bodies_arrive_as_written_and_the_wire_is_plain_ascii() {
    let long = "y".repeat(5000);
    let paragraphs =
        [".", "..", "From me", &long, "emoji 🎈 é", "\u{560d}\u{760a}", "a = b", "-- ", "--=\\_k3m9x2-1042"];
    let parcel = letter("Jane", "jane@x.example", "s", &paragraphs.join("\n\n"));
    assert!(parcel.bytes.is_ascii() && parcel.bytes.ends_with(b"\r\n"));
    for line in text_of(&parcel).split("\r\n") {
        assert!(line.len() <= 998 && !line.contains(['\r', '\n']) && line != ".", "{line}");
        assert!(!line.starts_with("From ") && !line.starts_with('.'), "{line}");
    }
    let read = MessageParser::default().parse(&parcel.bytes).unwrap();
    let text = read.body_text(0).unwrap().replace("\r\n", "\n");
    let shown: Vec<&str> = text.split("\n\n").map(str::trim_end).collect();
    let expected = [".", "..", "From me", &long, "emoji 🎈 é", "\u{560d}\u{760a}", "a = b", "--", "--=_k3m9x2-1042"];
    assert_eq!(shown, expected);
    let html = read.body_html(0).unwrap();
    assert!(html.contains(&format!("<p>{long}</p>")) && html.contains("🎈"));
}

#[test]
fn every_address_that_the_model_takes_can_be_composed() {
    for address in ["a.b+c@x.example", "#$&'*+-/=?^_`{|}~@x.example", "o'neil@sub.x.example", "a@müller.de"] {
        let parcel = letter("Jane", address, "s", "x");
        let read = MessageParser::default().parse(&parcel.bytes).unwrap();
        assert_eq!(only(read.reply_to()).1, EmailAddress::parse(address).unwrap().as_str());
        assert!(!parcel.needs_smtputf8);
        let one = constituent("Jane", address);
        assert!(composer().confirmation(&message(), &seed(), &one, &rendered("s", "x")).is_ok(), "{address}");
    }
    let parcel = letter("Jane", "jürgen@x.example", "s", "x");
    assert!(parcel.needs_smtputf8 && text_of(&parcel).contains("<jürgen@x.example>"));
}

#[test]
fn what_cannot_stand_in_a_header_is_refused() {
    for name in ["", " ", "a\r\nBcc: b@x.example", "a\u{202e}b", "a\0"] {
        assert_eq!(Composer::new(identity(name)).err(), Some(ComposeError::Campaign), "{name:?}");
    }
    let one = constituent("Jane", "jane@x.example");
    let confirm = |seed: &StampSeed, subject: &str| {
        composer().confirmation(&message(), seed, &one, &rendered(subject, "x")).map(|_| ())
    };
    let header = |what| Err(ComposeError::Header { message: "k3m9x2-1042".into(), what });
    assert_eq!(confirm(&seed(), "a\nb"), header("subject"));
    for message_id in ["", "a", "a@b>\r\nBcc: c", "a b@c", "é@c"] {
        assert_eq!(confirm(&StampSeed { message_id: message_id.into(), ..seed() }, "s"), header("Message-ID"));
    }
    assert_eq!(confirm(&StampSeed { date: Timestamp::MIN, ..seed() }, "s"), header("date"));
    let nowhere = Official { mailbox: None, ..official("Ada", "mayor@town.example") };
    let refused = composer().letter(&message(), &seed(), &nowhere, &one, &rendered("s", "x")).err();
    assert_eq!(refused, Some(ComposeError::NoMailbox("k3m9x2-1042".into())));
}
