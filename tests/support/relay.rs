//! A relay that does what a test tells it to, in a thread of its own.
//!
//! ```ignore
//! let relay = ScriptedRelay::start(Options::default(), |at| match at.step {
//!     Step::Rcpt if at.to.starts_with("full@") => Action::reply("452 4.2.2 over quota"),
//!     Step::Dot if at.message == 3 => Action::Take(Box::new(Action::Drop)),
//!     _ => Action::Default,
//! });
//! ```
//!
//! What it accepted is in `relay.record`; what it heard, in `relay.heard()`.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

use super::record::{Entry, Record};
pub use super::script::{Action, At, Options, RelayTls, Step};

type Script = dyn Fn(&At) -> Action + Send + Sync;

struct Shared {
    options: Options,
    script: Box<Script>,
    record: Arc<Record>,
    heard: Mutex<Vec<(usize, String)>>,
    writes: Mutex<Vec<Vec<u8>>>,
    connections: AtomicUsize,
    messages: AtomicUsize,
    /// Conversations that are going on; one that hangs is not.
    busy: AtomicUsize,
}

/// A relay at work; it ends when dropped.
pub struct ScriptedRelay {
    pub addr: SocketAddr,
    pub record: Arc<Record>,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl ScriptedRelay {
    pub fn start(options: Options, script: impl Fn(&At) -> Action + Send + Sync + 'static) -> Self {
        let record = match &options.record_file {
            Some(path) => Record::with_file(path).unwrap(),
            None => Record::default(),
        };
        let record = Arc::new(record);
        let shared = Arc::new(Shared {
            options,
            script: Box::new(script),
            record: record.clone(),
            heard: Mutex::default(),
            writes: Mutex::default(),
            connections: AtomicUsize::new(0),
            messages: AtomicUsize::new(0),
            busy: AtomicUsize::new(0),
        });
        let (stop, stopped) = oneshot::channel();
        let (tell, told) = mpsc::channel();
        let thread = std::thread::spawn({
            let shared = shared.clone();
            move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(listen(shared, tell, stopped));
            }
        });
        let addr = told.recv().unwrap();
        Self { addr, record, shared, stop: Some(stop), thread: Some(thread) }
    }

    /// A relay that accepts everything.
    pub fn kind() -> Self {
        Self::start(Options::default(), |_| Action::Default)
    }

    pub fn port(&self) -> u16 {
        self.addr.port()
    }

    /// How many connections were made.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Whether no conversation goes on that could still bring a message; where it does not come to that in time, false.
    pub fn wait_until_quiet(&self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        while self.shared.busy.load(Ordering::SeqCst) > 0 && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.shared.busy.load(Ordering::SeqCst) == 0
    }

    /// Every command line, with the number of its connection; AUTH without its secrets.
    pub fn heard(&self) -> Vec<(usize, String)> {
        self.shared.heard.lock().unwrap().clone()
    }

    /// What came in one read each, TLS taken off: without TLS, on this machine, a packet.
    pub fn packets(&self) -> Vec<Vec<u8>> {
        self.shared.writes.lock().unwrap().clone()
    }
}

