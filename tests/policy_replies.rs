//! What relays say, line by line, and what is decided from it.

#![expect(clippy::unwrap_used, reason = "a test's table is right or the test fails")]

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use undersigned::model::{Class, Disposition, LossCause, Outcome, Phase, Reply};
use undersigned::policy::{RelayEffect, RetrySchedule, Situation, Verdict, decide};

use Class::{
    Account as F, Connection as B, InDoubt as G, MessagePermanent as E, Quota as Cq, RecipientPermanent as D,
    RecipientTransient as A, SlowDown as C,
};
use Phase::{Auth, Body, Data, Dot, Ehlo, Greeting, Mail, Rcpt, Starttls};

/// Phase, line, expected class.
const REPLIES: &[(Phase, &str, Class)] = &[
    // A: this recipient, for now.
    (Rcpt, "452 4.2.2 The email account that you tried to reach is over quota.", A),
    (Dot, "452 4.2.2 The email account that you tried to reach is over quota.", A),
    (
        Rcpt,
        "450 4.2.1 The user you are trying to contact is receiving mail too quickly. Please resubmit your message at a later time. If the user is able to receive mail at that time, your message will be delivered.",
        A,
    ),
    (
        Dot,
        "550 5.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages from being delivered.",
        A,
    ),
    (Rcpt, "451 4.7.1 Greylisted, try again in 300 seconds", A),
    (
        Rcpt,
        "450 4.2.0 <m@x.example>: Recipient address rejected: Greylisted, see http://postgrey.example/help/x.example.html",
        A,
    ),
    (Rcpt, "451 4.7.1 Greylisting in action, please come back in 00:04:59", A),
    (Rcpt, "550 5.7.1 Greylisted, come back later", A),
    (Data, "451 4.7.1 Please try again later", A),
    (Rcpt, "552 Requested mail action aborted: exceeded storage allocation", A),
    (Rcpt, "552 no", A),
    (Rcpt, "552 5.2.2 <m@x.example>: Quota exceeded (mailbox for user is full)", A),
    (Dot, "552 5.2.2 The email account that you tried to reach is over quota", A),
    (Dot, "554 5.2.2 Mailbox full", A),
    (Rcpt, "550 m@x.example: mailbox is full", A),
    (
        Dot,
        "550 5.2.121 RESOLVER.RST.RecipientLimitExceeded; recipient's per hour message receive limit from specific sender exceeded",
        A,
    ),
    (Dot, "550 5.2.122 RESOLVER.RST.RecipientLimitExceeded; the recipient has exceeded their limit", A),
    (
        Rcpt,
        "450 4.1.1 <m@x.example>: Recipient address rejected: unverified address: Address verification in progress",
        A,
    ),
    (Rcpt, "450 4.1.2 <m@x.example>: Recipient address rejected: Domain not found", A),
    (Rcpt, "451 4.3.0 <m@x.example>: Temporary lookup failure", A),
    (Rcpt, "451 Temporary local problem - please try later", A),
    (Rcpt, "450 Requested mail action not taken: mailbox unavailable", A),
    (Rcpt, "450 4.2.1 Mailbox temporarily unavailable", A),
    (Rcpt, "451 4.4.1 No answer from host", A),
    (Rcpt, "450 4.4.3 DNS lookup failed", A),
    (Rcpt, "450 4.0.0 Later", A),
    (Dot, "451 4.7.1 Service unavailable - try again later", A),
    (Dot, "450 4.2.0 Try again", A),
    (Dot, "451 4.3.0 Mail server temporarily rejected message.", A),
    (Dot, "451 4.6.0 Content filter not ready", A),
    (Dot, "471 An error of your mail server", A),
    // B: this connection, or the relay for a while.
    (Greeting, "421 Service not available", B),
    (Greeting, "554 No SMTP service here", B),
    (Greeting, "554 5.7.1 mailbox full, user unknown", B),
    (Greeting, "450 4.2.2 over quota", B),
    (Greeting, "354 go ahead", B),
    (Greeting, "250 Hello", B),
    (Ehlo, "550 Access denied", B),
    (Ehlo, "502 Not implemented", B),
    (Ehlo, "451 4.3.0 Try again", B),
    (Starttls, "454 4.7.0 TLS not available due to local problem", B),
    (Auth, "454 4.7.0 Temporary authentication failure", B),
    (Auth, "421 4.7.0 Try again later, closing connection", B),
    (Auth, "454 4.7.0 Too many login attempts, please try again later", B),
    (Auth, "334 VXNlcm5hbWU6", B),
    (Mail, "421 4.3.0 Temporary System Problem. Try again later", B),
    (Mail, "451 4.3.0 Error: queue file write error", B),
    (Mail, "452 4.3.1 Insufficient system storage", B),
    (Mail, "450 4.1.8 <l@c.example>: Sender address rejected: Domain not found", B),
    (Mail, "503 5.5.1 Error: nested MAIL command", B),
    (Mail, "354 go ahead", B),
    (Rcpt, "450 4.1.8 <l@c.example>: Sender address rejected: Domain not found", B),
    (Rcpt, "450 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.1]", B),
    (Rcpt, "450 4.7.1 <mail.c.example>: Helo command rejected: Host not found", B),
    (Rcpt, "451 Could not complete sender verify callout", B),
    (Rcpt, "421 4.7.0 mx.x.example Error: too many errors", B),
    (Rcpt, "452 4.3.1 Insufficient system storage", B),
    (Rcpt, "452 4.4.5 Insufficient disk space; try again later", B),
    (Rcpt, "452 space shortage, please try later", B),
    (Rcpt, "452 4.5.3 Your message has too many recipients", B),
    (Rcpt, "503 sender not yet given", B),
    (Rcpt, "500 5.5.2 Error: bad syntax", B),
    (Rcpt, "354 go ahead", B),
    (Data, "503 5.5.1 Error: need RCPT command", B),
    (Data, "554 5.5.1 Error: no valid recipients", B),
    (Data, "250 Ok", B),
    (Data, "221 Bye", B),
    (Body, "421 4.4.2 mx.x.example Error: timeout exceeded", B),
    (Dot, "421 4.4.2 Connection dropped due to timeout", B),
    (Dot, "451 4.4.2 Timeout waiting for data from client.", B),
    (Dot, "451 4.3.0 Error: queue file write error", B),
    (Dot, "451 4.3.5 Server configuration problem", B),
    (Dot, "451 4.7.0 Temporary server error. Please try again later. PRX2", B),
    (Dot, "454 Temporary service failure", B),
    (Dot, "503 5.5.1 Error: need RCPT command", B),
    (Dot, "432 4.3.2 System not accepting network messages", B),
    // C: slow down.
    (Greeting, "421 Too many concurrent SMTP connections", C),
    (Greeting, "421 4.7.0 mx.x.example Error: too many connections from 192.0.2.1", C),
    (
        Greeting,
        "421 4.3.2 The maximum number of concurrent server connections has exceeded a limit, closing transmission channel",
        C,
    ),
    (Greeting, "421 4.3.2 Connection rate limit exceeded.", C),
    (Greeting, "450 too frequent connects from 192.0.2.1, please try again later.", C),
    (Auth, "421 Too many concurrent SMTP connections; please try again later.", C),
    (Mail, "450 4.2.1 Peak SMTP relay limit exceeded for customer.", C),
    (Mail, "421 4.4.2 Message submission rate for this client has exceeded the configured limit", C),
    (Mail, "450 4.7.1 Error: too much mail from 192.0.2.1", C),
    (Rcpt, "450 4.7.1 Error: too many recipients from 192.0.2.1", C),
    (Rcpt, "452 4.4.5 Messages per second limit exceeded", C),
    (Rcpt, "452 4.3.1 Too many recipients received this hour", C),
    (Data, "454 Throttling failure: Maximum sending rate exceeded.", C),
    (Dot, "454 Throttling failure: Maximum sending rate exceeded.", C),
    (Dot, "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded", C),
    (Dot, "432 4.3.2 Concurrent connections limit exceeded. Visit https://aka.example/concurrent_sending", C),
    (
        Dot,
        "421 4.7.28 Our system has detected an unusual rate of unsolicited mail originating from your IP address.",
        C,
    ),
    (Dot, "550 5.7.28 Our system has detected an unusual rate of unsolicited mail", C),
    (Dot, "421 4.7.28 [192.0.2.1] Gimap", C),
    (Dot, "451 4.7.500 Server busy. Please try again later from [192.0.2.1].", C),
    (Dot, "451 4.7.651 The mail server has been temporarily limited", C),
    (
        Dot,
        "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints",
        C,
    ),
    // C': the relay's quota for the day.
    (Dot, "454 Throttling failure: Daily message quota exceeded.", Cq),
    (Data, "454 Throttling failure: Daily message quota exceeded.", Cq),
    (
        Mail,
        "550 5.4.5 Daily user sending limit exceeded. For more information on Gmail sending limits go to the help page",
        Cq,
    ),
    (Dot, "550 5.4.5 Daily sending quota exceeded.", Cq),
    (Mail, "550 5.7.1 Daily SMTP relay limit exceeded for customer.", Cq),
    (Dot, "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException; Failed to process message", Cq),
    (Dot, "550 5.7.233 Your message can't be sent because your tenant exceeded its daily limit", Cq),
    (Dot, "550 5.7.233 refused", Cq),
    (Dot, "550 5.7.232 refused", Cq),
    (
        Rcpt,
        "550 Domain c.example has exceeded the max emails per hour (100/100 (100%)) allowed. Message discarded.",
        Cq,
    ),
    (Rcpt, "452 4.7.1 Sending quota exceeded for letters@c.example", Cq),
    (Mail, "420 4.7.0 Exceed Sending Limit (daily)", Cq),
    (Mail, "550 5.4.5 Your account has exceeded its daily relay quota", Cq),
    (Mail, "550 You have reached a limit for sending mail. Your message was not sent.", Cq),
    // D: this recipient, for good.
    (Rcpt, "550 5.1.1 The email account that you tried to reach does not exist.", D),
    (Rcpt, "550 5.1.1 <m@x.example>: Recipient address rejected: User unknown in local recipient table", D),
    (Rcpt, "550 5.2.1 The email account that you tried to reach is disabled.", D),
    (Rcpt, "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup", D),
    (Rcpt, "550 5.4.1 Recipient address rejected: Access denied. [name.protection.example]", D),
    (Rcpt, "556 5.1.10 <m@x.example>: Recipient address rejected: Domain does not accept mail (nullMX)", D),
    (Rcpt, "556 no", D),
    (Dot, "556 no", D),
    (Rcpt, "550 Unknown user", D),
    (Rcpt, "550 Unrouteable address", D),
    (Rcpt, "550 Requested action not taken: mailbox unavailable", D),
    (Rcpt, "551 User not local; please try <m@y.example>", D),
    (Rcpt, "553 5.1.3 The recipient address is not a valid RFC 5321 address.", D),
    (Rcpt, "501 5.1.3 Bad recipient address syntax", D),
    (Rcpt, "554 5.7.1 <m@x.example>: Recipient address rejected: Access denied", D),
    (Rcpt, "550 5.4.4 Invalid domain: host not found", D),
    (Rcpt, "555 syntax error", D),
    (Dot, "554 Message rejected: Address blacklisted.", D),
    (Dot, "550 5.1.1 no", D),
    (Dot, "550 No such user here", D),
    (Dot, "550 5.7.134 RESOLVER.RST.SenderNotAuthenticatedForMailbox; authentication required", D),
    // E: this message, for good.
    (Mail, "552 5.3.4 Message size exceeds fixed limit", E),
    (Mail, "552 Message size exceeds maximum permitted", E),
    (Mail, "552 no", E),
    (Mail, "553 5.6.7 SMTPUTF8 is required", E),
    (Rcpt, "552 5.3.4 Message size exceeds the recipient's limit", E),
    (Dot, "552 5.3.4 Your message exceeded Google's message size limits.", E),
    (Dot, "552 Message is too long.", E),
    (Dot, "550 5.2.3 RESOLVER.RST.SendSizeLimit.Org; message too large for this organization", E),
    (Dot, "550 5.6.0 Lone CR or LF in body", E),
    (Dot, "554 5.6.0 Message contains invalid header", E),
    (Dot, "554 Transaction failed: Duplicate header 'Subject'.", E),
    (Dot, "552 5.7.0 This message was blocked because its content presents a potential security issue.", E),
    (Dot, "550 5.7.1 Message contains spam or virus", E),
    (Dot, "554 5.7.1 Spam message rejected", E),
    (Dot, "554 Transaction failed", E),
    (Body, "552 Message too large", E),
    (Data, "550 refused", E),
    // F: our account at the relay.
    (Greeting, "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.example", F),
    (Ehlo, "504 5.5.2 <localhost>: Helo command rejected: need fully-qualified hostname", F),
    (Starttls, "502 5.5.1 Not implemented", F),
    (Auth, "535 5.7.8 Username and Password not accepted.", F),
    (Auth, "535 Authentication Credentials Invalid", F),
    (Auth, "535 5.7.139 Authentication unsuccessful, basic authentication is disabled.", F),
    (Auth, "534 5.7.9 Application-specific password required.", F),
    (Auth, "534 5.7.14 Please log in through your web browser and then try again.", F),
    (Auth, "538 5.7.11 Encryption required for requested authentication mechanism", F),
    (Auth, "550 5.7.30 Basic authentication is not supported for Client Submission.", F),
    (Auth, "451 Authentication failed: Maximum credits exceeded", F),
    (Auth, "525 5.7.1 Unauthorized IP address", F),
    (Auth, "502 5.7.0 Your SMTP account is not yet activated", F),
    (Auth, "504 5.5.4 Unrecognized authentication type", F),
    (Auth, "503 5.5.1 Not available", F),
    (Mail, "530 5.7.57 Client not authenticated to send mail.", F),
    (Mail, "530 5.7.0 Must issue a STARTTLS command first", F),
    (Mail, "530 Authentication required", F),
    (Mail, "421 Domain c.example is not allowed to send: Free accounts are for test purposes only.", F),
    (Rcpt, "420 Sandbox subdomains are for test purposes only. Please add your own domain.", F),
    (Mail, "550 5.1.8 Access denied, bad outbound sender", F),
    (Mail, "553 5.1.8 Domain of sender address l@c.example does not exist", F),
    (Mail, "501 Invalid MAIL FROM address provided", F),
    (Mail, "550 Mailbox unavailable", F),
    (Mail, "555 5.5.4 Unsupported option: BODY=8BITMIME", F),
    (Rcpt, "451 Authentication failed: Maximum credits exceeded", F),
    (Rcpt, "553 5.7.1 <l@c.example>: Sender address rejected: not owned by user c", F),
    (Rcpt, "554 5.7.1 <l@c.example>: Sender address rejected: Access denied", F),
    (Rcpt, "554 5.7.1 <m@x.example>: Relay access denied", F),
    (Rcpt, "454 4.7.1 <m@x.example>: Relay access denied", F),
    (Rcpt, "550 relay not permitted", F),
    (Rcpt, "550 5.7.1 Relaying denied. Proper authentication required.", F),
    (Rcpt, "550 5.7.64 TenantAttribution; Relay Access Denied", F),
    (Rcpt, "554 5.7.1 Client host rejected: Access denied", F),
    (Rcpt, "550 Sender verify failed", F),
    (
        Dot,
        "554 Message rejected: Email address is not verified. The following identities failed the check: l@c.example",
        F,
    ),
    (Dot, "554 Message rejected: Sending suspended for this account. For more information, please check the inbox", F),
    (Dot, "554 Access denied: User `arn:x` is not authorized to perform `ses:SendRawEmail' on resource `arn:y'", F),
    (Dot, "554 Configuration set <x> does not exist.", F),
    (
        Dot,
        "550 The from address does not match a verified Sender Identity. Mail cannot be sent until this error is resolved.",
        F,
    ),
    (Dot, "550 Unauthenticated senders not allowed", F),
    (Dot, "554 5.2.0 STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied", F),
    (Dot, "554 5.2.252 SendAsDenied; l@c.example not allowed to send as o@c.example", F),
    (Dot, "550 5.7.60 SMTP; Client does not have permissions to send as this sender", F),
    (Dot, "554 5.2.0 STOREDRV.Submission.Exception:OutboundSpamException; WASCL UserAction verdict is not None.", F),
    (Dot, "550 5.7.501 Access denied, spam abuse detected.", F),
    (Dot, "550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP.", F),
    (Dot, "550 5.7.26 This mail has been blocked because the sender is unauthenticated.", F),
    (Dot, "550 5.7.705 Access denied, tenant has exceeded threshold.", F),
    (Dot, "550 5.4.6 Unusual sending activity detected. Please try after sometime", F),
    // G: in doubt.
    (Dot, "251 User not local; will forward", G),
    (Dot, "200 Ok", G),
    (Dot, "354 Go ahead", G),
    (Dot, "334 ?", G),
    (Dot, "199 ?", G),
    (Dot, "999 ?", G),
    (Dot, "600 ?", G),
];

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn reply(phase: Phase, line: &str) -> Outcome {
    let (code, text) = line.split_once(' ').unwrap();
    Outcome::Replied(Reply::new(phase, code.parse().unwrap(), [text]))
}

