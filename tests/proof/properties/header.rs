//! Any names, subject and addresses as headers: another library reads exactly what went in, and nothing else appears.

use jiff::Timestamp;
use mail_parser::{Address, MessageParser};
use undersigned::compose::{Composer, Identity, Parcel, ReplyTo, StampSeed};
use undersigned::model::{CampaignTag, Constituent, EmailAddress, Extra, MessageId, MessageRef, Official, PersonName};
use undersigned::template::Rendered;

const LINE_BYTES_MAX: usize = 998;

/// What goes into headers, as people write it.
#[derive(Debug, Default)]
pub(crate) struct Written<'a> {
    pub(crate) name: &'a str,
    pub(crate) title: &'a str,
    pub(crate) campaign: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) mailbox: &'a str,
}

fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).expect("an address")
}

fn composer(campaign: &str) -> Option<Composer> {
    let identity = Identity {
        campaign: campaign.to_owned(),
        sender: address("letters@campaign.example"),
        confirmation_sender: address("copies@campaign.example"),
        envelope_sender: address("bounces@campaign.example"),
        reply_to: ReplyTo::Constituent,
        language: "en".into(),
    };
    Composer::new(identity).ok()
}

/// Names and bare addresses of a field.
fn mailboxes(found: Option<&Address<'_>>) -> Vec<(String, String)> {
    let Some(Address::List(list)) = found else { return Vec::new() };
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    list.iter().map(|addr| (text(addr.name()), text(addr.address()))).collect()
}

/// The lines of the head are CRLF lines of bearable length, and its fields are these, in this order.
fn must_have_fields(bytes: &[u8], fields: &[&str]) {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a head and a body");
    let head = String::from_utf8(bytes[..end].to_vec()).expect("UTF-8");
    let lines: Vec<&str> = head.split("\r\n").collect();
    assert!(lines.iter().all(|line| line.len() <= LINE_BYTES_MAX && !line.contains(['\r', '\n', '\0'])), "{head:?}");
    let begins: Vec<&str> = lines.iter().filter(|line| !line.starts_with([' ', '\t'])).copied().collect();
    assert!(lines.iter().all(|line| !line.trim().is_empty()), "a folded line of nothing: {head:?}");
    let found: Vec<&str> = begins.iter().map(|line| line.split(':').next().unwrap_or_default()).collect();
    assert_eq!(found, fields, "{head:?}");
}

fn must_read(parcel: &Parcel, from: (&str, &str), reply_to: Option<(&str, &str)>, to: (&str, &str), subject: &str) {
    let message = MessageParser::default().parse(&parcel.bytes).expect("a message");
    let one = |(name, address): (&str, &str)| vec![(name.to_owned(), address.to_owned())];
    assert_eq!(mailboxes(message.from()), one(from));
    assert_eq!(mailboxes(message.reply_to()), reply_to.map(one).unwrap_or_default());
    assert_eq!(mailboxes(message.to()), one(to));
    assert_eq!(message.subject(), Some(subject));
    assert!(message.cc().is_none() && message.bcc().is_none() && message.sender().is_none());
    assert!(parcel.needs_smtputf8 || parcel.bytes.is_ascii());
}

/// The property. What the program's own types refuse is not asked of the composer.
pub(crate) fn holds(written: &Written<'_>) {
    let (Ok(name), Ok(mailbox)) = (PersonName::parse(written.name), EmailAddress::parse(written.mailbox)) else {
        return;
    };
    let Some(composer) = composer(written.campaign) else { return };
    // A template that gives no subject, or one of spaces alone, is refused before.
    let subject = written.subject.trim();
    if subject.is_empty() {
        return;
    }
    // Titles are checked when contacts are read, as names are.
    let title = PersonName::parse(written.title).map(|title| title.to_string()).unwrap_or_default();
    let official = Official {
        title,
        name: name.clone(),
        mailbox: Some(mailbox.clone()),
        jurisdiction: "Town".into(),
        extra: Extra::new(),
    };
    let constituent = Constituent {
        title: String::new(),
        name: name.clone(),
        mailbox: mailbox.clone(),
        jurisdiction: String::new(),
        address: String::new(),
        postcode: String::new(),
        signed_on: String::new(),
        note: String::new(),
        extra: Extra::new(),
    };
    let rendered = Rendered { subject: subject.to_owned(), markdown: "Dear Mayor,\n\nact.\n".into(), language: None };
    let message = MessageRef { tag: CampaignTag::parse("k3m9x2").expect("a tag"), id: MessageId(7) };
    let seed = StampSeed { message_id: "k3m9x2-7.0@campaign.example".into(), date: Timestamp::UNIX_EPOCH };
    let Ok(letter) = composer.letter(&message, &seed, &official, &constituent, &rendered) else {
        return assert!(subject.contains(char::is_control), "refused: {written:?}");
    };
    must_have_fields(
        &letter.bytes,
        &[
            "From",
            "Reply-To",
            "To",
            "Subject",
            "Date",
            "Message-ID",
            "X-Campaign-Message",
            "MIME-Version",
            "Content-Type",
        ],
    );
    let (own, from) = ((name.as_str(), mailbox.as_str()), format!("{name} via {}", written.campaign));
    let salutation = official.salutation();
    must_read(&letter, (&from, "letters@campaign.example"), Some(own), (&salutation, mailbox.as_str()), subject);

    let confirmation = composer.confirmation(&message, &seed, &constituent, &rendered).expect("as the letter");
    must_have_fields(
        &confirmation.bytes,
        &[
            "From",
            "To",
            "Subject",
            "Date",
            "Message-ID",
            "X-Campaign-Message",
            "Auto-Submitted",
            "MIME-Version",
            "Content-Type",
        ],
    );
    must_read(&confirmation, (written.campaign, "copies@campaign.example"), None, own, subject);
}
