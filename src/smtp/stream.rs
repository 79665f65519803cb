//! Our own stream under lettre: what is written waits for the next read, so that each group of commands
//! goes in one packet; what is read is whole replies within bounds, one at a time.
//!
//! The socket is shared between lettre's end and the session's, which one task uses in turn: the lock is
//! never contended and never held across an await. This file knows nothing of phases or of messages.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::reply::{RawReply, ReplyReader};
use crate::model::LossCause;

const READ_BYTES: usize = 4_096;

/// A socket, with or without TLS.
pub(super) trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Socket for S {}

/// Why the conversation cannot go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) cause: LossCause,
    pub(super) detail: String,
}

impl Trouble {
    fn garbage(what: &str) -> Self {
        Self { cause: LossCause::Garbage, detail: format!("the relay sent {what}") }
    }

    pub(super) fn timeout() -> Self {
        Self { cause: LossCause::Timeout, detail: String::new() }
    }

    pub(super) fn closed(detail: impl Into<String>) -> Self {
        Self { cause: LossCause::Closed, detail: detail.into() }
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        let cause = if error.kind() == io::ErrorKind::InvalidData { LossCause::Garbage } else { LossCause::Closed };
        Self { cause, detail: error.to_string() }
    }
}

/// A write that did not come to its end.
#[derive(Debug)]
pub(super) struct Unsent {
    pub(super) trouble: Trouble,
    /// Whether all of what was to be sent first may have left.
    pub(super) chunk_left: bool,
}

/// What came from the relay without being asked for.
#[derive(Debug)]
pub(super) enum Unasked {
    /// Nothing: the conversation stands where we think it stands.
    Nothing,
    /// A whole reply; usually the 421 of a relay that has waited long enough.
    Reply(RawReply),
    /// Something else, or the end.
    Trouble(Trouble),
}

struct Pipe {
    socket: Box<dyn Socket>,
    /// Not yet taken by the socket.
    held: Vec<u8>,
    /// Taken by the socket, perhaps not yet by the kernel: TLS has a buffer of its own.
    unflushed: bool,
    reader: ReplyReader,
    /// A reply on its way to lettre.
    rendered: Vec<u8>,
    /// The replies that lettre was handed since the session last asked.
    heard: Vec<RawReply>,
    trouble: Option<Trouble>,
}

impl Pipe {
    /// One step of writing; `true` once the kernel has everything.
    fn poll_write_some(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        if !self.held.is_empty() {
            let written = ready!(Pin::new(&mut self.socket).poll_write(cx, &self.held))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.held.drain(..written);
            self.unflushed = true;
        }
        if self.held.is_empty() && self.unflushed {
            ready!(Pin::new(&mut self.socket).poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(self.held.is_empty()))
    }

    fn poll_write_all(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !ready!(self.poll_write_some(cx))? {}
        Poll::Ready(Ok(()))
    }

    /// The next reply. Trouble is for good: what comes after it answers nothing that we asked.
    fn poll_reply(&mut self, cx: &mut Context<'_>) -> Poll<Result<RawReply, Trouble>> {
        if let Some(trouble) = &self.trouble {
            return Poll::Ready(Err(trouble.clone()));
        }
        let reply = ready!(self.poll_next_reply(cx));
        self.trouble = reply.as_ref().err().cloned();
        Poll::Ready(reply)
    }

    fn poll_next_reply(&mut self, cx: &mut Context<'_>) -> Poll<Result<RawReply, Trouble>> {
        ready!(self.poll_write_all(cx))?;
        loop {
            if let Some(reply) = self.reader.next().map_err(Trouble::garbage)? {
                return Poll::Ready(Ok(reply));
            }
            let mut chunk = [0; READ_BYTES];
            let mut chunk = ReadBuf::new(&mut chunk);
            ready!(Pin::new(&mut self.socket).poll_read(cx, &mut chunk))?;
            if chunk.filled().is_empty() {
                return Poll::Ready(Err(Trouble::closed("")));
            }
            self.reader.push(chunk.filled());
        }
    }

    fn poll_unasked(&mut self, cx: &mut Context<'_>) -> Unasked {
        match self.poll_reply(cx) {
            Poll::Pending if self.reader.is_empty() => Unasked::Nothing,
            Poll::Pending => Unasked::Trouble(Trouble::garbage("a reply that nobody asked for")),
            Poll::Ready(Ok(reply)) => Unasked::Reply(reply),
            Poll::Ready(Err(trouble)) => Unasked::Trouble(trouble),
        }
    }
}

/// A handle on the conversation's stream. Clones are the same stream: one is given to lettre.
#[derive(Clone)]
pub(super) struct Wire {
    pipe: Arc<Mutex<Pipe>>,
    peer: SocketAddr,
}

impl Wire {
    pub(super) fn new(socket: Box<dyn Socket>, peer: SocketAddr) -> Self {
        let pipe = Pipe {
            socket,
            held: Vec::new(),
            unflushed: false,
            reader: ReplyReader::default(),
            rendered: Vec::new(),
            heard: Vec::new(),
            trouble: None,
        };
        Self { pipe: Arc::new(Mutex::new(pipe)), peer }
    }