fn lost(phase: Phase, cause: LossCause) -> Outcome {
    Outcome::Lost { phase, cause, detail: String::new() }
}

fn verdict(outcome: &Outcome) -> Verdict {
    let retry = RetrySchedule::default();
    decide(
        outcome,
        &Situation { now: NOW, tries_counted: 0, first_attempt_at: None, deadline: None, retry: &retry, jitter: 0.5 },
    )
}

#[test]
fn every_known_line_has_the_class_that_it_should_have() {
    let mut wrong = Vec::new();
    for (phase, line, class) in REPLIES {
        let verdict = verdict(&reply(*phase, line));
        if verdict.class != *class {
            wrong.push(format!("{phase}: {line}\n    {:?}, not {class:?}, by `{}`", verdict.class, verdict.rule));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), REPLIES.len(), wrong.join("\n"));
}

#[test]
fn every_class_has_its_one_disposition() {
    for (phase, line, class) in REPLIES {
        let disposition = verdict(&reply(*phase, line)).disposition;
        let fits = match class {
            A => matches!(disposition, Disposition::Deferred { due, counted: true } if due > NOW),
            B | C | Cq | F => disposition == Disposition::Deferred { due: NOW, counted: false },
            D | E => disposition == Disposition::Bounced,
            _ => disposition == Disposition::InDoubt,
        };
        assert!(fits, "{phase}: {line}: {disposition:?}");
    }
}

