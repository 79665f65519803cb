//! The mailbox for rehearsals: a real SMTP server on this machine that takes every message into a folder.
//!
//! A rehearsal goes the whole way that a campaign goes, but to here. It listens on the loopback address only,
//! on a port of the system's choice, and nothing it takes ever leaves the machine.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet, spawn_blocking};
use tokio::time::timeout;

use super::maildir::Maildir;

const COMMAND_BYTES_MAX: u64 = 4_096;
const MESSAGE_BYTES_MAX: usize = 32 * 1024 * 1024;
const RECIPIENTS_MAX: usize = 100;
const IDLE_MAX: Duration = Duration::from_secs(300);
const FAREWELL_MAX: Duration = Duration::from_secs(5);

/// A mailbox that is open. [`Self::close`] ends it; so does dropping it, but nobody then waits for the end.
#[derive(Debug)]
pub struct Mailbox {
    address: SocketAddr,
    shelf: Arc<Shelf>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Shelf {
    maildir: Maildir,
    accepted: AtomicU64,
}

impl Mailbox {
    /// Opens a mailbox over a folder, which is made where it is not there. Messages go to `new` in it.
    pub async fn open(folder: &Path) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let shelf = Arc::new(Shelf { maildir: Maildir::open(folder)?, accepted: AtomicU64::new(0) });
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(listen(listener, shelf.clone(), stopped));
        Ok(Self { address, shelf, stop, task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many messages it has taken since it was opened.
    pub fn accepted(&self) -> u64 {
        self.shelf.accepted.load(Ordering::Relaxed)
    }

    /// Takes no more clients, waits a little for those who are there, and closes.
    pub async fn close(self) {
        drop(self.stop);
        // The task panics on nothing; and there is nobody left to tell.
        let _ = self.task.await;
    }
}

async fn listen(listener: TcpListener, shelf: Arc<Shelf>, mut stopped: oneshot::Receiver<()>) {
    let mut clients = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut stopped => break,
            Some(_) = clients.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((socket, _)) => { clients.spawn(Conversation::new(socket, shelf.clone()).run()); }
                // Usually too many open files; it passes, but not at once.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
        }
    }
    drop(listener);
    let all_gone = async { while clients.join_next().await.is_some() {} };
    let _ = timeout(FAREWELL_MAX, all_gone).await;
}

struct Conversation {
    stream: BufReader<TcpStream>,
    shelf: Arc<Shelf>,
    /// Replies that wait until the client has no more commands under way (RFC 2920 3.2).
    replies: Vec<u8>,
    from: Option<String>,
    to: Vec<String>,
}

impl Conversation {
    fn new(socket: TcpStream, shelf: Arc<Shelf>) -> Self {
        let stream = BufReader::with_capacity(32 * 1024, socket);
        Self { stream, shelf, replies: Vec::new(), from: None, to: Vec::new() }
    }

    async fn run(mut self) {
        let _ = self.stream.get_ref().set_nodelay(true);
        // A client that breaks off is no fault of the mailbox: it can always connect again.
        let _ = self.talk().await;
    }

    async fn talk(&mut self) -> io::Result<()> {
        self.reply("220 rehearsal ESMTP: nothing leaves this machine");
        while let Some(line) = self.read_command().await? {
            let (verb, argument) = line.split_once(' ').unwrap_or((&line, ""));
            match verb.to_ascii_uppercase().as_str() {
                "EHLO" => self.hello(),
                "HELO" => self.reset("250 rehearsal"),
                "MAIL" => self.mail(argument),
                "RCPT" => self.rcpt(argument),
                "DATA" => self.data().await?,
                "RSET" => self.reset("250 2.0.0 Ok"),
                "NOOP" => self.reply("250 2.0.0 Ok"),
                "QUIT" => {
                    self.reply("221 2.0.0 Bye");
                    return self.flush().await;
                }
                _ => self.reply("502 5.5.1 not known here"),
            }
        }
        Ok(())
    }

    fn hello(&mut self) {
        let size = format!("250-SIZE {MESSAGE_BYTES_MAX}");
        for line in ["250-rehearsal", "250-PIPELINING", "250-8BITMIME", &size, "250-SMTPUTF8"] {
            self.reply(line);
        }
        self.reset("250 ENHANCEDSTATUSCODES");
    }

    fn reset(&mut self, reply: &str) {
        self.from = None;
        self.to.clear();
        self.reply(reply);
    }