impl Drop for ScriptedRelay {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn listen(shared: Arc<Shared>, tell: mpsc::Sender<SocketAddr>, stopped: oneshot::Receiver<()>) {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    if let Some(size) = shared.options.receive_buffer {
        socket.set_recv_buffer_size(size).unwrap();
    }
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let listener: TcpListener = socket.listen(128).unwrap();
    tell.send(listener.local_addr().unwrap()).unwrap();
    let serving = async {
        loop {
            let Ok((socket, _)) = listener.accept().await else { continue };
            let connection = shared.connections.fetch_add(1, Ordering::SeqCst) + 1;
            shared.busy.fetch_add(1, Ordering::SeqCst);
            let shared = shared.clone();
            tokio::spawn(async move {
                serve(shared.clone(), socket, connection).await;
                shared.busy.fetch_sub(1, Ordering::SeqCst);
            });
        }
    };
    tokio::select! {
        () = serving => {}
        _ = stopped => {}
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// `Err` ends the connection.
type Talk<T = ()> = Result<T, ()>;

async fn serve(shared: Arc<Shared>, socket: TcpStream, connection: usize) {
    let _ = socket.set_nodelay(true);
    let mut stream: Box<dyn Stream> = Box::new(socket);
    if let RelayTls::Implicit(config) = &shared.options.tls {
        let Ok(tls) = TlsAcceptor::from(config.clone()).accept(stream).await else { return };
        stream = Box::new(tls);
    }
    let mut talk = Conversation::new(shared, stream, connection);
    let _ = talk.run().await;
    let _ = talk.stream.shutdown().await;
}

struct Conversation {
    shared: Arc<Shared>,
    stream: Box<dyn Stream>,
    unread: VecDeque<u8>,
    chunk: Box<[u8]>,
    at: At,
    to: Vec<String>,
    mail: String,
    secure: bool,
    known: bool,
}

impl Conversation {
    fn new(shared: Arc<Shared>, stream: Box<dyn Stream>, connection: usize) -> Self {
        let at = At {
            step: Step::Greeting,
            connection,
            message: 0,
            message_of_all: 0,
            from: String::new(),
            to: String::new(),
            line: String::new(),
            reference: String::new(),
        };
        let known = shared.options.auth.is_none();
        let (to, mail, chunk) = (Vec::new(), String::new(), vec![0; 16 * 1024].into());
        Self { shared, stream, unread: VecDeque::new(), chunk, at, to, mail, secure: false, known }
    }

    async fn run(&mut self) -> Talk {
        self.act(Step::Greeting, "220 scripted ESMTP").await?;
        loop {
            let line = self.read_line().await?;
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            let verb = line.split_ascii_whitespace().next().unwrap_or_default().to_ascii_uppercase();
            let shown = if verb == "AUTH" { "AUTH".to_owned() } else { line.clone() };
            self.shared.heard.lock().unwrap().push((self.at.connection, shown));
            self.at.line = line;
            match verb.as_str() {
                "EHLO" => self.ehlo().await?,
                "STARTTLS" => self.starttls().await?,
                "AUTH" => self.auth().await?,
                "MAIL" => self.mail().await?,
                "RCPT" => self.rcpt().await?,
                "DATA" => self.data().await?,
                "RSET" => {
                    self.forget();
                    self.act(Step::Rset, "250 2.0.0 Ok").await?;
                }
                "QUIT" => {
                    self.act(Step::Quit, "221 2.0.0 Bye").await?;
                    return Err(());
                }
                _ => self.write(b"500 5.5.2 what?\r\n").await?,
            }
        }
    }

    fn forget(&mut self) {
        self.to.clear();
        self.mail.clear();
        self.at.from.clear();
        self.at.to.clear();
    }

    async fn ehlo(&mut self) -> Talk {
        let options = &self.shared.options;
        let mut lines = vec!["scripted".to_owned()];
        lines.extend(options.pipelining.then(|| "PIPELINING".to_owned()));
        if matches!(options.tls, RelayTls::Starttls(_)) && !self.secure {
            lines.push("STARTTLS".to_owned());
        } else if options.auth.is_some() {
            lines.push(format!("AUTH {}", options.mechanisms));
        }
        lines.extend(options.extensions.iter().cloned());
        lines.push("ENHANCEDSTATUSCODES".to_owned());
        let last = lines.len() - 1;
        let reply: Vec<_> =
            lines.iter().enumerate().map(|(n, l)| format!("250{}{l}", if n == last { ' ' } else { '-' })).collect();
        self.act(Step::Ehlo, &reply.join("\r\n")).await.map(drop)
    }

    async fn starttls(&mut self) -> Talk {
        let RelayTls::Starttls(config) = self.shared.options.tls.clone() else {
            return self.write(b"502 5.5.1 no\r\n").await;
        };
        if self.act(Step::Starttls, "220 2.0.0 go ahead").await? != 220 {
            return Ok(());
        }
        let plain: Box<dyn Stream> = std::mem::replace(&mut self.stream, Box::new(tokio::io::empty()));
        let tls = TlsAcceptor::from(config).accept(plain).await.map_err(drop)?;
        self.stream = Box::new(tls);
        self.secure = true;
        Ok(())
    }

    async fn auth(&mut self) -> Talk {
        let line = self.at.line.clone();
        let mut words = line.split_ascii_whitespace().skip(1);
        let (mechanism, initial) = (words.next().unwrap_or_default(), words.next());
        let (user, password) = match (mechanism, initial) {
            ("PLAIN", Some(initial)) => {
                let plain = unbase64(initial);
                let mut parts = plain.split('\0').skip(1).map(str::to_owned);
                (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
            }
            ("LOGIN", None) => {
                (self.challenge(b"334 VXNlcm5hbWU6\r\n").await?, self.challenge(b"334 UGFzc3dvcmQ6\r\n").await?)
            }
            ("XOAUTH2", Some(initial)) => {
                let said = unbase64(initial);
                let field = |name: &str| said.split('\x01').find_map(|part| part.strip_prefix(name).map(str::to_owned));
                (field("user=").unwrap_or_default(), field("auth=Bearer ").unwrap_or_default())
            }
            _ => return self.write(b"504 5.5.4 no such mechanism\r\n").await,
        };
        let right = self.shared.options.auth == Some((user, password));
        if mechanism == "XOAUTH2" && !right {
            // As Google does: the reason as JSON, then the refusal, once an empty line has come.
            self.write(b"334 eyJzdGF0dXMiOiI0MDAiLCJzY29wZSI6Imh0dHBzOi8vbWFpbC5nb29nbGUuY29tLyJ9\r\n").await?;
            if self.read_line().await? != b"\r\n" {
                return Err(());
            }
        }
        let reply = if right { "235 2.7.0 welcome" } else { "535 5.7.8 authentication failed" };
        self.known = self.act(Step::Auth, reply).await? == 235;
        Ok(())
    }

    async fn challenge(&mut self, prompt: &[u8]) -> Talk<String> {
        self.write(prompt).await?;
        let answer = self.read_line().await?;
        Ok(unbase64(String::from_utf8_lossy(&answer).trim()))
    }

    async fn mail(&mut self) -> Talk {
        if !self.known {
            return self.write(b"530 5.7.0 authentication required\r\n").await;
        }
        if !self.mail.is_empty() {
            return self.write(b"503 5.5.1 nested MAIL command\r\n").await;
        }
        self.at.message += 1;
        self.at.message_of_all = self.shared.messages.fetch_add(1, Ordering::SeqCst) + 1;
        self.at.from = between_brackets(&self.at.line);
        if self.act(Step::Mail, "250 2.1.0 Ok").await? / 100 == 2 {
            self.mail.clone_from(&self.at.line);
        }
        Ok(())
    }

    async fn rcpt(&mut self) -> Talk {
        if self.mail.is_empty() {
            return self.write(b"503 5.5.1 MAIL first\r\n").await;
        }
        self.at.to = between_brackets(&self.at.line);
        if self.act(Step::Rcpt, "250 2.1.5 Ok").await? / 100 == 2 {
            self.to.push(self.at.to.clone());
        }
        Ok(())
    }

    async fn data(&mut self) -> Talk {
        // A script may answer 354 though there is no recipient, as some relays do (RFC 2920 3.1).
        let usual = if self.to.is_empty() { "554 5.5.1 no valid recipients" } else { "354 go on" };
        if self.act(Step::Data, usual).await? != 354 {
            return Ok(());
        }
        self.at.step = Step::Body;
        match (self.shared.script)(&self.at) {
            Action::Drop => return Err(()),
            Action::Hang => return self.hang().await,
            Action::ReplyThenClose(text) | Action::ReplyThenIdle(text, _) => {
                self.write(format!("{text}\r\n").as_bytes()).await?;
                return Err(());
            }
            Action::Garbage(bytes) => self.write(&bytes).await?,
            Action::After(pause, _) => tokio::time::sleep(pause).await,
            Action::Default | Action::Reply(_) | Action::Take(_) => {}
        }
        let bytes = self.read_text().await?;
        self.dot(bytes).await
    }

    async fn read_text(&mut self) -> Talk<Vec<u8>> {
        let mut bytes = Vec::new();
        loop {
            let line = self.read_line().await?;
            if line == b".\r\n" {
                return Ok(bytes);
            }
            bytes.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
        }
    }

    async fn dot(&mut self, bytes: Vec<u8>) -> Talk {
        self.at.line.clear();
        self.at.reference = reference_in(&bytes);
        self.at.step = Step::Dot;
        let mut action = (self.shared.script)(&self.at);
        if self.to.is_empty() && matches!(action, Action::Default) {
            action = Action::reply("554 5.5.1 no valid recipients");
        }
        if let Some(told) = action.acceptance() {
            self.shared.record.add(Entry {
                reference: self.at.reference.clone(),
                from: self.at.from.clone(),
                to: self.to.clone(),
                bytes,
                mail: self.mail.clone(),
                at: Instant::now(),
                connection: self.at.connection,
                told,
            });
        }
        self.forget();
        let usual = format!("250 2.0.0 Ok: queued as {:X}", self.at.message_of_all);
        self.perform(action, &usual).await?;
        self.at.reference.clear();
        Ok(())
    }

    /// Asks the script and does what it says; gives the code that was replied.
    async fn act(&mut self, step: Step, usual: &str) -> Talk<u16> {
        self.at.step = step;
        let action = (self.shared.script)(&self.at);
        self.perform(action, usual).await
    }

    async fn perform(&mut self, action: Action, usual: &str) -> Talk<u16> {
        let mut action = action;
        loop {
            action = match action {
                Action::Default => Action::reply(usual),
                Action::Reply(text) => {
                    self.write(format!("{text}\r\n").as_bytes()).await?;
                    return Ok(text.get(..3).and_then(|code| code.parse().ok()).unwrap_or(0));
                }
                Action::ReplyThenClose(text) => {
                    self.write(format!("{text}\r\n").as_bytes()).await?;
                    return Err(());
                }
                Action::ReplyThenIdle(text, pause) => {
                    self.write(format!("{text}\r\n").as_bytes()).await?;
                    tokio::time::sleep(pause).await;
                    return Err(());
                }
                Action::Garbage(bytes) => {
                    self.write(&bytes).await?;
                    return Ok(0);
                }
                Action::Drop => return Err(()),
                Action::Hang => self.hang().await?,
                Action::After(pause, then) => {
                    tokio::time::sleep(pause).await;
                    *then
                }
                Action::Take(then) => *then,
            }
        }
    }

    /// Until the relay is dropped.
    async fn hang<T>(&mut self) -> Talk<T> {
        self.shared.busy.fetch_sub(1, Ordering::SeqCst);
        std::future::pending().await
    }

    async fn write(&mut self, bytes: &[u8]) -> Talk {
        self.stream.write_all(bytes).await.map_err(drop)?;
        self.stream.flush().await.map_err(drop)
    }

    async fn read_line(&mut self) -> Talk<Vec<u8>> {
        let mut seen = 0;
        loop {
            if let Some(end) = self.unread.iter().skip(seen).position(|&b| b == b'\n') {
                return Ok(self.unread.drain(..=seen + end).collect());
            }
            seen = self.unread.len();
            let size = self.stream.read(&mut self.chunk).await.map_err(drop)?;
            if size == 0 {
                return Err(());
            }
            self.shared.writes.lock().unwrap().push(self.chunk[..size].to_vec());
            self.unread.extend(&self.chunk[..size]);
        }
    }
}

fn between_brackets(line: &str) -> String {
    line.split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'))
        .map_or_else(String::new, |(text, _)| text.to_owned())
}

fn reference_in(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes)
        .lines()
        .take_while(|line| !line.is_empty())
        .find_map(|line| line.strip_prefix("X-Campaign-Message: ").map(|r| r.trim().to_owned()))
        .unwrap_or_default()
}

fn unbase64(text: &str) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bits, mut width, mut out) = (0_u32, 0, Vec::new());
    for value in text.bytes().filter_map(|b| ALPHABET.iter().position(|&a| a == b)) {
        bits = (bits << 6) | u32::try_from(value).unwrap();
        width += 6;
        if width >= 8 {
            width -= 8;
            out.push(u8::try_from((bits >> width) & 0xff).unwrap());
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