#[test]
fn every_class_has_its_effect_on_the_relay() {
    for (phase, line, class) in REPLIES {
        let effect = verdict(&reply(*phase, line)).effect;
        let fits = match class {
            A | D | E => effect == RelayEffect::None,
            B => effect == RelayEffect::Reconnect || line.contains("login attempts"),
            C => matches!(effect, RelayEffect::SlowDown | RelayEffect::FewerConnections),
            Cq => matches!(effect, RelayEffect::Park { .. }),
            F => effect == RelayEffect::Stop,
            _ => effect == RelayEffect::Reconnect,
        };
        assert!(fits, "{phase}: {line}: {effect:?}");
    }
}

#[test]
fn complaints_about_connections_lower_the_connections_and_the_others_the_rate() {
    for (phase, line, _) in REPLIES.iter().filter(|(.., class)| *class == C) {
        let lower = line.to_lowercase();
        let connections = ["too many con", "concurrent", "thread limit"].iter().any(|word| lower.contains(word));
        let expected = if connections { RelayEffect::FewerConnections } else { RelayEffect::SlowDown };
        assert_eq!(verdict(&reply(*phase, line)).effect, expected, "{line}");
    }
}

#[test]
fn signing_in_too_often_parks_the_relay() {
    let verdict = verdict(&reply(Auth, "454 4.7.0 Too many login attempts, please try again later"));
    assert!(matches!(verdict.effect, RelayEffect::Park { .. }));
}

