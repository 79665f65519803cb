//! What arrives is what was written: bytes, envelope, parameters.

mod support;

use support::relay::{Action, Options, ScriptedRelay};
use support::{PaperReceipt, envelope, hasty};
use undersigned::model::{LossCause, Outcome, Phase, Reply};
use undersigned::smtp::{Offer, Session};

async fn send(session: &mut Session, to: &str, bytes: &[u8]) -> Outcome {
    let envelope = envelope(to);
    match session.offer(&Offer::new(&envelope, bytes)).await {
        Ok(accepted) => accepted.transmit(&PaperReceipt(1), bytes, None).await,
        Err(outcome) => outcome,
    }
}

#[tokio::test]
async fn awkward_bodies_arrive_as_written() {
    let long = [vec![b'x'; 5_000], b"\r\n".to_vec()].concat();
    let large = b"..every line begins with a dot..\r\n".repeat(10_000);
    let as_written: [&[u8]; 12] = [
        b"plain\r\n",
        b".\r\n",
        b"..\r\n...\r\n",
        b"a\r\n.\r\nb\r\n.\r\n",
        b".a\r\n.b\r\n",
        b"\r\n\r\n",
        b"From the start\r\n",
        b"QUIT\r\nDATA\r\nRSET\r\n",
        "ünï ✉️\r\n".as_bytes(),
        b"\xff\xfe\x00\x01\r\n",
        &long,
        &large,
    ];
    let made_safe: [(&[u8], &[u8]); 6] = [
        (b"", b""),
        (b"no end", b"no end\r\n"),
        (b"a\nb\n", b"a\r\nb\r\n"),
        (b"a\rb\r", b"a\r\nb\r\n"),
        (b"a\n.\nMAIL FROM:<x>\n", b"a\r\n.\r\nMAIL FROM:<x>\r\n"),
        (b"a\r\n.\rb\r\r\n", b"a\r\n.\r\nb\r\n\r\n"),
    ];
    let cases: Vec<_> = as_written.into_iter().map(|bytes| (bytes, bytes)).chain(made_safe).collect();
    for pipelining in [true, false] {
        let relay = ScriptedRelay::start(Options { pipelining, ..Options::default() }, |_| Action::Default);
        let mut session = hasty(relay.port()).connect().await.unwrap();
        for (n, (bytes, expected)) in cases.iter().enumerate() {
            let outcome = send(&mut session, "mayor@town.example", bytes).await;
            assert!(outcome.reply().is_some_and(Reply::accepts_message), "case {n}: {outcome}");
            assert!(relay.record.entries()[n].bytes == *expected, "case {n} arrived changed");
        }
        assert_eq!(relay.record.count(), cases.len());
    }
}

#[tokio::test]
async fn the_relay_is_told_what_it_needs_to_know_and_offers_to_hear() {
    let all = ["8BITMIME", "SIZE 1000000", "SMTPUTF8"];
    let not_offered = Some((Phase::Mail, LossCause::NotOffered));
    for (offered, to, body, expected) in [
        (&all[..], "a@town.example", "ascii\r\n", Ok("MAIL FROM:<letters@campaign.example> SIZE=7")),
        (&all[..], "a@town.example", "ü\r\n", Ok("MAIL FROM:<letters@campaign.example> SIZE=4 BODY=8BITMIME")),
        (&all[..], "jürgen@town.example", "a\r\n", Ok("MAIL FROM:<letters@campaign.example> SIZE=3 SMTPUTF8")),
        (&[], "a@town.example", "ascii\r\n", Ok("MAIL FROM:<letters@campaign.example>")),
        (&[], "a@town.example", "ü\r\n", Err(not_offered)),
        (&[], "jürgen@town.example", "a\r\n", Err(not_offered)),
    ] {
        let extensions = offered.iter().map(ToString::to_string).collect();
        let relay = ScriptedRelay::start(Options { extensions, ..Options::default() }, |_| Action::Default);
        let mut session = hasty(relay.port()).connect().await.unwrap();
        let outcome = send(&mut session, to, body.as_bytes()).await;
        let told = match &outcome {
            Outcome::Replied(_) => Ok(relay.record.entries()[0].mail.clone()),
            Outcome::Lost { phase, cause, .. } => Err(Some((*phase, *cause))),
        };
        assert_eq!(told.as_deref(), expected.as_ref().map(|mail| *mail), "{to} {body}");
        assert!(session.is_usable(), "what is not offered to one message does not end the session");
    }
}

#[tokio::test]
async fn the_envelope_arrives_as_given_and_the_record_knows_the_message() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("accepted");
    let options = Options { record_file: Some(file.clone()), ..Options::default() };
    let relay = ScriptedRelay::start(options, |_| Action::Default);
    let mut session = hasty(relay.port()).connect().await.unwrap();
    for number in 1..=3 {
        send(&mut session, &format!("m{number}@town.example"), &support::letter(number)).await;
    }
    assert_eq!(relay.record.references(), ["k3m9x2-1", "k3m9x2-2", "k3m9x2-3"]);
    let entry = &relay.record.entries()[1];
    assert_eq!(
        (entry.from.as_str(), entry.to.as_slice()),
        ("letters@campaign.example", &["m2@town.example".to_owned()][..])
    );
    let lines = std::fs::read_to_string(file).unwrap();
    assert_eq!(lines.lines().nth(2), Some("k3m9x2-3 1 true m3@town.example"));
}
