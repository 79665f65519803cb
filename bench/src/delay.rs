//! A longer way to a server: every byte arrives half a round trip after it was sent, in order, however many are under
//! way. Only time is added: it must not hold anything back for any other reason.
//!
//! Also tells when the first letter came by, for those who ask how long a start takes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::Outcome;

const CHUNK_BYTES: usize = 64 * 1024;

/// Prints its port, then serves until it is killed.
pub(crate) async fn run(to: u16, round_trip_ms: u64) -> Outcome {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("port {}", listener.local_addr()?.port());
    let way = Duration::from_millis(round_trip_ms) / 2;
    let seen = Arc::new(AtomicBool::new(false));
    loop {
        let (client, _) = listener.accept().await?;
        tokio::spawn(connect(client, to, way, seen.clone()));
    }
}

async fn connect(client: TcpStream, to: u16, way: Duration, seen: Arc<AtomicBool>) -> Outcome {
    let server = TcpStream::connect(("127.0.0.1", to)).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let there = travel(from_client, to_server, way, move |chunk| note_first_letter(chunk, &seen));
    let back = travel(from_server, to_client, way, |_| ());
    tokio::spawn(there);
    tokio::spawn(back);
    Ok(())
}

/// One direction. The queue has no bound: a bound would be a limit on what may be under way.
async fn travel(mut from: OwnedReadHalf, to: OwnedWriteHalf, way: Duration, look: impl Fn(&[u8]) + Send + 'static) {
    let (send, arrive) = mpsc::unbounded_channel();
    tokio::spawn(deliver(arrive, to));
    let mut buffer = vec![0; CHUNK_BYTES];
    while let Ok(n @ 1..) = from.read(&mut buffer).await {
        look(&buffer[..n]);
        if send.send((Instant::now() + way, buffer[..n].to_vec())).is_err() {
            return;
        }
    }
    let _ = send.send((Instant::now() + way, Vec::new())); // the end travels too
}

async fn deliver(mut arriving: mpsc::UnboundedReceiver<(Instant, Vec<u8>)>, mut to: OwnedWriteHalf) {
    while let Some((at, chunk)) = arriving.recv().await {
        sleep_until(at).await;
        if chunk.is_empty() || to.write_all(&chunk).await.is_err() {
            break;
        }
    }
    let _ = to.shutdown().await;
}

fn note_first_letter(chunk: &[u8], seen: &AtomicBool) {
    let is_first = || chunk.windows(9).any(|w| w.eq_ignore_ascii_case(b"MAIL FROM"));
    if !seen.load(Ordering::Relaxed) && is_first() && !seen.swap(true, Ordering::Relaxed) {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        println!("first {}", now.as_nanos());
    }
}