    fn pipe(&self) -> MutexGuard<'_, Pipe> {
        self.pipe.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes `command`, if any, and reads one reply, without lettre.
    pub(super) async fn ask(&self, command: &[u8]) -> Result<RawReply, Trouble> {
        self.pipe().held.extend_from_slice(command);
        poll_fn(|cx| self.pipe().poll_reply(cx)).await
    }

    /// Hands `chunk`, and `with` in the same write, to the kernel, within `limit`. Only then is it `Ok`; an error
    /// tells whether the last of `chunk` may have left.
    pub(super) async fn send(&self, chunk: &[u8], with: &[u8], limit: Duration) -> Result<(), Unsent> {
        {
            let mut pipe = self.pipe();
            pipe.held.extend_from_slice(chunk);
            pipe.held.extend_from_slice(with);
        }
        let written = tokio::time::timeout(limit, poll_fn(|cx| self.pipe().poll_write_all(cx))).await;
        let trouble = match written {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => Trouble::from(error),
            Err(_) => Trouble::timeout(),
        };
        // What the socket has not taken did not leave. Where all was taken but not flushed, the last record of TLS is
        // not whole, so nobody can read the end of it; `chunk` may be in one before.
        Err(Unsent { trouble, chunk_left: !with.is_empty() && self.pipe().held.len() <= with.len() })
    }

    /// Looks, without waiting, whether the relay has said something out of turn.
    pub(super) async fn unasked(&self) -> Unasked {
        poll_fn(|cx| Poll::Ready(self.pipe().poll_unasked(cx))).await
    }

    /// Lets lettre read a reply that was already read without it.
    pub(super) fn replay(&self, reply: &RawReply) {
        self.pipe().rendered = reply.rendered();
    }

    /// What lettre heard since the last call, the first reply or the trouble.
    pub(super) fn heard(&self) -> Option<Result<RawReply, Trouble>> {
        let mut pipe = self.pipe();
        let first = std::mem::take(&mut pipe.heard).into_iter().next();
        first.map(Ok).or_else(|| pipe.trouble.clone().map(Err))
    }

    /// Gives back the socket, when lettre has none of it yet.
    pub(super) fn into_socket(self) -> Option<Box<dyn Socket>> {
        let pipe = Arc::into_inner(self.pipe)?.into_inner().unwrap_or_else(PoisonError::into_inner);
        Some(pipe.socket)
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Neither what is held nor what was heard: both hold addresses, and AUTH a password.
        f.debug_struct("Wire").field("peer", &self.peer).finish_non_exhaustive()
    }
}

impl AsyncTokioStream for Wire {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.peer)
    }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut pipe = self.pipe();
        if pipe.rendered.is_empty() {
            match ready!(pipe.poll_reply(cx)) {
                Ok(reply) => {
                    pipe.rendered = reply.rendered();
                    pipe.heard.push(reply);
                }
                Err(_) => return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into())),
            }
        }
        let size = buf.remaining().min(pipe.rendered.len());
        buf.put_slice(&pipe.rendered[..size]);
        pipe.rendered.drain(..size);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.pipe().held.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    /// Does nothing: the next read writes first.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pipe().socket).poll_shutdown(cx)
    }
}
