//! lettre's own pooled transport, used as one would: a message built for everybody, sent by as many tasks as there are
//! connections.

use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::PoolConfig;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use crate::Outcome;

/// How much to send where.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    pub(crate) port: u16,
    pub(crate) connections: u32,
    pub(crate) messages: u32,
    /// Of each letter, text and HTML together.
    pub(crate) bytes: usize,
}

/// Sends everything, or fails.
#[expect(clippy::disallowed_methods, reason = "the program may not send so; this measures what does")]
pub(crate) async fn run(load: Load, ca: Option<&str>) -> Outcome {
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("localhost")
        .port(load.port)
        .pool_config(PoolConfig::new().max_size(load.connections));
    if let Some(ca) = ca {
        let ca = Certificate::from_pem(&std::fs::read(ca)?)?;
        let tls = TlsParameters::builder("localhost".to_owned()).certificate_store(CertificateStore::None);
        builder = builder.tls(Tls::Wrapper(tls.add_root_certificate(ca).build_rustls()?));
    }
    let transport = builder.build();
    let mut tasks = Vec::new();
    for first in 0..load.connections {
        let transport = transport.clone();
        tasks.push(tokio::spawn(async move {
            for number in (first..load.messages).step_by(load.connections as usize) {
                transport.send(letter(number, load.bytes)?).await?;
            }
            Outcome::Ok(())
        }));
    }
    for task in tasks {
        task.await??;
    }
    Ok(())
}

fn letter(number: u32, bytes: usize) -> Outcome<Message> {
    let line = "We ask you to keep the trees on the square, for their shade and for the birds in them.\r\n";
    let text = format!("Dear Mayor {number},\r\n\r\n{}", line.repeat(bytes / 2 / line.len()));
    let html = format!("<p>Dear Mayor {number},</p>\r\n{}", line.repeat(bytes / 2 / line.len()));
    let to: Mailbox = format!("mayor{}@town{0}.example", number % 60).parse()?;
    Ok(Message::builder()
        .from("Signer via Benchmark <letters@campaign.example>".parse()?)
        .reply_to(format!("signer{number}@mail.example").parse()?)
        .to(to)
        .subject(format!("A letter from signer {number}"))
        .multipart(MultiPart::alternative_plain_html(text, html))?)
}
