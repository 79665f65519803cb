//! A real Postfix between the program and a sink: bytes arrive as they were written, under one queue id a Message-ID,
//! also where the program is killed in the middle.
//!
//! It has a configuration, queue and log of its own in a folder that goes with it, listens on a port that the system
//! gave, and relays to the sink alone. Starting one needs root.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::json;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::support::campaign::Campaign;
use crate::support::proof;
use crate::support::record::Entry;
use crate::support::relay::ScriptedRelay;

/// Which services run, none of them in a chroot: with these alone it listens on no port but its own.
const SERVICES: &str = "\
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
";

struct Postfix {
    folder: TempDir,
    port: u16,
}

impl Postfix {
    /// `Err` says why there is none.
    fn start(sink: u16) -> Result<Self, String> {
        let version = Command::new("postconf").args(["-dh", "mail_version"]).output();
        if !version.is_ok_and(|asked| asked.status.success()) {
            return Err("there is no Postfix here".into());
        }
        if !rustix::process::geteuid().is_root() {
            return Err("Postfix is started by root alone".into());
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let postfix = Self { folder: tempfile::tempdir().unwrap(), port };
        postfix.configure(sink);
        let started = postfix.told("start");
        if started.status.success() && postfix.answers_within(Duration::from_secs(60)) {
            return Ok(postfix);
        }
        Err(format!("Postfix does not start here: {}", String::from_utf8_lossy(&started.stderr)))
    }

    fn configure(&self, sink: u16) {
        let (folder, port) = (self.folder.path(), self.port);
        // Its daemons run as another user and look into the folder.
        std::fs::set_permissions(folder, PermissionsExt::from_mode(0o755)).unwrap();
        for name in ["etc", "queue", "data"] {
            std::fs::create_dir(folder.join(name)).unwrap();
        }
        let owned = Command::new("chown").arg("postfix").arg(folder.join("data")).status().unwrap();
        assert!(owned.success());
        let at = folder.display();
        let main = format!(
            "compatibility_level = 3.6\nqueue_directory = {at}/queue\ndata_directory = {at}/data\n\
             maillog_file = {at}/postfix.log\nmaillog_file_prefixes = {at}\nsyslog_name = postfix-of-a-test\n\
             myhostname = relay.test.example\nmydestination =\nalias_maps =\nlocal_recipient_maps =\n\
             inet_interfaces = 127.0.0.1\ninet_protocols = ipv4\nmynetworks = 127.0.0.0/8\n\
             smtpd_relay_restrictions = permit_mynetworks, reject\nrelayhost = [127.0.0.1]:{sink}\n\
             smtp_dns_support_level = disabled\nsmtp_host_lookup = native\nsmtp_tls_security_level = none\n\
             smtpd_tls_security_level = none\nbiff = no\n"
        );
        std::fs::write(folder.join("etc/main.cf"), main).unwrap();
        let smtpd = format!("127.0.0.1:{port} inet n - n - - smtpd\n");
        std::fs::write(folder.join("etc/master.cf"), smtpd + SERVICES).unwrap();
    }

    fn told(&self, verb: &str) -> std::process::Output {
        Command::new("postfix").arg("-c").arg(self.folder.path().join("etc")).arg(verb).output().unwrap()
    }

    fn answers_within(&self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        while Instant::now() < deadline {
            if std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        false
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("postfix.log")).unwrap()
    }

    /// Message-ID → the queue ids under which it was taken.
    fn queue_ids(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut taken: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for line in self.log().lines() {
            let Some((before, id)) = line.split_once(": message-id=<") else { continue };
            let queue_id = before.rsplit(' ').next().unwrap().to_owned();
            taken.entry(id.trim_end_matches('>').to_owned()).or_default().insert(queue_id);
        }
        taken
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        if !self.told("stop").status.success() {
            self.told("abort");
        }
    }
}

/// Values that have tripped up mail programs: dots, line breaks of every kind, `From `, letters of every alphabet.
fn awkward_contacts() -> (String, usize) {
    let long = "long ".repeat(1_000);
    let unbroken = "x".repeat(5_000);
    let notes = [
        ".",
        "..",
        ".\r\n.\r\nQUIT",
        "From me\nFrom you",
        "Grüße 🎈 從香港",
        &long,
        &unbroken,
        "a\rb",
        "=2E=0D=0A.=0D=0A",
        "--=_k3m9x2-1\nContent-Type: text/html",
        "<b>&amp;</b> {{ config }}",
        "tab\tand  two spaces  ",
    ];
    let names = ["Doe, Jane", "O'Neil", "Zoë Müller-Weiß", "李小龍", "محمد بن عبد الله", "Łukasz (Jr.)"];
    let mut csv = String::from("role,title,name,email,jurisdiction,address,postcode,signed_on,note\n");
    for (n, name) in ["Åsa d'Ávila", "Bob \"\"B\"\" Ray"].iter().enumerate() {
        writeln!(csv, "official,Mayor,\"{name}\",mayor{n}@town{n}.example,Town {n},,,,").unwrap();
    }
    let mut constituents = 0;
    for note in notes {
        for name in names {
            let (n, town) = (constituents, constituents % 2);
            writeln!(csv, "constituent,,\"{name}\",s{n}@mail.example,Town {town},{n} St,60000,2026-10-01,\"{note}\"")
                .unwrap();
            constituents += 1;
        }
    }
    (csv, constituents)
}

const SEND: [&str; 4] = ["send", "--yes", "--set", "contacts.note_chars_max=9000"];

const LETTER: &str = "Subject: {{ constituent.name }} 🎈 asks the Mayor of a town with a long name, and of every other \
town that has one, to read this subject to its very end: São Paulo, Łódź, Ærøskøbing, 香港, and all the rest of them\n\n\
Dear {{ official.title }} {{ official.name }},\n\n.\n\n..\n\n.hidden\n\nFrom here on 🎈\n\n{{ constituent.note }}\n\n\
{{ constituent.name }}\n";

/// What the sink has, without what Postfix put on top.
fn as_it_was_sent(entry: &Entry) -> &[u8] {
    let text = String::from_utf8_lossy(&entry.bytes);
    assert!(text.starts_with("Received: from "), "Postfix says that it was here: {text:.200}");
    let from = entry.bytes.windows(8).position(|bytes| bytes == b"\r\nFrom: ").unwrap() + 2;
    let on_top = String::from_utf8_lossy(&entry.bytes[..from]).into_owned();
    let fields = on_top.split("\r\n").filter(|line| !line.is_empty() && !line.starts_with(['\t', ' ']));
    assert!(fields.clone().all(|line| line.starts_with("Received: ")), "{on_top}");
    &entry.bytes[from..]
}

/// Message-ID, hash of the bytes, state and queue id of every message, as the ledger has them.
fn messages(ledger: &Path) -> Vec<(String, Vec<u8>, String, Option<String>)> {
    let ledger = Connection::open(ledger).unwrap();
    let mut query = ledger.prepare("SELECT message_id, body_hash, state, queue_id FROM message").unwrap();
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
    query.query_map([], row).unwrap().map(Result::unwrap).collect()
}

#[test]
fn a_real_postfix_passes_every_byte_on_and_takes_every_message_once_also_amid_kills() {
    let began = Instant::now();
    let sink = ScriptedRelay::kind();
    let postfix = match Postfix::start(sink.port()) {
        Ok(postfix) => postfix,
        Err(why) => return println!("skipped: {why}"),
    };
    let campaign = Campaign::new(0, 0, postfix.port);
    let (contacts, constituents) = awkward_contacts();
    campaign.write("contacts.csv", &contacts);
    campaign.write("templates/letter.md", LETTER);
    let mut kills = 0;
    for messages in [1, 12, 20, 25] {
        let mut sending = campaign.start(&SEND);
        sink.record.wait_for(sink.record.count() + messages, Duration::from_secs(5));
        kills += u64::from(sending.try_wait().unwrap().is_none());
        sending.kill().unwrap();
        sending.wait().unwrap();
    }
    let ran = campaign.run(&SEND);
    assert!(ran.code == 0 || ran.code == 7, "{ran:?}");
    campaign.must_be_sound();

    let messages = messages(&campaign.ledger());
    assert_eq!(messages.len(), 2 * constituents, "{ran:?}");
    let sent = messages.iter().filter(|(.., state, _)| state == "sent").count();
    sink.record.must_reach(sent);
    let (queue_ids, arrived) = (postfix.queue_ids(), sink.record.entries());
    let (mut lost, mut twice, mut in_doubt) = (0, 0, 0);
    for (message_id, hash, state, queue_id) in &messages {
        let taken: Vec<&String> = queue_ids.get(message_id).into_iter().flatten().collect();
        twice += usize::from(taken.len() > 1);
        in_doubt += usize::from(state == "in_doubt");
        if state == "sent" {
            assert_eq!(taken, queue_id.iter().collect::<Vec<_>>(), "one queue id, and the one that the log has");
        } else {
            assert_eq!(state, "in_doubt", "{message_id}");
        }
        let header = format!("\r\nMessage-ID: <{message_id}>\r\n");
        let copies: Vec<&Entry> =
            arrived.iter().filter(|entry| String::from_utf8_lossy(&entry.bytes).contains(&header)).collect();
        lost += usize::from(state == "sent" && copies.is_empty());
        for copy in copies {
            let found = Sha256::digest(as_it_was_sent(copy));
            assert_eq!(found.as_slice(), hash.as_slice(), "not the bytes that were made: {message_id}");
        }
    }
    let seconds = began.elapsed().as_secs();
    proof::tell(
        "postfix",
        json!({
            "schedules": kills, "kills": kills, "faults": 1, "messages": messages.len(), "lost": lost, "twice": twice,
            "in_doubt": in_doubt, "seconds": seconds,
        }),
    );
    println!("kills {kills}: {sent} sent, {in_doubt} in doubt, {} arrived, {seconds} s", arrived.len());
    assert_eq!((lost, twice), (0, 0));
    assert!(in_doubt <= usize::try_from(kills).unwrap() * 4, "{in_doubt} in doubt after {kills} kills");
}
