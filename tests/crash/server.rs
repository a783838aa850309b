//! The server as a process of its own, killed without warning and started again.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use saihakko::socket::{self, Call};
use tokio::process::{Child, Command};

use super::browser::Ports;
use super::chance::Chance;

const PROGRAM: &str = env!("CARGO_BIN_EXE_saihakko");

/// Where the installation lies.
pub(crate) struct Place {
    /// The configuration file.
    pub(crate) config: PathBuf,
    /// The data folder.
    pub(crate) data: PathBuf,
    /// What the servers said, one after the other.
    pub(crate) log: PathBuf,
    /// Where browsers find the sites, before and after every kill.
    pub(crate) ports: Ports,
}

/// Below the ports that the system gives to whoever connects: a browser that knocks while the
/// server is down must not take the server's own.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// A port on which nobody listens.
fn free_port(chance: &mut Chance) -> u16 {
    loop {
        let offset = chance.below(u64::from(PORTS.end - PORTS.start));
        let port = PORTS.start + u16::try_from(offset).unwrap();
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Everybody comes from one address here, so nobody is slowed down for coming from it often.
/// A schedule that would wait for minutes would never be met by a kill: everything recurs at once.
/// Leases are short because a killed worker's row waits for the end of its lease.
const CONFIGURATION: &str = r#"
[staff_site]
address = "127.0.0.1:0"
[metrics_site]
address = "127.0.0.1:0"
[revocation_list_site]
address = "127.0.0.1:0"
[retry]
attempts = 60
first_delay_s = 1
longest_delay_s = 5
lease_s = 5
[mail]
send_timeout_s = 2
[schedules]
checkpoint = "* * * * * *"
revocation_list = "*/2 * * * * *"
session_cleanup = "*/3 * * * * *"
log_checkpoint = "* * * * * *"
[security]
argon2_memory_kib = 1024
argon2_passes = 1
sign_ins_per_minute = 0
"#;

impl Place {
    /// Writes the configuration.
    pub(crate) fn new(dir: &Path, chance: &mut Chance) -> Self {
        let data = dir.join("data");
        let customers = free_port(chance);
        let certificate = loop {
            let port = free_port(chance);
            if port != customers {
                break port;
            }
        };
        let place = Self {
            config: dir.join("saihakko.toml"),
            log: data.join("log.txt"),
            data,
            ports: Ports { customers, certificate },
        };
        std::fs::create_dir_all(place.scans()).unwrap();
        let folder = toml::Value::String(place.data.display().to_string());
        let scans = toml::Value::String(place.scans().display().to_string());
        let own = format!(
            "[customer_site]\naddress = \"127.0.0.1:{customers}\"\n\
             [certificate_site]\naddress = \"127.0.0.1:{certificate}\"\n\
             [data]\ndir = {folder}\n\
             [intake]\nfolder = {scans}\nrest_s = 0\nlook_s = 1\n"
        );
        std::fs::write(&place.config, format!("{CONFIGURATION}{own}")).unwrap();
        place
    }

    /// Where scanners drop their files.
    pub(crate) fn scans(&self) -> PathBuf {
        self.data.join("scans")
    }

    /// The bank's root, which every browser here trusts. It is made by the first command.
    pub(crate) fn root(&self) -> pki::Certificate {
        let path = self.data.join("keys").join("root.pem");
        let text = std::fs::read_to_string(path).unwrap();
        pki::Certificate::from_pem("the bank's root", &text).unwrap()
    }

    /// The local socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.data.join("saihakko.sock")
    }

    fn log_file(&self) -> File {
        OpenOptions::new().create(true).append(true).open(&self.log).unwrap()
    }

    /// A command of the program about this installation.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.arg("--config").arg(&self.config).args(arguments).stdin(Stdio::null());
        command
    }

    /// The end of the log, for a message.
    pub(crate) fn last_words(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }
}

/// A running server.
pub(crate) struct Server {
    child: Child,
}

impl Server {
    /// Starts it; it may not answer yet.
    pub(crate) fn start(place: &Place) -> Self {
        let child = place
            .command(&["serve"])
            .stdout(Stdio::null())
            .stderr(place.log_file())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Self { child }
    }

    /// Waits until it answers.
    pub(crate) async fn ready(&mut self, place: &Place) {
        for _ in 0..3000 {
            if socket::call(&place.socket(), &Call::Ping).await.is_ok() {
                return;
            }
            self.lives(place);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the server does not answer:\n{}", place.last_words());
    }

    fn lives(&mut self, place: &Place) {
        if let Some(status) = self.child.try_wait().unwrap() {
            panic!("the server ended by itself, {status}:\n{}", place.last_words());
        }
    }

    /// SIGKILL at a random moment of its life.
    pub(crate) async fn kill_sometime(mut self, place: &Place, chance: &mut Chance) {
        // Now and then it lives long enough to read a scan.
        let longest = if chance.one_in(6) { 2500 } else { 400 };
        tokio::time::sleep(Duration::from_millis(chance.below(longest))).await;
        self.lives(place);
        self.child.kill().await.unwrap();
    }

    /// SIGTERM; waits until it has ended well.
    pub(crate) async fn stop(mut self, place: &Place) {
        let id = self.child.id().unwrap().to_string();
        assert!(
            std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap().success()
        );
        let ended = tokio::time::timeout(Duration::from_secs(30), self.child.wait()).await;
        let status = ended.expect("the server did not stop when asked").unwrap();
        assert!(status.success(), "the server stopped with {status}:\n{}", place.last_words());
    }
}