#[test]
fn a_session_survives_a_refusal_of_one_recipient_but_no_421() {
    for (phase, line, ends) in [
        (Rcpt, "550 5.1.1 User unknown", false),
        (Rcpt, "451 4.7.1 Greylisted", false),
        (Dot, "552 5.3.4 Too big", false),
        (Dot, "454 Throttling failure: Maximum sending rate exceeded.", false),
        (Dot, "250 2.0.0 Ok", false),
        (Dot, "421 4.7.28 unusual rate", true),
        (Dot, "432 4.3.2 sender thread limit exceeded", true),
        (Rcpt, "421 4.2.1 receiving mail too quickly", true),
        (Rcpt, "354 go ahead", true),
        (Dot, "251 no", true),
        (Auth, "535 no", true),
    ] {
        assert_eq!(verdict(&reply(phase, line)).ends_session, ends, "{phase}: {line}");
    }
}

#[test]
fn every_rule_of_the_table_decides_at_least_one_known_line() {
    let table: toml::Table = toml::from_str(include_str!("../src/policy/replies.toml")).unwrap();
    let rules = table["rule"].as_array().unwrap();
    let named: BTreeSet<&str> = rules.iter().map(|rule| rule["name"].as_str().unwrap()).collect();
    let used: BTreeSet<&str> = REPLIES.iter().map(|(phase, line, _)| verdict(&reply(*phase, line)).rule).collect();
    assert_eq!(named.difference(&used).collect::<Vec<_>>(), Vec::<&&str>::new());
}

