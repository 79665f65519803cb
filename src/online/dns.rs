//! Questions to the DNS, each with a time limit. Knows the library; must not know what an answer means.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::rr::{Name, RData, RecordType};

/// For one try; a name server that is silent is asked twice.
const TRY: Duration = Duration::from_secs(3);
const TRIES: usize = 2;
/// For a whole question, whatever the library does.
const QUESTION: Duration = Duration::from_secs(10);

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer<T> {
    /// Records, at least one.
    Found(Vec<T>),
    /// The name is there, but has no such record.
    Nothing,
    /// There is no such name.
    NoSuchName,
    /// A name server answered that it cannot tell.
    Broken(String),
    /// Nobody answered.
    Unreachable(String),
}

impl<T> Answer<T> {
    /// The records; none where there are none, or none could be had.
    pub fn records(&self) -> &[T] {
        match self {
            Self::Found(records) => records,
            Self::Nothing | Self::NoSuchName | Self::Broken(_) | Self::Unreachable(_) => &[],
        }
    }

    /// Why it is not known what there is.
    pub fn unknown(&self) -> Option<&str> {
        match self {
            Self::Broken(why) | Self::Unreachable(why) => Some(why),
            Self::Found(_) | Self::Nothing | Self::NoSuchName => None,
        }
    }

    fn map<U>(self, read: impl Fn(T) -> Option<U>) -> Answer<U> {
        match self {
            Self::Found(records) => match records.into_iter().filter_map(read).collect::<Vec<U>>() {
                none if none.is_empty() => Answer::Nothing,
                some => Answer::Found(some),
            },
            Self::Nothing => Answer::Nothing,
            Self::NoSuchName => Answer::NoSuchName,
            Self::Broken(why) => Answer::Broken(why),
            Self::Unreachable(why) => Answer::Unreachable(why),
        }
    }
}

/// Where questions go. A copy shares what was found out.
#[derive(Debug, Clone)]
pub struct Dns {
    resolver: TokioResolver,
}

impl Dns {
    /// The name servers of this machine, or the one that is given. To be called inside the runtime.
    pub fn new(server: Option<SocketAddr>) -> Result<Self, String> {
        let builder = match server {
            Some(server) => TokioResolver::builder_with_config(only(server), TokioRuntimeProvider::default()),
            None => TokioResolver::builder_tokio().map_err(|e| format!("this machine names no name server: {e}"))?,
        };
        let mut builder = builder;
        let options = builder.options_mut();
        options.timeout = TRY;
        options.attempts = TRIES;
        options.use_hosts_file = ResolveHosts::Never;
        Ok(Self { resolver: builder.build().map_err(|e| e.to_string())? })
    }

    /// The texts of a name, each put together from its pieces.
    pub async fn texts(&self, name: &str) -> Answer<String> {
        self.ask(name, RecordType::TXT).await.map(|data| match data {
            RData::TXT(text) => Some(String::from_utf8_lossy(&text.txt_data.concat()).into_owned()),
            _ => None,
        })
    }

    /// The mail servers of a domain; the null MX (RFC 7505) is an empty name.
    pub async fn exchangers(&self, domain: &str) -> Answer<String> {
        self.ask(domain, RecordType::MX).await.map(|data| match data {
            RData::MX(mx) => Some(mx.exchange.to_ascii().trim_end_matches('.').to_owned()),
            _ => None,
        })
    }

    /// The addresses of a name, of both kinds.
    pub async fn addresses(&self, name: &str) -> Answer<IpAddr> {
        let (four, six) = tokio::join!(self.ask(name, RecordType::A), self.ask(name, RecordType::AAAA));
        let address = |data| match data {
            RData::A(four) => Some(IpAddr::V4(four.0)),
            RData::AAAA(six) => Some(IpAddr::V6(six.0)),
            _ => None,
        };
        match (four.map(address), six.map(address)) {
            (Answer::Found(mut all), Answer::Found(more)) => {
                all.extend(more);
                Answer::Found(all)
            }
            (found @ Answer::Found(_), _) | (_, found @ Answer::Found(_)) => found,
            (unknown, _) if unknown.unknown().is_some() => unknown,
            (_, other) => other,
        }
    }

    async fn ask(&self, name: &str, kind: RecordType) -> Answer<RData> {
        // The dot at the end keeps the machine's own search list out of it.
        let Ok(name) = Name::from_ascii(format!("{}.", name.trim_end_matches('.'))) else {
            return Answer::NoSuchName;
        };
        match tokio::time::timeout(QUESTION, self.resolver.lookup(name, kind)).await {
            Ok(Ok(found)) => records(&found, kind),
            Ok(Err(error)) => failed(&error),
            Err(_) => Answer::Unreachable("no name server answers".to_owned()),
        }
    }
}

fn only(server: SocketAddr) -> ResolverConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = server.port();
        connection
    });
    let server = NameServerConfig::new(server.ip(), true, connections.to_vec());
    ResolverConfig::from_parts(None, Vec::new(), vec![server])
}

fn records(found: &Lookup, kind: RecordType) -> Answer<RData> {
    let records: Vec<RData> =
        found.answers().iter().map(|record| record.data.clone()).filter(|data| data.record_type() == kind).collect();
    if records.is_empty() { Answer::Nothing } else { Answer::Found(records) }
}

fn failed(error: &NetError) -> Answer<RData> {
    match error {
        error if error.is_nx_domain() => Answer::NoSuchName,
        error if error.is_no_records_found() => Answer::Nothing,
        NetError::Dns(DnsError::ResponseCode(code)) => Answer::Broken(format!("its name server answers {code}")),
        NetError::Timeout => Answer::Unreachable("no name server answers".to_owned()),
        other => Answer::Unreachable(other.to_string()),
    }
}