    fn mail(&mut self, argument: &str) {
        match (self.from.is_some(), path_in(argument, "FROM:")) {
            (true, _) => self.reply("503 5.5.1 nested MAIL"),
            (false, None) => self.reply("501 5.5.4 MAIL FROM:<address>"),
            (false, from) => {
                self.from = from;
                self.reply("250 2.1.0 Ok");
            }
        }
    }

    fn rcpt(&mut self, argument: &str) {
        match path_in(argument, "TO:").filter(|to| !to.is_empty()) {
            _ if self.from.is_none() => self.reply("503 5.5.1 MAIL first"),
            _ if self.to.len() >= RECIPIENTS_MAX => self.reply("452 4.5.3 too many recipients"),
            None => self.reply("501 5.5.4 RCPT TO:<address>"),
            Some(to) => {
                self.to.push(to);
                self.reply("250 2.1.5 Ok");
            }
        }
    }

    async fn data(&mut self) -> io::Result<()> {
        let Some(from) = self.from.take().filter(|_| !self.to.is_empty()) else {
            self.reply("503 5.5.1 MAIL and RCPT first");
            return Ok(());
        };
        let to = std::mem::take(&mut self.to);
        self.reply("354 go on, end with a dot");
        self.flush().await?;
        let Some(message) = self.read_text().await? else {
            self.reply("552 5.3.4 the message is too long");
            return Ok(());
        };
        let into = self.shelf.clone();
        let storing = spawn_blocking(move || into.maildir.store(&from, &to, &message));
        match storing.await.map_err(io::Error::other).flatten() {
            Ok(id) => {
                self.shelf.accepted.fetch_add(1, Ordering::Relaxed);
                self.reply(&format!("250 2.0.0 Ok: queued as {id}"));
            }
            Err(error) => self.reply(&format!("452 4.3.1 the folder cannot be written: {error}")),
        }
        Ok(())
    }

    /// The text without its transparency (RFC 5321 4.5.2); `None` when it was too long. Only `CRLF . CRLF` ends it.
    async fn read_text(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut message = Vec::new();
        let mut too_long = false;
        let mut at_line_start = true;
        loop {
            let start = message.len();
            let room = u64::try_from(MESSAGE_BYTES_MAX).unwrap_or(u64::MAX);
            let mut bounded = (&mut self.stream).take(room);
            if timeout(IDLE_MAX, bounded.read_until(b'\n', &mut message)).await?? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if at_line_start && message[start..].starts_with(b".") {
                if &message[start..] == b".\r\n" {
                    message.truncate(start);
                    return Ok((!too_long).then_some(message));
                }
                message.remove(start);
            }
            at_line_start = message[start..].ends_with(b"\r\n");
            if message.len() > MESSAGE_BYTES_MAX {
                too_long = true;
                message.clear();
            }
        }
    }

    /// The next command without its line end; `None` when the client is gone.
    async fn read_command(&mut self) -> io::Result<Option<String>> {
        if self.stream.buffer().is_empty() {
            self.flush().await?;
        }
        let mut line = Vec::new();
        let mut bounded = (&mut self.stream).take(COMMAND_BYTES_MAX);
        timeout(IDLE_MAX, bounded.read_until(b'\n', &mut line)).await??;
        let complete = line.ends_with(b"\n");
        Ok(complete.then(|| String::from_utf8_lossy(&line).trim_end().to_owned()))
    }

    fn reply(&mut self, line: &str) {
        self.replies.extend_from_slice(line.as_bytes());
        self.replies.extend_from_slice(b"\r\n");
    }

    async fn flush(&mut self) -> io::Result<()> {
        let replies = std::mem::take(&mut self.replies);
        self.stream.get_mut().write_all(&replies).await
    }
}

/// `FROM:<a@b> SIZE=1` → `a@b`.
fn path_in(argument: &str, keyword: &str) -> Option<String> {
    let (found, rest) = argument.split_at_checked(keyword.len())?;
    let path = rest.trim_start().strip_prefix('<')?.split_once('>')?.0;
    found.eq_ignore_ascii_case(keyword).then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_from_their_commands() {
        for (argument, expected) in [
            ("FROM:<a@b>", Some("a@b")),
            ("from: <a@b> SIZE=12", Some("a@b")),
            ("FROM:<>", Some("")),
            ("FROM:a@b", None),
            ("FROM:<a@b", None),
            ("TO:<a@b>", None),
            ("", None),
            ("FRÖM:<a@b>", None),
        ] {
            assert_eq!(path_in(argument, "FROM:").as_deref(), expected, "{argument}");
        }
    }
}