#[test]
fn only_250_at_the_dot_is_sent() {
    for phase in Phase::ALL {
        for code in 0..1000 {
            let verdict = verdict(&Outcome::Replied(Reply::new(phase, code, ["2.0.0 Ok: queued as 4F1C2D3E"])));
            let sent = phase == Dot && code == 250;
            assert_eq!(verdict.disposition == Disposition::Sent, sent, "{phase} {code}");
            assert_eq!(verdict.class == Class::Accepted, sent, "{phase} {code}");
        }
    }
}

#[test]
fn in_doubt_is_what_was_not_refused_after_the_dot_and_nothing_else() {
    for phase in Phase::ALL {
        for code in 0..1000 {
            let verdict = verdict(&Outcome::Replied(Reply::new(phase, code, ["what"])));
            let in_doubt = phase == Dot && code != 250 && !(400..600).contains(&code);
            assert_eq!(verdict.disposition == Disposition::InDoubt, in_doubt, "{phase} {code}");
        }
    }
}

#[test]
fn no_line_bounces_a_message_before_its_transaction_began() {
    for (_, line, _) in REPLIES {
        for phase in [Greeting, Ehlo, Starttls, Auth] {
            let verdict = verdict(&reply(phase, line));
            assert!(matches!(verdict.disposition, Disposition::Deferred { counted: false, .. }), "{phase}: {line}");
        }
    }
}

