//! A real Postfix of our own, with a configuration, queues and a log in a folder that goes with it. It takes mail on a
//! port of this machine and passes everything on to another.

use std::fmt::Write as _;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::watched::wait_until;

const PROGRAM: &str = "/usr/sbin/postfix";

pub struct Postfix {
    folder: TempDir,
    pub port: u16,
}

impl Postfix {
    /// Where there is no Postfix, or this is not the user who may start one, `Err` says so: the test is skipped then.
    pub fn start(next_hop: u16) -> Result<Self, String> {
        if !Path::new(PROGRAM).exists() {
            return Err("there is no Postfix here".into());
        }
        if !rustix::process::geteuid().is_root() {
            return Err("Postfix is started by root alone".into());
        }
        let folder = tempfile::tempdir().unwrap();
        // Its processes are of another user and must get in.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let postfix = Self { folder, port };
        postfix.configure(next_hop);
        if !postfix.control("start") {
            return Err(format!("Postfix does not start here: {}", postfix.log()));
        }
        wait_until("Postfix answers", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
        Ok(postfix)
    }

    fn configure(&self, next_hop: u16) {
        let at = |name: &str| self.folder.path().join(name);
        for folder in ["etc", "data", "queue"] {
            fs::create_dir(at(folder)).unwrap();
        }
        assert!(Command::new("chown").arg("postfix").arg(at("data")).status().unwrap().success());
        let main = format!(
            "compatibility_level = 3.6\nqueue_directory = {queue}\ndata_directory = {data}\nmaillog_file = {log}\n\
             maillog_file_prefixes = {folder}\nmyhostname = relay.example\nmydestination =\nalias_maps =\n\
             mynetworks = 127.0.0.0/8\ninet_interfaces = 127.0.0.1\ninet_protocols = ipv4\nsmtputf8_enable = yes\n\
             default_transport = smtp:[127.0.0.1]:{next_hop}\nrelay_transport = smtp:[127.0.0.1]:{next_hop}\n\
             smtpd_relay_restrictions = permit_mynetworks, reject\nsmtp_tls_security_level = none\n\
             smtpd_client_connection_count_limit = 0\n",
            queue = at("queue").display(),
            data = at("data").display(),
            log = self.log_file().display(),
            folder = self.folder.path().display(),
        );
        fs::write(at("etc/main.cf"), main).unwrap();
        let services = [
            ("unix", "cleanup", "n - n - 0 cleanup"),
            ("unix", "qmgr", "n - n 300 1 qmgr"),
            ("unix", "rewrite", "- - n - - trivial-rewrite"),
            ("unix", "bounce", "- - n - 0 bounce"),
            ("unix", "defer", "- - n - 0 bounce"),
            ("unix", "trace", "- - n - 0 bounce"),
            ("unix", "smtp", "- - n - - smtp"),
            ("unix", "error", "- - n - - error"),
            ("unix", "retry", "- - n - - error"),
            ("unix", "anvil", "- - n - 1 anvil"),
            ("unix", "tlsmgr", "- - n 1000? 1 tlsmgr"),
            ("unix", "proxymap", "- - n - - proxymap"),
            ("unix", "flush", "n - n 1000? 0 flush"),
            ("unix-dgram", "postlog", "n - n - 1 postlogd"),
        ];
        let mut master = format!("127.0.0.1:{} inet n - n - - smtpd\n", self.port);
        for (kind, name, rest) in services {
            writeln!(master, "{name} {kind} {rest}").unwrap();
        }
        fs::write(at("etc/master.cf"), master).unwrap();
    }

    fn control(&self, what: &str) -> bool {
        let mut command = Command::new(PROGRAM);
        command.arg("-c").arg(self.folder.path().join("etc")).arg(what);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
    }

    pub fn log_file(&self) -> PathBuf {
        self.folder.path().join("mail.log")
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// How many messages it has begun to take.
    pub fn taken(&self) -> usize {
        self.log().matches(": client=").count()
    }

    /// The processes that take mail, of this Postfix alone: children of its master.
    fn takers(&self) -> Vec<String> {
        let master = fs::read_to_string(self.folder.path().join("queue/pid/master.pid")).unwrap();
        let out = Command::new("pgrep").args(["-P", master.trim(), "-x", "smtpd"]).output().unwrap();
        String::from_utf8(out.stdout).unwrap().lines().map(str::to_owned).collect()
    }

    pub fn signal_takers(&self, signal: &str) {
        let takers = self.takers();
        let _ = Command::new("kill").arg(signal).args(&takers).stderr(Stdio::null()).status();
    }

    /// Waits until it has passed on everything.
    pub fn wait_until_empty(&self) {
        let waiting = || {
            ["incoming", "active", "deferred", "maildrop"].iter().any(|queue| {
                let out = Command::new("find")
                    .arg(self.folder.path().join("queue").join(queue))
                    .args(["-type", "f"])
                    .output();
                !out.unwrap().stdout.is_empty()
            })
        };
        wait_until("Postfix has passed on everything", || !waiting());
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        self.control("abort");
    }
}
