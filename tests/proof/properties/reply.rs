//! Any bytes as the words of a relay: a whole session hears them, stays within bounds, and believes nothing that was
//! not said.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener};
use std::time::{Duration, Instant};

use undersigned::model::{EmailAddress, Envelope, LossCause, MessageId, Outcome, Phase, Reply, TransmissionReceipt};
use undersigned::smtp::{Offer, Relay, RelaySettings, SessionLimits, Timeouts, TlsMode};

/// Between what is said at once and what is said after the next words of the client.
const PAUSE: u8 = 0xFF;
const DETAIL_CHARS_MAX: usize = 200;

struct PaperReceipt;

impl TransmissionReceipt for PaperReceipt {
    fn message(&self) -> MessageId {
        MessageId(1)
    }
}

fn relay(port: u16) -> Relay {
    let short = Duration::from_millis(300);
    let timeouts = Timeouts {
        connect: 10 * short,
        tls: short,
        greeting: short,
        ehlo: short,
        auth: short,
        mail: short,
        rcpt: short,
        data: short,
        body_write: short,
        dot: short,
        quit: short,
    };
    Relay::new(RelaySettings {
        name: "test".into(),
        host: "127.0.0.1".into(),
        port,
        tls: TlsMode::None,
        credentials: None,
        hello_name: "campaign.example".into(),
        ca_file: None,
        timeouts,
        limits: SessionLimits::default(),
    })
    .expect("a relay")
}

/// Says one part after the other, each after some words of the client, then hangs up.
fn speak(listener: &TcpListener, bytes: &[u8]) {
    let Ok((mut client, _)) = listener.accept() else { return };
    let _ = client.set_read_timeout(Some(Duration::from_millis(3)));
    let _ = client.set_nodelay(true);
    let mut words = [0; 4096];
    for part in bytes.split(|byte| *byte == PAUSE) {
        if client.write_all(part).is_err() {
            return;
        }
        let _ = client.read(&mut words);
    }
    let _ = client.shutdown(Shutdown::Write);
    while client.read(&mut words).is_ok_and(|size| size > 0) {}
}

fn must_be_bounded(outcome: &Outcome, said: &[u8]) {
    match outcome {
        Outcome::Replied(reply) => {
            assert!((200..600).contains(&reply.code));
            assert!(reply.text.chars().count() <= Reply::TEXT_CHARS_MAX && !reply.text.contains(char::is_control));
            let code = reply.code.to_string();
            assert!(said.windows(3).any(|three| three == code.as_bytes()), "{code} was never said");
        }
        Outcome::Lost { cause, detail, .. } => {
            assert!(detail.chars().count() <= DETAIL_CHARS_MAX && !detail.contains(char::is_control), "{detail}");
            assert_ne!(*cause, LossCause::ProcessEnded);
        }
    }
}

async fn converse(port: u16, said: &[u8]) {
    let address = |text| EmailAddress::parse(text).expect("an address");
    let envelope = Envelope { from: address("letters@campaign.example"), to: address("mayor@town.example") };
    let text = b"Subject: A letter\r\n\r\n.\r\nDear Mayor\r\n";
    let offer = Offer::new(&envelope, text);
    let mut session = match relay(port).connect().await {
        Ok(session) => session,
        Err(outcome) => return must_be_bounded(&outcome, said),
    };
    for _ in 0..3 {
        let outcome = match session.offer(&offer).await {
            Err(outcome) => outcome,
            Ok(accepted) => accepted.transmit(&PaperReceipt, text, Some(&offer)).await,
        };
        must_be_bounded(&outcome, said);
        if let Outcome::Replied(reply) = &outcome {
            assert!(!reply.accepts_message() || reply.phase == Phase::Dot);
        }
        if !session.is_usable() {
            return;
        }
    }
    session.quit().await;
}

/// The property.
pub(crate) fn holds(bytes: &[u8]) {
    let began = Instant::now();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let said: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != PAUSE).collect();
    let port = listener.local_addr().expect("bound").port();
    std::thread::scope(|scope| {
        scope.spawn(|| speak(&listener, bytes));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(converse(port, &said));
    });
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}