#[test]
fn no_4xx_ever_bounces() {
    for (phase, line, _) in REPLIES {
        for code in ["421", "432", "450", "451", "452", "454", "471", "499"] {
            let line = format!("{code} {}", &line[4..]);
            assert_ne!(verdict(&reply(*phase, &line)).disposition, Disposition::Bounced, "{phase}: {line}");
        }
    }
}

#[test]
fn a_loss_is_in_doubt_from_the_dot_on_and_about_the_connection_before_it() {
    for phase in Phase::ALL {
        for cause in [LossCause::Dns, LossCause::Refused, LossCause::Closed, LossCause::Timeout, LossCause::Garbage] {
            let verdict = verdict(&lost(phase, cause));
            assert_eq!(verdict.class, if phase == Dot { G } else { B }, "{phase} {cause}");
            assert_eq!(verdict.effect, RelayEffect::Reconnect);
            assert!(verdict.ends_session);
        }
        assert_eq!(verdict(&lost(phase, LossCause::ProcessEnded)).class, G, "{phase}");
        assert_eq!(verdict(&lost(phase, LossCause::Certificate)).class, if phase == Dot { G } else { F }, "{phase}");
    }
}

#[test]
fn what_the_relay_does_not_offer_stops_the_campaign_unless_one_message_alone_needs_it() {
    for (phase, class) in [(Starttls, F), (Auth, F), (Ehlo, F), (Mail, E), (Rcpt, E)] {
        assert_eq!(verdict(&lost(phase, LossCause::NotOffered)).class, class, "{phase}");
    }
}

