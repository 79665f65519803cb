//! What a reply's codes mean where its text is not known: the enhanced code (RFC 3463, with its registry), then
//! the basic one (RFC 5321 4.2).
//!
//! Only for refusals (4xx, 5xx); which texts mislead, `replies` knows.

use crate::model::{Class, Phase, Reply};

/// A class and the name of what led to it.
pub(super) type Reading = (Class, &'static str);

/// What the codes of a refusal mean, in any phase.
pub(super) fn read(reply: &Reply) -> Reading {
    if reply.phase < Phase::Mail {
        return session(reply);
    }
    if let Some(reading) = in_any_transaction(reply.code) {
        return reading;
    }
    match reply.phase {
        Phase::Mail => mail(reply),
        Phase::Rcpt => enhanced(reply).unwrap_or_else(|| rcpt(reply.code)),
        _ => enhanced(reply).unwrap_or_else(|| content(reply)),
    }
}

fn is_transient(reply: &Reply) -> bool {
    reply.code < 500
}

/// Before any message is offered: never about one, nor about a recipient.
fn session(reply: &Reply) -> Reading {
    match reply.phase {
        Phase::Auth if !is_transient(reply) => (Class::Account, "sign-in refused"),
        // Encryption is demanded, never opportunistic: a relay that refuses it for good is for staff.
        Phase::Starttls if !is_transient(reply) => (Class::Account, "encryption refused"),
        _ => (Class::Connection, "refused before any message"),
    }
}

/// Codes that mean the same whatever was offered.
fn in_any_transaction(code: u16) -> Option<Reading> {
    match code {
        421 => Some((Class::Connection, "421: the relay closes the connection")),
        500 | 502 | 503 | 504 => Some((Class::Connection, "command out of step")),
        525 | 530 | 534 | 535 | 538 => Some((Class::Account, "sign-in refused")),
        _ => None,
    }
}

/// MAIL FROM holds our own address and the size, and no recipient: what is wrong with the address is wrong for
/// every message.
fn mail(reply: &Reply) -> Reading {
    let subject_detail = reply.enhanced.map(|e| (e.subject, e.detail));
    match (is_transient(reply), reply.code, subject_detail) {
        (false, _, Some((3, 4) | (6, _))) => (Class::MessagePermanent, "enhanced code: message"),
        (true, ..) => (Class::Connection, "refused for now before any recipient"),
        (false, 552, None | Some((0 | 2 | 3, _))) => (Class::MessagePermanent, "552 at MAIL: size"),
        (false, ..) => (Class::Account, "our sender address refused"),
    }
}

/// The enhanced code of a reply about one recipient or one message.
fn enhanced(reply: &Reply) -> Option<Reading> {
    let code = reply.enhanced?;
    let transient = is_transient(reply);
    let by = |for_now, for_good, why| Some((if transient { for_now } else { for_good }, why));
    let recipient = |why| by(Class::RecipientTransient, Class::RecipientPermanent, why);
    match (code.subject, code.detail) {
        (1, 7 | 8) => by(Class::Connection, Class::Account, "enhanced code: sender address"),
        (1, _) => recipient("enhanced code: recipient address"),
        (2, 2 | 121 | 122) => Some((Class::RecipientTransient, "enhanced code: mailbox full or busy")),
        (2, 3) | (3, 4) | (6, _) => by(Class::RecipientTransient, Class::MessagePermanent, "enhanced code: message"),
        (2, _) => recipient("enhanced code: mailbox"),
        (3, 1 | 2) if transient => Some((Class::Connection, "enhanced code: relay system")),
        (3, _) if transient && reply.phase != Phase::Rcpt => Some((Class::Connection, "enhanced code: relay system")),
        (4, 2) | (5, _) if transient => Some((Class::Connection, "enhanced code: conversation")),
        (4, _) => recipient("enhanced code: route to the recipient"),
        _ => None,
    }
}

fn rcpt(code: u16) -> Reading {
    match code {
        552 => (Class::RecipientTransient, "552 at RCPT: mailbox full"), // RFC 5321 4.5.3.1.10
        ..500 => (Class::RecipientTransient, "recipient refused for now"),
        _ => (Class::RecipientPermanent, "recipient refused"),
    }
}

/// DATA and what follows: the recipient was taken, so a refusal for good is about the message.
fn content(reply: &Reply) -> Reading {
    match reply.code {
        556 => (Class::RecipientPermanent, "556: the domain takes no mail"), // RFC 7504
        ..500 => (Class::RecipientTransient, "message refused for now"),
        _ => (Class::MessagePermanent, "message refused"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_said_before_a_transaction_is_about_a_recipient_or_a_message() {
        for phase in Phase::ALL.into_iter().filter(|p| *p < Phase::Mail) {
            for code in 400..600 {
                for text in ["no", "5.1.1 no such user", "5.2.2 over quota", "5.6.0 bad", "4.7.1 later"] {
                    let (class, _) = read(&Reply::new(phase, code, [text]));
                    assert!(matches!(class, Class::Connection | Class::Account), "{phase} {code} {text}");
                }
            }
        }
    }

    #[test]
    fn a_4xx_is_never_read_as_permanent_by_its_codes() {
        for phase in Phase::ALL {
            for (code, subject) in (400..500).flat_map(|code| (0..10).map(move |subject| (code, subject))) {
                for detail in 0..40 {
                    let text = format!("5.{subject}.{detail} contradicts itself");
                    let (class, why) = read(&Reply::new(phase, code, [text.as_str()]));
                    assert!(
                        !matches!(class, Class::RecipientPermanent | Class::MessagePermanent),
                        "{phase} {code} {text}: {why}"
                    );
                }
            }
        }
    }

    #[test]
    fn at_mail_only_the_size_and_the_content_are_about_the_message() {
        for (line, class) in [
            ("550 5.1.1 unknown", Class::Account),
            ("553 5.1.8 domain does not exist", Class::Account),
            ("501 5.1.7 bad sender", Class::Account),
            ("552 too big", Class::MessagePermanent),
            ("552 5.3.4 too big", Class::MessagePermanent),
            ("552 5.7.1 account", Class::Account),
            ("553 5.6.7 needs SMTPUTF8", Class::MessagePermanent),
            ("451 4.3.0 later", Class::Connection),
            ("450 4.1.8 not found", Class::Connection),
        ] {
            let (code, text) = line.split_once(' ').unwrap();
            let reply = Reply::new(Phase::Mail, code.parse().unwrap(), [text]);
            assert_eq!(read(&reply).0, class, "{line}");
        }
    }
}
