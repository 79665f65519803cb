//! A name server of a few names, on a port that the system gives.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use mail_auth::hickory_resolver::proto::op::{Message, ResponseCode};
use mail_auth::hickory_resolver::proto::rr::rdata::{A, MX, TXT};
use mail_auth::hickory_resolver::proto::rr::{Name, RData, Record};

/// What the server knows: names without a dot at the end. A name that is nowhere in it does not exist.
#[derive(Debug, Default, Clone)]
pub struct Zone {
    records: BTreeMap<String, Vec<RData>>,
    broken: Vec<String>,
    silent: Vec<String>,
}

impl Zone {
    pub fn txt(mut self, name: &str, text: &str) -> Self {
        let pieces = text.as_bytes().chunks(255).map(|piece| String::from_utf8_lossy(piece).into_owned()).collect();
        self.records.entry(name.into()).or_default().push(RData::TXT(TXT::new(pieces)));
        self
    }

    /// An empty host is the null MX.
    pub fn mx(mut self, name: &str, host: &str) -> Self {
        let host = Name::from_ascii(format!("{host}.")).unwrap();
        self.records.entry(name.into()).or_default().push(RData::MX(MX::new(0, host)));
        self
    }

    pub fn a(mut self, name: &str, address: [u8; 4]) -> Self {
        self.records.entry(name.into()).or_default().push(RData::A(A(Ipv4Addr::from(address))));
        self
    }

    /// A name that is there, with nothing of it.
    pub fn empty(mut self, name: &str) -> Self {
        self.records.entry(name.into()).or_default();
        self
    }

    /// Questions about it are answered with SERVFAIL.
    pub fn broken(mut self, name: &str) -> Self {
        self.broken.push(name.into());
        self
    }

    /// Questions about it are not answered.
    pub fn silent(mut self, name: &str) -> Self {
        self.silent.push(name.into());
        self
    }

    fn answer(&self, question: &[u8]) -> Option<Vec<u8>> {
        let question = Message::from_vec(question).ok()?;
        let query = question.queries.first()?.clone();
        let name = query.name().to_ascii().trim_end_matches('.').to_lowercase();
        if self.silent.contains(&name) {
            return None;
        }
        let mut answer = Message::response(question.metadata.id, question.metadata.op_code);
        answer.metadata.recursion_desired = true;
        answer.metadata.recursion_available = true;
        answer.add_query(query.clone());
        answer.metadata.response_code = match self.records.get(&name) {
            _ if self.broken.contains(&name) => ResponseCode::ServFail,
            None => ResponseCode::NXDomain,
            Some(records) => {
                for data in records.iter().filter(|data| data.record_type() == query.query_type()) {
                    answer.add_answer(Record::from_rdata(query.name().clone(), 60, data.clone()));
                }
                ResponseCode::NoError
            }
        };
        answer.to_vec().ok()
    }
}

/// At work until it is dropped.
pub struct NameServer {
    pub addr: SocketAddr,
    questions: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl NameServer {
    pub fn start(zone: Zone) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let addr = socket.local_addr().unwrap();
        let (questions, stop) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let thread = std::thread::spawn({
            let (questions, stop) = (questions.clone(), stop.clone());
            move || {
                let mut buffer = [0; 4096];
                while !stop.load(Ordering::Relaxed) {
                    let Ok((n, from)) = socket.recv_from(&mut buffer) else { continue };
                    questions.fetch_add(1, Ordering::Relaxed);
                    if let Some(answer) = zone.answer(&buffer[..n]) {
                        let _ = socket.send_to(&answer, from);
                    }
                }
            }
        });
        Self { addr, questions, stop, thread: Some(thread) }
    }

    /// How many questions came.
    pub fn questions(&self) -> usize {
        self.questions.load(Ordering::Relaxed)
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