#[test]
fn a_wish_to_wait_is_honoured_up_to_a_day() {
    let retry = RetrySchedule::default();
    for (line, seconds) in [
        ("451 4.7.1 Greylisted, try again in 92 seconds", 92),
        ("451 4.7.1 Greylisting in action, please come back in 00:04:59", 299),
        ("450 4.2.1 try again in 5 minutes", 300),
        ("450 4.2.1 try again in 30 days", 86_400),
        ("450 4.2.1 later", 270),
    ] {
        let situation = Situation {
            now: NOW,
            tries_counted: 0,
            first_attempt_at: None,
            deadline: None,
            retry: &retry,
            jitter: 0.0,
        };
        let due = Timestamp::from_second(seconds).unwrap();
        let verdict = decide(&reply(Rcpt, line), &situation);
        assert_eq!(verdict.disposition, Disposition::Deferred { due, counted: true }, "{line}");
    }
    let quota = verdict(&reply(Dot, "454 Daily message quota exceeded, try again in 2 hours"));
    assert_eq!(quota.effect, RelayEffect::Park { at_least: Duration::from_secs(7200) });
}

#[test]
fn a_message_expires_when_its_next_try_would_come_too_late_and_only_on_the_recipients_clock() {
    let retry = RetrySchedule::default();
    let hours = |h: i64| Timestamp::from_second(h * 3600).unwrap();
    let situation = |now, deadline| Situation {
        now,
        tries_counted: 8,
        first_attempt_at: Some(NOW),
        deadline,
        retry: &retry,
        jitter: 0.5,
    };
    let busy = reply(Rcpt, "450 4.2.1 later");
    let expired = |now, deadline| decide(&busy, &situation(now, deadline)).disposition == Disposition::Expired;
    assert!(!expired(hours(64), None), "64 + 8 is 72 and not over");
    assert!(expired(hours(65), None));
    assert!(expired(hours(40), Some(hours(47))));
    assert!(!expired(hours(40), Some(hours(48))));
    let lost = decide(&lost(Body, LossCause::Closed), &situation(hours(1000), Some(hours(1))));
    assert_eq!(lost.disposition, Disposition::Deferred { due: hours(1000), counted: false });
}
