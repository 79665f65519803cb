//! The rehearsal mailbox takes what a session sends, byte for byte.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use support::{PaperReceipt, envelope, letter, settings};
use undersigned::model::Outcome;
use undersigned::smtp::{Mailbox, Offer, Relay, Session};

async fn session(mailbox: &Mailbox) -> Session {
    Relay::new(settings(mailbox.address().port())).unwrap().connect().await.unwrap()
}

async fn send(session: &mut Session, to: &str, bytes: &[u8]) -> Outcome {
    let envelope = envelope(to);
    let accepted = session.offer(&Offer::new(&envelope, bytes)).await.unwrap();
    accepted.transmit(&PaperReceipt(1), bytes, None).await
}

fn stored(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(folder.join("new"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect();
    files.sort();
    files
}

#[tokio::test]
async fn a_letter_arrives_as_written_below_its_envelope() {
    let folder = tempfile::tempdir().unwrap();
    let mailbox = Mailbox::open(folder.path()).await.unwrap();
    let mut session = session(&mailbox).await;
    let outcome = send(&mut session, "mayor@town.example", &letter(7)).await;
    assert!(outcome.reply().unwrap().accepts_message());
    assert_eq!(outcome.reply().unwrap().text, "Ok: queued as 00000001.k3m9x2-7");
    session.quit().await;
    assert_eq!(mailbox.accepted(), 1);
    mailbox.close().await;
    let [(name, bytes)] = &stored(folder.path())[..] else { panic!("one file") };
    assert_eq!(name, "00000001.k3m9x2-7.eml");
    let envelope = b"Return-Path: <letters@campaign.example>\r\nX-Original-To: mayor@town.example\r\n";
    assert_eq!(bytes, &[&envelope[..], &letter(7)].concat());
    assert_eq!(fs::read_dir(folder.path().join("tmp")).unwrap().count(), 0);
}

#[tokio::test]
async fn many_connections_lose_nothing_and_mix_nothing_up() {
    const CONNECTIONS: i64 = 10;
    const LETTERS: i64 = 50;
    let folder = tempfile::tempdir().unwrap();
    let mailbox = Mailbox::open(folder.path()).await.unwrap();
    let mut workers = tokio::task::JoinSet::new();
    for worker in 0..CONNECTIONS {
        let mut session = session(&mailbox).await;
        workers.spawn(async move {
            for n in 0..LETTERS {
                let number = worker * LETTERS + n;
                let outcome = send(&mut session, &format!("m{number}@town.example"), &letter(number)).await;
                assert!(outcome.reply().unwrap().accepts_message());
            }
            session.quit().await;
        });
    }
    workers.join_all().await;
    mailbox.close().await;
    let files = stored(folder.path());
    let numbers: HashSet<&str> =
        files.iter().map(|(name, _)| name.split('-').nth(1).unwrap().trim_end_matches(".eml")).collect();
    assert_eq!(numbers.len(), usize::try_from(CONNECTIONS * LETTERS).unwrap());
    for (name, bytes) in &files {
        let number: i64 = name.split('-').nth(1).unwrap().trim_end_matches(".eml").parse().unwrap();
        assert!(bytes.ends_with(&letter(number)));
        assert!(String::from_utf8_lossy(bytes).contains(&format!("X-Original-To: m{number}@town.example\r\n")));
    }
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_refuses_for_now() {
    let folder = tempfile::tempdir().unwrap();
    let mailbox = Mailbox::open(folder.path()).await.unwrap();
    let mut session = session(&mailbox).await;
    fs::remove_dir_all(folder.path().join("tmp")).unwrap();
    let outcome = send(&mut session, "mayor@town.example", &letter(1)).await;
    assert_eq!(outcome.reply().unwrap().code, 452);
    assert_eq!(mailbox.accepted(), 0);
    assert!(session.is_usable());
}
